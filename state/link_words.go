package state

// LinkFlags are IFF_… (netdevice(7), linux/if.h) in nispor's words.
type LinkFlags = Bits[linkFlags]

type linkFlags struct{}

func (linkFlags) names() []string { return linkFlagNames }

var linkFlagNames = []string{
	"up", "broadcast", "debug", "loopback", "poin_to_point", // nispor's spelling
	"no_trailers", "running", "no_arp", "promisc", "all_multi", "controller", "subordinate",
	"multicast", "portsel", "auto_media", "dynamic", "lower_up", "dormant", "echo",
}

// OperState is IF_OPER_… (linux/if.h, RFC 2863).
type OperState = Named[operStates]

type operStates struct{}

func (operStates) names() []string { return operStateNames }

var operStateNames = []string{"unknown", "not_present", "down", "lower_layer_down", "testing", "dormant", "up"}

// AddressFlags are IFA_F_… (linux/if_addr.h). In IPv6, secondary means temporary (RFC
// 8981).
type AddressFlags = Bits[addressFlags]

type addressFlags struct{}

func (addressFlags) names() []string { return addressFlagNames }

var addressFlagNames = []string{
	"secondary", "no_dad", "optimistic", "dad_failed", "home_address", "deprecated", "tentative", "permanent",
	"manage_temp_addr", "no_prefix_route", "mc_auto_join", "stable_privacy",
}

// AddressProtocol is IFAPROT_… (linux/if_addr.h): what created an address.
type AddressProtocol = Named[addressProtocols]

type addressProtocols struct{}

func (addressProtocols) names() []string { return addressProtocolNames }

var addressProtocolNames = []string{"unspec", "kernel_lo", "kernel_ra", "kernel_ll"}
