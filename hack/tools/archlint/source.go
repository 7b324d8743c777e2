// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/types"
	"iter"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// module is the path of the module that the rules are about.
const module = "github.com/rostra-dev/rostra"

// room is the path of a package inside the module, for example "internal/rota"; "." is the root. The external
// tests of a package, and the program that go test makes to run them, are in the same room. The second result is
// false for packages of other modules.
func room(packagePath string) (string, bool) {
	path := strings.TrimSuffix(strings.TrimSuffix(packagePath, ".test"), "_test")
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// within tells whether a room is one of the given folders or below one.
func within(room string, folders ...string) bool {
	for _, folder := range folders {
		if room == folder || strings.HasPrefix(room, folder+"/") {
			return true
		}
	}
	return false
}

// production gives the files of the package that are written by hand and are no tests; none for a package that is not
// in the binary.
func production(pass *analysis.Pass) iter.Seq[*ast.File] {
	return func(yield func(*ast.File) bool) {
		if here, ok := room(pass.Pkg.Path()); ok && within(here, "hack", "test", adapters+"/"+conformance) {
			return
		}
		for _, file := range pass.Files {
			if isTest(pass, file) || ast.IsGenerated(file) {
				continue
			}
			if !yield(file) {
				return
			}
		}
	}
}

func isTest(pass *analysis.Pass, file *ast.File) bool {
	return strings.HasSuffix(pass.Fset.Position(file.FileStart).Filename, "_test.go")
}

// callee gives the package path and the name of the function or method that a call names; both are empty for a
// conversion, a builtin or a function value.
func callee(pass *analysis.Pass, call *ast.CallExpr) (packagePath, name string) {
	function, ok := typeutil.Callee(pass.TypesInfo, call).(*types.Func)
	if !ok || function.Pkg() == nil {
		return "", ""
	}
	return function.Pkg().Path(), function.Name()
}

// isNamed tells whether a type, or what it points to, is the named type of that package.
func isNamed(t types.Type, packagePath, name string) bool {
	object := namedObject(t)
	return object != nil && object.Pkg() != nil && object.Pkg().Path() == packagePath && object.Name() == name
}

// namedObject gives the declaration of a named type or of what it points to, or nil.
func namedObject(t types.Type) *types.TypeName {
	if t == nil {
		return nil
	}
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj()
	}
	return nil
}

// isConstant tells whether the value of an expression is known when it is compiled, or is nil.
func isConstant(pass *analysis.Pass, expression ast.Expr) bool {
	value := pass.TypesInfo.Types[expression]
	return value.Value != nil || value.IsNil()
}

// unconverted strips parentheses and conversions: string(x) and (x) are x.
func unconverted(pass *analysis.Pass, expression ast.Expr) ast.Expr {
	for {
		expression = ast.Unparen(expression)
		call, ok := expression.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !pass.TypesInfo.Types[call.Fun].IsType() {
			return expression
		}
		expression = call.Args[0]
	}
}
