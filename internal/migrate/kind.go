package migrate

import (
	"bytes"
	"strings"
)

// foreignKind returns a text that names the kind of a file that cannot be read, with
// the remedy, or "" if the kind is not foreign.
func foreignKind(text []byte) string {
	for _, kind := range signatures {
		if bytes.HasPrefix(text, []byte(kind.begins)) {
			return kind.says
		}
	}
	start := strings.TrimLeft(string(text[:min(len(text), 4096)]), " \t\r\n")
	for _, kind := range contents {
		if strings.HasPrefix(start, kind.begins) {
			return kind.says
		}
	}
	switch {
	case bytes.IndexByte(text, 0) >= 0:
		return "the file is not text: it has zero bytes in it (or it is UTF-16); save it as UTF-8"
	case bytes.IndexByte(text, '\n') < 0 && bytes.Count(text, []byte("\r")) > 1:
		return "the lines end in CR only, as on an old Macintosh; convert them: tr '\\r' '\\n' <file | netconnectcli import -"
	}
	return ""
}

type signature struct{ begins, says string }

const (
	saysUTF16   = "the file is UTF-16, as Notepad saves it as Unicode; save it as UTF-8, or: iconv -f UTF-16 -t UTF-8 <file | netconnectcli import -"
	saysArchive = "the file is packed; unpack it, and import the files in it"
	saysXML     = "the file is XML, such as a profile of Windows, Android or macOS; add its networks by netconnectcli add_network"
)

// signatures are the first bytes of binary files.
var signatures = []signature{
	{"\xff\xfe", saysUTF16}, {"\xfe\xff", saysUTF16},
	{"PK\x03\x04", saysArchive}, {"\x1f\x8b", saysArchive}, {"\xfd7zXZ", saysArchive},
	{"%PDF", "the file is a PDF; import wpa_supplicant.conf itself"},
	{"bplist", saysXML},
}

// contents are the first words of text files.
var contents = []signature{
	{`{\rtf`, "the file is RTF, as TextEdit and WordPad save it; save it as plain text (TextEdit: Format, Make Plain Text)"},
	{"<", saysXML},
	{"#!", "the file is a script; import the file that it writes, such as /etc/wpa_supplicant/wpa_supplicant.conf"},
	{"#cloud-config", "the file is cloud-init's user-data, which has no networks; import network-config beside it"},
}

// sections are groups of other programs' files that look like keyfiles.
var sections = map[string]string{
	"Match":    "the file is systemd-networkd's, which has no Wi-Fi networks; import wpa_supplicant.conf",
	"Network":  "the file is systemd-networkd's, which has no Wi-Fi networks; import wpa_supplicant.conf",
	"Security": "the file is iwd's, which has the network's name as the name of the file; add it by netconnectcli add_network",
	"Settings": "the file is iwd's, which has the network's name as the name of the file; add it by netconnectcli add_network",
	"main":     "the file is NetworkManager's own configuration; its networks are in /etc/NetworkManager/system-connections",
	"system":   "the file is Raspberry Pi Imager's custom.toml; add its network by netconnectcli add_network",
	"wlan":     "the file is Raspberry Pi Imager's custom.toml; add its network by netconnectcli add_network",
}
