package genl

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nltest"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestController asks the family that every kernel has.
func TestController(t *testing.T) {
	conn, err := Dial(t.Context(), "nlctrl")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	all, err := conn.Dump(unix.CTRL_CMD_GETFAMILY, nil)
	if err != nil || len(all) == 0 {
		t.Fatalf("dump: %d replies, %v", len(all), err)
	}
	request := netlink.NewAttributeEncoder()
	request.String(unix.CTRL_ATTR_FAMILY_NAME, "nlctrl")
	b, _ := request.Encode()
	one, err := conn.Get(unix.CTRL_CMD_GETFAMILY, b)
	if err != nil || len(one) != 1 {
		t.Fatalf("get: %d replies, %v", len(one), err)
	}
	found := false
	for _, reply := range all {
		found = found || string(reply.Data) == string(one[0].Data)
	}
	if !found {
		t.Error("the dump lacks what the request gives")
	}
	if _, err := conn.Get(200, nil); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("unknown command: %v", err)
	}
}

func TestDialRefuses(t *testing.T) {
	over, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	for _, row := range []struct {
		name   string
		ctx    context.Context
		family string
		want   error
	}{
		{"no such family", t.Context(), "nonsense", ErrNoFamily},
		{"context over", over, "nlctrl", reason},
	} {
		if _, err := Dial(row.ctx, row.family); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

// TestContextEnds has a kernel that never answers.
func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := Dial(ctx, "nlctrl")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, _, err = conn.genl.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("receive: %v", err)
	}
	if _, err := conn.Dump(unix.CTRL_CMD_GETFAMILY, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("dump: %v", err)
	}
	if _, err := conn.Get(unix.CTRL_CMD_GETFAMILY, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
}

// TestDumpAgain has a kernel of which the table changes while it is read.
func TestDumpAgain(t *testing.T) {
	for _, row := range []struct {
		name    string
		changes int   // so many dumps are interrupted
		as      error // nil: by the flag
		want    error
	}{
		{"quiet", 0, nil, nil},
		{"by the flag", 3, nil, nil},
		{"by the error", 3, unix.EINTR, nil},
		{"without end", dumpTries, nil, errInterrupted},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := 0
			kernel := func(requests []netlink.Message) ([]netlink.Message, error) {
				reply := requests[0]
				if reply.Header.Type == unix.GENL_ID_CTRL {
					return []netlink.Message{familyReply(reply)}, nil
				}
				asked++
				reply.Header.Flags = 0
				if asked <= row.changes {
					reply.Header.Flags = netlink.DumpInterrupted
					if row.as != nil {
						return nil, row.as
					}
				}
				return []netlink.Message{reply}, nil
			}
			conn, err := Over(t.Context(), genetlink.NewConn(nltest.Dial(kernel)), "fake")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			replies, err := conn.Dump(1, nil)
			if !errors.Is(err, row.want) || err == nil && len(replies) != 1 {
				t.Errorf("%d replies, %v; want %v", len(replies), err, row.want)
			}
			if want := min(row.changes+1, dumpTries); asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		})
	}
}

func familyReply(request netlink.Message) netlink.Message {
	attributes := netlink.NewAttributeEncoder()
	attributes.Uint16(unix.CTRL_ATTR_FAMILY_ID, 0x20)
	attributes.String(unix.CTRL_ATTR_FAMILY_NAME, "fake")
	attributes.Uint32(unix.CTRL_ATTR_VERSION, 1)
	b, _ := attributes.Encode()
	request.Data = append([]byte{unix.CTRL_CMD_NEWFAMILY, 1, 0, 0}, b...)
	return request
}

func TestVersionIsTheFamilys(t *testing.T) {
	var got uint8
	conn, err := Over(t.Context(), genltest.Dial(genltest.ServeFamily(genetlink.Family{ID: 0x20, Name: "fake", Version: 7},
		func(request genetlink.Message, _ netlink.Message) ([]genetlink.Message, error) {
			got = request.Header.Version
			return []genetlink.Message{request}, nil
		})), "fake")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Get(1, nil); err != nil || got != 7 {
		t.Errorf("version %d, %v", got, err)
	}
}

type sample struct {
	Number  uint32
	Maybe   *uint16
	On      bool
	MaybeOn *bool
	There   bool
	Text    string
	Raw     []byte
}

var sampleRows = Table[*sample]{
	Number(1, "NUMBER", func(s *sample) *uint32 { return &s.Number }),
	Optional(2, "MAYBE", func(s *sample) **uint16 { return &s.Maybe }),
	Bool(3, "ON", func(s *sample) *bool { return &s.On }),
	OptionalBool(4, "MAYBE_ON", func(s *sample) **bool { return &s.MaybeOn }),
	Present(5, "THERE", func(s *sample) *bool { return &s.There }),
	Text(6, "TEXT", func(s *sample) *string { return &s.Text }),
	Raw(7, "RAW", func(s *sample) *[]byte { return &s.Raw }),
	Nested(8, "NESTED", Table[*sample]{Number(1, "INNER", func(s *sample) *uint32 { return &s.Number })}, func(s *sample) *sample { return s }),
}

func TestTable(t *testing.T) {
	for _, row := range []struct {
		name string
		fill func(*netlink.AttributeEncoder)
		want sample
		err  string
	}{
		{name: "nothing", fill: func(*netlink.AttributeEncoder) {}},
		{name: "all", fill: func(ae *netlink.AttributeEncoder) {
			ae.Uint32(1, 1<<31)
			ae.Uint16(2, 0)
			ae.Uint8(3, 2)
			ae.Uint8(4, 0)
			ae.Flag(5, true)
			ae.String(6, "text")
			ae.Bytes(7, []byte{1, 0})
			ae.Uint32(99, 5) // not known
		}, want: sample{Number: 1 << 31, Maybe: new(uint16(0)), On: true, MaybeOn: new(false), There: true, Text: "text", Raw: []byte{1, 0}}},
		{name: "nested", fill: func(ae *netlink.AttributeEncoder) {
			ae.Nested(8, func(nae *netlink.AttributeEncoder) error { nae.Uint32(1, 5); return nil })
		}, want: sample{Number: 5}},
		{name: "wrong length", fill: func(ae *netlink.AttributeEncoder) { ae.Uint64(1, 5) }, err: "attribute NUMBER: 8 bytes instead of 4"},
		{name: "wrong length within", fill: func(ae *netlink.AttributeEncoder) {
			ae.Nested(8, func(nae *netlink.AttributeEncoder) error { nae.Uint8(1, 5); return nil })
		}, err: "attribute NESTED: attribute INNER: 1 bytes instead of 4"},
	} {
		t.Run(row.name, func(t *testing.T) {
			attributes := netlink.NewAttributeEncoder()
			row.fill(attributes)
			b, err := attributes.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var got sample
			err = sampleRows.Decode(&got, b)
			if row.err != "" {
				if err == nil || err.Error() != row.err {
					t.Errorf("error %v, want %s", err, row.err)
				}
				return
			}
			if diff := cmp.Diff(row.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte{8, 0, 1, 0, 1, 2, 3, 4, 12, 0, 8, 128, 8, 0, 1, 0, 4, 3, 2, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sample
		_ = sampleRows.Decode(&s, b)
		if strings.Contains(s.Text, "\x00") && strings.HasSuffix(s.Text, "\x00") {
			t.Errorf("text %q", s.Text)
		}
	})
}
