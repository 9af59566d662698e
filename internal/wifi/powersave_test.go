package wifi

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

func TestPowerSaveMessage(t *testing.T) {
	littleEndian(t)
	var asked string
	var refusal error
	n := &nl80211{commands: genltest.Dial(func(m genetlink.Message, _ netlink.Message) ([]genetlink.Message, error) {
		if m.Header.Command != unix.NL80211_CMD_SET_POWER_SAVE {
			t.Errorf("command %d", m.Header.Command)
		}
		asked = hex.EncodeToString(m.Data)
		return []genetlink.Message{{}}, refusal
	})}
	defer n.Close()
	// Interface 5 (attribute 3), state (attribute 0x5d), as in nl80211.h.
	for on, want := range map[bool]string{
		false: "0800030005000000" + "08005d0000000000",
		true:  "0800030005000000" + "08005d0001000000",
	} {
		if err := n.setPowerSave(5, on); err != nil || asked != want {
			t.Errorf("power save %v: %s, %v; want %s", on, asked, err, want)
		}
	}
	refusal = genltest.Error(int(unix.EOPNOTSUPP))
	if err := explain(n.setPowerSave(5, false)); !errors.Is(err, ErrNotSupported) {
		t.Errorf("a driver that cannot: %v, want ErrNotSupported", err)
	}
}

func TestPowerSaveWithoutRadio(t *testing.T) {
	if err := SetPowerSave(t.Context(), "none-such", false); !errors.Is(err, ErrNoInterface) {
		t.Errorf("an interface that is not there: %v", err)
	}
	if err := SetPowerSave(t.Context(), "lo", false); !errors.Is(err, ErrNoInterface) && !errors.Is(err, ErrNotSupported) {
		t.Errorf("an interface that is no radio: %v", err)
	}
}
