//go:build deb

package packaging

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// release makes the files of a release out of build/deb and returns their folder.
func release(t *testing.T, env ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "release")
	if said, err := tryRelease("c0ffee1", folder, out, env...); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return out
}

func tryRelease(version, packages, out string, env ...string) (string, error) {
	packages, err := filepath.Abs(packages)
	if err != nil {
		return "", err
	}
	cmd := exec.Command("packaging/release", version, packages, out)
	cmd.Dir, cmd.Env = "..", append(append(os.Environ(), "RELEASE_KEY="), env...)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// apt is a real apt with a root of its own, so that nothing of this machine changes.
type apt struct {
	t    *testing.T
	root string
}

// newApt is one of a machine of an architecture, with one line in its sources.list.
func newApt(t *testing.T, arch, source string) apt {
	t.Helper()
	a := apt{t, t.TempDir()}
	for _, path := range []string{"etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "etc/trusted.gpg.d", "state/lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(a.root, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	a.write("etc/sources.list", source+"\n")
	a.write("status", "")
	a.write("apt.conf", fmt.Sprintf(`
		Dir %[1]q;
		Dir::State "state";
		Dir::State::status %[2]q;
		Dir::Cache "cache";
		Dir::Etc "etc";
		Dir::Log "log";
		Dir::Bin::Methods "/usr/lib/apt/methods";
		APT::Architecture %[3]q;
		APT::Architectures { %[3]q; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::http::Proxy "DIRECT";
		Acquire::Retries "0";
		APT::Update::Error-Mode "any";
	`, a.root+"/", filepath.Join(a.root, "status"), arch))
	return a
}

func (a apt) write(path, text string) {
	a.t.Helper()
	if err := os.WriteFile(filepath.Join(a.root, path), []byte(text), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

// get runs apt-get in the root's folder. Its error has what apt-get said.
func (a apt) get(arguments ...string) error {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-qq"}, arguments...)...)
	cmd.Dir, cmd.Env = a.root, append(os.Environ(), "APT_CONFIG="+filepath.Join(a.root, "apt.conf"), "LC_ALL=C.UTF-8")
	said, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(arguments, " "), err, said)
	}
	return nil
}

// sums are those of SHA256SUMS, by the name of the file.
func sums(t *testing.T, release string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(release, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		all[name] = sum
	}
	return all
}

// sourceOf returns the line for apt's sources from the repository's README, with the
// given address.
func sourceOf(t *testing.T, release, address string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(release, "apt/README"))
	if err != nil {
		t.Fatal(err)
	}
	_, source, _ := strings.Cut(string(text), "echo '")
	source, _, ok := strings.Cut(source, "'")
	if !ok || !strings.Contains(source, "https://example.org/apt") {
		t.Fatalf("README names no source:\n%s", text)
	}
	source = strings.Replace(source, "https://example.org/apt", address, 1)
	return strings.Replace(source, "/etc/apt/keyrings", filepath.Join(release, "apt"), 1)
}

// TestReleaseIsARepository checks for each architecture that apt finds and downloads
// the package from any web server, and that the package is the one that was built.
func TestReleaseIsARepository(t *testing.T) {
	out := release(t)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(out, "apt"))))
	defer server.Close()
	known := sums(t, out)
	if len(known) != len(architectures) {
		t.Errorf("SHA256SUMS has %d files: %v", len(known), known)
	}
	for _, arch := range architectures {
		t.Run(arch.name, func(t *testing.T) {
			a := newApt(t, arch.name, sourceOf(t, out, server.URL))
			if err := a.get("update"); err != nil {
				t.Fatal(err)
			}
			if err := a.get("download", "netconnectd"); err != nil {
				t.Fatal(err)
			}
			downloaded := deb(t, a.root, arch.name)
			built := deb(t, folder, arch.name)
			run(t, "cmp", built, downloaded)
			sum, _, _ := strings.Cut(run(t, "sha256sum", downloaded), " ")
			if want := known[filepath.Base(built)]; sum != want {
				t.Errorf("sum %s, SHA256SUMS has %q", sum, want)
			}
		})
	}
}

// TestUnsignedReleaseNeedsTrust checks that apt refuses a repository without
// signatures unless the source says that it is trusted, as the one in the README
// does.
func TestUnsignedReleaseNeedsTrust(t *testing.T) {
	out := release(t)
	a := newApt(t, "arm64", "deb file:"+filepath.Join(out, "apt")+" stable main")
	if err := a.get("update"); err == nil || !strings.Contains(err.Error(), "not signed") {
		t.Errorf("apt-get update without trust: %v", err)
	}
	for _, name := range []string{"apt/dists/stable/InRelease", "apt/dists/stable/Release.gpg", "apt/netconnectd.asc", "SHA256SUMS.asc"} {
		if _, err := os.Stat(filepath.Join(out, name)); err == nil {
			t.Errorf("%s is there without a key", name)
		}
	}
}

// TestSignedRelease checks that apt needs only the public key, and refuses a file
// that was changed after it was signed.
func TestSignedRelease(t *testing.T) {
	home, err := os.MkdirTemp("", "gpg") // a short path: gpg-agent has its socket there
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GNUPGHOME", home)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--kill", "gpg-agent").Run()
		os.RemoveAll(home)
	})
	if said, err := exec.Command("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "Releases <releases@example.org>").CombinedOutput(); err != nil {
		t.Fatalf("make a key: %v\n%s", err, said)
	}
	out := release(t, "RELEASE_KEY=releases@example.org")
	repository := filepath.Join(out, "apt")
	source := sourceOf(t, out, "file:"+repository)
	if strings.Contains(source, "trusted") {
		t.Errorf("a signed repository is trusted without its signature: %s", source)
	}
	a := newApt(t, "armhf", source)
	if err := a.get("update"); err != nil {
		t.Error(err)
	}
	if err := a.get("download", "netconnectd"); err != nil {
		t.Error(err)
	}
	if said, err := exec.Command("gpg", "--batch", "--verify", filepath.Join(out, "SHA256SUMS.asc"), filepath.Join(out, "SHA256SUMS")).CombinedOutput(); err != nil {
		t.Errorf("SHA256SUMS: %v\n%s", err, said)
	}

	index := filepath.Join(repository, "dists/stable/main/binary-armhf")
	for _, name := range []string{"Packages", "Packages.gz"} {
		if err := os.WriteFile(filepath.Join(index, name), []byte("Package: worse\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := newApt(t, "armhf", source).get("update"); err == nil {
		t.Error("apt takes an index that was changed after it was signed")
	}
}

// TestTwoReleasesAreIdentical makes the release again as another person would, in
// another place.
func TestTwoReleasesAreIdentical(t *testing.T) {
	run(t, "diff", "--recursive", release(t, "TZ=Europe/Berlin"), release(t, "TZ=Asia/Tokyo", "LC_ALL=C"))
}

func TestReleaseRefuses(t *testing.T) {
	for _, row := range []struct{ version, packages, says string }{
		{"v1.2.3-dirty", folder, "commit them"},
		{"v987.6.5", folder, "## [987.6.5] - 20"},
		{"c0ffee1", t.TempDir(), "not one package for amd64: make deb builds it"},
	} {
		said, err := tryRelease(row.version, row.packages, filepath.Join(t.TempDir(), "release"))
		if err == nil || !strings.Contains(said, row.says) {
			t.Errorf("%s: %v, says %q, want %q", row.version, err, said, row.says)
		}
	}
}
