// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// TestRules runs each rule over a small copy of the house in testdata. A "want" comment is a finding that must be
// made; any other finding, and any that is missing, fails the test. The packages named good, and the rooms that a
// rule leaves out, have no such comment.
func TestRules(t *testing.T) {
	rooms := []string{
		".",
		"api/v1alpha1",
		"controllers/bad",
		"controllers/good",
		"hack/demo",
		"internal/gateway/bad",
		"internal/gateway/good",
		"internal/platform",
		"internal/platform/bluesky",
		"internal/platform/conformance",
		"internal/platform/mastodon",
		"test/scenarios",
	}
	paths := make([]string, len(rooms))
	for i, room := range rooms {
		paths[i] = module + "/" + room
	}
	paths[0] = module

	// All rules run over all rooms at once, so that a rule that fires where only another should is seen too.
	analysistest.Run(t, analysistest.TestData(), everyRule(), paths...)
}

// everyRule runs all rules as one.
func everyRule() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "archlint",
		Doc:  "all rules",
		Run: func(pass *analysis.Pass) (any, error) {
			for _, analyzer := range analyzers() {
				if _, err := analyzer.Run(pass); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
}

func TestRoom(t *testing.T) {
	for path, want := range map[string]string{
		module:                             ".",
		module + "_test":                   ".",
		module + "/internal/rota":          "internal/rota",
		module + "/internal/rota_test":     "internal/rota",
		module + "/internal/rota.test":     "internal/rota",
		"github.com/rostra-dev/rostrafake": "",
		"k8s.io/api/core/v1":               "",
	} {
		got, ok := room(path)
		if ok != (want != "") || ok && got != want {
			t.Errorf("room(%q) = %q, %t; want %q", path, got, ok, want)
		}
	}
}
