package server

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/state"
)

// maxDepth is how deep arrays and objects of a request may nest.
const maxDepth = 32

// Request is a command for the Handler: one of the types below.
type Request interface {
	// Command returns the name on the wire.
	Command() string
}

// ListWifi asks for the cells in reach: []client.BSS. With Force a scan may
// interrupt the access point.
type ListWifi struct{ Force bool }

// ConfigWifi makes a network the one to try next.
type ConfigWifi struct {
	SSID  []byte        // 0 to 32 bytes of any value
	PSK   secret.Secret // zero: absent
	Force bool
}

// StartWifi joins the configured network. The reply comes when the join has ended.
type StartWifi struct{}

// ForgetWifi removes the configured network.
type ForgetWifi struct{}

// Connect joins the saved network of that SSID. The reply comes when the join has
// ended.
type Connect struct{ SSID []byte }

// RemoveNetwork forgets the saved network of that SSID and keeps the others.
type RemoveNetwork struct{ SSID []byte }

// Adopt takes over a profile that another program has saved in NetworkManager, so
// that the daemon may change it.
type Adopt struct{ SSID []byte }

// History asks for the last Limit entries of the history, 0 for all, the oldest
// first: []client.HistoryEntry.
type History struct{ Limit int }

// Interfaces asks which interfaces the daemon owns, and what it wants of them:
// []client.OwnedInterface.
type Interfaces struct{}

// Reset forgets the configured network and starts afresh.
type Reset struct{}

// StartAP starts the access point.
type StartAP struct{}

// StopAP stops the access point.
type StopAP struct{}

// Metrics asks for the counters: a text in Prometheus' format.
type Metrics struct{}

// Reload reads the configuration again and applies the differences, which the reply
// lists in a text. A configuration with problems changes nothing; the error has the
// code client.CodeBadConfig and all problems as its message.
type Reload struct{}

// StopDaemon ends the daemon, but keeps the network that the daemon set up. The reply
// is client.ResultStopping, or an error with client.CodeSupervised if a supervisor
// would start the daemon again. Only root and the daemon's own user may send it.
type StopDaemon struct{}

// The server itself answers status and subscribe.
type (
	status    struct{}
	subscribe struct{ network *state.Filter } // nil: the daemon's events
)

func (ListWifi) Command() string      { return "list_wifi" }
func (ConfigWifi) Command() string    { return "config_wifi" }
func (StartWifi) Command() string     { return "start_wifi" }
func (ForgetWifi) Command() string    { return "forget_wifi" }
func (Connect) Command() string       { return "connect" }
func (RemoveNetwork) Command() string { return "remove_network" }
func (Adopt) Command() string         { return "adopt" }
func (History) Command() string       { return "history" }
func (Interfaces) Command() string    { return "interfaces" }
func (Reset) Command() string         { return "reset" }
func (StartAP) Command() string       { return "start_ap" }
func (StopAP) Command() string        { return "stop_ap" }
func (Metrics) Command() string       { return "metrics" }
func (Reload) Command() string        { return "reload" }
func (StopDaemon) Command() string    { return "stop_daemon" }
func (status) Command() string        { return "status" }
func (subscribe) Command() string     { return "subscribe" }

type params map[string]json.RawMessage

// command is one row of the protocol: how its parameters are decoded, and which rank
// a peer needs for the request.
type command struct {
	decode func(params) (Request, *client.Error)
	needs  rank
}

