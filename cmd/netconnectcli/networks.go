package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/netconnectd/netconnectd/client"
)

func (a *app) listNetworksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list_networks",
		Short: "List the saved Wi-Fi networks, the best first",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.call(cmd.Context(), "list_networks", nil, a.showNetworks)
		},
	}
}

func (a *app) showNetworks(result json.RawMessage) error {
	var list []client.SavedNetwork
	if err := json.Unmarshal(result, &list); err != nil {
		return fmt.Errorf("decode list: %w", err)
	}
	return printNetworks(a.out, list)
}

func printNetworks(out io.Writer, list []client.SavedNetwork) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SSID\tSECURITY\tPRIORITY\tLAST SUCCESS\tFURTHER")
	for _, n := range list {
		last := "never"
		if n.LastSuccess != nil {
			last = n.LastSuccess.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", printable(n.SSID), printable(savedSecurity(n)), n.Priority, last, printable(further(n)))
	}
	return w.Flush()
}

// savedSecurity returns the known security, even if the network was never seen.
func savedSecurity(n client.SavedNetwork) string {
	switch {
	case n.EAP != nil:
		return "eap " + n.EAP.Method
	case n.Security != "":
		return n.Security
	case n.HasPSK:
		return "passphrase"
	}
	return "open"
}

// further lists the settings that most networks do not have.
func further(n client.SavedNetwork) string {
	var words []string
	for _, word := range []struct {
		said bool
		text string
	}{
		{n.InUse, "in use"}, {n.Hidden, "hidden"}, {n.BSSID != "", n.BSSID}, {n.PMF != "", "pmf " + n.PMF},
		{n.Addressing.Address != "", n.Addressing.Address}, {n.Failures > 0, fmt.Sprintf("failed %d times", n.Failures)},
		{n.Origin != "" && n.Origin != "netconnectd", "saved by " + n.Origin},
	} {
		if word.said {
			words = append(words, word.text)
		}
	}
	return strings.Join(words, ", ")
}

func (a *app) addNetworkCommand() *cobra.Command {
	var f networkFlags
	cmd := &cobra.Command{
		Use:   "add_network <ssid> [<psk>]",
		Short: "Save a Wi-Fi network without trying it now",
		Long: `Save a Wi-Fi network without trying it now.

The daemon joins the network when it is in reach and no better one is. To check a
passphrase at once, use configure_wifi and select_wifi, which try the network.

The passphrase is given in the same ways as to configure_wifi. With --eap it is the
password of 802.1X.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ssid, err := f.ssid.bytes(args[0])
			if err != nil {
				return err
			}
			f.secret.argument = args[1:]
			if f.eap.Method == "tls" || f.security == "open" || f.security == "owe" { // these have no passphrase
				f.secret.open = f.secret.open || len(args) == 1 && !f.secret.stdin
			}
			psk, err := f.secret.read()
			if err != nil {
				return err
			}
			settings, err := f.settings(cmd, &psk)
			if err != nil {
				return err
			}
			return a.call(cmd.Context(), "add_network", client.SettingsParams(ssid, settings), a.showText)
		},
	}
	f.register(cmd)
	cmd.ValidArgsFunction = first(a.seenNames)
	cmd.Flags().BoolVar(&f.secret.open, "open", false, "the network is open; do not ask for a passphrase")
	return cmd
}

func (a *app) setNetworkCommand() *cobra.Command {
	var f networkFlags
	cmd := &cobra.Command{
		Use:   "set_network <ssid> [<psk>]",
		Short: "Change a saved Wi-Fi network",
		Long: `Change a saved Wi-Fi network. Settings that no flag names stay as they are, and so
does the passphrase. A radio that is on the network uses the change when it joins
the network again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ssid, err := f.ssid.bytes(args[0])
			if err != nil {
				return err
			}
			var psk *string
			if f.secret.argument = args[1:]; len(args) > 1 || f.secret.stdin || f.secret.ask {
				text, err := f.secret.read()
				if err != nil {
					return err
				}
				psk = &text
			}
			settings, err := f.settings(cmd, psk)
			if err != nil {
				return err
			}
			if settings == (client.NetworkSettings{}) {
				return usageError("nothing to change was given")
			}
			return a.call(cmd.Context(), "set_network", client.SettingsParams(ssid, settings), a.showText)
		},
	}
	f.register(cmd)
	cmd.ValidArgsFunction = first(a.savedNames)
	cmd.Flags().BoolVar(&f.secret.ask, "ask", false, "ask for a new passphrase on the terminal")
	return cmd
}

