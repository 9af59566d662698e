package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// consoleLog is the kernel's console (ttyS0) of the nth boot.
	consoleLog = outFolder + "/console-%d.log"
	diskFile   = "build/lab/disk.qcow2"
)

// machine is one QEMU. There is no KVM on many a machine, and where there is,
// Debian's kernel has been seen to hang in it: TCG it is.
type machine struct {
	image       string
	interactive bool
	limit       time.Duration
	failures    failures // of all its boots
}

// run boots the machine on a disk of its own, and again for as long as it asks
// for a reboot; what it has written to its disk is still there then.
func (m *machine) run(ctx context.Context) error {
	if !m.interactive {
		limited, cancel := context.WithTimeout(ctx, m.limit)
		defer cancel()
		ctx = limited
	}
	if err := m.makeDisk(ctx); err != nil {
		return err
	}
	defer os.Remove(diskFile)
	for boot := 1; ; boot++ {
		err := m.boot(ctx, fmt.Sprintf(consoleLog, boot))
		if err != nil || !rebootAsked() {
			return err
		}
	}
}

// makeDisk makes a disk that holds the differences to the image.
func (m *machine) makeDisk(ctx context.Context) error {
	base, err := filepath.Abs(filepath.Join(m.image, "root.ext4"))
	if err != nil {
		return fmt.Errorf("find the disk image: %w", err)
	}
	out, err := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, diskFile).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make the machine's disk: %w: %s", err, out)
	}
	return nil
}

// boot runs the machine until it switches itself off.
func (m *machine) boot(ctx context.Context, console string) error {
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", m.arguments(console)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	if m.interactive {
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	} else {
		cmd.Stdout = &firstOutput{began: time.Now(), out: io.MultiWriter(os.Stdout, &m.failures)}
	}
	fmt.Printf("lab: booting the machine (QEMU without KVM, about 15 s; its console: %s)\n", console)
	err := cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("the machine was not done after %v\n%s", m.limit, tail(console))
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return fmt.Errorf("run the machine: %w\n%s", err, tail(console))
	}
	return nil
}

// rebootAsked takes the note by which the machine asks for another boot.
func rebootAsked() bool {
	return os.Remove(filepath.Join(outFolder, "reboot")) == nil
}

func (m *machine) arguments(console string) []string {
	args := []string{
		"-nodefaults", "-display", "none", "-no-reboot", "-net", "none",
		"-accel", "tcg,thread=multi", "-cpu", "max", "-m", "1024", "-smp", "2",
		"-kernel", filepath.Join(m.image, "vmlinuz"), "-initrd", filepath.Join(m.image, "initrd"),
		"-append", "console=ttyS0 loglevel=5 panic=-1 systemd.unit=lab.target net.ifnames=0 mitigations=off apparmor=0 tsc=reliable no_timer_check",
		"-drive", "file=" + diskFile + ",if=virtio,format=qcow2,cache=unsafe",
		"-serial", "file:" + console,
		"-chardev", "stdio,id=person,signal=" + onOff(!m.interactive), "-serial", "chardev:person",
	}
	args = append(args, folder("share", shareFolder, ",readonly=on")...)
	return append(args, folder("out", outFolder, "")...)
}

// folder shares a folder of the host. Without multidevs=remap, inode numbers
// of different file systems of the host collide.
func folder(tag, path, options string) []string {
	return []string{
		"-fsdev", fmt.Sprintf("local,id=%s,path=%s,security_model=none,multidevs=remap%s", tag, path, options),
		"-device", fmt.Sprintf("virtio-9p-pci,fsdev=%s,mount_tag=%s", tag, tag),
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// firstOutput says how long the boot took when the machine says its first word.
type firstOutput struct {
	began time.Time
	said  bool
	out   io.Writer
}

func (f *firstOutput) Write(p []byte) (int, error) {
	if !f.said {
		f.said = true
		fmt.Fprintf(f.out, "lab: booted in %.1f s\n", time.Since(f.began).Seconds())
	}
	return f.out.Write(p)
}

// tail is the end of a console, for when that is all there is.
func tail(console string) string {
	text, err := os.ReadFile(console)
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	lines = lines[max(0, len(lines)-15):]
	return strings.TrimSpace("end of " + console + ":\n" + string(bytes.Join(lines, []byte("\n"))))
}
