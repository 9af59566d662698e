package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/wifi"
)

// networkFile is the file of systemd-networkd that matches the interface. Its
// state files are for libsystemd, and readable by all.
func (m machine) networkFile(ifindex int) string {
	text, err := m.read(fmt.Sprintf("/run/systemd/netif/links/%d", ifindex))
	if err != nil {
		return ""
	}
	file, managed := "", true
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "NETWORK_FILE":
			file = value
		case "ADMIN_STATE":
			managed = value != "unmanaged"
		}
	}
	if !managed {
		return ""
	}
	return file
}

// stanza finds what ifupdown (interfaces(5)) does with the interface.
func (m machine) stanza(iface string) Stanza {
	if _, err := os.Stat(m.path("/sbin/ifup")); err != nil {
		return Stanza{} // not installed: the file is for nobody
	}
	files := []string{"/etc/network/interfaces"}
	more, _ := filepath.Glob(m.path("/etc/network/interfaces.d/*")) // the pattern is valid
	for _, file := range more {
		files = append(files, strings.TrimPrefix(file, m.root))
	}
	var s Stanza
	for _, file := range files {
		if text, err := m.read(file); err == nil {
			s.add(file, text, iface)
		}
	}
	return s
}

func (s *Stanza) add(file, text, iface string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "auto" || words[0] == "allow-hotplug":
			s.Auto = s.Auto || slices.Contains(words[1:], iface)
		case words[0] == "iface" && words[1] == iface && s.File == "":
			s.File, s.Line, s.Method = file, number, words[len(words)-1]
		}
	}
}

// radio reads what the kernel says of the radio.
func (m machine) radio(name string, all []wifi.Radio) Radio {
	r := Radio{Name: name}
	for _, one := range all {
		if one.Name == name {
			r.Present, r.Radio = true, one
		}
	}
	if driver, err := os.Readlink(m.path("/sys/class/net/" + name + "/device/driver")); err == nil {
		r.Driver = filepath.Base(driver)
	}
	return r
}
