package resolver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSize is above the size of any file that Publish writes.
const maxSize = 4096

// take reads what is published at path, and removes the file PendingName. The folder
// belongs to another user, who may have put anything there: links, pipes, endless
// files. A missing file is an empty configuration.
func take(path string) (Config, error) {
	dir, err := os.OpenFile(filepath.Dir(path), unix.O_DIRECTORY|unix.O_NOFOLLOW|os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, err
	}
	defer dir.Close()
	// Removed before reading, as each later publication makes the file again.
	err = unix.Unlinkat(int(dir.Fd()), PendingName, 0)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return Config{}, fmt.Errorf("remove %s: %w", PendingName, err)
	}
	content, err := readPlain(dir, filepath.Base(path))
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("read %s: %w", path, err)
	}
	c, err := parse(content)
	if err != nil {
		return Config{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// readPlain reads a regular file of at most maxSize bytes.
func readPlain(dir *os.File, name string) (string, error) {
	// Without O_NONBLOCK, opening a pipe would block for ever.
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return "", err
	}
	if len(content) > maxSize {
		return "", fmt.Errorf("more than %d bytes", maxSize)
	}
	return string(content), nil
}

// parse accepts exactly what render writes. Its errors quote nothing, as the content
// may be that of a file that only root may read.
func parse(content string) (Config, error) {
	content, ended := strings.CutSuffix(content, "\n")
	lines := strings.Split(content, "\n")
	name, ours := strings.CutPrefix(lines[0], header)
	if !ended || !ours || !validInterface(name) {
		return Config{}, errors.New("line 1: not ours")
	}
	c := Config{Interface: name}
	for i, line := range lines[1:] {
		words := strings.Split(line, " ")
		if err := c.add(words[0], words[1:]); err != nil {
			return Config{}, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	if len(c.Servers) == 0 {
		return Config{}, errors.New("no name server")
	}
	return c, nil
}

func (c *Config) add(key string, values []string) error {
	switch {
	case key == "nameserver" && len(values) == 1 && len(c.Servers) < MaxServers:
		server, err := netip.ParseAddr(values[0])
		if err != nil || !validServer(server, c.Interface) {
			return errors.New("not an address of a name server")
		}
		c.Servers = append(c.Servers, server)
		return nil
	case key == "search" && len(values) > 0 && len(values) <= maxSearch && c.Search == nil:
		for _, domain := range values {
			if !validDomain(domain) {
				return errors.New("not a domain name")
			}
		}
		c.Search = values
		return nil
	}
	return errors.New("not understood")
}

// validInterface is stricter than the kernel, which refuses only white space, colon
// and slash, as the name becomes a part of command lines and file names.
func validInterface(name string) bool {
	if name == "" || len(name) >= unix.IFNAMSIZ || name[0] == '-' || name[0] == '.' {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("._-", r) }) < 0
}

func validServer(server netip.Addr, ifname string) bool {
	zoned := server.Is6() && server.IsLinkLocalUnicast()
	return server.IsValid() && !server.IsUnspecified() && !server.IsMulticast() && !server.Is4In6() &&
		(server.Zone() == "" || zoned && server.Zone() == ifname)
}

// validDomain accepts the names of RFC 1123, and the underscore that some use.
func validDomain(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		bad := strings.IndexFunc(label, func(r rune) bool { return !alphanumeric(r) && r != '-' && r != '_' })
		if label == "" || len(label) > 63 || label[0] == '-' || bad >= 0 {
			return false
		}
	}
	return true
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
