package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// virtual starts Linux as a user-mode program (ARCH=um) in virtual time: when nothing
// in the machine is runnable, its clock jumps to the next timer.
//
// The root is in memory, unpacked from an initrd, so that the machine never waits for
// a disk, as its clock would jump meanwhile.
type virtual struct {
	image, kernel string // folders
	clock         string // time-travel, time-travel=inf-cpu, or "" for the host's time
	cores         []int  // one machine is pinned to each
}

// coresFor returns the cores that the machines are pinned to. A kernel and its
// processes hand over to each other at each system call, and waking each other on
// another core costs more than it helps.
func coresFor(o options) []int {
	var may unix.CPUSet
	var cores []int
	if err := unix.SchedGetaffinity(0, &may); err == nil {
		for core := range len(may) * 64 {
			if may.IsSet(core) {
				cores = append(cores, core)
			}
		}
	}
	if len(cores) == 0 {
		cores = make([]int, runtime.NumCPU())
		for i := range cores {
			cores[i] = i
		}
	}
	if o.machines > 0 {
		all := cores
		cores = nil
		for i := range o.machines {
			cores = append(cores, all[i%len(all)])
		}
	}
	return cores
}

func (v virtual) machines() int { return len(v.cores) }

func (v virtual) noise() int { return 1 }

// makeDisk makes the archive from which the root is unpacked. At a reboot the
// machine writes it anew: see lab/image/files/usr/lib/systemd/system-shutdown.
func (v virtual) makeDisk(_ context.Context, folder string, n int) error {
	err := copyFiles(filepath.Join(folder, v.disk(n)), filepath.Join(v.image, "root.cpio"), filepath.Join(v.kernel, "modules.cpio"))
	if err != nil {
		return fmt.Errorf("make the machine's root: %w", err)
	}
	return nil
}

func (v virtual) disk(n int) string { return fmt.Sprintf("root-%d.cpio", n) }

func (v virtual) command(ctx context.Context, n int, _ string) *exec.Cmd {
	args := []string{
		"-c", strconv.Itoa(v.cores[n-1]), filepath.Join(v.kernel, "linux"),
		"mem=1536M", "seccomp=on", "initrd=" + v.disk(n), "rdinit=/lab-init", "rootfstype=tmpfs",
		// The working folder and nothing else of the host; hostfs takes no relative path.
		"hostfs=/proc/self/cwd", fmt.Sprintf("lab.machine=%d", n),
		"systemd.unit=lab.target", "net.ifnames=0", "mac80211_hwsim.radios=4", "wwan_hwsim.devices=0", "panic=-1", "noreboot", "loglevel=5",
		// The kernel's console is standard error, ttyS1 the host's terminal or pipes.
		"con=null", "con0=null,fd:2", "console=tty0", "ssl=null", "ssl1=fd:0,fd:1",
	}
	if v.clock != "" {
		args = append(args, v.clock)
	}
	return exec.CommandContext(ctx, "taskset", args...)
}
