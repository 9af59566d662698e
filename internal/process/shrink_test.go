package process

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00401000 r--p 00000000 fe:00 12 /usr/sbin/netconnectd
Rss:                   4 kB
Anonymous:             0 kB
00401000-00966000 r-xp 00001000 fe:00 12 /usr/sbin/netconnectd
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00966000-00ff9000 r--p 00566000 fe:00 12 /usr/sbin/netconnectd
Anonymous:             4 kB
00ff9000-01062000 rw-p 00bf9000 fe:00 12 /usr/sbin/netconnectd
Anonymous:             0 kB
01062000-030a9000 rw-p 00000000 00:00 0
Anonymous:           124 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 13 /usr/sbin/netconnectd.old
Anonymous:             0 kB
`
	got := unchanged(bufio.NewScanner(strings.NewReader(smaps)), "/usr/sbin/netconnectd")
	want := []mapping{{0x400000, 0x401000}, {0x401000, 0x966000}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mapping{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// resident are the kB of this process's memory that are there, by their kind.
func resident(t *testing.T) (anonymous, file int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "RssAnon: %d kB", &anonymous)
		_, _ = fmt.Sscanf(line, "RssFile: %d kB", &file)
	}
	return anonymous, file
}

var garbage []byte

func TestShrink(t *testing.T) {
	const size = 64 << 20
	garbage = make([]byte, size)
	for i := range garbage {
		garbage[i] = 1
	}
	garbage = nil
	anonymous, file := resident(t)
	if err := Shrink(); err != nil {
		t.Fatal(err)
	}
	nowAnonymous, nowFile := resident(t)
	t.Logf("anonymous %d kB, then %d kB; of files %d kB, then %d kB", anonymous, nowAnonymous, file, nowFile)
	if nowAnonymous > anonymous-size/1024/2 {
		t.Error("the garbage is still there")
	}
	if nowFile > file*3/4 {
		t.Error("the pages of the program are still there")
	}
}
