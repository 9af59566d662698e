package resolver

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func addresses(list ...string) []netip.Addr {
	var parsed []netip.Addr
	for _, text := range list {
		parsed = append(parsed, netip.MustParseAddr(text))
	}
	return parsed
}

func TestPublish(t *testing.T) {
	for _, row := range []struct {
		name   string
		config Config
		want   string // "" if nothing is published
	}{
		{"ordinary", Config{Links: []Link{{"wlan0", addresses("192.168.1.1", "9.9.9.9"), []string{"home.arpa", "lan"}}}},
			"# netconnectd: wlan0\nnameserver 192.168.1.1\nnameserver 9.9.9.9\nsearch home.arpa lan\n"},
		{"IPv6, link-local gets its zone", Config{Links: []Link{{"wlan0", addresses("2001:db8::1", "fe80::1", "fe80::2%eth0"), nil}}},
			"# netconnectd: wlan0\nnameserver 2001:db8::1\nnameserver fe80::1%wlan0\nnameserver fe80::2%wlan0\n"},
		{"more than three, and one twice", Config{Links: []Link{{"wlan0", addresses("10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"), nil}}},
			"# netconnectd: wlan0\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"},
		{"addresses that no server has", Config{Links: []Link{{"wlan0", append(addresses("0.0.0.0", "::", "224.0.0.251", "10.0.0.1"), netip.Addr{}), nil}}},
			"# netconnectd: wlan0\nnameserver 10.0.0.1\n"},
		{"domains that are none", Config{Links: []Link{{"wlan0", addresses("10.0.0.1"),
			[]string{"", ".", "a b", "x\nnameserver 6.6.6.6", "-d", "a..b", "ünder", "`id`", strings.Repeat("x", 64), "good.example."}}}},
			"# netconnectd: wlan0\nnameserver 10.0.0.1\nsearch good.example\n"},
		{"more domains than fit", Config{Links: []Link{{"wlan0", addresses("10.0.0.1"), []string{"a", "b", "c", "d", "e", "f", "g"}}}},
			"# netconnectd: wlan0\nnameserver 10.0.0.1\nsearch a b c d e f\n"},
		{"longer domains than fit", Config{Links: []Link{{"wlan0", addresses("10.0.0.1"), []string{strings.Repeat("long.", 40) + "a", strings.Repeat("long.", 40) + "b", "lan"}}}},
			"# netconnectd: wlan0\nnameserver 10.0.0.1\nsearch " + strings.Repeat("long.", 40) + "a lan\n"},
		{"two links", Config{Links: []Link{{"br-wan", addresses("10.0.0.1", "fe80::1"), []string{"isp.example"}}, {"br-lan", addresses("10.0.0.1", "10.0.0.2", "10.0.0.3"), []string{"lan"}}}},
			"# netconnectd: br-wan\nnameserver 10.0.0.1\nnameserver fe80::1%br-wan\nnameserver 10.0.0.2\nsearch isp.example lan\n" +
				"# link br-wan nameserver 10.0.0.1\n# link br-wan nameserver fe80::1%br-wan\n# link br-wan search isp.example\n" +
				"# link br-lan nameserver 10.0.0.1\n# link br-lan nameserver 10.0.0.2\n# link br-lan nameserver 10.0.0.3\n# link br-lan search lan\n"},
		{"a link whose servers are for itself", Config{Links: []Link{{"br-lan", addresses("10.0.0.1"), nil}}, Apart: true},
			"# netconnectd: br-lan\n# link br-lan nameserver 10.0.0.1\n"},
		{"a link without a server", Config{Links: []Link{{"br-wan", addresses("10.0.0.1"), nil}, {"br-lan", nil, []string{"lan"}}}},
			"# netconnectd: br-wan\nnameserver 10.0.0.1\n"},
		{"no server", Config{Links: []Link{{Interface: "wlan0", Search: []string{"lan"}}}}, ""},
		{"no usable server", Config{Links: []Link{{"wlan0", addresses("0.0.0.0"), nil}}}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Publish(dir, row.config); err != nil {
				t.Fatal(err)
			}
			got, _ := os.ReadFile(filepath.Join(dir, FileName))
			if diff := cmp.Diff(row.want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if _, err := os.Stat(filepath.Join(dir, PendingName)); err != nil {
				t.Errorf("not announced: %v", err)
			}
			c, err := take(filepath.Join(dir, FileName))
			if err != nil || len(c.Links) > 0 != (row.want != "") {
				t.Errorf("the root side reads %+v, %v", c, err)
			}
		})
	}
}

