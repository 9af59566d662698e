// Package wifi is the station's side of a radio: which networks are in reach (Scan),
// which interfaces are radios (Radios), and how to associate with one network through
// wpa_supplicant (Station). Package link manages addresses, routes and whether the
// interface is up.
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

// The securities that a scan distinguishes.
const (
	Open     Security = "open"
	WEP      Security = "wep"
	WPA      Security = "wpa"       // WPA1 with a passphrase, nothing better
	WPA2     Security = "wpa2"      // PSK, also beside WPA1
	WPA3     Security = "wpa3"      // SAE only
	WPA2WPA3 Security = "wpa2/wpa3" // transition mode: PSK and SAE
	OWE      Security = "owe"       // open, but encrypted (RFC 8110)
	EAP      Security = "eap"       // 802.1X: each user has a name and a password, or a certificate
	Unknown  Security = "unknown"   // protected by a method that we do not know
)

// Network is what joining a network needs.
type Network struct {
	SSID      []byte           // 1 to 32 bytes of any value
	PSK       secret.Secret    // passphrase of 8 to 63 bytes, or 64 hexadecimal digits; zero if open
	Security  Security         // as a scan reported it; "": Open without PSK, else any security that takes a passphrase
	Frequency int              // MHz, where the network was heard last; 0: unknown. With this hint a join needs no full scan
	Hidden    bool             // beacons do not contain the SSID
	BSSID     net.HardwareAddr // join only this cell; nil: any cell
	PMF       PMF              // "": required where SAE is used, else as the router prefers
	EAP       *EAPCredentials  // who we are; only with security EAP

	// TransitionOver means that the router has no cells left that can do less than
	// WPA3 (Transition Disable, WPA3 specification 8). The network is then joined
	// with WPA3 or not at all, whatever cells with its name claim.
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

// EAPCredentials say who we are to a network with 802.1X, and how we recognise that
// it is the right network. Certificates and keys are paths of PEM files.
type EAPCredentials struct {
	Method             string // "peap", "ttls" or "tls"
	Identity           string
	AnonymousIdentity  string        // sent unencrypted; "": Identity
	Password           secret.Secret // only with peap and ttls
	Phase2             string        // "mschapv2" or "pap"; "": mschapv2
	CACert             string        // the CA that signs the server's certificate; "" only with AnyServer
	ServerName         string        // the domain that the server's certificate must name; "": any
	AnyServer          bool          // trust any server
	ClientCert         string        // only with tls
	PrivateKey         string        // only with tls
	PrivateKeyPassword secret.Secret
}

// BSS is one cell of a network as a scan saw it.
type BSS struct {
	SSID      []byte // the raw bytes; empty or zero bytes if hidden
	BSSID     net.HardwareAddr
	Frequency int  // MHz
	Channel   int  // the channel of Frequency, 0 in a band that we do not know
	Signal    int  // dBm
	Privacy   bool // the capability bit of the beacon
	Security  Security
	PMF       bool          // the cell can protect management frames
	FastOnly  bool          // the cell accepts only stations with fast transition (802.11r)
	LastSeen  time.Duration // how long ago the cell was heard
}

// Scan returns these errors, wrapped.
var (
	ErrNotSupported = errors.New("not supported by the radio or its driver")
	ErrBusy         = errors.New("the radio is busy")
	ErrNoInterface  = errors.New("no such Wi-Fi interface")
	ErrDown         = errors.New("the interface is down")
)

// JoinError is the verdict on an attempt to join.
type JoinError struct {
	Code   string // one of package client, e.g. client.CodeWrongKey
	Reason string // for people, e.g. "the passphrase is not the router's"

	cell  net.HardwareAddr // the cell that the verdict concerns; nil: none
	lower bool             // a weaker variant may work: a radio or router that cannot protect management frames fails like this
}

func (e *JoinError) Error() string { return fmt.Sprintf("join the network: %s", e.Reason) }

func joinError(code string, format string, args ...any) *JoinError {
	return &JoinError{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// lowerError returns a joinError after which a weaker variant may work.
func lowerError(code string, format string, args ...any) *JoinError {
	e := joinError(code, format, args...)
	e.lower = true
	return e
}

// LostError says that an association ended.
type LostError struct{ Reason string }

func (e *LostError) Error() string { return "association lost: " + e.Reason }

// Association is a network that the station has joined.
type Association struct {
	SSID      []byte
	BSSID     net.HardwareAddr
	Frequency int  // MHz
	Signal    int  // dBm, 0 if the driver does not report it
	PMF       PMF  // the level that was asked for; "" if the association was adopted
	Adopted   bool // it was made before this Station's first Associate

	TransitionOver bool // the router has announced it, see Network
}

// Channel returns the number of the channel whose centre is at a frequency in MHz, 0
// if there is none (IEEE 802.11-2020, annex E; 6 GHz: 802.11ax).
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
	case mhz == 5935: // the one 6 GHz channel that is out of line
		return 2
	case mhz >= 5955 && mhz <= 7115 && mhz%5 == 0:
		return (mhz - 5950) / 5
	case mhz >= 58320 && mhz <= 69120 && (mhz-56160)%2160 == 0:
		return (mhz - 56160) / 2160
	}
	return 0
}
