package config

import (
	"fmt"

	"github.com/netconnectd/netconnectd/internal/secret"
	"github.com/netconnectd/netconnectd/internal/shown"
)

// Values returns the settings in force and where they come from, such as
// "ap.channel: 6 (line 7)", and how much the section network declares. A secret is
// redacted. If something is wrong with the file, or the file was tried and not confirmed, the
// settings are those of the kept copy. Without a copy, they are those of the file.
func Values(args, environ []string) ([]string, error) {
	line, err := parseFlags(args)
	if err != nil {
		return nil, err
	}
	var r report // Load reports the same problems
	env := readEnviron(environ, &r)
	path, named := line.path(env)
	file, err := readFile(path, named, &r)
	settle(line, env.values, file.contents, &r)
	asRead := Config{File: file.path, Text: secret.New(string(file.text)), UCI: file.uci, keptIn: stateDir(line, environ)}
	if err != nil || len(r.problems) > 0 || asRead.Unconfirmed(path) != nil {
		if before, keptErr := readKept(asRead.keptIn, path, &r); keptErr == nil {
			file, err = before, nil
		}
	}
	winners := precedence(line, env.values, file.values)
	var list []string
	for i := range keys {
		v := winners[keys[i].path]
		text := shown.Text(v.text)
		if keys[i].secret && v.text != "" {
			text = "[redacted]"
		}
		list = append(list, keys[i].path+": "+text+" ("+v.from.String()+")")
	}
	if n := file.network; !n.IsZero() {
		list = append(list, fmt.Sprintf("%s: %d devices, %d interfaces, %d routes, %d rules, %d neighbours",
			networkSection, len(n.Devices), len(n.Interfaces), len(n.Routes), len(n.Rules), len(n.Neighbours)))
	}
	return list, err
}
