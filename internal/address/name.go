package address

import (
	"fmt"
	"strings"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// CheckName reports why a text is not the DNS name of a host or a domain (RFC 1123,
// 2.1), or nil.
func CheckName(text string) error {
	for label := range strings.SplitSeq(text, ".") {
		other := func(c rune) bool {
			return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
		}
		if label == "" || len(label) > 63 || len(text) > 253 || strings.ContainsFunc(label, other) ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return fmt.Errorf("%s is not the name of a domain", shown.Text(text))
		}
	}
	return nil
}
