package ap

import (
	"log/slog"
	"path/filepath"

	"github.com/netconnectd/netconnectd/internal/sysctl"
)

// careful lists the settings of an access point's interface. Any station in reach may
// send to the interface, and the device must not trust a station about routes.
//
// An IPv4 interface that does not forward accepts a redirect if either its own
// accept_redirects or that of conf/all is set, and conf/all is not ours to change.
// Our packet filter table therefore drops redirects as well, so shared_media and
// secure_redirects have no effect. The table also drops the packets that
// route_localnet in conf/all would admit.
//
// Other settings stay as they are, for these reasons. accept_ra_defrtr,
// accept_ra_pinfo, accept_ra_rt_info_max_plen, accept_ra_mtu and accept_ra_from_local
// only limit what accept_ra=0 already forbids. forwarding is the business of type
// forwarding and of the packet filter. arp_ignore would hide the device's other
// addresses and protect none of them: a phone sends to them through the access
// point's address. arp_accept and accept_untracked_na change neighbours on the access
// point alone, where a phone can claim any address anyhow. send_redirects informs the
// sender of a packet about its own network.
var careful = []sysctl.Setting{
	sysctl.IPv6("accept_ra", "0"),            // default routes, routes and name servers of a phone
	sysctl.IPv6("autoconf", "0"),             // addresses of a phone's prefix
	sysctl.IPv6("accept_redirects", "0"),     // redirects to another router
	sysctl.IPv6("accept_source_route", "-1"), // routing headers: a phone chooses the route of a packet
	sysctl.IPv6("seg6_enabled", "0"),         // the same with segment routing
	sysctl.IPv6("rpl_seg_enabled", "0"),      // the same with RPL source routing
	sysctl.IPv6("proxy_ndp", "0"),            // answers for machines on other interfaces
	sysctl.IPv4("accept_redirects", "0"),     // redirects to another router
	sysctl.IPv4("accept_source_route", "0"),  // source routes: a phone chooses the route of a packet
	sysctl.IPv4("rp_filter", "1"),            // packets that claim to come from a machine on another interface
	sysctl.IPv4("accept_local", "0"),         // packets that claim to come from this device
	sysctl.IPv4("route_localnet", "0"),       // packets to 127.0.0.1
	sysctl.IPv4("proxy_arp", "0"),            // answers for machines on other interfaces
	sysctl.IPv4("proxy_arp_pvlan", "0"),      // answers for other phones
}

// settings keeps the careful settings of the access point's interface.
type settings struct {
	sysctl.Keeper
	iface string
}

func newSettings(c Config, log *slog.Logger) settings {
	return settings{sysctl.Keeper{File: filepath.Join(c.RuntimeDir, "settings.json"), Own: careful, Log: log}, c.Interface}
}

// keep applies the settings. It skips a setting that the kernel does not have.
func (s settings) keep() error {
	_, err := s.Keep(s.iface, careful)
	return err
}

// stop restores what keep has changed, now or in an earlier run.
func (s settings) stop() error { return s.Restore() }
