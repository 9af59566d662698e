package wifi

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/wifi"
)

func TestRefreshed(t *testing.T) {
	first, other := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	joined := Association{SSID: []byte("home"), BSSID: first, Frequency: 2412, Signal: -40}
	moved := Association{SSID: []byte("home"), BSSID: other, Frequency: 5180, Signal: -70}
	station := &wifi.Interface{Type: wifi.InterfaceTypeStation, Frequency: 5180}
	for _, tt := range []struct {
		name     string
		ifi      *wifi.Interface
		stations []*wifi.StationInfo
		want     Association
	}{
		{"in another cell", station, []*wifi.StationInfo{{HardwareAddr: other, Signal: -70}}, moved},
		{"not associated any more", station, nil, joined},
		{"an access point meanwhile", &wifi.Interface{Type: wifi.InterfaceTypeAP, Frequency: 5180}, []*wifi.StationInfo{{HardwareAddr: other, Signal: -70}}, joined},
		{"a driver that does not tell the signal", &wifi.Interface{Type: wifi.InterfaceTypeStation}, []*wifi.StationInfo{{HardwareAddr: other}}, joined},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, refreshed(joined, tt.ifi, tt.stations)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
