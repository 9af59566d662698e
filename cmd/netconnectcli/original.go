package main

import "github.com/netconnectd/netconnectd/client"

// isOriginal reports whether a status is that of an original netconnectd, which has
// the fields Link to Wifi.Present and no others.
func isOriginal(s client.Status) bool { return s.Version == "" && s.Uplink.State == "" }
