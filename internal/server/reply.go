package server

import (
	"encoding/json"
	"slices"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/state"
)

var (
	errInternal     = &client.Error{Code: client.CodeInternal, Message: client.TextProcessing}
	errShuttingDown = &client.Error{Code: client.CodeShuttingDown, Message: "netconnectd is shutting down"}
	errOverloaded   = &client.Error{Code: client.CodeOverloaded, Message: "too many connections, try again"}
	errTooLong      = &client.Error{Code: client.CodeBadRequest, Message: "request is too long"}
	errRequestSlow  = &client.Error{Code: client.CodeTooSlow, Message: "no complete request arrived in time"}
	errEventsSlow   = &client.Error{Code: client.CodeTooSlow, Message: "events were not read in time"}
	errMayNotStop   = &client.Error{Code: client.CodePermissionDenied, Message: "only root may stop netconnectd"}
	errWatchers     = &client.Error{Code: client.CodeOverloaded, Message: "too many subscriptions to the network, try again"}
	errReplies      = &client.Error{Code: client.CodeOverloaded, Message: "too many replies wait to be read, try again"}
	errSubscribed   = &client.Error{Code: client.CodeBadRequest, Message: "this connection is subscribed already"}
)

// resultFrame encodes {"result":…,"id":…}.
func resultFrame(id json.RawMessage, result any) ([]byte, error) {
	if list, ok := result.([]client.BSS); ok && list == nil {
		result = []client.BSS{} // clients iterate over the result
	}
	return client.EncodeFrame(struct {
		Result any             `json:"result"`
		ID     json.RawMessage `json:"id,omitempty"`
	}{result, id})
}

// errorFrame encodes {"error":"…","code":"…","reason":"…","id":…}.
func errorFrame(id json.RawMessage, e *client.Error) []byte {
	frame, err := client.EncodeFrame(struct {
		Error  string          `json:"error"`
		Code   string          `json:"code"`
		Reason string          `json:"reason,omitempty"`
		ID     json.RawMessage `json:"id,omitempty"`
	}{e.Message, e.Code, e.Reason, id})
	if err != nil {
		panic(err) // strings, and an id that was decoded from JSON, can always be encoded
	}
	return frame
}

// eventFrame encodes {"event":{…},"seq":n}.
func eventFrame(e client.Event) ([]byte, error) {
	return client.EncodeFrame(struct {
		Event client.Event `json:"event"`
		Seq   uint64       `json:"seq"`
	}{e, e.Seq})
}

// changeFrame encodes {"change":{…}}.
func changeFrame(change state.Change) ([]byte, error) {
	return client.EncodeFrame(struct {
		Change state.Change `json:"change"`
	}{change})
}

// complete fills in what every status must have: lists that are not null.
func complete(s client.Status) client.Status {
	s.Devs = orEmpty(s.Devs)
	s.Wifi.Networks = orEmpty(s.Wifi.Networks)
	s.Uplink.Addresses = orEmpty(s.Uplink.Addresses)
	s.AccessPoint.Clients = orEmpty(s.AccessPoint.Clients)
	s.AccessPoint.Addresses = orEmpty(s.AccessPoint.Addresses)
	s.Next = orEmpty(s.Next)
	s.Uplinks = slices.Clone(orEmpty(s.Uplinks))
	for i := range s.Uplinks {
		s.Uplinks[i].Addresses = orEmpty(s.Uplinks[i].Addresses)
	}
	s.Problems = orEmpty(s.Problems)
	return s
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
