package wifi

import (
	"context"
	"fmt"
	"time"

	"github.com/mdlayher/wifi"
)

// Refresh returns the association as the kernel now reports it: which cell, on which
// frequency, and how strong the signal is. If the association has ended, or the
// driver reports nothing, Refresh returns it unchanged.
func Refresh(ctx context.Context, ifname string, a Association) (Association, error) {
	client, err := wifi.New()
	if err != nil {
		return a, fmt.Errorf("read the signal of %s: %w", ifname, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, commandDeadline)
	defer cancel()
	defer context.AfterFunc(ctx, func() { client.SetDeadline(time.Unix(1, 0)) })()

	interfaces, err := client.Interfaces()
	if err != nil {
		return a, fmt.Errorf("read the signal of %s: %w", ifname, err)
	}
	for _, ifi := range interfaces {
		if ifi.Name != ifname {
			continue
		}
		stations, err := client.StationInfo(ifi)
		if err != nil {
			return a, fmt.Errorf("read the signal of %s: %w", ifname, err)
		}
		return refreshed(a, ifi, stations), nil
	}
	return a, fmt.Errorf("read the signal of %s: %w", ifname, ErrNoInterface)
}

// refreshed fills in what the kernel reports. A station's only peer is its access
// point.
func refreshed(a Association, ifi *wifi.Interface, stations []*wifi.StationInfo) Association {
	if ifi.Type != wifi.InterfaceTypeStation || len(stations) != 1 {
		return a
	}
	if s := stations[0]; len(s.HardwareAddr) == 6 && s.Signal != 0 {
		a.BSSID, a.Signal = s.HardwareAddr, s.Signal
	}
	if ifi.Frequency != 0 {
		a.Frequency = ifi.Frequency
	}
	return a
}
