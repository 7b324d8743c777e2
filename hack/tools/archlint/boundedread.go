// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

func boundedRead() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "boundedread",
		Doc:  "what comes from outside is read up to a limit",
		Run: func(pass *analysis.Pass) (any, error) {
			for file := range production(pass) {
				for _, declaration := range file.Decls {
					checkBoundedReads(pass, declaration)
				}
			}
			return nil, nil
		},
	}
}

// checkBoundedReads looks at one declaration as a whole: a limit set in a function holds for the rest of it.
func checkBoundedReads(pass *analysis.Pass, declaration ast.Decl) {
	limited := limitedIn(pass, declaration)
	ast.Inspect(declaration, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		source, whole := readFrom(pass, call)
		if source == nil || isLimited(pass, source) || limited[types.ExprString(source)] {
			return true
		}
		if whole || isBody(pass, source) {
			pass.Reportf(call.Pos(), "%s is read without a limit: wrap it in io.LimitReader, or in http.MaxBytesReader for a request", types.ExprString(source))
		}
		return true
	})
}

// readFrom gives what a call reads from. whole is true where it reads to the end into memory, whatever the source;
// the others matter only for a body that somebody else sends.
func readFrom(pass *analysis.Pass, call *ast.CallExpr) (source ast.Expr, whole bool) {
	packagePath, name := callee(pass, call)
	switch packagePath + "." + name {
	case "io.ReadAll", "io/ioutil.ReadAll":
		return call.Args[0], true
	case "encoding/json.NewDecoder", "encoding/xml.NewDecoder", "bufio.NewReader", "bufio.NewScanner", "bytes.ReadFrom":
		return call.Args[0], false
	case "io.Copy":
		return call.Args[1], false
	}
	return nil, false
}

// isLimited tells whether an expression is bounded by itself: a limit, or something that is in memory already.
func isLimited(pass *analysis.Pass, expression ast.Expr) bool {
	if call, ok := ast.Unparen(expression).(*ast.CallExpr); ok {
		switch packagePath, name := callee(pass, call); packagePath + "." + name {
		case "io.LimitReader", "net/http.MaxBytesReader":
			return true
		}
	}
	t := pass.TypesInfo.TypeOf(expression)
	return isNamed(t, "io", "LimitedReader") || isNamed(t, "io", "SectionReader") ||
		isNamed(t, "bytes", "Reader") || isNamed(t, "bytes", "Buffer") || isNamed(t, "strings", "Reader")
}

// limitedIn gives, as written, the variables and fields that the declaration assigns a limited reader to.
func limitedIn(pass *analysis.Pass, declaration ast.Decl) map[string]bool {
	limited := map[string]bool{}
	ast.Inspect(declaration, func(node ast.Node) bool {
		assignment, ok := node.(*ast.AssignStmt)
		if !ok || len(assignment.Lhs) != len(assignment.Rhs) {
			return true
		}
		for i, value := range assignment.Rhs {
			if isLimited(pass, value) {
				limited[types.ExprString(assignment.Lhs[i])] = true
			}
		}
		return true
	})
	return limited
}

// isBody tells whether an expression is the body of a request or a response of net/http.
func isBody(pass *analysis.Pass, expression ast.Expr) bool {
	selector, ok := ast.Unparen(expression).(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Body" {
		return false
	}
	t := pass.TypesInfo.TypeOf(selector.X)
	return isNamed(t, "net/http", "Request") || isNamed(t, "net/http", "Response")
}
