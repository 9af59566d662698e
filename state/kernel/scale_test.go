package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/timetest"
	"github.com/netconnectd/netconnectd/state"
)

// scale returns the size of a large network; for make bench it is NETCONNECTD_SCALE
// times as large.
func scale() (links, addresses, routes int) {
	factor, err := strconv.Atoi(os.Getenv("NETCONNECTD_SCALE"))
	if err != nil {
		factor = 1
	}
	return 1000 * factor, 6000 * factor, 59000 * factor
}

// buildLarge creates the links, the addresses, and routes up to the wanted number,
// which includes the routes that come with addresses.
func buildLarge(t *testing.T) {
	t.Helper()
	netnstest.Need(t)
	links, addresses, routes := scale()
	var b strings.Builder
	for i := range links / 2 {
		fmt.Fprintf(&b, "link add s%d type veth peer name t%d\n", i, i)
		fmt.Fprintf(&b, "link set s%d up addrgenmode none\nlink set t%d up addrgenmode none\n", i, i)
	}
	for i := range addresses {
		fmt.Fprintf(&b, "addr add 10.%d.%d.%d/32 dev s%d\n", i/62500, i/250%250, i%250+1, i%(links/2))
	}
	batch(t, b.String())
	b.Reset()
	have := strings.Count(netnstest.Run(t, "ip", "-o", "route", "show", "table", "all"), "\n")
	for i := range routes - have {
		fmt.Fprintf(&b, "route add 100.%d.%d.%d/32 dev s%d metric %d table %d\n",
			i/62500, i/250%250, i%250, i%(links/2), i%7, 100+i%3)
	}
	batch(t, b.String())
	t.Cleanup(func() {
		b.Reset()
		for i := range links / 2 {
			fmt.Fprintf(&b, "link del s%d\n", i)
		}
		batch(t, b.String())
	})
}

// rawDump lets the kernel dump everything that a full snapshot needs, discards it,
// and returns the number of bytes.
func rawDump(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	buffer, total := make([]byte, 64<<10), 0
	for _, request := range []struct {
		kind   uint16
		family byte
		size   int // in the message's header
	}{
		{unix.RTM_GETLINK, unix.AF_UNSPEC, unix.SizeofIfInfomsg},
		{unix.RTM_GETLINK, unix.AF_BRIDGE, unix.SizeofIfInfomsg},
		{unix.RTM_GETADDR, unix.AF_UNSPEC, unix.SizeofIfAddrmsg},
		{unix.RTM_GETROUTE, unix.AF_INET, unix.SizeofRtMsg},
		{unix.RTM_GETROUTE, unix.AF_INET6, unix.SizeofRtMsg},
		{unix.RTM_GETRULE, unix.AF_UNSPEC, unix.SizeofRtMsg},
		{unix.RTM_GETNEIGH, unix.AF_UNSPEC, unix.SizeofNdMsg},
		{unix.RTM_GETNEIGH, unix.AF_BRIDGE, unix.SizeofNdMsg},
	} {
		m := make([]byte, unix.SizeofNlMsghdr+request.size)
		binary.NativeEndian.PutUint32(m, uint32(len(m)))
		binary.NativeEndian.PutUint16(m[4:], request.kind)
		binary.NativeEndian.PutUint16(m[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		m[unix.SizeofNlMsghdr] = request.family
		if err := unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			n, _, err := unix.Recvfrom(fd, buffer, 0)
			if err != nil {
				t.Fatal(err)
			}
			total += n
			// NLMSG_DONE is the first message of the last datagram, or the last
			// message of a datagram.
			kind := binary.NativeEndian.Uint16(buffer[4:])
			last := binary.NativeEndian.Uint16(buffer[max(n-16, 0):])
			done = kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR || n >= 20 && last == unix.NLMSG_DONE
		}
	}
	return total
}

// median returns the median time of several runs of f.
func median(rounds int, f func()) time.Duration {
	var took []time.Duration
	for range rounds {
		runtime.GC()
		start := time.Now()
		f()
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// TestScale measures on a large network. It allows four times what make bench
// promises, since the machine may be busy (NETCONNECTD_STRICT=1 allows only what is
// promised).
func TestScale(t *testing.T) {
	if testing.Short() || timetest.Beside {
		t.Skip("measures on a large network, without the race detector")
	}
	buildLarge(t)
	slack := 4.0
	if os.Getenv("NETCONNECTD_STRICT") != "" {
		slack = 1
	}
	t.Run("snapshot", func(t *testing.T) {
		var bytes int
		raw := median(5, func() { bytes = rawDump(t) })
		var tables *link.Tables
		read := median(5, func() {
			var err error
			if tables, err = link.Read(t.Context(), link.AllParts, link.Filter{}); err != nil {
				t.Fatal(err)
			}
		})
		converted := median(5, func() {
			if _, err := Read(t.Context(), state.Filter{Parts: state.Watched}); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%d links, %d addresses, %d routes: raw dump of %d kB %v, snapshot %v (%.2f times), as State %v (%.2f times)",
			len(tables.Links), len(tables.Addresses), len(tables.Routes), bytes>>10, raw,
			read, float64(read)/float64(raw), converted, float64(converted)/float64(raw))
		if ratio := float64(read) / float64(raw); ratio > 2*slack {
			t.Errorf("a snapshot takes %.1f times as long as the kernel's dump, want 2", ratio)
		}
	})
	t.Run("memory", func(t *testing.T) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		tables, err := link.Read(t.Context(), link.Routes, link.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		per := float64(after.HeapAlloc-before.HeapAlloc) / float64(len(tables.Routes))
		t.Logf("%.0f bytes per cached route", per)
		if per > 300 {
			t.Errorf("a cached route takes %.0f bytes, want 300", per)
		}
		runtime.KeepAlive(tables)
	})
	t.Run("program", func(t *testing.T) {
		cli := filepath.Join(t.TempDir(), "netconnectcli")
		netnstest.Run(t, "go", "build", "-o", cli, "../../cmd/netconnectcli")
		process := func(words ...string) func() {
			return func() {
				cmd := exec.CommandContext(context.Background(), words[0], words[1:]...)
				var out countingWriter
				cmd.Stdout, cmd.Stderr = &out, os.Stderr
				if err := cmd.Run(); err != nil || out == 0 {
					t.Fatalf("%v: %v, %d bytes", words, err, out)
				}
			}
		}
		addr := median(5, process("ip", "-d", "-j", "addr"))
		route := median(5, process("ip", "-j", "route", "show", "table", "all"))
		ours := median(5, process(cli, "show", "full", "-j"))
		t.Logf("show full -j %v; ip -d -j addr %v + ip -j route show table all %v", ours, addr, route)
		if float64(ours) > slack*float64(addr+route) {
			t.Errorf("show full -j takes %v, ip %v", ours, addr+route)
		}
	})
}

// countingWriter counts the bytes that it discards.
type countingWriter int64

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}
