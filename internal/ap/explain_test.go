package ap

import (
	"strings"
	"testing"
)

func TestComplaint(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"nothing said", nil, ""},
		{"only an epilogue", []string{"wlan0: AP-DISABLED ", "wlan0: CTRL-EVENT-TERMINATING "}, ""},
		{"as hostapd 2.10 says it", []string{
			"nl80211: Could not configure driver mode",
			"nl80211: deinit ifname=wlan0 disabled_11b_rates=0",
			"nl80211 driver initialization failed.",
			"wlan0: interface state UNINITIALIZED->DISABLED",
			"wlan0: AP-DISABLED",
			"wlan0: CTRL-EVENT-TERMINATING",
			"hostapd_free_hapd_data: Interface wlan0 wasn't started",
		}, "nl80211: Could not configure driver mode (" + inUse + ")"},
		{"the radio is blocked", []string{
			"rfkill: WLAN soft blocked",
			"Failed to set beacon parameters",
			"wlan0: Could not connect to kernel driver",
			"Interface initialization failed",
			"wlan0: Unable to setup interface.",
		}, "rfkill: WLAN soft blocked (" + softBlocked + ")"},
		{"the radio is not blocked", []string{"rfkill: Cannot get wiphy information", "rfkill: WLAN unblocked"},
			"rfkill: Cannot get wiphy information; rfkill: WLAN unblocked"},
		{"a channel that the country forbids", []string{
			"Frequency 2472 (primary) not allowed for AP mode, flags: 0x1",
			"Primary frequency not allowed",
			"wlan0: IEEE 802.11 Hardware does not support configured channel",
			"Could not select hw_mode and channel. (-3)",
			"wlan0: interface state COUNTRY_UPDATE->DISABLED",
		}, "Frequency 2472 (primary) not allowed for AP mode, flags: 0x1 (" + wrongChannel + ")"},
		{"a channel of a band that the radio has not", []string{
			"Hardware does not support configured mode",
			"wlan0: IEEE 802.11 Hardware does not support configured mode (2) (hw_mode in hostapd.conf)",
			"Could not select hw_mode and channel. (-2)",
		}, "Hardware does not support configured mode (" + wrongBand + ")"},
		{"a channel that there is not", []string{
			"wlan0: IEEE 802.11 Configured channel (39) or frequency (5195) (secondary_channel=0) not found from the channel list of the current mode (2) IEEE 802.11a",
			"wlan0: IEEE 802.11 Hardware does not support configured channel",
		}, "wlan0: IEEE 802.11 Configured channel (39) or frequency (5195) (secondary_channel=0) not found from the channel list of the current mode (2) IEEE 802.11a (" + wrongChannel + ")"},
		{"a country that the driver refuses", []string{
			"Failed to set country code",
			"wlan0: Unable to setup interface.",
		}, "Failed to set country code (" + wrongCountry + ")"},
		{"no remedy known", []string{"Line 4: unknown hw_mode 'q'", "2 errors found in configuration file 'x'"}, "Line 4: unknown hw_mode 'q'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := complaint(tt.lines); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestRemediesNameTheKeys(t *testing.T) {
	for remedy, keys := range map[string][]string{
		wrongChannel: {"ap.channel", "ap.country"}, wrongBand: {"ap.channel", "ap.country"}, wrongCountry: {"ap.country"},
	} {
		for _, key := range keys {
			if !strings.Contains(remedy, key) {
				t.Errorf("%q does not name %s", remedy, key)
			}
		}
	}
}
