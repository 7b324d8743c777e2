// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	// MaxCost bounds what one rule may cost on one event, in CEL's own units. A
	// regular expression of the longest rule over the longest text is within it.
	MaxCost = 500_000
	// maxRule bounds a rule, in bytes; see the schema.
	maxRule = 1024
	// maxMistakes is how many mistakes of one rule are told.
	maxMistakes = 3
)

// rule is a compiled rule. Without a program it cannot be used and matches
// nothing.
type rule struct {
	name    string
	program cel.Program
	known   map[string]variable
}

// compile makes the rules of a route ready to be asked. Those that cannot be
// used are problems.
func compile(specs []v1alpha1.EscalationRule) (rules []rule, problems []Problem) {
	if len(specs) == 0 {
		return nil, nil
	}
	environment, err := newEnvironment()
	if err != nil {
		return nil, []Problem{{Reason: v1alpha1.ReasonRuleInvalid, Message: fmt.Sprintf("no rule can be compiled: %v", err)}}
	}
	taken := takenBy{written: map[string]string{}}
	for i := range specs {
		spec := &specs[i]
		program, mistake := environment.compile(spec.When)
		rules = append(rules, rule{name: spec.Name, program: program, known: environment.known})
		if mistake != "" {
			problems = append(problems, Problem{Reason: v1alpha1.ReasonRuleInvalid, Message: fmt.Sprintf(
				"rule %s cannot be used and matches nothing: %s", short(spec.Name), mistake)})
			continue
		}
		if idle := taken.note(spec, program); idle != "" {
			problems = append(problems, Problem{Reason: v1alpha1.ReasonRuleNeverApplies, Message: fmt.Sprintf(
				"rule %s never applies, so nobody is told by its steps: %s", short(spec.Name), idle)})
		}
	}
	return rules, problems
}

// takenBy finds rules that come too late.
type takenBy struct {
	// everything is the rule that takes every event.
	everything string
	// written names rules by what they say.
	written map[string]string
}

// note says why a rule never applies, or nothing.
func (t *takenBy) note(spec *v1alpha1.EscalationRule, program cel.Program) string {
	when := strings.TrimSpace(spec.When)
	same, twice := t.written[when]
	t.written[when] = spec.Name
	if t.everything != "" {
		return fmt.Sprintf("rule %s before it takes every event; move it below", short(t.everything))
	}
	// Where the answer does not depend on the event, there is one without it.
	if out, _, err := program.Eval(cel.NoVars()); err == nil {
		if out != types.True {
			return "its condition is false for every event; correct it or take it out"
		}
		t.everything = spec.Name
		return ""
	}
	if twice {
		return fmt.Sprintf("rule %s before it has the same condition; take one of them out", short(same))
	}
	return ""
}

// compile makes one rule ready, or says what is wrong with it.
func (e *environment) compile(when string) (program cel.Program, mistake string) {
	if len(when) > maxRule {
		return nil, fmt.Sprintf("it has more than %d bytes: split it into several rules", maxRule)
	}
	ast, issues := e.Compile(when)
	if issues.Err() != nil {
		return nil, describe(when, issues.Errors())
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Sprintf("it must be true or false, and is of type %s: compare it with something, for example event.kind == 'Reply'", ast.OutputType())
	}
	cost, err := e.EstimateCost(ast, e)
	if err != nil {
		return nil, fmt.Sprintf("what it costs cannot be told (%v): write it simpler", err)
	}
	if cost.Max > MaxCost {
		return nil, fmt.Sprintf("on the longest text it may cost %d, and %d is the limit: use fewer or shorter regular expressions, and no loop over a text",
			cost.Max, uint64(MaxCost))
	}
	program, err = e.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost))
	if err != nil {
		return nil, fmt.Sprintf("it cannot be run: %s", short(err.Error()))
	}
	return program, ""
}

// describe says where a rule is wrong, and how.
func describe(when string, mistakes []*common.Error) string {
	lines := strings.Split(when, "\n")
	var said []string
	for _, mistake := range mistakes[:min(len(mistakes), maxMistakes)] {
		line, column := mistake.Location.Line(), mistake.Location.Column()
		place := fmt.Sprintf("character %d", column+1)
		if len(lines) > 1 {
			place = fmt.Sprintf("line %d, %s", line, place)
		}
		said = append(said, place+": "+words(mistake.Message, from(lines, line, column)))
	}
	if more := len(mistakes) - len(said); more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, "; ")
}

// from gives what a rule says from a place on; empty where there is no such
// place. Lines count from 1, characters from 0.
func from(lines []string, line, column int) string {
	if line < 1 || line > len(lines) {
		return ""
	}
	letters := []rune(lines[line-1])
	if column < 0 || column > len(letters) {
		return ""
	}
	return string(letters[column:])
}

// words turns a message of the compiler's, about what a rule says from some
// place on, into one for people.
func words(message, written string) string {
	if found := regexp.MustCompile(`^undeclared reference to '([^']*)'`).FindStringSubmatch(message); found != nil {
		return unknown(found[1], written)
	}
	if found := regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'`).FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("%s cannot be done with %s", strings.Trim(found[1], "_"), short(found[2]))
	}
	if strings.Contains(message, "<EOF>") {
		return "the expression ends too soon, or something stands there that has no meaning"
	}
	return short(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, message))
}

// unknown says that a name is not known, and which are.
func unknown(name, written string) string {
	if strings.HasPrefix(written, "(") {
		return fmt.Sprintf("%s is no function that a rule may use", short(name))
	}
	if whole := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*`).FindString(written); strings.HasPrefix(whole, name+".") {
		name = whole
	}
	if slices.Contains(Names(), name) {
		return fmt.Sprintf("ask for %s itself, without has(): what a platform does not tell is empty", name)
	}
	return fmt.Sprintf("%s is not known; known are %s", short(name), strings.Join(similar(name), ", "))
}

// Match finds the first rule that an event matches: its place in the route's
// spec, or DefaultSteps. A rule that fails on the event does not match, and is
// a problem. The message quotes nothing of the event, which is a stranger's.
func (r *Route) Match(subject *Subject) (at int, problems []Problem) {
	for i := range r.rules {
		matches, mistake := r.rules[i].matches(subject)
		if mistake != "" {
			problems = append(problems, Problem{Reason: v1alpha1.ReasonRuleInvalid, Warning: true, Message: fmt.Sprintf(
				"rule %s failed on the event and does not match it: %s", short(r.rules[i].name), mistake)})
		}
		if matches {
			return i, problems
		}
	}
	return DefaultSteps, problems
}

func (r *rule) matches(subject *Subject) (matches bool, mistake string) {
	if r.program == nil {
		return false, ""
	}
	out, _, err := r.program.Eval(looking{subject, r.known})
	switch {
	case err == nil:
		return out == types.True, ""
	case strings.Contains(err.Error(), "cost limit exceeded"):
		return false, "it costs too much; write it simpler"
	}
	return false, "guard what may fail, such as a number read from a text, or an index"
}
