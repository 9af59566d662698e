package ap

import (
	"context"
	"strconv"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// Cell is the channel of the access point as hostapd reports it. A field that
// hostapd does not report is 0.
type Cell struct {
	Channel   int // primary channel
	Frequency int // of the primary channel, in MHz
	Width     int // of all channels that are used together, in MHz
}

// readCell asks hostapd for its channel, and whether it sends beacons.
func readCell(ctx context.Context, conn *wpactrl.Conn) (cell Cell, enabled bool, err error) {
	reply, err := conn.Request(ctx, "STATUS")
	if err != nil {
		return Cell{}, false, err
	}
	fields := wpactrl.Fields(reply)
	return parseCell(fields), fields["state"] == "ENABLED", nil
}

// wideChannels are the widths in MHz that the fields …_oper_chwidth stand for
// (enum oper_chan_width of hostapd's defs.h). 0 is 20 or 40.
var wideChannels = map[string]int{"1": 80, "2": 160, "3": 160, "9": 320}

// parseCell reads the reply to STATUS. A field of a newer standard takes precedence
// over that of an older one.
func parseCell(fields map[string]string) (c Cell) {
	c.Channel, _ = strconv.Atoi(fields["channel"]) // 0 where it is missing
	c.Frequency, _ = strconv.Atoi(fields["freq"])
	if c.Channel == 0 {
		return c
	}
	c.Width = 20
	if second := fields["secondary_channel"]; second != "" && second != "0" {
		c.Width = 40
	}
	for _, field := range []string{"vht_oper_chwidth", "he_oper_chwidth", "eht_oper_chwidth"} {
		if width := wideChannels[fields[field]]; width != 0 {
			c.Width = width
		}
	}
	return c
}
