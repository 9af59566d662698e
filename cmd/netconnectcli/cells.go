package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/netconnectd/netconnectd/client"
)

// printBSS prints cells as a table. Its last column says whether the network is saved
// or in use.
func printBSS(out io.Writer, list []client.BSS) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SSID\tSIGNAL\tCHANNEL\tSECURITY\tADDRESS\tKNOWN")
	for _, b := range list {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", ssidText(b), signalText(b), b.Channel, securityText(b), printable(b.Address), knownText(b))
	}
	return w.Flush()
}

// knownText says whether the device is in the cell's network, or has saved that
// network.
func knownText(b client.BSS) string {
	switch {
	case b.Current && b.Saved:
		return "current, saved"
	case b.Current:
		return "current"
	case b.Saved:
		return "saved"
	}
	return "-"
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
