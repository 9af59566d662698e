package ethtool

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
)

// Numbers of linux/ethtool_netlink_generated.h that package unix lacks.
const (
	coalesceTxAggrMaxBytes  = 26
	coalesceTxAggrMaxFrames = 27
	coalesceTxAggrTimeUsecs = 28
)

// Coalesce says how long the device collects packets before it interrupts: in
// microseconds (usecs) or packets (frames). Only what the driver knows is
// there.
type Coalesce struct {
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
	RateSampleInterval *uint32 `json:"rate_sample_interval,omitempty"` // s
	UseCQEModeTx       *bool   `json:"use_cqe_mode_tx,omitempty"`
	UseCQEModeRx       *bool   `json:"use_cqe_mode_rx,omitempty"`
	TxAggrMaxBytes     *uint32 `json:"tx_aggr_max_bytes,omitempty"`
	TxAggrMaxFrames    *uint32 `json:"tx_aggr_max_frames,omitempty"`
	TxAggrTimeUsecs    *uint32 `json:"tx_aggr_time_usecs,omitempty"`
}

var coalesceRows = genl.Table[Coalesce]{
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS, "ETHTOOL_A_COALESCE_RX_USECS", func(c *Coalesce) **uint32 { return &c.RxUsecs }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES", func(c *Coalesce) **uint32 { return &c.RxMaxFrames }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS_IRQ, "ETHTOOL_A_COALESCE_RX_USECS_IRQ", func(c *Coalesce) **uint32 { return &c.RxUsecsIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES_IRQ, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES_IRQ", func(c *Coalesce) **uint32 { return &c.RxMaxFramesIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS, "ETHTOOL_A_COALESCE_TX_USECS", func(c *Coalesce) **uint32 { return &c.TxUsecs }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES", func(c *Coalesce) **uint32 { return &c.TxMaxFrames }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS_IRQ, "ETHTOOL_A_COALESCE_TX_USECS_IRQ", func(c *Coalesce) **uint32 { return &c.TxUsecsIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES_IRQ, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES_IRQ", func(c *Coalesce) **uint32 { return &c.TxMaxFramesIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_STATS_BLOCK_USECS, "ETHTOOL_A_COALESCE_STATS_BLOCK_USECS", func(c *Coalesce) **uint32 { return &c.StatsBlockUsecs }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, "ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX", func(c *Coalesce) **bool { return &c.UseAdaptiveRx }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX, "ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX", func(c *Coalesce) **bool { return &c.UseAdaptiveTx }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_PKT_RATE_LOW, "ETHTOOL_A_COALESCE_PKT_RATE_LOW", func(c *Coalesce) **uint32 { return &c.PktRateLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS_LOW, "ETHTOOL_A_COALESCE_RX_USECS_LOW", func(c *Coalesce) **uint32 { return &c.RxUsecsLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES_LOW, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES_LOW", func(c *Coalesce) **uint32 { return &c.RxMaxFramesLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS_LOW, "ETHTOOL_A_COALESCE_TX_USECS_LOW", func(c *Coalesce) **uint32 { return &c.TxUsecsLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES_LOW, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES_LOW", func(c *Coalesce) **uint32 { return &c.TxMaxFramesLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_PKT_RATE_HIGH, "ETHTOOL_A_COALESCE_PKT_RATE_HIGH", func(c *Coalesce) **uint32 { return &c.PktRateHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS_HIGH, "ETHTOOL_A_COALESCE_RX_USECS_HIGH", func(c *Coalesce) **uint32 { return &c.RxUsecsHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES_HIGH, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES_HIGH", func(c *Coalesce) **uint32 { return &c.RxMaxFramesHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS_HIGH, "ETHTOOL_A_COALESCE_TX_USECS_HIGH", func(c *Coalesce) **uint32 { return &c.TxUsecsHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES_HIGH, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES_HIGH", func(c *Coalesce) **uint32 { return &c.TxMaxFramesHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL, "ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL", func(c *Coalesce) **uint32 { return &c.RateSampleInterval }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_CQE_MODE_TX, "ETHTOOL_A_COALESCE_USE_CQE_MODE_TX", func(c *Coalesce) **bool { return &c.UseCQEModeTx }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_CQE_MODE_RX, "ETHTOOL_A_COALESCE_USE_CQE_MODE_RX", func(c *Coalesce) **bool { return &c.UseCQEModeRx }),
	genl.Optional(coalesceTxAggrMaxBytes, "ETHTOOL_A_COALESCE_TX_AGGR_MAX_BYTES", func(c *Coalesce) **uint32 { return &c.TxAggrMaxBytes }),
	genl.Optional(coalesceTxAggrMaxFrames, "ETHTOOL_A_COALESCE_TX_AGGR_MAX_FRAMES", func(c *Coalesce) **uint32 { return &c.TxAggrMaxFrames }),
	genl.Optional(coalesceTxAggrTimeUsecs, "ETHTOOL_A_COALESCE_TX_AGGR_TIME_USECS", func(c *Coalesce) **uint32 { return &c.TxAggrTimeUsecs }),
}
