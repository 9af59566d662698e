package config

import "strings"

// didYouMean is the hint for an unknown name: the nearest of the known ones,
// or nothing when none is near.
func didYouMean(name string, known []string) string {
	if ours := ofForks[name]; ours != "" {
		return "; did you mean " + ours + "?"
	}
	if best := nearestOf(name, known); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// nearestOf is the known name that a name was probably meant to be; "" is none.
func nearestOf(name string, known []string) string {
	best, least := "", 1+max(1, len(name)/3)
	for _, candidate := range known {
		if d := nearness(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// ofForks are keys that forks of the original have for what is ours by another
// name.
var ofForks = map[string]string{"wifi.default_country": "ap.country"}

// nearness is small for names that a person mixes up: by letters, or by
// leaving out or misplacing the section ("channel" for "ap.channel").
func nearness(name, known string) int {
	d := distance(strings.ToLower(name), strings.ToLower(known))
	_, leaf, _ := strings.Cut(known, ".")
	typed := name[strings.LastIndexByte(name, '.')+1:]
	if leaf != "" && strings.EqualFold(typed, leaf) {
		d = min(d, 1)
	}
	return d
}

// distance is the number of letters to insert, delete or replace that turn a
// into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
