package interfaces

import (
	"errors"
	"strings"
	"testing"

	"github.com/netconnectd/netconnectd/internal/link"
)

// TestGoneInterfaceIsNoProblem checks that an interface that is not there is no problem
// of its own: the status of the radio shows that.
func TestGoneInterfaceIsNoProblem(t *testing.T) {
	gone := Owned{Owner: "station", Want: link.Spec{Name: "wlan0"}, Refused: link.ErrNotExist}
	denied := gone
	denied.Refused = errors.New("EPERM")
	if list := problems([]Owned{gone, denied}); len(list) != 1 || !strings.Contains(list[0].Text, "EPERM") {
		t.Errorf("%+v", list)
	}
}
