package wifi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sort"
	"time"

	"github.com/mdlayher/wifi"
)

// Radio is a Wi-Fi interface and what its hardware can be.
type Radio struct {
	Name           string // the interface's name, e.g. "wlan0"
	Index          int
	MAC            net.HardwareAddr
	PHY            int    // number of the wiphy; several interfaces may share one
	Type           string // what the interface is now: "station", "access point", "monitor", …
	Frequency      int    // MHz, 0 if the interface is on no channel
	APCapable      bool
	StationCapable bool
	Both           Both            // whether access point and station are possible at once
	Channels       []ChannelRights // of all bands, by the rules now in force
}

// Both describes whether a radio can be access point and station at once.
type Both int

// The values of Both.
const (
	NotBoth      Both = iota
	SameChannel       // the access point has to follow the station
	OtherChannel      // each may be on a channel of its own
)

// ChannelRights is what a radio may do on a channel.
type ChannelRights struct {
	Frequency int  // MHz
	Disabled  bool // nothing may be sent
	NoIR      bool // the radio may not send first, so it cannot be an access point
	Radar     bool // the radio must listen for radar before it sends
}

// Channel returns the rights on a channel of 2.4 or 5 GHz by its number.
func (r Radio) Channel(number int) (ChannelRights, bool) {
	for _, c := range r.Channels {
		if c.Frequency < 5925 && Channel(c.Frequency) == number { // 6 GHz uses the same numbers again
			return c, true
		}
	}
	return ChannelRights{}, false
}

// DefaultRadio is assumed where the configuration names no radio and none is found.
const DefaultRadio = "wlan0"

// ChooseRadio returns the radio that is used where the configuration names none: the
// first that can be an access point.
func ChooseRadio(list []Radio) string {
	for _, r := range list {
		if r.APCapable {
			return r.Name
		}
	}
	return DefaultRadio
}

// TypeAccessPoint is the Type of a Radio that is an access point.
var TypeAccessPoint = wifi.InterfaceTypeAP.String()

// Radios lists the Wi-Fi interfaces that have a network device, in order of their
// index. A kernel without cfg80211 has none. The simulator's hwsim0 is not among
// them, because nl80211 does not know it.
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
				radio.Both, radio.Channels = both(phy.InterfaceCombinations), channelRights(phy.BandAttributes)
			}
		}
		list = append(list, radio)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Index < list[j].Index })
	return list
}

// both searches for a combination that has room for an access point and for a station
// beside it.
func both(combinations []wifi.InterfaceCombination) Both {
	best := NotBoth
	for _, c := range combinations {
		found := NotBoth
		if c.Total >= 2 && holdsBoth(c.CombinationLimits) {
			found = SameChannel
			if c.NumChannels > 1 {
				found = OtherChannel
			}
		}
		best = max(best, found)
	}
	return best
}

func holdsBoth(limits []wifi.InterfaceCombinationLimit) bool {
	for i, one := range limits {
		for k, other := range limits {
			room := i != k && one.Max > 0 && other.Max > 0 || i == k && one.Max > 1
			if room && slices.Contains(one.InterfaceTypes, wifi.InterfaceTypeAP) && slices.Contains(other.InterfaceTypes, wifi.InterfaceTypeStation) {
				return true
			}
		}
	}
	return false
}

func channelRights(bands []wifi.BandAttributes) []ChannelRights {
	var list []ChannelRights
	for _, band := range bands {
		for _, f := range band.FrequencyAttributes {
			list = append(list, ChannelRights{f.Frequency, f.Disabled, f.NoIR, f.RadarDetection})
		}
	}
	return list
}
