//go:build race

package state

func init() { raceDetector = true }
