package ap

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// fakeHostapd answers the control socket of c from a table, and every other command
// with FAIL; a client that attaches receives the events. hostapd's driver "none" has
// no stations.
func fakeHostapd(t *testing.T, c Config, replies map[string]string, events ...string) {
	t.Helper()
	if err := os.Mkdir(c.hostapdControlDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: c.hostapdSocket(), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUnix(buf)
			if err != nil {
				return
			}
			reply, known := replies[string(buf[:n])]
			if !known {
				reply = "FAIL\n"
			}
			conn.WriteToUnix([]byte(reply), from)
			if string(buf[:n]) == "ATTACH" {
				for _, event := range events {
					conn.WriteToUnix([]byte(event), from)
				}
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-served })
}

func mac(s string) net.HardwareAddr {
	m, err := net.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

// These are answers of hostapd 2.10. A phone whose key is still being checked has no
// AUTHORIZED.
const (
	phoneA = "02:00:00:00:01:00\nflags=[AUTH][ASSOC][AUTHORIZED][SHORT_PREAMBLE][WMM][HT]\naid=1\nlisten_interval=5\nsignal=-30\nconnected_time=75\ninactive_msec=1200\n"
	phoneB = "02:00:00:00:02:00\nflags=[AUTH][ASSOC]\naid=2\nsignal=-50\nconnected_time=1\n"
	phoneC = "02:00:00:00:03:00\nflags=[AUTH][ASSOC][AUTHORIZED]\naid=3\nconnected_time=5\n"
)

func listStations(t *testing.T, c Config) ([]Client, error) {
	t.Helper()
	conn, err := wpactrl.Dial(t.Context(), c.hostapdSocket(), c.RuntimeDir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return New(c, nil, nil, slog.New(slog.DiscardHandler)).stations(t.Context(), conn)
}

func TestStations(t *testing.T) {
	for _, tt := range []struct {
		name    string
		replies map[string]string
		leases  string
		want    []Client
	}{
		{"nobody", map[string]string{"STA-FIRST": ""}, "", nil},
		{"nobody, as older versions say it", map[string]string{"STA-FIRST": "FAIL\n"}, "", nil},
		{"three, one without the key",
			map[string]string{
				"STA-FIRST": phoneA, "STA-NEXT 02:00:00:00:01:00": phoneB,
				"STA-NEXT 02:00:00:00:02:00": phoneC, "STA-NEXT 02:00:00:00:03:00": "FAIL\n",
			},
			"1795382400 02:00:00:00:01:00 10.250.250.150 pixel 01:02:00:00:00:01:00\n" +
				"1795382400 02:00:00:00:02:00 10.250.250.151 * *\n" +
				"not a lease\n",
			[]Client{
				{MAC: mac("02:00:00:00:01:00"), Connected: 75 * time.Second,
					Address: netip.MustParseAddr("10.250.250.150"), HostName: "pixel"},
				{MAC: mac("02:00:00:00:03:00"), Connected: 5 * time.Second},
			}},
		{"the one that was named has left",
			map[string]string{"STA-FIRST": phoneC},
			"1795382400 02:00:00:00:03:00 10.250.250.152 * *\n",
			[]Client{{MAC: mac("02:00:00:00:03:00"), Connected: 5 * time.Second, Address: netip.MustParseAddr("10.250.250.152")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig(runtimeDir(t))
			fakeHostapd(t, c, tt.replies)
			if err := os.WriteFile(c.leaseFile(), []byte(tt.leases), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := listStations(t, c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStationsThatDoNotEnd(t *testing.T) {
	c := testConfig(runtimeDir(t))
	fakeHostapd(t, c, map[string]string{"STA-FIRST": phoneA, "STA-NEXT 02:00:00:00:01:00": phoneA})
	got, err := listStations(t, c)
	if err != nil || len(got) != maxStations {
		t.Errorf("%d stations, err %v; want %d", len(got), err, maxStations)
	}
}

func TestParseUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	own, err := socketInodes(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/self/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range parseUDP(append([]byte("broken\n 1: XYZ:0035 0 0 0 0 0 0 0 4711\n"), table...)) {
		if s.inode == "4711" {
			t.Error("a broken line was read")
		}
		if own[s.inode] && s.local == want {
			return
		}
	}
	t.Errorf("%v is not in\n%s", want, table)
}
