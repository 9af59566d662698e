package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Confinement restricts a child that runs as our user. It is for programs that read
// data from strangers: a program that an attacker has taken over must reach neither
// our secrets nor the programs that obey our user.
//
// A confined child can make no stream sockets of the family Unix, so it talks neither
// to D-Bus nor to our own socket, and it cannot read other programs' memory. A
// seccomp filter enforces that.
//
// If the kernel has Landlock (5.13, if its build has it), the child also does not see
// Hidden, writes only to Own and devices, and cannot trace other programs.
type Confinement struct {
	Hidden string   // absolute path of a folder that the child does not see
	Own    []string // absolute paths of folders and files that the child may change; they must exist when it starts
}

// confined is the first argument that makes this program confine itself and then run
// another program in its place.
const confined = "run-confined"

// CanHide returns why confined children see Confinement.Hidden nevertheless, or nil
// if they do not.
func CanHide() error {
	if _, err := landlockABI(); err != nil {
		return fmt.Errorf("this kernel has no Landlock, or refuses it: %w", err)
	}
	return nil
}

// arguments returns the arguments of the program that confines a child: the hidden
// path, the number of own paths, these paths, and the child with its arguments.
func (c Confinement) arguments(spec Spec) []string {
	args := append([]string{confined, c.Hidden, fmt.Sprint(len(c.Own))}, c.Own...)
	return append(append(args, spec.Path), spec.Args...)
}

// command returns the command to start: the child or, for a confined child, this
// program.
func (r *Runner) command(spec Spec) (*exec.Cmd, error) {
	if spec.Confine == nil || r.Self == "" {
		return exec.Command(spec.Path, spec.Args...), nil
	}
	if err := unix.Access(spec.Path, unix.X_OK); err != nil {
		return nil, &os.PathError{Op: "fork/exec", Path: spec.Path, Err: err}
	}
	return exec.Command(r.Self, spec.Confine.arguments(spec)...), nil
}

// RunConfined has to be called by main before anything else. If a Runner has started
// this program to confine a child, RunConfined becomes that child and does not return.
func RunConfined(argv []string) {
	if len(argv) < 2 || argv[1] != confined {
		return
	}
	fmt.Fprintln(os.Stderr, "run confined:", becomeConfined(argv[2:]))
	os.Exit(126) // the status of a shell for a program that cannot be run
}

func becomeConfined(args []string) error {
	var own int
	if len(args) < 3 {
		return errors.New("arguments are missing")
	}
	if _, err := fmt.Sscan(args[1], &own); err != nil || own < 0 || len(args) < 3+own {
		return errors.New("the arguments are wrong")
	}
	c := Confinement{Hidden: args[0], Own: args[2 : 2+own]}
	argv := args[2+own:]
	runtime.LockOSThread() // the restrictions apply to this thread; execve ends all others
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := c.hide(); err != nil {
		return fmt.Errorf("hide %s: %w", c.Hidden, err)
	}
	if err := filterCalls(); err != nil {
		return fmt.Errorf("filter system calls: %w", err)
	}
	return fmt.Errorf("run %s: %w", argv[0], syscall.Exec(argv[0], argv, os.Environ()))
}

// Rights of Landlock (linux/landlock.h), grouped by purpose.
const (
	seeing   = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	changing = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	ofFiles     = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	truncateABI = 3 // the first version that knows LANDLOCK_ACCESS_FS_TRUNCATE
)

func landlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(abi), nil
}

// hide applies the Landlock rules. It does nothing if the kernel has no Landlock,
// which the daemon logs at its start.
func (c Confinement) hide() error {
	abi, err := landlockABI()
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	change := uint64(changing)
	if abi >= truncateABI {
		change |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: seeing | change}
	// The first version of Landlock knows only the first member.
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return errno
	}
	ruleset := int(fd)
	defer unix.Close(ruleset)
	for _, path := range besides(c.Hidden) {
		if err := allow(ruleset, path, seeing); err != nil {
			return err
		}
	}
	for _, path := range append([]string{"/dev", "/proc"}, c.Own...) {
		if err := allow(ruleset, path, seeing|change); err != nil {
			return err
		}
	}
	for _, path := range c.Own { // hostapd removes its folder when it ends
		if err := allow(ruleset, filepath.Dir(path), unix.LANDLOCK_ACCESS_FS_REMOVE_DIR); err != nil {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// besides returns the paths that together are everything but the hidden folder, as
// Landlock can only allow paths: the neighbours of the folder, those of its parent,
// and so on. A neighbour that appears later stays hidden as well.
func besides(hidden string) (paths []string) {
	hidden = filepath.Clean(hidden)
	if real, err := filepath.EvalSymlinks(hidden); err == nil {
		hidden = real
	}
	for hidden != "/" {
		parent := filepath.Dir(hidden)
		entries, err := os.ReadDir(parent)
		if err != nil {
			return append(paths, parent) // this folder cannot be listed; only its permissions protect its content
		}
		for _, entry := range entries {
			if path := filepath.Join(parent, entry.Name()); path != hidden {
				paths = append(paths, path)
			}
		}
		hidden = parent
	}
	return paths
}

// allow adds a rule for a path and everything below. It skips a path that is gone or
// that we may not open.
func allow(ruleset int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFiles
	}
	// The kernel's struct is packed: 8 bytes and 4.
	attr := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("%s: %w", path, errno)
	}
	return nil
}

// refused are the system calls that would bypass the filter (io_uring makes sockets
// without a system call for each) or read the memory of other processes.
var refused = []uint32{
	unix.SYS_IO_URING_SETUP, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD,
}

// architectures maps Go's names of architectures to those of seccomp
// (linux/audit.h).
var architectures = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64, "arm": unix.AUDIT_ARCH_ARM}

// filterCalls installs the seccomp filter. On an architecture that is not in
// architectures, for which we build no package, it allows everything.
func filterCalls() error {
	arch, known := architectures[runtime.GOARCH]
	if !known {
		return nil
	}
	filter := callFilter(arch)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall6(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// callFilter returns a program for struct seccomp_data (linux/seccomp.h), which has
// the call's number at 0, the architecture at 4, and arguments of 8 bytes from 16 on.
// All our architectures have the low half of an argument first.
func callFilter(arch uint32) []unix.SockFilter {
	const (
		load     = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		ifEqual  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		ifAbove  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		and      = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
		end      = unix.BPF_RET | unix.BPF_K
		refuse   = unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)
		x32      = 0x40000000 // calls of the ABI x32, which has the architecture of amd64
		typeMask = 0xf        // the other bits are flags such as SOCK_CLOEXEC
	)
	filter := []unix.SockFilter{
		{Code: load, K: 4}, {Code: ifEqual, K: arch, Jt: 1}, {Code: end, K: refuse},
		{Code: load, K: 0}, {Code: ifAbove, K: x32, Jf: 1}, {Code: end, K: refuse},
	}
	for _, call := range refused {
		filter = append(filter, unix.SockFilter{Code: ifEqual, K: call, Jf: 1}, unix.SockFilter{Code: end, K: refuse})
	}
	return append(filter,
		unix.SockFilter{Code: ifEqual, K: unix.SYS_SOCKET, Jf: 6},
		unix.SockFilter{Code: load, K: 16}, unix.SockFilter{Code: ifEqual, K: unix.AF_UNIX, Jf: 4},
		unix.SockFilter{Code: load, K: 24}, unix.SockFilter{Code: and, K: typeMask}, unix.SockFilter{Code: ifEqual, K: unix.SOCK_DGRAM, Jt: 1},
		unix.SockFilter{Code: end, K: refuse},
		unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW},
	)
}
