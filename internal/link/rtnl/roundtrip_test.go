package rtnl

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netconnectd/netconnectd/state"
)

// fromAbove are the fields of package state that have no attribute here: package
// state/kernel makes them of indexes, and of other objects.
var fromAbove = []string{
	"Bond.Subordinates", "Bond.Primary", "Bond.ActiveSubordinate", "Bond.NumUnsolicitedNA",
	"Bridge.Ports", "Bridge.MulticastQuerierState", "BridgePort.VLANs", "BridgePort.BackupPort", "VRF.Subordinates",
	"VLAN.BaseIface", "VXLAN.BaseIface", "MACVLAN.BaseIface", "IPVLAN.BaseIface", "IPoIB.BaseIface", "MACsec.BaseIface",
	"XFRM.BaseIface", "GRE.BaseIface", "IPTunnel.BaseIface", "IP6Tunnel.BaseIface", "VTI.BaseIface", "HSR.Port1", "HSR.Port2",
}

func isFromAbove(of reflect.Type, field string) bool {
	return of.PkgPath() == reflect.TypeFor[state.State]().PkgPath() && slices.Contains(fromAbove, of.Name()+"."+field)
}

// distinct returns every field a value that no other field has.
type distinct struct{ last int }

func (f *distinct) fill(v reflect.Value, path string) {
	f.last++
	switch v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(f.address(path)))
		return
	case LinkInfo, []state.BridgeVLAN: // belong to a kind, and to a family
		return
	}
	if strings.HasSuffix(path, ".BridgeSelf") { // likewise
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), path)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && !isFromAbove(v.Type(), field.Name) {
				f.fill(v.Field(i), path+"."+field.Name)
			}
		}
	case reflect.Slice:
		size := 2
		if v.Type().Elem().Kind() == reflect.Uint8 {
			size = 6 // of hardware addresses
		}
		v.Set(reflect.MakeSlice(v.Type(), size, size))
		f.fillAll(v, path)
	case reflect.Array:
		f.fillAll(v, path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprint("text", f.last))
	default:
		f.fillNumber(v, path)
	}
}

func (f *distinct) fillAll(v reflect.Value, path string) {
	for i := range v.Len() {
		f.fill(v.Index(i), path)
	}
}

// fillNumber uses all bytes of a number, so that its width and its order show.
// Those that have names may have less than their type.
func (f *distinct) fillNumber(v reflect.Value, path string) {
	value, width := uint64(f.last%251+1), v.Type().Size()
	if !isSpelled(v.Type()) {
		for i := uintptr(1); i < width; i++ {
			value = value<<8 | (value&0xff + 1)
		}
	}
	switch {
	case v.CanUint():
		v.SetUint(value)
	case v.CanInt():
		v.SetInt(int64(value >> 1))
	default:
		panic(path + " is a " + v.Type().String())
	}
}

func isSpelled(t reflect.Type) bool {
	return strings.HasPrefix(t.Name(), "Named[") || strings.HasPrefix(t.Name(), "Bits[")
}

// address is of IPv6 for the fields that take nothing else.
func (f *distinct) address(path string) netip.Addr {
	last := byte(f.last)
	if strings.Contains(path, "6") || strings.Contains(path, "NSTargets") || strings.Contains(path, "SixRDPrefix") {
		return netip.AddrFrom16([16]byte{0xfd, 15: last})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, last})
}

// filled makes each kind's data, and a link, with all fields filled.
func filled() map[string]*Link {
	all := map[string]*Link{"link": {}}
	for kind, codec := range kinds {
		data, _ := codec.decode(nil)
		all["kind "+kind] = &Link{Info: LinkInfo{Kind: kind, Data: data}}
	}
	for kind, codec := range portKinds {
		data, _ := codec.decode(nil)
		all["port of "+kind] = &Link{Info: LinkInfo{PortKind: kind, PortData: data}}
	}
	for name, link := range all {
		what := link.Info.Data
		switch {
		case name == "link":
			what = link
		case what == nil:
			what = link.Info.PortData
		}
		new(distinct).fill(reflect.ValueOf(what).Elem(), name)
	}
	all["link"].Family = 0 // not AF_BRIDGE
	return all
}

// TestEveryField: what is written is read again, whatever the field. This
// fails for a field without a row, for two rows with the same field and for a
// row that cuts numbers.
func TestEveryField(t *testing.T) {
	for name, link := range filled() {
		t.Run(name, func(t *testing.T) {
			b, err := link.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			var again Link
			if err := again.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(link, &again, compareAll...); diff != "" {
				t.Errorf("(-written +read):\n%s", diff)
			}
		})
	}
}

// TestEachNumberOnce: of two rows for one number the second is never found.
func TestEachNumberOnce(t *testing.T) {
	tables := map[string]any{"link": linkTable, "IPv6": linkIPv6Table, "virtual function": vfTable}
	for kind, codec := range kinds {
		tables["kind "+kind] = codec
	}
	for kind, codec := range portKinds {
		tables["port of "+kind] = codec
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		rows := reflect.ValueOf(tables[name])
		if rows.Kind() == reflect.Pointer { // *dataTable
			rows = rows.Elem().FieldByName("rows")
		}
		seen := map[uint64]string{}
		for i := range rows.Len() {
			attribute := rows.Index(i).Elem()
			number, row := attribute.FieldByName("number").Uint(), attribute.FieldByName("name").String()
			if other, ok := seen[number]; ok {
				t.Errorf("%s: %s and %s have number %d", name, row, other, number)
			}
			seen[number] = row
		}
	}
}

// TestRowsAreNamed: a row says the name of the constant that it has, so that
// one that was copied and half changed does not stay unseen.
func TestRowsAreNamed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			constant, isConstant := call.Args[0].(*ast.SelectorExpr)
			name, isText := call.Args[1].(*ast.BasicLit)
			if !isConstant || !isText || name.Kind != token.STRING {
				return true
			}
			if said, _ := strconv.Unquote(name.Value); said != constant.Sel.Name {
				t.Errorf("%s: the row of %s says %s", file, constant.Sel.Name, said)
			}
			checked++
			return true
		})
	}
	if checked < 100 {
		t.Errorf("%d rows were found", checked)
	}
}
