package sysctl

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	os.Exit(m.Run())
}

// TestKeepAgain checks that after several values the first previous one is restored,
// unless another program has set the value meanwhile.
func TestKeepAgain(t *testing.T) {
	for _, row := range []struct {
		name    string
		between string // what another program sets between the two
		want    int
	}{
		{"nobody else", "", 64},
		{"another program in between", "33", 33},
	} {
		t.Run(row.name, func(t *testing.T) {
			netnstest.Need(t)
			netnstest.Run(t, "ip", "link", "add", "again0", "type", "veth")
			t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "again0") })
			file := Path("ipv6", "again0", "hop_limit")
			hops := func(n int) []Setting { return []Setting{IPv6("hop_limit", fmt.Sprint(n))} }
			set := func(value string) {
				if err := os.WriteFile(file, []byte(value), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			set("64")
			k := Keeper{File: filepath.Join(t.TempDir(), "record.json"), Own: hops(0), Log: slog.New(slog.DiscardHandler)}
			for i, n := range []int{100, 200} {
				if i == 1 && row.between != "" {
					set(row.between)
				}
				if absent, err := k.Keep("again0", hops(n)); err != nil || absent != nil {
					t.Fatal(absent, err)
				}
				if now, err := Read(file); err != nil || now != fmt.Sprint(n) {
					t.Errorf("%s, %v, want %d", now, err, n)
				}
			}
			if err := k.Restore(); err != nil {
				t.Fatal(err)
			}
			if now, err := Read(file); err != nil || now != fmt.Sprint(row.want) {
				t.Errorf("restored to %s, %v, want %d", now, err, row.want)
			}
			if _, err := os.Stat(k.File); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the record is left: %v", err)
			}
		})
	}
}

// TestKeepAbsent checks that a setting which only later kernels have is named, and
// that the others are kept.
func TestKeepAbsent(t *testing.T) {
	netnstest.Need(t)
	netnstest.Run(t, "ip", "link", "add", "later0", "type", "veth")
	t.Cleanup(func() { netnstest.Run(t, "ip", "link", "del", "later0") })
	later, hops := IPv6("of_a_later_kernel", "1"), IPv6("hop_limit", "100")
	k := Keeper{File: filepath.Join(t.TempDir(), "record.json"), Own: []Setting{later, hops}, Log: slog.New(slog.DiscardHandler)}
	absent, err := k.Keep("later0", []Setting{later, hops})
	if err != nil || !slices.Equal(absent, []Setting{later}) {
		t.Errorf("absent are %v, %v", absent, err)
	}
	if now, err := Read(Path("ipv6", "later0", "hop_limit")); err != nil || now != "100" {
		t.Errorf("%s, %v", now, err)
	}
}
