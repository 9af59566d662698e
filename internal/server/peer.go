package server

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is the user at the other end, as the kernel recorded it when the connection
// was made (unix(7)).
type Peer struct {
	UID    uint32
	PID    int32
	Groups []uint32 // the ids of all groups
}

// nobody stands for a peer that could not be determined: the kernel's overflow user,
// who may only read.
var nobody = Peer{UID: 65534}

// PeerOf returns the peer of a Unix socket: SO_PEERCRED and SO_PEERGROUPS.
func PeerOf(nc net.Conn) (Peer, error) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return Peer{}, errors.New("read peer: not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("read peer: %w", err)
	}
	var peer Peer
	var sockErr error
	err = raw.Control(func(fd uintptr) { peer, sockErr = peerOfFD(int(fd)) })
	if err := errors.Join(err, sockErr); err != nil {
		return Peer{}, fmt.Errorf("read peer: %w", err)
	}
	return peer, nil
}

func peerOfFD(fd int) (Peer, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, fmt.Errorf("getsockopt SO_PEERCRED: %w", err)
	}
	groups, err := peerGroups(fd)
	if err != nil {
		return Peer{}, fmt.Errorf("getsockopt SO_PEERGROUPS: %w", err)
	}
	if !slices.Contains(groups, cred.Gid) {
		groups = append(groups, cred.Gid)
	}
	return Peer{UID: cred.Uid, PID: cred.Pid, Groups: groups}, nil
}

// peerGroups reads SO_PEERGROUPS, an array of gid_t. The kernel answers ERANGE
// with the needed size when the array is too small (net/core/sock.c).
func peerGroups(fd int) ([]uint32, error) {
	groups := make([]uint32, 32)
	for {
		size := uint32(len(groups)) * 4
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4], nil
		case errno == unix.ERANGE && int(size/4) > len(groups):
			groups = make([]uint32, size/4)
		default:
			return nil, errno
		}
	}
}
