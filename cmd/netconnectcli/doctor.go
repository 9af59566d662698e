package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/process"
)

// daemonProgram is where the packages install the daemon. Its program already
// contains what an examination of the device needs, which would make this program
// half as large again.
const daemonProgram = "/usr/sbin/netconnectd"

// The levels of findings, the worst first.
const (
	levelProblem = "problem"
	levelWarning = "warning"
	levelUnknown = "unknown"
	levelOK      = "ok"
)

var levels = []string{levelProblem, levelWarning, levelUnknown, levelOK}

// finding is a finding of `netconnectd --doctor`, see docs/troubleshooting.md.
type finding struct{ ID, Group, Level, What, Remedy string }

// report is what `netconnectd --doctor` prints.
type report struct {
	Findings []finding
	Bundle   *struct {
		File, Hidden string
		Parts        []struct{ Name, What string }
	}
}

func (a *app) doctorCommand() *cobra.Command {
	var configFile, bundle string
	cmd := &cobra.Command{
		Use:   "doctor [<file>]", // the value of --bundle, which may be left out
		Short: "Examine the whole device and report what hinders netconnectd",
		Long: `Examine the whole device and report what hinders netconnectd.

The doctor changes nothing, and works with and without the daemon. Root sees more
than others: what the doctor could not see is reported as unknown, with the reason.
docs/troubleshooting.md explains each finding. Exit status: 1 if there is a
problem, 0 if there are only warnings or nothing.

With --bundle it also writes an archive about the device, without passphrases, for
the person who helps you, and prints what the archive contains.`,
		RunE: func(cmd *cobra.Command, file []string) error {
			if len(file) > 0 && bundle == "" {
				return usageError("<file> is that of --bundle, which is not given")
			}
			if len(file) > 0 {
				bundle = file[0]
			}
			if info, err := os.Stat(bundle); err == nil && info.IsDir() {
				bundle = filepath.Join(bundle, bundleName(time.Now()))
			}
			args := []string{"--doctor"}
			for _, path := range []struct {
				flag, value string
				given       bool
			}{
				{"--config", configFile, configFile != ""},
				{"--address", a.address, cmd.Flags().Changed("address") || os.Getenv(socketEnv) != ""},
				{"--bundle", bundle, bundle != ""},
			} {
				absolute, err := filepath.Abs(path.value) // the daemon's program works in another folder
				if err != nil {
					return err
				}
				if path.given {
					args = append(args, path.flag, absolute)
				}
			}
			return a.examine(cmd.Context(), args)
		},
	}
	cmd.Flags().StringVarP(&configFile, "config", "c", "", "use this configuration `file` instead of the daemon's")
	cmd.Flags().StringVar(&bundle, "bundle", "", "write an archive to this `file`, or into this folder under a name with the device and the time")
	cmd.Flags().Lookup("bundle").NoOptDefVal = "."
	offerFiles(cmd, "config", "bundle")
	return cmd
}

// examine lets the daemon's program examine the device, with our rights.
func (a *app) examine(ctx context.Context, args []string) error {
	program := besideUs(daemonProgram)
	out, err := process.Run(ctx, program, args, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("netconnectd is not installed: there is no %s", program)
	}
	if err != nil {
		return err
	}
	var found report
	if err := json.Unmarshal(out, &found); err != nil {
		return fmt.Errorf("read what netconnectd --doctor says: %w", err)
	}
	if found.Bundle != nil {
		if err := handOver(found.Bundle.File); err != nil {
			return err
		}
	}
	if a.json {
		_, err = a.out.Write(out)
	} else {
		err = printReport(a.out, found, columns(a.out))
	}
	return errors.Join(err, found.problems())
}

// besideUs returns the program in our own folder if there is one, as in a build.
func besideUs(program string) string {
	self, err := os.Executable()
	if err != nil {
		return program
	}
	near := filepath.Join(filepath.Dir(self), filepath.Base(program))
	if _, err := os.Stat(near); err != nil {
		return program
	}
	return near
}

// handOver gives a file to the user who called through sudo(8), who must be able to
// read and send it. In a folder that other users can write to, another file may have
// taken its place. So only a new file of root's that has no other name is given away.
func handOver(file string) error {
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, gidErr := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err != nil || gidErr != nil || os.Geteuid() != 0 {
		return nil
	}
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var info unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &info); err != nil {
		return err
	}
	if info.Mode != unix.S_IFREG|0o600 || info.Uid != 0 || info.Nlink != 1 {
		return fmt.Errorf("%s is not given to you: it is not the file that was written", file)
	}
	return f.Chown(uid, gid)
}

// bundleName returns a name that differs between devices and days.
func bundleName(now time.Time) string {
	host, err := os.Hostname()
	if err != nil {
		host = "device"
	}
	return fmt.Sprintf("netconnectd-%s-%s.tar.gz", host, now.Format("20060102-150405"))
}

// printReport prints the problems, the worst first, and then the other findings.
// Lines have up to width columns, 0 for any number.
func printReport(out io.Writer, r report, width int) error {
	var b bytes.Buffer
	for _, level := range levels[:3] {
		for _, f := range r.at(level) {
			printFinding(&b, "", f, width)
		}
	}
	fine := r.at(levelOK)
	group := ""
	for _, f := range fine {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n%s\n", group)
		}
		printFinding(&b, "  ", f, width)
	}
	var counts []string
	for _, level := range levels {
		counts = append(counts, fmt.Sprintf("%s: %d", level, len(r.at(level))))
	}
	b.WriteByte('\n')
	paragraph(&b, "", "", strings.Join(counts, ", "), width)
	if r.Bundle != nil {
		b.WriteByte('\n')
		paragraph(&b, "", "", "wrote "+r.Bundle.File+", with", width)
		for _, p := range r.Bundle.Parts {
			paragraph(&b, fmt.Sprintf("  %-16s ", p.Name), strings.Repeat(" ", 19), p.What, width)
		}
		paragraph(&b, "", "", r.Bundle.Hidden, width)
	}
	_, err := out.Write(b.Bytes())
	return err
}

func printFinding(out io.Writer, indent string, f finding, width int) {
	paragraph(out, indent, indent+"  ", fmt.Sprintf("%s: %s [%s]", f.Level, f.What, f.ID), width)
	if f.Remedy != "" {
		paragraph(out, indent+"    ", indent+"    ", f.Remedy, width)
	}
}

// paragraph writes a text in lines of up to width columns, 0 for one line. The first
// line begins with first, and each other line with further.
func paragraph(out io.Writer, first, further, text string, width int) {
	lines := []string{printable(text)}
	if width > 0 {
		lines = wrap(lines[0], max(1, width-max(len(first), len(further))))
	}
	for i, line := range lines {
		if i > 0 {
			first = further
		}
		fmt.Fprintln(out, strings.TrimRight(first+line, " "))
	}
}

// at returns the findings of a level.
func (r report) at(level string) []finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f finding) bool { return f.Level != level })
}

// problems returns an error, and so exit status 1, if there is a problem.
func (r report) problems() error {
	switch n := len(r.at(levelProblem)); n {
	case 0:
		return nil
	case 1:
		return errors.New("1 problem")
	default:
		return fmt.Errorf("%d problems", n)
	}
}
