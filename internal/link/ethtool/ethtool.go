// Package ethtool reads what ethtool(8) shows of links: settings of drivers and
// of the wire, by the generic netlink family of that name
// (Documentation/networking/ethtool-netlink.rst, linux/ethtool_netlink.h).
package ethtool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// A part of a Device has a request of its own.
type part struct {
	command uint8 // ETHTOOL_MSG_…_GET
	name    string
	// decode reads a reply, less its header, into the part's place in d.
	decode func(d *state.Ethtool, b []byte, dict *dictionary) error
}

// parts starts with the features, which every link has, so that the others know
// which links there are.
var parts = []part{
	{unix.ETHTOOL_MSG_FEATURES_GET, "features", decodeFeatures},
	{unix.ETHTOOL_MSG_PAUSE_GET, "pause", by(pauseRows, func(d *state.Ethtool) **state.EthtoolPause { return &d.Pause })},
	{unix.ETHTOOL_MSG_COALESCE_GET, "coalesce", by(coalesceRows, func(d *state.Ethtool) **state.EthtoolCoalesce { return &d.Coalesce })},
	{unix.ETHTOOL_MSG_RINGS_GET, "rings", by(ringRows, func(d *state.Ethtool) **state.EthtoolRing { return &d.Ring })},
	{unix.ETHTOOL_MSG_LINKMODES_GET, "link modes", decodeLinkMode},
	{unix.ETHTOOL_MSG_FEC_GET, "FEC", decodeFEC},
}

func by[T any](rows genl.Table[*T], at func(*state.Ethtool) **T) func(*state.Ethtool, []byte, *dictionary) error {
	return func(d *state.Ethtool, b []byte, _ *dictionary) error {
		found := new(T)
		*at(d) = found
		return rows.Decode(found, b)
	}
}

// Start asks for all links of the network namespace of the calling thread. The
// answer, by index, comes with wait, which must be called; until then the caller
// may ask the kernel for other things. It needs no privileges. A kernel without
// the family has none.
func Start(ctx context.Context) (wait func() (map[int32]*state.Ethtool, error)) {
	conn, err := genl.Dial(ctx, unix.ETHTOOL_GENL_NAME)
	if err != nil {
		return func() (map[int32]*state.Ethtool, error) {
			if errors.Is(err, genl.ErrNoFamily) {
				return nil, nil
			}
			return nil, fmt.Errorf("read ethtool: %w", err)
		}
	}
	var devices map[int32]*state.Ethtool
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.Close()
		devices, err = read(ctx, conn)
	}()
	return func() (map[int32]*state.Ethtool, error) {
		if <-done; err != nil {
			return nil, fmt.Errorf("read ethtool: %w", err)
		}
		return devices, nil
	}
}

// A reader collects the parts of the links.
type reader struct {
	conn    *genl.Conn
	dict    dictionary
	devices map[int32]*state.Ethtool
}

func read(ctx context.Context, conn *genl.Conn) (map[int32]*state.Ethtool, error) {
	r := reader{conn: conn, devices: map[int32]*state.Ethtool{}}
	if err := r.readDictionary(); err != nil {
		return nil, fmt.Errorf("names: %w", err)
	}
	for i, p := range parts {
		err := r.readAll(p)
		if err != nil && i > 0 && !errors.Is(err, unix.EOPNOTSUPP) && ctx.Err() == nil {
			err = r.readEach(ctx, p)
		}
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return r.devices, nil
}

// readDictionary asks for the names of bits, which are the same for all links.
func (r *reader) readDictionary() error {
	request := netlink.NewAttributeEncoder()
	request.Bytes(headerNumber|netlink.Nested, nil)
	request.Nested(unix.ETHTOOL_A_STRSET_STRINGSETS, func(sets *netlink.AttributeEncoder) error {
		for _, id := range []uint32{stringsFeatures, stringsLinkModes} {
			sets.Nested(unix.ETHTOOL_A_STRINGSETS_STRINGSET, func(set *netlink.AttributeEncoder) error {
				set.Uint32(unix.ETHTOOL_A_STRINGSET_ID, id)
				return nil
			})
		}
		return nil
	})
	b, err := request.Encode()
	if err != nil {
		return err
	}
	replies, err := r.conn.Get(unix.ETHTOOL_MSG_STRSET_GET, b)
	if err != nil {
		return err
	}
	for _, reply := range replies {
		if err := dictionaryRows.Decode(&r.dict, reply.Data); err != nil {
			return err
		}
	}
	return nil
}

// readAll asks for one part of all links.
func (r *reader) readAll(p part) error {
	request, err := encodeHeader(0)
	if err != nil {
		return err
	}
	replies, err := r.conn.Dump(p.command, request)
	if err != nil {
		return err
	}
	return r.add(p, replies)
}

// readEach asks for one part of one link after the other. It comes after a dump
// that failed: the kernel ends it at the first driver that returns an error,
// e.g. ENODEV for an adapter without a PHY, and the links behind that one are
// not to suffer.
func (r *reader) readEach(ctx context.Context, p part) error {
	for _, index := range slices.Sorted(maps.Keys(r.devices)) {
		request, err := encodeHeader(index)
		if err != nil {
			return err
		}
		replies, err := r.conn.Get(p.command, request)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			continue // this link does not have the part
		}
		if err := r.add(p, replies); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) add(p part, replies []genetlink.Message) error {
	for _, reply := range replies {
		index, err := decodeHeader(reply.Data)
		if err != nil {
			return err
		}
		device := r.devices[index]
		if device == nil {
			device = &state.Ethtool{}
			r.devices[index] = device
		}
		if err := p.decode(device, reply.Data, &r.dict); err != nil {
			return fmt.Errorf("link %d: %w", index, err)
		}
	}
	return nil
}

// headerNumber is that of ETHTOOL_A_…_HEADER in all messages.
const headerNumber = unix.ETHTOOL_A_FEATURES_HEADER

var messageRows = genl.Table[*int32]{
	genl.Nested(headerNumber, "ETHTOOL_A_HEADER", headerRows, func(index *int32) *int32 { return index }),
}

var headerRows = genl.Table[*int32]{
	genl.Number(unix.ETHTOOL_A_HEADER_DEV_INDEX, "ETHTOOL_A_HEADER_DEV_INDEX", func(index *int32) *int32 { return index }),
}

// decodeHeader gives the index of the link that a reply is about.
func decodeHeader(b []byte) (int32, error) {
	var index int32
	if err := messageRows.Decode(&index, b); err != nil {
		return 0, err
	}
	if index <= 0 {
		return 0, errors.New("reply about no link")
	}
	return index, nil
}

// encodeHeader asks for one link, or for all if index is 0.
func encodeHeader(index int32) ([]byte, error) {
	request := netlink.NewAttributeEncoder()
	request.Nested(headerNumber, func(header *netlink.AttributeEncoder) error {
		if index != 0 {
			header.Uint32(unix.ETHTOOL_A_HEADER_DEV_INDEX, uint32(index))
		}
		header.Uint32(unix.ETHTOOL_A_HEADER_FLAGS, unix.ETHTOOL_FLAG_COMPACT_BITSETS)
		return nil
	})
	return request.Encode()
}
