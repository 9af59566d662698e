package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// maxHosts bounds how many addresses one probe pings.
const maxHosts = 8

// setHosts accepts addresses with commas between them, or nothing.
func setHosts(d *draft, text string) error {
	d.Probe.Hosts = nil
	if text == "" {
		return nil
	}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		addr, err := netip.ParseAddr(item)
		switch {
		case err != nil:
			return fmt.Errorf("%s is not an address; a name is asked for by probe.kind dns", shown.Text(item))
		case addr.Zone() != "":
			return fmt.Errorf("%s names an interface, but each is probed through its own", shown.Text(item))
		case addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback():
			return fmt.Errorf("%s is not the address of another device", addr)
		}
		d.Probe.Hosts = append(d.Probe.Hosts, addr.Unmap())
	}
	if n := len(d.Probe.Hosts); n > maxHosts {
		return fmt.Errorf("has %d addresses; at most %d are pinged", n, maxHosts)
	}
	return nil
}

// probeURL accepts the URL of a page, or nothing.
func probeURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && !strings.Contains(u.Host, "%")
	switch {
	case strings.Contains(text, "@"): // the text may hold a passphrase
		return errors.New("has an @; a user's name is not sent")
	case !web:
		return fmt.Errorf("%s is not the URL of a page, e.g. http://example.org/generate_204", shown.Text(text))
	case u.Port() == "":
		return nil
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%s is not a port", shown.Text(u.Port()))
	}
	return nil
}

// checkProbe reports a probe that lacks what its kind needs, and settings that the kind
// does not use.
func checkProbe(d *draft, winners map[string]value, r *report) {
	if r.bad("probe.kind") {
		return
	}
	for _, need := range []struct {
		kind, path string
		given      bool
	}{
		{"ping", "probe.hosts", len(d.Probe.Hosts) > 0},
		{"http", "probe.url", d.Probe.URL != ""},
		{"dns", "probe.name", d.Probe.Name != ""},
	} {
		switch {
		case r.bad(need.path):
		case d.Probe.Kind == need.kind && !need.given:
			r.problem("probe.kind", winners["probe.kind"].from, "%s needs %s", need.kind, need.path)
		case d.Probe.Kind != need.kind && need.given:
			r.warning(need.path, winners[need.path].from, "has no effect, because probe.kind is %s", d.Probe.Kind)
		}
	}
}
