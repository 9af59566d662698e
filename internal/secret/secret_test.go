package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	s := New("hunter22")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("join", "psk", s, "in", struct{ PSK Secret }{s})
	asJSON, err := json.Marshal(map[string]any{"psk": s, "list": []Secret{s}})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{
		"slog": log.String(),
		"json": string(asJSON),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts[verb] = fmt.Sprintf(verb, s) + fmt.Sprintf(verb, struct{ PSK Secret }{s}) + fmt.Sprintf(verb, &s)
	}
	for name, text := range texts {
		if strings.Contains(text, "hunter22") || strings.Contains(text, "68756e746572") {
			t.Errorf("%s reveals the secret: %s", name, text)
		}
	}
}

func TestSecretUnmarshalKeepsTheText(t *testing.T) {
	var s Secret
	if err := json.Unmarshal([]byte(`" 01234567 "`), &s); err != nil {
		t.Fatal(err)
	}
	if got := s.Reveal(); got != " 01234567 " {
		t.Errorf("Reveal() = %q", got)
	}
}
