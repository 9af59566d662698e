//go:build !labhook

package supervisor

// stall does nothing; the lab's daemon has another one (stall_labhook.go).
func stall() {}
