package link

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// overrunBuffer takes a reader of single messages many times settle to empty.
const overrunBuffer = 2 << 20

// TestChangeAfterOverrun: once the kernel has dropped messages, it drops all others,
// and says nothing, until the socket is empty. A link that changes right after the
// loss was told is seen all the same, although what waits in the socket speaks of
// addresses alone.
func TestChangeAfterOverrun(t *testing.T) {
	cable(t, "over0", "over1")
	netnstest.Run(t, "ip", "link", "set", "over0", "up")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &follower{which: lean, log: slog.New(slog.DiscardHandler), buffer: overrunBuffer}
	events, _, done, err := f.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var storm strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&storm, "address add 10.%d.%d.1/32 dev over0\naddress del 10.%[1]d.%[2]d.1/32 dev over0\n", i/250, i%250)
	}
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(storm.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defer time.AfterFunc(20*time.Second, cancel).Stop() // or a deaf follower would hang
	if _, lost, err := f.listen(ctx, events, time.Time{}); err != nil || !lost {
		t.Fatalf("lost: %v, %v", lost, err)
	}
	netnstest.Run(t, "ip", "link", "set", "over0", "mtu", "1333")
	for seen := Parts(0); seen&Links == 0; {
		which, _, err := f.listen(ctx, events, time.Time{})
		if err != nil {
			t.Fatalf("the change of a link is never told of: %v", err)
		}
		seen |= which
	}
}