func TestPublishRefusesInterfaces(t *testing.T) {
	for _, name := range []string{"", "-wlan0", "..", "a/b", "a b", "a\nb", "sixteen-letters-", "wlan0;id"} {
		if err := Publish(t.TempDir(), Config{Links: []Link{{Interface: name, Servers: addresses("10.0.0.1")}}}); err == nil {
			t.Errorf("published for interface %q", name)
		}
	}
}

func TestWithdraw(t *testing.T) {
	dir := t.TempDir()
	if err := Publish(dir, Config{Links: []Link{{Interface: "wlan0", Servers: addresses("10.0.0.1")}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Withdraw(dir); err != nil {
			t.Fatal(err)
		}
		if c, err := take(filepath.Join(dir, FileName)); err != nil || len(c.Links) != 0 {
			t.Errorf("still published: %+v, %v", c, err)
		}
	}
}

// The folder belongs to another user.
func TestTakeTrustsNothing(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "shadow")
	if err := os.WriteFile(secret, []byte("# netconnectd: wlan0\nnameserver 10.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		plant func(path string) error
	}{
		{"link to a file that parses", func(path string) error { return os.Symlink(secret, path) }},
		{"dangling link", func(path string) error { return os.Symlink("/nowhere", path) }},
		{"pipe without a writer", func(path string) error { return unix.Mkfifo(path, 0o666) }},
		{"folder", func(path string) error { return os.Mkdir(path, 0o777) }},
		{"folder as the announcement", func(path string) error { return os.Mkdir(filepath.Join(filepath.Dir(path), PendingName), 0o777) }},
		{"link as the folder", func(path string) error {
			dir := filepath.Dir(path)
			if err := os.Rename(dir, dir+".moved"); err != nil {
				return err
			}
			return os.Symlink(dir+".moved", dir)
		}},
		{"endless file", func(path string) error {
			return os.WriteFile(path, []byte("# netconnectd: wlan0\n"+strings.Repeat("nameserver 10.0.0.1\n", 1000)), 0o666)
		}},
		{"sparse file of a terabyte", func(path string) error {
			if err := os.WriteFile(path, nil, 0o666); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, FileName)
			if err := row.plant(path); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				if c, err := take(path); err == nil {
					t.Errorf("accepted: %+v", c)
				}
			}()
			select {
			case <-done:
			case <-time.After(5 * time.Second):
				t.Error("hangs")
			}
		})
	}
	if c, err := take(filepath.Join(t.TempDir(), "absent", FileName)); err != nil || len(c.Links) != 0 {
		t.Errorf("absent folder: %+v, %v", c, err)
	}
}

// seventeen returns the lines of more links than there can be.
func seventeen() string {
	all := "nameserver 10.0.0.1\n"
	for i := range MaxLinks + 1 {
		all += fmt.Sprintf("# link wlan%d nameserver 10.0.0.1\n", i)
	}
	return all
}

