package ap

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netconnectd/netconnectd/internal/process"
)

// epilogue marks what hostapd prints after it has said what is wrong.
var epilogue = []string{
	"interface state ", "AP-DISABLED", "CTRL-EVENT-TERMINATING", "hostapd_free_hapd_data",
	"hostapd_interface_deinit", "deinit ifname", "Interface initialization failed",
	"Unable to setup interface", "Failed to initialize interface", "Failed to set up interface",
	"configuration file:", "errors found in configuration file", "Configuration file",
}

// remedies tells what to do about a complaint that contains the text.
var remedies = []struct{ text, remedy string }{
	{"rfkill", "the radio is switched off: rfkill unblock wlan"},
	{"RF-kill", "the radio is switched off: rfkill unblock wlan"},
	{"Could not configure driver mode", "another program may hold the interface (NetworkManager, wpa_supplicant), or its driver has no access point mode: see `iw list`"},
	{"Could not select hw_mode and channel", "the radio may not send on this channel here: choose another ap.channel, or set ap.country to where the device is"},
	{"does not support configured channel", "the radio may not send on this channel here: choose another ap.channel, or set ap.country to where the device is"},
	{"not allowed for AP mode", "the radio may not send on this channel here: choose another ap.channel, or set ap.country to where the device is"},
	{"Address already in use", "another program serves DHCP or DNS on this device: see `ss -lunp`"},
	{"Operation not permitted", "hostapd and dnsmasq need the capabilities that netconnectd.service gives: start it by systemd or as root"},
	{"Permission denied", "hostapd and dnsmasq need the capabilities that netconnectd.service gives: start it by systemd or as root"},
	{"No such device", "the interface is gone"},
}

// explain says why a child ended before it served, in its own words and with
// what to do.
func explain(name string, child *process.Child) error {
	if said := complaint(child.LastOutput()); said != "" {
		return fmt.Errorf("start %s: %s", name, said)
	}
	return fmt.Errorf("start %s: %w", name, child.Err())
}

// complaint picks the lines that say what is wrong, and adds the remedy.
func complaint(lines []string) string {
	var said []string
	for _, line := range lines {
		if !containsAny(line, epilogue) {
			said = append(said, line)
		}
	}
	if len(said) > 2 {
		said = said[len(said)-2:]
	}
	text := strings.Join(said, "; ")
	for _, r := range remedies {
		if strings.Contains(text, r.text) {
			return text + " (" + r.remedy + ")"
		}
	}
	return text
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// explainLink adds what to do about a kernel's refusal.
func explainLink(err error) error {
	if errors.Is(err, unix.ERFKILL) {
		return fmt.Errorf("%w (the radio is switched off: rfkill unblock wlan)", err)
	}
	return err
}
