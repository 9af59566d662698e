package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// recipe describes something that is made once and kept in the cache under the hash
// of the recipe's folder. What the folder does not say is not in the result.
type recipe struct {
	folder  string // with a build.sh that takes FOLDER OWNER
	product string
	takes   string
	root    string // why root is needed; "" if it is not
}

var (
	imageRecipe = recipe{
		folder: "lab/image", product: "disk image", takes: "about 2 minutes",
		root: "to unpack Debian with its owners and modes into the image",
	}
	kernelRecipe = recipe{folder: "lab/kernel", product: "kernel", takes: "about 6 minutes on two quiet cores"}
)

// ensure returns the folder with what the recipe describes, and makes it if the
// cache does not have it. Of two runs at once, one makes it and the other waits.
func (r recipe) ensure(ctx context.Context) (string, error) {
	hash, err := hashFolder(r.folder)
	if err != nil {
		return "", fmt.Errorf("read the recipe of the %s: %w", r.product, err)
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, filepath.Base(r.folder)+"-"+hash[:16])
	if exists(folder) {
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	held, err := lock(ctx, folder+".lock", "lab: another run makes the "+r.product+": waiting for it")
	if err != nil {
		return "", err
	}
	defer held.Close()
	if exists(folder) {
		return folder, nil
	}
	fmt.Printf("lab: no %s yet: making one in %s, takes %s, once\n", r.product, folder, r.takes)
	return folder, r.build(ctx, folder, held)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// cacheFolder is LAB_CACHE, or netconnectd-lab in the user's cache folder.
func cacheFolder() (string, error) {
	if folder := os.Getenv("LAB_CACHE"); folder != "" {
		return filepath.Abs(folder)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the cache (LAB_CACHE names one): %w", err)
	}
	return filepath.Join(user, "netconnectd-lab"), nil
}

// errTaken says that another process has the lock.
var errTaken = errors.New("another process has the lock")

// tryLock takes the lock file for this process and for those that inherit it. The
// lock ends with the last of them.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errTaken
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// lock is tryLock that waits, and says so.
func lock(ctx context.Context, path, waiting string) (*os.File, error) {
	file, err := tryLock(path)
	if !errors.Is(err, errTaken) {
		return file, err
	}
	fmt.Println(waiting)
	ticker := time.NewTicker(200 * time.Millisecond) // a wait for flock could not be given up
	defer ticker.Stop()
	for errors.Is(err, errTaken) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
			file, err = tryLock(path)
		}
	}
	return file, err
}

// hashFolder is over names, modes and contents of all files of a recipe.
func hashFolder(folder string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		executable := info.Mode()&0o100 != 0
		fmt.Fprintf(sum, "%s %v %d\n", path, executable, len(content))
		sum.Write(content)
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// build runs the recipe into a folder beside the wanted one, and renames that
// folder when all of it is there: an interrupted build leaves nothing that could be
// taken for a result, and the next build removes what it left.
func (r recipe) build(ctx context.Context, folder string, held *os.File) error {
	work := folder + ".unfinished"
	if err := r.remove(ctx, work); err != nil {
		return fmt.Errorf("remove what an interrupted build left: %w", err)
	}
	if err := os.Mkdir(work, 0o755); err != nil { // mmdebstrap's _apt user passes through
		return fmt.Errorf("make a folder for the %s: %w", r.product, err)
	}
	if err := r.runScript(ctx, work, held); err != nil {
		return fmt.Errorf("make the %s: %w", r.product, errors.Join(err, r.remove(context.WithoutCancel(ctx), work)))
	}
	if err := os.Rename(work, folder); err != nil {
		return fmt.Errorf("put the %s in its place: %w", r.product, err)
	}
	return nil
}

// runScript runs the recipe's build.sh, as root where the recipe needs root. What
// it starts holds the lock, too: should this process be killed, the next run waits
// until the last compiler has ended.
func (r recipe) runScript(ctx context.Context, work string, held *os.File) error {
	argv := []string{"bash", filepath.Join(r.folder, "build.sh"), work, fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())}
	if r.root != "" && os.Getuid() != 0 {
		fmt.Printf("lab: root (through sudo) is needed %s\n", r.root)
		argv = append([]string{"sudo", "--preserve-env=LAB_MIRROR"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = os.Stdin
	cmd.ExtraFiles = []*os.File{held}
	// A group of its own, so that the recipe can end all that it has started; but
	// sudo asks for a passphrase, which only the terminal's own group can read.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: r.root == ""}
	// The recipe clears up after itself when asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return runWithProgress(cmd)
}

// remove removes a folder of a build, in which files may be root's.
func (r recipe) remove(ctx context.Context, folder string) error {
	if r.root == "" || os.Getuid() == 0 || !exists(folder) {
		return os.RemoveAll(folder)
	}
	out, err := exec.CommandContext(ctx, "sudo", "rm", "-rf", "--one-file-system", folder).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
