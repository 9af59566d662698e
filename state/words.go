package state

import "slices"

// Words lists the types that this package knows, sorted.
func (IfaceType) Words() []string {
	words := make([]string, 0, len(known))
	for t := range known {
		words = append(words, string(t))
	}
	slices.Sort(words)
	return words
}
