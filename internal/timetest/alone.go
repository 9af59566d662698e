//go:build !race

package timetest

// Beside reports whether the race detector is active: our code then takes several
// times as long, and the tests of all packages run side by side (see the Makefile).
const Beside = false
