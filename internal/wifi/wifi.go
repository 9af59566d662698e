// Package wifi is the station's side of a radio: what networks there are
// (Scan), which interfaces are radios (Radios), and being associated with one
// network through wpa_supplicant (Station). Addresses, routes and whether the
// interface is up are the business of package link.
package wifi

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/netconnectd/netconnectd/internal/secret"
)

// Security is how a network keeps strangers out.
type Security string

// The securities that a scan tells apart.
const (
	Open     Security = "open"
	WEP      Security = "wep"
	WPA      Security = "wpa"       // WPA1 with a passphrase, nothing better
	WPA2     Security = "wpa2"      // PSK, also beside WPA1
	WPA3     Security = "wpa3"      // SAE only
	WPA2WPA3 Security = "wpa2/wpa3" // transition mode: PSK and SAE
	OWE      Security = "owe"       // open, but encrypted (RFC 8110)
	EAP      Security = "eap"       // 802.1X, a name and a password or a certificate each
	Unknown  Security = "unknown"   // protected by something that we do not know
)

// Network is what is needed to join one.
type Network struct {
	SSID      []byte           // 1 to 32 bytes of any value
	PSK       secret.Secret    // passphrase of 8 to 63 bytes, or 64 hexadecimal digits; zero if open
	Security  Security         // as a scan saw it; "" is Open without PSK, else whatever takes a passphrase
	Frequency int              // MHz, where it was seen last; 0 if not known. A hint: it saves a full scan
	Hidden    bool             // its beacons do not tell the SSID
	BSSID     net.HardwareAddr // this cell only; nil: any
	PMF       PMF              // "": required where SAE is used, else as the router likes
	EAP       *EAPCredentials  // who we are; of security EAP only

	// TransitionOver says that the router has no cells left that can do less than
	// WPA3 (Transition Disable, WPA3 specification 8): the network is joined so
	// or not at all, whatever cells of its name say.
	TransitionOver bool
}

// PMF says how management frames are protected (IEEE 802.11w).
type PMF string

// The levels, highest first.
const (
	PMFRequired PMF = "required"
	PMFOptional PMF = "optional"
	PMFOff      PMF = "off"
)

// EAPCredentials are who we are to a network with 802.1X, and how we know that
// it is the right one. Certificates and keys are paths of PEM files.
type EAPCredentials struct {
	Method             string // "peap", "ttls" or "tls"
	Identity           string
	AnonymousIdentity  string        // said in the clear; "": Identity
	Password           secret.Secret // of peap and ttls
	Phase2             string        // "mschapv2" or "pap"; "": mschapv2
	CACert             string        // who signs for the server; "" only with AnyServer
	ServerName         string        // domain that the server's certificate must be for; "": any
	AnyServer          bool          // trust whoever answers
	ClientCert         string        // of tls
	PrivateKey         string        // of tls
	PrivateKeyPassword secret.Secret
}

// BSS is one cell of a network as a scan saw it.
type BSS struct {
	SSID      []byte // raw; empty or zero bytes if hidden
	BSSID     net.HardwareAddr
	Frequency int  // MHz
	Channel   int  // of Frequency, 0 if it is in no band that we know
	Signal    int  // dBm
	Privacy   bool // the capability bit of the beacon
	Security  Security
	PMF       bool          // it can protect management frames
	FastOnly  bool          // it lets in only those who do fast transition (802.11r)
	LastSeen  time.Duration // ago
}

// What Scan returns, wrapped, when it cannot.
var (
	ErrNotSupported = errors.New("not supported by the radio or its driver")
	ErrBusy         = errors.New("the radio is busy")
	ErrNoInterface  = errors.New("no such Wi-Fi interface")
	ErrDown         = errors.New("the interface is down")
)

// JoinError is the verdict on an attempt to join.
type JoinError struct {
	Code   string // of package client, e.g. client.CodeWrongKey
	Reason string // for people, e.g. "the passphrase is not the router's"

	cell  net.HardwareAddr // that the verdict is of; nil: none
	lower bool             // another variant may work: a radio or router that cannot protect management frames fails like this
}

func (e *JoinError) Error() string { return fmt.Sprintf("join the network: %s", e.Reason) }

func joinError(code string, format string, args ...any) *JoinError {
	return &JoinError{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// lowerError is a joinError after which another variant may work.
func lowerError(code string, format string, args ...any) *JoinError {
	e := joinError(code, format, args...)
	e.lower = true
	return e
}

// LostError says that an association ended.
type LostError struct{ Reason string }

func (e *LostError) Error() string { return "association lost: " + e.Reason }

// Association is a network that we are in.
type Association struct {
	SSID      []byte
	BSSID     net.HardwareAddr
	Frequency int  // MHz
	Signal    int  // dBm, 0 if the driver does not tell
	PMF       PMF  // the level that was asked for; "" of an association that was adopted
	Adopted   bool // it was made before this Station's first

	TransitionOver bool // the router has said so, see Network
}

// Channel gives the number of the channel whose centre is at a frequency in
// MHz, 0 if there is none (IEEE 802.11-2020, annex E; 6 GHz: 802.11ax).
func Channel(mhz int) int {
	switch {
	case mhz == 2484:
		return 14
	case mhz >= 2412 && mhz <= 2472 && (mhz-2407)%5 == 0:
		return (mhz - 2407) / 5
	case mhz >= 4910 && mhz <= 4980 && mhz%5 == 0: // public safety, Japan
		return (mhz - 4000) / 5
	case mhz >= 5005 && mhz <= 5895 && mhz%5 == 0:
		return (mhz - 5000) / 5
	case mhz == 5935: // the one 6 GHz channel out of the raster
		return 2
	case mhz >= 5955 && mhz <= 7115 && mhz%5 == 0:
		return (mhz - 5950) / 5
	case mhz >= 58320 && mhz <= 69120 && (mhz-56160)%2160 == 0:
		return (mhz - 56160) / 2160
	}
	return 0
}
