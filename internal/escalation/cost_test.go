// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// matching is a rule that matches the text against a regular expression.
func matching(expression string) string { return "event.text.matches('" + expression + "')" }

// wordList is a list of words such as people write, all different.
func wordList(count int) string {
	syllables := []string{"re", "fun", "bag", "lo", "ti", "mar", "cho", "ge", "pas", "wi", "su", "ke"}
	words := make([]string, 0, count)
	for i := range count {
		words = append(words, syllables[i%12]+syllables[i/12%12]+syllables[(i/7+i)%12][:1])
	}
	return "(?i)" + strings.Join(words, "|")
}

// longest is an event of as much of a text as there can be.
func longest(text string) *escalation.Subject {
	subject := mention()
	subject.Event.Text = strings.Repeat(text, event.MaxText/len(text)+1)
	bounded := subject.Event.Bounded()
	subject.Event = &bounded
	return subject
}

var _ = Describe("The cost of rules", func() {
	DescribeTable("lets pass what people write",
		func(when ...string) { Expect(compiled(when...).Mistakes()).To(BeEmpty()) },
		Entry("the design's", matching("(?i)refund|chargeback")),
		Entry("a list of 140 words", matching(wordList(140))),
		Entry("one of 140 words, and others of some", matching(wordList(140)), matching(`(?i)\\b(smoke|fire|emergency|evacuat)`), matching("[0-9]{6,12}")),
		Entry("a number of letters and digits", matching(`\\b[A-Z0-9]{6}\\b`)),
		Entry("words of any language", matching(`^\\pL+$`)),
		Entry("as a function", "matches(event.text, '(?i)refund')"),
		Entry("a text from end to end", matching("^.{0,40}refund.{0,40}$")),
		Entry("an address", matching(`[\\w.+-]+@[\\w-]+(\\.[\\w-]+)+`)),
		Entry("several texts", "[event.text, event.author.handle].exists(t, t.matches('(?i)refund'))"),
		Entry("the longest plain text", matching("x"+strings.Repeat("refund", 160))),
	)

	DescribeTable("refuses what writes out to more than it looks like",
		func(when, words string) {
			found := problems(compiled(when).Mistakes())
			Expect(found).To(ConsistOf(And(HavePrefix("RuleInvalid: rule rule-a cannot be used and matches nothing: character "), ContainSubstring(words))))
		},
		Entry("a long repeat of each letter", matching("("+strings.Repeat("a{0,1000}", 108)+")x$"), "the regular expression writes out to 216004 steps, and 1024 is the limit of a rule; use smaller {…}"),
		Entry("a long repeat of all", matching("("+strings.Repeat("a?", 480)+"){1000}"), "use smaller {…}"),
		Entry("of nothing", matching("("+strings.Repeat("()", 470)+"){1000}"), "use smaller {…}"),
		Entry("in a repeat", matching("((a{10}){10}){10}"+strings.Repeat("b", 100)), "use smaller {…}"),
		Entry("without an end", matching("(a{500,}b{500,}){1}x{100}"), "use smaller {…}"),
		Entry("of several in one rule", strings.Repeat("'a'.matches('a{400}') || ", 3)+"false", "use smaller {…}"),
		Entry("as a function", "matches(event.text, 'a{1000}b{1000}')", "use smaller {…}"),
		Entry("in a list", "['x'].exists(w, w.matches('a{1000}b{1000}'))", "use smaller {…}"),
		Entry("tables of letters", matching(strings.Repeat(`\\pL`, 40)), "fewer classes such as \\pL"),
	)

	DescribeTable("refuses a regular expression that is not in the rule",
		func(when string) {
			Expect(problems(compiled(when).Mistakes())).To(ConsistOf(ContainSubstring("what a text is matched against must be written in the rule itself")))
		},
		Entry("one from a stranger", "event.text.matches(event.author.displayName)"),
		Entry("as a function", "matches(event.text, event.author.displayName)"),
		Entry("put together", "event.text.matches('a' + event.author.handle)"),
		Entry("one of a choice", "event.text.matches(event.kind == 'Reply' ? 'a' : event.url)"),
		Entry("out of a list", "['refund', event.text].exists(p, event.text.matches(p))"),
		Entry("of no type", "event.text.matches(dyn(event.text))"),
	)

	It("says where a regular expression is that cannot be read, and quotes no escapes", func() {
		Expect(problems(compiled("event.kind == 'Reply' ||\n  event.text.matches('(\\x1b[31m')").Mistakes())).To(ConsistOf(And(
			ContainSubstring("line 2, character 22: the regular expression cannot be read: missing closing ]: [31m"), Not(ContainSubstring("\x1b")))))
	})

	It("is that of the work at each letter, not of the length", func() {
		Expect(problems(compiled(matching("(" + strings.Repeat("a?", 480) + ")x$")).Mistakes())).To(ConsistOf(ContainSubstring("500000 is the limit: use fewer or shorter regular expressions")))
		Expect(problems(compiled(matching(strings.Repeat("a", 900) + "[bc]")).Mistakes())).To(ConsistOf(ContainSubstring("500000 is the limit")))
	})

	It("is bounded for all rules together, those in front first", func() {
		list := func(place int) string { return fmt.Sprintf("event.id != '%d' && ", place) + matching(wordList(100)) }
		route := compiled(list(0), list(1), "event.kind == 'Reply'")
		Expect(problems(route.Mistakes())).To(ConsistOf(And(
			HavePrefix("RuleInvalid: rule rule-b cannot be used and matches nothing: on the longest text it may cost "), ContainSubstring("and 550000 is the limit of them all"))))
		Expect(route.Usable()).To(Equal(2))
	})

	It("is never more on an event than was foreseen", func() {
		for _, expression := range []string{"(" + strings.Repeat("a?", 230) + ")x$", wordList(140)} {
			route := compiled(matching(expression))
			Expect(route.Mistakes()).To(BeEmpty())
			_, failed := route.Match(longest("a"))
			Expect(failed).To(BeEmpty())
		}
		route := compiled("[event.text, event.author.handle, event.url].exists(t, t.matches('(?i)" + strings.Repeat("refund|", 12) + strings.Repeat("(a|b)?", 30) + "x'))")
		Expect(route.Mistakes()).To(BeEmpty())
		_, failed := route.Match(longest("ab"))
		Expect(failed).To(BeEmpty())
	})

	It("in memory is small, however a rule is written", func() {
		retained := func(expression string) int {
			var when []string
			for i := range 26 {
				when = append(when, fmt.Sprintf("event.kind != '%d' && ", i)+matching(expression))
			}
			before := heap()
			route := compiled(when...)
			size := heap() - before
			runtime.KeepAlive(route)
			return size
		}
		for _, expression := range []string{strings.Repeat("a{0,1000}", 100) + "x", strings.Repeat(`\\pL{12}`, 60), "(" + strings.Repeat("()", 450) + "){1000}", "a{1000}"} {
			Expect(retained(expression)).To(BeNumerically("<", 8<<20), expression)
		}
	})
})

