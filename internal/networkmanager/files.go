package networkmanager

import (
	"fmt"
	"slices"

	"github.com/netconnectd/netconnectd/internal/namedfile"
	"github.com/netconnectd/netconnectd/internal/wifi"
)

// FileError means that credentials name a file which NetworkManager must not be asked
// to read.
type FileError struct {
	What, Path string
	Err        error // names the user who can change which file the path leads to
}

// Error includes the remedy.
func (e *FileError) Error() string {
	return fmt.Sprintf("NetworkManager reads the %s %s as root, so nobody but root may be able to change it: %v; or put it into /etc/ssl", e.What, e.Path, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

// checkFiles refuses files that users other than root could replace: NetworkManager
// reads them as root, whichever user has named them. wifi.EAPCredentials.CheckFiles
// has already checked whether we can read them. had holds the credentials that the
// profile has already: their files are not new to NetworkManager. had may be nil.
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
