package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFolderIsMadeForTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lib", "netconnectd", "networks.json")
	must(t, mustOpen(t, path).SetCandidate(home))
	info, err := os.Stat(filepath.Dir(path))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
}

func TestOpenHidesWhatOthersCanRead(t *testing.T) {
	s, path := saved(t, home)
	_ = s
	must(t, os.Chmod(path, 0o644))
	mustOpen(t, path)
	wantMode(t, path)
}

func TestOpenRemovesWhatAPowerLossLeft(t *testing.T) {
	_, path := saved(t, home)
	left := filepath.Join(filepath.Dir(path), ".networks.json.123456")
	must(t, os.WriteFile(left, []byte("half a fi"), 0o600))
	wantContents(t, mustOpen(t, path), nil, home)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("temporary file: %v", err)
	}
}

func TestZeroStoreHasNoFile(t *testing.T) {
	var s Store
	wantContents(t, &s, nil)
	must(t, s.SetCandidate(home))
	must(t, promote(&s))
	wantContents(t, &s, nil, home)
}

func TestBrokenFilesAreKeptAside(t *testing.T) {
	tests := []struct{ name, file, says string }{
		{"empty", "", "ends too early"},
		{"cut off", `{"version": 1, "networks": [{"ssid": "48", "psk": "hunter22`, "ends too early"},
		{"not JSON", `networks: hunter22`, "not JSON at byte 2"},
		{"two values", `{"version": 1}{"psk":"hunter22"}`, "something follows"},
		{"later version", `{"version": 2, "networks": []}`, "version 2, not 1"},
		{"no version", `{}`, "version 0"},
		{"list", `[]`, "wrong type"},
		{"number for a passphrase", `{"version": 1, "networks": [{"ssid": "48", "psk": 12345678}]}`, "networks.psk has the wrong type"},
		{"SSID is not hexadecimal", `{"version": 1, "networks": [{"ssid": "hunter22"}]}`, "networks[0]: ssid"},
		{"SSID of 33 bytes", `{"version": 1, "candidate": {"ssid": "` + strings.Repeat("41", 33) + `"}}`, "candidate: ssid"},
		{"SSID is missing", `{"version": 1, "networks": [{}]}`, "networks[0]: ssid"},
		{"bad date", `{"version": 1, "networks": [{"ssid": "48", "last_success": "hunter22"}]}`, "not JSON of the right shape"},
		{"negative frequency", `{"version": 1, "networks": [{"ssid": "48", "frequency": -1}]}`, "frequency"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "networks.json")
			must(t, os.WriteFile(path, []byte(tt.file), 0o644))
			s, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) ||
				!strings.Contains(err.Error(), "kept as networks.json.broken") {
				t.Errorf("error = %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter22") {
				t.Errorf("the error tells the secret: %v", err)
			}
			must(t, s.SetCandidate(home)) // the device goes on
			if got := string(read(t, path+".broken")); got != tt.file {
				t.Errorf("kept %q", got)
			}
			wantMode(t, path+".broken")
			wantContents(t, mustOpen(t, path), &home)
		})
	}
}

func TestBrokenFilesDoNotReplaceEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "networks.json")
	for _, text := range []string{"one", "two", "three"} {
		must(t, os.WriteFile(path, []byte(text), 0o600))
		if _, err := Open(path); err == nil {
			t.Fatal("no error")
		}
	}
	for suffix, want := range map[string]string{".broken": "one", ".broken2": "two", ".broken3": "three"} {
		if got := string(read(t, path+suffix)); got != want {
			t.Errorf("%s = %q", suffix, got)
		}
	}
}

func TestUnreadableFileIsNeverReplaced(t *testing.T) {
	// A folder in the file's place is unreadable for root too.
	path := filepath.Join(t.TempDir(), "networks.json")
	must(t, os.Mkdir(path, 0o700))
	s, err := Open(path)
	if err == nil {
		t.Fatal("no error")
	}
	if err := s.SetCandidate(home); err == nil || !strings.Contains(err.Error(), "read saved networks") {
		t.Errorf("SetCandidate: %v", err)
	}
	wantContents(t, s, &home)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Errorf("%v, %v", info, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

func wantMode(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("%s has mode %v", path, info.Mode())
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"networks":[{"ssid":"48","psk":"x","last_success":"2026-05-04T03:02:01Z"}],"candidate":{"ssid":"00"}}`))
	f.Add([]byte(`{"version":1,"networks":[{"ssid":"48","bssid":"02:00:00:00:01:00","pmf":"off","eap":{"method":"tls"},"addressing":{"address":"192.0.2.7/24"}}]}`))
	f.Add([]byte(`{"version":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode(data)
		if err != nil {
			return
		}
		again, err := encode(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode(again)
		if err != nil {
			t.Fatalf("own file: %v\n%s", err, again)
		}
		if diff := cmp.Diff(c, back, sameNetwork, cmp.AllowUnexported(contents{}), cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("changed by a round:\n%s", diff)
		}
	})
}

func TestFailedWriteIsMadeUpForByTheNext(t *testing.T) {
	s, path := saved(t, home)
	before := read(t, path)
	write := s.write
	s.write = func(string, []byte, os.FileMode) error { return syscall.EROFS }
	must(t, s.DropCandidate(office)) // nothing to write
	if err := s.SetCandidate(office); !errors.Is(err, syscall.EROFS) {
		t.Errorf("SetCandidate: %v", err)
	}
	if err := promote(s); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Promote: %v", err)
	}
	wantContents(t, s, nil, office, home)
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the file has changed")
	}
	s.write = write
	must(t, s.DropCandidate(office))
	wantContents(t, mustOpen(t, path), nil, office, home)
}
