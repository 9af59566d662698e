package wifi

import (
	"time"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

const (
	// recovery is how long a lost association may take to come back by
	// itself: wpa_supplicant needs 0.3 s where the router is still there
	// (after a key renewal that failed, or when a router sends us to its other
	// cell). The loss of carrier is seen elsewhere, and at once.
	recovery = 2 * time.Second

	// checkInterval is how often the state is asked for, in case an event was
	// lost or wpa_supplicant hangs: it serves again 15 s after it began to hang
	// at the latest, and 4 s of them are for it to answer.
	checkInterval = 8 * time.Second
)

// vigil decides from events and the state of wpa_supplicant whether an
// association is lost. It is pure.
type vigil struct {
	reason     string // why it may be lost; "" while all is well
	beaconLoss bool
}

// event takes the next message and reports whether the association is lost
// for good.
func (v *vigil) event(e wpactrl.Event) (lost bool) {
	switch e.Name {
	case "CTRL-EVENT-BEACON-LOSS":
		v.beaconLoss = true
	case "CTRL-EVENT-CONNECTED":
		*v = vigil{}
	case "CTRL-EVENT-DISCONNECTED":
		v.disconnected(e)
	case "CTRL-EVENT-SSID-TEMP-DISABLED":
		v.doubt("the router refused us")
		return true
	case "CTRL-EVENT-TERMINATING":
		v.reason = "wpa_supplicant ended"
		return true
	}
	return false
}

func (v *vigil) disconnected(e wpactrl.Event) {
	switch {
	case e.Param("locally_generated") != "1":
		v.doubt("the router ended it (reason " + number(e.Param("reason")) + ")")
	case v.beaconLoss || e.Param("reason") == "4": // disassociated due to inactivity
		v.doubt("the router vanished")
	default:
		v.doubt("it ended here (reason " + number(e.Param("reason")) + ")")
	}
}

// unnoticed is the reason until an event, which may be on its way, knows better.
const unnoticed = "it ended unnoticed"

// doubt keeps the first reason, which is the cause of the others.
func (v *vigil) doubt(reason string) {
	if v.reason == "" || v.reason == unnoticed {
		v.reason = reason
	}
}

// patience is how long to wait for an event before state must be called.
func (v *vigil) patience() time.Duration {
	if v.reason != "" {
		return recovery
	}
	return checkInterval
}

// state takes what STATUS says after patience ran out, and reports whether
// the association is lost for good.
func (v *vigil) state(completed bool) (lost bool) {
	switch {
	case completed:
		*v = vigil{}
		return false
	case v.reason != "":
		return true
	}
	v.doubt(unnoticed)
	return false
}
