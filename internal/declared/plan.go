package declared

import (
	"context"
	"time"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/link"
)

// Plan returns what there is to do for the kernel to be as declared: after an Apply
// that succeeded, what other programs have changed since.
func (n *Network) Plan(ctx context.Context) (client.NetworkPlan, error) {
	changes, err := n.Kernel.Plan(ctx, endAddresses(n.State().Desired(), time.Now()))
	found, only := link.PathErrors(err)
	if !only {
		return client.NetworkPlan{}, err
	}
	plan := client.NetworkPlan{Changes: []client.NetworkChange{}, Problems: []string{}}
	for _, c := range changes {
		plan.Changes = append(plan.Changes, client.NetworkChange{Link: c.Link, Text: c.String(), Class: c.Class.String(), Path: c.Path})
	}
	for _, e := range found {
		plan.Problems = append(plan.Problems, e.Error())
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
