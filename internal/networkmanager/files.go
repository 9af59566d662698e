package networkmanager

import (
	"fmt"
	"slices"

	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// FileError says that credentials name a file which NetworkManager must not be
// handed.
type FileError struct {
	What, Path string
	Err        error // who can change what the path leads to
}

// Error says what to do.
func (e *FileError) Error() string {
	return fmt.Sprintf("NetworkManager reads the %s %s as root, so nobody but root may be able to change it: %v; or put it into /etc/ssl", e.What, e.Path, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

// checkFiles refuses files in whose place others than root could put another
// one: NetworkManager reads them as root, whoever has named them. Whether we can
// read them has been seen before (wifi.EAPCredentials.CheckFiles). Those of had,
// which the profile has already, are not new to NetworkManager. had may be nil.
func checkFiles(c, had *wifi.EAPCredentials) error {
	if c == nil {
		return nil
	}
	var known []string
	if had != nil {
		for _, f := range had.Files() {
			known = append(known, f.Path)
		}
	}
	for _, f := range c.Files() {
		if slices.Contains(known, f.Path) {
			continue
		}
		if err := namedfile.CheckTrusted(f.Path, 0); err != nil {
			return &FileError{f.What, f.Path, err}
		}
	}
	return nil
}
