package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const recipeFolder = "lab/image"

// ensureImage returns the folder with the disk image, kernel and initrd that
// the recipe describes, and makes it if it is not there yet.
func ensureImage(ctx context.Context) (string, error) {
	hash, err := recipeHash(recipeFolder)
	if err != nil {
		return "", fmt.Errorf("read the image's recipe: %w", err)
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, hash[:16])
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the image cache: %w", err)
	}
	fmt.Printf("lab: no disk image yet: making one in %s, takes about 2 minutes, once\n", folder)
	return folder, buildImage(ctx, folder)
}

// cacheFolder is LAB_CACHE, or netconnectd-lab in the user's cache folder.
func cacheFolder() (string, error) {
	if folder := os.Getenv("LAB_CACHE"); folder != "" {
		return filepath.Abs(folder)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the image cache (LAB_CACHE names one): %w", err)
	}
	return filepath.Join(user, "netconnectd-lab"), nil
}

// recipeHash is over names, modes, contents and links of all files of the recipe.
func recipeHash(folder string) (string, error) {
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

// buildImage runs the recipe, as root, into a folder beside the wanted one, and
// renames it when all of it is there: an interrupted build leaves no image.
func buildImage(ctx context.Context, folder string) error {
	work, err := os.MkdirTemp(filepath.Dir(folder), "unfinished-")
	if err != nil {
		return fmt.Errorf("make a folder for the image: %w", err)
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil { // mmdebstrap's _apt user passes through
		return fmt.Errorf("open the image's folder: %w", err)
	}
	argv := []string{"bash", filepath.Join(recipeFolder, "build.sh"), work, fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())}
	if os.Getuid() != 0 {
		fmt.Println("lab: root (through sudo) is needed to unpack Debian with its owners and modes into the image")
		argv = append([]string{"sudo", "--preserve-env=LAB_MIRROR"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = os.Stdin
	// The recipe clears up after itself when asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err := runWithProgress(cmd); err != nil {
		return fmt.Errorf("make the disk image: %w", err)
	}
	if err := os.Rename(work, folder); err != nil {
		return fmt.Errorf("put the disk image in its place: %w", err)
	}
	return nil
}

// runWithProgress shows each line that the command prints as the step that it
// is at, with the seconds that have passed; other output only if it fails.
func runWithProgress(cmd *exec.Cmd) error {
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	showSteps(lines, began)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(complaints.String()))
	}
	fmt.Printf("%8.1f s  done\n", time.Since(began).Seconds())
	return nil
}

func showSteps(lines <-chan string, began time.Time) {
	every, watched := 15*time.Second, terminal(os.Stdout)
	if watched {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	current := ""
	for {
		select {
		case line, more := <-lines:
			if !more {
				if watched {
					fmt.Println()
				}
				return
			}
			if watched && current != "" {
				fmt.Println()
			}
			current = line
			fmt.Printf("%8.1f s  %s", time.Since(began).Seconds(), current)
			if !watched {
				fmt.Println()
			}
		case <-ticker.C:
			prefix, suffix := "", "\n"
			if watched {
				prefix, suffix = "\r", ""
			}
			fmt.Printf("%s%8.1f s  %s%s", prefix, time.Since(began).Seconds(), cmp.Or(current, "…"), suffix)
		}
	}
}
