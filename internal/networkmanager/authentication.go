package networkmanager

import (
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// supplicant is the interface on which NetworkManager's wpa_supplicant reports 802.1X
// authentication. A rule in packaging/dbus lets the daemon's user receive these
// signals and nothing more; so the daemon cannot know which radio a signal concerns.
const supplicant = "fi.w1.wpa_supplicant1.Interface"

// authentication matches those signals.
var authentication = []dbus.MatchOption{dbus.WithMatchInterface(supplicant), dbus.WithMatchMember("EAP")}

// eapSignal is the signal EAP(status, parameter): how far 802.1X has come, in
// words of wpa_supplicant's eap_peer (eap_notify_status).
type eapSignal struct{ status, parameter string }

// verdict returns nil for a signal that proves nothing.
func (s eapSignal) verdict(n store.Network) *wifi.JoinError {
	switch {
	case n.EAP == nil:
	case s.status == "remote certificate verification" && s.parameter != "success":
		return wifi.NotTrusted(s.parameter)
	case s.status == "completion" && s.parameter == "failure":
		return n.EAP.NotAccepted()
	}
	return nil
}
