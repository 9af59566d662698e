package state

// Ethtool holds the settings of an interface's driver and of the wire, as ethtool(8)
// shows them. A part is nil if the driver or the kernel does not have it.
type Ethtool struct {
	Pause    *EthtoolPause    `json:"pause,omitempty"`
	Features *EthtoolFeatures `json:"features,omitempty"`
	Coalesce *EthtoolCoalesce `json:"coalesce,omitempty"`
	Ring     *EthtoolRing     `json:"ring,omitempty"`
	LinkMode *EthtoolLinkMode `json:"link_mode,omitempty"`
	FEC      *EthtoolFEC      `json:"fec,omitempty"`
}

// EthtoolPause is flow control by pause frames (802.3x).
type EthtoolPause struct {
	Rx            bool `json:"rx"`
	Tx            bool `json:"tx"`
	AutoNegotiate bool `json:"auto_negotiate"`
}

// EthtoolRing holds the lengths of the device's queues in descriptors, and their
// limits. Only values that the driver knows are present.
type EthtoolRing struct {
	RxMax           *uint32 `json:"rx_max,omitempty"`
	RxMiniMax       *uint32 `json:"rx_mini_max,omitempty"`
	RxJumboMax      *uint32 `json:"rx_jumbo_max,omitempty"`
	TxMax           *uint32 `json:"tx_max,omitempty"`
	Rx              *uint32 `json:"rx,omitempty"`
	RxMini          *uint32 `json:"rx_mini,omitempty"`
	RxJumbo         *uint32 `json:"rx_jumbo,omitempty"`
	Tx              *uint32 `json:"tx,omitempty"`
	RxBufLen        *uint32 `json:"rx_buf_len,omitempty"`     // bytes
	TCPDataSplit    *uint8  `json:"tcp_data_split,omitempty"` // ETHTOOL_TCP_DATA_SPLIT_…: 1 off, 2 on
	CQESize         *uint32 `json:"cqe_size,omitempty"`       // bytes
	TxPush          *bool   `json:"tx_push,omitempty"`
	RxPush          *bool   `json:"rx_push,omitempty"`
	TxPushBufLen    *uint32 `json:"tx_push_buf_len,omitempty"`
	TxPushBufLenMax *uint32 `json:"tx_push_buf_len_max,omitempty"`
	HDSThresh       *uint32 `json:"hds_thresh,omitempty"` // bytes
	HDSThreshMax    *uint32 `json:"hds_thresh_max,omitempty"`
}

// EthtoolFeatures says which offloads are on, by the kernel's names
// (net/ethtool/common.c, netdev_features_strings). Links with the same features share
// one EthtoolFeatures.
type EthtoolFeatures struct {
	Fixed      map[string]bool `json:"fixed"`      // the driver cannot change them
	Changeable map[string]bool `json:"changeable"` // by ethtool -K
}

// EthtoolCoalesce says how long the device collects packets before it interrupts: in
// microseconds (usecs) or packets (frames). Only values that the driver knows are
// present.
type EthtoolCoalesce struct {
	RxUsecs            *uint32 `json:"rx_usecs,omitempty"`
	RxMaxFrames        *uint32 `json:"rx_max_frames,omitempty"`
	RxUsecsIRQ         *uint32 `json:"rx_usecs_irq,omitempty"`
	RxMaxFramesIRQ     *uint32 `json:"rx_max_frames_irq,omitempty"`
	TxUsecs            *uint32 `json:"tx_usecs,omitempty"`
	TxMaxFrames        *uint32 `json:"tx_max_frames,omitempty"`
	TxUsecsIRQ         *uint32 `json:"tx_usecs_irq,omitempty"`
	TxMaxFramesIRQ     *uint32 `json:"tx_max_frames_irq,omitempty"`
	StatsBlockUsecs    *uint32 `json:"stats_block_usecs,omitempty"`
	UseAdaptiveRx      *bool   `json:"use_adaptive_rx,omitempty"`
	UseAdaptiveTx      *bool   `json:"use_adaptive_tx,omitempty"`
	PktRateLow         *uint32 `json:"pkt_rate_low,omitempty"` // packets/s
	RxUsecsLow         *uint32 `json:"rx_usecs_low,omitempty"`
	RxMaxFramesLow     *uint32 `json:"rx_max_frames_low,omitempty"`
	TxUsecsLow         *uint32 `json:"tx_usecs_low,omitempty"`
	TxMaxFramesLow     *uint32 `json:"tx_max_frames_low,omitempty"`
	PktRateHigh        *uint32 `json:"pkt_rate_high,omitempty"` // packets/s
	RxUsecsHigh        *uint32 `json:"rx_usecs_high,omitempty"`
	RxMaxFramesHigh    *uint32 `json:"rx_max_frames_high,omitempty"`
	TxUsecsHigh        *uint32 `json:"tx_usecs_high,omitempty"`
	TxMaxFramesHigh    *uint32 `json:"tx_max_frames_high,omitempty"`
	RateSampleInterval *uint32 `json:"rate_sample_interval,omitempty"` // seconds
	UseCQEModeTx       *bool   `json:"use_cqe_mode_tx,omitempty"`
	UseCQEModeRx       *bool   `json:"use_cqe_mode_rx,omitempty"`
	TxAggrMaxBytes     *uint32 `json:"tx_aggr_max_bytes,omitempty"`
	TxAggrMaxFrames    *uint32 `json:"tx_aggr_max_frames,omitempty"`
	TxAggrTimeUsecs    *uint32 `json:"tx_aggr_time_usecs,omitempty"`
}

// EthtoolLinkMode describes how the two ends of the wire communicate.
type EthtoolLinkMode struct {
	AutoNegotiate bool     `json:"auto_negotiate"`
	Supported     []string `json:"supported,omitempty"` // modes and abilities of this end, e.g. "1000baseT/Full", "Autoneg"
	Ours          []string `json:"ours"`                // the modes and abilities that this end offers
	Peer          []string `json:"peer,omitempty"`      // the modes and abilities that the other end offers
	Speed         uint32   `json:"speed"`               // Mbit/s; 4294967295 (SPEED_UNKNOWN): unknown, e.g. without carrier
	Duplex        string   `json:"duplex"`              // "half", "full", "unknown", or the kernel's number

	// MASTER_SLAVE_CFG_… and MASTER_SLAVE_STATE_… of linux/ethtool.h: which end
	// provides the clock (BASE-T1 and 1000BASE-T).
	ControllerSubordinateCfg   *uint8 `json:"controller_subordinate_cfg,omitempty"`
	ControllerSubordinateState *uint8 `json:"controller_subordinate_state,omitempty"`

	Lanes        *uint32 `json:"lanes,omitempty"`
	RateMatching *uint8  `json:"rate_matching,omitempty"` // RATE_MATCH_… of linux/ethtool.h
}

// EthtoolFEC describes forward error correction. Its modes are "off", "rs"
// (Reed-Solomon), "baser" (BASE-R, Firecode), "llrs" (low latency Reed-Solomon), or
// the kernel's number of the link mode.
type EthtoolFEC struct {
	Active     string   `json:"active,omitempty"` // the mode on the wire; absent without a link
	Auto       bool     `json:"auto"`             // the driver chooses a mode to fit the plugged-in module
	Configured []string `json:"configured"`       // the modes that the driver may choose from
}
