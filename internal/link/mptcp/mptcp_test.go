package mptcp

import (
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/internal/netnstest"
)

// enter makes a network namespace for the thread of this test.
func enter(t *testing.T) {
	t.Helper()
	netnstest.Thread(t)
	if _, err := os.Stat(enabled); err != nil {
		t.Skip("this kernel has no MPTCP")
	}
}

// TestParity compares with ip(8).
func TestParity(t *testing.T) {
	enter(t)
	for _, line := range []string{
		"ip link add v0 type veth peer name v1",
		"ip mptcp limits set subflow 3 add_addr_accepted 2",
		"ip mptcp endpoint add 192.0.2.1 id 7 dev v0 signal",
		"ip mptcp endpoint add 192.0.2.2 subflow backup",
		"ip mptcp endpoint add 192.0.2.3 port 4242 signal",
		"ip mptcp endpoint add 2001:db8::1 dev v1 subflow fullmesh",
	} {
		netnstest.Lines(t, line)
	}
	state, err := Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	limits := regexp.MustCompile(`^add_addr_accepted (\d+) subflows (\d+) $`).FindStringSubmatch(strings.TrimRight(netnstest.Run(t, "ip", "mptcp", "limits"), "\n"))
	if limits == nil || number(limits[1]) != *state.AddAddrAcceptedLimit || number(limits[2]) != *state.SubflowsLimit {
		t.Errorf("limits %v, ip says %q", state, limits)
	}
	if !state.Enabled {
		t.Error("not enabled, as namespaces are at first")
	}
	if diff := cmp.Diff(witnessAddresses(t), state.Endpoints, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("-ip +ours: %s", diff)
	}

	if err := os.WriteFile(enabled, []byte("0"), 0); err != nil {
		t.Fatal(err)
	}
	if state, err = Read(t.Context()); err != nil || state.Enabled || len(state.Endpoints) != 4 {
		t.Errorf("switched off: %+v, %v", state, err)
	}
}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

func witnessAddresses(t *testing.T) []Endpoint {
	t.Helper()
	var all []map[string]any
	if err := json.Unmarshal([]byte(netnstest.Run(t, "ip", "-j", "mptcp", "endpoint")), &all); err != nil {
		t.Fatal(err)
	}
	var want []Endpoint
	for _, one := range all {
		var a Endpoint
		if err := a.Address.UnmarshalText([]byte(one["address"].(string))); err != nil {
			t.Fatal(err)
		}
		a.ID = new(uint8(one["id"].(float64)))
		if port, ok := one["port"].(float64); ok {
			a.Port = new(uint16(port))
		}
		for _, name := range flagNames {
			if one[name] == true {
				a.Flags = append(a.Flags, name)
			}
		}
		if name, ok := one["dev"].(string); ok {
			ifi, err := net.InterfaceByName(name)
			if err != nil {
				t.Fatal(err)
			}
			a.Index = int32(ifi.Index)
		}
		want = append(want, a)
	}
	return want
}

// TestWithoutPrivileges runs TestReadWorks again as nobody.
func TestWithoutPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to stop being root")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestReadWorks$", "-test.v")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestReadWorks") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReadWorks(t *testing.T) {
	if state, err := Read(t.Context()); err != nil {
		t.Errorf("%+v, %v", state, err)
	}
}

// message is one of MPTCP_PM_CMD_GET_ADDR, composed by hand after
// linux/mptcp_pm.h.
func message(t testing.TB, fill func(*netlink.AttributeEncoder)) []byte {
	t.Helper()
	attributes := netlink.NewAttributeEncoder()
	attributes.Nested(attrAddr, func(address *netlink.AttributeEncoder) error {
		fill(address)
		return nil
	})
	b, err := attributes.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	for _, row := range []struct {
		name string
		fill func(*netlink.AttributeEncoder)
		want string
		err  string
	}{
		{"all flags, those of newer kernels as numbers", func(ae *netlink.AttributeEncoder) {
			ae.Bytes(addrAddr4, []byte{192, 0, 2, 1})
			ae.Uint32(addrFlags, 1<<31|0x7f)
		}, `{"enabled":false,"addresses":[{"address":"192.0.2.1","flags":["signal","subflow","backup","fullmesh","implicit","laminar","0x40","0x80000000"]}]}`, ""},
		{"port 0 is none, id 0 is one", func(ae *netlink.AttributeEncoder) {
			ae.Bytes(addrAddr6, append(make([]byte, 15), 1))
			ae.Uint16(addrPort, 0)
			ae.Uint8(addrID, 0)
			ae.Uint32(addrFlags, 0)
			ae.Uint32(99, 1)
		}, `{"enabled":false,"addresses":[{"address":"::1","id":0}]}`, ""},
		{"no address", func(ae *netlink.AttributeEncoder) { ae.Uint8(addrID, 1) }, "", "endpoint without an address"},
		{"address of 5 bytes", func(ae *netlink.AttributeEncoder) { ae.Bytes(addrAddr4, make([]byte, 5)) }, "",
			"attribute MPTCP_PM_ATTR_ADDR: attribute MPTCP_PM_ADDR_ATTR_ADDR4: 5 bytes instead of 4"},
		{"flags of 2 bytes", func(ae *netlink.AttributeEncoder) { ae.Uint16(addrFlags, 1) }, "",
			"attribute MPTCP_PM_ATTR_ADDR: attribute MPTCP_PM_ADDR_ATTR_FLAGS: 2 bytes instead of 4"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var state State
			err := state.addAddress(message(t, row.fill))
			if row.err != "" {
				if err == nil || err.Error() != row.err {
					t.Errorf("%v, want %s", err, row.err)
				}
				return
			}
			text, _ := json.Marshal(state.Named(func(uint32) string { return "" }))
			if diff := cmp.Diff(row.want, string(text)); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

// TestRefusals has kernels that tell not everything to everybody.
func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		name             string
		limits, addrs    error
		hasLimits, fails bool
	}{
		{"addresses need CAP_NET_ADMIN", nil, unix.EPERM, true, false},
		{"so does all", unix.EPERM, unix.EPERM, false, false},
		{"broken", nil, unix.EIO, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			kernel := func(request genetlink.Message, _ netlink.Message) ([]genetlink.Message, error) {
				attributes := netlink.NewAttributeEncoder()
				attributes.Uint32(attrSubflows, 4)
				b, _ := attributes.Encode()
				if request.Header.Command == cmdGetAddr {
					return nil, row.addrs
				}
				return []genetlink.Message{{Data: b}}, row.limits
			}
			conn, err := genl.Over(t.Context(), genltest.Dial(genltest.ServeFamily(genetlink.Family{ID: 0x20, Name: familyName, Version: 1}, kernel)), familyName)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var state State
			err = state.read(conn)
			if (err != nil) != row.fails || row.fails && !errors.Is(err, row.addrs) || (state.SubflowsLimit != nil) != row.hasLimits {
				t.Errorf("%+v, %v", state, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(message(f, func(ae *netlink.AttributeEncoder) {
		ae.Bytes(addrAddr4, []byte{192, 0, 2, 1})
		ae.Uint32(addrFlags, 3)
		ae.Uint16(addrPort, 80)
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var state State
		_ = state.addLimits(b)
		if state.addAddress(b) != nil {
			return
		}
		named := state.Named(func(uint32) string { return "eth0" })
		text, err := json.Marshal(named)
		if err != nil {
			t.Fatal(err)
		}
		again := state.MPTCP
		if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(named, again, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Errorf("does not come back from JSON: %v %s", err, text)
		}
	})
}
