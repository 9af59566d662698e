package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// These are the original's answers, with the new field code beside them.
const (
	unknownFrame = `{"error":"unknown message","code":"unknown_command"}` + "\x00"
	halfFrame    = `{"error":"error while processing message from client","code":"bad_request","reason":"the connection ended before a NUL ended the request"}` + "\x00"
	resetFrame   = `{"result":"reset daemon"}` + "\x00"
)

// badFrame returns the original's answer to a frame that it could not read, with the
// reason.
func badFrame(reason string) string {
	return `{"error":"error while processing message from client","code":"bad_request","reason":"` + reason + `"}` + "\x00"
}

// TestWire describes the protocol as bytes. Every row is sent whole, byte by byte and
// in chunks of 16; then the client closes its sending side.
func TestWire(t *testing.T) {
	const half = `the parameters of config_wifi have half of a character (\\ud800 to \\udfff): ssid_hex takes an SSID that is not text`
	rows := []struct{ name, in, out string }{
		// The commands and their texts:
		{"status", `{"status":{}}` + "\x00", statusReply},
		{"list_wifi", `{"list_wifi":{}}` + "\x00", `{"result":[]}` + "\x00"},
		{"config_wifi", `{"config_wifi":{"ssid":"Home","psk":"12345678","force":false}}` + "\x00", `{"result":"configured wifi as \"netconnectd_wifi\""}` + "\x00"},
		{"start_wifi", `{"start_wifi":{}}` + "\x00", `{"result":"connected to wifi"}` + "\x00"},
		{"forget_wifi", `{"forget_wifi":{}}` + "\x00", `{"result":"forgot configured wifi"}` + "\x00"},
		{"connect", `{"connect":{"ssid":"Home"}}` + "\x00", `{"result":"connected to wifi"}` + "\x00"},
		{"remove_network", `{"remove_network":{"ssid_hex":"486f6d65"}}` + "\x00", `{"result":"removed Home"}` + "\x00"},
		{"list_networks", `{"list_networks":{}}` + "\x00", `{"result":[]}` + "\x00"},
		{"history", `{"history":{}}` + "\x00", `{"result":[{"seq":1,"boot":"b","uptime":9,"seconds":2,"type":"daemon","time":"2026-01-02T03:04:05Z","new":"started","reason":"limit 0"}]}` + "\x00"},
		{"history of an earlier boot, with a network", `{"history":{"limit":7}}` + "\x00", `{"result":[{"seq":1,"boot":"b","uptime":9,"type":"join","time":"2026-01-02T03:04:05Z","ssid":"\\xff","ssid_hex":"ff","new":"failed","code":"lost","reason":"limit 7"}]}` + "\x00"},
		{"history with a limit below 0", `{"history":{"limit":-1}}` + "\x00", `{"error":"limit is a number of entries, 0 for all","code":"bad_request"}` + "\x00"},
		{"history with a text as limit", `{"history":{"limit":"7"}}` + "\x00", `{"error":"limit is a number of entries, 0 for all","code":"bad_request"}` + "\x00"},
		{"history with null as limit", `{"history":{"limit":null}}` + "\x00", `{"result":[{"seq":1,"boot":"b","uptime":9,"seconds":2,"type":"daemon","time":"2026-01-02T03:04:05Z","new":"started","reason":"limit 0"}]}` + "\x00"},
		{"add_network", `{"add_network":{"ssid":"Home","psk":"12345678","priority":3,"addressing":{"method":"dhcp"}}}` + "\x00", `{"result":"added Home, which is tried when it is in reach"}` + "\x00"},
		{"set_network", `{"set_network":{"ssid":"Home","hidden":true}}` + "\x00", `{"result":"changed Home"}` + "\x00"},
		{"add_network without a name", `{"add_network":{"ssid":""}}` + "\x00", `{"error":"ssid is empty: a hidden network has a name, too","code":"bad_request"}` + "\x00"},
		{"add_network with a setting that is none", `{"add_network":{"ssid":"Home","pkk":"12345678"}}` + "\x00", `{"error":"unknown parameter \"pkk\"","code":"bad_request"}` + "\x00"},
		{"set_network with another type", `{"set_network":{"ssid":"Home","eap":{"any_server":"yes"}}}` + "\x00", `{"error":"parameter eap.any_server has the wrong type","code":"bad_request"}` + "\x00"},
		{"connect to nothing", `{"connect":{}}` + "\x00", badFrame("parameter ssid is missing")},
		{"reset", `{"reset":{}}` + "\x00", resetFrame},
		{"start_ap", `{"start_ap":{}}` + "\x00", `{"result":"started ap"}` + "\x00"},
		{"stop_ap", `{"stop_ap":{}}` + "\x00", `{"result":"stopped ap"}` + "\x00"},
		{"metrics", `{"metrics":{}}` + "\x00", `{"result":"# TYPE netconnectd_up gauge\nnetconnectd_up 1\n"}` + "\x00"},
		{"reload", `{"reload":{}}` + "\x00", `{"result":"reloaded: nothing differs"}` + "\x00"},
		{"stop_daemon", `{"stop_daemon":{}}` + "\x00", `{"result":"netconnectd stops"}` + "\x00"},

		// Unknown commands:
		{"unknown command", `{"fly":{}}` + "\x00", unknownFrame},
		{"no command", `{}` + "\x00", unknownFrame},
		{"unknown command with null", `{"fly":null}` + "\x00", unknownFrame},
		{"CLI name configure_wifi", `{"configure_wifi":{"ssid":"a"}}` + "\x00", unknownFrame},
		{"CLI name select_wifi", `{"select_wifi":{}}` + "\x00", unknownFrame},
		{"capital letters", `{"Status":{}}` + "\x00", unknownFrame},
		{"call of objects", `{"call":{"object":"network","method":"status","args":{}},"id":8}` + "\x00", `{"error":"unknown message","code":"unknown_command","reason":"there are network apply, network confirm, network extend, network plan, network reload, network revert, network.interface down, network.interface dump, network.interface status, network.interface up","id":8}` + "\x00"},

		// Frames that cannot be read:
		{"malformed", `{"status":{}` + "\x00", badFrame("the request is not valid JSON")},
		{"no JSON", "hello\x00", badFrame("the request is not a JSON object")},
		{"empty frame", "\x00", badFrame("the request is empty")},
		{"white space as frame", " \n\x00", badFrame("the request is empty")},
		{"array", `[{"status":{}}]` + "\x00", badFrame("the request is not a JSON object")},
		{"string", `"status"` + "\x00", badFrame("the request is not a JSON object")},
		{"number", `42` + "\x00", badFrame("the request is not a JSON object")},
		{"null", `null` + "\x00", badFrame("the request is not a JSON object")},
		{"null parameters", `{"status":null}` + "\x00", badFrame("the value of status is not a JSON object")},
		{"array of parameters", `{"reset":[]}` + "\x00", badFrame("the value of reset is not a JSON object")},
		{"two commands", `{"status":{},"reset":{}}` + "\x00", badFrame("the request has more than one command: reset, status")},
		{"two objects in a frame", `{"reset":{}}{"reset":{}}` + "\x00", badFrame("the request is not valid JSON")},
		{"mandatory parameter missing", `{"config_wifi":{"psk":"12345678"}}` + "\x00", badFrame("parameter ssid is missing")},
		{"mandatory parameter null", `{"config_wifi":{"ssid":null}}` + "\x00", badFrame("parameter ssid is not a text")},
		{"numeric ssid", `{"config_wifi":{"ssid":5}}` + "\x00", badFrame("parameter ssid is not a text")},
		{"numeric psk", `{"config_wifi":{"ssid":"a","psk":12345678}}` + "\x00", badFrame("parameter psk is not a text")},
		{"invalid UTF-8", "{\"config_wifi\":{\"ssid\":\"\xff\"}}\x00", badFrame("the request is not UTF-8: ssid_hex takes an SSID that is not text")},
		{"deeper than 32", `{"reset":{"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}}` + "\x00", badFrame("the request nests deeper than 32")},
		{"brackets in a string are not depth", `{"reset":{"x":"\"` + strings.Repeat("[", 99) + `"}}` + "\x00", resetFrame},

		// What the original tolerates:
		{"one known and one unknown command", `{"fly":{},"reset":{}}` + "\x00", resetFrame},
		{"unknown parameter", `{"reset":{"hard":true}}` + "\x00", resetFrame},
		{"white space around", " \r\n\t{\"reset\" : {} }\n\x00", resetFrame},
		{"keys given twice", `{"reset":null,"reset":{}}` + "\x00", resetFrame},
		{"white space after the frame", `{"reset":{}}` + "\x00\n \t", resetFrame},

		// What goes beyond the original:
		{"two frames", `{"reset":{}}` + "\x00" + `{"stop_ap":{}}` + "\x00", resetFrame + `{"result":"stopped ap"}` + "\x00"},
		{"an error does not end the connection", "nonsense\x00" + `{"reset":{}}` + "\x00", badFrame("the request is not a JSON object") + resetFrame},
		{"half a frame", `{"reset":`, halfFrame},
		{"a frame and a half", `{"reset":{}}` + "\x00" + `{"re`, resetFrame + halfFrame},
		{"nothing", "", halfFrame},
		{"only white space", "\n", halfFrame},
		{"number as id", `{"reset":{},"id":7}` + "\x00", `{"result":"reset daemon","id":7}` + "\x00"},
		{"id first, large", `{"id":12345678901234567890,"reset":{}}` + "\x00", `{"result":"reset daemon","id":12345678901234567890}` + "\x00"},
		{"string as id", `{"reset":{},"id":"ü\u0000"}` + "\x00", `{"result":"reset daemon","id":"\u00fc\u0000"}` + "\x00"},
		{"null as id", `{"reset":{},"id":null}` + "\x00", `{"result":"reset daemon","id":null}` + "\x00"},
		{"object as id", `{"reset":{},"id":{}}` + "\x00", badFrame("id is neither a number nor a text")},
		{"id of an unknown command", `{"fly":{},"id":1}` + "\x00", `{"error":"unknown message","code":"unknown_command","id":1}` + "\x00"},
		{"id of a bad command", `{"reset":[],"id":1}` + "\x00", `{"error":"error while processing message from client","code":"bad_request","reason":"the value of reset is not a JSON object","id":1}` + "\x00"},
		{"ssid too long", `{"config_wifi":{"ssid":"` + strings.Repeat("a", 33) + `"}}` + "\x00", `{"error":"ssid is longer than 32 bytes","code":"bad_request"}` + "\x00"},
		{"ssid_hex is not", `{"config_wifi":{"ssid_hex":"xy"}}` + "\x00", `{"error":"ssid_hex is not hexadecimal","code":"bad_request"}` + "\x00"},
		{"ssid_hex is a number", `{"config_wifi":{"ssid":"a","ssid_hex":5}}` + "\x00", badFrame("parameter ssid_hex is not a text")},
		{"ssid_hex is 0", `{"connect":{"ssid":"a","ssid_hex":0}}` + "\x00", badFrame("parameter ssid_hex is not a text")},
		{"ssid_hex is false", `{"connect":{"ssid":"a","ssid_hex":false}}` + "\x00", badFrame("parameter ssid_hex is not a text")},
		{"ssid_hex is an empty list", `{"connect":{"ssid":"a","ssid_hex":[]}}` + "\x00", badFrame("parameter ssid_hex is not a text")},
		{"ssid_hex is an empty object", `{"connect":{"ssid":"a","ssid_hex":{}}}` + "\x00", badFrame("parameter ssid_hex is not a text")},
		{"half a surrogate pair as ssid", `{"config_wifi":{"ssid":"a\ud800"}}` + "\x00", badFrame(half)},
		{"half a surrogate pair before a character", `{"config_wifi":{"ssid":"a\ud800\u0041"}}` + "\x00", badFrame(half)},
		{"half a surrogate pair as psk", `{"config_wifi":{"ssid":"a","psk":"1234567\udfff"}}` + "\x00", badFrame(half)},
		{"a doubled backslash is no surrogate", `{"reset":{"x":"\\ud800"}}` + "\x00", resetFrame},
	}
	r := start(t, &fake{}, nil)
	for _, row := range rows {
		for _, chunk := range []int{1 << 20, 1, 16} {
			t.Run(fmt.Sprintf("%s/%d", row.name, chunk), func(t *testing.T) {
				if got := r.talk(t, row.in, chunk); got != row.out {
					t.Errorf("got  %q\nwant %q", got, row.out)
				}
			})
		}
	}
}

