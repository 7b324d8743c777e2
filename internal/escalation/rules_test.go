// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package escalation_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// mention is what most rules are asked about.
func mention() *escalation.Subject {
	return &escalation.Subject{
		Event: &event.Event{
			ID: "e1", Kind: event.Mention, Type: "mention", Platform: "Bluesky", Text: "Where is my REFUND?",
			Actor:  event.Actor{ID: "did:plc:pia", Handle: "pia.example", DisplayName: "Pia"},
			PostID: "p1", ThreadID: "t1", InReplyTo: "p0", URL: "https://social.example/p1", OccurredAt: noon, ReceivedAt: noon.Add(time.Second),
		},
		Channel: escalation.Channel{Namespace: "social", Name: "acme-help", Purpose: "customer-care", Handle: "help.acme.example", Owner: "customer-care"},
	}
}

// compiled is a route of rules by these conditions.
func compiled(when ...string) *escalation.Route {
	w := newWorld()
	for i, condition := range when {
		w.rule("rule-"+string(rune('a'+i)), condition, step("10m", member("billing", "bea")))
	}
	return escalation.Compile(w.route)
}

var _ = Describe("A rule", func() {
	DescribeTable("knows of an event and its channel",
		func(when string) {
			route := compiled(when)
			Expect(route.Mistakes()).To(BeEmpty())
			at, failed := route.Match(mention())
			Expect(failed).To(BeEmpty())
			Expect(at).To(Equal(0))
		},
		Entry("what is in the design", "event.text.matches('(?i)refund|chargeback')"),
		Entry("the kind", "event.kind == 'Mention'"),
		Entry("the author", "event.author.handle == 'pia.example' && event.author.displayName == 'Pia' && event.author.id.startsWith('did:')"),
		Entry("the places", "event.url.startsWith('https://') && event.postID == 'p1' && event.threadID == 't1' && event.inReplyTo == 'p0'"),
		Entry("what it is", "event.id == 'e1' && event.type == 'mention' && event.platform == 'Bluesky'"),
		Entry("when", "event.receivedAt - event.occurredAt == duration('1s') && event.occurredAt.getHours() == 12"),
		Entry("the channel", "channel.namespace == 'social' && channel.name == 'acme-help' && channel.purpose == 'customer-care'"),
		Entry("the account", "channel.handle == 'help.acme.example' && channel.owner == 'customer-care'"),
		Entry("a list", "event.kind in ['Reply', 'Mention']"),
		Entry("the longest regular expression", "event.text.matches('(?i)"+strings.Repeat("refund|", 140)+"')"),
	)

	It("has a name for each of its variables that is known", func() {
		for _, name := range escalation.Names() {
			value := "''"
			if strings.HasSuffix(name, "At") {
				value = "timestamp('2026-01-01T00:00:00Z')"
			}
			Expect(compiled(name + " != " + value).Mistakes()).To(BeEmpty())
		}
	})

	It("is the first that matches, and else none is", func() {
		route := compiled("event.kind == 'Reply'", "event.text.contains('REFUND')", "event.kind == 'Mention'")
		at, _ := route.Match(mention())
		Expect(at).To(Equal(1))
		Expect(route.Rule(at)).To(Equal("rule-b"))
		other := mention()
		other.Event.Kind, other.Event.Text = event.DirectMessage, "hello"
		at, _ = route.Match(other)
		Expect(at).To(Equal(escalation.DefaultSteps))
		Expect(route.Rule(at)).To(BeEmpty())
	})

	It("that fails on an event does not match it, and does not quote it", func() {
		route := compiled("int(event.text) > 3", "event.kind == 'Mention'")
		Expect(route.Mistakes()).To(BeEmpty())
		at, failed := route.Match(mention())
		Expect(at).To(Equal(1))
		Expect(problems(failed)).To(ConsistOf(ContainSubstring("rule rule-a failed on the event and does not match it")))
		Expect(failed[0].Message).NotTo(ContainSubstring("REFUND"))
		Expect(failed[0].Warning).To(BeTrue())
	})

	It("that cannot be used matches nothing, and the next one is asked", func() {
		route := compiled("event.txt == 'x'", "event.kind == 'Mention'")
		Expect(route.Usable()).To(Equal(1))
		at, failed := route.Match(mention())
		Expect(at).To(Equal(1))
		Expect(failed).To(BeEmpty(), "that is said of the route once, not of each event")
	})

	DescribeTable("is refused with what to do",
		func(when string, words ...string) {
			found := compiled(when).Mistakes()
			Expect(found).To(HaveLen(1))
			Expect(found[0].Reason).To(Equal(v1alpha1.ReasonRuleInvalid))
			Expect(found[0].Warning).To(BeFalse())
			Expect(found[0].Message).To(HavePrefix("rule rule-a cannot be used and matches nothing: "))
			for _, word := range words {
				Expect(found[0].Message).To(ContainSubstring(word))
			}
		},
		Entry("no condition", "event.kind", "it must be true or false, and is of type string"),
		Entry("a field that there is not", "event.kind == 'Mention' && event.txt == ''", "character 28: event.txt is not known; known are event.kind, event.text"),
		Entry("a field of the author that there is not", "event.author.name == ''", "event.author.name is not known", "event.author.displayName"),
		Entry("a field of the channel that there is not", "channel.team == ''", "channel.team is not known; known are channel.namespace"),
		Entry("a variable that there is not", "post.text == ''", "post.text is not known; known are event.kind"),
		Entry("in its second line", "event.text == ''\n  && event.txt == ''", "line 2, character 6: event.txt is not known"),
		Entry("has()", "has(event.text)", "ask for event.text itself, without has()"),
		Entry("a function that there is not", "event.text.lowerAscii() == ''", "lowerAscii is no function that a rule may use"),
		Entry("two kinds of things", "event.text + 1 == ''", "+ cannot be done with (string, int)"),
		Entry("half a rule", "event.kind == ", "the expression ends too soon"),
		Entry("nothing", " ", "the expression ends too soon"),
		Entry("a regular expression that is none", "event.text.matches('(')", "missing closing )"),
		Entry("too long", strings.Repeat("event.text.contains('refund') || ", 40)+"true", "more than 1024 bytes"),
		Entry("a loop in a loop", "[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, event.text.contains('x'))))", "it may cost", "500000 is the limit"),
		Entry("too deep", strings.Repeat("(", 400)+"true"+strings.Repeat(")", 400), "recursion limit"),
	)

	DescribeTable("that never applies is found",
		func(when []string, words string) {
			found := compiled(when...).Mistakes()
			Expect(found).To(HaveLen(1))
			Expect(found[0].Reason).To(Equal(v1alpha1.ReasonRuleNeverApplies))
			Expect(found[0].Message).To(ContainSubstring(words))
		},
		Entry("after one that takes everything", []string{"true", "event.kind == 'Reply'"}, "rule rule-b never applies, so nobody is told by its steps: rule rule-a before it takes every event"),
		Entry("after one that takes everything in another way", []string{"1 < 2 || event.kind == 'Reply'", "event.kind == 'Reply'"}, "rule rule-a before it takes every event"),
		Entry("false", []string{"event.kind == 'Reply' && false"}, "its condition is false for every event"),
		Entry("the same again", []string{"event.kind == 'Reply'", "event.kind == 'Mention'", " event.kind == 'Reply'"}, "rule rule-c never applies, so nobody is told by its steps: rule rule-a before it has the same condition"),
	)

	It("that takes everything may be the last", func() {
		Expect(compiled("event.kind == 'Reply'", "true").Mistakes()).To(BeEmpty())
	})
})
