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

// Confinement is what a child may not do although it runs as our user. It is
// for programs that read what strangers send: one that was taken over is to
// reach neither our secrets nor the programs that obey us.
//
// A confined child makes no stream sockets of the family Unix, so that it talks
// neither to D-Bus nor to our own socket, and cannot look into other programs'
// memory. The kernel keeps that by a seccomp filter.
//
// Where the kernel has Landlock (5.13, if its build has it), the child does not
// see Hidden either, writes to nothing but Own and devices, and cannot trace
// other programs.
type Confinement struct {
	Hidden string   // absolute path of a folder that the child does not see
	Own    []string // absolute paths of folders and files that the child may change; they must exist when it starts
}

// confined is the first argument of a program that is to confine itself and to
// run another one in its place.
const confined = "run-confined"

// CanHide reports why confined children see Confinement.Hidden nevertheless; nil
// if they do not.
func CanHide() error {
	if _, err := landlockABI(); err != nil {
		return fmt.Errorf("this kernel has no Landlock, or refuses it: %w", err)
	}
	return nil
}

// arguments makes those of the program that confines a child: what is hidden,
// how many paths are its own, these, and the child with its arguments.
func (c Confinement) arguments(spec Spec) []string {
	args := append([]string{confined, c.Hidden, fmt.Sprint(len(c.Own))}, c.Own...)
	return append(append(args, spec.Path), spec.Args...)
}

// command is the program that start starts: the child or, for a confined one,
// ourselves.
func (r *Runner) command(spec Spec) (*exec.Cmd, error) {
	if spec.Confine == nil || r.Self == "" {
		return exec.Command(spec.Path, spec.Args...), nil
	}
	if err := unix.Access(spec.Path, unix.X_OK); err != nil {
		return nil, &os.PathError{Op: "fork/exec", Path: spec.Path, Err: err}
	}
	return exec.Command(r.Self, spec.Confine.arguments(spec)...), nil
}

// RunConfined is for main, before anything else: if a Runner has started this
// program to confine a child, it becomes that child and does not return.
func RunConfined(argv []string) {
	if len(argv) < 2 || argv[1] != confined {
		return
	}
	fmt.Fprintln(os.Stderr, "run confined:", becomeConfined(argv[2:]))
	os.Exit(126) // what a shell says of a program that cannot be run
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
	runtime.LockOSThread() // both hold for the thread, which execve makes the only one
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

// Rights of Landlock (linux/landlock.h) by what they are for.
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

// hide does nothing where the kernel cannot: the daemon says so at its start.
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
	// The kernel of the first version knows the first member alone.
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

// besides lists everything but the hidden folder, which Landlock cannot say: the
// neighbours of the folder, of the folder that it is in, and so on. A neighbour
// that appears later is not seen either.
func besides(hidden string) (paths []string) {
	hidden = filepath.Clean(hidden)
	if real, err := filepath.EvalSymlinks(hidden); err == nil {
		hidden = real
	}
	for hidden != "/" {
		parent := filepath.Dir(hidden)
		entries, err := os.ReadDir(parent)
		if err != nil {
			return append(paths, parent) // nobody can hide what is in there but its rights
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

// allow adds a rule for what is at a path and below. What is gone, or is not
// ours to open, needs none.
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

// refused are system calls that would go round the filter (io_uring makes
// sockets without one) or look into the memory of others.
var refused = []uint32{
	unix.SYS_IO_URING_SETUP, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD,
}

// architectures are how seccomp names ours (linux/audit.h).
var architectures = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64, "arm": unix.AUDIT_ARCH_ARM}

// filterCalls installs the seccomp filter. Of an architecture that it does not
// know, which we build no package for, it allows everything.
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

// callFilter is a program for struct seccomp_data (linux/seccomp.h): the call's
// number at 0, the architecture at 4, arguments of 8 bytes from 16 on. All our
// architectures have the low half of an argument first.
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
