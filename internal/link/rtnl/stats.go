package rtnl

import (
	"encoding/binary"
	"fmt"

	"github.com/netconnectd/netconnectd/state"
)

// counters are in the kernel's order.
func counters(s *state.Stats) [25]*uint64 {
	return [...]*uint64{
		&s.RxPackets, &s.TxPackets, &s.RxBytes, &s.TxBytes, &s.RxErrors, &s.TxErrors, &s.RxDropped, &s.TxDropped,
		&s.Multicast, &s.Collisions,
		&s.RxLengthErrors, &s.RxOverErrors, &s.RxCRCErrors, &s.RxFrameErrors, &s.RxFIFOErrors, &s.RxMissedErrors,
		&s.TxAbortedErrors, &s.TxCarrierErrors, &s.TxFIFOErrors, &s.TxHeartbeatErrors, &s.TxWindowErrors,
		&s.RxCompressed, &s.TxCompressed, &s.RxNoHandler, &s.RxOtherHostDropped,
	}
}

// oldestCounters is how many the first kernels had.
const oldestCounters = 23

func decodeStats(l *Link, b []byte) error {
	if len(b) < oldestCounters*8 {
		return fmt.Errorf("%d bytes instead of %d", len(b), oldestCounters*8)
	}
	l.Stats = new(state.Stats)
	for _, counter := range counters(l.Stats) {
		if len(b) < 8 {
			break
		}
		*counter = binary.NativeEndian.Uint64(b)
		b = b[8:]
	}
	return nil
}

func encodeStats(l *Link) ([]byte, error) {
	if l.Stats == nil {
		return nil, nil
	}
	var b []byte
	for _, counter := range counters(l.Stats) {
		b = binary.NativeEndian.AppendUint64(b, *counter)
	}
	return b, nil
}
