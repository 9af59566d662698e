package migrate

import (
	"encoding/json"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
)

// seeds returns one file of each kind, from which the test makes others by mutation.
func seeds(t testing.TB) []string {
	t.Helper()
	return []string{
		string(readFile(t, "testdata/wpa_supplicant.conf")), string(readFile(t, "testdata/interfaces")),
		keyfileStart + "[wifi-security]\nkey-mgmt=wpa-psk\npsk=lamp-and-ladder\n[ipv4]\nmethod=manual\naddress1=192.0.2.7/24,192.0.2.1\n",
		"network:\n  version: 2\n  wifis:\n    wlan0: &w\n      addresses: [192.0.2.7/24]\n      access-points:\n        Attic: {password: lamp-and-ladder}\n    wlan1: *w\n",
	}
}

// pieces are the parts of which a generated file is made, besides random bytes.
var pieces = []string{"network={\n", "}\n", "ssid=", "psk=", `P"\x`, `"`, "#", "\\\n", "\\", "iface w0 inherits w0\n", " inherits wlan0\n", "iface w0 inet6 static\n",
	"wpa-ssid ", "wireless-essid ", "[wifi]\n", "ssid=1;2;", "&a ", "*a", "  wifis:\n", "access-points: ", "\t", "\r", "\x00", "\xff\xfe", "=", ": ", "- ", "[", "{"}

// TestTenThousandFiles checks that reading any file neither panics nor takes long nor
// keeps memory, and that the networks read can be sent. The seed is fixed, so that a
// failure can be repeated.
func TestTenThousandFiles(t *testing.T) {
	all := seeds(t)
	random := rand.New(rand.NewPCG(3, 4))
	before, slowest, networks := heap(), time.Duration(0), 0
	for range 10_000 {
		text := mutate(random, all[random.IntN(len(all))])
		began := time.Now()
		networks += check(t, text)
		slowest = max(slowest, time.Since(began))
	}
	if networks < 10_000 {
		t.Errorf("only %d networks were read: the files are too broken to try much", networks)
	}
	if slowest > 5*time.Second {
		t.Errorf("one file took %v", slowest)
	}
	if after := heap(); after > before+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// check reads a text and returns how many networks it contains.
func check(t *testing.T, text string) int {
	t.Helper()
	networks, problems := Read([]byte(text))
	lines := 1 // in YAML, all of these end a line
	for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		lines += strings.Count(text, end)
	}
	for _, n := range networks {
		if n.Line < 1 || n.Line > lines || len(n.SSID) == 0 || len(n.SSID) > client.MaxSSID {
			t.Fatalf("line %d of %d, SSID %q of\n%q", n.Line, lines, n.SSID, text)
		}
		if _, err := json.Marshal(n.Settings); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range problems {
		if p.Line < 1 || p.Line > lines || p.Text == "" || len(p.Text) > 600 {
			t.Fatalf("line %d of %d: %q of\n%q", p.Line, lines, p.Text, text)
		}
	}
	return len(networks)
}

// mutate changes a text in up to eight places.
func mutate(random *rand.Rand, text string) string {
	for range 1 + random.IntN(8) {
		at := random.IntN(len(text) + 1)
		end := min(len(text), at+random.IntN(40))
		switch random.IntN(4) {
		case 0:
			text = text[:at] + text[end:]
		case 1:
			text = text[:at] + pieces[random.IntN(len(pieces))] + text[at:]
		case 2:
			text = text[:at] + strings.Repeat(text[at:end], 1+random.IntN(20)) + text[end:]
		case 3:
			text = text[:at] + string([]byte{byte(random.UintN(256))}) + text[at:]
		}
	}
	return text
}

// TestLargeFiles reads files of the largest size. Reading them must take time in
// proportion to their size.
func TestLargeFiles(t *testing.T) {
	fill := func(start, part string) string { return start + strings.Repeat(part, (1<<20-len(start))/len(part)) }
	points := "network:\n  wifis:\n    w: &w\n      access-points: &p\n" + strings.Repeat("        a: {}\n", 900)
	for _, tt := range []struct{ name, text string }{
		{"options of one stanza", fill("iface w inet dhcp\n", "wpa-x y\n")},
		{"one option, again and again", fill("iface w inet dhcp\n", "up x\n")},
		{"stanzas that inherit themselves", fill("iface w inet dhcp\n"+strings.Repeat("wpa-x y\nup z\n", 150), "iface w inherits w\n wpa-x y\n")},
		{"stanzas of both families", fill("", "iface w inet dhcp\n wpa-ssid a\niface w inet6 static\n wpa-ssid b\n address ::1\n")},
		{"lines that continue", fill("iface w inet dhcp\nwpa-ssid ", "\\\n")},
		{"networks of one name", fill("", "network={\nssid=\"a\"\nkey_mgmt=NONE\n}\n")},
		{"settings of one network", fill("network={\n", "x=\"#\"\n")},
		{"quotes", fill("network={\nssid=", "\"")},
		{"entries of a profile", fill("[connection]\ntype=wifi\n[wifi]\nssid=a\n", "x=1\n")},
		{"aliases", fill(points, "    v: *w\n")},
		{"depth", fill("network: ", "[")},
		{"depth of braces", fill("network: ", "{a: ")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			check(t, tt.text)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
