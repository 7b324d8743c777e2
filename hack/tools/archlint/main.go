// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command archlint checks the rules of the house that no general linter knows: which package may know which
// platform, how long a Reconcile may be, and a few habits that have cost other projects an incident.
//
//	archlint ./...
//
// The rules that a general linter can check are in .golangci.yml. There is no directive that silences archlint:
// an exception is a change of the rule, made here, with its test.
package main

import (
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/multichecker"
)

func main() {
	multichecker.Main(analyzers()...)
}

func analyzers() []*analysis.Analyzer {
	return []*analysis.Analyzer{
		boundedRead(),
		constantTime(),
		logReturn(),
		platformImport(),
		platformSwitch(),
		reconcileLength(),
		secretWatch(),
	}
}
