package docs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/pagetest"
	"github.com/netconnectd/netconnectd/internal/server"
)

// TestMigrating carries out the commands of migrating.md, with the files on that
// page, on a device with OctoPrint's user, who joins the group only where the page
// says how.
func TestMigrating(t *testing.T) {
	buildPrograms(t)
	etc := filepath.Join(t.TempDir(), "etc")
	if err := os.MkdirAll(filepath.Join(etc, "network"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NETCONNECTD_CONFIG", filepath.Join(etc, "netconnectd.yaml"))
	files := map[string]string{"yaml": "netconnectd.yaml", "interfaces": "network/interfaces"}
	shown := 0
	for _, b := range pagetest.Blocks(t, "migrating.md") {
		if file, ok := files[b.Lang]; ok {
			if err := os.WriteFile(filepath.Join(etc, file), []byte(b.Text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if b.Lang != "console" {
			continue
		}
		shown++
		rights := server.Config{}
		if b.Heading == "## First: rights" {
			rights = octoprint()
		}
		t.Setenv("NETCONNECTD_SOCKET", serveExamples(t, rights))
		command, want, _ := strings.Cut(strings.TrimPrefix(b.Text, "$ "), "\n")
		command = strings.ReplaceAll(strings.TrimPrefix(command, "sudo "), "/etc/", etc+"/")
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		if got := strings.ReplaceAll(string(out), etc+"/", "/etc/"); got != want {
			t.Errorf("%s:%d: %s prints (%v)\n%swant\n%s", b.Page, b.Line, command, err, got, want)
		}
	}
	if shown != 3 {
		t.Errorf("%d commands are shown", shown)
	}
}

// octoprint returns a server's configuration for a user without rights.
func octoprint() server.Config {
	return server.Config{
		Peer: func(net.Conn) (server.Peer, error) { return server.Peer{UID: 4711, Groups: []uint32{4711}}, nil },
		Rights: server.Rights{
			Group:       server.DefaultGroup,
			LookupGroup: func(string) (uint32, error) { return 990, nil },
			LookupUser:  func(uint32) (string, error) { return "octoprint", nil },
		},
	}
}

// TestKeysWithoutEffect checks that migrating.md names the same keys without effect
// as config.md, which is generated from the source.
func TestKeysWithoutEffect(t *testing.T) {
	var want []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` .* It has no effect").FindAllStringSubmatch(pagetest.Read(t, "config.md"), -1) {
		want = append(want, m[1])
	}
	_, sentence, _ := strings.Cut(pagetest.Read(t, "migrating.md"), "These keys have no effect: ")
	sentence, _, _ = strings.Cut(sentence, ", because")
	var got []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(sentence, -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("(-config.md +migrating.md):\n%s", diff)
	}
}
