package client

import "strings"

// These codes belong to errors of the socket itself.
const (
	CodeUnknownCommand   = "unknown_command"
	CodeBadRequest       = "bad_request"       // not a frame, not an object, wrong parameters
	CodePermissionDenied = "permission_denied" // the text contains the remedy
	CodeInternal         = "internal"          // the daemon's log contains the reason
	CodeOverloaded       = "overloaded"        // too many connections
	CodeTooSlow          = "too_slow"          // a request took too long to arrive, or events were not read
	CodeShuttingDown     = "shutting_down"
	CodeBadConfig        = "bad_config" // the text lists all problems, one per line after the first
	CodeNotFound         = "not_found"  // no such interface, no such saved network; the network was not seen by a full scan
	CodeExists           = "exists"     // a network of that SSID is saved already
	CodeForeign          = "foreign"    // the network is a profile that another program has made in NetworkManager
	CodeOnTrial          = "on_trial"   // a configuration waits to be confirmed; the text contains who began the trial, and the remedy
	CodeNoTrial          = "no_trial"   // no configuration waits to be confirmed
	CodeNotProven        = "not_proven" // the connection is older than the change, so it does not show that the device can be reached
	CodeNotKept          = "not_kept"   // the configuration in force is not saved, so a trial could not be taken back
	CodeSupervised       = "supervised" // a supervisor starts and stops the daemon; the text contains the remedy
)

// These codes belong to failures to join a network, to scan, and to start or stop the
// access point. A Failure in the status and the Event of a join also use them.
const (
	CodeWrongKey         = "wrong_key"          // the router, or the network's server, does not accept the credentials
	CodeLost             = "lost"               // the router vanished or fell silent
	CodeSecurityMismatch = "security_mismatch"  // the network was seen with another security than the saved one
	CodeServerNotTrusted = "server_not_trusted" // 802.1X: the server's certificate is not trusted
	CodeNoAddress        = "no_address"         // the network assigned no address
	CodeNoGateway        = "no_gateway"         // the network announced no gateway, or the gateway does not answer
	CodeRejected         = "rejected"           // the router, or the driver, refuses
	CodeUnsupported      = "unsupported"        // netconnectd cannot join this kind of network
	CodeTimeout          = "timeout"            // no success in time
	CodeRadioOff         = "radio_off"          // the radio is switched off (rfkill), or its interface is down
	CodeRadioFailed      = "radio_failed"       // the radio, or its driver, does not do what it is asked
	CodeNoRadio          = "no_radio"           // there is no Wi-Fi interface
	CodeNotConfigured    = "not_configured"     // no network is saved
	CodeBusy             = "busy"               // another request is being carried out, or the access point is in the way
	CodeCancelled        = "cancelled"          // another request, or a change of the networks, has replaced it
	CodeAPFailed         = "ap_failed"          // the access point did not come up, or went down
	CodeAPAlways         = "ap_always"          // ap.mode is always, so the radio is no station
)

// Error is an error reply, or an error that Do returns without a reply.
type Error struct {
	Code    string // for programs; "" from the original daemon
	Message string // the original daemon's text where it had one, e.g. "could not connect"
	Reason  string // the cause, for people; may be empty
}

// Error implements error: "could not connect (wrong_key): the reason". Further
// lines of the message follow.
func (e *Error) Error() string {
	text, more, lines := strings.Cut(e.Message, "\n")
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if lines {
		text += "\n" + more
	}
	return text
}
