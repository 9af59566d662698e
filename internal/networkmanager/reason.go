package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	nm "github.com/Wifx/gonetworkmanager/v3"
	"github.com/godbus/dbus/v5"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/store"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// joinError translates the reason for which NetworkManager ended an activation. The
// result quotes NetworkManager's words, because they say less than wpa_supplicant
// knows.
func joinError(e *stateError) *wifi.JoinError {
	code, text := client.CodeRejected, "the network could not be joined"
	switch e.reason {
	case nm.NmDeviceStateReasonNoSecrets:
		code, text = client.CodeWrongKey, "the passphrase is not the router's"
	case nm.NmDeviceStateReasonSsidNotFound:
		code, text = client.CodeNotFound, "the network was not found"
	case nm.NmDeviceStateReasonSupplicantDisconnect, nm.NmDeviceStateReasonSupplicantTimeout, nm.NmDeviceStateReasonSupplicantFailed:
		code, text = client.CodeTimeout, "the router did not finish the key exchange"
	case nm.NmDeviceStateReasonIpConfigUnavailable, nm.NmDeviceStateReasonIpConfigExpired, nm.NmDeviceStateReasonDhcpStartFailed,
		nm.NmDeviceStateReasonDhcpError, nm.NmDeviceStateReasonDhcpFailed:
		code, text = client.CodeNoAddress, "the network gave no address"
	case nm.NmDeviceStateReasonCarrier:
		code, text = client.CodeLost, "the router vanished"
	case nm.NmDeviceStateReasonSleeping, nm.NmDeviceStateReasonFirmwareMissing:
		code, text = client.CodeRadioOff, "NetworkManager cannot use the radio"
	}
	return &wifi.JoinError{Code: code, Reason: text + " (" + e.Error() + ")"}
}

func radioOff() *wifi.JoinError {
	return &wifi.JoinError{Code: client.CodeRadioOff, Reason: "the radio is switched off: switch it on by `rfkill unblock wlan`, `nmcli radio wifi on` or the device's own switch"}
}

// verdict finds out what NetworkManager does not report: whether the router is still
// there, and whether our settings fit it.
func (c *Client) verdict(ctx context.Context, n store.Network, err error, air Air) error {
	var join *wifi.JoinError
	var state *stateError
	switch {
	case errors.As(err, &join): // the router's frames have shown the cause
		return join
	case errors.As(err, &state):
		join = joinError(state)
		if n.EAP != nil && join.Code == client.CodeWrongKey {
			join.Reason = "the network's server does not accept the credentials, or one is missing (" + state.Error() + ")"
		}
	case notAvailable(err):
		join = notFound()
	case errors.Is(err, context.DeadlineExceeded):
		join = &wifi.JoinError{Code: client.CodeTimeout, Reason: "NetworkManager did not join it in time"}
	default:
		return err
	}
	if !slices.Contains([]string{client.CodeWrongKey, client.CodeNotFound, client.CodeTimeout, client.CodeRejected}, join.Code) {
		return join
	}
	ctx, cancel := context.WithTimeout(ctx, againLimit)
	defer cancel()
	heard, scanErr := air.Cells(ctx)
	if scanErr != nil {
		return join
	}
	mismatch, present := n.Mismatch(heard)
	switch {
	case mismatch != nil:
		return mismatch
	case !present && join.Code == client.CodeWrongKey:
		return &wifi.JoinError{Code: client.CodeLost, Reason: "the router vanished during the key exchange"}
	case !present && join.Code != client.CodeNotFound:
		return notFound()
	}
	return join
}

// noAddress returns the verdict on a network that accepts the radio but assigns no
// address.
func noAddress(limit time.Duration) *wifi.JoinError {
	return &wifi.JoinError{Code: client.CodeNoAddress, Reason: fmt.Sprintf("the network gave no address within %v", limit)}
}

// notAvailable reports whether NetworkManager refused to activate a network that it
// does not see.
func notAvailable(err error) bool {
	var failed dbus.Error
	return errors.As(err, &failed) && failed.Name == "org.freedesktop.NetworkManager.UnknownConnection" ||
		err != nil && strings.Contains(err.Error(), "not available on device")
}
