package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/state"
)

// Ask how the device is connected.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, socket) // client.DefaultSocket on a device
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	status, err := c.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.Uplink.State, "through", status.Uplink.Interface, status.Uplink.Addresses)
	// Output: online through eth0 [192.0.2.7/24]
}

// List the cells that the radio sees, save a network and join it. The join has
// succeeded when the network has assigned an address and its gateway answers.
func ExampleClient_Connect() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	cells, err := c.ListWifi(ctx, false)
	if err != nil {
		log.Fatal(err)
	}
	for _, cell := range cells {
		fmt.Println(cell.SSID, cell.Security, *cell.Signal, "dBm")
	}

	passphrase, home := "correct horse", []byte("Home")
	if _, err := c.AddNetwork(ctx, home, client.NetworkSettings{PSK: &passphrase}); err != nil {
		log.Fatal(err)
	}
	result, err := c.Connect(ctx, home)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result)
	// Output:
	// Home wpa2/wpa3 -48 dBm
	// Office wpa2 -71 dBm
	// connected to wifi
}

// Follow what happens. The first event is a snapshot.
func ExampleClient_Subscribe() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close() // ends the stream
	events, err := c.Subscribe(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		event, err := events.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		switch event.Type {
		case client.EventSnapshot:
			fmt.Println("now:", event.Status.Uplink.State)
		case client.EventUplink:
			fmt.Println(event.Old, "->", event.New+":", event.Reason)
		}
	}
	// Output:
	// now: online
	// online -> lost: eth0 has no carrier
}

// Read why a command failed. Code is for programs, the other fields are for people.
func ExampleError() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.Connect(ctx, []byte("Office"))
	var failure *client.Error
	switch {
	case err == nil:
		fmt.Println("connected")
	case errors.As(err, &failure) && failure.Code == client.CodeWrongKey:
		fmt.Println("ask for another passphrase:", failure.Reason)
	case errors.As(err, &failure):
		fmt.Println("the daemon refuses:", failure.Code)
	default:
		fmt.Println("the daemon cannot be reached:", err)
	}
	// Output: ask for another passphrase: the router refused the passphrase
}

// Ask the daemon for the kernel's network state. Package state has the types.
func ExampleClient_Show() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, socket)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	found, err := c.Show(ctx, state.Filter{Parts: state.PartIfaces, Iface: "eth0"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Ifaces["eth0"].Type, found.Ifaces["eth0"].MTU)
	// Output: ethernet 1500
}
