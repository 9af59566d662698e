package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/manpage"
	"github.com/netconnectd/netconnectd/internal/network"
)

// The manual pages of the daemon and of its file are made from the flags and
// the table of keys: go test ./internal/config -update writes them.

func TestPageOfDaemon(t *testing.T) {
	p := manpage.New("netconnectd", "8", "keep a device reachable")
	p.Section("Synopsis")
	p.Text("netconnectd [flags]")
	p.Section("Description")
	p.Text(about)
	p.Text("It is started by systemd, as its own user. Programs talk to it over a Unix socket; netconnectcli(1) is one of them. " +
		"hostapd, dnsmasq and wpa_supplicant, which it runs, outlive a restart of it; systemctl stop netconnectd.socket netconnectd leaves nothing.")
	p.Section("Options")
	p.Flags(newFlagSet(newCommandLine()))
	p.Section("Environment")
	p.Item(envFile, "The configuration file.")
	p.Item(keys[0].env()+" and so on", "Each key of the file has a variable; see netconnectd.yaml(5).")
	p.Section("Signals")
	p.Item("SIGHUP", "Read the configuration again and apply what differs.")
	p.Item("SIGTERM, SIGINT", "End. hostapd, dnsmasq and wpa_supplicant go on; the unit netconnectd-radio.service ends them.")
	p.Section("Files")
	p.Item(DefaultFile, "The configuration.")
	for _, path := range []string{"socket", "paths.state", "paths.hooks", "paths.runtime"} {
		k := keyByPath(path)
		p.Item(k.value, k.doc)
	}
	p.Section("Exit status")
	p.Item("0", "It ended as asked.")
	p.Item("1", "Something is wrong; standard error has it.")
	p.Item("2", "Wrong use.")
	p.Item("3", "--daemon status: it does not run.")
	p.Section("See also")
	p.Text("netconnectcli(1), netconnectd.yaml(5), hostapd(8), dnsmasq(8), wpa_supplicant(8)")
	golden(t, manualPage("netconnectd.8"), p.String())
}

func TestPageOfFile(t *testing.T) {
	p := manpage.New("netconnectd.yaml", "5", "configuration of netconnectd")
	p.Section("Synopsis")
	p.Text(DefaultFile)
	p.Section("Description")
	p.Text("The file is YAML, and may be absent, as each of its keys may. A flag wins over a variable of the environment, that over the file, and that over the default. " +
		"The variable of a key is " + envPrefix + " and the key in capitals with _ for the dot: " + keyByPath("ap.channel").env() + " is ap.channel.")
	p.Text("Times are seconds. netconnectd --check reports every problem of the file with its line; netconnectcli reload applies what differs. A daemon that starts with a file that is wrong takes it as it was when it was right last, and says so in its status.")
	for _, s := range sections {
		p.Section(cmp.Or(s.name, "without section"))
		p.Text(s.doc)
		for _, k := range keysOf(s.name) {
			p.Item(k.path, fmt.Sprintf("%s Default: %s. Flag: %s.", meaning(k), cmp.Or(k.value, "empty"), plainFlag(k)))
		}
	}
	pageOfNetwork(p)
	p.Section("Example")
	p.Example("interfaces:\n  wifi: wlan0\nap:\n  ssid: My printer\n  psk: \"a passphrase\"\n  country: DE")
	p.Section("See also")
	p.Text("netconnectd(8), netconnectcli(1)")
	golden(t, manualPage("netconnectd.yaml.5"), p.String())
}

// pageOfNetwork explains the section network, from the rows of package network.
func pageOfNetwork(p *manpage.Page) {
	p.Section("network")
	p.Text("The devices and interfaces that the daemon manages, in the terms of OpenWrt's netifd. The section has the lists " +
		strings.Join(listNames(), ", ") + "; each item of a list has options. Whatever is wrong in the section is an error, also an unknown option. " +
		"Neither flags nor variables of the environment have any of it.")
	p.Item("network.uci", "Path of a network file of OpenWrt's, e.g. /etc/config/network, that takes the place of all lists. "+
		"Root or the daemon's user has to own the file. What netconnectd does not have is left out, with a warning for each line. "+
		"netconnectcli import uci translates such a file.")
	p.Example(exampleNetwork)
	for _, list := range networkLists {
		p.Section("network." + list.name)
		for _, o := range network.Options(list.kind) {
			p.Item(strings.Join(append([]string{o.Name}, o.Others...), ", "), explain(o))
		}
	}
}

// explain returns sentences about an option.
func explain(o network.OptionDoc) string {
	text := o.Doc + " Values: " + o.Takes + "."
	if o.List {
		text += " The option has any number of them."
	}
	switch {
	case strings.HasPrefix(o.Unset, "required"):
		text += " It is " + o.Unset + "."
	case o.Unset != "":
		text += " Without it: " + o.Unset + "."
	}
	switch {
	case len(o.Of) == 1 && o.Of[0] == "":
		text += " For devices without a type."
	case len(o.Of) == 1:
		text += " For " + o.Of[0] + "."
	}
	return text
}

// plainFlag is the flag of a key without marks.
func plainFlag(k *key) string { return strings.ReplaceAll(markdownFlag(k), "`", "") }

func manualPage(name string) string { return filepath.Join("..", "..", "docs", "man", name) }
