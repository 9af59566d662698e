package link

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadOwned: a file of another boot, of another shape, or with names that are none,
// makes nothing ours that it should not. What is damaged is kept for a person, and said.
func TestReadOwned(t *testing.T) {
	const good = `{"name":"br0","ifindex":7,"kind":"bridge","created":true,"was":{"sysctl ipv4/conf/br0/forwarding":"0"}}`
	for _, tt := range []struct {
		name, file string
		names      string
		aside      bool
		says       string
	}{
		{name: "none"},
		{name: "of this boot", file: `{"boot_id":"this","links":[` + good + `]}`, names: "br0"},
		{name: "of another boot", file: `{"boot_id":"other","links":[` + good + `]}`},
		{name: "no JSON", file: `{"boot_id":"this","links":[` + good, aside: true, says: "not JSON"},
		{name: "a name that leads elsewhere", file: `{"boot_id":"this","links":[{"name":"../x"},` + good + `]}`, names: "br0", aside: true, says: "no name of an interface"},
		{name: "a sysctl that leads elsewhere", file: `{"boot_id":"this","links":[{"name":"x","was":{"sysctl ../../kernel/x":"1"}},` + good + `]}`, names: "br0", aside: true, says: "is not one of x"},
		{name: "a sysctl of another link", file: `{"boot_id":"this","links":[{"name":"x","was":{"sysctl ipv4/conf/y/forwarding":"1"}}]}`, aside: true, says: "is not one of x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "owned.json")
			if tt.file != "" {
				if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			owned, err := readOwned(path, "this", slog.New(slog.NewTextHandler(&log, nil)))
			var names []string
			for _, l := range owned.Links {
				names = append(names, l.Name)
			}
			if err != nil || owned.Boot != "this" || strings.Join(names, " ") != tt.names {
				t.Errorf("%+v, %v", owned, err)
			}
			_, kept := os.Stat(path + ".broken")
			if (kept == nil) != tt.aside || !strings.Contains(log.String(), tt.says) || (tt.says == "") != (log.Len() == 0) {
				t.Errorf("set aside: %v; log: %s", kept == nil, log.String())
			}
			if err := owned.write(path); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
}
