package store

import (
	"bytes"
	"encoding/json"
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

// These files are damaged as a whole, and have no copy.
func TestDamagedFilesAreKeptAside(t *testing.T) {
	goodRecord := `{"ssid": "486f6d652026204761726465", "psk": "hunter22"}`
	tests := []struct {
		name, file, says string
		saved            int // how many networks are understood
	}{
		{"empty", "", "ends too early", 0},
		{"cut off in a record", `{"version": 1, "networks": [` + goodRecord + `, {"ssid": "48", "psk": "hunter22`, "ends too early", 1},
		{"a comma too many", `{"version": 1, "networks": [` + goodRecord + `,]}`, "not JSON at byte", 1},
		{"a record after which a comma lacks", `{"version": 1, "networks": [` + goodRecord + goodRecord + `]}`, "not JSON at byte", 1},
		{"not JSON", `networks: hunter22`, "not JSON at byte 2", 0},
		{"zeros, as a file system leaves them", "\x00\x00\x00\x00", "not JSON at byte 1", 0},
		{"two values", `{"version": 1}{"psk":"hunter22"}`, "something follows", 0},
		{"no version", `{"networks": [` + goodRecord + `]}`, "no version", 1},
		{"a version that there never was", `{"version": 0}`, "version 0", 0},
		{"list", `[]`, "wrong type", 0},
		{"networks are no list", `{"version": 1, "networks": "hunter22"}`, "wrong type", 0},
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
			if got := len(s.Networks()); got != tt.saved {
				t.Errorf("%d networks, want %d", got, tt.saved)
			}
			if got := string(read(t, path+".broken")); got != tt.file {
				t.Errorf("kept %q", got)
			}
			wantMode(t, path+".broken")
			if got := len(mustOpen(t, path).Networks()); got != tt.saved { // the file is repaired before any change
				t.Errorf("the next run has %d networks", got)
			}
		})
	}
}

// One bad record must cost neither the others nor itself: a person, or a later
// netconnectd, finds the record unchanged.
func TestBadRecordsAreLeftAlone(t *testing.T) {
	tests := []struct{ name, record, says string }{
		{"number for a passphrase", `{"ssid": "48", "psk": 12345678}`, "psk has the wrong type"},
		{"SSID is not hexadecimal", `{"ssid": "hunter22"}`, "ssid is not"},
		{"SSID of 33 bytes", `{"ssid": "` + strings.Repeat("41", 33) + `"}`, "ssid is not"},
		{"SSID is missing", `{}`, "ssid is not"},
		{"bad date", `{"ssid": "48", "last_success": "hunter22"}`, "not JSON of the right shape"},
		{"negative frequency", `{"ssid": "48", "frequency": -1}`, "frequency"},
		{"bad cell", `{"ssid": "48", "bssid": "hunter22"}`, "bssid"},
		{"cell that is everybody", `{"ssid": "48", "bssid": "ff:ff:ff:ff:ff:ff"}`, "is a group of stations"},
		{"address that is the broadcast address", `{"ssid": "48", "addressing": {"address": "192.0.2.255/24"}}`, "is the broadcast address"},
		{"bad address", `{"ssid": "48", "addressing": {"address": "0.0.0.0/0"}}`, "addressing"},
		{"no object", `"hunter22 & <b>"`, "wrong type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, path := saved(t, home)
			good := bytes.TrimSpace(read(t, path))
			at := bytes.IndexByte(good, '[') + 1
			file := string(good[:at]) + tt.record + "," + string(good[at:])
			must(t, os.WriteFile(path, []byte(file), 0o600))
			for run := range 2 { // the second run reads what the first has written
				s, err := Open(path)
				if err == nil || !strings.Contains(err.Error(), "networks[") || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter22") {
					t.Errorf("run %d: error = %v", run, err)
				}
				wantContents(t, s, nil, home)
				must(t, s.SetCandidate(office))
				if got := spaceless(read(t, path)); !strings.Contains(got, spaceless([]byte(tt.record))) {
					t.Errorf("run %d: %s is gone from\n%s", run, tt.record, got)
				}
				must(t, s.DropCandidate(office))
			}
			s, _ := Open(path)
			if had, err := s.Forget(); !had || err != nil {
				t.Errorf("Forget: %v, %v", had, err)
			}
			wantContents(t, mustOpen(t, path), nil) // a reset also removes records that were not understood
		})
	}
}

