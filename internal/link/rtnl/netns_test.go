package rtnl

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// kernel is a socket in the namespace of the test.
type kernel struct {
	t    *testing.T
	conn *netlink.Conn
}

func dialKernel(t *testing.T) kernel {
	t.Helper()
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return kernel{t, conn}
}

func (k kernel) execute(kind uint16, flags netlink.HeaderFlags, l *Link) []netlink.Message {
	k.t.Helper()
	b, err := l.MarshalBinary()
	if err != nil {
		k.t.Fatal(err)
	}
	answers, err := k.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.Request | flags}, Data: b,
	})
	if err != nil {
		k.t.Fatalf("%s %+v: %v", l.Name, l.Info.Data, err)
	}
	return answers
}

// add makes a link by what we write.
func (k kernel) add(l *Link) {
	k.t.Helper()
	k.execute(unix.RTM_NEWLINK, netlink.Acknowledge|netlink.Create|netlink.Excl, l)
}

// change changes a link by what we write.
func (k kernel) change(l *Link) {
	k.t.Helper()
	k.execute(unix.RTM_NEWLINK, netlink.Acknowledge, l)
}

// link reads one link as it is now.
func (k kernel) link(name string) *Link {
	k.t.Helper()
	for _, answer := range k.execute(unix.RTM_GETLINK, 0, &Link{Name: name}) {
		if answer.Header.Type == unix.RTM_NEWLINK {
			l := new(Link)
			if err := l.UnmarshalBinary(answer.Data); err != nil {
				k.t.Fatal(err)
			}
			return l
		}
	}
	k.t.Fatalf("no link %s", name)
	return nil
}

// ipLink is a link as ip(8) shows it.
type ipLink struct {
	Index int    `json:"ifindex"`
	Link  string `json:"link"`
	MTU   uint32 `json:"mtu"`
	MAC   string `json:"address"`
	Info  struct {
		Kind     string         `json:"info_kind"`
		Data     map[string]any `json:"info_data"`
		PortKind string         `json:"info_slave_kind"`
		PortData map[string]any `json:"info_slave_data"`
	} `json:"linkinfo"`
}

func showLink(t *testing.T, name string) ipLink {
	t.Helper()
	out, err := exec.Command("ip", "-d", "-j", "link", "show", "dev", name).Output()
	if err != nil {
		t.Fatalf("ip link show dev %s: %v", name, err)
	}
	var links []ipLink
	if err := json.Unmarshal(out, &links); err != nil || len(links) != 1 {
		t.Fatalf("ip link show dev %s: %v in %s", name, err, out)
	}
	return links[0]
}
