package inotify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestNext checks that every event which makes another try at a socket worthwhile is
// reported, and that the end of the context ends the wait.
func TestNext(t *testing.T) {
	write := func(path string) error { return os.WriteFile(path, nil, 0o600) }
	for _, row := range []struct {
		name   string
		before func(dir string) error
		happen func(dir string) error
	}{
		{"a file appears", nil, func(dir string) error { return write(filepath.Join(dir, "new")) }},
		{"a folder appears", nil, func(dir string) error { return os.Mkdir(filepath.Join(dir, "new"), 0o700) }},
		{"a file is moved there", func(dir string) error { return write(dir + ".else") },
			func(dir string) error { return os.Rename(dir+".else", filepath.Join(dir, "new")) }},
		{"a file gets another mode", func(dir string) error { return write(filepath.Join(dir, "old")) },
			func(dir string) error { return os.Chmod(filepath.Join(dir, "old"), 0o666) }},
		{"the folder itself goes", nil, os.Remove},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			err := os.Mkdir(dir, 0o700)
			if row.before != nil {
				err = errors.Join(err, row.before(dir))
			}
			if err != nil {
				t.Fatal(err)
			}
			f, err := Watch(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			early, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if f.Next(early); early.Err() == nil {
				t.Error("something is told before anything happened")
			}
			if err := row.happen(dir); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if f.Next(ctx); ctx.Err() != nil {
				t.Error("it is not told")
			}
		})
	}
	if _, err := Watch("/nonexistent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
