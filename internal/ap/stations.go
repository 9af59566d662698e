package ap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// maxStations ends a list that does not end; IEEE 802.11 has 2007 association ids.
const maxStations = 2007

// Client is a phone on the access point.
type Client struct {
	MAC       net.HardwareAddr
	Connected time.Duration // since it joined
	Address   netip.Addr    // the address of its lease; zero: none
	HostName  string        // as the phone reports it, not to be trusted; "": not reported
}

// maxLeases is far above what dnsmasq writes: 100 bytes of each of its 1000 leases
// at most (dhcp-lease-max of dnsmasq(8)).
const maxLeases = 1 << 20

// stations returns the phones that have joined and, on a network with a key, have
// shown that they know it. It also returns them if the leases cannot be read.
func (a *AccessPoint) stations(ctx context.Context, conn *wpactrl.Conn) ([]Client, error) {
	clients, err := readStations(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("list stations: %w", err)
	}
	file, err := namedfile.Read(ctx, a.config.leaseFile(), maxLeases)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.log.Warn("read the leases of the access point", "err", err)
	}
	addLeases(clients, parseLeases(string(file)))
	return clients, nil
}

func readStations(ctx context.Context, conn *wpactrl.Conn) ([]Client, error) {
	var clients []Client
	for command := "STA-FIRST"; len(clients) < maxStations; {
		reply, err := conn.Request(ctx, command)
		if refused := (*wpactrl.CommandError)(nil); errors.As(err, &refused) {
			break // the last station listed has left; the list so far must suffice
		}
		if err != nil {
			return nil, err
		}
		name, rest, _ := strings.Cut(reply, "\n")
		mac, err := net.ParseMAC(name)
		if err != nil {
			break // an empty reply ends the list
		}
		if client, joined := parseStation(mac, wpactrl.Fields(rest)); joined {
			clients = append(clients, client)
		}
		command = "STA-NEXT " + name
	}
	return clients, nil
}

// parseStation reads hostapd's report of a station. A station without the flag
// AUTHORIZED has not shown that it knows the key.
func parseStation(mac net.HardwareAddr, fields map[string]string) (client Client, joined bool) {
	seconds, _ := strconv.Atoi(fields["connected_time"]) // 0 if the driver does not report it
	client = Client{MAC: mac, Connected: time.Duration(seconds) * time.Second}
	return client, strings.Contains(fields["flags"], "[AUTHORIZED]")
}

type lease struct {
	address netip.Addr
	name    string
}

// parseLeases reads dnsmasq's lease file. dnsmasq(8) documents only the form of a
// line, at --dhcp-script: expiry, MAC address, IP address, name or "*", client id.
// Lines of another form are skipped.
func parseLeases(file string) map[string]lease {
	leases := make(map[string]lease)
	for line := range strings.Lines(file) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		mac, macErr := net.ParseMAC(fields[1])
		address, addrErr := netip.ParseAddr(fields[2])
		if macErr != nil || addrErr != nil {
			continue
		}
		l := lease{address: address}
		if fields[3] != "*" {
			l.name = fields[3]
		}
		leases[mac.String()] = l
	}
	return leases
}

func addLeases(clients []Client, leases map[string]lease) {
	for i := range clients {
		l := leases[clients[i].MAC.String()]
		clients[i].Address, clients[i].HostName = l.address, l.name
	}
}
