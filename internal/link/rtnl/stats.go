package rtnl

import (
	"encoding/binary"
	"fmt"
)

// Stats counts a link's packets, bytes and errors (struct rtnl_link_stats64,
// linux/if_link.h, which explains each).
type Stats struct {
	RxPackets  uint64 `json:"rx_packets"`
	TxPackets  uint64 `json:"tx_packets"`
	RxBytes    uint64 `json:"rx_bytes"`
	TxBytes    uint64 `json:"tx_bytes"`
	RxErrors   uint64 `json:"rx_errors"`
	TxErrors   uint64 `json:"tx_errors"`
	RxDropped  uint64 `json:"rx_dropped"`
	TxDropped  uint64 `json:"tx_dropped"`
	Multicast  uint64 `json:"multicast"` // received
	Collisions uint64 `json:"collisions"`

	RxLengthErrors uint64 `json:"rx_length_errors"`
	RxOverErrors   uint64 `json:"rx_over_errors"`
	RxCRCErrors    uint64 `json:"rx_crc_errors"`
	RxFrameErrors  uint64 `json:"rx_frame_errors"`
	RxFIFOErrors   uint64 `json:"rx_fifo_errors"`
	RxMissedErrors uint64 `json:"rx_missed_errors"`

	TxAbortedErrors   uint64 `json:"tx_aborted_errors"`
	TxCarrierErrors   uint64 `json:"tx_carrier_errors"`
	TxFIFOErrors      uint64 `json:"tx_fifo_errors"`
	TxHeartbeatErrors uint64 `json:"tx_heartbeat_errors"`
	TxWindowErrors    uint64 `json:"tx_window_errors"`

	RxCompressed       uint64 `json:"rx_compressed"`
	TxCompressed       uint64 `json:"tx_compressed"`
	RxNoHandler        uint64 `json:"rx_nohandler"`         // since 4.6
	RxOtherHostDropped uint64 `json:"rx_otherhost_dropped"` // since 5.19
}

// counters gives the kernel's order.
func (s *Stats) counters() [25]*uint64 {
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
	l.Stats = new(Stats)
	for _, counter := range l.Stats.counters() {
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
	for _, counter := range l.Stats.counters() {
		b = binary.NativeEndian.AppendUint64(b, *counter)
	}
	return b, nil
}
