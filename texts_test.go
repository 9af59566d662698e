package structure

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// otherWords lists files with literals that look like a code of package client but
// mean something else.
var otherWords = map[string][]string{
	"internal/supervisor/policy/state.go": {"lost"},    // a state of the uplink
	"internal/supervisor/policy/next.go":  {"lost"},    // a state of the uplink
	"internal/metrics/metrics.go":         {"lost"},    // a state of the uplink
	"cmd/netconnectcli/status_text.go":    {"lost"},    // a state of the uplink
	"cmd/netconnectcli/original.go":       {"lost"},    // a state of the uplink
	"cmd/netconnectcli/wait_online.go":    {"timeout"}, // a flag
}

// Codes and result texts stand once, in package client, where authors of other
// programs look for them.
func TestCodesStandOnce(t *testing.T) {
	stands := map[string]bool{}
	all := sources(t)
	for _, s := range all {
		if s.path != "client/error.go" && s.path != "client/texts.go" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for _, v := range spec.Values {
					if text, ok := v.(*ast.BasicLit); ok {
						stands[text.Value] = true
					}
				}
			}
			return true
		})
	}
	if len(stands) < 30 {
		t.Fatalf("package client has %d codes and texts", len(stands))
	}
	for _, s := range all {
		if !strings.HasPrefix(s.pkg, "internal/") && !strings.HasPrefix(s.pkg, "cmd/") {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			text, ok := n.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING || !stands[text.Value] {
				return true
			}
			if word, _ := strconv.Unquote(text.Value); !slices.Contains(otherWords[s.path], word) {
				t.Errorf("%s writes %s: it is a constant of package client", s.path, text.Value)
			}
			return true
		})
	}
}

// TestTextsKeepTheirLines checks that texts for people use client.SSIDInText.
// client.SSIDText is only for the fields named ssid, which may have every character.
func TestTextsKeepTheirLines(t *testing.T) {
	fields := []string{"client/ssid.go", "internal/daemon/status.go", "internal/networkmanager/profile.go"}
	for _, s := range sources(t) {
		if inLab(s.pkg) || slices.Contains(fields, s.path) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if name, ok := n.(*ast.Ident); ok && name.Name == "SSIDText" {
				t.Errorf("%s puts an SSID into a text by SSIDText: use SSIDInText", s.path)
			}
			return true
		})
	}
}

// TestWrongUseIsASentence forbids cobra's own checks of arguments, which only count
// them ("accepts 1 arg(s), received 0"). checkArguments names what is missing; flags
// that exclude each other have an error of their own.
func TestWrongUseIsASentence(t *testing.T) {
	counting := []string{"NoArgs", "ExactArgs", "RangeArgs", "MinimumNArgs", "MaximumNArgs", "OnlyValidArgs", "MatchAll", "ArbitraryArgs",
		"MarkFlagsMutuallyExclusive", "MarkFlagsOneRequired", "MarkFlagsRequiredTogether", "MarkFlagRequired"}
	for _, s := range sources(t) {
		if inLab(s.pkg) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if n, ok := n.(*ast.SelectorExpr); ok && slices.Contains(counting, n.Sel.Name) {
				t.Errorf("%s uses %s", s.path, n.Sel.Name)
			}
			return true
		})
	}
}
