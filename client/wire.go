package client

import (
	"encoding/json"
	"time"
)

// Status is the result of the command status. The first four fields come from the
// original daemon, and all of their members are always present.
type Status struct {
	Link        bool        `json:"link"` // at least one uplink works
	Devs        []string    `json:"devs"` // names of the interfaces that have a working link, never null
	Connections Connections `json:"connections"`
	Wifi        Wifi        `json:"wifi"`

	Version     string      `json:"version"` // the daemon's version
	Uplink      Uplink      `json:"uplink"`
	Uplinks     []Interface `json:"uplinks"` // all interfaces that could be the uplink, never null
	AccessPoint AccessPoint `json:"access_point"`
	Next        []Next      `json:"next"`     // what the daemon will do by itself, the soonest first; never null
	Trial       *Trial      `json:"trial"`    // a configuration that waits to be confirmed; null: there is none
	Problems    []Problem   `json:"problems"` // conflicts with other programs, as the daemon has last seen them; never null
}

// Trial is a configuration that the daemon takes back unless it is confirmed in time.
type Trial struct {
	By      string    `json:"by"`      // who began the trial, for people
	Until   time.Time `json:"until"`   // by the device's clock, which may jump
	Seconds int64     `json:"seconds"` // seconds that were left when the trial was reported; does not jump
}

// Problem is a condition on the device that hinders the daemon. The daemon looks for
// problems when it starts, at a reload, and when the access point's state changes.
type Problem struct {
	Code   string `json:"code"`   // the name of a check of netconnectcli doctor, e.g. "port_dhcp"
	Text   string `json:"text"`   // for people
	Remedy string `json:"remedy"` // for people
}

// Connections says how the device can be reached. Wifi and AP are never both true.
type Connections struct {
	Wifi  bool `json:"wifi"`  // the radio is a station and its link works
	AP    bool `json:"ap"`    // the radio is an access point
	Wired bool `json:"wired"` // the wired interface's link works
}

// Wifi is the radio as a station.
type Wifi struct {
	CurrentSSID    *string   `json:"current_ssid"`     // null when not associated
	CurrentSSIDHex *string   `json:"current_ssid_hex"` // the same, without loss
	CurrentAddress *string   `json:"current_address"`  // "AA:BB:…" of the access point; null when not associated
	ValidConfig    bool      `json:"valid_config"`     // a network is configured and has not failed
	Present        bool      `json:"present"`          // the radio exists
	Backend        string    `json:"backend"`          // the program that joins networks: "wpa_supplicant" (started by netconnectd) or "networkmanager"
	Signal         *int      `json:"signal"`           // dBm at the last probe; null when not associated or unknown
	Frequency      int       `json:"frequency"`        // MHz; 0 when not associated or unknown
	Country        string    `json:"country"`          // the country whose rules the radio obeys, e.g. "DE"; "00": rules for the whole world
	LastError      *Failure  `json:"last_error"`       // the last failed attempt to join, see Failure
	Candidate      *Network  `json:"candidate"`        // configured, but not yet proven to work
	Networks       []Network `json:"networks"`         // saved, the best first; never null
}

// Failure is why joining a network failed. It stays until an attempt succeeds. If a
// person asked for the join, it also stays when the daemon returns to the previous
// network.
type Failure struct {
	Code     string `json:"code"` // e.g. "wrong_key", as in Error
	Text     string `json:"text"` // for people
	*Network        // null: none of the saved networks is in reach
}

// Network names a Wi-Fi network.
type Network struct {
	SSID    string `json:"ssid"`     // see SSIDText
	SSIDHex string `json:"ssid_hex"` // the bytes of the SSID in hexadecimal
}

// SavedNetwork is a network that the daemon joins by itself when the network is in
// reach. Passphrases and passwords are never sent.
type SavedNetwork struct {
	Network
	Security    string     `json:"security"`  // e.g. "wpa2"; "": any security that the passphrase fits
	HasPSK      bool       `json:"has_psk"`   // a passphrase or key is saved
	Hidden      bool       `json:"hidden"`    // beacons do not contain the SSID
	BSSID       string     `json:"bssid"`     // only this cell, "AA:BB:…"; "": any
	Priority    int        `json:"priority"`  // a higher number comes first
	PMF         string     `json:"pmf"`       // protected management frames: "required", "optional", "off"; "": required with WPA3, else as the router prefers
	Frequency   int        `json:"frequency"` // MHz, where the network was heard last; 0: unknown
	EAP         *EAP       `json:"eap"`       // null: no 802.1X
	Addressing  Addressing `json:"addressing"`
	LastSuccess *time.Time `json:"last_success"` // by the device's clock; null: never tried, or never worked
	Failures    int        `json:"failures"`     // failures in a row since the daemon started
	InUse       bool       `json:"in_use"`
	Origin      string     `json:"origin"` // who saved it: "netconnectd", or in NetworkManager "networkmanager", "netplan", "cloud-init"
}

