package address

import (
	"bytes"
	"fmt"
	"net"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// ParseMAC reads the hardware address that one interface of Ethernet or of Wi-Fi can
// have, as the kernel has it (is_valid_ether_addr).
func ParseMAC(text string) (net.HardwareAddr, error) {
	mac, err := net.ParseMAC(text)
	switch {
	case err != nil || len(mac) != cellSize:
		return nil, fmt.Errorf("%s is not a hardware address such as 02:00:00:00:01:00", shown.Text(text))
	case mac[0]&1 != 0:
		return nil, fmt.Errorf("%v is a multicast address; the second digit of an interface's own address is even", mac)
	case bytes.Equal(mac, make([]byte, cellSize)):
		return nil, fmt.Errorf("%v is the address of no interface", mac)
	}
	return mac, nil
}
