package ap

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// tableName is the name of our own nftables table, of the family inet, which sees
// IPv4 and IPv6. Tables of other programs are never touched; what they drop stays
// dropped.
const tableName = "netconnectd"

// tableLimit bounds one exchange with the kernel. The first one loads modules,
// which took over 2 s in a slow VM.
const tableLimit = 5 * time.Second

// tableSpec describes what our table lets pass.
type tableSpec struct {
	phones     string       // the access point's interface
	address    netip.Prefix // our IPv4 address there, with the length of the phones' subnet
	out        string       // the interface through which phones may leave; "": none
	onlyPhones bool         // packets from out may go to phones only
}

func ownTable() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}
}

// ErrNoTables is the error of a kernel without nftables.
var ErrNoTables = errors.New("this kernel has no nftables")

// LookForTables checks whether the kernel has nftables. The error is ErrNoTables, or
// the reason why the kernel did not answer: it answers only processes with
// CAP_NET_ADMIN.
func LookForTables() error {
	_, err := listTables(dialTables)
	return err
}

func dialTables() (*nftables.Conn, error) {
	return nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error {
		return c.SetDeadline(time.Now().Add(tableLimit))
	}))
}

// installTable replaces our table in one transaction, so that no packet meets an
// incomplete table. Connections go on.
func (f *forwarding) installTable(spec tableSpec) error {
	conn, err := f.dial()
	if err != nil {
		return fmt.Errorf("install table %s: %w", tableName, err)
	}
	table := replace(conn)
	conn.AddTable(table)
	for _, c := range spec.chains() {
		chain := conn.AddChain(&nftables.Chain{Name: c.name, Table: table, Type: c.kind, Hooknum: c.hook, Priority: c.priority})
		for _, rule := range c.rules {
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: rule})
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("install table %s: %w", tableName, explainTable(err))
	}
	return nil
}

// chain is a chain of our table.
type chain struct {
	name     string
	kind     nftables.ChainType
	hook     *nftables.ChainHook
	priority *nftables.ChainPriority
	rules    [][]expr.Any
}

func (s tableSpec) chains() []chain {
	chains := []chain{
		// The priority is before any address translation, so that packets that a
		// rule of another program redirects to 127.0.0.1 still arrive.
		{"prerouting", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw, s.arrivalRules()},
		{"forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, s.forwardRules()},
	}
	if s.out != "" {
		masquerade := rule(from(s.address.Masked()), outOf(s.out), []expr.Any{&expr.Masq{}})
		chains = append(chains, chain{"postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, [][]expr.Any{masquerade}})
	}
	return chains
}

// arrivalRules drop messages that no phone may send: router advertisements and
// redirects. Programs that listen to routers themselves do not receive them either.
// The rules also drop packets to 127.0.0.1, which the kernel would accept if another
// program has set route_localnet for all interfaces.
func (s tableSpec) arrivalRules() [][]expr.Any {
	return [][]expr.Any{
		rule(inBy(s.phones), message(unix.IPPROTO_ICMPV6, routerAdvertisement), verdict(expr.VerdictDrop)),
		rule(inBy(s.phones), message(unix.IPPROTO_ICMPV6, redirect6), verdict(expr.VerdictDrop)),
		rule(inBy(s.phones), message(unix.IPPROTO_ICMP, redirect4), verdict(expr.VerdictDrop)),
		rule(inBy(s.phones), to(loopback), verdict(expr.VerdictDrop)),
	}
}

// forwardRules let phones out through the one interface, and answers back in. They
// drop everything else from or to phones, also between two phones. A service that a
// rule of another program publishes on our own address, such as the port of a
// container, counts as a service of this device, and phones may reach it.
func (s tableSpec) forwardRules() [][]expr.Any {
	rules := [][]expr.Any{
		rule(inBy(s.phones), published(s.address.Addr()), verdict(expr.VerdictAccept)),
		rule(outOf(s.phones), published(s.address.Addr()), answer(), verdict(expr.VerdictAccept)),
	}
	if s.out != "" {
		rules = append(rules,
			rule(inBy(s.phones), from(s.address.Masked()), outOf(s.out), verdict(expr.VerdictAccept)),
			rule(inBy(s.out), outOf(s.phones), answer(), verdict(expr.VerdictAccept)))
	}
	rules = append(rules,
		rule(inBy(s.phones), verdict(expr.VerdictDrop)),
		rule(outOf(s.phones), verdict(expr.VerdictDrop)))
	if s.onlyPhones {
		rules = append(rules, rule(inBy(s.out), verdict(expr.VerdictDrop)))
	}
	return rules
}

// removeTable removes our table, if it is there.
func (f *forwarding) removeTable() error {
	there, err := f.tableExists()
	switch {
	case errors.Is(err, ErrNoTables):
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

// replace removes our table and adds it anew. It adds the table first, as only an
// existing table can be removed; adding does nothing to an existing one.
func replace(conn *nftables.Conn) *nftables.Table {
	table := conn.AddTable(ownTable())
	conn.DelTable(table)
	return table
}

// tableExists reports whether our table exists; other programs may flush the whole
// ruleset. It is called before any transaction: a kernel without nftables answers
// this request at once, but answers a whole transaction with one message, so that
// Flush would wait for the other answers until tableLimit.
func (f *forwarding) tableExists() (bool, error) {
	tables, err := listTables(f.dial)
	if err != nil {
		return false, fmt.Errorf("look for table %s: %w", tableName, err)
	}
	for _, table := range tables {
		if table.Name == tableName {
			return true, nil
		}
	}
	return false, nil
}

func listTables(dial func() (*nftables.Conn, error)) ([]*nftables.Table, error) {
	conn, err := dial()
	if unknown(err) {
		return nil, fmt.Errorf("%w: %w", ErrNoTables, err)
	}
	if err != nil {
		return nil, err
	}
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if unknown(err) {
		return nil, fmt.Errorf("%w: %w", ErrNoTables, err)
	}
	if err != nil {
		return nil, explainTable(err)
	}
	return tables, nil
}

// unknown reports whether the error is that of a kernel without nftables. Such a
// kernel does not know the subsystem (nfnetlink_rcv_msg in its
// net/netfilter/nfnetlink.c returns EINVAL), and perhaps not even the protocol.
func unknown(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EAFNOSUPPORT)
}

// explainTable adds the meaning of an nftables error.
func explainTable(err error) error {
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOENT), errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w (this kernel has no nftables, or not its connection tracking or masquerading)", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w (netconnectd needs CAP_NET_ADMIN)", err)
	}
	return err
}
