package migrate

func isYAML(lines []string) bool      { return false }
func (r *reader) netplan(text []byte) {}
