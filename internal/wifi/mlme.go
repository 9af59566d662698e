package wifi

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/client"
)

// Listener receives the management frames between the interface and a router. The
// kernel sends them to every listener, whichever program runs the station. So the
// Listener knows why an attempt fails where that program reports less.
type Listener struct {
	conn    *nl80211
	ifindex int
}

// Listen starts to listen. Errors wrap ErrNotSupported or ErrNoInterface.
func Listen(name string) (*Listener, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", name, ErrNoInterface)
	}
	conn, err := dialNL80211(mlmeEvents)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", name, err)
	}
	return &Listener{conn: conn, ifindex: ifi.Index}, nil
}

// Close stops listening.
func (l *Listener) Close() { l.conn.Close() }

// Verdict waits until the frames since Listen prove why joining n failed. Most
// failures prove nothing: Verdict then returns the error of ctx.
func (l *Listener) Verdict(ctx context.Context, n Network) (*JoinError, error) {
	e := exchange{network: n}
	for {
		messages, err := l.conn.receive(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			if heard, ok := l.decode(m); ok {
				if verdict := e.hear(heard); verdict != nil {
					return verdict, nil
				}
			}
		}
	}
}

// mlmeFrame is a frame or an event of the exchange with a router.
type mlmeFrame struct {
	kind      mlmeKind
	local     bool // we sent the frame, or the kernel did for us
	algorithm int  // only in authentication frames: 3 is SAE
	sequence  int  // only in authentication frames
	status    int  // of authentication and association frames
	reason    int  // of the frame that ends an association or authentication
}

type mlmeKind int

const (
	mlmeAuthentication mlmeKind = iota
	mlmeAssociation             // the router's response
	mlmeEnd                     // the end of the association or authentication
	mlmeBeaconLoss              // the router is not heard any more
)

// exchange derives a verdict from the frames of one attempt. It is pure.
type exchange struct {
	network    Network
	keys       bool // the router has accepted us: keys are exchanged
	beaconLoss bool
}

func (e *exchange) hear(f mlmeFrame) *JoinError {
	switch f.kind {
	case mlmeAuthentication:
		e.keys, e.beaconLoss = false, false
		if !f.local && saeDenied(f.algorithm, f.sequence, f.status) {
			return wrongKey()
		}
	case mlmeAssociation:
		e.keys = f.status == 0
	case mlmeBeaconLoss:
		e.beaconLoss = true
	case mlmeEnd:
		keys := e.keys
		e.keys = false
		if keys {
			return e.ended(f)
		}
	}
	return nil
}

// ended judges the end of an association. Data may have passed in it already, because
// the Listener runs on until success is reported.
func (e *exchange) ended(f mlmeFrame) *JoinError {
	switch {
	case vanished(f.local, f.reason, e.beaconLoss):
		return joinError(client.CodeLost, "the router vanished during the key exchange")
	case !f.local && e.network.keyExchangeProves() && handshakeRefused(f.reason):
		return wrongKey()
	}
	return nil
}

// decode reads an event of the group "mlme" (nl80211_send_mlme_event and its
// neighbours in net/wireless/nl80211.c) if the event concerns the interface.
func (l *Listener) decode(m genetlink.Message) (f mlmeFrame, ok bool) {
	ad, err := netlink.NewAttributeDecoder(m.Data)
	if err != nil {
		return f, false
	}
	var frame []byte
	var ifindex, reason, status int
	var byRouter, beaconLoss bool
	for ad.Next() {
		switch ad.Type() {
		case unix.NL80211_ATTR_IFINDEX:
			ifindex = int(ad.Uint32())
		case unix.NL80211_ATTR_FRAME:
			frame = ad.Bytes()
		case unix.NL80211_ATTR_REASON_CODE:
			reason = int(ad.Uint16())
		case unix.NL80211_ATTR_STATUS_CODE:
			status = int(ad.Uint16())
		case unix.NL80211_ATTR_DISCONNECTED_BY_AP:
			byRouter = true
		case unix.NL80211_ATTR_CQM:
			ad.Nested(func(nad *netlink.AttributeDecoder) error {
				for nad.Next() {
					beaconLoss = beaconLoss || nad.Type() == unix.NL80211_ATTR_CQM_BEACON_LOSS_EVENT
				}
				return nad.Err()
			})
		}
	}
	if ad.Err() != nil || ifindex != l.ifindex {
		return f, false
	}
	switch m.Header.Command {
	case unix.NL80211_CMD_NOTIFY_CQM:
		return mlmeFrame{kind: mlmeBeaconLoss}, beaconLoss
	case unix.NL80211_CMD_CONNECT: // from drivers that authenticate by themselves
		return mlmeFrame{kind: mlmeAssociation, status: status}, true
	case unix.NL80211_CMD_DISCONNECT:
		return mlmeFrame{kind: mlmeEnd, local: !byRouter, reason: reason}, true
	case unix.NL80211_CMD_AUTHENTICATE, unix.NL80211_CMD_ASSOCIATE, unix.NL80211_CMD_DEAUTHENTICATE, unix.NL80211_CMD_DISASSOCIATE:
		return decodeFrame(m.Header.Command, frame)
	}
	return f, false
}

// managementHeader is the length of a management frame's header, with the sender's
// address at 10 and the cell's at 16 (IEEE 802.11-2020, 9.3.3.1). In frames from a
// router both addresses are equal. The interface's own address is not used, because
// it may change while a program joins with the interface.
const managementHeader = 24

// decodeFrame reads a management frame. An event without a frame reports an answer
// that did not come.
func decodeFrame(command uint8, frame []byte) (f mlmeFrame, ok bool) {
	if len(frame) < managementHeader {
		return f, false
	}
	f.local = !bytes.Equal(frame[10:16], frame[16:22])
	field := func(n int) int { // a field has two bytes, little endian
		at := managementHeader + 2*n
		if len(frame) < at+2 {
			return -1
		}
		return int(binary.LittleEndian.Uint16(frame[at:]))
	}
	switch command {
	case unix.NL80211_CMD_AUTHENTICATE:
		f.kind, f.algorithm, f.sequence, f.status = mlmeAuthentication, field(0), field(1), field(2)
		return f, f.status >= 0
	case unix.NL80211_CMD_ASSOCIATE:
		f.kind, f.status = mlmeAssociation, field(1) // after the capabilities
		return f, f.status >= 0
	}
	f.kind, f.reason = mlmeEnd, field(0)
	return f, f.reason >= 0
}
