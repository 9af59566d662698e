package config

import (
	"slices"
	"strings"

	"github.com/netconnectd/netconnectd/internal/shown"
)

// environment has the values of the NETCONNECTD_ variables.
type environment struct {
	values map[string]value // by the key's path
	file   string           // NETCONNECTD_CONFIG
}

// readEnviron reads the variables of settings. An empty variable counts as absent, because
// units and shells switch a variable off by making it empty.
func readEnviron(environ []string, r *report) environment {
	env := environment{values: make(map[string]value)}
	byName := make(map[string]*key, len(keys))
	names := []string{envFile}
	for i := range keys {
		byName[keys[i].env()] = &keys[i]
		names = append(names, keys[i].env())
	}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || text == "" {
			continue
		}
		k := byName[name]
		switch {
		case name == envFile:
			env.file = text
		case k != nil:
			v := value{text: text, from: origin{name: name}}
			k.check(v, r)
			env.values[k.path] = v
		default:
			r.warning(shown.Text(name), origin{}, "is not a variable of netconnectd, ignored%s", didYouMean(name, names))
		}
	}
	return env
}