// heap is how much memory is in use, in bytes.
func heap() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// dearest are routes of as many rules as there may be, each as dear as may be,
// and the text that they take longest for.
func dearest() map[string]*escalation.Subject {
	return map[string]*escalation.Subject{
		"(" + strings.Repeat("a?", 8) + ")x$":       longest("a"),
		"(" + strings.Repeat("a?", 230) + ")x$":     longest("a"),
		strings.Repeat(`\\b`, 100) + "x":            longest("a "),
		"(" + strings.Repeat("a|b*c|", 50) + "d)*x": longest("a"),
		wordList(140):                                      longest("refunds "),
		strings.Repeat("aab|c|", 60) + "x":                 longest("a"),
		strings.Repeat("[ab]", 400) + "x":                  longest("ab"),
		strings.Repeat(`\\pL`, 12) + "x1":                  longest("ж"),
		strings.Repeat("(a)?", 100) + "x":                  longest("a"),
		`([\\w.+-]+@[\\w-]+(\\.[\\w-]+)+){8}`:              longest("a.b@"),
		"(?i)" + strings.Repeat("ab", 250) + "[cd]":        longest("aB"),
		`(\\b|a)?` + strings.Repeat(`(?:\\B|\\b|a)?`, 40):  longest("a "),
		"(?s)" + strings.Repeat(".*", 100) + "y":           longest("a"),
		"(?:(?:" + strings.Repeat("a?", 5) + "){9}){9}y":   longest("a"),
		"(?i)[^a-y]" + strings.Repeat(`(?:\\d|\\w)*`, 60):  longest("z"),
		strings.Repeat("(?:a|aa|aaa|aaaa)", 40) + "[xyzw]": longest("a"),
	}
}

// BenchmarkDearest is how long one event can take, of the longest text, with as
// many rules as a route takes.
func BenchmarkDearest(b *testing.B) {
	for expression, subject := range dearest() {
		name := expression[:min(len(expression), 16)]
		b.Run(name, func(b *testing.B) {
			w := newWorld()
			for i := range 32 {
				w.rule(fmt.Sprint("rule-", i), fmt.Sprintf("event.kind != '%d' && ", i)+matching(expression), step("10m", member("billing", "bea")))
			}
			route := escalation.Compile(w.route)
			for b.Loop() {
				if at, _ := route.Match(subject); at != escalation.DefaultSteps && b.N > 1 {
					b.Log("a rule matches")
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/event")
			b.ReportMetric(float64(route.Usable()), "rules")
		})
	}
}
