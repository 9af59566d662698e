package state

// Wifi is the Wi-Fi side of an interface, from nl80211 (linux/nl80211.h).
type Wifi struct {
	Mode string `json:"mode"` // NL80211_IFTYPE_…: "station", "ap", "monitor", …

	// SSID may be any bytes. As text they are escaped as in printf unless they
	// are UTF-8, as everywhere in netconnectd: \xff outside of printable ASCII,
	// the backslash doubled. SSIDHex beside it is never ambiguous. Both are
	// absent while there is no network, or not yet a right to use it.
	SSID    string `json:"ssid,omitempty"`
	SSIDHex string `json:"ssid_hex,omitempty"`

	BSSID      string  `json:"bssid,omitempty"`      // of the access point, "00:23:45:67:89:1a"
	Frequency  *uint32 `json:"frequency,omitempty"`  // MHz
	Generation *uint32 `json:"generation,omitempty"` // Wi-Fi 4 to 7, by the better of the two rates
	Signal     *int    `json:"signal,omitempty"`     // dBm
	RxBitrate  *uint32 `json:"rx_bitrate,omitempty"` // 100 kbit/s
	RxWidth    *uint32 `json:"rx_width,omitempty"`   // MHz
	TxBitrate  *uint32 `json:"tx_bitrate,omitempty"` // 100 kbit/s
	TxWidth    *uint32 `json:"tx_width,omitempty"`   // MHz
}
