package state

// Stats counts a link's packets, bytes and errors (struct rtnl_link_stats64;
// linux/if_link.h explains each counter).
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
	RxNoHandler        uint64 `json:"rx_nohandler"`         // since Linux 4.6
	RxOtherHostDropped uint64 `json:"rx_otherhost_dropped"` // since Linux 5.19
}
