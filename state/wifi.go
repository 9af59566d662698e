package state

// Wifi describes a Wi-Fi interface, from nl80211 (linux/nl80211.h).
type Wifi struct {
	Mode string `json:"mode"` // NL80211_IFTYPE_…: "station", "ap", "monitor", …

	// SSID may be any bytes. Its text is UTF-8, or else escaped as in printf, as
	// everywhere in netconnectd: \xff outside of printable ASCII, the backslash
	// doubled. SSIDHex beside it is never ambiguous. Both are absent without a
	// network, and before the network has accepted the interface.
	SSID    string `json:"ssid,omitempty"`
	SSIDHex string `json:"ssid_hex,omitempty"`

	BSSID      string  `json:"bssid,omitempty"`      // the access point, "00:23:45:67:89:1a"
	Frequency  *uint32 `json:"frequency,omitempty"`  // MHz
	Generation *uint32 `json:"generation,omitempty"` // Wi-Fi 4 to 7, by the faster of the two rates
	Signal     *int    `json:"signal,omitempty"`     // dBm
	RxBitrate  *uint32 `json:"rx_bitrate,omitempty"` // 100 kbit/s
	RxWidth    *uint32 `json:"rx_width,omitempty"`   // MHz
	TxBitrate  *uint32 `json:"tx_bitrate,omitempty"` // 100 kbit/s
	TxWidth    *uint32 `json:"tx_width,omitempty"`   // MHz
}
