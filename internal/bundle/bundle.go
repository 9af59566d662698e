// Package bundle packs what is known of a device into one archive, which a person far
// away can use to help, and keeps secrets out of the archive.
package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"time"
)

// Part is a file of the archive.
type Part struct {
	Name    string `json:"name"` // e.g. "status.json"
	What    string `json:"what"` // what the part contains, for people
	Content []byte `json:"-"`
}

// Hidden tells people what is not in the archive.
const Hidden = "Passphrases, keys and passwords are replaced by [redacted]. Of hardware addresses the first half is kept, " +
	"which tells the maker; the second is a number that is the same wherever the address is. " +
	"Names of Wi-Fi networks, host names, IP addresses and identities of 802.1X are kept."

// Write writes a .tar.gz of the parts, redacted by h, and a README that lists them.
func Write(w io.Writer, parts []Part, h *Redactor, when time.Time) error {
	packed := gzip.NewWriter(w)
	archive := tar.NewWriter(packed)
	var readme bytes.Buffer
	fmt.Fprintf(&readme, "What netconnectd knows of this device, %s.\n\n", when.UTC().Format(time.RFC3339))
	for _, p := range parts {
		fmt.Fprintf(&readme, "%-16s %s\n", p.Name, p.What)
	}
	fmt.Fprintf(&readme, "\n%s\n", Hidden)
	all := append([]Part{{Name: "README", Content: readme.Bytes()}}, parts...)
	for _, p := range all {
		content := h.Redact(p)
		header := &tar.Header{Name: "netconnectd/" + p.Name, Mode: 0o600, Size: int64(len(content)), ModTime: when, Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("write %s: %w", p.Name, err)
		}
		if _, err := archive.Write(content); err != nil {
			return fmt.Errorf("write %s: %w", p.Name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return packed.Close()
}
