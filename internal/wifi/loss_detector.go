package wifi

import (
	"time"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

const (
	// recovery is how long a lost association may take to come back by itself.
	// wpa_supplicant needs 0.3 s where the router is still there (after a key renewal
	// that failed, or when a router sends us to another of its cells). The link
	// monitor sees the loss of carrier, and at once.
	recovery = 2 * time.Second

	// checkInterval is how often wpa_supplicant is asked for its state, in case an
	// event was lost or wpa_supplicant hangs. A hang is mended at the latest 15 s
	// after it began, of which 4 s are for an answer.
	checkInterval = 8 * time.Second
)

// lossDetector decides from the events and the state of wpa_supplicant whether an
// association is lost. It is pure.
type lossDetector struct {
	reason     string // why the association may be lost; "" while all is well
	beaconLoss bool
}

// event takes the next message and reports whether the association is lost
// for good.
func (d *lossDetector) event(e wpactrl.Event) (lost bool) {
	switch e.Name {
	case "CTRL-EVENT-BEACON-LOSS":
		d.beaconLoss = true
	case "CTRL-EVENT-CONNECTED":
		*d = lossDetector{}
	case "CTRL-EVENT-DISCONNECTED":
		d.disconnected(e)
	case "CTRL-EVENT-SSID-TEMP-DISABLED":
		d.doubt("the router refused us")
		return true
	case "CTRL-EVENT-TERMINATING":
		d.reason = "wpa_supplicant ended"
		return true
	}
	return false
}

func (d *lossDetector) disconnected(e wpactrl.Event) {
	switch {
	case e.Param("locally_generated") != "1":
		d.doubt("the router ended it (reason " + number(e.Param("reason")) + ")")
	case d.beaconLoss || e.Param("reason") == "4": // reason 4: disassociated due to inactivity
		d.doubt("the router vanished")
	default:
		d.doubt("it ended here (reason " + number(e.Param("reason")) + ")")
	}
}

// unnoticed is the reason until an event, which may be on its way, brings a better
// one.
const unnoticed = "it ended unnoticed"

// doubt keeps the first reason, which is the cause of the later ones.
func (d *lossDetector) doubt(reason string) {
	if d.reason == "" || d.reason == unnoticed {
		d.reason = reason
	}
}

// patience returns how long to wait for an event before state must be called.
func (d *lossDetector) patience() time.Duration {
	if d.reason != "" {
		return recovery
	}
	return checkInterval
}

// state takes the answer to STATUS after patience is over, and reports whether the
// association is lost for good.
func (d *lossDetector) state(completed bool) (lost bool) {
	switch {
	case completed:
		*d = lossDetector{}
		return false
	case d.reason != "":
		return true
	}
	d.doubt(unnoticed)
	return false
}
