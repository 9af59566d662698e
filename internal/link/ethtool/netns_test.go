package ethtool

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/internal/netnstest"
	"github.com/netconnectd/netconnectd/state"
)

// TestParity compares with ethtool(8) what this kernel's virtual links have.
func TestParity(t *testing.T) {
	netnstest.Thread(t)
	for _, line := range []string{
		"ip link add veth0 type veth peer name veth1",
		"ip link set veth0 up",
		"ip link set veth1 up",
		"ip link add br0 type bridge",
		"ip tuntap add tun0 mode tun",
		"ip tuntap add tap0 mode tap",
		"ethtool -K veth1 tx-gre-segmentation off rx-gro on",
		"ethtool -C tap0 rx-frames 7",
	} {
		netnstest.Lines(t, line)
	}
	devices, err := Start(t.Context())()
	if err != nil {
		t.Fatal(err)
	}
	if len(devices) != 6 {
		t.Errorf("%d links, want 6: those of this namespace", len(devices))
	}
	for _, name := range []string{"veth0", "veth1", "br0", "tun0", "tap0", "lo"} {
		ifi, err := net.InterfaceByName(name)
		if err != nil {
			t.Fatal(err)
		}
		device := devices[int32(ifi.Index)]
		if device == nil {
			t.Errorf("%s: absent", name)
			continue
		}
		if diff := cmp.Diff(witnessFeatures(t, name), *device.Features); diff != "" {
			t.Errorf("%s: features: -ethtool +ours: %s", name, diff)
		}
		if diff := cmp.Diff(witnessLinkMode(t, name), linkModeText(device.LinkMode)); diff != "" {
			t.Errorf("%s: link mode: -ethtool +ours: %s", name, diff)
		}
		if diff := cmp.Diff(witnessCoalesce(t, name), coalesceText(t, device.Coalesce)); diff != "" {
			t.Errorf("%s: coalesce: -ethtool +ours: %s", name, diff)
		}
		for option, ours := range map[string]bool{"-a": device.Pause != nil, "-g": device.Ring != nil, "--show-fec": device.FEC != nil} {
			if theirs := exec.Command("ethtool", option, name).Run() == nil; ours != theirs {
				t.Errorf("%s: ethtool %s works: %v, ours is there: %v", name, option, theirs, ours)
			}
		}
	}
}

// oldNames are features that ethtool(8) shows under other names than the
// kernel's.
var oldNames = map[string]string{
	"rx-checksumming":              "rx-checksum",
	"generic-segmentation-offload": "tx-generic-segmentation",
	"generic-receive-offload":      "rx-gro",
	"large-receive-offload":        "rx-lro",
	"rx-vlan-offload":              "rx-vlan-hw-parse",
	"tx-vlan-offload":              "tx-vlan-hw-insert",
	"ntuple-filters":               "rx-ntuple-filter",
	"receive-hashing":              "rx-hashing",
}

func witnessFeatures(t *testing.T, name string) state.EthtoolFeatures {
	t.Helper()
	var all []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(netnstest.Run(t, "ethtool", "--json", "-k", name)), &all); err != nil || len(all) != 1 {
		t.Fatalf("%d links, %v", len(all), err)
	}
	delete(all[0], "ifname")
	want := state.EthtoolFeatures{Fixed: map[string]bool{}, Changeable: map[string]bool{}}
	for feature, raw := range all[0] {
		var says struct {
			Active bool
			Fixed  *bool // null: a heading over several features
		}
		if err := json.Unmarshal(raw, &says); err != nil {
			t.Fatal(err)
		}
		if kernels, ok := oldNames[feature]; ok {
			feature = kernels
		}
		switch {
		case says.Fixed == nil:
		case *says.Fixed:
			want.Fixed[feature] = says.Active
		default:
			want.Changeable[feature] = says.Active
		}
	}
	return want
}

// witnessLinkMode reads the text of ethtool, which has no JSON for it. It has
// none of this where the driver does not tell.
func witnessLinkMode(t *testing.T, name string) map[string]string {
	t.Helper()
	want := map[string]string{}
	for line := range strings.Lines(netnstest.Run(t, "ethtool", name)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Speed", "Duplex", "Auto-negotiation":
			want[key] = value
		case "Supported link modes", "Advertised link modes":
			want[key] = strings.TrimSpace(value)
		}
	}
	return want
}

// linkModeText writes what ethtool(8) would.
func linkModeText(m *state.EthtoolLinkMode) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	speed, duplex := fmt.Sprintf("%dMb/s", m.Speed), map[string]string{"half": "Half", "full": "Full", "unknown": "Unknown! (255)"}[m.Duplex]
	if m.Speed == speedUnknown {
		speed = "Unknown!"
	}
	list := func(modes []string) string {
		if len(modes) == 0 {
			return "Not reported"
		}
		return strings.Join(modes, " ")
	}
	return map[string]string{
		"Speed": speed, "Duplex": duplex,
		"Auto-negotiation":      map[bool]string{true: "on", false: "off"}[m.AutoNegotiate],
		"Supported link modes":  list(m.Supported),
		"Advertised link modes": list(m.Ours),
	}
}

// coalesceNames are the settings of ethtool -c by our names.
var coalesceNames = map[string]string{
	"rx_usecs": "rx-usecs", "rx_max_frames": "rx-frames", "rx_usecs_irq": "rx-usecs-irq", "rx_max_frames_irq": "rx-frames-irq",
	"tx_usecs": "tx-usecs", "tx_max_frames": "tx-frames", "tx_usecs_irq": "tx-usecs-irq", "tx_max_frames_irq": "tx-frames-irq",
	"stats_block_usecs": "stats-block-usecs", "rate_sample_interval": "sample-interval",
	"pkt_rate_low": "pkt-rate-low", "rx_usecs_low": "rx-usecs-low", "rx_max_frames_low": "rx-frame-low", "tx_usecs_low": "tx-usecs-low", "tx_max_frames_low": "tx-frame-low",
	"pkt_rate_high": "pkt-rate-high", "rx_usecs_high": "rx-usecs-high", "rx_max_frames_high": "rx-frame-high", "tx_usecs_high": "tx-usecs-high", "tx_max_frames_high": "tx-frame-high",
}

// witnessCoalesce reads the text of ethtool -c, less what the driver lacks.
func witnessCoalesce(t *testing.T, name string) map[string]string {
	t.Helper()
	want := map[string]string{}
	out, err := exec.Command("ethtool", "-c", name).Output()
	if err != nil {
		return want // not supported
	}
	for line := range strings.Lines(string(out)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if _, err := strconv.Atoi(value); ok && err == nil {
			want[key] = value
		}
	}
	return want
}

func coalesceText(t *testing.T, c *state.EthtoolCoalesce) map[string]string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var ours map[string]any
	if err := json.Unmarshal(b, &ours); err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for key := range maps.Keys(ours) {
		text[coalesceNames[key]] = fmt.Sprint(ours[key])
	}
	return text
}