// commands lists all commands by their names on the wire. Unknown parameters are
// ignored, as in the original, except those of show, add_network and set_network. A
// reader's list_wifi may not interrupt the access point: see permit.
var commands = map[string]command{
	"status":         {plain(status{}), reader},
	"subscribe":      {decodeSubscribe, reader},
	"show":           {decodeShow, reader},
	"list_wifi":      {func(p params) (Request, *client.Error) { return ListWifi{Force: p.truthy("force")}, nil }, reader},
	"config_wifi":    {decodeConfigWifi, changer},
	"start_wifi":     {plain(StartWifi{}), changer},
	"forget_wifi":    {plain(ForgetWifi{}), changer},
	"connect":        {decodeSSID(func(ssid []byte) Request { return Connect{ssid} }), changer},
	"list_networks":  {plain(ListNetworks{}), reader},
	"add_network":    {decodeNetwork(func(ssid []byte, s NetworkSettings) Request { return AddNetwork{ssid, s} }), changer},
	"set_network":    {decodeNetwork(func(ssid []byte, s NetworkSettings) Request { return SetNetwork{ssid, s} }), changer},
	"remove_network": {decodeSSID(func(ssid []byte) Request { return RemoveNetwork{ssid} }), changer},
	"adopt":          {decodeSSID(func(ssid []byte) Request { return Adopt{ssid} }), changer},
	"history":        {decodeHistory, reader},
	"interfaces":     {plain(Interfaces{}), reader},
	"call":           {decodeCall, reader}, // each method has its own rank
	"reset":          {plain(Reset{}), changer},
	"start_ap":       {plain(StartAP{}), changer},
	"stop_ap":        {plain(StopAP{}), changer},
	"metrics":        {plain(Metrics{}), reader},
	"reload":         {plain(Reload{}), changer},
	"stop_daemon":    {plain(StopDaemon{}), trusted},
}

func plain(r Request) func(params) (Request, *client.Error) {
	return func(params) (Request, *client.Error) { return r, nil }
}

// decodeSSID returns a decoder for a request whose only parameter is a network's
// SSID.
func decodeSSID(request func(ssid []byte) Request) func(params) (Request, *client.Error) {
	return func(p params) (Request, *client.Error) {
		ssid, err := p.ssid()
		if err != nil {
			return nil, err
		}
		return request(ssid), nil
	}
}

// unreadable returns the original's answer to every frame that it could not read, and
// adds the reason, which never quotes the frame.
func unreadable(reason string) *client.Error {
	return &client.Error{Code: client.CodeBadRequest, Message: client.TextProcessing, Reason: reason}
}

// errUnknown is the answer to a well-formed request for an unknown command.
var errUnknown = &client.Error{Code: client.CodeUnknownCommand, Message: client.TextUnknownMessage}

// decode reads one frame, without its NUL: {"<command>":{…},"id":…}. It returns the
// id whenever the id can be read. Errors never quote the frame, which may contain a
// passphrase.
func decode(frame []byte) (id json.RawMessage, req Request, err *client.Error) {
	top, err := object("the request", frame)
	if err != nil {
		return nil, nil, err
	}
	id, ok := top["id"]
	if ok && (id[0] == '{' || id[0] == '[') {
		return nil, nil, unreadable("id is neither a number nor a text")
	}
	var known []string
	for name := range top {
		if _, ok := commands[name]; ok {
			known = append(known, name)
		}
	}
	switch len(known) {
	case 0:
		return id, nil, errUnknown
	case 1:
		req, err = decodeCommand(known[0], top[known[0]])
		return id, req, err
	default:
		slices.Sort(known)
		return id, nil, unreadable("the request has more than one command: " + strings.Join(known, ", "))
	}
}

func decodeCommand(name string, text json.RawMessage) (Request, *client.Error) {
	p, err := object("the value of "+name, text)
	if err != nil {
		return nil, err
	}
	if halfCharacter(text) {
		return nil, unreadable("the parameters of " + name + ` have half of a character (\ud800 to \udfff): ssid_hex takes an SSID that is not text`)
	}
	return commands[name].decode(p)
}

// decodeHistory accepts a limit that is a number, at least 0.
func decodeHistory(p params) (Request, *client.Error) {
	var req History
	if text, given := p["limit"]; given && (json.Unmarshal(text, &req.Limit) != nil || req.Limit < 0) {
		return nil, &client.Error{Code: client.CodeBadRequest, Message: "limit is a number of entries, 0 for all"}
	}
	return req, nil
}

