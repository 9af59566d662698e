package client

import (
	"encoding/json"
	"time"
)

// Status is the result of the command status. The first four fields are the
// original daemon's and all of their members are always there.
type Status struct {
	Link        bool        `json:"link"` // some uplink works
	Devs        []string    `json:"devs"` // names of the interfaces that have a working link, never null
	Connections Connections `json:"connections"`
	Wifi        Wifi        `json:"wifi"`

	Version     string      `json:"version"` // of the daemon
	Uplink      Uplink      `json:"uplink"`
	Uplinks     []Interface `json:"uplinks"` // all that could lead out, never null
	AccessPoint AccessPoint `json:"access_point"`
	Next        []Next      `json:"next"`     // what the daemon will do by itself, the soonest first; never null
	Problems    []Problem   `json:"problems"` // with other programs, as the daemon has last seen them; never null
}

// Problem is something on the device that is in the daemon's way. The daemon
// looks when it starts, at a reload, and when the access point's state changes.
type Problem struct {
	Code   string `json:"code"`   // a check of netconnectcli doctor, e.g. "port_dhcp"
	Text   string `json:"text"`   // for people
	Remedy string `json:"remedy"` // for people
}

// Connections says which ways lead to the device. Wifi and AP are never both
// true.
type Connections struct {
	Wifi  bool `json:"wifi"`  // the radio is a station and its link works
	AP    bool `json:"ap"`    // the radio is an access point
	Wired bool `json:"wired"` // the wired interface's link works
}

// Wifi is the radio as a station.
type Wifi struct {
	CurrentSSID    *string   `json:"current_ssid"`     // nil when not associated
	CurrentSSIDHex *string   `json:"current_ssid_hex"` // the same, lossless
	CurrentAddress *string   `json:"current_address"`  // "AA:BB:…" of the access point, nil when not associated
	ValidConfig    bool      `json:"valid_config"`     // a network is configured and did not fail
	Present        bool      `json:"present"`          // the radio is there
	Backend        string    `json:"backend"`          // who joins networks: "wpa_supplicant" (of ours) or "networkmanager"
	Signal         *int      `json:"signal"`           // dBm, of the last probe; nil when not associated or unknown
	Frequency      int       `json:"frequency"`        // MHz; 0 when not associated or unknown
	Country        string    `json:"country"`          // whose rules the radio obeys, e.g. "DE"; "00": those of the whole world
	LastError      *Failure  `json:"last_error"`       // of the last attempt to join, see Failure
	Candidate      *Network  `json:"candidate"`        // configured but not yet proven to work
	Networks       []Network `json:"networks"`         // saved, the best first; never null
}

// Failure is why joining a network did not work. It is there until an attempt
// succeeds; one that a person asked for outlives the way back to the network
// before.
type Failure struct {
	Code     string `json:"code"` // e.g. "wrong_key", as in Error
	Text     string `json:"text"` // for people
	*Network        // nil: none of the saved networks is in reach
}

// Network names a Wi-Fi network.
type Network struct {
	SSID    string `json:"ssid"`     // see SSIDText
	SSIDHex string `json:"ssid_hex"` // the bytes of the SSID in hexadecimal
}

// SavedNetwork is a network that the daemon joins by itself when it is in
// reach. Passphrases and passwords are never told.
type SavedNetwork struct {
	Network
	Security    string     `json:"security"`  // e.g. "wpa2"; "": whatever takes the passphrase
	HasPSK      bool       `json:"has_psk"`   // a passphrase or key is saved
	Hidden      bool       `json:"hidden"`    // does not tell its name
	BSSID       string     `json:"bssid"`     // this cell only, "AA:BB:…"; "": any
	Priority    int        `json:"priority"`  // higher first
	PMF         string     `json:"pmf"`       // protected management frames: "required", "optional", "off"; "": required with WPA3, else as the router likes
	Frequency   int        `json:"frequency"` // MHz, where it was last; 0: not known
	EAP         *EAP       `json:"eap"`       // null: no 802.1X
	Addressing  Addressing `json:"addressing"`
	LastSuccess *time.Time `json:"last_success"` // by the device's clock; null: never tried or never worked
	Failures    int        `json:"failures"`     // in a row, since the daemon started
	InUse       bool       `json:"in_use"`
	Origin      string     `json:"origin"` // who saved it: "netconnectd", or in NetworkManager "networkmanager", "netplan", "cloud-init"
}

