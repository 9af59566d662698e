// Package nearest finds the name that a person probably meant: the nearest of the
// known names to one that is not known.
package nearest

import "strings"

// Of returns the known name that a name was probably meant to be, or "" if none is
// near. Of "section.name" the section may be missing or wrong.
func Of(name string, known []string) string {
	best, least := "", 1+max(1, len(name)/3)
	for _, candidate := range known {
		if d := nearness(name, candidate, least); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// nearness returns a small number for names that a person mixes up: by letters, or by
// leaving out or misplacing the section ("channel" for "ap.channel"). It returns limit, or
// more, for all names that are not nearer than that; a name may be as long as a file.
func nearness(name, known string, limit int) int {
	_, leaf, _ := strings.Cut(known, ".")
	typed := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case strings.EqualFold(name, known):
		return 0
	case leaf != "" && strings.EqualFold(typed, leaf):
		return 1
	case max(len(name)-len(known), len(known)-len(name)) >= limit:
		return limit
	}
	return Distance(strings.ToLower(name), strings.ToLower(known))
}

// Distance returns how many bytes have to be inserted, removed, replaced, or swapped
// with the next byte, to turn a into b.
func Distance(a, b string) int {
	var before, last []int // rows of the table: up to i-2 and i-1 bytes of a
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			differs := 1
			if a[i-1] == b[j-1] {
				differs = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
