// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"strings"

	"golang.org/x/tools/go/analysis"
)

func secretWatch() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "secretwatch",
		Doc:  "Secrets are watched by their metadata: a full watch would keep every Secret of the cluster in memory",
		Run: func(pass *analysis.Pass) (any, error) {
			for file := range production(pass) {
				ast.Inspect(file, func(node ast.Node) bool {
					if call, ok := node.(*ast.CallExpr); ok {
						checkSecretWatch(pass, call)
					}
					return true
				})
			}
			return nil, nil
		},
	}
}

func checkSecretWatch(pass *analysis.Pass, call *ast.CallExpr) {
	packagePath, name := callee(pass, call)
	if !strings.HasPrefix(packagePath, "sigs.k8s.io/controller-runtime/pkg/") || !startsInformer(name) {
		return
	}
	var secret ast.Expr
	for _, argument := range call.Args {
		if isOnlyMetadata(pass, argument) {
			return
		}
		if isNamed(pass.TypesInfo.TypeOf(argument), "k8s.io/api/core/v1", "Secret") {
			secret = argument
		}
	}
	if secret != nil {
		pass.Reportf(secret.Pos(), "%s keeps every Secret of the cluster in memory: watch metadata (builder.OnlyMetadata or WatchesMetadata) and read the one that is needed", name)
	}
}

// startsInformer tells whether a method of controller-runtime makes the cache list and watch the kind it is given.
func startsInformer(name string) bool {
	switch name {
	case "For", "Owns", "Watches", "Kind", "GetInformer", "IndexField":
		return true
	}
	return false
}

func isOnlyMetadata(pass *analysis.Pass, expression ast.Expr) bool {
	selector, ok := ast.Unparen(expression).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	object := pass.TypesInfo.Uses[selector.Sel]
	return object != nil && object.Pkg() != nil && object.Name() == "OnlyMetadata" &&
		object.Pkg().Path() == "sigs.k8s.io/controller-runtime/pkg/builder"
}