// EAP is who the device is to a network with 802.1X. Files are PEM files that
// the daemon can read.
type EAP struct {
	Method             string `json:"method"` // "peap", "ttls", "tls"
	Identity           string `json:"identity"`
	AnonymousIdentity  string `json:"anonymous_identity"`             // said in the clear
	Password           string `json:"password,omitempty"`             // of requests only
	Phase2             string `json:"phase2"`                         // "mschapv2", "pap"; "": mschapv2
	CACert             string `json:"ca_cert"`                        // file; "" only with AnyServer
	ServerName         string `json:"server_name"`                    // domain of the server's certificate; "": any
	AnyServer          bool   `json:"any_server"`                     // trust whoever answers
	ClientCert         string `json:"client_cert"`                    // file, of tls
	PrivateKey         string `json:"private_key"`                    // file, of tls
	PrivateKeyPassword string `json:"private_key_password,omitempty"` // of requests only
}

// Addressing is where the device's address comes from.
type Addressing struct {
	Method  string   `json:"method"`            // "dhcp": DHCP and router advertisements, or "static"
	Address string   `json:"address,omitempty"` // "192.0.2.7/24"
	Gateway string   `json:"gateway,omitempty"`
	DNS     []string `json:"dns,omitempty"`
}

// NetworkSettings are what add_network sets and set_network changes: nil leaves
// a setting as it is. A PSK takes the place of an EAP and an EAP that of a PSK;
// an EAP without passwords keeps those that are saved.
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

// Uplink is the way out. Its State is starting, online, joining or lost.
type Uplink struct {
	Condition
	Interface string   `json:"interface"` // that leads out, "" while none does
	Portal    bool     `json:"portal"`    // a portal answers in place of the Internet (probe.kind http)
	Addresses []string `json:"addresses"` // of that interface, "192.0.2.7/24"; never null
}

// Interface is a link that could be the way out: the radio, and the wired ones.
type Interface struct {
	Name      string   `json:"interface"`
	Kind      string   `json:"kind"`    // "wired" or "wifi"
	Carrier   bool     `json:"carrier"` // there is a cable, or an association
	Works     bool     `json:"works"`   // it leads out
	Addresses []string `json:"addresses"`
	Gateway   string   `json:"gateway"` // "" none
	Probe     *Probe   `json:"probe"`   // the last; nil: none since there is a carrier
}

// Probe is what a probe of an Interface has said.
type Probe struct {
	OK       bool   `json:"ok"`
	Seconds  int64  `json:"seconds"`  // ago
	Reason   string `json:"reason"`   // why it failed, for people
	Failures int    `json:"failures"` // in a row, up to this one
}

// Kinds of Next. Another comes from a newer daemon.
const (
	NextAccessPoint = "access_point" // it comes up
	NextEnd         = "end"          // the access point that somebody asked for ends
	NextYield       = "yield"        // the access point gives way, though somebody is on it
	NextJoin        = "join"         // a saved network is tried
	NextScan        = "scan"         // saved networks are looked for
	NextGiveUp      = "give_up"      // what is being tried has taken too long
	NextLost        = "lost"         // the uplink counts as lost
)

// Next is something that the daemon will do unless something happens before.
type Next struct {
	Kind    string `json:"kind"`
	Seconds int64  `json:"seconds"` // until then
	Text    string `json:"text"`    // for people
}

