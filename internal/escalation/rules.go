// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation

import (
	"fmt"
	"math"
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
// used are problems. rest is the rule that takes what is left, or DefaultSteps.
func compile(specs []v1alpha1.EscalationRule) (rules []rule, rest int, problems []Problem) {
	rest = DefaultSteps
	if len(specs) == 0 {
		return nil, rest, nil
	}
	environment, err := newEnvironment()
	if err != nil {
		return nil, rest, []Problem{{Reason: v1alpha1.ReasonRuleInvalid, Message: fmt.Sprintf("no rule can be compiled: %v", err)}}
	}
	taken, spent := takenBy{written: map[string]string{}}, uint64(0)
	for i := range specs {
		spec := &specs[i]
		program, cost, mistake := environment.compile(spec.When, spent)
		spent += cost
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
		if rest == DefaultSteps && taken.everything != nil {
			rest = i
		}
	}
	return rules, rest, problems
}

// takenBy finds rules that come too late.
type takenBy struct {
	// everything is the rule that takes every event, or nil.
	everything *v1alpha1.EscalationRule
	// written names rules by what they say.
	written map[string]string
}

// note says why a rule never applies, or nothing.
func (t *takenBy) note(spec *v1alpha1.EscalationRule, program cel.Program) string {
	when := strings.TrimSpace(spec.When)
	same, twice := t.written[when]
	t.written[when] = spec.Name
	if t.everything != nil {
		return fmt.Sprintf("rule %s before it takes every event; move it below", short(t.everything.Name))
	}
	// Where the answer does not depend on the event, there is one without it.
	if out, _, err := program.Eval(cel.NoVars()); err == nil {
		if out != types.True {
			return "its condition is false for every event; correct it or take it out"
		}
		t.everything = spec
		return ""
	}
	if twice {
		return fmt.Sprintf("rule %s before it has the same condition; take one of them out", short(same))
	}
	return ""
}

// compile makes one rule ready, or says what is wrong with it. The rules before
// it may have spent some of what a route may cost.
func (e *environment) compile(when string, spent uint64) (program cel.Program, cost uint64, mistake string) {
	if len(when) > maxRule {
		return nil, 0, fmt.Sprintf("it has more than %d bytes: split it into several rules", maxRule)
	}
	rule, issues := e.Compile(when)
	if issues.Err() != nil {
		return nil, 0, describe(when, issues.Errors())
	}
	if !rule.OutputType().IsExactType(cel.BoolType) {
		return nil, 0, fmt.Sprintf("it must be true or false, and is of type %s: compare it with something, for example event.kind == 'Reply'", rule.OutputType())
	}
	meter := &meter{known: e.known, patterns: map[string]pattern{}}
	if mistake, at := meter.readPatterns(rule.NativeRep()); mistake != "" {
		where := locate(strings.Split(when, "\n"), rule.NativeRep().SourceInfo().GetStartLocation(at))
		return nil, 0, where + ": " + mistake
	}
	cost, err := meter.cost(e.Env, rule)
	if err != nil {
		return nil, 0, fmt.Sprintf("what it costs cannot be told (%v): write it simpler", err)
	}
	if mistake := tooDear(cost, spent); mistake != "" {
		return nil, 0, mistake
	}
	program, err = e.Program(rule, cel.EvalOptions(cel.OptOptimize), cel.CostTracking(meter), cel.CostLimit(MaxCost))
	if err != nil {
		return nil, 0, fmt.Sprintf("it cannot be run: %s", printable(err.Error()))
	}
	return program, cost, ""
}

// tooDear says so of a rule that may cost more than is left.
func tooDear(cost, spent uint64) string {
	const simpler = "use fewer or shorter regular expressions, and no loop over a text"
	switch {
	case cost == math.MaxUint64:
		return "there is no telling what it may cost: match and compare the texts of the event themselves, not what is made of them"
	case cost > MaxCost:
		return fmt.Sprintf("on the longest text it may cost %d, and %d is the limit: %s", cost, uint64(MaxCost), simpler)
	case spent+cost > MaxRouteCost:
		return fmt.Sprintf("on the longest text it may cost %d, and the rules before it %d, and %d is the limit of them all: %s",
			cost, spent, uint64(MaxRouteCost), simpler)
	}
	return ""
}

// describe says where a rule is wrong, and how.
func describe(when string, mistakes []*common.Error) string {
	lines := strings.Split(when, "\n")
	var said []string
	for _, mistake := range mistakes[:min(len(mistakes), maxMistakes)] {
		where := mistake.Location
		said = append(said, locate(lines, where)+": "+words(mistake.Message, from(lines, where.Line(), where.Column())))
	}
	if more := len(mistakes) - len(said); more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(said, "; ")
}

// locate names a place in a rule.
func locate(lines []string, where common.Location) string {
	if len(lines) == 1 {
		return fmt.Sprintf("character %d", where.Column()+1)
	}
	return fmt.Sprintf("line %d, character %d", where.Line(), where.Column()+1)
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
	return printable(message)
}

// printable is a short text without what a terminal would obey.
func printable(text string) string {
	return short(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return ' '
	}, text))
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
