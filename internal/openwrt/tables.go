package openwrt

import (
	"strconv"
	"strings"
)

// TablesFile names the routing tables, for iproute2 and netifd (rt_tables of ip-route(8)).
const TablesFile = "/etc/iproute2/rt_tables"

// MaxTables is the size in bytes of the largest TablesFile.
const MaxTables = 64 << 10

// Tables returns the numbers of routing tables by the names that the text of a TablesFile
// has. Lines that name no table do not count, as in iproute2.
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
