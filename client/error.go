package client

import "strings"

// Codes of errors that the socket itself gives. Operations have codes of their
// own, e.g. "wrong_key".
const (
	CodeUnknownCommand   = "unknown_command"
	CodeBadRequest       = "bad_request"       // not a frame, not an object, wrong parameters
	CodePermissionDenied = "permission_denied" // the text has the remedy
	CodeInternal         = "internal"          // the daemon's log has the reason
	CodeOverloaded       = "overloaded"        // too many connections
	CodeTooSlow          = "too_slow"          // a request took too long to arrive, or events were not read
	CodeShuttingDown     = "shutting_down"
	CodeBadConfig        = "bad_config" // the text has all problems, one per line after the first
	CodeNotFound         = "not_found"  // no such interface, no such network
	CodeExists           = "exists"     // a network of that SSID is saved already
	CodeForeign          = "foreign"    // the network is a profile that somebody else has made in NetworkManager
	CodeSupervised       = "supervised" // something else starts and stops the daemon; the text says what to do
)

// Error is an error reply, or what Do says in its place.
type Error struct {
	Code    string // for programs; "" from the original daemon
	Message string // the original daemon's text where it had one, e.g. "could not connect"
	Reason  string // for people, what lies behind the message; may be empty
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
