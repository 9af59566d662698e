package server

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/client"
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
type Plan struct{}

func (Plan) Command() string            { return "network plan" }
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
	"network plan":             {plain(Plan{}), reader},
	"network reload":           {plain(Reload{}), changer},
	"network.interface status": {ofInterface(func(name string) Request { return InterfaceStatus{name} }), reader},
	"network.interface dump":   {plain(InterfaceDump{}), reader},
	"network.interface up":     {ofInterface(func(name string) Request { return InterfaceUp{name} }), changer},
	"network.interface down":   {ofInterface(func(name string) Request { return InterfaceDown{name} }), changer},
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
