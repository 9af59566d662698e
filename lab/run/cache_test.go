package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newRecipe makes a recipe whose script writes a line to the file "runs" beside it
// and then does what the body says in $1, the folder of the result.
func newRecipe(t *testing.T, body string) (r recipe, runs func() int) {
	t.Helper()
	t.Setenv("LAB_CACHE", filepath.Join(t.TempDir(), "cache"))
	folder := filepath.Join(t.TempDir(), "recipe")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "runs")
	writeScript(t, folder, fmt.Sprintf("echo run >>%s\n%s\n", log, body))
	return recipe{folder: folder, product: "product", takes: "no time"}, func() int {
		text, _ := os.ReadFile(log)
		return strings.Count(string(text), "run\n")
	}
}

func writeScript(t *testing.T, folder, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, "build.sh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func ensure(t *testing.T, r recipe) (folder string) {
	t.Helper()
	folder, err := r.ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestRecipeIsMadeOnce(t *testing.T) {
	r, runs := newRecipe(t, "echo made >$1/product")
	first, again := ensure(t, r), ensure(t, r)
	if first != again || runs() != 1 {
		t.Fatalf("made %d times, in %s and %s; want once", runs(), first, again)
	}
	if text, err := os.ReadFile(first + "/product"); err != nil || string(text) != "made\n" {
		t.Errorf("the product is %q, %v", text, err)
	}
}

// TestRecipeChanges checks that any change in the folder, such as content, a mode, or
// one more option, results in another product.
func TestRecipeChanges(t *testing.T) {
	r, runs := newRecipe(t, "true")
	options := filepath.Join(r.folder, "options")
	changes := []struct {
		name   string
		change func() error
	}{
		{"as it was", func() error { return nil }},
		{"a list of options", func() error { return os.WriteFile(options, []byte("VETH"), 0o644) }},
		{"one option more", func() error { return os.WriteFile(options, []byte("VETH DUMMY"), 0o644) }},
		{"a mode", func() error { return os.Chmod(options, 0o755) }},
	}
	folders := map[string]bool{}
	for i, c := range changes {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		folders[ensure(t, r)] = true
		if runs() != i+1 || len(folders) != i+1 {
			t.Errorf("%s: made %d times in %d folders, want %d", c.name, runs(), len(folders), i+1)
		}
	}
}

// TestInterruptedBuild checks that an unfinished product of a build that was
// interrupted, or whose process was killed, is not used, and that the next build
// removes it.
func TestInterruptedBuild(t *testing.T) {
	r, runs := newRecipe(t, `echo half >$1/product
	[ -e "$0.go" ] || exec sleep 60
	echo whole >$1/product`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := r.ensure(ctx); ended <- err }()
	await(t, "the build begins", func() bool { return runs() == 1 })
	cancel()
	if err := <-ended; err == nil {
		t.Fatal("an interrupted build succeeded")
	}
	cache, _ := cacheFolder()
	if left, _ := filepath.Glob(cache + "/*/product"); len(left) > 0 {
		t.Errorf("left after the interruption: %v", left)
	}
	writeScript(t, r.folder, "echo whole >$1/product\n")
	hash, err := hashFolder(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(cache, "recipe-"+hash[:16]+".unfinished")
	if err := os.MkdirAll(killed+"/rest", 0o755); err != nil { // as kill -9 leaves it
		t.Fatal(err)
	}
	folder := ensure(t, r)
	if text, err := os.ReadFile(folder + "/product"); err != nil || string(text) != "whole\n" {
		t.Errorf("the product is %q, %v", text, err)
	}
	if exists(folder+"/rest") || exists(killed) {
		t.Error("what the killed build left is still there")
	}
}

// TestFailedBuild checks that the error contains the script's output, and that
// nothing is kept.
func TestFailedBuild(t *testing.T) {
	r, _ := newRecipe(t, "echo no network >&2; exit 3")
	_, err := r.ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "make the product") || !strings.Contains(err.Error(), "no network") {
		t.Errorf("error %v, want what was made and what the script said", err)
	}
	writeScript(t, r.folder, "true")
	ensure(t, r)
}

// TestTwoBuildsAtOnce checks that of two runs one builds the product, and the other
// waits. Processes that the script has started also hold the lock.
func TestTwoBuildsAtOnce(t *testing.T) {
	r, runs := newRecipe(t, "echo half >$1/product; sleep 0.5; echo whole >$1/product")
	texts := make(chan string)
	for range 2 {
		go func() {
			folder, err := r.ensure(t.Context())
			if err != nil {
				texts <- err.Error()
				return
			}
			text, _ := os.ReadFile(folder + "/product")
			texts <- string(text)
		}()
	}
	for range 2 {
		if text := <-texts; text != "whole\n" {
			t.Errorf("a run got %q", text)
		}
	}
	if runs() != 1 {
		t.Errorf("made %d times, want once", runs())
	}
}

// TestLockOutlivesProcess checks that the next build waits while a child of a killed
// build still writes.
func TestLockOutlivesProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := tryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sleep", "60")
	child.ExtraFiles = []*os.File{held}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	held.Close()
	if _, err := tryLock(path); err != errTaken {
		t.Errorf("while the child runs: %v, want %v", err, errTaken)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if free, err := tryLock(path); err != nil {
		t.Errorf("after the child's end: %v", err)
	} else {
		free.Close()
	}
}

func await(t *testing.T, what string, ask func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ask(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
