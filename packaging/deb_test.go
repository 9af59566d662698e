//go:build deb

// Package packaging holds the tests of the Debian packages in build/deb, which
// make test-deb builds before. Their witnesses are dpkg-deb, shellcheck, man,
// mandoc, bash and, for the other architectures, qemu-user.
package packaging

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/contents")

// What the packages promise.
const (
	maxPackage = 6_000_000  // bytes to download
	maxDaemon  = 14_000_000 // bytes of the stripped daemon
)

// architectures are Debian's names, and who runs their programs here. The
// processor for armhf is that of the first Raspberry Pi and the Pi Zero.
var architectures = []struct {
	name     string
	emulator []string
	machine  elf.Machine
}{
	{name: "amd64", machine: elf.EM_X86_64},
	{name: "arm64", emulator: []string{"qemu-aarch64"}, machine: elf.EM_AARCH64},
	{name: "armhf", emulator: []string{"qemu-arm", "-cpu", "arm1176"}, machine: elf.EM_ARM},
}

var programs = []string{"usr/sbin/netconnectd", "usr/bin/netconnectcli", "usr/lib/netconnectd/netconnectd-resolv"}

// deb is the path of the one package for the architecture.
func deb(t *testing.T, folder, arch string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(folder, "netconnectd_*_"+arch+".deb"))
	if len(found) != 1 {
		t.Fatalf("packages for %s in %s: %v, want one; make deb builds it", arch, folder, found)
	}
	return found[0]
}

// unpack returns the folder with the package's files, and DEBIAN in it.
func unpack(t *testing.T, path string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "tree")
	run(t, "dpkg-deb", "--raw-extract", path, folder)
	return folder
}

// run returns the standard output of a program that must succeed without a complaint.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s%s", strings.Join(argv, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

const folder = "../build/deb"

func TestPackages(t *testing.T) {
	for _, arch := range architectures {
		t.Run(arch.name, func(t *testing.T) {
			path := deb(t, folder, arch.name)
			tree := unpack(t, path)
			t.Run("sizes", func(t *testing.T) { isSmall(t, path, tree) })
			t.Run("control", func(t *testing.T) { isDescribed(t, path, arch.name) })
			t.Run("contents", func(t *testing.T) { hasContents(t, path) })
			t.Run("programs", func(t *testing.T) { areStatic(t, tree, arch.machine) })
			t.Run("answers", func(t *testing.T) { answers(t, tree, arch.emulator) })
			t.Run("copyright", func(t *testing.T) { namesItsModules(t, tree) })
		})
	}
}

func isSmall(t *testing.T, path, tree string) {
	for path, most := range map[string]int64{path: maxPackage, filepath.Join(tree, programs[0]): maxDaemon} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.2f MB", filepath.Base(path), float64(info.Size())/1e6)
		if info.Size() > most {
			t.Errorf("%s has %d bytes, want at most %d", filepath.Base(path), info.Size(), most)
		}
	}
}

func isDescribed(t *testing.T, path, arch string) {
	want := map[string]string{
		"Package": "netconnectd", "Architecture": arch, "Depends": "systemd, passwd",
		"Recommends": "hostapd, dnsmasq-base, wpasupplicant, wireless-regdb", "Suggests": "network-manager, polkitd",
	}
	for field, value := range want {
		if got := strings.TrimSpace(run(t, "dpkg-deb", "--field", path, field)); got != value {
			t.Errorf("%s: %q, want %q", field, got, value)
		}
	}
	if said := run(t, "dpkg-deb", "--field", path, "Description"); !strings.Contains(said, "ARMv6") {
		t.Errorf("the description does not say that armhf is ARMv6:\n%s", said)
	}
	run(t, "dpkg", "--validate-version", strings.TrimSpace(run(t, "dpkg-deb", "--field", path, "Version")))
}

// hasContents compares modes, owners and names of the files.
func hasContents(t *testing.T, path string) {
	var b strings.Builder
	for line := range strings.Lines(run(t, "dpkg-deb", "--contents", path)) {
		// drwxr-xr-x root/root 0 2026-01-01 00:00 ./usr/
		word := strings.Fields(line)
		b.WriteString(word[0] + " " + word[1] + " " + strings.Join(word[5:], " ") + "\n")
	}
	const golden = "testdata/contents"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got; go test -tags deb ./packaging -update rewrites it):\n%s", golden, diff)
	}
}

