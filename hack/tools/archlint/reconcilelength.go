// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
)

// maxReconcileLines counts from "func" to the closing brace. funlen keeps every other function under 80, but
// cannot have another limit for one name.
const maxReconcileLines = 60

func reconcileLength() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "reconcilelength",
		Doc:  "a Reconcile method has at most 60 lines: it reads as a list of bindings",
		Run: func(pass *analysis.Pass) (any, error) {
			for file := range production(pass) {
				for _, declaration := range file.Decls {
					checkReconcileLength(pass, declaration)
				}
			}
			return nil, nil
		},
	}
}

func checkReconcileLength(pass *analysis.Pass, declaration ast.Decl) {
	method, ok := declaration.(*ast.FuncDecl)
	if !ok || method.Recv == nil || method.Name.Name != "Reconcile" {
		return
	}
	lines := pass.Fset.Position(method.End()).Line - pass.Fset.Position(method.Pos()).Line + 1
	if lines > maxReconcileLines {
		pass.Reportf(method.Name.Pos(), "Reconcile has %d lines and may have %d: move each concern to a function in its own file",
			lines, maxReconcileLines)
	}
}
