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

// tableName is that of our own nftables table, of the family inet, which sees
// IPv4 and IPv6. Nothing of others is ever touched; what they drop stays dropped.
const tableName = "netconnectd"

// tableLimit bounds one exchange with the kernel. The first one loads modules,
// which took over 2 s in a slow VM.
const tableLimit = 5 * time.Second

// tableSpec is what our table does.
type tableSpec struct {
	phones     string       // interface of the access point
	address    netip.Prefix // ours there, IPv4, with the length of the phones' subnet
	out        string       // interface that phones may leave through; "": none
	onlyPhones bool         // nobody but them: what comes in from out goes nowhere else
}

func ownTable() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}
}

// ErrNoTables says that this kernel has no nftables at all.
var ErrNoTables = errors.New("this kernel has no nftables")

// LookForTables asks the kernel whether it has nftables. The error is
// ErrNoTables, or says why the kernel did not tell: it tells only those who have
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

// installTable replaces our table in one transaction, so that no packet meets
// a part of it. Connections go on.
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

// chain is one of our table's.
type chain struct {
	name     string
	kind     nftables.ChainType
	hook     *nftables.ChainHook
	priority *nftables.ChainPriority
	rules    [][]expr.Any
}

func (s tableSpec) chains() []chain {
	chains := []chain{
		// Before any address is translated, so that what a rule of others sends
		// to a program on 127.0.0.1 still arrives.
		{"prerouting", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw, s.arrivalRules()},
		{"forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter, s.forwardRules()},
	}
	if s.out != "" {
		masquerade := rule(from(s.address.Masked()), outOf(s.out), []expr.Any{&expr.Masq{}})
		chains = append(chains, chain{"postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, [][]expr.Any{masquerade}})
	}
	return chains
}

// arrivalRules drop what no phone has to say: that it is a router, or knows a
// better one. Programs that listen to routers themselves do not hear of it
// either. Packets to 127.0.0.1 come over the air only where other programs have
// set route_localnet for all interfaces.
func (s tableSpec) arrivalRules() [][]expr.Any {
	return [][]expr.Any{
		rule(inBy(s.phones), message(unix.IPPROTO_ICMPV6, routerAdvertisement), verdict(expr.VerdictDrop)),
		rule(inBy(s.phones), message(unix.IPPROTO_ICMPV6, redirect6), verdict(expr.VerdictDrop)),
		rule(inBy(s.phones), message(unix.IPPROTO_ICMP, redirect4), verdict(expr.VerdictDrop)),
		rule(inBy(s.phones), to(loopback), verdict(expr.VerdictDrop)),
	}
}

// forwardRules: phones out of the one interface, answers back, and nothing else
// from or to them; also not from one phone to another. What a rule of others
// publishes on our own address, such as the port of a container, is a service of
// this device and not of the network behind it.
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
		return fmt.Errorf("%w (this kernel has no nftables, or not its connection tracking or masquerading)", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w (netconnectd needs CAP_NET_ADMIN)", err)
	}
	return err
}