// statusReply is the reply of a daemon that has just started: every field is present,
// and no list is null.
const statusReply = `{"result":{"link":false,"devs":[],` +
	`"connections":{"wifi":false,"ap":false,"wired":false},` +
	`"wifi":{"current_ssid":null,"current_ssid_hex":null,"current_address":null,"valid_config":false,"present":false,"backend":"","signal":null,"frequency":0,"country":"",` +
	`"last_error":null,"candidate":null,"networks":[]},` +
	`"version":"",` +
	`"uplink":{"state":"","since":"0001-01-01T00:00:00Z","seconds":0,"reason":"","interface":"","portal":false,"addresses":[]},"uplinks":[],` +
	`"access_point":{"state":"","since":"0001-01-01T00:00:00Z","seconds":0,"reason":"","ssid":"","clients":[],"addresses":[],"channel":0,"frequency":0,"width":0},"next":[],"trial":null,"problems":[]}}` + "\x00"

func TestParametersReachTheHandler(t *testing.T) {
	home := func(force bool) Request { return ConfigWifi{SSID: []byte("Home"), Force: force} }
	rows := []struct {
		name, in string
		want     Request
	}{
		{"list_wifi as the plugin sends it", `{"list_wifi":{}}`, ListWifi{}},
		{"list_wifi as the old CLI sends it", `{"list_wifi":{"force":false}}`, ListWifi{}},
		{"force", `{"list_wifi":{"force":true}}`, ListWifi{Force: true}},
		{"config_wifi as the plugin sends it", `{"config_wifi":{"ssid":"Home","psk":"12345678","force":false}}`,
			ConfigWifi{SSID: []byte("Home"), PSK: secret.New("12345678")}},
		{"config_wifi as the old CLI sends it", `{"config_wifi":{"psk":"12345678","options":null,"force":false,"ssid":"Home"}}`,
			ConfigWifi{SSID: []byte("Home"), PSK: secret.New("12345678")}},
		{"no psk", `{"config_wifi":{"ssid":"Home"}}`, home(false)},
		{"null psk", `{"config_wifi":{"ssid":"Home","psk":null}}`, home(false)},
		{"empty psk", `{"config_wifi":{"ssid":"Home","psk":""}}`, home(false)},
		{"false psk", `{"config_wifi":{"ssid":"Home","psk":false}}`, home(false)},
		{"options are not read", `{"config_wifi":{"ssid":"Home","options":[1]}}`, home(false)},
		{"the word false is true", `{"config_wifi":{"ssid":"Home","force":"false"}}`, home(true)},
		{"1 is true", `{"config_wifi":{"ssid":"Home","force":1}}`, home(true)},
		{"1e999 is true", `{"config_wifi":{"ssid":"Home","force":1e999}}`, home(true)},
		{"a filled list is true", `{"config_wifi":{"ssid":"Home","force":[0]}}`, home(true)},
		{"a filled object is true", `{"config_wifi":{"ssid":"Home","force":{"a":0}}}`, home(true)},
		{"0 is false", `{"config_wifi":{"ssid":"Home","force":0}}`, home(false)},
		{"-0.0 is false", `{"config_wifi":{"ssid":"Home","force":-0.0}}`, home(false)},
		{"an empty text is false", `{"config_wifi":{"ssid":"Home","force":""}}`, home(false)},
		{"an empty list is false", `{"config_wifi":{"ssid":"Home","force":[ ]}}`, home(false)},
		{"an empty object is false", `{"config_wifi":{"ssid":"Home","force":{ }}}`, home(false)},
		{"empty ssid counts as given", `{"config_wifi":{"ssid":""}}`, ConfigWifi{SSID: []byte{}}},
		{"UTF-8 ssid", `{"config_wifi":{"ssid":"K\u00f6ln \ud83d\ude00"}}`, ConfigWifi{SSID: []byte("Köln 😀")}},
		{"ssid_hex wins", `{"config_wifi":{"ssid":"\\xff","ssid_hex":"Ff00"}}`, ConfigWifi{SSID: []byte{0xff, 0}}},
		{"psk keeps its blanks", `{"config_wifi":{"ssid":"Home","psk":" 0123456 "}}`,
			ConfigWifi{SSID: []byte("Home"), PSK: secret.New(" 0123456 ")}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := &fake{}
			start(t, f, nil).talk(t, row.in+"\x00", 1<<20)
			if got := f.requests(); len(got) != 1 || !reflect.DeepEqual(got[0], row.want) {
				t.Errorf("got %#v, want %#v", got, row.want)
			}
		})
	}
}

