package network

import (
	"strings"
	"testing"
)

const someLAN = "interface name=lan device=eth0 proto=static ipaddr=192.0.2.7/24 ip6addr=2001:db8::7/64\n"

// TestProblems: each mistake is reported in its line, alone, with what is wrong and the
// remedy.
func TestProblems(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		// Options
		{"unknown, near to another", "device name=a mut=1400", "device.mut (line 1): is not an option of a device; leave it out; did you mean mtu?"},
		{"unknown, near to nothing", "device name=a xyzzyx=1", "device.xyzzyx (line 1): is not an option of a device; leave it out"},
		{"an option of netifd that is refused", someLAN + "route interface=lan target=10.0.0.0/8 valid=60", "route.valid (line 2): routes of this file do not expire; leave the option out"},
		{"an option of another kind of section", "interface name=lan device=a mtu=1400", "interface.mtu (line 1): is an option of the device; give it in the section of the device"},
		{"merging", "device name=a <<=b", "device.<< (line 1): merging by << is not supported; write the options out"},
		{"of another type", "device name=a peer_name=b", "device.peer_name (line 1): is for devices of type veth, and this one is without a type; leave out the option"},
		{"of no type", "device name=a type=dummy match.mac=02:00:00:00:00:01", "device.match.mac (line 1): is for devices without a type, and this one is of type dummy; leave out the option"},
		{"of another protocol", "interface name=lan device=a proto=dhcp ipaddr=192.0.2.1/24", "interface.ipaddr (line 1): is for interfaces of proto static, and this one is of proto dhcp; leave out the option"},
		{"twice", "device name=a mtu=1400 mtu=1400", "device.mtu (line 1): mtu is given twice, first in line 1; leave one out"},
		{"twice by two names", "device name=br0 type=bridge ports=a ifname=b", "device.ifname (line 1): ports is given twice, first in line 1; leave one out"},
		{"a list for one value", "device name=a mtu=[1400]", "device.mtu (line 1): is a list, and the option has one value"},
		{"a kind that there is not", "switch name=a", "switch (line 1): switch is no kind of section"},

		// Values
		{"no boolean", "device name=a enabled=perhaps", "device.enabled (line 1): perhaps is neither true nor false"},
		{"empty", "device name=a mtu=", `device.mtu (line 1): "" is not a whole number`},
		{"too small", "device name=a mtu=67", "device.mtu (line 1): 67 is not in 68..65535"},
		{"too large", "device name=a mtu=65536", "device.mtu (line 1): 65536 is not in 68..65535"},
		{"far too large", "device name=a mtu=99999999999999999999", "device.mtu (line 1): 99999999999999999999 is not in 68..65535"},
		{"negative", "device name=a mtu=-1", "device.mtu (line 1): -1 is not a whole number"},
		{"a fraction", "device name=a mtu=1.5", "device.mtu (line 1): 1.5 is not a whole number"},
		{"hexadecimal where nobody expects it", "device name=a mtu=0x500", "device.mtu (line 1): 0x500 is not a whole number"},
		{"mtu6 below that of IPv6", "device name=a mtu6=1279", "device.mtu6 (line 1): 1279 is not in 1280..65535"},
		{"no word", "device name=a rpfilter=very", "device.rpfilter (line 1): very is not strict, loose or false"},
		{"no hardware address", "device name=a macaddr=02:00", "device.macaddr (line 1): 02:00 is not a hardware address such as 02:00:00:00:01:00"},
		{"a multicast address", "device name=a macaddr=01:00:5e:00:00:01", "device.macaddr (line 1): 01:00:5e:00:00:01 is a multicast address; the second digit of an interface's own address is even"},
		{"a type that there is not", "device name=a type=brige", "device.type (line 1): brige is not bridge, 8021q, 8021ad, bonding, vrf, veth, macvlan, macvtap, ipvlan, vxlan, geneve, gre, gretap, ip6gre, ip6gretap, ipip, sit, ip6tnl, vti, vti6, dummy or ifb"},
		{"a protocol that there is not", "interface name=lan device=a proto=ppp", "interface.proto (line 1): ppp is not none, static or dhcp"},
		{"an alias of netifd", "interface name=lan device=@wan", "interface.device (line 1): @wan is an alias of an interface, which cannot be declared yet; name the device"},
		{"a VNI of 25 bits", "device name=a type=vxlan vid=16777216", "device.vid (line 1): 16777216 is not in 0..16777215"},
		{"hello_time of no bridge", "device name=a type=bridge hello_time=11", "device.hello_time (line 1): 11 is not in 1..10"},
		{"a name server that is none", "interface name=lan device=a dns=0.0.0.0", "interface.dns (line 1): is the address of no host"},
		{"a domain that is none", "interface name=lan device=a dns_search=a..b", "interface.dns_search (line 1): a..b is not the name of a domain"},
		{"a delay that is too long", "interface name=lan device=a carrier_loss_delay=3601", "interface.carrier_loss_delay (line 1): 3601 is not in 0..3600"},
		{"a table by a name that is not known", "interface name=lan device=a ip4table=vpn", "interface.ip4table (line 1): vpn is not a routing table: give its number, 1..4294967295, or main, default, local or prelocal"},
		{"table 0", "interface name=lan device=a ip4table=0", "interface.ip4table (line 1): 0 is not a routing table: give its number, 1..4294967295, or main, default, local or prelocal"},
		{"half a byte", "interface name=lan device=a proto=dhcp clientid=012", "interface.clientid (line 1): 012 is not 4 to 510 hexadecimal digits, two for each byte"},
		{"a control character for a DHCP server", "interface name=lan device=a proto=dhcp vendorid=a\x01b", `interface.vendorid (line 1): "a\x01b" is not 1 to 255 printable characters of ASCII`},
		{"IPv6 for IPv4", "interface name=lan device=a proto=static ipaddr=2001:db8::1/64", "interface.ipaddr (line 1): 2001:db8::1/64 is IPv6: give it in ip6addr"},
		{"IPv4 for IPv6", "interface name=lan device=a proto=static ip6addr=192.0.2.1/24", "interface.ip6addr (line 1): 192.0.2.1/24 is IPv4: give it in ipaddr"},
		{"IPv4 in IPv6", "interface name=lan device=a proto=static ip6addr=::ffff:192.0.2.1/120", "interface.ip6addr (line 1): ::ffff:192.0.2.1 is IPv4: write it as 192.0.2.1"},
		{"a netmask with holes", "interface name=lan device=a proto=static ipaddr=192.0.2.1 netmask=255.0.255.0", "interface.netmask (line 1): 255.0.255.0 is not a netmask such as 255.255.255.0 or 24"},
		{"a prefix that is too long", "interface name=lan device=a proto=static ipaddr=192.0.2.1/33", "interface.ipaddr (line 1): 33 is not a netmask such as 255.255.255.0 or 24"},
		{"an IPv6 prefix that is too long", "interface name=lan device=a proto=static ip6addr=2001:db8::1/129", "interface.ip6addr (line 1): 129 is not the length of an IPv6 prefix, 0 to 128"},

		// Names of devices
		{"no name", "device mtu=1400", "device (line 1): has no name; add the option name"},
		{"a long name", "device name=abcdefghijklmnop", "device.name (line 1): abcdefghijklmnop is not the name of an interface: that has 1 to 15 bytes, and no slash, colon or space"},
		{"a path", "device name=../x", "device.name (line 1): ../x is not the name of an interface: that has 1 to 15 bytes, and no slash, colon or space"},
		{"the folder above", "device name=..", "device.name (line 1): .. is not the name of an interface: that has 1 to 15 bytes, and no slash, colon or space"},
		{"all", "device name=all", "device.name (line 1): all is a name that the kernel uses for itself; choose another"},
		{"a loopback that is made", "device name=lo type=dummy", "device.name (line 1): lo is a name that the kernel uses for itself; choose another"},
		{"a pattern", "device name=a%d type=dummy", "device.name (line 1): a%d is a pattern of names to the kernel; leave out the %"},
		{"two devices of a name", "device name=a\ndevice name=a", "device.name (line 2): a is declared already, by device (line 1); names are unique"},
		{"one hardware address for two", "device name=a match.mac=02:00:00:00:00:01\ndevice name=b match.mac=02-00-00-00-00-01", "device.match.mac (line 2): 02:00:00:00:00:01 is that of device.match.mac (line 1) already; one link is one device"},

		{"the address that the link has by itself", "device name=a match.mac=02:00:00:00:00:01 macaddr=02:00:00:00:00:01", "warning: device.macaddr (line 1): has no effect: the link has that address by itself"},

		// Veths, MACVLANs and VXLANs
		{"two ends of a name", "device name=a type=veth peer_name=a", "device.peer_name (line 1): both ends of a veth are named a; choose another name for the other end"},
		{"an end with a name of the kernel's", "device name=a type=veth peer_name=all", "device.peer_name (line 1): all is a name that the kernel uses for itself; choose another"},
		{"an end of two veths", "device name=a type=veth peer_name=x\ndevice name=b type=veth peer_name=x", "device.peer_name (line 2): x is the other end of a veth already, device.peer_name (line 1)"},
		{"an end that is made again", "device name=a type=veth peer_name=x\ndevice name=x type=dummy", "device.name (line 2): x is the name of the other end of a veth already, device.peer_name (line 1)"},
		{"ends of one address", "device name=a type=veth macaddr=02:00:00:00:00:01 peer_macaddr=02:00:00:00:00:01", "device.peer_macaddr (line 1): 02:00:00:00:00:01 is macaddr, too; the ends of a veth need different addresses"},
		{"a MACVLAN on nothing", "device name=a type=macvlan", "device (line 1): has no ifname; name the device below the macvlan in it"},
		{"a MACVLAN on a port", "device name=br0 type=bridge ports=eth0\ndevice name=a type=macvlan ifname=eth0", "device.ifname (line 2): eth0 is a port of br0, device (line 1), and the kernel has no macvlan on a port; put the macvlan on br0"},
		{"a VXLAN without an identifier", "device name=a type=vxlan", "device (line 1): has no vid; a vxlan needs a network identifier"},
		{"a VXLAN between two families", "device name=a type=vxlan vid=1 ipaddr=192.0.2.1 peeraddr=2001:db8::1", "device.ipaddr (line 1): 192.0.2.1 and peeraddr 2001:db8::1 are of different families"},
		{"a group without a device", "device name=a type=vxlan vid=1 peeraddr=239.0.0.1", "device.peeraddr (line 1): 239.0.0.1 is a multicast group, which needs tunlink: name the device that the tunnel goes through"},
		{"a range with one end", "device name=a type=vxlan vid=1 srcportmin=5", "device (line 1): has only one of srcportmin and srcportmax; give both or none"},
		{"a range that is empty", "device name=a type=vxlan vid=1 srcportmin=5 srcportmax=4", "device.srcportmax (line 1): 4 comes before srcportmin, 5"},
		{"more of IPv6 than of all", "device name=a mtu=1400 mtu6=1500", "device.mtu6 (line 1): 1500 is more than mtu, 1400"},

		// VLANs, bonds, VRFs and tunnels
		{"a VLAN without a number", "device name=a type=8021q ifname=eth0", "device (line 1): has no vid; give the number of the VLAN in it"},
		{"a VLAN on nothing", "device name=a type=8021ad vid=5", "device (line 1): has no ifname; name the device below the 8021ad in it"},
		{"a number that no VLAN has", "device name=a type=8021q ifname=eth0 vid=4095", "device.vid (line 1): 4095 is not in 1..4094"},
		{"a number twice", "device name=a type=8021q ifname=eth0 vid=5\ndevice name=b type=8021q ifname=eth0 vid=5", "device.vid (line 2): 5 is that of a already, device (line 1); a device has one VLAN of each number"},
		{"a number that a name has", "device name=a type=8021q ifname=eth0 vid=5\ninterface name=lan device=eth0.5", "device.vid (line 1): 5 is that of eth0.5 already, interface (line 2); a device has one VLAN of each number"},
		{"half a mapping", "device name=a type=8021q ifname=eth0 vid=5 egress_qos_mapping=1", "device.egress_qos_mapping (line 1): 1 is not two priorities such as 1:2"},
		{"a priority that no tag has", "device name=a type=8021q ifname=eth0 vid=5 egress_qos_mapping=1:8", "device.egress_qos_mapping (line 1): 8 is not in 0..7"},
		{"a bond without ports", "device name=a type=bonding", "device (line 1): has no ports; name the devices of the bond in it"},
		{"an option of another policy", "device name=a type=bonding ports=eth0 lacp_rate=fast", "device.lacp_rate (line 1): is for bonds of policy 802.3ad, and this one has balance-rr; leave out the option"},
		{"neighbours that LACP does not ask", "device name=a type=bonding ports=eth0 policy=802.3ad monitor_mode=arp arp_target=192.0.2.1", "device.monitor_mode (line 1): a bond of policy 802.3ad cannot ask neighbours; leave out the option"},
		{"nobody to ask", "device name=a type=bonding ports=eth0 monitor_mode=arp", "device.monitor_mode (line 1): has nobody to ask; name neighbours in arp_target"},
		{"too many to ask", "device name=a type=bonding ports=eth0 monitor_mode=arp arp_target=[" + strings.Repeat("192.0.2.1,", 16) + "192.0.2.1]", "device (line 1): has 17 neighbours to ask, and the kernel asks 16 at most"},
		{"a primary that is no port", "device name=a type=bonding ports=[eth0,eth1] policy=active-backup primary=eth2", "device.primary (line 1): eth2 is none of the ports, eth0, eth1"},
		{"a delay between two looks", "device name=a type=bonding ports=eth0 monitor_interval=100 updelay=250", "device.updelay (line 1): 250 is no multiple of monitor_interval, 100"},
		{"a delay of a bond that never looks", "device name=a type=bonding ports=eth0 downdelay=200", "device.downdelay (line 1): needs monitor_mode mii and a monitor_interval"},
		{"a TTL, and packets that may be split", "device name=a type=sit ipaddr=192.0.2.1 ttl=64 df=0", "device.df (line 1): needs ttl to be 0: with a ttl of its own such a tunnel never lets routers split its packets"},
		{"a VRF without a table", "device name=a type=vrf", "device (line 1): has no table; give the number of its routing table in it"},
		{"a VRF as a port", "device name=v type=vrf table=5\ndevice name=b type=bridge ports=v", "device.ports (line 2): v is a VRF, device (line 1), and the kernel lets no VRF be a port of a bridge"},
		{"a bond in a bond", "device name=b type=bonding ports=eth0\ndevice name=c type=bonding ports=b", "device.ports (line 2): b is a bond, device (line 1), and the kernel lets no bond be a port of another"},
		{"an option of a bridge's port on a bond's", "device name=b type=bonding ports=a\ndevice name=a isolate=1", "warning: device.isolate (line 2): has no effect: a is a port of no bridge that is declared"},
		{"an IPVLAN on a port", "device name=b type=bonding ports=eth0\ndevice name=a type=ipvlan ifname=eth0", "device.ifname (line 2): eth0 is a port of b, device (line 1), and the kernel has no ipvlan on a port; put the ipvlan on b"},
		{"an interface on a bond's port", "device name=b type=bonding ports=eth0\ninterface name=a device=eth0", "interface.device (line 2): eth0 is a port of b, device (line 1), and a port has no addresses of its own; put the interface on b"},
		{"a tunnel of another family", "device name=a type=gre peeraddr=2001:db8::1", "device.peeraddr (line 1): 2001:db8::1 is IPv6, and a tunnel of type gre is over IPv4"},
		{"likewise", "device name=a type=ip6tnl ipaddr=192.0.2.1", "device.ipaddr (line 1): 192.0.2.1 is IPv4, and a tunnel of type ip6tnl is over IPv6"},
		{"a tunnel without ends", "device name=a type=ipip", "device (line 1): has neither ipaddr nor peeraddr; without an end the kernel cannot tell it from other tunnels"},
		{"a prefix of half 6rd", "device name=a type=sit ipaddr=192.0.2.1 ip4prefixlen=8", "device.ip4prefixlen (line 1): needs ip6prefix and ipaddr"},
		{"a 6rd of IPv4", "device name=a type=sit ipaddr=192.0.2.1 ip6prefix=192.0.2.0/24", "device.ip6prefix (line 1): 192.0.2.0/24 is not an IPv6 network, e.g. 2001:db8::/32"},
		{"a Geneve to nowhere", "device name=a type=geneve vid=5", "device (line 1): has no peeraddr; a geneve needs the address of the other end"},
		{"a Geneve without an identifier", "device name=a type=geneve peeraddr=192.0.2.1", "device (line 1): has no vid; a geneve needs a network identifier"},

		// Bridges
		{"a delay that stp has not", "device name=a type=bridge stp=1 forward_delay=1", "device.forward_delay (line 1): 1 is not in 2..30, which stp needs"},
		{"its own port", "device name=a type=bridge ports=[b,a]", "device.ports (line 1): a is the bridge itself, which cannot be its own port"},
		{"a port of two bridges", "device name=a type=bridge ports=eth0\ndevice name=b type=bridge ports=eth0", "device.ports (line 2): eth0 is a port of a already, device (line 1); a device is a port of one bridge"},
		{"a port twice", "device name=a type=bridge ports=[eth0,eth0]", "device.ports (line 1): eth0 is there twice; leave one out"},
		{"the loopback as a port", "device name=a type=bridge ports=lo", "device.ports (line 1): lo cannot be a port of a bridge"},
		{"a bridge as a port", "device name=a type=bridge\ndevice name=b type=bridge ports=a", "device.ports (line 2): a is a bridge, device (line 1), and the kernel lets no bridge be a port of another"},
		{"a port that is none", "device name=a isolate=1", "warning: device.isolate (line 1): has no effect: a is a port of no bridge that is declared"},

		// Cycles
		{"on itself", "device name=a type=macvlan ifname=a", "device (line 1): the devices need each other: a → a; leave one of the arrows out"},
		{"a cycle of two", "device name=x\ndevice name=a type=macvlan ifname=b\ndevice name=b type=vxlan vid=1 tunlink=a", "device (line 2): the devices need each other: a → b → a; leave one of the arrows out"},
		{"a cycle over a bridge", "device name=a type=bridge ports=b\ndevice name=b type=vxlan vid=1 tunlink=a", "device (line 1): the devices need each other: a → b → a; leave one of the arrows out"},

		// Interfaces
		{"an interface without a name", "interface device=a", "interface (line 1): has no name; add the option name"},
		{"a name with a dot", "interface name=a.b device=a", "interface.name (line 1): a.b is not a name of 1 to 64 letters, digits, _ and -"},
		{"two interfaces of a name", "interface name=a device=a\ninterface name=a device=b", "interface.name (line 2): a is declared already, by interface (line 1); names are unique"},
		{"no device", "interface name=a", "interface (line 1): has no device; name the device that it is on"},
		{"on a port", "device name=br0 type=bridge ports=eth0\ninterface name=a device=eth0", "interface.device (line 2): eth0 is a port of br0, device (line 1), and a port has no addresses of its own; put the interface on br0"},
		{"static without an address", "interface name=a device=a proto=static", "warning: interface (line 1): has no address; add ipaddr or ip6addr"},
		{"the network itself", "interface name=a device=a proto=static ipaddr=192.0.2.0/24", "interface.ipaddr (line 1): 192.0.2.0 is the network itself, not a host of 192.0.2.0/24"},
		{"the broadcast address", "interface name=a device=a proto=static ipaddr=192.0.2.255/24", "interface.ipaddr (line 1): 192.0.2.255 is the broadcast address of 192.0.2.0/24"},
		{"a loopback address elsewhere", "interface name=a device=a proto=static ipaddr=127.0.0.1/8", "interface.ipaddr (line 1): 127.0.0.1/8 cannot be the address of a device"},
		{"an address without a length", "interface name=a device=a proto=static ipaddr=192.0.2.1", "warning: interface.ipaddr (line 1): 192.0.2.1 has no length, so it is alone in its network; write 192.0.2.1/24 or what the network has"},
		{"a netmask for nobody", "interface name=a device=a proto=static ipaddr=192.0.2.1/24 netmask=255.255.0.0", "warning: interface.netmask (line 1): has no effect: each address has a length of its own"},
		{"a broadcast address for nobody", "interface name=a device=a proto=static ip6addr=2001:db8::1/64 broadcast=192.0.2.255", "warning: interface.broadcast (line 1): has no effect without ipaddr"},
		{"a broadcast address of others", "interface name=a device=a proto=static ipaddr=192.0.2.1/24 broadcast=198.51.100.255", "interface.broadcast (line 1): 198.51.100.255 is outside the network 192.0.2.0/24; leave it out, or give the address an interface of its own"},
		{"the other end of two addresses", "interface name=a device=a proto=static ipaddr=[192.0.2.1/32,192.0.2.2/32] ptpaddr=192.0.2.3", "interface.ptpaddr (line 1): needs exactly one ipaddr, and there are 2; give each an interface of its own"},
		{"both ends of an address", "interface name=a device=a proto=static ipaddr=192.0.2.1/24 ptpaddr=192.0.2.1", "interface.ptpaddr (line 1): 192.0.2.1 is the address of this device, too; give that of the other end"},
		{"an address twice", "interface name=a device=a proto=static ipaddr=[192.0.2.1/24,192.0.2.1/24]", "interface.ipaddr (line 1): 192.0.2.1 is an address of a already, interface.ipaddr (line 1); leave one out"},
		{"an address on two interfaces of a device", "interface name=a device=x proto=static ip6addr=2001:db8::1/64\ninterface name=b device=x proto=static ip6addr=2001:db8::1/48", "interface.ip6addr (line 2): 2001:db8::1 is an address of x already, interface.ip6addr (line 1); leave one out"},
		{"IPv6 with a small mtu", "device name=a mtu=1279\ninterface name=i device=a proto=static ip6addr=2001:db8::1/64", "interface.ip6addr (line 2): a has no IPv6 with an mtu of 1279, device.mtu (line 1); IPv6 needs at least 1280"},
		{"IPv6 where there is none", "device name=a ipv6=0\ninterface name=i device=a proto=static ip6addr=2001:db8::1/64", "interface.ip6addr (line 2): a has no IPv6, as ipv6 of device.ipv6 (line 1) says; allow IPv6 there, or leave the address out"},

		// Gateways and routes
		{"a gateway elsewhere", "interface name=a device=x proto=static ipaddr=192.0.2.1/24 gateway=198.51.100.1", "interface.gateway (line 1): 198.51.100.1 is in no network of x; correct it or the addresses, or declare a route with onlink"},
		{"a gateway that is this device", "interface name=a device=x proto=static ipaddr=192.0.2.1/24 gateway=192.0.2.1", "interface.gateway (line 1): 192.0.2.1 is an address of this device; give that of the router"},
		{"a gateway that is everybody", "interface name=a device=x proto=static ipaddr=192.0.2.1/24 gateway=192.0.2.255", "interface.gateway (line 1): 192.0.2.255 is the broadcast address of 192.0.2.0/24"},
		{"a gateway of a route elsewhere", someLAN + "route interface=lan target=10.0.0.0/8 gateway=198.51.100.1", "route.gateway (line 2): 198.51.100.1 is in no network of eth0; correct it or the addresses, or declare a route with onlink"},
		{"a route of no interface", someLAN + "route target=10.0.0.0/8", "route (line 2): has no interface; name the interface that it belongs to"},
		{"an interface that is not there", someLAN + "route interface=lna target=10.0.0.0/8", "route.interface (line 2): lna is not the name of an interface that is declared; did you mean lan?"},
		{"a route to nowhere", someLAN + "route interface=lan", "route (line 2): has no target; 0.0.0.0/0 and ::/0 are the default routes"},
		{"a route over the other family", someLAN + "route interface=lan target=10.0.0.0/8 gateway=2001:db8::1", "route.gateway (line 2): 2001:db8::1 is not of the family of target 10.0.0.0/8"},
		{"a gateway into a black hole", someLAN + "route interface=lan target=10.0.0.0/8 gateway=192.0.2.1 type=blackhole", "route.gateway (line 2): a route of this type has no gateway; leave out gateway or type"},
		{"an IPv4 target in IPv6", someLAN + "route interface=lan target=::ffff:10.0.0.0/104", "route.target (line 2): ::ffff:10.0.0.0 is IPv4: write it as 10.0.0.0"},
		{"a gateway to a group", someLAN + "route interface=lan target=239.0.0.0/8 gateway=192.0.2.1", "route.target (line 2): 239.0.0.0/8 is a multicast group, which no gateway is the way to; leave out gateway"},
		{"a netmask of IPv6", someLAN + "route interface=lan target=2001:db8:1:: netmask=32", "route.netmask (line 2): is for IPv4; write the length behind the target, e.g. 2001:db8:1::/64"},
		{"onlink without a gateway", someLAN + "route interface=lan target=10.0.0.0/8 onlink=1", "route.onlink (line 2): is about the gateway, and there is none; leave it out"},
		{"a source of IPv6", someLAN + "route interface=lan target=2001:db8:1::/64 source=192.0.2.7", "route.source (line 2): is of IPv4 routes; leave it out"},
		{"two routes of a key", someLAN + "route interface=lan target=10.0.0.0/8\nroute interface=lan target=10.1.0.0/8 metric=0", "route (line 3): there is a route to 10.0.0.0/8 with metric 0 in table 254 already, route (line 2); give one of them another metric"},
		{"two routes of a key in IPv6", someLAN + "route interface=lan target=2001:db8:1::/64\nroute interface=lan target=2001:db8:1::/64 metric=1024", "route (line 3): there is a route to 2001:db8:1::/64 with metric 1024 in table 254 already, route (line 2); give one of them another metric"},
		{"two default gateways", "interface name=a device=a proto=static ipaddr=192.0.2.1/24 gateway=192.0.2.2\ninterface name=b device=b proto=static ipaddr=198.51.100.1/24 gateway=198.51.100.2", "interface.gateway (line 2): there is a route to 0.0.0.0/0 with metric 0 in table 254 already, interface.gateway (line 1); give one of them another metric"},

		// Rules
		{"a rule that does nothing", "rule priority=5", "rule (line 1): needs exactly one of lookup, goto and action"},
		{"a rule that does two things", "rule lookup=5 action=prohibit", "rule (line 1): needs exactly one of lookup, goto and action"},
		{"two families", "rule lookup=5 src=192.0.2.0/24 dest=2001:db8::/32", "rule.dest (line 1): 2001:db8:: is not of the family of src 192.0.2.0"},
		{"another family", "rule lookup=5 src=192.0.2.0/24 family=ipv6", "rule.family (line 1): is not that of src or dest; leave it out"},
		{"congestion", "rule lookup=5 tos=1", "rule.tos (line 1): 1 is not a multiple of 4: the two lowest bits are for congestion (RFC 3168)"},
		{"back", "rule goto=5 priority=5", "rule.goto (line 1): 5 is not above the rule's own priority, 5; a rule can only go on"},
		{"suppression of nothing", "rule action=prohibit suppress_prefixlength=0", "rule.suppress_prefixlength (line 1): is about the table that lookup names, and there is no lookup; leave it out"},
		{"suppression that is too long", "rule lookup=5 suppress_prefixlength=33", "rule.suppress_prefixlength (line 1): 33 is not in 0..32, as the rule is for IPv4"},
		{"a mark that nothing has", "rule lookup=5 mark=0x3/0x1", "rule.mark (line 1): 0x3/0x1 can never match: the mark has bits that the mask does not have"},
		{"ports backwards", "rule lookup=5 sport=9-5", "rule.sport (line 1): 5 comes before 9"},
		{"the same rule twice", "rule lookup=5 priority=7\nrule lookup=5 priority=7 mark=1\nrule lookup=5 priority=7", "rule (line 3): is the same rule as rule (line 1); leave one out"},
		{"an interface that nobody declares", "rule lookup=5 in=lan", "rule.in (line 1): lan is not the name of an interface that is declared"},

		// Neighbours
		{"a neighbour without an address", someLAN + "neighbour interface=lan mac=02:00:00:00:00:09", "neighbour (line 2): has no ipaddr; give the address of the neighbour"},
		{"a neighbour without a hardware address", someLAN + "neighbour interface=lan ipaddr=192.0.2.9", "neighbour (line 2): has no mac; give the hardware address of the neighbour"},
		{"a neighbour twice", someLAN + "neighbour interface=lan ipaddr=192.0.2.9 mac=02:00:00:00:00:09\nneighbour interface=lan ipaddr=192.0.2.9 mac=02:00:00:00:00:08", "neighbour (line 3): 192.0.2.9 is a neighbour on eth0 already, neighbour (line 2); leave one out"},
	} {
		t.Run(row.name, func(t *testing.T) {
			spec, problems := Read(parse(row.text))
			if got := strings.TrimSuffix(texts(problems), "\n"); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
			if warned := strings.HasPrefix(row.want, "warning: "); warned == spec.IsZero() {
				t.Errorf("what is read: %v", lines(spec))
			}
		})
	}
}