// A record that is not understood gives way to a new record of its network, and can
// be removed by its SSID.
func TestBadRecordEndsWithItsNetwork(t *testing.T) {
	bad := `{"version": 1, "networks": [{"ssid": "486f6d6520262047617264656e", "psk": 1}]}`
	for name, do := range map[string]func(*Store) error{
		"add":     func(s *Store) error { return s.Add(home) },
		"remove":  func(s *Store) error { return s.Remove(home.SSID) },
		"promote": func(s *Store) error { return errors.Join(s.SetCandidate(home), promote(s)) },
	} {
		path := filepath.Join(t.TempDir(), "networks.json")
		must(t, os.WriteFile(path, []byte(bad), 0o600))
		s, err := Open(path)
		if err == nil {
			t.Fatal("no error")
		}
		must(t, do(s))
		if _, err := Open(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCopyIsUsed(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, path string)
		says  string
	}{
		{"empty file", func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) }, "ends too early"},
		{"half a file", func(t *testing.T, path string) { must(t, os.Truncate(path, 100)) }, "ends too early"},
		{"bad record of a known network", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, bytes.Replace(read(t, path), []byte("2412"), []byte(`"x"`), 1), 0o600))
		}, "frequency"},
		{"a folder in its place", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
		}, "not a regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, path := saved(t, home)
			must(t, s.Add(office))
			tt.spoil(t, path)
			s, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error = %v", err)
			}
			if got := len(s.Networks()); got != 2 {
				t.Errorf("%d networks, want 2", got)
			}
			if _, err := s.Find(home.SSID); err != nil {
				t.Error(err)
			}
		})
	}
}

// No file contains a network that was removed, and a file that a user has deleted
// does not come back.
func TestCopyHasNothingThatIsForgotten(t *testing.T) {
	s, path := saved(t, home)
	must(t, s.Remove(home.SSID))
	if all := append(read(t, path), read(t, path+".copy")...); bytes.Contains(all, []byte("01234567")) {
		t.Error("the passphrase is still there")
	}
	_, path = saved(t, home)
	wantMode(t, path+".copy")
	must(t, os.Remove(path))
	wantContents(t, mustOpen(t, path), nil)
	if _, err := os.Stat(path + ".copy"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("copy: %v", err)
	}
}

// If a later netconnectd is installed again, it finds everything that it had written.
func TestFileOfALaterVersionIsUsedAndNotChanged(t *testing.T) {
	for name, number := range map[string]string{"number": "2", "no number": `"2026-01"`} {
		t.Run(name, func(t *testing.T) {
			_, path := saved(t, home)
			later := bytes.Replace(read(t, path), []byte(`"version": 1`), []byte(`"version": `+number+`, "new": {}`), 1)
			must(t, os.WriteFile(path, later, 0o600))
			before := read(t, path+".copy")
			s, err := Open(path)
			if !errors.Is(err, ErrLater) {
				t.Fatalf("error = %v", err)
			}
			wantContents(t, s, nil, home)
			if err := s.SetCandidate(office); !errors.Is(err, ErrLater) {
				t.Errorf("SetCandidate: %v", err)
			}
			if err := promote(s); !errors.Is(err, ErrLater) {
				t.Errorf("Promote: %v", err)
			}
			wantContents(t, s, nil, office, home) // the change lasts until the daemon ends
			if !bytes.Equal(read(t, path), later) || !bytes.Equal(read(t, path+".copy"), before) {
				t.Error("the files have changed")
			}
			if all, _ := filepath.Glob(path + ".b*"); len(all) > 0 {
				t.Errorf("set aside: %v", all)
			}
		})
	}
}

// spaceless returns a JSON text without the white space between its parts.
func spaceless(text []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
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
	// A folder in the file's place cannot be read, even by root.
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
		c, _, err := decode(data)
		if err != nil {
			return
		}
		again, err := encode(c)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := decode(again)
		if err != nil {
			t.Fatalf("own file: %v\n%s", err, again)
		}
		if diff := cmp.Diff(c, back, sameNetwork, cmp.AllowUnexported(contents{}, unread{}), cmp.Comparer(func(a, b json.RawMessage) bool { return spaceless(a) == spaceless(b) }), cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("changed by a round:\n%s", diff)
		}
	})
}

func TestFailedWriteIsMadeUpForByTheNext(t *testing.T) {
	s, path := saved(t, home)
	before := read(t, path)
	write := s.write
	s.write = func(string, []byte, os.FileMode) error { return syscall.EROFS }
	must(t, s.DropCandidate(office)) // there is nothing to write
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
