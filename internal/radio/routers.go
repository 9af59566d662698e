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
// until ctx ends. Where a person has said which to ask, they count alone. Asking
// the routers also has them advertise what the kernel makes addresses and routes
// of: it asks itself only after the interface was set up, not in another network.
//
// That the routers cannot be heard is no reason to leave the network.
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
