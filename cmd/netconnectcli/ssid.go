package main

import (
	"encoding/hex"

	"github.com/spf13/cobra"
)

// ssidFlag says how <ssid> is written on the command line, which cannot hold every
// byte that an SSID may have.
type ssidFlag struct{ hex bool }

func (f *ssidFlag) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.hex, "hex", false, "<ssid> is in hexadecimal, like ssid_hex in the output of --json")
}

func (f *ssidFlag) bytes(argument string) ([]byte, error) {
	if !f.hex {
		return []byte(argument), nil
	}
	ssid, err := hex.DecodeString(argument)
	if err != nil {
		return nil, usageError("<ssid> is not hexadecimal")
	}
	return ssid, nil
}
