package config

import (
	"strings"

	"github.com/spf13/viper"
)

// precedence returns, for every key, the value of the source that wins: flag, environment,
// file or default. Viper only carries the values with their places. Its own readers of
// files and of the environment would fold case and guess types.
func precedence(line *commandLine, env, file map[string]value) map[string]value {
	v := viper.New()
	for _, source := range []map[string]value{file, env} {
		for path, val := range source {
			// Merging one key cannot fail. A value of a later source replaces the earlier.
			_ = v.MergeConfigMap(nested(path, val))
		}
	}
	winners := make(map[string]value, len(keys))
	for i := range keys {
		k := &keys[i]
		v.SetDefault(k.path, value{text: k.value, from: origin{name: "default"}})
		_ = v.BindFlagValue(k.path, line.flags[k.path]) // BindFlagValue fails only for nil
		switch x := v.Get(k.path).(type) {
		case value:
			winners[k.path] = x
		case string: // viper has asked the flag for its text
			winners[k.path] = value{text: x, from: line.flags[k.path].origin()}
		}
	}
	return winners
}

// nested returns the value within its section, in the shape that viper merges.
func nested(path string, v value) map[string]any {
	if section, name, ok := strings.Cut(path, "."); ok {
		return map[string]any{section: map[string]any{name: v}}
	}
	return map[string]any{path: v}
}
