// Package wireguard reads WireGuard links: their peers and counters (family
// wireguard, linux/wireguard.h). Keys are not read: they reach no type here.
package wireguard

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// Read asks for the links with these indexes in the network namespace of the
// calling thread. It tells only of those that are WireGuard's, and without
// CAP_NET_ADMIN or the family of any.
func Read(ctx context.Context, indexes []int32) (map[int32]*state.WireGuard, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	conn, err := genl.Dial(ctx, unix.WG_GENL_NAME)
	if errors.Is(err, genl.ErrNoFamily) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read WireGuard: %w", err)
	}
	defer conn.Close()
	devices, err := read(conn, indexes)
	if err != nil {
		return nil, fmt.Errorf("read WireGuard: %w", err)
	}
	return devices, nil
}

func read(conn *genl.Conn, indexes []int32) (map[int32]*state.WireGuard, error) {
	devices := map[int32]*state.WireGuard{}
	for _, index := range indexes {
		request := netlink.NewAttributeEncoder()
		request.Uint32(unix.WGDEVICE_A_IFINDEX, uint32(index))
		b, err := request.Encode()
		if err != nil {
			return nil, err
		}
		replies, err := conn.Dump(unix.WG_CMD_GET_DEVICE, b)
		switch {
		case errors.Is(err, unix.EPERM):
			return nil, nil
		case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EOPNOTSUPP):
			continue // gone meanwhile, or of another kind
		case err != nil:
			return nil, fmt.Errorf("link %d: %w", index, err)
		}
		if devices[index], err = decode(replies); err != nil {
			return nil, fmt.Errorf("link %d: %w", index, err)
		}
	}
	return devices, nil
}

// decode joins the messages about one link. Where its peers do not fit into
// one message the next goes on, perhaps amidst the addresses of a peer: it then
// starts with that peer's public key and the other addresses, without the
// counters (comment at the end of linux/wireguard.h; get_peer in
// drivers/net/wireguard/netlink.c).
func decode(messages []genetlink.Message) (*state.WireGuard, error) {
	device := &state.WireGuard{}
	for _, m := range messages {
		before := len(device.Peers)
		if err := deviceRows.Decode(device, m.Data); err != nil {
			return nil, err
		}
		if before == 0 || len(device.Peers) == before {
			continue
		}
		if last, first := &device.Peers[before-1], device.Peers[before]; first.RxBytes == nil {
			last.AllowedIPs = append(last.AllowedIPs, first.AllowedIPs...)
			device.Peers = append(device.Peers[:before], device.Peers[before+1:]...)
		}
	}
	return device, nil
}
