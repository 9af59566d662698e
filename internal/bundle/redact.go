package bundle

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
)

const redacted = "[redacted]"

// Redactor removes secrets from texts in three independent ways: it replaces members
// of JSON by their names, assignments by their names, and the known secrets anywhere.
type Redactor struct {
	known *strings.Replacer
	makes map[string]string // hardware address: its replacement
}

// shortest is the length from which a secret is searched for by itself: shorter texts
// occur by chance everywhere. A WPA passphrase has at least 8 characters; other
// passwords may be shorter.
const shortest = 4

// NewRedactor takes the known secrets; the list may be empty.
func NewRedactor(secrets []string) *Redactor {
	var pairs []string
	sort.Slice(secrets, func(i, j int) bool { return len(secrets[i]) > len(secrets[j]) }) // longest first, because one secret may be part of another
	for _, s := range secrets {
		if len(s) < shortest {
			continue
		}
		for _, form := range forms(s) {
			pairs = append(pairs, form, redacted)
		}
	}
	return &Redactor{known: strings.NewReplacer(pairs...), makes: map[string]string{}}
}

// forms returns the ways in which a secret may be written.
func forms(s string) []string {
	quoted, _ := json.Marshal(s) // a string can always be encoded
	digits := hex.EncodeToString([]byte(s))
	all := []string{s, string(quoted[1 : len(quoted)-1]), digits, strings.ToUpper(digits), url.QueryEscape(s), url.PathEscape(s)}
	slices.Sort(all)
	return slices.Compact(all)
}

const names = `psk|wpa_psk|passphrase|wpa_passphrase|sae_password|password|passwd|private_key_password|private_key_passwd|` +
	`private_key|preshared_key|secret|token`

var (
	member     = regexp.MustCompile(`(?i)^(` + names + `)$`)
	assignment = regexp.MustCompile(`(?i)\b((?:` + names + `)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s].*)`)
	userinfo   = regexp.MustCompile(`://[^/\s@]+@`)
	hardware   = regexp.MustCompile(`\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b`)
	// An IPv6 address that was derived from a hardware address (RFC 4291, appendix A)
	eui64 = regexp.MustCompile(`(?i)ff:fe[0-9a-f]{2}:[0-9a-f]{1,4}`)
)

// Redact returns a part's content without secrets.
func (h *Redactor) Redact(p Part) []byte {
	text := ""
	if strings.HasSuffix(p.Name, ".json") {
		text = withoutMembers(p.Content)
	} else {
		text = assignment.ReplaceAllStringFunc(string(p.Content), withoutValue)
	}
	text = h.known.Replace(text)
	text = userinfo.ReplaceAllString(text, "://"+redacted+"@")
	text = hardware.ReplaceAllStringFunc(text, h.maker)
	return []byte(eui64.ReplaceAllString(text, "ff:fexx:xxxx"))
}

// withoutValue redacts the value of an assignment: the quoted text, or the rest of
// the line. An empty or already redacted value stays.
func withoutValue(text string) string {
	parts := assignment.FindStringSubmatch(text)
	if strings.HasPrefix(parts[2], `""`) || strings.HasPrefix(parts[2], redacted) {
		return text
	}
	return parts[1] + redacted
}

// withoutMembers redacts members of JSON by their names. Content that is not JSON is
// left out entirely.
func withoutMembers(content []byte) string {
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return fmt.Sprintf("left out: %v\n", err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	_ = enc.Encode(without(value)) // decoded JSON can always be encoded
	return b.String()
}

func without(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if text, ok := inner.(string); ok && member.MatchString(key) && text != "" {
				value[key] = redacted
			} else {
				value[key] = without(inner)
			}
		}
	case []any:
		for i := range value {
			value[i] = without(value[i])
		}
	}
	return value
}

// maker keeps the half of a hardware address that identifies the maker. Addresses
// that belong to no device stay.
func (h *Redactor) maker(address string) string {
	same := strings.ToLower(address)
	if same == "ff:ff:ff:ff:ff:ff" || same == "00:00:00:00:00:00" {
		return address
	}
	if h.makes[same] == "" {
		h.makes[same] = fmt.Sprintf("%s:xx:xx:%02d", same[:8], len(h.makes)+1)
	}
	return h.makes[same]
}

// SecretsIn collects the secrets in JSON by the names of its members, for
// NewRedactor. Content that is not JSON has none.
func SecretsIn(content []byte) []string {
	var value any
	if json.Unmarshal(content, &value) != nil {
		return nil
	}
	return collect(value)
}

func collect(value any) (found []string) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if text, ok := inner.(string); ok && member.MatchString(key) {
				found = append(found, text)
			}
			found = append(found, collect(inner)...)
		}
	case []any:
		for _, inner := range value {
			found = append(found, collect(inner)...)
		}
	}
	return found
}
