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
	AccessPoint AccessPoint `json:"access_point"`
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
	LastError      *Failure  `json:"last_error"`       // of the last attempt to join, nil after a success
	Candidate      *Network  `json:"candidate"`        // configured but not yet proven to work
	Networks       []Network `json:"networks"`         // saved, have worked; never null
}

// Failure is why something did not work.
type Failure struct {
	Code string `json:"code"` // e.g. "wrong_key", as in Error
	Text string `json:"text"` // for people
}

// Network names a Wi-Fi network.
type Network struct {
	SSID    string `json:"ssid"`     // see SSIDText
	SSIDHex string `json:"ssid_hex"` // the bytes of the SSID in hexadecimal
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

// AccessPoint is the daemon's own access point. Its State is off, starting,
// up or stopping.
type AccessPoint struct {
	Condition
	SSID    string    `json:"ssid"`    // see SSIDText
	Clients []Station `json:"clients"` // never null
}

// Station is a client of the access point.
type Station struct {
	Address string `json:"address"` // "AA:BB:…"
	IP      string `json:"ip"`      // leased address, "" while it has none
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
}

// Kinds of events. An event of another kind comes from a newer daemon.
const (
	EventSnapshot    = "snapshot"     // Status; the first event of every subscription
	EventStatus      = "status"       // Status; something in it changed
	EventUplink      = "uplink"       // Old, New, Reason: Status.Uplink.State
	EventAccessPoint = "access_point" // Old, New, Reason: Status.AccessPoint.State
)

// Event is what subscribers receive.
type Event struct {
	Type   string    `json:"type"`
	Time   time.Time `json:"time"` // by the device's clock
	Old    string    `json:"old,omitempty"`
	New    string    `json:"new,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Status *Status   `json:"status,omitempty"`

	// Seq grows by one from event to event. It travels beside the event.
	Seq uint64 `json:"-"`
	// Frame is the object as it came, for fields that this version of the
	// package does not know.
	Frame json.RawMessage `json:"-"`
}