// TestNoProblems: what looks like a mistake and is none.
func TestNoProblems(t *testing.T) {
	for _, row := range []struct{ name, text string }{
		{"nothing", ""},
		{"a device that is declared nowhere", "interface name=wan device=usb0 proto=dhcp"},
		{"order does not matter", "route interface=lan target=10.0.0.0/8\ninterface name=lan device=m0 proto=none\ndevice name=m0 type=macvlan ifname=br0\ndevice name=br0 type=bridge ports=v0\ndevice name=v0 type=veth peer_name=v1"},
		{"two interfaces on a device", "interface name=a device=x proto=dhcp\ninterface name=b device=x proto=static ipaddr=192.0.2.1/24"},
		{"a gateway of the other interface's network", "interface name=a device=x proto=static ipaddr=192.0.2.1/24\ninterface name=b device=x proto=static ipaddr=198.51.100.1/24 gateway=192.0.2.254"},
		{"a gateway behind a route", "interface name=a device=x proto=static ipaddr=192.0.2.1/32 ptpaddr=198.51.100.9 gateway=203.0.113.1\nroute interface=a target=203.0.113.1/32"},
		{"a gateway beside a DHCP client", "interface name=a device=x proto=dhcp\nroute interface=a target=10.0.0.0/8 gateway=203.0.113.1"},
		{"a gateway that is on the link by decree", someLAN + "route interface=lan target=10.0.0.0/8 gateway=203.0.113.1 onlink=1"},
		{"the same route with another metric", someLAN + "route interface=lan target=10.0.0.0/8\nroute interface=lan target=10.0.0.0/8 metric=5"},
		{"the same route, left out", someLAN + "route interface=lan target=10.0.0.0/8\nroute interface=lan target=10.0.0.0/8 disabled=1"},
		{"the same route of an interface that is left alone", someLAN + "interface name=b device=b disabled=1\nroute interface=lan target=10.0.0.0/8\nroute interface=b target=10.0.0.0/8"},
		{"the same route in another table", someLAN + "route interface=lan target=10.0.0.0/8\nroute interface=lan target=10.0.0.0/8 table=5"},
		{"a second gateway that is switched off", "interface name=a device=a proto=static ipaddr=192.0.2.1/24 gateway=192.0.2.2\ninterface name=b device=b proto=static ipaddr=198.51.100.1/24 gateway=198.51.100.2 disabled=1"},
		{"a second gateway that makes no route", "interface name=a device=a proto=static ipaddr=192.0.2.1/24 gateway=192.0.2.2\ninterface name=b device=b proto=static ipaddr=198.51.100.1/24 gateway=198.51.100.2 defaultroute=0"},
		{"a link between two hosts", "interface name=a device=a proto=static ipaddr=192.0.2.0/31 gateway=192.0.2.1"},
		{"an IPv4 address with two lengths", "interface name=a device=a proto=static ipaddr=[192.0.2.1/24,192.0.2.1/25]"},
		{"options of a port that is declared before its bridge", "device name=eth0 isolate=1\ndevice name=br0 type=bridge ports=eth0"},
		{"IPv4 with a small mtu", "device name=a mtu=600\ninterface name=i device=a proto=static ipaddr=192.0.2.1/24"},
		{"the loopback", "device name=lo\ninterface name=loopback device=lo proto=static ipaddr=127.0.0.1/8 ip6addr=::1/128"},
		{"a group through a device", "device name=a type=vxlan vid=1 peeraddr=239.0.0.1 tunlink=eth0"},
		{"a neighbour that this device answers for", someLAN + "neighbour interface=lan ipaddr=192.0.2.9 proxy=1\nneighbour interface=lan ipaddr=192.0.2.9 mac=02:00:00:00:00:09"},
		{"the same rule of the other family", "rule lookup=5\nrule lookup=5 family=ipv6"},
	} {
		if _, problems := Read(parse(row.text)); len(problems) > 0 {
			t.Errorf("%s:\n%s", row.name, texts(problems))
		}
	}
}
