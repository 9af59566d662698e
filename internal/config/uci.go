package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/network"
	"github.com/netconnectd/netconnectd/internal/openwrt"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// uciKey names the file of OpenWrt's that takes the place of the lists.
const uciKey = networkSection + ".uci"

// UCI is the file that network.uci names.
type UCI struct {
	File string        // path; empty: no file is named
	Text secret.Secret // contents of File, which may have secrets of protocols
}

// uciReader reads the file that uciKey names.
type uciReader func(path string) ([]byte, error)

// readUCI reads a file of root or of the daemon's user. Another user could otherwise
// change the network.
func readUCI(path string) ([]byte, error) {
	text, err := namedfile.ReadOwned(context.Background(), path, openwrt.MaxFile, 0, os.Geteuid())
	var owner *namedfile.OwnerError
	if errors.As(err, &owner) {
		err = fmt.Errorf("%w; run chown root %s", err, path)
	}
	return text, err
}

func refuseUCI(string) ([]byte, error) {
	return nil, errors.New("a text that was sent may name no file; write what the file declares into the lists, see netconnectcli import uci")
}

// hasUCI reports whether the section names a file of OpenWrt's.
func hasUCI(section *yaml.Node) bool {
	for i := 0; i+1 < len(section.Content); i += 2 {
		if resolve(section.Content[i]).Value == "uci" {
			return true
		}
	}
	return false
}

// declaredUCI reads the file of OpenWrt's that the section names.
func (w *walker) declaredUCI(section *yaml.Node) (spec network.Spec) {
	w.pairs(networkSection+".", section, func(name string, key, content *yaml.Node) {
		if name != "uci" {
			w.problem(below(networkSection, name), at(key), "is beside uci, which names a file with the whole network; leave one of the two out")
			return
		}
		if path, ok := w.text(uciKey, content, "the path of a file"); ok && w.once(uciKey, key) {
			spec = w.readDeclaredUCI(path, at(content))
		}
	})
	return spec
}

func (w *walker) readDeclaredUCI(path string, from origin) network.Spec {
	if !filepath.IsAbs(path) || strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		w.problem(uciKey, from, "is not an absolute path, e.g. /etc/config/network")
		return network.Spec{}
	}
	text, err := w.readUCI(path)
	if err != nil {
		w.problem(uciKey, from, "the file cannot be read: %v", err)
		return network.Spec{}
	}
	n := openwrt.Read(text, openwrt.Options{Tables: openwrt.SystemTables(context.Background())})
	w.sections, w.uci = n.Sections, UCI{path, secret.New(string(text))}
	w.networkProblems(n.Problems, path)
	return n.Spec
}
