package doctor

import (
	"bytes"
	"context"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
)

// accountant returns the program of a process.
type accountant func(pid int) (Process, bool)

// strangers returns the programs that work on radios outside any service, such as
// one that was started by hand, for a /proc that hides them. Their interfaces are not
// known.
func (m machine) strangers(name accountant) []Process {
	var found []Process
	// What vanishes meanwhile does not count.
	_ = filepath.WalkDir(m.path("/sys/fs/cgroup"), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil
		case strings.HasSuffix(path, ".service") && !strings.HasPrefix(filepath.Base(path), "user@"):
			return fs.SkipDir
		}
		procs, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		for line := range strings.Lines(string(procs)) {
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				continue
			}
			if p, ok := name(pid); ok && (p.Name == "wpa_supplicant" || p.Name == "hostapd") {
				found = append(found, p)
			}
		}
		return nil
	})
	return found
}

// accounts asks the kernel's accounting (taskstats, Documentation/accounting/
// taskstats.rst), which names every user's processes to a caller with CAP_NET_ADMIN.
// Without accounting, or without that right, name finds no process.
func accounts(ctx context.Context) (name accountant, end func()) {
	conn, err := genl.Dial(ctx, "TASKSTATS") // TASKSTATS_GENL_NAME of linux/taskstats.h
	if err != nil {
		return func(int) (Process, bool) { return Process{}, false }, func() {}
	}
	return func(pid int) (Process, bool) {
		request, err := netlink.MarshalAttributes([]netlink.Attribute{
			{Type: unix.TASKSTATS_CMD_ATTR_PID, Data: binary.NativeEndian.AppendUint32(nil, uint32(pid))},
		})
		if err != nil {
			return Process{}, false
		}
		replies, err := conn.Get(unix.TASKSTATS_CMD_GET, request)
		if err != nil || len(replies) == 0 {
			return Process{}, false
		}
		return decodeAccount(replies[0].Data)
	}, conn.Close
}

// decodeAccount reads TASKSTATS_TYPE_AGGR_PID. struct taskstats is laid out
// alike on all architectures, as its fields are aligned by hand.
func decodeAccount(b []byte) (p Process, ok bool) {
	const comm, uid, pid, ppid, end = 80, 120, 128, 132, 136
	outer, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		return p, false
	}
	for outer.Next() {
		if outer.Type() != unix.TASKSTATS_TYPE_AGGR_PID {
			continue
		}
		outer.Nested(func(ad *netlink.AttributeDecoder) error {
			for ad.Next() {
				stats := ad.Bytes()
				if ad.Type() != unix.TASKSTATS_TYPE_STATS || len(stats) < end {
					continue
				}
				name, _, _ := bytes.Cut(stats[comm:comm+32], []byte{0})
				number := func(at int) int { return int(binary.NativeEndian.Uint32(stats[at:])) }
				p, ok = Process{PID: number(pid), Parent: number(ppid), UID: number(uid), Name: string(name)}, true
			}
			return nil
		})
	}
	return p, ok
}
