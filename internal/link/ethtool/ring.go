package ethtool

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
)

// Pause is flow control by pause frames (802.3x).
type Pause struct {
	Rx            bool `json:"rx"`
	Tx            bool `json:"tx"`
	AutoNegotiate bool `json:"auto_negotiate"`
}

var pauseRows = genl.Table[Pause]{
	genl.Bool(unix.ETHTOOL_A_PAUSE_AUTONEG, "ETHTOOL_A_PAUSE_AUTONEG", func(p *Pause) *bool { return &p.AutoNegotiate }),
	genl.Bool(unix.ETHTOOL_A_PAUSE_RX, "ETHTOOL_A_PAUSE_RX", func(p *Pause) *bool { return &p.Rx }),
	genl.Bool(unix.ETHTOOL_A_PAUSE_TX, "ETHTOOL_A_PAUSE_TX", func(p *Pause) *bool { return &p.Tx }),
}

// Ring has the lengths of the device's queues in descriptors, and what these
// may be. Only what the driver knows is there.
type Ring struct {
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

var ringRows = genl.Table[Ring]{
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_MAX, "ETHTOOL_A_RINGS_RX_MAX", func(r *Ring) **uint32 { return &r.RxMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_MINI_MAX, "ETHTOOL_A_RINGS_RX_MINI_MAX", func(r *Ring) **uint32 { return &r.RxMiniMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_JUMBO_MAX, "ETHTOOL_A_RINGS_RX_JUMBO_MAX", func(r *Ring) **uint32 { return &r.RxJumboMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX_MAX, "ETHTOOL_A_RINGS_TX_MAX", func(r *Ring) **uint32 { return &r.TxMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX, "ETHTOOL_A_RINGS_RX", func(r *Ring) **uint32 { return &r.Rx }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_MINI, "ETHTOOL_A_RINGS_RX_MINI", func(r *Ring) **uint32 { return &r.RxMini }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_JUMBO, "ETHTOOL_A_RINGS_RX_JUMBO", func(r *Ring) **uint32 { return &r.RxJumbo }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX, "ETHTOOL_A_RINGS_TX", func(r *Ring) **uint32 { return &r.Tx }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_BUF_LEN, "ETHTOOL_A_RINGS_RX_BUF_LEN", func(r *Ring) **uint32 { return &r.RxBufLen }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TCP_DATA_SPLIT, "ETHTOOL_A_RINGS_TCP_DATA_SPLIT", func(r *Ring) **uint8 { return &r.TCPDataSplit }),
	genl.Optional(unix.ETHTOOL_A_RINGS_CQE_SIZE, "ETHTOOL_A_RINGS_CQE_SIZE", func(r *Ring) **uint32 { return &r.CQESize }),
	genl.OptionalBool(unix.ETHTOOL_A_RINGS_TX_PUSH, "ETHTOOL_A_RINGS_TX_PUSH", func(r *Ring) **bool { return &r.TxPush }),
	genl.OptionalBool(unix.ETHTOOL_A_RINGS_RX_PUSH, "ETHTOOL_A_RINGS_RX_PUSH", func(r *Ring) **bool { return &r.RxPush }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN, "ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN", func(r *Ring) **uint32 { return &r.TxPushBufLen }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN_MAX, "ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN_MAX", func(r *Ring) **uint32 { return &r.TxPushBufLenMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_HDS_THRESH, "ETHTOOL_A_RINGS_HDS_THRESH", func(r *Ring) **uint32 { return &r.HDSThresh }),
	genl.Optional(unix.ETHTOOL_A_RINGS_HDS_THRESH_MAX, "ETHTOOL_A_RINGS_HDS_THRESH_MAX", func(r *Ring) **uint32 { return &r.HDSThreshMax }),
}
