package link

// Diff reports how a table became another one: it calls tell(old, nil) for what is gone,
// then, in the order of the new table, tell(nil, new) for what came and
// tell(old, new) for what differs. Objects of one key are one object; where a
// table has several of a key, they are paired in their order.
func Diff[T any, K comparable](before, after []T, key func(*T) K, same func(a, b *T) bool, tell func(before, after *T)) {
	// Mostly a few of many have changed: what surrounds them needs no index.
	for len(before) > 0 && len(after) > 0 && key(&before[0]) == key(&after[0]) && same(&before[0], &after[0]) {
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 {
		b, a := &before[len(before)-1], &after[len(after)-1]
		if key(b) != key(a) || !same(b, a) {
			break
		}
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	partner, gone := pair(before, after, key)
	for _, i := range gone {
		tell(&before[i], nil)
	}
	for i := range after {
		switch p := partner[i]; {
		case p < 0:
			tell(nil, &after[i])
		case !same(&before[p], &after[i]):
			tell(&before[p], &after[i])
		}
	}
}

// pair finds for each object of after the one of before with its key, or -1,
// and those of before that are left over.
func pair[T any, K comparable](before, after []T, key func(*T) K) (partner, gone []int) {
	first := make(map[K]int, len(before)) // the first of a key that has no partner yet
	next := make([]int, len(before))      // the next of the same key, or -1
	for i := len(before) - 1; i >= 0; i-- {
		k := key(&before[i])
		next[i] = -1
		if other, ok := first[k]; ok {
			next[i] = other
		}
		first[k] = i
	}
	partner = make([]int, len(after))
	paired := make([]bool, len(before))
	for i := range after {
		k := key(&after[i])
		p, ok := first[k]
		switch {
		case !ok:
			partner[i] = -1
			continue
		case next[p] >= 0:
			first[k] = next[p]
		default:
			delete(first, k)
		}
		partner[i], paired[p] = p, true
	}
	for i := range before {
		if !paired[i] {
			gone = append(gone, i)
		}
	}
	return partner, gone
}
