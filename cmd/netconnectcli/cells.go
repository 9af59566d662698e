package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/netconnectd/netconnectd/client"
)

// printBSS prints cells as a table.
func printBSS(out io.Writer, list []client.BSS) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SSID\tSIGNAL\tCHANNEL\tSECURITY\tADDRESS")
	for _, b := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", ssidText(b), signalText(b), b.Channel, securityText(b), printable(b.Address))
	}
	return w.Flush()
}

func ssidText(b client.BSS) string {
	if b.SSID == "" {
		return "(hidden)"
	}
	return printable(b.SSID)
}

func signalText(b client.BSS) string {
	if b.Signal == nil {
		return "?"
	}
	return fmt.Sprintf("%d dBm", *b.Signal)
}

func securityText(b client.BSS) string {
	switch {
	case b.Security != "":
		return printable(b.Security)
	case b.Encrypted:
		return "encrypted"
	}
	return "open"
}
