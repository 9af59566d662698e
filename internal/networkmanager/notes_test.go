package networkmanager

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNotes checks that what is known of a profile outlives the daemon, and is
// removed together with the profile.
func TestNotes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "networkmanager.json")
	open := func() *notes {
		n, err := openNotes(file)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := open()
	n.failed("a")
	n.failed("a")
	if got := n.of("a"); got.failures != 2 || got.Frequency != 0 {
		t.Errorf("after two failures: %+v", got)
	}
	for _, mhz := range []int{2412, 0} { // the second success has no known frequency
		if err := n.worked("a", mhz); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.worked("b", 5180); err != nil {
		t.Fatal(err)
	}
	if got := open().of("a"); got != (note{Frequency: 2412}) {
		t.Errorf("after a success and a restart: %+v, want 2412 MHz and no failure", got)
	}
	if err := n.keep([]Profile{{UUID: "b"}}); err != nil {
		t.Fatal(err)
	}
	if n = open(); n.of("a") != (note{}) || n.of("b") != (note{Frequency: 5180}) {
		t.Errorf("a's profile has gone: %+v", n.kept)
	}
}

// TestNotesSpoiled checks that a file which cannot be read is reported, and replaced
// by the next note.
func TestNotesSpoiled(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{"} {
		file := filepath.Join(t.TempDir(), "networkmanager.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := openNotes(file)
		if (err == nil) != (text == "null") {
			t.Errorf("%q: error %v", text, err)
		}
		if err := n.worked("a", 2412); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if n, err := openNotes(file); err != nil || n.of("a").Frequency != 2412 {
			t.Errorf("%q: then %v, %v", text, n.kept, err)
		}
	}
}

// A note that is not understood must cost no other note, and stay in the file while
// its profile exists.
func TestBadNoteIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "networkmanager.json")
	if err := os.WriteFile(file, []byte(`{"a": {"frequency": 2412}, "bad": {"frequency": "later"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := openNotes(file)
	if err == nil || n.of("a").Frequency != 2412 {
		t.Errorf("%+v, %v", n.kept, err)
	}
	if err := n.worked("c", 5180); err != nil {
		t.Fatal(err)
	}
	if n, err = openNotes(file); err == nil || string(n.unread["bad"]) != `{"frequency":"later"}` || n.of("c").Frequency != 5180 {
		t.Errorf("then %+v, %v", n, err)
	}
	if err := n.keep([]Profile{{UUID: "a"}, {UUID: "c"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := openNotes(file); err != nil {
		t.Errorf("without the profile: %v", err)
	}
}
