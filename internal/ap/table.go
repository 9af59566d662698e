package ap

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// tableName is that of our own nftables table, of the family ip. Nothing of
// others is ever touched; what they drop stays dropped.
const tableName = "netconnectd"

// tableLimit bounds one exchange with the kernel. The first one loads modules,
// which took over 2 s in a slow VM.
const tableLimit = 5 * time.Second

// tableSpec is what our table does.
type tableSpec struct {
	phones     string       // interface of the access point
	subnet     netip.Prefix // of the phones, IPv4
	out        string       // interface that they may leave through
	onlyPhones bool         // nobody but them: what comes in from out goes nowhere else
}

func ownTable() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyIPv4}
}

// errNoTables says that this kernel has no nftables at all.
var errNoTables = errors.New("this kernel has no nftables")

func dialTables() (*nftables.Conn, error) {
	return nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error {
		return c.SetDeadline(time.Now().Add(tableLimit))
	}))
}

// installTable replaces our table in one transaction, so that no packet meets
// a part of it. Connections go on.
func (f *forwarding) installTable(spec tableSpec) error {
	conn, err := f.dial()
	if err != nil {
		return fmt.Errorf("install table %s: %w", tableName, err)
	}
	table := replace(conn)
	conn.AddTable(table)
	forward := conn.AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	postrouting := conn.AddChain(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	for _, rule := range spec.forwardRules() {
		conn.AddRule(&nftables.Rule{Table: table, Chain: forward, Exprs: rule})
	}
	conn.AddRule(&nftables.Rule{Table: table, Chain: postrouting, Exprs: rule(
		from(spec.subnet), outOf(spec.out), []expr.Any{&expr.Masq{}},
	)})
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("install table %s: %w", tableName, explainTable(err))
	}
	return nil
}

// forwardRules: phones out of the one interface, answers back, and nothing
// else from or to them.
func (s tableSpec) forwardRules() [][]expr.Any {
	rules := [][]expr.Any{
		rule(inBy(s.phones), from(s.subnet), outOf(s.out), verdict(expr.VerdictAccept)),
		rule(inBy(s.out), outOf(s.phones), answer(), verdict(expr.VerdictAccept)),
		rule(inBy(s.phones), verdict(expr.VerdictDrop)),
		rule(outOf(s.phones), verdict(expr.VerdictDrop)),
	}
	if s.onlyPhones {
		rules = append(rules, rule(inBy(s.out), verdict(expr.VerdictDrop)))
	}
	return rules
}

// removeTable removes our table, if it is there.
func (f *forwarding) removeTable() error {
	there, err := f.tableExists()
	switch {
	case errors.Is(err, errNoTables):
		return nil
	case err != nil || !there:
		return err
	}
	conn, err := f.dial()
	if err == nil {
		replace(conn)
		err = conn.Flush()
	}
	if err != nil {
		return fmt.Errorf("remove table %s: %w", tableName, explainTable(err))
	}
	return nil
}

// replace removes our table. Only one that is there can be removed, so it is
// added first, which does nothing to one that is.
func replace(conn *nftables.Conn) *nftables.Table {
	table := conn.AddTable(ownTable())
	conn.DelTable(table)
	return table
}

// tableExists asks because others may flush the whole ruleset, and before
// anything else: a kernel without nftables answers this at once, but to all
// messages of a transaction by one, so that Flush waits for the others until
// tableLimit.
func (f *forwarding) tableExists() (bool, error) {
	conn, err := f.dial()
	if err != nil {
		return false, fmt.Errorf("look for table %s: %w", tableName, err)
	}
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyIPv4)
	if unknown(err) {
		return false, fmt.Errorf("look for table %s: %w: %w", tableName, errNoTables, err)
	}
	if err != nil {
		return false, fmt.Errorf("look for table %s: %w", tableName, explainTable(err))
	}
	for _, table := range tables {
		if table.Name == tableName {
			return true, nil
		}
	}
	return false, nil
}

// unknown reports whether a question was answered by a kernel without nftables:
// it knows neither the subsystem (nfnetlink_rcv_msg in its
// net/netfilter/nfnetlink.c: EINVAL), nor perhaps the protocol.
func unknown(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EAFNOSUPPORT)
}

// explainTable adds what an error means here.
func explainTable(err error) error {
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOENT), errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w (this kernel has no nftables, or not its masquerading)", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w (netconnectd needs CAP_NET_ADMIN)", err)
	}
	return err
}

// rule joins conditions and what follows from them.
func rule(parts ...[]expr.Any) []expr.Any {
	var all []expr.Any
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func inBy(ifname string) []expr.Any  { return named(expr.MetaKeyIIFNAME, ifname) }
func outOf(ifname string) []expr.Any { return named(expr.MetaKeyOIFNAME, ifname) }

// named compares by name, because an interface may come later or come again.
func named(key expr.MetaKey, ifname string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, ifname)
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: padded},
	}
}

// from compares the source address, which is at byte 12 of the header (RFC 791
// 3.1), with an IPv4 subnet.
func from(subnet netip.Prefix) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(subnet.Bits(), 32), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: subnet.Addr().AsSlice()},
	}
}

// answer is a packet of a connection that is known already.
func answer() []expr.Any {
	known := expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED
	return []expr.Any{
		&expr.Ct{Register: 1, Key: expr.CtKeySTATE},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(known), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func verdict(kind expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: kind}} }
