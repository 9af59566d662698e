package migrate

import "slices"

// kind says how wpa_supplicant reads the value of a setting.
type kind int

const (
	isWord kind = iota
	isText
	isPassword
	isPSK
	isNumber
	isAddress
)

// kinds lists the settings whose values are not plain words.
var kinds = map[string]kind{
	"ssid": isText, "sae_password": isText, "sae_password_id": isText, "id_str": isText, "bgscan": isText,
	"identity": isText, "anonymous_identity": isText, "password": isPassword, "psk": isPSK,
	"ca_cert": isText, "ca_path": isText, "client_cert": isText, "private_key": isText, "private_key_passwd": isText,
	"ca_cert2": isText, "ca_path2": isText, "client_cert2": isText, "private_key2": isText,
	"phase1": isText, "phase2": isText, "domain_suffix_match": isText, "domain_match": isText,
	"subject_match": isText, "altsubject_match": isText, "check_cert_subject": isText,
	"priority": isNumber, "scan_ssid": isNumber, "disabled": isNumber, "mode": isNumber, "ieee80211w": isNumber,
	"bssid": isAddress,
}

// taken lists the settings that we translate, or that decide whether the network can
// be joined.
var taken = []string{
	"ssid", "psk", "sae_password", "key_mgmt", "scan_ssid", "bssid", "priority", "ieee80211w", "proto", "disabled", "mode",
	"eap", "identity", "anonymous_identity", "password", "ca_cert", "client_cert", "private_key", "private_key_passwd",
	"domain_suffix_match", "phase2", "wep_key0", "wep_key1", "wep_key2", "wep_key3",
}

// inert lists settings with the values that do not affect how we join a network. A
// setting without values here never has an effect: it concerns scripts or the access
// point's side, or says which WEP key is used.
var inert = map[string][]string{
	"pairwise":              {"CCMP", "CCMP TKIP", "TKIP CCMP"},
	"group":                 {"CCMP", "TKIP", "CCMP TKIP", "TKIP CCMP", "CCMP TKIP WEP104 WEP40", "TKIP CCMP WEP104 WEP40"},
	"auth_alg":              {"OPEN"},
	"mac_addr":              {"0"},
	"mesh_fwding":           {"1"},
	"sae_pwe":               {"0"},
	"frequency":             {"0"},
	"mixed_cell":            {"0"},
	"id_str":                nil,
	"wep_tx_keyidx":         nil,
	"beacon_int":            nil,
	"dtim_period":           nil,
	"wps_disabled":          nil,
	"peerkey":               nil,
	"proactive_key_caching": {"0"},
}

// harmless reports whether a setting may be left out without a Problem.
func harmless(name, value string) bool {
	values, known := inert[name]
	return known && (len(values) == 0 || slices.Contains(values, value))
}

// global lists the settings outside of networks that affect how every network is
// joined.
var global = []string{"freq_list", "mac_addr", "preassoc_mac_addr", "pmf", "bgscan", "okc", "sae_pwe", "openssl_ciphers",
	"scan_cur_freq", "disable_scan_offload", "initial_freq_list", "eapol_version", "filter_ssids", "filter_rssi"}
