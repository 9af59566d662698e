package radio

import (
	"os"
	"testing"

	"github.com/netconnectd/netconnectd/internal/netnstest"
)

func TestMain(m *testing.M) {
	netnstest.Enter()
	os.Exit(m.Run())
}
