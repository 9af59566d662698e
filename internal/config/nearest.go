package config

import "github.com/netconnectd/netconnectd/internal/nearest"

// didYouMean returns the hint for an unknown name: the nearest of the known names, or
// nothing if none is near.
func didYouMean(name string, known []string) string {
	if ours := ofForks[name]; ours != "" {
		return "; did you mean " + ours + "?"
	}
	if best := nearest.Of(name, known); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// ofForks has, by the names that forks of the original use, our names of the same
// settings.
var ofForks = map[string]string{"wifi.default_country": "ap.country"}
