package policy

import "time"

// Event is something that happened. Events that answer an effect carry its
// generation; late ones are dropped.
type Event interface{ event() }

// Start is the first event. It carries what the previous run left.
type Start struct {
	Running Target
	Asked   time.Duration // how much longer a start_ap command applies; 0: there is none
}

// LinksChanged carries all uplinks as they are now.
type LinksChanged struct {
	Uplinks []Uplink
	Radio   bool // the radio is there
	// Together is true if the radio can be an access point and a station at once.
	// The policy does not ask for both yet.
	Together bool
}

// NetworksChanged carries what the store holds now: the saved networks, the
// best first, and the candidate or nil.
type NetworksChanged struct {
	Saved     []Network
	Candidate *Network
}

// Stage is how far the radio lane has come towards its target.
type Stage string

// The stages, in their order; an access point skips to StageReady.
const (
	StageCleared    Stage = "cleared"    // what the previous target held is gone
	StageAssociated Stage = "associated" // with the network
	StageAddressed  Stage = "addressed"  // by the network's DHCP server
	StageReady      Stage = "ready"      // the target is reached and verified
)

// RadioProgress reports that the radio lane has reached a stage of a part of the
// target.
type RadioProgress struct {
	Part  Part
	Gen   int
	Stage Stage
}

// RadioFailed reports that the radio lane has given up a part of the target,
// before or after StageReady.
type RadioFailed struct {
	Part Part
	Gen  int
	Failure
}

// ScanDone carries which of the saved networks were seen, by their SSIDs.
type ScanDone struct {
	Gen     int
	Visible []string
}

// ProbeDone carries the verdict of a probe; Reason is empty on success.
type ProbeDone struct {
	Uplink string
	Gen    int
	Reason string
	Portal bool // a portal answered
}

// ClientsChanged carries the number of stations on the access point.
type ClientsChanged struct{ Count int }

// ConfigChanged carries new settings. AccessPoint is true if the settings of the
// access point itself have changed, so that it must come up anew.
type ConfigChanged struct {
	Config      Config
	AccessPoint bool
}

// RadioChanged reports that another backend drives the radio now, so that the
// target has to be reached anew.
type RadioChanged struct{ Reason string }

// Wake reports that a deadline has passed.
type Wake struct{}

// Command is a request of a person or program. Each is answered by exactly
// one Reply with its ID, which is never 0.
type Command struct {
	ID   int
	Kind CommandKind
	SSID string // of Connect
}

// CommandKind is what a Command asks for.
type CommandKind string

// The commands that change what the device does.
const (
	StartAP CommandKind = "start_ap"
	StopAP  CommandKind = "stop_ap"
	Join    CommandKind = "start_wifi"
	Connect CommandKind = "connect"
	Forget  CommandKind = "forget_wifi"
	Reset   CommandKind = "reset"
	// Resume ends the silence that a StopAP began, when the program that needed
	// the radio for a moment no longer needs it.
	Resume CommandKind = "resume"
)

func (Start) event()           {}
func (LinksChanged) event()    {}
func (NetworksChanged) event() {}
func (RadioProgress) event()   {}
func (RadioFailed) event()     {}
func (ScanDone) event()        {}
func (ProbeDone) event()       {}
func (ClientsChanged) event()  {}
func (ConfigChanged) event()   {}
func (RadioChanged) event()    {}
func (Wake) event()            {}
func (Command) event()         {}

// Effect is something to be done.
type Effect interface{ effect() }

// SetRadio sets a new target for the radio lane; the latest target wins.
type SetRadio struct {
	Gen    int
	Target Target
}

// RunProbe asks for a probe of the uplink, of the kind that the configuration
// names.
type RunProbe struct {
	Gen    int
	Uplink Uplink
}

// RunScan looks for the saved networks: on their last known frequencies, or on
// all.
type RunScan struct {
	Gen  int
	Full bool
}

// Promote makes the verified candidate a saved network.
type Promote struct{}

// RecordJoin records how an attempt to join a saved network ended. Failed is true
// if the network is to blame.
type RecordJoin struct {
	Network Network
	Failed  bool
}

// ForgetNetworks removes the saved networks and the candidate.
type ForgetNetworks struct{}

// KeepAsked stores, for the next run, until when a start_ap command applies;
// zero: there is none.
type KeepAsked struct{ Until time.Time }

// Reply answers a command: with Result, or with Code and Reason.
type Reply struct {
	ID     int
	Result string
	Failure
}

func (SetRadio) effect()       {}
func (RunProbe) effect()       {}
func (RunScan) effect()        {}
func (Promote) effect()        {}
func (RecordJoin) effect()     {}
func (ForgetNetworks) effect() {}
func (KeepAsked) effect()      {}
func (Reply) effect()          {}
