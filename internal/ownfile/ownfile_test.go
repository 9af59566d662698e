package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func positive(n int) error {
	if n < 0 {
		return errors.New("it is negative")
	}
	return nil
}

func TestReadList(t *testing.T) {
	for _, row := range []struct {
		name, file string
		good       []int
		says       string // "" is no error
	}{
		{"whole", `[1, 2]`, []int{1, 2}, ""},
		{"no elements", `[]`, nil, ""},
		{"an element of another shape", `[1, "hunter2", 3]`, []int{1, 3}, "element 1: it has the wrong type"},
		{"an element that is refused", `[1, -2, 3]`, []int{1, 3}, "element 1: it is negative"},
		{"empty", ``, nil, "ends too early"},
		{"cut off", `[1, 2`, nil, "ends too early"},
		{"text", `hunter2`, nil, "not JSON at byte 1"},
		{"another shape", `{"hunter2": 1}`, nil, "wrong type"},
		{"too large", strings.Repeat(" ", 100), nil, "too large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "record.json")
			write(t, path, row.file)
			good, err := ReadList(path, 50, positive)
			if !slices.Equal(good, row.good) {
				t.Errorf("%v, want %v", good, row.good)
			}
			if row.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Aside != "record.json.broken" || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v", err)
			}
			kept, err := os.ReadFile(path + ".broken")
			info, statErr := os.Stat(path + ".broken")
			if err != nil || statErr != nil || string(kept) != row.file || info.Mode().Perm() != 0o600 {
				t.Errorf("kept %q, %v, %v", kept, info, err)
			}
			if _, err := ReadList(path, 50, positive); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("then: %v", err)
			}
		})
	}
}

// A folder in the file's place is set aside, too.
func TestFolderIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if err := ReadJSON(path, 50, new(int)); !errors.As(err, &damaged) {
		t.Errorf("%v", err)
	}
	if err := Write(path, []byte("1")); err != nil {
		t.Error(err)
	}
}

// Root's look at the daemon's files leaves them where they are.
func TestFileOfAnotherUserStays(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "record.json")
	write(t, path, "[")
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := ReadJSON(path, 50, new(int)); err == nil {
		t.Error("it was believed")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// However often a disk damages a file, what is kept of it is bounded: the first
// versions and the last.
func TestKeptVersionsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	for n := range 9 {
		_ = os.Remove(path) // Preserve leaves it, and writers replace files
		write(t, path, fmt.Sprintf("damage %d", n))
		if n%2 == 0 {
			_ = Damaged(path, errors.New("x"))
		} else {
			_ = Preserve(path, errors.New("x"))
		}
	}
	for suffix, want := range map[string]string{".broken": "damage 0", ".broken4": "damage 3", ".broken5": "damage 8"} {
		if got, _ := os.ReadFile(path + suffix); string(got) != want {
			t.Errorf("%s holds %q", suffix, got)
		}
	}
	if all, _ := filepath.Glob(path + ".*"); len(all) != mostAside {
		t.Errorf("%v", all)
	}
}

// Preserve leaves the file for the caller to replace, and two readers that both
// find it keep it once.
func TestPreserveLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	write(t, path, "damage")
	_ = Preserve(path, errors.New("x"))
	_ = Preserve(path, errors.New("x"))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	_ = Damaged(path, errors.New("x"))
	if all, _ := filepath.Glob(path + "*"); len(all) != 1 {
		t.Errorf("%v", all)
	}
}