// decodeConfigWifi requires ssid, which may be empty, or ssid_hex, which takes
// precedence.
func decodeConfigWifi(p params) (Request, *client.Error) {
	ssid, err := p.ssid()
	if err != nil {
		return nil, err
	}
	req := ConfigWifi{SSID: ssid, Force: p.truthy("force")}
	if p.truthy("psk") {
		psk, err := p.text("psk")
		if err != nil {
			return nil, err
		}
		req.PSK = secret.New(psk)
	}
	return req, nil
}

// ssid decodes ssid_hex, or ssid where ssid_hex is absent, null or "".
func (p params) ssid() (ssid []byte, bad *client.Error) {
	var digits string
	if text, given := p["ssid_hex"]; given && string(text) != "null" {
		if digits, bad = p.text("ssid_hex"); bad != nil {
			return nil, bad
		}
	}
	if digits != "" {
		var err error
		if ssid, err = hex.DecodeString(digits); err != nil {
			return nil, &client.Error{Code: client.CodeBadRequest, Message: "ssid_hex is not hexadecimal"}
		}
	} else {
		text, bad := p.text("ssid")
		if bad != nil {
			return nil, bad
		}
		ssid = []byte(text)
	}
	if len(ssid) > client.MaxSSID {
		return nil, &client.Error{Code: client.CodeBadRequest, Message: "ssid is longer than 32 bytes"}
	}
	return ssid, nil
}

// text decodes a parameter that must be present and be a JSON string.
func (p params) text(name string) (string, *client.Error) {
	text, given := p[name]
	switch {
	case !given:
		return "", unreadable("parameter " + name + " is missing")
	case text[0] != '"':
		return "", unreadable("parameter " + name + " is not a text")
	}
	var value string
	if err := json.Unmarshal(text, &value); err != nil {
		return "", unreadable("parameter " + name + " is not a text")
	}
	return value, nil
}

// truthy tests a parameter as the original, written in Python, did: absent, null,
// false, 0, "", [] and {} are false, the string "false" is true.
func (p params) truthy(name string) bool {
	var value any
	if text, ok := p[name]; !ok || json.Unmarshal(text, &value) != nil {
		// A value that does not fit a Go value is a number that is far from 0.
		return ok
	}
	switch v := value.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	default:
		return len(value.(map[string]any)) > 0
	}
}

// object decodes a JSON object of valid UTF-8 and bounded depth with white space
// around it. what names the object in the reason of an error.
func object(what string, text []byte) (params, *client.Error) {
	text = bytes.Trim(text, " \t\n\r\v\f")
	switch {
	case len(text) == 0:
		return nil, unreadable(what + " is empty")
	case text[0] != '{':
		return nil, unreadable(what + " is not a JSON object")
	case !utf8.Valid(text):
		return nil, unreadable(what + " is not UTF-8: ssid_hex takes an SSID that is not text")
	case depth(text) > maxDepth:
		return nil, unreadable(fmt.Sprintf("%s nests deeper than %d", what, maxDepth))
	}
	var p params
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, unreadable(what + " is not valid JSON")
	}
	return p, nil
}

// halfCharacter reports whether a string in a JSON text contains one half of a
// surrogate pair (RFC 8259, section 8.2). The decoder would turn every such half into
// the same character, and so make different values equal.
func halfCharacter(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		unit, isUnit := codeUnit(text[i:])
		switch next, isPair := codeUnit(text[min(i+6, len(text)):]); {
		case !isUnit || !utf16.IsSurrogate(unit):
			i++ // skip the escaped character, which may be a backslash
		case !isPair || utf16.DecodeRune(unit, next) == utf8.RuneError:
			return true
		default:
			i += 11
		}
	}
	return false
}

// codeUnit decodes the escape \uXXXX at the start of a text.
func codeUnit(text []byte) (unit rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	value, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(value), err == nil
}

// depth returns how deep the arrays and objects in a JSON text nest. It bounds the
// decoder's work, so it does not check whether the text is valid.
func depth(text []byte) int {
	now, deepest, inString := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