func areStatic(t *testing.T, tree string, machine elf.Machine) {
	for _, name := range programs {
		f, err := elf.Open(filepath.Join(tree, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		interpreted := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
		if f.Machine != machine || interpreted || f.Section(".symtab") != nil {
			t.Errorf("%s: %v, interpreter %v, symbols %v; want %v and neither", name, f.Machine, interpreted, f.Section(".symtab") != nil, machine)
		}
	}
}

// answers runs the programs where they are at home.
func answers(t *testing.T, tree string, emulator []string) {
	program := func(name string, arguments ...string) string {
		t.Helper()
		return run(t, slices.Concat(emulator, []string{filepath.Join(tree, name)}, arguments)...)
	}
	config := filepath.Join(tree, "etc/netconnectd.yaml")
	if err := os.Chmod(config, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := program("usr/sbin/netconnectd", "--check", "--config", config, "--ap-mode", "never"); said != config+" is fine\n" {
		t.Errorf("netconnectd --check says %q", said)
	}
	said := program("usr/sbin/netconnectd", "--version")
	version, ok := strings.CutPrefix(said, "netconnectd ")
	if version = strings.TrimSpace(version); !ok || version == "" || version == "devel" {
		t.Errorf("netconnectd --version says %q", said)
	}
	nobody := filepath.Join(t.TempDir(), "socket")
	if said := program("usr/bin/netconnectcli", "version", "--address", nobody); said != "netconnectcli "+version+"\nnetconnectd not running\n" {
		t.Errorf("netconnectcli version says %q", said)
	}
}

// namesItsModules checks that the copyright file names every module that the linker
// lists.
func namesItsModules(t *testing.T, tree string) {
	text, err := os.ReadFile(filepath.Join(tree, "usr/share/doc/netconnectd/copyright"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range programs {
		info, err := buildinfo.ReadFile(filepath.Join(tree, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range info.Deps {
			if !strings.Contains(string(text), "\nFiles: vendor/"+m.Path+"/*\n") {
				t.Errorf("%s has %s, the copyright file has not", name, m.Path)
			}
		}
	}
}

func TestScripts(t *testing.T) {
	tree := unpack(t, deb(t, folder, "amd64"))
	for _, name := range []string{"postinst", "prerm", "postrm"} {
		run(t, "shellcheck", filepath.Join(tree, "DEBIAN", name))
	}
	run(t, "shellcheck", "build", "release", "../lab/guest/start", "../lab/host/packages")
	run(t, "bash", "-n", filepath.Join(tree, "usr/share/bash-completion/completions/netconnectcli"))
}

func TestManualPages(t *testing.T) {
	tree := unpack(t, deb(t, folder, "amd64"))
	pages, _ := filepath.Glob(filepath.Join(tree, "usr/share/man/*/*.gz"))
	if len(pages) != 4 {
		t.Errorf("pages %v, want four", pages)
	}
	for _, gz := range pages {
		page := strings.TrimSuffix(gz, ".gz")
		if err := os.WriteFile(page, []byte(run(t, "gzip", "--decompress", "--stdout", gz)), 0o644); err != nil {
			t.Fatal(err)
		}
		if said := run(t, "mandoc", "-T", "lint", "-W", "warning", page); said != "" {
			t.Errorf("mandoc: %s", said)
		}
		shown := run(t, "man", "--warnings", "--encoding=UTF-8", "--local-file", page)
		if !regexp.MustCompile(`netconnectd \S+ +20\d\d-\d\d-\d\d(?: |[A-Z]+-)`).MatchString(shown) {
			t.Errorf("%s has no version and date at its end:\n%s", filepath.Base(page), shown)
		}
	}
}

// TestTwoBuildsAreIdentical builds the package again as another person would, in
// another place.
func TestTwoBuildsAreIdentical(t *testing.T) {
	first := deb(t, folder, "amd64")
	said := run(t, filepath.Join(unpack(t, first), programs[0]), "--version")
	again := filepath.Join(t.TempDir(), "again")
	if err := os.RemoveAll("../build/package/again-amd64"); err != nil { // or what is linked already stays
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `umask 077; exec packaging/build amd64 "$1" "$2"`, "sh", strings.TrimSpace(strings.TrimPrefix(said, "netconnectd ")), again)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build it again: %v\n%s", err, out)
	}
	second := deb(t, again, "amd64")
	if filepath.Base(first) != filepath.Base(second) {
		t.Errorf("it is called %s, and the second time %s", filepath.Base(first), filepath.Base(second))
	}
	run(t, "cmp", first, second)
}
