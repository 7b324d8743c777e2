// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"errors"
	"fmt"
	"math"
	"regexp/syntax"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

const (
	// MaxCost bounds what one rule may cost on one event, in CEL's own units. A
	// list of 140 words that fills the longest rule, over the longest text, is
	// within it.
	MaxCost = 500_000
	// MaxRouteCost bounds what all rules of a route may cost on one event: about a
	// tenth of a second, if a stranger knows the rules and fills the longest text.
	MaxRouteCost = 550_000
	// workOfCost is how many steps of a regular expression cost as much as one of
	// CEL's units.
	workOfCost = 16
)

// meter knows what one rule costs. CEL itself takes a regular expression by its
// length, which says nothing of one such as a{1000}.
type meter struct {
	known map[string]variable
	// patterns are the regular expressions of the rule.
	patterns map[string]pattern
}

// readPatterns reads the regular expressions of a rule, before anything is made
// of them. It says what is wrong with one, and of which expression of the rule.
func (m *meter) readPatterns(rule *ast.AST) (mistake string, at int64) {
	written := uint64(0)
	ast.PreOrderVisit(rule.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if mistake != "" || e.Kind() != ast.CallKind || e.AsCall().FunctionName() != overloads.Matches {
			return
		}
		arguments := e.AsCall().Args()
		last := arguments[len(arguments)-1]
		at = last.ID()
		expression, ok := literal(last)
		if !ok {
			mistake = "what a text is matched against must be written in the rule itself, as one text: a regular expression from elsewhere may take for ever"
			return
		}
		read, err := weigh(expression)
		if err != nil {
			mistake = "the regular expression cannot be read: " + parserWords(err)
			return
		}
		m.patterns[expression] = read
		if written += read.size; written > maxWritten {
			mistake = fmt.Sprintf("the regular expression writes out to %d steps, and %d is the limit of a rule; use smaller {…}, and fewer classes such as \\pL", written, maxWritten)
		}
	}))
	return mistake, at
}

// literal gives what a text that is written in a rule says.
func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

// parserWords say what is wrong with a regular expression.
func parserWords(err error) string {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return printable(err.Error())
	}
	return printable(wrong.Code.String() + ": " + wrong.Expr)
}

// cost is the most that a rule may cost on one event.
func (m *meter) cost(environment *cel.Env, rule *cel.Ast) (uint64, error) {
	cost, err := environment.EstimateCost(rule, m)
	return cost.Max, err
}

// EstimateSize implements checker.CostEstimator: a stranger's text is as long
// as it can be.
func (m *meter) EstimateSize(node checker.AstNode) *checker.SizeEstimate {
	path := node.Path()
	if len(path) != 1 {
		return nil
	}
	known, ok := m.known[path[0]]
	if !ok || known.size == 0 {
		return nil
	}
	return &checker.SizeEstimate{Min: 0, Max: known.size}
}

// EstimateCallCost implements checker.CostEstimator: a regular expression costs
// what it works at each letter of the text. What the language's other functions
// cost is known there.
func (m *meter) EstimateCallCost(function, _ string, target *checker.AstNode, args []checker.AstNode) *checker.CallEstimate { //nolint:gocritic // ptrToRefParam: the interface has it so
	if function != overloads.Matches || len(args) == 0 {
		return nil
	}
	text := args[0]
	if target != nil {
		text = *target
	}
	expression, _ := literal(args[len(args)-1].Expr())
	read, ok := m.patterns[expression]
	size := text.ComputedSize()
	if !ok || size == nil {
		return &checker.CallEstimate{CostEstimate: checker.UnknownCostEstimate()}
	}
	return &checker.CallEstimate{CostEstimate: size.Add(checker.FixedSizeEstimate(1)).MultiplyByCostFactor(float64(read.work) / workOfCost)}
}

// CallCost implements interpreter.ActualCostEstimator: the same, of the text
// that is there.
func (m *meter) CallCost(function, _ string, args []ref.Val, _ ref.Val) *uint64 {
	if function != overloads.Matches || len(args) != 2 {
		return nil
	}
	expression, _ := args[1].(types.String)
	read, ok := m.patterns[string(expression)]
	text, sized := args[0].(traits.Sizer)
	if !ok || !sized {
		return nil
	}
	letters, ok := text.Size().(types.Int)
	if !ok {
		return nil
	}
	return new(uint64(math.Ceil(float64(letters+1) * float64(read.work) / workOfCost)))
}
