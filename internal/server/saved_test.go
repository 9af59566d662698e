package server

import (
	"reflect"
	"testing"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/secret"
)

// TestSettingsArrive checks that a given setting arrives, that an absent one stays
// nil, and that null counts as absent.
func TestSettingsArrive(t *testing.T) {
	password := secret.New("hunter2")
	for _, row := range []struct {
		name, params string
		want         NetworkSettings
	}{
		{"nothing", `{}`, NetworkSettings{}},
		{"null", `{"psk":null,"eap":null,"priority":null}`, NetworkSettings{}},
		{"an empty passphrase is one", `{"psk":""}`, NetworkSettings{PSK: new(secret.Secret)}},
		{"all", `{"psk":"hunter2","security":"wpa2","hidden":true,"bssid":"02:00:00:00:01:00","priority":-1,"pmf":"off"}`, NetworkSettings{
			PSK: &password, Security: new("wpa2"), Hidden: new(true), BSSID: new("02:00:00:00:01:00"), Priority: new(-1), PMF: new("off"),
		}},
		{"802.1X", `{"eap":{"method":"peap","identity":"me","password":"hunter2","any_server":true}}`, NetworkSettings{
			EAP: &EAP{Method: "peap", Identity: "me", Password: &password, AnyServer: true},
		}},
		{"static", `{"addressing":{"method":"static","address":"192.0.2.7/24","dns":["192.0.2.1"]}}`, NetworkSettings{
			Addressing: &client.Addressing{Method: "static", Address: "192.0.2.7/24", DNS: []string{"192.0.2.1"}},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, bad := object("the request", []byte(row.params))
			if bad != nil {
				t.Fatal(bad)
			}
			got, err := decodeSettings(p)
			if err != nil || !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, row.want)
			}
		})
	}
}