// EAP says who the device is to a network with 802.1X. Its files are PEM files that
// the daemon can read.
type EAP struct {
	Method             string `json:"method"` // "peap", "ttls", "tls"
	Identity           string `json:"identity"`
	AnonymousIdentity  string `json:"anonymous_identity"`             // sent unencrypted
	Password           string `json:"password,omitempty"`             // only in requests
	Phase2             string `json:"phase2"`                         // "mschapv2", "pap"; "": mschapv2
	CACert             string `json:"ca_cert"`                        // file; "" only with any_server
	ServerName         string `json:"server_name"`                    // the domain that the server's certificate must name; "": any
	AnyServer          bool   `json:"any_server"`                     // trust any server
	ClientCert         string `json:"client_cert"`                    // file, only with tls
	PrivateKey         string `json:"private_key"`                    // file, only with tls
	PrivateKeyPassword string `json:"private_key_password,omitempty"` // only in requests
}

// Addressing says where the device's address comes from.
type Addressing struct {
	Method  string   `json:"method"`            // "dhcp": from DHCP and router advertisements; "static"
	Address string   `json:"address,omitempty"` // "192.0.2.7/24"
	Gateway string   `json:"gateway,omitempty"`
	DNS     []string `json:"dns,omitempty"`
}

// NetworkSettings holds what add_network sets and set_network changes: a nil field
// keeps its setting. A PSK replaces an EAP, and an EAP replaces a PSK; an EAP without
// passwords keeps the saved ones.
type NetworkSettings struct {
	PSK        *string     `json:"psk,omitempty"` // "": none
	Security   *string     `json:"security,omitempty"`
	Hidden     *bool       `json:"hidden,omitempty"`
	BSSID      *string     `json:"bssid,omitempty"`
	Priority   *int        `json:"priority,omitempty"`
	PMF        *string     `json:"pmf,omitempty"`
	EAP        *EAP        `json:"eap,omitempty"`
	Addressing *Addressing `json:"addressing,omitempty"`
}

