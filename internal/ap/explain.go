package ap

import (
	"fmt"
	"strings"

	"github.com/netconnectd/netconnectd/internal/process"
)

// epilogue marks the lines that hostapd prints after those that name the cause.
var epilogue = []string{
	"interface state ", "AP-DISABLED", "CTRL-EVENT-TERMINATING", "hostapd_free_hapd_data",
	"hostapd_interface_deinit", "deinit ifname", "Interface initialization failed",
	"Unable to setup interface", "Failed to initialize interface", "Failed to set up interface",
	"configuration file:", "errors found in configuration file", "Configuration file",
}

const (
	softBlocked  = "turn the radio on by `rfkill unblock wlan`"
	hardBlocked  = "a switch or key of the device itself turns the radio on"
	wrongChannel = "the radio may not be an access point on this channel here: choose another ap.channel, or set ap.country to where the device is"
	wrongBand    = "the radio has not the band of ap.channel, or may not use it here: choose another ap.channel, or set ap.country to where the device is"
	wrongCountry = "the radio's driver does not take ap.country: use the code of an existing country, or leave ap.country empty and the channel in 1..11"
	inUse        = "another program may hold the interface (NetworkManager, wpa_supplicant), or its driver has no access point mode: see `iw list`"
	portTaken    = "another program serves DHCP or DNS on this device: see `ss -lunp`"
	noRights     = "hostapd and dnsmasq need the capabilities that netconnectd.service gives: start it by systemd or as root"
)

// remedies maps a text in a line of output to the remedy.
var remedies = []struct{ text, remedy string }{
	{"WLAN soft blocked", softBlocked},
	{"WLAN hard blocked", hardBlocked},
	{"not allowed for AP mode", wrongChannel},
	{"does not support configured channel", wrongChannel},
	{"not found from the channel list", wrongChannel},
	{"Could not select hw_mode and channel", wrongChannel},
	{"Could not set channel for kernel driver", wrongChannel},
	{"does not support configured mode", wrongBand},
	{"Failed to set country code", wrongCountry},
	{"Invalid country_code", wrongCountry},
	{"Could not configure driver mode", inUse},
	{"Address already in use", portTaken},
	{"Operation not permitted", noRights},
	{"Permission denied", noRights},
}

// explain returns why a child ended before it served: the child's own lines, and the
// remedy if there is one.
func explain(name string, child *process.Child) error {
	said := complaint(child.LastOutput())
	switch {
	case said == "":
		return fmt.Errorf("start %s: %w", name, child.Err())
	case strings.Contains(said, wrongChannel), strings.Contains(said, wrongBand):
		return channelError{fmt.Errorf("start %s: %s", name, said)}
	}
	return fmt.Errorf("start %s: %s", name, said)
}

// complaint returns the first line that has a remedy, as later lines are mostly
// consequences. Without such a line it returns the last two before the epilogue.
func complaint(lines []string) string {
	var said []string
	for _, line := range lines {
		for _, r := range remedies {
			if strings.Contains(line, r.text) {
				return line + " (" + r.remedy + ")"
			}
		}
		if !containsAny(line, epilogue) {
			said = append(said, line)
		}
	}
	return strings.Join(said[max(0, len(said)-2):], "; ")
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
