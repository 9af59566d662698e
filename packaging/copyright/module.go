package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is what is said of one module.
type module struct {
	path    string
	licence string   // DEP-5's short names
	text    string   // of the licence; empty where the short name says it all
	holders []string // lines that begin with Copyright, as they are
	notice  string   // has to be passed on, section 4 (d) of the Apache License
}

// licences lists for each licence a sentence that only its text contains, with white
// space folded.
var licences = []struct{ name, sentence string }{
	{"Apache-2.0", "Apache License, Version 2.0"},
	{"Apache-2.0", "Apache License Version 2.0, January 2004"},
	{"Expat", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD-3-clause", "may be used to endorse or promote products derived from this software without specific prior written permission"},
	{"BSD-2-clause", "Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met"},
}

var (
	holder = regexp.MustCompile(`(?im)^[ \t]*(copyright (?:\(c\)|©|[0-9]{4}).*?)[ \t]*$`)
	// noHolder is how the Apache License shows where to put one's own name.
	noHolder = "[yyyy]"
)

func readModule(path, folder string) (*module, error) {
	text, err := readNamed(folder, "licen[cs]e*", "copying*")
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, errors.New("no file LICENSE or COPYING is in " + folder)
	}
	notice, err := readNamed(folder, "notice*")
	if err != nil {
		return nil, err
	}
	m := &module{path: path, licence: licence(text), text: text, notice: notice}
	if m.licence == "" {
		return nil, fmt.Errorf("%s has one that is not known: add it to licences", folder)
	}
	if m.licence == "Apache-2.0" {
		m.text = ""
	}
	for _, line := range holder.FindAllStringSubmatch(text+"\n"+notice, -1) {
		if !strings.Contains(line[1], noHolder) {
			m.holders = append(m.holders, line[1])
		}
	}
	return m, nil
}

// readNamed returns the contents of the files that match, in the order of their
// names; upper and lower case are equal.
func readNamed(folder string, patterns ...string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var all []string
	for _, e := range entries {
		for _, pattern := range patterns {
			if ok, _ := filepath.Match(pattern, strings.ToLower(e.Name())); !ok || e.IsDir() {
				continue
			}
			text, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return "", err
			}
			all = append(all, strings.TrimSpace(string(text)))
		}
	}
	return strings.Join(all, "\n\n"), nil
}

// licence returns the short names of the licences in the text, or "".
func licence(text string) string {
	folded := strings.Join(strings.Fields(text), " ")
	var found []string
	for _, l := range licences {
		// The three clauses have the two in them.
		known := slices.Contains(found, l.name) || l.name == "BSD-2-clause" && slices.Contains(found, "BSD-3-clause")
		if !known && strings.Contains(folded, l.sentence) {
			found = append(found, l.name)
		}
	}
	return strings.Join(found, " and ")
}

// paragraph is the module's in the copyright file.
func (m *module) paragraph() string {
	holders := cmp.Or(strings.Join(m.holders, "\n"), "the authors of "+m.path)
	var b strings.Builder
	fmt.Fprintf(&b, "\nFiles: vendor/%s/*\nCopyright:%s", m.path, indented(holders))
	if m.notice != "" {
		b.WriteString("Comment:" + indented(m.notice))
	}
	fmt.Fprintf(&b, "License: %s%s", m.licence, indented(m.text))
	return b.String()
}

// indented is text of several lines as a field's value has it: each line
// behind a space, an empty one as a dot.
func indented(text string) string {
	if text == "" {
		return "\n"
	}
	var b strings.Builder
	b.WriteString("\n")
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if strings.TrimSpace(line) == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
	return b.String()
}
