package wifi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/wifi"
)

// Radio is a Wi-Fi interface and what its hardware can be.
type Radio struct {
	Name           string // of the interface, e.g. "wlan0"
	Index          int
	MAC            net.HardwareAddr
	PHY            int    // number of the wiphy; several interfaces may share one
	Type           string // what it is now: "station", "access point", "monitor", …
	Frequency      int    // MHz, 0 if it is on none
	APCapable      bool
	StationCapable bool
}

// TypeAccessPoint is the Type of a Radio that is one.
var TypeAccessPoint = wifi.InterfaceTypeAP.String()

// Radios lists the Wi-Fi interfaces that have a network device, in order of
// their index. A kernel without cfg80211 has none. The simulator's hwsim0 is
// not among them: nl80211 does not know it.
func Radios(ctx context.Context) ([]Radio, error) {
	client, err := wifi.New()
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list radios: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, commandDeadline)
	defer cancel()
	defer context.AfterFunc(ctx, func() { client.SetDeadline(time.Unix(1, 0)) })()

	interfaces, err := client.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list radios: %w", err)
	}
	phys, err := client.PHYs()
	if err != nil {
		return nil, fmt.Errorf("list radios: %w", err)
	}
	return radios(interfaces, phys), nil
}

func radios(interfaces []*wifi.Interface, phys []*wifi.PHY) []Radio {
	var list []Radio
	for _, ifi := range interfaces {
		if ifi.Name == "" || ifi.Index == 0 {
			continue // a P2P device: a wdev without a network device
		}
		radio := Radio{
			Name: ifi.Name, Index: ifi.Index, MAC: ifi.HardwareAddr, PHY: ifi.PHY,
			Type: ifi.Type.String(), Frequency: ifi.Frequency,
		}
		for _, phy := range phys {
			if phy.Index == ifi.PHY {
				radio.APCapable = slices.Contains(phy.SupportedIftypes, wifi.InterfaceTypeAP)
				radio.StationCapable = slices.Contains(phy.SupportedIftypes, wifi.InterfaceTypeStation)
			}
		}
		list = append(list, radio)
	}
	slices.SortFunc(list, func(a, b Radio) int { return a.Index - b.Index })
	return list
}
