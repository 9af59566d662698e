package radio

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/store"
)

// TestStaticIPv6 checks that a network with a static IPv6 address is used at once,
// although the kernel checks for a second whether another host has the address. Its
// gateway may be link-local, as usual in IPv6.
func TestStaticIPv6(t *testing.T) {
	for _, gateway := range []string{"2001:db8::1", "fe80::1"} {
		t.Run(gateway, func(t *testing.T) {
			r := wired(t, "static0")
			router := netnstest.Another(t)
			ip(t, "link add static0 type veth peer name lan", "link set lan netns "+router.String())
			for _, command := range []string{"ip addr add fe80::1/64 dev lan nodad", "ip addr add 2001:db8::1/64 dev lan nodad", "ip link set lan up"} {
				router.Run(strings.Fields(command)...)
			}
			s := newSession(r, nil)
			static := &store.Addressing{Address: netip.MustParsePrefix("2001:db8::7/64"), Gateway: netip.MustParseAddr(gateway)}
			if err := s.configure(t.Context(), lasting(static)); err != nil {
				t.Fatal(err)
			}
			if routes := netnstest.Run(t, "ip", "-6", "route", "show", "default", "dev", "static0"); !strings.HasPrefix(routes, "default via "+gateway+" ") {
				t.Errorf("the default route is %q", routes)
			}
			if err := r.askGateway(t.Context(), static.Gateway); err != nil {
				t.Error(err)
			}
		})
	}
}
