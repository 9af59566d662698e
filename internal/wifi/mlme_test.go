package wifi

import (
	"encoding/binary"
	"net"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
)

var ownAddress = net.HardwareAddr{2, 0, 0, 0, 0, 0}

// mlmeEvent returns an event of the group "mlme" about the interface 5.
func mlmeEvent(t testing.TB, command uint8, fill func(*netlink.AttributeEncoder)) genetlink.Message {
	t.Helper()
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.NL80211_ATTR_IFINDEX, 5)
	fill(ae)
	data, err := ae.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return genetlink.Message{Header: genetlink.Header{Command: command}, Data: data}
}

// frameEvent returns an event with a management frame.
func frameEvent(t testing.TB, command uint8, from net.HardwareAddr, fields ...uint16) genetlink.Message {
	frame := make([]byte, managementHeader)
	copy(frame[10:], from)
	copy(frame[16:], bssid)
	for _, field := range fields {
		frame = binary.LittleEndian.AppendUint16(frame, field)
	}
	return mlmeEvent(t, command, func(ae *netlink.AttributeEncoder) { ae.Bytes(unix.NL80211_ATTR_FRAME, frame) })
}

// TestExchange checks what the frames of an attempt prove. mac80211 reported these
// frames when hostapd 2.10 ended a handshake, or vanished in it.
func TestExchange(t *testing.T) {
	const (
		auth, assoc, deauth = unix.NL80211_CMD_AUTHENTICATE, unix.NL80211_CMD_ASSOCIATE, unix.NL80211_CMD_DEAUTHENTICATE
		open, sae           = 0, 3
	)
	frame := func(command uint8, from net.HardwareAddr, fields ...uint16) genetlink.Message {
		return frameEvent(t, command, from, fields...)
	}
	taken := []genetlink.Message{frame(auth, bssid, open, 2, 0), frame(assoc, bssid, 0x0431, 0, 1)}
	beaconLoss := mlmeEvent(t, unix.NL80211_CMD_NOTIFY_CQM, func(ae *netlink.AttributeEncoder) {
		ae.Nested(unix.NL80211_ATTR_CQM, func(nae *netlink.AttributeEncoder) error {
			nae.Flag(unix.NL80211_ATTR_CQM_BEACON_LOSS_EVENT, true)
			return nil
		})
	})
	disconnect := func(byRouter bool, reason uint16) genetlink.Message {
		return mlmeEvent(t, unix.NL80211_CMD_DISCONNECT, func(ae *netlink.AttributeEncoder) {
			ae.Uint16(unix.NL80211_ATTR_REASON_CODE, reason)
			ae.Flag(unix.NL80211_ATTR_DISCONNECTED_BY_AP, byRouter)
		})
	}
	connect := mlmeEvent(t, unix.NL80211_CMD_CONNECT, func(ae *netlink.AttributeEncoder) { ae.Uint16(unix.NL80211_ATTR_STATUS_CODE, 0) })
	unanswered := mlmeEvent(t, auth, func(ae *netlink.AttributeEncoder) { ae.Flag(unix.NL80211_ATTR_TIMED_OUT, true) })
	after := func(more ...genetlink.Message) []genetlink.Message { return append(taken[:2:2], more...) }
	for _, row := range []struct {
		name   string
		n      Network
		events []genetlink.Message
		want   string // "": the frames prove nothing
	}{
		{"the router ends the handshake", homeWPA2, after(frame(deauth, bssid, 15)), client.CodeWrongKey},
		{"of a passphrase that NetworkManager keeps", Network{SSID: []byte("home"), Security: WPA2WPA3}, after(frame(deauth, bssid, 15)), client.CodeWrongKey},
		{"so does one of a driver that authenticates by itself", homeWPA2, []genetlink.Message{connect, disconnect(true, 15)}, client.CodeWrongKey},
		{"the router vanishes in the handshake", homeWPA2, after(beaconLoss, frame(deauth, ownAddress, 4)), client.CodeLost},
		{"it vanishes, and we end it for another reason", homeWPA2, after(beaconLoss, frame(deauth, ownAddress, 3)), client.CodeLost},
		{"we end the handshake", homeWPA2, after(frame(deauth, ownAddress, 3)), ""},
		{"the router ends it for another reason", homeWPA2, after(frame(deauth, bssid, 5)), ""},
		{"the router leaves before we were taken", homeWPA2, []genetlink.Message{frame(auth, bssid, open, 2, 0), frame(deauth, bssid, 15)}, ""},
		{"the network before was left", homeWPA2, []genetlink.Message{frame(deauth, ownAddress, 3)}, ""},
		{"an open network has no key", homeOpen, after(frame(deauth, bssid, 15)), ""},
		{"SAE: the confirmation is refused", homeAny, []genetlink.Message{frame(auth, bssid, sae, 1, 0), frame(auth, bssid, sae, 2, 1)}, client.CodeWrongKey},
		{"SAE: what we send proves nothing", homeAny, []genetlink.Message{frame(auth, ownAddress, sae, 2, 1)}, ""},
		{"SAE: the router wants a token first", homeAny, []genetlink.Message{frame(auth, bssid, sae, 1, 76)}, ""},
		{"no answer", homeWPA2, []genetlink.Message{unanswered, unanswered}, ""},
		{"cut short", homeWPA2, after(frame(deauth, bssid)), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			l, e := Listener{ifindex: 5}, exchange{network: row.n}
			got := ""
			for _, m := range row.events {
				if heard, ok := l.decode(m); ok && got == "" {
					if verdict := e.hear(heard); verdict != nil {
						got = verdict.Code
					}
				}
			}
			if got != row.want {
				t.Errorf("verdict %q, want %q", got, row.want)
			}
			if _, ok := (&Listener{ifindex: 6}).decode(row.events[len(row.events)-1]); ok {
				t.Error("another interface's event was taken for ours")
			}
		})
	}
}
