package config

// Diff returns the keys whose values differ, e.g. "ap.channel", in the order of the file,
// and "network" if that section declares something else. The result has no values, so it
// shows no secret.
func Diff(old, new *Config) []string {
	var paths []string
	for i := range keys {
		if keys[i].get(old) != keys[i].get(new) {
			paths = append(paths, keys[i].path)
		}
	}
	if !old.Network.Equal(new.Network) {
		paths = append(paths, networkSection)
	}
	return paths
}
