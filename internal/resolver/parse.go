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
const maxSize = (MaxLinks + 1) * 1024

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
	lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	name, ours := strings.CutPrefix(lines[0], header)
	if !ours || !validInterface(name) {
		return Config{}, errors.New("line 1: not ours")
	}
	c, all := Config{}, Link{Interface: name}
	for i, line := range lines[1:] {
		of := &all
		if rest, ofLink := strings.CutPrefix(line, linkPrefix); ofLink {
			of, line = c.link(rest)
		}
		words := strings.Split(line, " ")
		if of == nil || !of.add(words[0], words[1:]) {
			return Config{}, fmt.Errorf("line %d: not understood", i+2)
		}
	}
	c.Apart = len(all.Servers) == 0
	if len(c.Links) == 0 {
		c = Config{Links: []Link{all}}
	}
	if len(c.usable().Links) == 0 || content != string(c.usable().render()) {
		return Config{}, errors.New("not as netconnectd writes the file")
	}
	return c, nil
}

// link returns the link that a line begins with, and the rest of the line. The lines of
// a link stand together.
func (c *Config) link(line string) (*Link, string) {
	name, rest, _ := strings.Cut(line, " ")
	if last := len(c.Links) - 1; last < 0 || c.Links[last].Interface != name {
		if !validInterface(name) {
			return nil, ""
		}
		c.Links = append(c.Links, Link{Interface: name})
	}
	return &c.Links[len(c.Links)-1], rest
}

// add reports whether it has understood a line of resolv.conf(5).
func (l *Link) add(key string, values []string) bool {
	switch {
	case key == "nameserver" && len(values) == 1:
		server, err := netip.ParseAddr(values[0])
		l.Servers = append(l.Servers, server)
		return err == nil
	case key == "search" && l.Search == nil:
		l.Search = values
		return true
	}
	return false
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