// networkFlags holds the settings of a network from the flags.
type networkFlags struct {
	ssid                 ssidFlag
	secret               passphraseSource
	security, bssid, pmf string
	hidden, dhcp         bool
	priority             int
	eap                  client.EAP
	static               client.Addressing
}

func (f *networkFlags) register(cmd *cobra.Command) {
	f.ssid.register(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.secret.stdin, "psk-stdin", false, "read the passphrase from standard input")
	flags.StringVar(&f.security, "security", "", "`kind` of protection: open, owe, wpa, wpa2, wpa3, wpa2/wpa3 or eap; by default any kind that the passphrase fits")
	flags.BoolVar(&f.hidden, "hidden", false, "the network hides its name")
	flags.StringVar(&f.bssid, "bssid", "", "join only the cell of this `address`")
	flags.StringVar(&f.pmf, "pmf", "", "`mode` of protected management frames: required, optional or off; by default the best that router and radio support")
	flags.IntVar(&f.priority, "priority", 0, "networks with a higher `number` are tried first")
	flags.StringVar(&f.eap.Method, "eap", "", "802.1X by this `method`: peap, ttls or tls")
	flags.StringVar(&f.eap.Identity, "identity", "", "`name` of the user (802.1X)")
	flags.StringVar(&f.eap.AnonymousIdentity, "anonymous-identity", "", "`name` that is sent unencrypted (802.1X)")
	flags.StringVar(&f.eap.Phase2, "phase2", "", "inner `method`: mschapv2 or pap (802.1X)")
	flags.StringVar(&f.eap.CACert, "ca-cert", "", "PEM `file` with the CA that signs the server's certificate (802.1X)")
	flags.StringVar(&f.eap.ServerName, "server-name", "", "`domain` that the server's certificate must name (802.1X)")
	flags.BoolVar(&f.eap.AnyServer, "any-server", false, "trust any server (802.1X)")
	flags.StringVar(&f.eap.ClientCert, "client-cert", "", "PEM `file` with the device's certificate (802.1X by tls)")
	flags.StringVar(&f.eap.PrivateKey, "private-key", "", "PEM `file` with the certificate's private key (802.1X by tls)")
	flags.StringVar(&f.static.Address, "ip", "", "static `address` with the length of its prefix, 192.0.2.7/24")
	flags.StringVar(&f.static.Gateway, "gateway", "", "gateway's `address`, with --ip")
	flags.StringSliceVar(&f.static.DNS, "dns", nil, "DNS servers' `addresses`, with --ip")
	flags.BoolVar(&f.dhcp, "dhcp", false, "get the address by DHCP and router advertisements")
	offerFlag(cmd, "security", fixed("open", "owe", "wpa", "wpa2", "wpa3", "wpa2/wpa3", "eap"))
	offerFlag(cmd, "pmf", fixed("required", "optional", "off"))
	offerFlag(cmd, "eap", fixed("peap", "ttls", "tls"))
	offerFlag(cmd, "phase2", fixed("mschapv2", "pap"))
	offerFiles(cmd, "ca-cert", "client-cert", "private-key")
}

// settings returns the settings that the command line names.
func (f *networkFlags) settings(cmd *cobra.Command, psk *string) (client.NetworkSettings, error) {
	given := cmd.Flags().Changed
	s := client.NetworkSettings{PSK: psk}
	for flag, set := range map[string]func(){
		"security": func() { s.Security = &f.security }, "hidden": func() { s.Hidden = &f.hidden },
		"bssid": func() { s.BSSID = &f.bssid }, "pmf": func() { s.PMF = &f.pmf },
		"priority": func() { s.Priority = &f.priority },
		"ip":       func() { f.static.Method, s.Addressing = "static", &f.static },
		"dhcp":     func() { s.Addressing = &client.Addressing{Method: "dhcp"} },
	} {
		if given(flag) {
			set()
		}
	}
	if given("ip") && given("dhcp") {
		return s, usageError("--ip and --dhcp exclude each other")
	}
	if !given("ip") && (given("gateway") || given("dns")) {
		return s, usageError("--gateway and --dns need --ip")
	}
	if given("eap") {
		if s.EAP, s.PSK = &f.eap, nil; psk != nil {
			s.EAP.Password = *psk
		}
		return s, nil
	}
	for _, flag := range []string{"identity", "anonymous-identity", "phase2", "ca-cert", "server-name", "any-server", "client-cert", "private-key"} {
		if given(flag) {
			return s, usageError("--" + flag + " needs --eap")
		}
	}
	return s, nil
}
