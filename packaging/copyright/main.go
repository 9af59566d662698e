// Command copyright writes the packages' copyright file, in Debian's
// machine-readable format (DEP-5), to standard output. It reads what is
// compiled into the programs from standard input, a line for each module: its
// path, a space, and the folder of its source. A module without a licence that
// is known here is an error, so that nothing gets into a package unseen.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const head = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: netconnectd
Source: https://github.com/netconnectd/netconnectd
Comment: The programs have the modules below compiled in. Their folders are
 those that "go mod vendor" gives them; vendor/go stands for Go's own runtime
 and library.

Files: *
Copyright: the netconnectd authors
License: Apache-2.0
`

// The text that all Debian machines have is not repeated.
const foot = `
License: Apache-2.0
 The full text is in /usr/share/common-licenses/Apache-2.0.
`

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "copyright:", err)
		os.Exit(1)
	}
}

func run(list io.Reader, out io.Writer) error {
	var modules []*module
	for lines := bufio.NewScanner(list); lines.Scan(); {
		path, folder, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			return fmt.Errorf("read list of modules: %q is no path and folder", lines.Text())
		}
		m, err := readModule(path, folder)
		if err != nil {
			return fmt.Errorf("read licence of %s: %w", path, err)
		}
		modules = append(modules, m)
	}
	if len(modules) == 0 {
		return fmt.Errorf("read list of modules: there is none")
	}
	slices.SortFunc(modules, func(a, b *module) int { return strings.Compare(a.path, b.path) })
	if _, err := io.WriteString(out, head); err != nil {
		return err
	}
	for _, m := range modules {
		if _, err := io.WriteString(out, m.paragraph()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, foot)
	return err
}
