package daemon

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/netconnectd/netconnectd/client"
	"github.com/netconnectd/netconnectd/internal/config"
	"github.com/netconnectd/netconnectd/internal/supervisor/policy"
	"github.com/netconnectd/netconnectd/internal/trial"
)

// newTrial returns the way to another configuration.
func (d *daemon) newTrial() *trial.Trial {
	return trial.New(trial.Parts{
		Load: func() (*config.Config, []config.Problem, error) { return d.Load() }, InForce: d.cfg.Load, Enforce: d.enforce, Loaded: d.configLoaded,
		Station: func() bool { return d.sup.State().Target().Station.Wanted && !d.radio.Managed() },
		Changed: d.problems.recheck, Log: d.log,
	})
}

// enforce puts a configuration in force. What no part of the daemon takes over before ctx
// ends is an error, but for the policy: a policy that does not run yet reads the
// configuration when it starts.
func (d *daemon) enforce(ctx context.Context, next *config.Config) (<-chan client.NetworkApplied, error) {
	accessPoint := !reflect.DeepEqual(apConfig(d.cfg.Load()), apConfig(next))
	d.cfg.Store(next)
	applied, err := d.declared.Declare(ctx, next.Network)
	if err != nil {
		err = fmt.Errorf("put the declared network in force: %w", err)
	}
	if radioErr := d.radio.Configure(ctx, radioSettings(next)); radioErr != nil {
		err = errors.Join(err, fmt.Errorf("put the radio's settings in force: %w", radioErr))
	}
	d.sup.Post(ctx, policy.ConfigChanged{Config: d.policyConfig(next), AccessPoint: accessPoint})
	nudge(d.relink)
	return applied, err
}

// configLoaded notes what was wrong with the configuration when it was read.
func (d *daemon) configLoaded(wrong error) {
	d.wrong.Store(&wrong)
	d.metrics.ConfigLoaded(wrong == nil)
	d.problems.recheck()
}

// configWrong returns what configLoaded has noted.
func (d *daemon) configWrong() error {
	if wrong := d.wrong.Load(); wrong != nil {
		return *wrong
	}
	return nil
}

// planFor returns what there would be to do for a configuration that a client has sent.
func (d *daemon) planFor(ctx context.Context, text string) (any, error) {
	next, _, err := d.Parse([]byte(text))
	if err != nil {
		return nil, &client.Error{Code: client.CodeBadConfig, Message: err.Error()}
	}
	return d.declared.PlanFor(ctx, next.Network)
}
