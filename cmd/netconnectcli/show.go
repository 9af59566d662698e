package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/state"
	"github.com/netconnectd/netconnectd/state/kernel"
)

// showFlags holds the flags of show and of all its subcommands.
type showFlags struct {
	netns     string
	noDrivers bool
}

func (f *showFlags) register(cmd *cobra.Command) {
	netnsFlag(cmd, &f.netns)
	cmd.PersistentFlags().BoolVar(&f.noDrivers, "no-drivers", false, "leave out what only drivers report (ethtool, Wi-Fi, WireGuard), because a driver that hangs delays the rest")
}

func (a *app) showCommand() *cobra.Command {
	var flags showFlags
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the kernel's network, without the daemon",
		Long: `Show the kernel's network, without the daemon.

Without a subcommand, show prints each interface in brief. The subcommands print
YAML, or JSON with -j. Keys and structure are those of nispor 1.2.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := readPicture(cmd.Context(), flags, briefFilter)
			if err != nil {
				return err
			}
			return a.showBrief(newBriefs(p))
		},
	}
	flags.register(cmd)
	part := func(use, short string, parts state.Parts, pick func(picture) any) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return a.showState(cmd.Context(), flags, state.Filter{Parts: parts}, pick)
			},
		}
	}
	cmd.AddCommand(
		a.showIfaceCommand(&flags), a.showRouteCommand(&flags),
		part("rule", "Show the rules that choose a routing table", state.PartRules,
			func(p picture) any { return listOf(p.Rules) }),
		part("neigh", "Show the neighbours that ARP and neighbour discovery know", state.PartNeighbours,
			func(p picture) any { return listOf(p.Neighbours) }),
		part("fdb", "Show the forwarding tables of bridges and VXLANs", state.PartFDB,
			func(p picture) any { return listOf(p.FDB) }),
		part("nexthop", "Show the next hop objects that routes refer to", state.PartNexthops,
			func(p picture) any { return listOf(p.Nexthops) }),
		part("mptcp", "Show the path manager of Multipath TCP", state.PartMPTCP,
			func(p picture) any { return p.MPTCP }),
		part("full", "Show everything", state.Everything, func(p picture) any { return membersOf(p) }),
	)
	return cmd
}

func (a *app) showIfaceCommand(flags *showFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "iface [<name>]",
		Short: "Show all interfaces, or the named one",
		RunE: func(cmd *cobra.Command, args []string) error {
			filter := state.Filter{Parts: state.PartIfaces | state.PartStatistics | state.PartDrivers}
			if len(args) > 0 {
				if filter.Iface = args[0]; args[0] == "" {
					return usageError("the name of the interface is empty")
				}
			}
			return a.showState(cmd.Context(), *flags, filter, func(p picture) any { return listOf(byIndex(p.State)) })
		},
		ValidArgsFunction: first(interfaces),
	}
}

func (a *app) showRouteCommand(flags *showFlags) *cobra.Command {
	var dev, table, scope, protocol string
	cmd := &cobra.Command{
		Use:   "route",
		Short: "Show the routes of all tables",
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := routeFilter(dev, table, scope, protocol)
			if err != nil {
				return err
			}
			return a.showState(cmd.Context(), *flags, filter, func(p picture) any { return routeList(p.table) })
		},
	}
	cmd.Flags().StringVarP(&dev, "dev", "d", "", "only routes through the interface of this `name`")
	cmd.Flags().StringVarP(&table, "table", "t", "", "only routes of this `table`: main, local, default or a number")
	cmd.Flags().StringVarP(&scope, "scope", "s", "", "only routes of this `scope`: universe, site, link, host, no_where or a number")
	cmd.Flags().StringVarP(&protocol, "protocol", "p", "", "only routes made by this `protocol`: kernel, static, dhcp, … or a number")
	offerFlag(cmd, "dev", each(interfaces))
	offerFlag(cmd, "table", fixed("main", "local", "default"))
	offerFlag(cmd, "scope", fixed(state.RouteScope(0).Words()...))
	offerFlag(cmd, "protocol", fixed(state.RouteProtocol(0).Words()...))
	return cmd
}

func routeFilter(dev, table, scope, protocol string) (f state.Filter, err error) {
	f = state.Filter{Parts: state.PartRoutes, OutIface: dev}
	if table != "" {
		if f.Table, err = state.ParseTable(table); err != nil {
			return f, usageError("table: " + err.Error())
		}
	}
	if scope != "" {
		if f.Scope, err = state.ParseRouteScope(scope); err != nil {
			return f, usageError("scope: " + err.Error())
		}
	}
	if protocol != "" {
		if f.Protocol, err = state.ParseRouteProtocol(protocol); err != nil {
			return f, usageError("protocol: " + err.Error())
		}
	}
	return f, nil
}

// picture is the state that was read. The routes are stored beside the State, as
// there may be a million of them.
type picture struct {
	*state.State
	table routeTable
}

type routeTable interface {
	Len() int
	At(i int) state.Route
}

func (a *app) showState(ctx context.Context, flags showFlags, filter state.Filter, pick func(picture) any) error {
	p, err := readPicture(ctx, flags, filter)
	if err != nil {
		return err
	}
	return a.print(pick(p))
}

// slowDriver is the time after which a person begins to wonder what show waits for.
const slowDriver = 5 * time.Second

// readPicture reads the network namespace that the flags name, else our own.
func readPicture(ctx context.Context, flags showFlags, filter state.Filter) (picture, error) {
	if err := enterNetns(flags.netns); err != nil {
		return picture{}, err
	}
	if flags.noDrivers {
		filter.Parts &^= state.PartDrivers
	}
	if filter.Parts&state.PartDrivers != 0 {
		defer time.AfterFunc(slowDriver, func() {
			fmt.Fprintln(os.Stderr, "netconnectcli: the kernel has not answered yet; --no-drivers leaves out what drivers tell, in case one hangs")
		}).Stop()
	}
	s, routes, err := kernel.ReadCompact(ctx, filter)
	if errors.Is(err, kernel.ErrNotExist) {
		return picture{}, missing(ctx, cmp.Or(filter.Iface, filter.OutIface))
	}
	return picture{s, routes}, err
}

// missing returns the error for an interface that does not exist.
func missing(ctx context.Context, name string) error {
	err := fmt.Errorf("there is no interface %s", name)
	s, readErr := kernel.Read(ctx, state.Filter{Parts: state.PartIfaces})
	if readErr != nil {
		return err // without the list, only the name is reported
	}
	if near := nearestName(name, slices.Sorted(maps.Keys(s.Ifaces))); near != "" {
		return fmt.Errorf("%w; did you mean %s?", err, near)
	}
	return err
}

func byIndex(s *state.State) []*state.Iface {
	return slices.SortedFunc(maps.Values(s.Ifaces), func(x, y *state.Iface) int { return cmp.Compare(x.Index, y.Index) })
}
