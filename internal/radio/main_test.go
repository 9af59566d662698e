package radio

import (
	"os"
	"testing"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/internal/process"
)

func TestMain(m *testing.M) {
	process.RunConfined(os.Args)
	netnstest.Enter()
	os.Exit(m.Run())
}
