package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	tests := []struct {
		name, command, only string
		count               int
		want                []string // the plan's lines after the environment
		wrong               string
	}{
		{name: "image alone needs no machine", command: "image"},
		{name: "story, with a reboot", command: "story", count: 1, want: []string{
			"install", "run -test.run ^TestStory$", "reboot", "run -test.run ^TestStoryAfterReboot$",
		}},
		{name: "one scenario, many times", command: "test", only: "TestX", count: 20, want: []string{
			"install", "run -test.run TestX -test.count 20 -test.v",
		}},
		{name: "the package's own scenario, on the clean image", command: "test", only: "^TestPackage$", count: 1, want: []string{
			"run -test.run ^TestPackage$ -test.count 1 -test.v",
		}},
		{name: "the package's own among others", command: "test", only: "TestP", count: 1, want: []string{
			"run -test.run ^TestPackage$ -test.count 1 -test.v", "install", "run -test.run TestP -test.count 1 -test.v -test.skip ^TestPackage$",
		}},
		{name: "all scenarios", command: "test", count: 1, want: []string{
			"run -test.run ^TestPackage$ -test.count 1 -test.v", "install",
			"run -test.v -test.skip ^(TestStory|TestShell|TestBench|TestPackage|TestNetworkManager|TestDoctorWithNetworkManager|TestBeforeReboot|TestAfterReboot)", "run -test.v -test.run ^TestBeforeReboot$", "reboot",
			"run -test.v -test.run ^TestAfterReboot$",
		}},
		{name: "NetworkManager", command: "manager", count: 1, want: []string{
			"install", "run -test.v -test.run ^(TestNetworkManager|TestDoctorWithNetworkManager).*$ -test.count 1",
			"run -test.v -test.run ^TestBeforeRebootManaged$", "reboot", "run -test.v -test.run ^TestAfterRebootManaged$",
		}},
		{name: "nothing to do", wrong: "what to do is missing"},
		{name: "something else", command: "dance", wrong: `"dance" is not something to do`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan, err := planFor(test.command, test.only, test.count)
			if test.wrong != "" {
				if err == nil || err.Error() != test.wrong {
					t.Fatalf("error %v, want %s", err, test.wrong)
				}
				return
			}
			var steps []string
			for _, line := range plan {
				if !strings.HasPrefix(line, "env ") {
					steps = append(steps, line)
				}
			}
			if len(steps) != len(test.want) {
				t.Fatalf("steps %q, want %q", steps, test.want)
			}
			for i, step := range steps {
				if !strings.HasPrefix(step, test.want[i]) {
					t.Errorf("step %d is %q, want %q", i, step, test.want[i])
				}
			}
		})
	}
}

func TestRecipeHash(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "build.sh")
	write := func(content string, mode os.FileMode) string {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		hash, err := recipeHash(folder)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	first := write("packages=(a)", 0o644)
	if again := write("packages=(a)", 0o644); again != first {
		t.Error("the same recipe has two hashes")
	}
	if other := write("packages=(b)", 0o644); other == first {
		t.Error("another content has the same hash")
	}
	if other := write("packages=(a)", 0o755); other == first {
		t.Error("a file that became executable has the same hash")
	}
}

func TestStageFiles(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "share")
	if err := os.WriteFile(filepath.Join(from, "program"), []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := stageFiles(filepath.Join(from, "*"), to); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(to, "program"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("staged program: %v, %v, want it executable", info, err)
	}
}
