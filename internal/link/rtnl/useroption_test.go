package rtnl

import (
	"net/netip"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

// userOptionExample is laid out as struct nduseroptmsg is on a little-endian machine.
var userOptionExample = []byte{
	unix.AF_INET6, 0, 8, 0, // family, padding, length of the options
	3, 0, 0, 0, // link
	134, 0, 0, 0, 0, 0, 0, 0, // type, code, padding
	31, 1, 0, 0, 0, 0, 0, 60, // the options
	20, 0, 1, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, // NDUSEROPT_SRCADDR
}

func TestUserOption(t *testing.T) {
	want := UserOption{
		Family: unix.AF_INET6, Index: 3, Type: 134, Options: []byte{31, 1, 0, 0, 0, 0, 0, 60}, Source: netip.MustParseAddr("fe80::1"),
	}
	var got UserOption
	if err := got.UnmarshalBinary(userOptionExample); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, cut := range []int{0, 15, 20, 30} {
		if err := got.UnmarshalBinary(userOptionExample[:cut]); err == nil {
			t.Errorf("%d bytes are a message", cut)
		}
	}
}

// FuzzUserOption: hostile bytes never panic, and what they leave is no more than
// they are.
func FuzzUserOption(f *testing.F) {
	f.Add(userOptionExample)
	f.Add(userOptionExample[:16])
	f.Fuzz(func(t *testing.T, b []byte) {
		var o UserOption
		if err := o.UnmarshalBinary(b); err == nil && len(o.Options) > len(b) {
			t.Errorf("%d bytes became %d", len(b), len(o.Options))
		}
	})
}
