package openwrt

import (
	"context"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/namedfile"
)

// tablesFile names the routing tables, for iproute2 and netifd (ip-route(8)).
const tablesFile = "/etc/iproute2/rt_tables"

// maxTables is the size in bytes of the largest tablesFile that is read.
const maxTables = 64 << 10

// SystemTables returns the routing tables that the system has names for. There are none if
// the system has no file with them. A file that is not root's does not count.
func SystemTables(ctx context.Context) map[string]uint32 {
	text, err := namedfile.ReadOwned(ctx, tablesFile, maxTables, 0)
	if err != nil {
		return nil // a name is reported then, with this path
	}
	return Tables(text)
}

// Tables returns the numbers of routing tables by the names that a text in the syntax of
// rt_tables has. Lines that name no table do not count, as in iproute2.
func Tables(text []byte) map[string]uint32 {
	tables := map[string]uint32{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		if n, err := strconv.ParseUint(fields[0], 0, 32); err == nil && n > 0 {
			tables[fields[1]] = uint32(n)
		}
	}
	return tables
}