// AccessPoint is the daemon's own access point. Its State is off, starting,
// up or stopping.
type AccessPoint struct {
	Condition
	SSID      string    `json:"ssid"`      // see SSIDText
	Clients   []Station `json:"clients"`   // never null
	Addresses []string  `json:"addresses"` // of the device on it while it is up, "10.250.250.1/24"; never null
	Channel   int       `json:"channel"`   // 0: it is not up, or hostapd does not tell
	Frequency int       `json:"frequency"` // MHz, of the channel; 0 likewise
	Width     int       `json:"width"`     // MHz, of all channels that it uses together; 0 likewise
}

// Station is a client of the access point.
type Station struct {
	Address string `json:"address"` // "AA:BB:…"
	IP      string `json:"ip"`      // leased address, "" while it has none
	Name    string `json:"name"`    // as it says itself, not to be trusted; "" does not say
	Seconds int64  `json:"seconds"` // since it joined
}

// BSS is one cell that a scan found. Networks with several access points have
// several, hidden networks have an empty ssid.
type BSS struct {
	Network
	Channel   int    `json:"channel"`
	Address   string `json:"address"` // BSSID, "AA:BB:…"
	Encrypted bool   `json:"encrypted"`
	Signal    *int   `json:"signal"` // dBm, nil when unknown

	Security  string `json:"security"`  // e.g. "open", "wpa2", "wpa2/wpa3"
	Frequency int    `json:"frequency"` // MHz
	Saved     bool   `json:"saved"`     // the network is saved
	Current   bool   `json:"current"`   // the radio is associated with this cell
}

// Kinds of events. An event of another kind comes from a newer daemon.
const (
	EventSnapshot    = "snapshot"     // Status; the first event of every subscription
	EventStatus      = "status"       // Status; something in it changed
	EventUplink      = "uplink"       // Old, New, Reason: Status.Uplink.State
	EventAccessPoint = "access_point" // Old, New, Reason: Status.AccessPoint.State
	EventJoin        = "join"         // Network, New: how far joining it has come; Code and Reason of a failure
	EventDaemon      = "daemon"       // New: DaemonStarted or DaemonEnded; of the history only
	EventNetworks    = "networks"     // New: the command that changed what is saved; Reason: who asked, and what it was; of the history only
)

// What an EventJoin has as New, in their order.
const (
	JoinStarted     = "started"
	JoinAssociating = "associating" // the radio is free, the network is looked for and asked
	JoinAssociated  = "associated"  // the keys are in place
	JoinAddressed   = "addressed"   // there is an address
	JoinDone        = "joined"      // the gateway answers
	JoinFailed      = "failed"      // instead of any of them but the last
)

// What an EventDaemon has as New; the Reason has the version.
const (
	DaemonStarted = "started"
	DaemonEnded   = "ended" // in order; a crash or a power loss has none
)

// Event is what subscribers receive.
type Event struct {
	Type     string    `json:"type"`
	Time     time.Time `json:"time"` // by the device's clock
	*Network           // nil: none
	Old      string    `json:"old,omitempty"`
	New      string    `json:"new,omitempty"`
	Code     string    `json:"code,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Status   *Status   `json:"status,omitempty"`

	// Seq grows by one from event to event. It travels beside the event.
	Seq uint64 `json:"-"`
	// Frame is the object as it came, for fields that this version of the
	// package does not know.
	Frame json.RawMessage `json:"-"`
}

// HistoryEntry is an event that the daemon remembers over restarts: of the
// uplink and the access point, how joining a network ended (JoinDone,
// JoinFailed), of the daemon itself, and of what clients did to the saved networks.
type HistoryEntry struct {
	Seq     uint64 `json:"seq"`               // grows by one: the order, whatever the clock did
	Boot    string `json:"boot"`              // the kernel's boot id: another one, and the device was started in between
	Uptime  int64  `json:"uptime"`            // seconds from then to the event
	Seconds *int64 `json:"seconds,omitempty"` // ago, which does not jump; nil: of an earlier boot
	Event
}
