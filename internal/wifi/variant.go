package wifi

import "slices"

// variant is one way to join a network: the ways to agree on keys that
// wpa_supplicant may choose from (key_mgmt of wpa_supplicant.conf(5)), and how
// management frames are protected.
type variant struct {
	keyMgmt string
	pmf     PMF
}

// variants are the ways to join the network, in the order to try them: what
// has worked or was asked for first, then the best protection that the security
// allows, then what radios and routers need that cannot do that. The standard
// leaves no choice where SAE or OWE are all there is.
func (n Network) variants() []variant {
	all := n.allVariants()
	switch {
	case n.security() == OWE: // leaves no choice, and is tried twice
	case n.PMF == PMFRequired:
		all[0].pmf = PMFRequired
		return all[:1]
	case n.PMF == PMFOff:
		slices.Reverse(all)
	}
	return all
}

func (n Network) allVariants() []variant {
	plain := variant{"WPA-PSK", PMFOff}
	switch security := n.security(); {
	case security == Open:
		return []variant{{keyMgmt: "NONE"}}
	case security == OWE:
		// A request to associate that had to be repeated, because OWE's keys took
		// longer than 100 ms, makes the router begin anew in the middle of the key
		// exchange: it fails, or the association is lost at once (hostapd 2.10).
		return []variant{{"OWE", PMFRequired}, {"OWE", PMFRequired}}
	case security == WPA3:
		return []variant{{"SAE", PMFRequired}}
	case security == WPA:
		return []variant{{keyMgmt: "WPA-PSK"}}
	case security == EAP:
		return []variant{{"WPA-EAP WPA-EAP-SHA256", PMFOptional}, {"WPA-EAP", PMFOff}}
	case security == WPA2WPA3 && !n.rawKey():
		return []variant{{"WPA-PSK WPA-PSK-SHA256 SAE", PMFOptional}, plain}
	}
	// Also for 64 digits on a transition router, which never connects with
	// SAE in the list.
	return []variant{{"WPA-PSK WPA-PSK-SHA256", PMFOptional}, plain}
}

// checkPMF refuses a level that the network's security does not have.
func (n Network) checkPMF() error {
	security := n.security()
	switch n.PMF {
	case "", PMFOptional:
		return nil
	case PMFRequired:
		if security == Open || security == WPA {
			return joinError(CodeUnsupported, "%s networks cannot protect management frames", security)
		}
		return nil
	case PMFOff:
		if security == WPA3 || security == OWE {
			return joinError(CodeUnsupported, "%s needs protected management frames", security)
		}
		return nil
	}
	return joinError(CodeUnsupported, "protection of management frames is required, optional or off, not %q", n.PMF)
}