func TestParseIsStrict(t *testing.T) {
	const head = "# netconnectd: wlan0\n"
	for _, row := range []struct{ name, content string }{
		{"empty", ""},
		{"only the header", head},
		{"no end of line", head + "nameserver 10.0.0.1"},
		{"no header", "nameserver 10.0.0.1\n"},
		{"option as interface", "# netconnectd: --help\nnameserver 10.0.0.1\n"},
		{"interface with a slash", "# netconnectd: ../x\nnameserver 10.0.0.1\n"},
		{"other keyword", head + "nameserver 10.0.0.1\noptions debug\n"},
		{"comment", head + "nameserver 10.0.0.1\n# comment\n"},
		{"blank line", head + "\nnameserver 10.0.0.1\n"},
		{"host name as server", head + "nameserver evil.example\n"},
		{"two servers on a line", head + "nameserver 10.0.0.1 10.0.0.2\n"},
		{"four servers", head + strings.Repeat("nameserver 10.0.0.1\n", 4)},
		{"server of another interface", head + "nameserver fe80::1%eth0\n"},
		{"zone that is an option", head + "nameserver 2001:db8::1%--help\n"},
		{"multicast", head + "nameserver 224.0.0.1\n"},
		{"shell in a domain", head + "nameserver 10.0.0.1\nsearch $(id)\n"},
		{"option as domain", head + "nameserver 10.0.0.1\nsearch --help\n"},
		{"routing domain", head + "nameserver 10.0.0.1\nsearch ~.\n"},
		{"two search lists", head + "nameserver 10.0.0.1\nsearch a\nsearch b\n"},
		{"empty search list", head + "nameserver 10.0.0.1\nsearch\n"},
		{"a link's server that is not in the list of all", head + "nameserver 10.0.0.1\n# link wlan0 nameserver 10.0.0.1\n# link eth0 nameserver 10.0.0.2\n"},
		{"a server that no link has", head + "nameserver 10.0.0.1\nnameserver 10.0.0.2\n# link wlan0 nameserver 10.0.0.1\n# link eth0 nameserver 10.0.0.1\n"},
		{"option as a link", head + "# link --help nameserver 10.0.0.1\n"},
		{"link without a key", head + "# link wlan0\n"},
		{"first link is another", head + "# link eth0 nameserver 10.0.0.1\n"},
		{"seventeen links", head + seventeen()},
		{"NUL", head + "nameserver 10.0.0.1\x00\n"},
		{"carriage return", head + "nameserver 10.0.0.1\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if c, err := parse(row.content); err == nil {
				t.Errorf("accepted: %+v", c)
			}
		})
	}
}

// FuzzParse checks that an accepted text is exactly what we would have written.
func FuzzParse(f *testing.F) {
	f.Add("# netconnectd: wlan0\nnameserver 10.0.0.1\nnameserver fe80::1%wlan0\nsearch home.arpa lan\n")
	f.Add("# netconnectd: wlan0\nnameserver 10.0.0.1\n# link wlan0 nameserver 10.0.0.1\n# link eth0 nameserver 10.0.0.1\n")
	f.Add("# netconnectd: eth0\n# link eth0 nameserver 10.0.0.1\n")
	f.Fuzz(func(t *testing.T, content string) {
		c, err := parse(content)
		if err != nil {
			return
		}
		again, err := parse(string(c.render()))
		if err != nil || !cmp.Equal(c, again, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Errorf("%q reads as %+v, again as %+v, %v", content, c, again, err)
		}
	})
}

// FuzzPublish checks that whatever a network announces, the root side understands the
// result.
func FuzzPublish(f *testing.F) {
	f.Add([]byte{10, 0, 0, 1}, "home.arpa")
	f.Add([]byte("\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), "a\nb")
	f.Fuzz(func(t *testing.T, address []byte, domain string) {
		server, _ := netip.AddrFromSlice(address)
		c := Config{Links: []Link{{"wlan0", []netip.Addr{server}, []string{domain}}, {"eth0", []netip.Addr{server}, nil}}}.usable()
		if len(c.Links) == 0 {
			return
		}
		if _, err := parse(string(c.render())); err != nil {
			t.Errorf("%q: %v", c.render(), err)
		}
	})
}

// A real program that reads resolv.conf(5) agrees about the format.
func TestDnsmasqReadsWhatIsPublished(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	dir := t.TempDir()
	if err := Publish(dir, Config{Links: []Link{{"lo", addresses("192.168.1.1", "2001:db8::1", "fe80::1"), []string{"home.arpa"}}, {"br-lan", addresses("10.0.0.7"), []string{"lan"}}}}); err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithTimeout(t.Context(), 20*time.Second)
	cmd := exec.CommandContext(ctx, "unshare", "-n", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
		"--log-facility=-", "--user=root", "--pid-file", "--port=5353", "--resolv-file="+filepath.Join(dir, FileName))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { kill(); cmd.Wait() }()
	missing := []string{"using nameserver 192.168.1.1#53", "using nameserver 2001:db8::1#53", "using nameserver fe80::1%lo#53"}
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); len(missing) > 0 && lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		missing = slices.DeleteFunc(missing, func(want string) bool { return strings.Contains(lines.Text(), want) })
	}
	if len(missing) > 0 {
		t.Errorf("%q are not in dnsmasq's words:\n%s", missing, &said)
	}
}
