package wpactrl

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseEvent(t *testing.T) {
	for _, row := range []struct {
		name, message string
		want          Event
	}{
		{"with arguments", "<3>CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3",
			Event{3, "CTRL-EVENT-DISCONNECTED", "bssid=02:00:00:00:01:00 reason=3"}},
		{"without arguments", "<3>AP-ENABLED ", Event{3, "AP-ENABLED", ""}},
		{"with the newline of some senders", "<2>CTRL-EVENT-TERMINATING\n", Event{2, "CTRL-EVENT-TERMINATING", ""}},
		{"without priority", "CTRL-EVENT-X a", Event{0, "CTRL-EVENT-X", "a"}},
		{"with a broken priority", "<x>CTRL", Event{0, "<x>CTRL", ""}},
		{"empty", "", Event{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := ParseEvent(row.message); got != row.want {
				t.Errorf("ParseEvent(%q) = %+v, want %+v", row.message, got, row.want)
			}
		})
	}
}

func TestEventParam(t *testing.T) {
	for _, row := range []struct{ name, args, key, want string }{
		{"first", "bssid=02:00:00:00:01:00 reason=3", "bssid", "02:00:00:00:01:00"},
		{"last", "bssid=02:00:00:00:01:00 reason=3 locally_generated=1", "locally_generated", "1"},
		{"absent", "bssid=02:00:00:00:01:00", "reason", ""},
		{"quoted, with a space", `id=0 ssid="a b" reason=CONN_FAILED`, "ssid", "a b"},
		{"after the quotes", `id=0 ssid="a b" reason=CONN_FAILED`, "reason", "CONN_FAILED"},
		{"an SSID that poses as a parameter", `id=0 ssid=" reason=WRONG_KEY " reason=CONN_FAILED`, "reason", "CONN_FAILED"},
		{"an SSID with an escaped quote", `ssid="x\" reason=WRONG_KEY y" reason=ok`, "reason", "ok"},
		{"bracketed", "- Connection to 02:00:00:00:01:00 completed [id=4 id_str=n1]", "id", "4"},
		{"bracketed, last", "- Connection to 02:00:00:00:01:00 completed [id=4 id_str=n1]", "id_str", "n1"},
		{"unfinished quotes", `ssid="abc`, "ssid", "abc"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := (Event{Args: row.args}).Param(row.key); got != row.want {
				t.Errorf("Param(%q) of %q = %q, want %q", row.key, row.args, got, row.want)
			}
		})
	}
}

func TestUnescape(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`plain`, "plain"},
		{`\\ \" \n\r\t\e`, "\\ \" \n\r\t\x1b"},
		{`A\xff\xfeB`, "A\xff\xfeB"},
		{`\x00`, "\x00"},
		{`\x0`, `\x0`},
		{`\xzz`, `\xzz`},
		{`end\`, `end\`},
	} {
		if got := Unescape(row.text); !bytes.Equal(got, []byte(row.want)) {
			t.Errorf("Unescape(%q) = %q, want %q", row.text, got, row.want)
		}
	}
}

func TestFields(t *testing.T) {
	got := Fields("wpa_state=COMPLETED\nssid=a=b\nnonsense\nfreq=2412")
	if len(got) != 3 || got["wpa_state"] != "COMPLETED" || got["ssid"] != "a=b" || got["freq"] != "2412" {
		t.Errorf("Fields = %v", got)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(`<3>CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid="a\"b c" auth_failures=1 reason=WRONG_KEY`, "reason")
	f.Fuzz(func(t *testing.T, message, key string) {
		e := ParseEvent(message)
		e.Param(key)
		if len(Unescape(message)) > len(message) {
			t.Error("Unescape made the text longer")
		}
		if strings.Contains(e.Name, " ") {
			t.Errorf("name %q holds a space", e.Name)
		}
	})
}
