//go:build race

package timetest

// Beside says that they do.
const Beside = true
