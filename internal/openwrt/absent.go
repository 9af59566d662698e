package openwrt

import (
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// Reasons why something of OpenWrt's is left out.
const (
	noLoopback    = "lo is left as the system has it"
	noBridgeVLANs = "VLANs of a bridge cannot be declared yet"
	noPrefixes    = "IPv6 prefixes are neither asked for nor assigned yet"
	noHardware    = "settings of network cards (ethtool) cannot be declared yet"
	noPort802     = "access control of ports (IEEE 802.1X) is not there"
	noFirewall    = "there is no firewall with zones"
	noContainers  = "devices are not moved to containers"
	noTags        = "tags have no use here"
	noSTPDaemon   = "the spanning tree is the kernel's"
	noSteering    = "packets are not spread over processors"
)

// absent has the options of netifd that netconnectd does not have, with the reasons.
// Options of protocols that netconnectd does not have are not here.
var absent = []struct{ kind, options, reason string }{
	{"globals", "ula_prefix dhcp_default_duid", noPrefixes},
	{"globals", "packet_steering steering_flows", noSteering},
	{"globals", "tcp_l3mdev", "set the sysctl net.ipv4.tcp_l3mdev_accept instead"},
	{"globals", "udp_l3mdev", "set the sysctl net.ipv4.udp_l3mdev_accept instead"},
	{"interface", "zone", noFirewall},
	{"interface", "jail jail_device host_device", noContainers},
	{"interface", "tags", noTags},
	{"interface", "renew", "DHCP begins anew when the carrier returns"},
	{"interface", "interface", "an interface names no other; give it the same device"},
	{"interface", "delegate ip6assign ip6hint ip6class ip6ifaceid ip6weight ip6prefix", noPrefixes},
	{"interface", "ip6deprecated", "an IPv6 address is always preferred"},
	{"interface", "reqopts defaultreqopts", "the options that a DHCP server is asked for are fixed"},
	{"interface", "sendopts", "the options that a DHCP server is sent are fixed"},
	{"interface", "norelease", "a lease is never released"},
	{"interface", "customroutes classlessroute", "routes of a DHCP server are always taken"},
	{"device", "vlan", noBridgeVLANs},
	{"device", "auth auth_vlan", noPort802},
	{"device", "tags", noTags},
	{"device", "stp_kernel stp_proto", noSTPDaemon},
	{"device", "conduit", "the processor's port of a switch cannot be chosen"},
	{"device", "speed duplex autoneg pause asym_pause rxpause txpause gro eee pse pse_podl pse_power_limit pse_priority", noHardware},
	{"route", "proto", "routes have the protocol number by which netconnectd knows its own routes"},
	{"route", "valid", "routes do not expire"},
}

// reasonOf returns why netconnectd does not have an option; "": it is not an option of
// netifd's that is absent.
func reasonOf(kind, option string) string {
	for i := range absent {
		if a := &absent[i]; a.kind == kind && slices.Contains(strings.Fields(a.options), option) {
			return a.reason
		}
	}
	return ""
}

// reasonOfType returns why sections of a type are left out.
func reasonOfType(of string) string {
	switch {
	case strings.HasPrefix(of, "switch"):
		return "switches of swconfig are not there; the kernel of today has a link for each port"
	case of == "alias":
		return "write an interface with the same device instead"
	case strings.HasPrefix(of, "wireguard_"):
		return "WireGuard cannot be declared yet"
	case strings.HasPrefix(of, "wifi-"):
		return "the radio is for the settings in interfaces, ap and wifi"
	}
	return shown.Text(of) + " is no type of section that netconnectd has"
}
