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

// announced keeps what a witness said about a link or a radio of the device until
// the kernel announces a change. Starting ip(8) or iw(8) is what a wait costs here;
// asking the kernel whether there is anything new costs next to nothing. What is
// kept is never believed beyond the next change, and the witness judges each of them.
type announced struct {
	mu      sync.Mutex
	events  int // a socket of rtnetlink's groups for links and addresses; 0 before it is open
	radios  *wifi.Client
	counted int // announcements so far
	answers map[string]answer
}

type answer struct{ state, text string }

var kernel = announced{answers: map[string]answer{}}

// ask returns what the witness said since the last change, and asks the witness if
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

// state names the present state of the kernel as far as the device is concerned:
// how much was announced, and what may change before it is announced (a carrier) or
// without (what a radio does).
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
		if err != nil && !errors.Is(err, unix.ENOBUFS) { // too much at once is a change, too
			return "", fmt.Errorf("read the kernel's announcements: %w", err)
		}
	}
	state := fmt.Sprint(a.counted)
	for _, file := range []string{"ifindex", "flags", "carrier", "carrier_changes", "operstate"} {
		text, _ := os.ReadFile("/sys/class/net/" + device + "/" + file) // none, or an error while it is down
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
