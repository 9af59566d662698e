package ethtool

import (
	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/genl"
	"github.com/netconnectd/netconnectd/state"
)

// Numbers of linux/ethtool_netlink_generated.h that package unix lacks.
const (
	coalesceTxAggrMaxBytes  = 26
	coalesceTxAggrMaxFrames = 27
	coalesceTxAggrTimeUsecs = 28
)

var coalesceRows = genl.Table[*state.EthtoolCoalesce]{
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS, "ETHTOOL_A_COALESCE_RX_USECS", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxUsecs }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxMaxFrames }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS_IRQ, "ETHTOOL_A_COALESCE_RX_USECS_IRQ", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxUsecsIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES_IRQ, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES_IRQ", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxMaxFramesIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS, "ETHTOOL_A_COALESCE_TX_USECS", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxUsecs }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxMaxFrames }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS_IRQ, "ETHTOOL_A_COALESCE_TX_USECS_IRQ", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxUsecsIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES_IRQ, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES_IRQ", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxMaxFramesIRQ }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_STATS_BLOCK_USECS, "ETHTOOL_A_COALESCE_STATS_BLOCK_USECS", func(c *state.EthtoolCoalesce) **uint32 { return &c.StatsBlockUsecs }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, "ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX", func(c *state.EthtoolCoalesce) **bool { return &c.UseAdaptiveRx }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX, "ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX", func(c *state.EthtoolCoalesce) **bool { return &c.UseAdaptiveTx }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_PKT_RATE_LOW, "ETHTOOL_A_COALESCE_PKT_RATE_LOW", func(c *state.EthtoolCoalesce) **uint32 { return &c.PktRateLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS_LOW, "ETHTOOL_A_COALESCE_RX_USECS_LOW", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxUsecsLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES_LOW, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES_LOW", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxMaxFramesLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS_LOW, "ETHTOOL_A_COALESCE_TX_USECS_LOW", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxUsecsLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES_LOW, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES_LOW", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxMaxFramesLow }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_PKT_RATE_HIGH, "ETHTOOL_A_COALESCE_PKT_RATE_HIGH", func(c *state.EthtoolCoalesce) **uint32 { return &c.PktRateHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_USECS_HIGH, "ETHTOOL_A_COALESCE_RX_USECS_HIGH", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxUsecsHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES_HIGH, "ETHTOOL_A_COALESCE_RX_MAX_FRAMES_HIGH", func(c *state.EthtoolCoalesce) **uint32 { return &c.RxMaxFramesHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_USECS_HIGH, "ETHTOOL_A_COALESCE_TX_USECS_HIGH", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxUsecsHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES_HIGH, "ETHTOOL_A_COALESCE_TX_MAX_FRAMES_HIGH", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxMaxFramesHigh }),
	genl.Optional(unix.ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL, "ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL", func(c *state.EthtoolCoalesce) **uint32 { return &c.RateSampleInterval }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_CQE_MODE_TX, "ETHTOOL_A_COALESCE_USE_CQE_MODE_TX", func(c *state.EthtoolCoalesce) **bool { return &c.UseCQEModeTx }),
	genl.OptionalBool(unix.ETHTOOL_A_COALESCE_USE_CQE_MODE_RX, "ETHTOOL_A_COALESCE_USE_CQE_MODE_RX", func(c *state.EthtoolCoalesce) **bool { return &c.UseCQEModeRx }),
	genl.Optional(coalesceTxAggrMaxBytes, "ETHTOOL_A_COALESCE_TX_AGGR_MAX_BYTES", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxAggrMaxBytes }),
	genl.Optional(coalesceTxAggrMaxFrames, "ETHTOOL_A_COALESCE_TX_AGGR_MAX_FRAMES", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxAggrMaxFrames }),
	genl.Optional(coalesceTxAggrTimeUsecs, "ETHTOOL_A_COALESCE_TX_AGGR_TIME_USECS", func(c *state.EthtoolCoalesce) **uint32 { return &c.TxAggrTimeUsecs }),
}
