package netsettings

import (
	"fmt"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/server"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// Choose returns the network to try, by the cell that fits what the user typed: among
// the cells with the best security, the one with the strongest signal. Security comes
// first, as anybody nearby can set up a cell with the same SSID and weaker security.
// For the same reason a passphrase is never used with an open network.
func Choose(found []wifi.BSS, req server.ConfigWifi) (store.Network, error) {
	if len(found) == 0 {
		return store.Network{}, &client.Error{Code: client.CodeNotFound, Message: client.TextNotFound(req.SSID)}
	}
	var best *wifi.BSS
	for i, c := range found {
		fits := (c.Security == wifi.Open || c.Security == wifi.OWE) == req.PSK.IsZero()
		if fits && (best == nil || better(c, *best, req.PSK)) {
			best = &found[i]
		}
	}
	if best == nil {
		message := fmt.Sprintf("%s needs a passphrase", client.SSIDInText(req.SSID))
		if !req.PSK.IsZero() {
			message = fmt.Sprintf("%s is an open network, it has no passphrase", client.SSIDInText(req.SSID))
		}
		return store.Network{}, &client.Error{Code: client.CodeSecurityMismatch, Message: message}
	}
	n := wifi.Network{SSID: req.SSID, PSK: req.PSK, Security: best.Security, Frequency: best.Frequency}
	if err := n.Check(); err != nil {
		return store.Network{}, forClient(err)
	}
	return store.Network{Network: n}, nil
}

// better reports whether cell a is preferable to cell b with that passphrase, which
// may be empty. SAE cannot use a key of 64 hex digits.
func better(a, b wifi.BSS, psk secret.Secret) bool {
	if x, y := rating(a.Security, psk), rating(b.Security, psk); x != y {
		return x > y
	}
	return a.Signal > b.Signal
}

func rating(s wifi.Security, psk secret.Secret) int {
	isKey := len(psk.Reveal()) == 64
	switch {
	case (s == wifi.WPA3 || s == wifi.WPA2WPA3) && !isKey, s == wifi.OWE:
		return 3
	case s == wifi.WPA2 || s == wifi.WPA2WPA3:
		return 2
	case s == wifi.WPA || s == wifi.Open:
		return 1
	}
	return 0
}

// Retype returns the saved network with the credentials that were typed anew. Its other settings stay.
func Retype(saved, typed store.Network) store.Network {
	typed.Priority, typed.Addressing = saved.Priority, saved.Addressing
	typed.Hidden, typed.BSSID, typed.TransitionOver = saved.Hidden, saved.BSSID, saved.TransitionOver
	return typed
}
