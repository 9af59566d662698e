package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// InterfaceStatus asks for the state of a declared interface: client.NetworkInterface.
type InterfaceStatus struct{ Name string }

// InterfaceDump asks for the state of all declared interfaces: client.NetworkDump.
type InterfaceDump struct{}

// InterfaceUp sets a declared interface up: nothing.
type InterfaceUp struct{ Name string }

// InterfaceDown sets a declared interface down: nothing.
type InterfaceDown struct{ Name string }

// Plan asks what there is to do for the kernel to be as declared: client.NetworkPlan.
type Plan struct {
	// Config is the text of a configuration to plan for; zero: that in force. Only a
	// changer may send it, since to read it costs time.
	Config secret.Secret
}

// Apply puts the configuration file in force on trial: client.NetworkTrial.
type Apply struct{ Confirm time.Duration }

// Confirm makes the configuration on trial the boot configuration. The reply is
// client.ResultConfirmed.
type Confirm struct {
	Accepted time.Time // when the server accepted the connection
}

// Revert ends a trial at once. The reply is client.ResultReverted.
type Revert struct{}

// Extend lets the trial end after that time, counted from now: client.Trial.
type Extend struct{ By time.Duration }

func (Plan) Command() string            { return "network plan" }
func (Apply) Command() string           { return "network apply" }
func (Confirm) Command() string         { return "network confirm" }
func (Revert) Command() string          { return "network revert" }
func (Extend) Command() string          { return "network extend" }
func (InterfaceStatus) Command() string { return "network.interface status" }
func (InterfaceDump) Command() string   { return "network.interface dump" }
func (InterfaceUp) Command() string     { return "network.interface up" }
func (InterfaceDown) Command() string   { return "network.interface down" }

// interfaceObject is the object of all declared interfaces. That of one interface has
// the interface's name behind this, as in netifd.
const interfaceObject = "network.interface"

// calls are the methods of call: objects and methods are those of OpenWrt's netifd.
// Unknown arguments are ignored, as netifd does.
var calls = map[string]command{
	"network plan":             {decodePlan, reader}, // with a text: see permit
	"network apply":            {ofSeconds("confirm", func(d time.Duration) Request { return Apply{d} }), changer},
	"network confirm":          {plain(Confirm{}), changer},
	"network revert":           {plain(Revert{}), changer},
	"network extend":           {ofSeconds("seconds", func(d time.Duration) Request { return Extend{d} }), changer},
	"network reload":           {plain(Reload{}), changer},
	"network.interface status": {ofInterface(func(name string) Request { return InterfaceStatus{name} }), reader},
	"network.interface dump":   {plain(InterfaceDump{}), reader},
	"network.interface up":     {ofInterface(func(name string) Request { return InterfaceUp{name} }), changer},
	"network.interface down":   {ofInterface(func(name string) Request { return InterfaceDown{name} }), changer},
}

// decodePlan accepts config, the text of a configuration.
func decodePlan(p params) (Request, *client.Error) {
	if text, given := p["config"]; !given || string(text) == "null" {
		return Plan{}, nil
	}
	text, err := p.text("config")
	if err == nil && text == "" {
		err = unreadable("parameter config is empty")
	}
	return Plan{Config: secret.New(text)}, err
}

// The bounds of a trial in seconds: a person has to be able to confirm in time, and
// others may wait for the end.
const (
	minTrial     = 5
	maxTrial     = 3600
	defaultTrial = 60
)

// ofSeconds decodes the arguments of a method that takes a trial's time.
func ofSeconds(name string, request func(time.Duration) Request) func(params) (Request, *client.Error) {
	return func(p params) (Request, *client.Error) {
		seconds := defaultTrial
		text, given := p[name]
		if given && string(text) != "null" && json.Unmarshal(text, &seconds) != nil || seconds < minTrial || seconds > maxTrial {
			return nil, &client.Error{Code: client.CodeBadRequest, Message: fmt.Sprintf("%s is a whole number of seconds, %d to %d", name, minTrial, maxTrial)}
		}
		return request(time.Duration(seconds) * time.Second), nil
	}
}

// ofInterface decodes the arguments of a method of one interface.
func ofInterface(request func(name string) Request) func(params) (Request, *client.Error) {
	return func(p params) (Request, *client.Error) {
		name, err := p.text("interface")
		if err != nil {
			return nil, err
		}
		return request(name), nil
	}
}

// decodeCall takes object, method and args.
func decodeCall(p params) (Request, *client.Error) {
	called, err := p.text("object")
	if err != nil {
		return nil, err
	}
	method, err := p.text("method")
	if err != nil {
		return nil, err
	}
	args := params{}
	if text, given := p["args"]; given && string(text) != "null" {
		if args, err = object("the value of args", text); err != nil {
			return nil, err
		}
	}
	if name, ofOne := strings.CutPrefix(called, interfaceObject+"."); ofOne {
		called = interfaceObject
		args["interface"], _ = json.Marshal(name) // a text can be written
	}
	row, known := calls[called+" "+method]
	if !known {
		return nil, &client.Error{Code: client.CodeUnknownCommand, Message: client.TextUnknownMessage, Reason: "there are " + strings.Join(methods(), ", ")}
	}
	return row.decode(args)
}

// methods returns the objects with their methods, sorted.
func methods() []string {
	var all []string
	for name := range calls {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
