package radio

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/link/proto/ndp"
)

// hearAgain is the pause before the session listens to routers anew.
const hearAgain = 5 * time.Second

// hearRouters takes over the name servers that the network's routers advertise,
// until ctx ends. It does nothing if name servers are set for the network. ndp.Run
// solicits the routers, and from their advertisements the kernel makes addresses and
// routes. The kernel itself solicits only when the interface is set up, but not when
// the radio changes to another network.
//
// An error here does not end the session.
func (s *session) hearRouters(ctx context.Context) {
	if s.static != nil && len(s.static.DNS) > 0 {
		return
	}
	for {
		err := ndp.Run(ctx, s.iface, s.log, s.heardRouters)
		level := slog.LevelWarn
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, unix.EAFNOSUPPORT): // there is no IPv6
			level = slog.LevelDebug
		}
		s.log.Log(ctx, level, "listen to routers", "iface", s.iface, "err", err)
		s.heardRouters(nil)
		if level == slog.LevelDebug {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(hearAgain):
		}
	}
}

func (s *session) heardRouters(servers []netip.Addr) {
	s.advertised.Store(&servers)
	s.events.Lease()
}