// Condition is the value of one of the daemon's state variables.
type Condition struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`   // by the device's clock, which may jump
	Seconds int64     `json:"seconds"` // age of the state when it was reported; does not jump
	Reason  string    `json:"reason"`  // for people
}

// Uplink is the device's connection to other networks. Its State is starting, online,
// joining or lost.
type Uplink struct {
	Condition
	Interface string   `json:"interface"` // the interface in use; "" without one
	Portal    bool     `json:"portal"`    // a portal answers in place of the Internet (probe.kind http)
	Addresses []string `json:"addresses"` // the interface's addresses, "192.0.2.7/24"; never null
}

// Interface is an interface that could be the uplink: the radio, or a wired one.
type Interface struct {
	Name      string   `json:"interface"`
	Kind      string   `json:"kind"`    // "wired" or "wifi"
	Carrier   bool     `json:"carrier"` // a cable is connected, or the radio is associated
	Works     bool     `json:"works"`   // other networks can be reached through it
	Addresses []string `json:"addresses"`
	Gateway   string   `json:"gateway"` // "": none
	Probe     *Probe   `json:"probe"`   // the last probe; null: none since the carrier appeared
}

// Probe is the result of a probe of an Interface.
type Probe struct {
	OK       bool   `json:"ok"`
	Seconds  int64  `json:"seconds"`  // how long ago
	Reason   string `json:"reason"`   // why it failed, for people
	Failures int    `json:"failures"` // failures in a row, up to this one
}

// These are the kinds of Next. Another kind comes from a newer daemon.
const (
	NextAccessPoint = "access_point" // the access point starts
	NextEnd         = "end"          // an access point that a client has asked for ends
	NextYield       = "yield"        // the access point gives way, although a station is on it
	NextJoin        = "join"         // a saved network is tried
	NextScan        = "scan"         // the daemon scans for saved networks
	NextGiveUp      = "give_up"      // the join in progress has taken too long
	NextLost        = "lost"         // the uplink counts as lost
)

// Next is something that the daemon will do unless another event comes first.
type Next struct {
	Kind    string `json:"kind"`
	Seconds int64  `json:"seconds"` // seconds until then
	Text    string `json:"text"`    // for people
}

// AccessPoint is the daemon's own access point. Its State is off, starting,
// up or stopping.
type AccessPoint struct {
	Condition
	SSID      string    `json:"ssid"`      // see SSIDText
	Clients   []Station `json:"clients"`   // never null
	Addresses []string  `json:"addresses"` // the device's addresses on it while it is up, "10.250.250.1/24"; never null
	Channel   int       `json:"channel"`   // 0: it is not up, or hostapd does not report the channel
	Frequency int       `json:"frequency"` // MHz, of the channel; 0: unknown
	Width     int       `json:"width"`     // MHz, of all channels that it uses together; 0: unknown
}

// Station is a client of the access point.
type Station struct {
	Address string `json:"address"` // "AA:BB:…"
	IP      string `json:"ip"`      // leased address; "": none yet
	Name    string `json:"name"`    // as the station reports it, not to be trusted; "": not reported
	Seconds int64  `json:"seconds"` // seconds since it joined
}

// BSS is one cell that a scan found. A network with several access points has several
// cells. A hidden network has an empty ssid.
type BSS struct {
	Network
	Channel   int    `json:"channel"`
	Address   string `json:"address"` // BSSID, "AA:BB:…"
	Encrypted bool   `json:"encrypted"`
	Signal    *int   `json:"signal"` // dBm; null when unknown

	Security  string `json:"security"`  // e.g. "open", "wpa2", "wpa2/wpa3"
	Frequency int    `json:"frequency"` // MHz
	Saved     bool   `json:"saved"`     // the network is saved
	Current   bool   `json:"current"`   // the radio is associated with this cell
}

// These are the kinds of events. An event of another kind comes from a newer daemon.
const (
	EventSnapshot    = "snapshot"     // Status; the first event of every subscription
	EventStatus      = "status"       // Status; a part of it has changed
	EventUplink      = "uplink"       // Old, New, Reason: from Status.Uplink.State
	EventAccessPoint = "access_point" // Old, New, Reason: from Status.AccessPoint.State
	EventJoin        = "join"         // Network; New: how far the join has come; Code and Reason of a failure
	EventDaemon      = "daemon"       // New: DaemonStarted or DaemonEnded; only in the history
	EventNetworks    = "networks"     // New: the command that changed the saved networks; Reason: who sent it, and what changed; only in the history
)

// These are the values of New in an EventJoin, in their order.
const (
	JoinStarted     = "started"
	JoinAssociating = "associating" // the radio is free, and the network is being searched for and joined
	JoinAssociated  = "associated"  // the keys are in place
	JoinAddressed   = "addressed"   // the network has assigned an address
	JoinDone        = "joined"      // the gateway answers
	JoinFailed      = "failed"      // in place of any stage but the last
)

// These are the values of New in an EventDaemon; its Reason contains the version.
const (
	DaemonStarted = "started"
	DaemonEnded   = "ended" // ended in order; a crash or a power loss leaves no such entry
)

// Event is what subscribers receive.
type Event struct {
	Type     string    `json:"type"`
	Time     time.Time `json:"time"` // by the device's clock
	*Network           // null: no network
	Old      string    `json:"old,omitempty"`
	New      string    `json:"new,omitempty"`
	Code     string    `json:"code,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Status   *Status   `json:"status,omitempty"`

	// Seq grows by one from event to event. In the frame it stands beside the event.
	Seq uint64 `json:"-"`
	// Frame is the object as it arrived, for fields that this version of the package
	// does not know.
	Frame json.RawMessage `json:"-"`
}

// HistoryEntry is an event that the daemon remembers across restarts: changes of the
// uplink and the access point, how joining a network ended (JoinDone, JoinFailed),
// start and end of the daemon itself, and what clients changed in the saved networks.
type HistoryEntry struct {
	Seq     uint64 `json:"seq"`               // grows by one: the order of the entries, whatever the clock did
	Boot    string `json:"boot"`              // the kernel's boot id: two entries with different ids have a start of the device between them
	Uptime  int64  `json:"uptime"`            // seconds from that boot to the event
	Seconds *int64 `json:"seconds,omitempty"` // how long ago, which does not jump; null: the event belongs to an earlier boot
	Event
}
