package ap

import (
	"testing"

	"github.com/netconnectd/netconnectd/internal/wpactrl"
)

// statusOn11 is hostapd 2.10's answer to STATUS.
const statusOn11 = `state=ENABLED
phy=phy0
freq=2462
num_sta_non_erp=0
num_sta_no_short_slot_time=0
num_sta_no_short_preamble=0
olbc=0
cac_time_seconds=0
cac_time_left_seconds=N/A
channel=11
edmg_enable=0
edmg_channel=0
secondary_channel=0
ieee80211n=1
ieee80211ac=0
ieee80211ax=0
beacon_int=100
dtim_period=2
bss[0]=wlan0
num_sta[0]=1
`

func TestParseCell(t *testing.T) {
	for _, row := range []struct {
		name, status string
		want         Cell
	}{
		{"one channel of 2.4 GHz", statusOn11, Cell{11, 2462, 20}},
		{"two of 5 GHz, the second above", "channel=36\nfreq=5180\nsecondary_channel=1\nvht_oper_chwidth=0\n", Cell{36, 5180, 40}},
		{"two, the second below", "channel=40\nfreq=5200\nsecondary_channel=-1\n", Cell{40, 5200, 40}},
		{"four", "channel=36\nfreq=5180\nsecondary_channel=1\nvht_oper_chwidth=1\n", Cell{36, 5180, 80}},
		{"eight, as 802.11ax has it", "channel=36\nfreq=5180\nsecondary_channel=1\nvht_oper_chwidth=1\nhe_oper_chwidth=2\n", Cell{36, 5180, 160}},
		{"not on the air yet", "state=COUNTRY_UPDATE\n", Cell{}},
		{"no number", "channel=x\nfreq=\n", Cell{}},
	} {
		if got := parseCell(wpactrl.Fields(row.status)); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}
