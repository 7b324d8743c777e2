// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
)

// FuzzRule: whatever somebody writes as a rule, it is compiled or refused in
// words, and asking it about whatever somebody posts ends.
func FuzzRule(f *testing.F) {
	for _, when := range []string{
		"", "true", "event.text.matches('(?i)refund|chargeback')", "event.txt == 'x'", "has(event.text)", "int(event.text) > 3", "event",
		"[1, 2].exists(x, event.text.contains(string(x)))", "event.text.matches(event.author.handle)", "timestamp(event.text) < event.receivedAt",
		"event.text[0] == 'a'", "'''\n''' == event.text", "((((", "\x00", "ä == 'ö'", "{'a': event.kind}['b'] == ''", "duration('1s') == duration(event.text)",
		"[[1].map(x, x)].all(y, y.all(z, event.text.size() == z))", strings.Repeat("!", 300) + "true", "b'\\xff' == bytes(event.text)", "1 / event.text.size() == 1",
	} {
		f.Add(when, "Where is my refund?")
	}
	f.Add("event.text.matches(event.author.handle)", "(((((")
	f.Add("event.text.matches('(a{0,1000}b?){1000}')", "aaaaaaab")
	f.Add("matches(event.text, '((a?){5}){5}x$') || ['a'].exists(t, t.matches('\\\\pL{9}'))", "aaaaaaab")
	f.Fuzz(func(t *testing.T, when, text string) {
		route := escalation.Compile(&v1alpha1.EscalationRoute{Spec: v1alpha1.EscalationRouteSpec{Rules: []v1alpha1.EscalationRule{{Name: "fuzzed", When: when}}}})
		found := route.Mistakes()
		if len(found) > 1 {
			t.Fatalf("one rule has %d problems", len(found))
		}
		for _, problem := range found {
			if len(problem.Message) > 2048 || utf8.ValidString(when) && !utf8.ValidString(problem.Message) || strings.ContainsAny(problem.Message, "\n\x1b") {
				t.Fatalf("the message is not one for people: %q", problem.Message)
			}
		}
		if usable := route.Usable(); usable == 0 && len(found) == 0 {
			t.Fatal("a rule that cannot be used has no problem")
		}
		subject := mention()
		subject.Event.Text, subject.Event.Actor.Handle = text, text
		bounded := subject.Event.Bounded()
		subject.Event = &bounded
		if at, _ := route.Match(subject); at != 0 && at != escalation.DefaultSteps {
			t.Fatalf("it matches rule %d of one", at)
		}
	})
}
