package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	expat = "Permission is hereby granted, free of charge, to any\nperson obtaining a copy"
	bsd2  = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted provided that the following conditions are met:"
	bsd3  = bsd2 + "\n\nNeither the name of it may be used to endorse\nor promote products derived from this software without specific prior\nwritten permission."
)

// source makes a module's folder with these files.
func source(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestParagraph(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string // after the line with the folder
		wrong string // the error's end
	}{
		{
			name:  "one holder, text in full",
			files: map[string]string{"LICENSE.md": "MIT License\n\nCopyright (c) 2020 Ada\n\n" + expat + "\n"},
			want: "Copyright:\n Copyright (c) 2020 Ada\nLicense: Expat\n MIT License\n .\n Copyright (c) 2020 Ada\n .\n" +
				" Permission is hereby granted, free of charge, to any\n person obtaining a copy\n",
		},
		{
			name:  "Apache, whose text every machine has, with a notice to pass on",
			files: map[string]string{"LICENSE": "Apache License\n   Version 2.0, January 2004\n   Copyright [yyyy] [name]", "NOTICE": "Copyright 2018 Corp\n\nThanks."},
			want:  "Copyright:\n Copyright 2018 Corp\nComment:\n Copyright 2018 Corp\n .\n Thanks.\nLicense: Apache-2.0\n",
		},
		{
			name:  "nobody named",
			files: map[string]string{"COPYING": bsd2},
			want:  "Copyright:\n the authors of example.org/m\nLicense: BSD-2-clause\n " + strings.ReplaceAll(bsd2, "\n", "\n ") + "\n",
		},
		{
			name:  "three clauses are not two",
			files: map[string]string{"licence": bsd3},
			want: "Copyright:\n the authors of example.org/m\nLicense: BSD-3-clause\n " +
				strings.ReplaceAll(strings.ReplaceAll(bsd3, "\n\n", "\n.\n"), "\n", "\n ") + "\n",
		},
		{
			name:  "two licences",
			files: map[string]string{"LICENSE": expat + "\nLicensed under the Apache License, Version 2.0"},
			want: "Copyright:\n the authors of example.org/m\nLicense: Apache-2.0 and Expat\n " + strings.ReplaceAll(expat, "\n", "\n ") +
				"\n Licensed under the Apache License, Version 2.0\n",
		},
		{name: "no licence", files: map[string]string{"README": expat}, wrong: "no file LICENSE or COPYING is in "},
		{name: "another licence", files: map[string]string{"LICENSE": "All rights reserved."}, wrong: " has one that is not known: add it to licences"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := readModule("example.org/m", source(t, test.files))
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("error %v, want …%s", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := m.paragraph(), "\nFiles: vendor/example.org/m/*\n"+test.want; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	folder := source(t, map[string]string{"LICENSE": expat})
	var out strings.Builder
	if err := run(strings.NewReader("b.org/m "+folder+"\na.org/m "+folder+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	if a, b := strings.Index(out.String(), "vendor/a.org/m/*"), strings.Index(out.String(), "vendor/b.org/m/*"); a < 0 || b < a {
		t.Errorf("the modules are not there in order of their names:\n%s", out.String())
	}
	for _, list := range []string{"", "a.org/m\n", "a.org/m " + t.TempDir() + "\n"} {
		if err := run(strings.NewReader(list), &out); err == nil {
			t.Errorf("the list %q is taken", list)
		}
	}
}
