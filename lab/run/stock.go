package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// stock starts one QEMU with Debian's own kernel, in the host's time. There is no
// KVM on many a machine, and where there is, Debian's kernel has been seen to hang in
// it: TCG it is.
type stock struct {
	image       string // folder
	interactive bool
}

func (s stock) machines() int { return 1 }

// noise is four, because the machine is emulated on cores that others share.
func (s stock) noise() int { return 4 }

// makeDisk makes a disk that holds the differences to the image.
func (s stock) makeDisk(ctx context.Context, folder string, n int) error {
	base, err := filepath.Abs(filepath.Join(s.image, "root.ext4"))
	if err != nil {
		return fmt.Errorf("find the disk image: %w", err)
	}
	out, err := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, filepath.Join(folder, s.disk(n))).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make the machine's disk: %w: %s", err, out)
	}
	return nil
}

func (s stock) disk(n int) string { return fmt.Sprintf("disk-%d.qcow2", n) }

func (s stock) command(ctx context.Context, n int, console string) *exec.Cmd {
	args := []string{
		"-nodefaults", "-display", "none", "-no-reboot", "-net", "none",
		"-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024", "-smp", "2",
		"-kernel", filepath.Join(s.image, "vmlinuz"), "-initrd", filepath.Join(s.image, "initrd"),
		"-append", "console=ttyS0 loglevel=5 panic=-1 systemd.unit=lab.target net.ifnames=0 mitigations=off apparmor=0 tsc=reliable no_timer_check lab.number=" + strconv.Itoa(n),
		"-drive", "file=" + s.disk(n) + ",if=virtio,format=qcow2,cache=unsafe",
		"-chardev", "file,id=console,append=on,path=" + console, "-serial", "chardev:console",
		"-chardev", "stdio,id=person,signal=" + onOff(!s.interactive), "-serial", "chardev:person",
	}
	args = append(args, sharedFolder("share", ",readonly=on")...)
	return exec.CommandContext(ctx, "qemu-system-x86_64", append(args, sharedFolder("out", "")...)...)
}

// sharedFolder shares a folder of the host. Without multidevs=remap, inode numbers
// of different file systems of the host collide.
func sharedFolder(name, options string) []string {
	return []string{
		"-fsdev", fmt.Sprintf("local,id=%s,path=%s,security_model=none,multidevs=remap%s", name, name, options),
		"-device", fmt.Sprintf("virtio-9p-pci,fsdev=%s,mount_tag=%s", name, name),
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
