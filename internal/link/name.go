package link

import (
	"fmt"
	"strings"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// CheckName reports why the kernel has no link of a name, or nil (dev_valid_name). It
// refuses control characters, too, which only an attacker would choose.
func CheckName(name string) error {
	bad := name == "" || len(name) > 15 || name == "." || name == ".." ||
		strings.ContainsFunc(name, func(c rune) bool { return c == '/' || c == ':' || c <= ' ' || c == 0x7f })
	if bad {
		return fmt.Errorf("%s is not the name of an interface: that has 1 to 15 bytes, and no slash, colon or space", shown.Text(name))
	}
	return nil
}
