// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"

	"golang.org/x/tools/go/analysis"
)

func constantTime() *analysis.Analyzer {
	names := secretNames{
		secret: regexp.MustCompile(`(?i)(signature|hmac|token|secret|password|passphrase)s?$|^(mac|sig)$|[a-z](MAC|Mac|Sig)$`),
		// These are no secrets: where a list goes on, and what a parser reads.
		public: regexp.MustCompile(`(?i)(page|next|continue|sync)token$`),
	}
	return &analysis.Analyzer{
		Name: "constanttime",
		Doc:  "signatures and secrets are compared in constant time",
		Run: func(pass *analysis.Pass) (any, error) {
			for file := range production(pass) {
				ast.Inspect(file, func(node ast.Node) bool {
					checkConstantTime(pass, names, node)
					return true
				})
			}
			return nil, nil
		},
	}
}

// secretNames tells by its name what holds a secret.
type secretNames struct{ secret, public *regexp.Regexp }

func (n secretNames) match(name string) bool {
	return n.secret.MatchString(name) && !n.public.MatchString(name)
}

func checkConstantTime(pass *analysis.Pass, names secretNames, node ast.Node) {
	x, y := compared(pass, node)
	if x == nil || y == nil || isConstant(pass, x) || isConstant(pass, y) {
		return
	}
	if !isText(pass.TypesInfo.TypeOf(x)) {
		return
	}
	for _, operand := range []ast.Expr{x, y} {
		if name := nameOf(pass, operand); names.match(name) {
			pass.Reportf(node.Pos(), "%s is compared byte by byte, which tells how much of it was right: use hmac.Equal or subtle.ConstantTimeCompare", name)
			return
		}
	}
}

// compared gives the two operands of a comparison that stops at the first difference.
func compared(pass *analysis.Pass, node ast.Node) (x, y ast.Expr) {
	switch node := node.(type) {
	case *ast.BinaryExpr:
		if node.Op == token.EQL || node.Op == token.NEQ {
			return node.X, node.Y
		}
	case *ast.CallExpr:
		packagePath, name := callee(pass, node)
		switch packagePath + "." + name {
		case "bytes.Equal", "bytes.Compare", "strings.Compare", "strings.EqualFold", "slices.Equal", "slices.Compare", "reflect.DeepEqual":
			if len(node.Args) == 2 {
				return node.Args[0], node.Args[1]
			}
		}
	}
	return nil, nil
}

// isText tells whether values of a type are strings or bytes.
func isText(t types.Type) bool {
	if t == nil {
		return false
	}
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Info()&types.IsString != 0
	case *types.Slice:
		return types.Identical(t.Elem().Underlying(), types.Typ[types.Byte])
	case *types.Array:
		return types.Identical(t.Elem().Underlying(), types.Typ[types.Byte])
	}
	return false
}

// nameOf gives the last name in an expression: of request.Header.signature, "signature". It looks through
// conversions, and through calls that only give the same content in another form.
func nameOf(pass *analysis.Pass, expression ast.Expr) string {
	switch expression := unconverted(pass, expression).(type) {
	case *ast.Ident:
		return expression.Name
	case *ast.SelectorExpr:
		return expression.Sel.Name
	case *ast.IndexExpr:
		return nameOf(pass, expression.X)
	case *ast.SliceExpr:
		return nameOf(pass, expression.X)
	case *ast.StarExpr:
		return nameOf(pass, expression.X)
	case *ast.CallExpr:
		return nameOfCall(pass, expression)
	}
	return ""
}

func nameOfCall(pass *analysis.Pass, call *ast.CallExpr) string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nameOf(pass, call.Fun)
	}
	switch method.Sel.Name {
	case "Reveal", "String", "Bytes", "Sum":
		return nameOf(pass, method.X)
	case "EncodeToString", "TrimSpace", "TrimPrefix", "ToLower":
		if len(call.Args) > 0 {
			return nameOf(pass, call.Args[0])
		}
	}
	return method.Sel.Name
}
