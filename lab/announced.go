package lab

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/mdlayher/wifi"
	"golang.org/x/sys/unix"
)

// announced caches a witness's answers about a link or a radio of the device until
// the kernel announces a change. Starting ip(8) or iw(8) is what makes a wait
// expensive here; asking the kernel whether anything is new costs next to nothing. A
// cached answer is never used after the next change, and the witness judges each
// change.
type announced struct {
	mu      sync.Mutex
	events  int // a socket of rtnetlink's groups for links and addresses; 0 before it is opened
	radios  *wifi.Client
	counted int // announcements so far
	answers map[string]answer
}

type answer struct{ state, text string }

var kernel = announced{answers: map[string]answer{}}

// ask returns the witness's answer since the last change, and asks the witness if
// there was a change. device is a link of the root namespace.
func (a *announced) ask(device string, argv ...string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	state, err := a.state(device)
	if err != nil {
		return "", err
	}
	question := strings.Join(argv, " ")
	if kept, asked := a.answers[question]; asked && kept.state == state {
		return kept.text, nil
	}
	text, err := namespace("").run(argv...)
	if err != nil {
		delete(a.answers, question)
		return text, err
	}
	a.answers[question] = answer{state, text}
	return text, nil
}

// state returns a text that differs whenever the kernel's state of the device
// differs. It contains the number of announcements, and values that change before the
// announcement (a carrier) or without one (those of a radio).
func (a *announced) state(device string) (string, error) {
	if a.events == 0 {
		if err := a.open(); err != nil {
			return "", fmt.Errorf("listen to the kernel's announcements: %w", err)
		}
	}
	for buffer := make([]byte, 64<<10); ; a.counted++ {
		_, _, err := unix.Recvfrom(a.events, buffer, 0)
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil && !errors.Is(err, unix.ENOBUFS) { // too many announcements at once also mean a change
			return "", fmt.Errorf("read the kernel's announcements: %w", err)
		}
	}
	state := fmt.Sprint(a.counted)
	for _, file := range []string{"ifindex", "flags", "carrier", "carrier_changes", "operstate"} {
		text, _ := os.ReadFile("/sys/class/net/" + device + "/" + file) // missing, or an error while the link is down
		state += " " + strings.TrimSpace(string(text))
	}
	radios, err := a.radios.Interfaces()
	if err != nil {
		return "", fmt.Errorf("list the radios: %w", err)
	}
	for _, r := range radios {
		if r.Name == device {
			state += fmt.Sprintf(" %v %d %v", r.Type, r.Frequency, r.HardwareAddr)
		}
	}
	return state, nil
}

func (a *announced) open() error {
	radios, err := wifi.New()
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return err
	}
	a.events, a.radios = fd, radios
	return nil
}