func TestResultsAreCompactASCII(t *testing.T) {
	signal := -61
	bss := client.NewBSS([]byte("Köln <😀>\x7f"), []byte{2, 0, 0, 0xab, 0xcd, 0xef})
	bss.Channel, bss.Encrypted, bss.Signal, bss.Security, bss.Frequency = 6, true, &signal, "wpa2", 2437
	raw := client.NewBSS([]byte("\xff\\a"), []byte{2, 0, 0, 0, 0, 1})
	f := &fake{handle: func(context.Context, Peer, Request) (any, error) { return []client.BSS{bss, raw}, nil }}
	got := start(t, f, nil).talk(t, `{"list_wifi":{}}`+"\x00", 1<<20)
	want := `{"result":[` +
		`{"ssid":"K\u00f6ln <\ud83d\ude00>\u007f","ssid_hex":"` + hex.EncodeToString([]byte("Köln <😀>\x7f")) + `","channel":6,"address":"02:00:00:AB:CD:EF","encrypted":true,"signal":-61,"security":"wpa2","frequency":2437,"saved":false,"current":false},` +
		`{"ssid":"\\xff\\\\a","ssid_hex":"ff5c61","channel":0,"address":"02:00:00:00:00:01","encrypted":false,"signal":null,"security":"","frequency":0,"saved":false,"current":false}]}` + "\x00"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestErrorsOfTheHandler(t *testing.T) {
	rows := []struct {
		name string
		err  error
		want string
	}{
		{"with code", &client.Error{Code: "wrong_key", Message: "could not connect"},
			`{"error":"could not connect","code":"wrong_key","id":3}`},
		{"wrapped, with reason", fmt.Errorf("join: %w", &client.Error{Code: "wrong_key", Message: "could not connect", Reason: `"Home" refused it`}),
			`{"error":"could not connect","code":"wrong_key","reason":"\"Home\" refused it","id":3}`},
		{"lines", &client.Error{Code: client.CodeBadConfig, Message: "check configuration: 1 problem\n  ap.channel: 15"},
			`{"error":"check configuration: 1 problem\n  ap.channel: 15","code":"bad_config","id":3}`},
		{"without code", &client.Error{Message: "could not connect"},
			`{"error":"could not connect","code":"internal","id":3}`},
		{"any other", errors.New("open /etc/x: psk 12345678"),
			`{"error":"error while processing message from client","code":"internal","id":3}`},
		{"cancelled by somebody else", context.Canceled,
			`{"error":"error while processing message from client","code":"internal","id":3}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := &fake{handle: func(context.Context, Peer, Request) (any, error) { return nil, row.err }}
			r := start(t, f, nil)
			if got := r.talk(t, `{"start_wifi":{},"id":3}`+"\x00", 1<<20); got != row.want+"\x00" {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
			mustContain(t, r.log.String(), "command=start_wifi")
		})
	}
}

// TestLogHasNoPassphrase sends a passphrase in good and bad requests.
func TestLogHasNoPassphrase(t *testing.T) {
	f := &fake{handle: func(_ context.Context, _ Peer, r Request) (any, error) { return nil, fmt.Errorf("bad %v %+v", r, r) }}
	r := start(t, f, nil)
	for _, request := range []string{
		`{"config_wifi":{"ssid":"Home","psk":"hunter22"}}`,
		`{"config_wifi":{"psk":"hunter22"}}`,
		`{"config_wifi":{"ssid":"Home","psk":["hunter22"]}}`,
		`{"config_wifi":{"ssid":"Home","psk":"hunter22"`,
		`{"hunter22":{}}`,
	} {
		r.talk(t, request+"\x00", 1<<20)
	}
	if strings.Contains(r.log.String(), "hunter22") {
		t.Errorf("passphrase in the log:\n%s", r.log)
	}
	mustContain(t, r.log.String(), "command=config_wifi")
}

func TestRequestSizeLimit(t *testing.T) {
	request := func(size int) string {
		head, tail := `{"reset":{"x":"`, `"}}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail + "\x00"
	}
	tooLong := `{"error":"request is too long","code":"bad_request"}` + "\x00"
	rows := []struct{ name, in, out string }{
		{"64 KiB fit", request(64 << 10), resetFrame},
		{"one more does not", request(64<<10 + 1), tooLong},
		{"the next request does", request(5<<20) + `{"reset":{}}` + "\x00", tooLong + resetFrame},
		{"too long and unfinished", strings.TrimSuffix(request(1<<20), "\x00"), halfFrame},
	}
	r := start(t, &fake{}, nil)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := r.talk(t, row.in, 1<<16); got != row.out {
				t.Errorf("got %q, want %q", got, row.out)
			}
		})
	}
}

// TestOldClientInPython runs a client with the read loop of all known old clients:
// short reads, which end when a read ends in NUL.
func TestOldClientInPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	f := &fake{handle: func(ctx context.Context, _ Peer, r Request) (any, error) {
		if _, ok := r.(StartWifi); ok {
			// This lasts longer than the client's timeout; only the white space keeps
			// the client waiting.
			select {
			case <-time.After(1600 * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return originalResult(r)
	}}
	r := start(t, f, func(c *Config) { c.KeepAlive = 300 * time.Millisecond })
	cmd := exec.Command(python, "testdata/oldclient.py", r.path)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
