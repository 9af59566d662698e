package declared

import (
	"context"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
	"github.com/netconnectd/netconnectd/internal/network"
)

// Plan returns what there is to do for the kernel to be as declared: after an Apply
// that succeeded, what other programs have changed since.
func (n *Network) Plan(ctx context.Context) (client.NetworkPlan, error) {
	return n.plan(ctx, n.State())
}

// PlanFor returns what there would be to do for another configuration, apart from
// addresses that no server has assigned yet.
func (n *Network) PlanFor(ctx context.Context, spec network.Spec) (client.NetworkPlan, error) {
	next, _ := network.Step(n.State(), time.Now(), network.Declared{Spec: spec})
	return n.plan(ctx, next)
}

func (n *Network) plan(ctx context.Context, s network.State) (client.NetworkPlan, error) {
	changes, err := n.Kernel.Plan(ctx, endAddresses(s.Desired(), time.Now()))
	if _, only := link.PathErrors(err); !only {
		return client.NetworkPlan{}, err
	}
	plan := client.NetworkPlan{Changes: []client.NetworkChange{}, Problems: problems(err)}
	for _, c := range changes {
		plan.Changes = append(plan.Changes, client.NetworkChange{Link: c.Link, Text: c.String(), Class: c.Class.String(), Path: c.Path})
	}
	return plan, nil
}

// TearDown takes everything of the declared network out of the kernel.
func (n *Network) TearDown(ctx context.Context) error {
	_, err := n.Kernel.Apply(ctx, link.Desired{})
	return err
}

// Problems returns what keeps interfaces down that are to be up, but for devices that
// are not there.
func (n *Network) Problems() []client.Problem {
	var all []client.Problem
	for _, s := range n.State().Interfaces() {
		if s.Refusal == "" {
			continue
		}
		all = append(all, client.Problem{
			Code:   "network",
			Text:   "interface " + s.Name + " is not as declared: " + s.Refusal,
			Remedy: "netconnectcli plan shows what is left to do; correct the section network of the configuration, then netconnectcli reload; the daemon tries again by itself",
		})
	}
	return all
}
