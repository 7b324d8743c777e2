// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

func logReturn() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "logreturn",
		Doc:  "an error is logged or returned, never both: whoever gets it logs it again",
		Run: func(pass *analysis.Pass) (any, error) {
			for file := range production(pass) {
				ast.Inspect(file, func(node ast.Node) bool {
					checkLogReturn(pass, statements(node))
					return true
				})
			}
			return nil, nil
		},
	}
}

// statements gives those that a node holds in a row.
func statements(node ast.Node) []ast.Stmt {
	switch node := node.(type) {
	case *ast.BlockStmt:
		return node.List
	case *ast.CaseClause:
		return node.Body
	case *ast.CommClause:
		return node.Body
	}
	return nil
}

func checkLogReturn(pass *analysis.Pass, list []ast.Stmt) {
	for i, statement := range list {
		for _, logged := range loggedErrors(pass, statement) {
			if returned(pass, list[i+1:], logged) {
				pass.Reportf(statement.Pos(), "%s is logged here and returned below: return it, with what the log line knows wrapped around it",
					logged.Name())
			}
		}
	}
}

// loggedErrors gives the error variables that a statement hands to a logger.
func loggedErrors(pass *analysis.Pass, statement ast.Stmt) []types.Object {
	expression, ok := statement.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, ok := expression.X.(*ast.CallExpr)
	if !ok {
		return nil
	}
	switch packagePath, _ := callee(pass, call); packagePath {
	case "github.com/go-logr/logr", "log/slog", "log", "k8s.io/klog/v2", "go.uber.org/zap":
	default:
		return nil
	}
	var errs []types.Object
	for _, argument := range call.Args {
		if identifier, ok := ast.Unparen(argument).(*ast.Ident); ok {
			if object := pass.TypesInfo.Uses[identifier]; object != nil && isError(object.Type()) {
				errs = append(errs, object)
			}
		}
	}
	return errs
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// returned tells whether one of the statements returns the error, bare or wrapped.
func returned(pass *analysis.Pass, list []ast.Stmt, err types.Object) bool {
	for _, statement := range list {
		result, ok := statement.(*ast.ReturnStmt)
		if !ok {
			continue
		}
		found := false
		ast.Inspect(result, func(node ast.Node) bool {
			identifier, ok := node.(*ast.Ident)
			found = found || ok && pass.TypesInfo.Uses[identifier] == err
			return !found
		})
		if found {
			return true
		}
	}
	return false
}
