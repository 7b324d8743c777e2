// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

const (
	adapters = "internal/platform"
	// conformance is the suite that every adapter's tests run; it is no adapter.
	conformance = "conformance"
)

func platformImport() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "platformimport",
		Doc:  "a concrete platform is imported by the root package, test/ and hack/ alone; never by a sibling",
		Run: func(pass *analysis.Pass) (any, error) {
			here, ok := room(pass.Pkg.Path())
			if !ok || here == "." || within(here, "test", "hack") {
				return nil, nil
			}
			for _, file := range pass.Files {
				for _, spec := range file.Imports {
					checkPlatformImport(pass, here, file, spec)
				}
			}
			return nil, nil
		},
	}
}

func checkPlatformImport(pass *analysis.Pass, here string, file *ast.File, spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return // The parser has already refused such a file.
	}
	imported, ok := room(path)
	if !ok {
		return
	}
	other := adapterOf(imported)
	switch {
	case other == "" || other == adapterOf(here):
	case other == conformance && isTest(pass, file):
	case other == conformance:
		pass.Reportf(spec.Pos(), "%s is for tests: import it in a _test.go file", path)
	case adapterOf(here) != "":
		pass.Reportf(spec.Pos(), "platform %s imports its sibling %s: what both need belongs in %s or internal/httpx",
			adapterOf(here), other, adapters)
	default:
		pass.Reportf(spec.Pos(), "%s imports the concrete platform %s: use the ports in %s and let main.go hand the adapter in",
			here, other, adapters)
	}
}

// adapterOf gives the platform that a room belongs to, or nothing: "bluesky" for internal/platform/bluesky/lexicon.
func adapterOf(room string) string {
	below, ok := strings.CutPrefix(room, adapters+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(below, "/")
	return name
}
