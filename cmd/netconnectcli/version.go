package main

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// version is set by the linker: -X main.version=1.2.3.
var version = "devel"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the versions of this program and of the daemon",
		RunE: func(cmd *cobra.Command, _ []string) error {
			daemon := "not running"
			c, err := a.dial(cmd.Context())
			if err == nil {
				defer c.Close()
				status, err := c.Status(cmd.Context())
				if err != nil {
					return a.streamError(err)
				}
				daemon = cmp.Or(status.Version, originalVersion)
			}
			return a.showVersions(daemon)
		},
	}
}

func (a *app) showVersions(daemon string) error {
	if !a.json {
		fmt.Fprintf(a.out, "netconnectcli %s\nnetconnectd %s\n", version, printable(daemon))
		return nil
	}
	return json.NewEncoder(a.out).Encode(map[string]string{"netconnectcli": version, "netconnectd": daemon})
}
