package doctor

import (
	"fmt"

	"github.com/netconnectd/netconnectd/internal/wifi"
)

// world is the country of radios for which none is set.
const world = "00"

// without returns the verdict of each check of a radio that does not exist.
func (f *Facts) without() []verdict {
	if f.Radio.Unseen != "" {
		return unseen("the radios", f.Radio.Unseen)
	}
	return one(Unknown, "there is no radio to look at", "")
}

func judgeRadio(f *Facts) []verdict {
	r := f.Radio
	switch {
	case r.Unseen != "":
		return unseen("the radios", r.Unseen)
	case r.Present:
		return good(fmt.Sprintf("%s is there (%s now)", r.Name, r.Type))
	case f.Settings.Interfaces.Wifi != "":
		return one(Problem, "there is no Wi-Fi interface "+r.Name,
			"netconnectd can neither join networks nor be an access point; look at what iw dev and dmesg | grep -i firmware say, and at interfaces.wifi of the configuration")
	}
	return one(Problem, "there is no Wi-Fi interface",
		"netconnectd can neither join networks nor be an access point; plug one in, and look at what dmesg | grep -i firmware says: its firmware may be missing")
}

func judgeDriver(f *Facts) []verdict {
	switch r := f.Radio; {
	case !r.Present:
		return f.without()
	case r.Driver == "":
		return unseen("the driver of "+r.Name, "the kernel does not tell")
	case r.Driver == "brcmfmac":
		return one(OK, "brcmfmac drives "+r.Name, "with firmware of its own, which fails now and then as an access point beside a station, and with WPA3; keep firmware-brcm80211 up to date")
	default:
		return good(r.Driver + " drives " + r.Name)
	}
}

func judgeRfkill(f *Facts) []verdict {
	switch r := f.Radio; {
	case !r.Present:
		return f.without()
	case r.RfkillNote != "":
		return unseen("whether rfkill blocks it", r.RfkillNote)
	case r.Hard:
		return one(Problem, r.Name+" is switched off by a switch or key of the device itself (rfkill: hard blocked)", "nothing can be sent or received; use that switch: no program can")
	case r.Soft:
		return one(Problem, r.Name+" is switched off by software (rfkill: soft blocked)",
			"nothing can be sent or received; switch it on by: sudo rfkill unblock wlan. Raspberry Pi OS blocks it until a country is set: sudo raspi-config nonint do_wifi_country DE. With wifi.kill: true netconnectd switches it on by itself")
	}
	return good(f.Radio.Name + " is not blocked by rfkill")
}

func judgeAPMode(f *Facts) []verdict {
	switch r := f.Radio; {
	case !r.Present:
		return f.without()
	case !r.APCapable:
		return one(Problem, r.Name+" cannot be an access point", "netconnectd cannot help when no network is left; use a radio whose driver can (AP under supported interface modes of iw list), or name another one in interfaces.wifi")
	case !r.StationCapable:
		return one(Problem, r.Name+" cannot join networks", "name another one in interfaces.wifi")
	}
	return good(f.Radio.Name + " can be an access point and can join networks")
}

func judgeAPAndStation(f *Facts) []verdict {
	switch r := f.Radio; {
	case !r.Present:
		return f.without()
	case r.Both == wifi.NotBoth:
		return good(r.Name + " cannot be access point and station at once, which netconnectd does not need")
	case r.Both == wifi.SameChannel:
		return good(r.Name + " can be access point and station at once, on one channel")
	}
	return good(f.Radio.Name + " can be access point and station at once, on two channels")
}

func judgeCountry(f *Facts) []verdict {
	wanted, now := f.Settings.AP.Country, f.Radio.Country
	remedy := "channels and power are cut to what is allowed all over the world, and Raspberry Pi OS may keep the radio off; write where the device is into ap.country of " + configPath(f.Settings) + ", e.g. DE, then: sudo netconnectcli reload"
	switch {
	case now == "":
		return f.without()
	case now == world && wanted == "":
		return one(Warning, "no country is set (00)", remedy)
	case now == world:
		return good("no country is set (00); netconnectd sets ap.country " + wanted + " when it uses the radio")
	case now == "98" || now == "99":
		return good("the hardware has rules of its own (" + now + ")")
	case wanted != "" && wanted != now:
		return one(Warning, fmt.Sprintf("the radio obeys the rules of %s, and ap.country is %s", now, wanted),
			"another program, or a router that tells its country, has set it; the access point may be refused its channel")
	}
	return good("the radio obeys the rules of " + now)
}

func judgeChannel(f *Facts) []verdict {
	r, channel := f.Radio, f.Settings.AP.Channel
	if !r.Present {
		return f.without()
	}
	if wanted := f.Settings.AP.Country; wanted != "" && wanted != r.Country {
		return one(Unknown, fmt.Sprintf("whether ap.channel %d is allowed could not be seen: the radio does not obey the rules of ap.country %s yet", channel, wanted), "")
	}
	rights, known := r.Channel(channel)
	fallback := "the access point comes up on channel 1; choose another ap.channel, or set ap.country to where the device is"
	switch {
	case !known:
		return one(Problem, fmt.Sprintf("%s does not have ap.channel %d", r.Name, channel), fallback)
	case rights.Disabled || rights.NoIR:
		return one(Problem, fmt.Sprintf("%s may not be an access point on ap.channel %d in country %s", r.Name, channel, r.Country), fallback)
	case rights.Radar:
		return one(Warning, fmt.Sprintf("ap.channel %d is shared with radar", channel), "it takes a minute or more before it may be used; choose another ap.channel")
	}
	return good(fmt.Sprintf("ap.channel %d is allowed", channel))
}
