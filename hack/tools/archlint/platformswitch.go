// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

const (
	platformType = "SocialPlatformType"
	platformSpec = "SocialPlatformSpec"

	askThePort = "ask the adapter through internal/platform (a capability, a failure class or a value)"
)

func platformSwitch() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "platformswitch",
		Doc:  "what depends on the kind of platform is decided by the registry in the root package, nowhere else",
		Run: func(pass *analysis.Pass) (any, error) {
			here, ok := room(pass.Pkg.Path())
			if !ok || here == "." || within(here, "api") {
				return nil, nil
			}
			for file := range production(pass) {
				ast.Inspect(file, func(node ast.Node) bool {
					checkPlatformSwitch(pass, node)
					return true
				})
			}
			return nil, nil
		},
	}
}

func checkPlatformSwitch(pass *analysis.Pass, node ast.Node) {
	switch node := node.(type) {
	case *ast.SwitchStmt:
		if node.Tag != nil && isPlatformType(pass, node.Tag) {
			pass.Reportf(node.Pos(), "switch on the platform's type outside the registry: %s", askThePort)
		}
	case *ast.BinaryExpr:
		if comparesPlatformType(pass, node) {
			pass.Reportf(node.Pos(), "the platform's type is compared with a constant outside the registry: %s", askThePort)
		}
	case *ast.CompositeLit:
		if isPlatformTable(pass, node) {
			pass.Reportf(node.Pos(), "a table by the platform's type outside the registry is a switch in disguise: %s", askThePort)
		}
	case *ast.SelectorExpr:
		if isPlatformBlock(pass, node) {
			pass.Reportf(node.Sel.Pos(), "the block %s of one platform is read outside the registry: %s", node.Sel.Name, askThePort)
		}
	}
}

// inAPI tells whether a type is declared in one of the module's API packages.
func inAPI(object *types.TypeName) bool {
	if object == nil || object.Pkg() == nil {
		return false
	}
	declared, ok := room(object.Pkg().Path())
	return ok && within(declared, "api")
}

func isPlatformTypeName(t types.Type) bool {
	object := namedObject(t)
	return inAPI(object) && object.Name() == platformType
}

func isPlatformType(pass *analysis.Pass, expression ast.Expr) bool {
	return isPlatformTypeName(pass.TypesInfo.TypeOf(unconverted(pass, expression)))
}

// comparesPlatformType leaves out comparisons of two variables (has it changed?) and with the empty string.
func comparesPlatformType(pass *analysis.Pass, comparison *ast.BinaryExpr) bool {
	if comparison.Op != token.EQL && comparison.Op != token.NEQ {
		return false
	}
	if !isPlatformType(pass, comparison.X) && !isPlatformType(pass, comparison.Y) {
		return false
	}
	return isNameOfPlatform(pass, comparison.X) || isNameOfPlatform(pass, comparison.Y)
}

func isNameOfPlatform(pass *analysis.Pass, expression ast.Expr) bool {
	value := pass.TypesInfo.Types[expression].Value
	return value != nil && value.ExactString() != `""`
}

func isPlatformTable(pass *analysis.Pass, literal *ast.CompositeLit) bool {
	t := pass.TypesInfo.TypeOf(literal)
	if t == nil || len(literal.Elts) == 0 {
		return false
	}
	table, ok := t.Underlying().(*types.Map)
	return ok && isPlatformTypeName(table.Key())
}

// isPlatformBlock tells whether a selector reads the block of one platform (spec.Bluesky, of type BlueskyPlatform).
func isPlatformBlock(pass *analysis.Pass, selector *ast.SelectorExpr) bool {
	selection, ok := pass.TypesInfo.Selections[selector]
	if !ok || selection.Kind() != types.FieldVal {
		return false
	}
	object, block := namedObject(selection.Recv()), namedObject(selection.Type())
	return inAPI(object) && object.Name() == platformSpec && inAPI(block) && block.Name() == selector.Sel.Name+"Platform"
}
