package networkmanager

import (
	"errors"
	"net"

	nm "github.com/Wifx/gonetworkmanager/v3"

	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Flags of an access point (NM80211ApFlags, NM80211ApSecurityFlags of
// nm-dbus-types).
const (
	flagPrivacy = 0x1

	keyPSK = 0x100
	keyEAP = 0x200
	keySAE = 0x400
	keyOWE = 0x800
)

// cellOf reads an access point. Its frequency is 0 if NetworkManager does not report
// it.
func cellOf(proxy nm.AccessPoint) (wifi.BSS, error) {
	ssid, err1 := proxy.GetPropertySSID()
	address, err2 := proxy.GetPropertyHWAddress()
	flags, err3 := proxy.GetPropertyFlags()
	wpa, err4 := proxy.GetPropertyWPAFlags()
	rsn, err5 := proxy.GetPropertyRSNFlags()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return wifi.BSS{}, err
	}
	cell := wifi.BSS{SSID: []byte(ssid), Security: cellSecurity(flags, wpa, rsn)}
	cell.BSSID, _ = net.ParseMAC(address)
	if mhz, err := proxy.GetPropertyFrequency(); err == nil {
		cell.Frequency = int(mhz)
	}
	return cell, nil
}

func cellSecurity(flags, wpa, rsn uint32) wifi.Security {
	switch all := wpa | rsn; {
	case rsn&keySAE != 0 && all&keyPSK != 0:
		return wifi.WPA2WPA3
	case rsn&keySAE != 0:
		return wifi.WPA3
	case rsn&keyPSK != 0:
		return wifi.WPA2
	case wpa&keyPSK != 0:
		return wifi.WPA
	case all&keyEAP != 0:
		return wifi.EAP
	case rsn&keyOWE != 0:
		return wifi.OWE
	case flags&flagPrivacy != 0:
		return wifi.WEP
	}
	return wifi.Open
}
