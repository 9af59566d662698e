package ethtool

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

var pauseRows = genl.Table[*state.EthtoolPause]{
	genl.Bool(unix.ETHTOOL_A_PAUSE_AUTONEG, "ETHTOOL_A_PAUSE_AUTONEG", func(p *state.EthtoolPause) *bool { return &p.AutoNegotiate }),
	genl.Bool(unix.ETHTOOL_A_PAUSE_RX, "ETHTOOL_A_PAUSE_RX", func(p *state.EthtoolPause) *bool { return &p.Rx }),
	genl.Bool(unix.ETHTOOL_A_PAUSE_TX, "ETHTOOL_A_PAUSE_TX", func(p *state.EthtoolPause) *bool { return &p.Tx }),
}

var ringRows = genl.Table[*state.EthtoolRing]{
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_MAX, "ETHTOOL_A_RINGS_RX_MAX", func(r *state.EthtoolRing) **uint32 { return &r.RxMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_MINI_MAX, "ETHTOOL_A_RINGS_RX_MINI_MAX", func(r *state.EthtoolRing) **uint32 { return &r.RxMiniMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_JUMBO_MAX, "ETHTOOL_A_RINGS_RX_JUMBO_MAX", func(r *state.EthtoolRing) **uint32 { return &r.RxJumboMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX_MAX, "ETHTOOL_A_RINGS_TX_MAX", func(r *state.EthtoolRing) **uint32 { return &r.TxMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX, "ETHTOOL_A_RINGS_RX", func(r *state.EthtoolRing) **uint32 { return &r.Rx }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_MINI, "ETHTOOL_A_RINGS_RX_MINI", func(r *state.EthtoolRing) **uint32 { return &r.RxMini }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_JUMBO, "ETHTOOL_A_RINGS_RX_JUMBO", func(r *state.EthtoolRing) **uint32 { return &r.RxJumbo }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX, "ETHTOOL_A_RINGS_TX", func(r *state.EthtoolRing) **uint32 { return &r.Tx }),
	genl.Optional(unix.ETHTOOL_A_RINGS_RX_BUF_LEN, "ETHTOOL_A_RINGS_RX_BUF_LEN", func(r *state.EthtoolRing) **uint32 { return &r.RxBufLen }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TCP_DATA_SPLIT, "ETHTOOL_A_RINGS_TCP_DATA_SPLIT", func(r *state.EthtoolRing) **uint8 { return &r.TCPDataSplit }),
	genl.Optional(unix.ETHTOOL_A_RINGS_CQE_SIZE, "ETHTOOL_A_RINGS_CQE_SIZE", func(r *state.EthtoolRing) **uint32 { return &r.CQESize }),
	genl.OptionalBool(unix.ETHTOOL_A_RINGS_TX_PUSH, "ETHTOOL_A_RINGS_TX_PUSH", func(r *state.EthtoolRing) **bool { return &r.TxPush }),
	genl.OptionalBool(unix.ETHTOOL_A_RINGS_RX_PUSH, "ETHTOOL_A_RINGS_RX_PUSH", func(r *state.EthtoolRing) **bool { return &r.RxPush }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN, "ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN", func(r *state.EthtoolRing) **uint32 { return &r.TxPushBufLen }),
	genl.Optional(unix.ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN_MAX, "ETHTOOL_A_RINGS_TX_PUSH_BUF_LEN_MAX", func(r *state.EthtoolRing) **uint32 { return &r.TxPushBufLenMax }),
	genl.Optional(unix.ETHTOOL_A_RINGS_HDS_THRESH, "ETHTOOL_A_RINGS_HDS_THRESH", func(r *state.EthtoolRing) **uint32 { return &r.HDSThresh }),
	genl.Optional(unix.ETHTOOL_A_RINGS_HDS_THRESH_MAX, "ETHTOOL_A_RINGS_HDS_THRESH_MAX", func(r *state.EthtoolRing) **uint32 { return &r.HDSThreshMax }),
}
