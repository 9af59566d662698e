package server

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"

	"github.com/netconnectd/netconnectd/client"
)

// DefaultGroup is the group whose members may change the network.
const DefaultGroup = "netconnect"

// Rights says who may change the network; every user may read. Root and the daemon's
// own user may always change it.
type Rights struct {
	Everyone bool
	Group    string // the group whose members may change the network; "": no other user may

	// LookupGroup returns the id of a group and LookupUser the name of a user. nil
	// looks in the machine's /etc/group and /etc/passwd.
	LookupGroup func(name string) (gid uint32, err error)
	LookupUser  func(uid uint32) (name string, err error)
}

// MayChange reports whether p may change the network. The group is looked up
// each time, because a package may create it while the daemon runs.
func (r Rights) MayChange(p Peer) bool {
	if r.Everyone || r.trusted(p) {
		return true
	}
	if r.Group == "" {
		return false
	}
	lookup := r.LookupGroup
	if lookup == nil {
		lookup = groupID
	}
	gid, err := lookup(r.Group)
	return err == nil && slices.Contains(p.Groups, gid)
}

// rank orders peers by their rights. A peer cannot take the place of a peer with a
// higher rank.
type rank int

const (
	reader  rank = iota
	changer      // may change the network
	trusted      // is root or the daemon's own user
)

// ranks is the number of ranks.
const ranks = 3

func (r Rights) rank(p Peer) rank {
	switch {
	case r.trusted(p):
		return trusted
	case r.MayChange(p):
		return changer
	}
	return reader
}

// trusted reports whether p is root or the daemon's own user.
func (r Rights) trusted(p Peer) bool { return p.UID == 0 || int(p.UID) == os.Geteuid() }

// denial returns the error for p, with what p can do about it.
func (r Rights) denial(p Peer) *client.Error {
	text := "only root may change the network"
	if r.Group != "" {
		text = fmt.Sprintf("only members of the group %s may change the network: run sudo adduser %s %s, then log in again (a service: restart it)",
			r.Group, r.userName(p.UID), r.Group)
	}
	return &client.Error{Code: client.CodePermissionDenied, Message: text}
}

func (r Rights) userName(uid uint32) string {
	lookup := r.LookupUser
	if lookup == nil {
		lookup = userName
	}
	if name, err := lookup(uid); err == nil {
		return name
	}
	return "USER"
}

func groupID(name string) (uint32, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	gid, err := strconv.ParseUint(g.Gid, 10, 32)
	return uint32(gid), err
}

func userName(uid uint32) (string, error) {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return "", err
	}
	return u.Username, nil
}
