package wifi

import (
	"strconv"
)

// saeDenied recognises a wrong SAE password: the router refuses the second message,
// which proves the password (status 1 in hostapd up to 2.10; 15, challenge failure,
// elsewhere). One refusal is enough, because a lost frame looks different.
func saeDenied(algorithm, sequence, status int) bool {
	return algorithm == 3 && sequence == 2 && (status == 1 || status == 15)
}

// handshakeRefused recognises a wrong passphrase by the reason with which the router
// ends the key exchange: handshake time-out, authentication not valid, MIC failure.
func handshakeRefused(reason int) bool { return reason == 15 || reason == 2 || reason == 14 }

// vanished reports whether the router was not heard any more; reason 4 is inactivity.
func vanished(local bool, reason int, beaconLoss bool) bool {
	return local && (beaconLoss || reason == 4)
}

// number returns s if it is a number and "unknown" otherwise, so that no other text
// of the event reaches messages for people.
func number(s string) string {
	if _, err := strconv.Atoi(s); err != nil {
		return "unknown"
	}
	return s
}

// integer parses s and returns -1 if s is not a number.
func integer(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
