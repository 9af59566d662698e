package radio

import (
	"context"
	"path/filepath"
	"strconv"

	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/link/proto/dhcp"
	"github.com/netconnectd/netconnectd/internal/sysctl"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// routerMetric returns the setting that gives the default routes from router
// advertisements the station's metric (Linux 5.13 and later). The kernel refuses 0,
// which is the lowest metric in IPv4, so 1 takes its place.
func routerMetric(metric uint32) sysctl.Setting {
	return sysctl.IPv6("ra_defrtr_metric", strconv.FormatUint(uint64(max(metric, 1)), 10))
}

// settings keeps what the interface of a station has set below /proc/sys/net.
func (r *radio) settings() sysctl.Keeper {
	return sysctl.Keeper{File: filepath.Join(r.dir, "station.json"), Own: []sysctl.Setting{routerMetric(0)}, Log: r.log}
}

// keepSettings applies the station's settings. A kernel that lacks or refuses a
// setting does not keep the radio from joining a network.
func (r *radio) keepSettings() {
	absent, err := r.settings().Keep(r.iface, []sysctl.Setting{routerMetric(r.Metric)})
	if err != nil {
		r.log.Warn("set the metric of IPv6 default routes", "iface", r.iface, "err", err)
	}
	if len(absent) > 0 {
		r.metricless.Do(func() {
			r.log.Debug("this kernel has no metric for IPv6 default routes", "iface", r.iface, "setting", absent[0].Name)
		})
	}
}

// restoreSettings restores what the interface had before it was a station.
func (r *radio) restoreSettings() {
	if err := r.settings().Restore(); err != nil {
		r.log.Warn("restore the metric of IPv6 default routes", "iface", r.iface, "err", err)
	}
}

// endStation ends the station of this or an earlier run.
func (r *radio) endStation(ctx context.Context) error {
	defer r.restoreSettings()
	return r.station.End(ctx)
}

// stillValid returns the lease of the association before, if it may be valid in this
// one, or nil. A DHCP server is asked about its lease. What routers have advertised
// is dropped instead, unless the association is the same: another router may be there,
// and the new one says at once what is valid.
func (r *radio) stillValid(ctx context.Context, previous *dhcp.Lease, now wifi.Association) (*dhcp.Lease, error) {
	if previous == nil || previous.Address.IsValid() || now.Adopted {
		return previous, nil
	}
	return nil, r.clear(ctx, link.Spec{Name: r.iface, Up: true})
}
