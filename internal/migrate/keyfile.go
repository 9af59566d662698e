package migrate

import "github.com/netconnectd/netconnectd/client"

var _ = client.MaxSSID

func isKeyfile(lines []string) bool      { return false }
func (r *reader) keyfile(lines []string) {}
