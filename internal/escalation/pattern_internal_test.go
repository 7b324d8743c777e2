// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"regexp/syntax"
	"strings"
	"testing"
)

// FuzzWeigh: whatever an expression is, what is made of it has no more steps
// than were counted before it was written out.
func FuzzWeigh(f *testing.F) {
	for _, expression := range []string{
		"", "refund|chargeback", "(?i)refund", "a{0,1000}", "(a?){1000}", "(a{3,}b{2,5}){7}", "()", "(()){100}", `\pL{10}`, `\b(smoke|fire)`, "^a*?$", "(?:|a){9}",
		"[^a-y]+", `(?s).{40}`, "a{0}", "(ab|c){0,0}", "(((((a?){5})?){5})?){5}", strings.Repeat("(", 40) + strings.Repeat(")", 40), "a**", "(?U)a{2,3}", `\x{10FFFF}{3}`,
	} {
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if len(expression) > maxRule {
			return
		}
		counted, err := weigh(expression)
		if err != nil || counted.size > maxWritten {
			return
		}
		read, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		made, err := syntax.Compile(read.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		// A step of a class or of nothing may come to two, and each program begins
		// and ends.
		if limit := 2*int(counted.size) + 4; len(made.Inst) > limit {
			t.Errorf("%q has %d steps, and %d were counted", expression, len(made.Inst), counted.size)
		}
	})
}
