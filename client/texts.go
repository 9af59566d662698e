package client

// These are result texts of the original daemon, which its users' scripts may
// compare.
const (
	ResultConnected      = "connected to wifi"
	ResultForgotten      = "forgot configured wifi"
	ResultNotConfigured  = "wifi was not configured yet"
	ResultReset          = "reset daemon"
	ResultStartedAP      = "started ap"
	ResultAlreadyRunning = "access point is already running"
	ResultStoppedAP      = "stopped ap"
	ResultNotRunning     = "access point is not running"
)

// These are result texts of commands that the original daemon did not have. The
// result of reload begins with this text, and may continue with what has changed.
const (
	ResultReloaded = "reloaded"
	ResultStopping = "netconnectd stops"

	ResultConfirmed = "confirmed: the configuration in force is the boot configuration"
	ResultReverted  = "reverted: the earlier configuration is in force"
)

// TextSupervised is the error text of stop_daemon under systemd, which would
// start the daemon again at the next connection.
const TextSupervised = "netconnectd runs under systemd: stop it with sudo systemctl stop netconnectd.socket netconnectd.service"

// These are error texts of the original daemon.
const (
	TextUnknownMessage  = "unknown message"
	TextProcessing      = "error while processing message from client"
	TextCannotScan      = "access point is running, cannot scan for wifis (use force option)"
	TextNotConfigured   = "wifi is not yet configured"
	TextCouldNotConnect = "could not connect"
)

// TextNotPresent is the error text when the radio is not there.
func TextNotPresent(ifname string) string {
	return "Wifi interface " + ifname + " is not present"
}

// TextNotFound is the error text when a scan did not find the network.
func TextNotFound(ssid []byte) string {
	return "could not find wifi cell with ssid " + SSIDInText(ssid)
}

// ResultAdded is the result of add_network.
func ResultAdded(ssid []byte) string {
	return "added " + SSIDInText(ssid) + ", which is tried when it is in reach"
}

// ResultChanged is the result of set_network.
func ResultChanged(ssid []byte) string { return "changed " + SSIDInText(ssid) }

// ResultAdopted is the result of adopt.
func ResultAdopted(ssid []byte) string { return "adopted " + SSIDInText(ssid) }

// ResultRemoved is the result of remove_network.
func ResultRemoved(ssid []byte) string { return "removed " + SSIDInText(ssid) }

// ResultConfigured is the result of config_wifi; name is the original's
// setting wifi.name.
func ResultConfigured(name string) string {
	return `configured wifi as "` + name + `"`
}
