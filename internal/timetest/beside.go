//go:build race

package timetest

// Beside reports that the race detector is active.
const Beside = true
