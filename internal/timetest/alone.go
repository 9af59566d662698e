//go:build !race

package timetest

// Beside says whether the race detector is at work: our code takes some times as
// long then, and the tests of all packages run side by side (see the Makefile).
const Beside = false
