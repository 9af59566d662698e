package network

import (
	"net"
	"net/netip"
	"time"

	"github.com/netconnectd/netconnectd/internal/link"
)

// State is the declared network at one time. Its zero value declares nothing. Step
// returns a new State and never changes the State that it was given.
type State struct {
	spec       Spec              // with a Device for each name that is referred to
	order      []int             // indexes of spec.Devices: those below first
	byName     map[string]int    // indexes of spec.Devices
	named      map[string]int    // indexes of spec.Interfaces
	routes     map[string][]int  // indexes of spec.Routes, by interface
	links      map[string]Link   // of the kernel, by name
	devices    []deviceState     // by the index in spec.Devices
	interfaces []interfaceState  // by the index in spec.Interfaces
	claimed    map[string]bool   // devices that an interface has claimed since they are declared
	indexes    map[string]int    // of the links of desired when they were last seen; 0: absent
	desired    link.Desired      // as it was handed out last
	generation uint64            // of desired
	applied    uint64            // generation that was carried out last
	refused    map[string]string // by the path of the declaration, of applied
	attempts   int               // failed ones in a row
	retry      time.Time         // when the refused ones are tried again; zero: there are none
}

// deviceState is what follows for a device from the links of the kernel.
type deviceState struct {
	link    string // name of the kernel's link; "": not known
	present bool   // the link is there, or can be created
	claimed bool   // an interface, or a device above, needs the device up
	carrier bool
}

// Phase is how far an interface is.
type Phase string

// The phases, in netifd's words.
const (
	Down     Phase = "down"
	Setup    Phase = "setup"
	Up       Phase = "up"
	Teardown Phase = "teardown"
)

type interfaceState struct {
	phase     Phase
	autostart bool      // set the interface up whenever its device is present
	since     time.Time // of phase Up
	lost      time.Time // when the carrier went; zero: it is there
	session   uint64    // counts the runs of the protocol
	running   bool      // the protocol runs
	lease     *Lease    // of the protocol; nil: none yet
}

// Link is what Step needs to know of a link of the kernel.
type Link struct {
	Name    string
	Index   int
	MAC     net.HardwareAddr // the permanent address if the hardware has one
	Carrier bool
}

// Lease is what a protocol has got for an interface.
type Lease struct {
	Addresses []link.AddressSpec // with Until where they end
	Routes    []link.RouteSpec   // default routes included
	DNS       []netip.Addr
	Search    []string
}

// Event is something that has happened: Declared, LinksChanged, Asked, Leased,
// Applied or TimePassed.
type Event interface{ event() }

type (
	// Declared is a configuration that was read. Everything is compared with the
	// kernel, also if the configuration is the same as before. Held are the leases that
	// the kernel still has from an earlier run, by the name of the interface: such an
	// address stays until its protocol has got another one.
	Declared struct {
		Spec Spec
		Held map[string]*Lease
	}

	// LinksChanged has all links of the kernel.
	LinksChanged struct{ Links []Link }

	// Asked is a command that sets an interface up or down. The command counts
	// until the next one, beyond changes of the configuration.
	Asked struct {
		Interface string
		Up        bool
	}

	// Leased is a lease of the protocol that StartProtocol started, or its loss
	// (nil).
	Leased struct {
		Interface string
		Session   uint64
		Lease     *Lease
	}

	// Applied is the result of Apply.
	Applied struct {
		Generation uint64
		Refused    map[string]string // text of each refusal, by the path of the declaration; "": of everything
	}

	// TimePassed is sent when Next has come.
	TimePassed struct{}
)

func (Declared) event()     {}
func (LinksChanged) event() {}
func (Asked) event()        {}
func (Leased) event()       {}
func (Applied) event()      {}
func (TimePassed) event()   {}

// Effect is something to do: Apply, StartProtocol, StopProtocol or Notify.
type Effect interface{ effect() }

type (
	// Apply makes the kernel's interfaces what is desired. A later Apply replaces
	// an earlier one that has not begun.
	Apply struct {
		Generation uint64
		Desired    link.Desired
	}

	// StartProtocol runs the protocol of an interface until StopProtocol.
	StartProtocol struct {
		Interface Interface
		Session   uint64
		Link      string // name of the kernel's link
	}

	// StopProtocol ends the run of a protocol.
	StopProtocol struct {
		Interface string
		Session   uint64
	}

	// Notify reports that an interface has come up or gone down.
	Notify struct {
		Interface string
		Action    Action
	}
)

// Action is what has happened to an interface.
type Action string

// The actions, in netifd's words.
const (
	ActionUp     Action = "ifup"
	ActionDown   Action = "ifdown"
	ActionUpdate Action = "ifupdate"
)

func (Apply) effect()         {}
func (StartProtocol) effect() {}
func (StopProtocol) effect()  {}
func (Notify) effect()        {}
