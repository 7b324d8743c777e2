// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

var _ = Describe("A message that comes late", func() {
	after := night.Add
	hear := func(c *conversation.Conversation, number int, at time.Time, terms conversation.Terms) {
		GinkgoHelper()
		Expect(c.Hear(post(number, event.Reply, at), terms, at)).To(BeTrue())
	}
	// ended has told everybody.
	ended := func(terms conversation.Terms, at time.Time) *conversation.Conversation {
		c := begun(terms)
		c.Finish(turn(fallback, fallback), []conversation.Telling{telling(fallback, "slack")}, at)
		return c
	}

	It("opens an episode where somebody has had it for an hour", func() {
		c := begun(care)
		c.Acknowledge("care/nina", night)
		hear(c, 1, after(conversation.Quiet), care)
		Expect(c.State).To(Equal(conversation.Acknowledged), "they are at it")
		late := after(conversation.Quiet + 1)
		Expect(c.WantsTerms(post(2, event.Reply, late), late)).To(BeTrue())
		hear(c, 2, late, care)
		Expect(c.State).To(Equal(conversation.Open))
		Expect(c.Episode).To(Equal(2))
		Expect(c.Task(late)).To(Equal(conversation.TakeTurn))
		Expect(c.Past).To(HaveLen(1))
	})

	It("begins the route anew where everybody was told and nobody answered for an hour", func() {
		c := ended(care, night)
		hear(c, 1, after(conversation.Quiet), care)
		Expect(c.Due).To(BeZero(), "they have just been told")
		late := after(conversation.Quiet + 1)
		hear(c, 2, late, care)
		Expect(c.Due).To(Equal(late))
		Expect(c.Next).To(Equal(escalation.Position{Anew: 1}))
		Expect(c.OpenedAt).To(Equal(night), "it is not answered since")
		Expect(c.Episode).To(Equal(1))
	})

	It("tells everybody again when it begins the route anew", func() {
		c := begun(care)
		c.Finish(turn(first, fallback), []conversation.Telling{telling(first, "slack")}, night)
		c.Finish(turn(fallback, fallback), []conversation.Telling{telling(fallback, "slack")}, night)
		Expect(c.Heard(0)).To(Equal([]escalation.Person{nina}))
		hear(c, 1, after(2*time.Hour), care)
		Expect(c.Heard(0)).To(BeEmpty())
	})

	It("is told to whoever stands in for a route that is not there, after an hour", func() {
		c := begun(care)
		at := escalation.Position{StandIn: true}
		c.Finish(turn(at, first), []conversation.Telling{telling(at, "slack")}, night)
		hear(c, 1, after(conversation.Quiet), care)
		Expect(c.StoodIn).To(BeTrue())
		hear(c, 2, after(conversation.Quiet+1), care)
		Expect(c.StoodIn).To(BeFalse())
		Expect(c.Task(after(conversation.Quiet + 1))).To(Equal(conversation.TakeTurn))
	})

	It("does not put off the end of one that waits, nor of one that somebody has", func() {
		c := begun(care)
		for day := range 6 {
			hear(c, day+1, after(time.Duration(day)*24*time.Hour), care)
		}
		Expect(c.ExpiresAt()).To(Equal(after(conversation.Life)))
		c.Acknowledge("care/nina", after(time.Hour))
		hear(c, 10, after(90*time.Minute), care)
		Expect(c.ExpiresAt()).To(Equal(after(time.Hour + conversation.Life)))
	})

	It("opens an episode where nobody has come to give up the one before", func() {
		c := begun(care)
		hear(c, 1, after(conversation.Life), care)
		Expect(c.Episode).To(Equal(2))
	})

	It("begins a route that the channel did not have", func() {
		c := begun(conversation.Terms{})
		at := after(time.Minute)
		Expect(c.WantsTerms(post(1, event.Reply, at), at)).To(BeTrue())
		hear(c, 1, at, conversation.Terms{Route: "care", Rule: "refunds", RuleSteps: 1})
		Expect(c.Due).To(Equal(at))
		Expect(c.Terms.Rule).To(Equal("refunds"))
	})
})

var _ = Describe("An answer of several parts", func() {
	at := func(minutes int) time.Time { return night.Add(time.Duration(minutes) * time.Minute) }

	It("does not answer what was written after it", func() {
		c := begun(care)
		c.Hear(post(1, event.Reply, at(3)), care, at(3))
		c.Answer(post(100, event.OwnPost, at(1)), at(4))
		Expect(c.Episode).To(Equal(2))
		rest := post(101, event.OwnPost, at(2))
		Expect(c.Answer(rest, at(4))).To(BeTrue())
		Expect(c.State).To(Equal(conversation.Open))
		Expect(c.Posts).To(ContainElement(rest.PostID), "whoever answers it answers here")
		c.Answer(post(102, event.OwnPost, at(5)), at(5))
		Expect(c.State).To(Equal(conversation.Answered))
	})

	It("answers the very post that it replies to, whatever the clocks say", func() {
		c := begun(care)
		own := post(100, event.OwnPost, at(-5))
		own.InReplyTo = c.PostID
		c.Answer(own, at(1))
		Expect(c.State).To(Equal(conversation.Answered))
	})

	It("does not answer a later message that came before an earlier one", func() {
		c := begun(care)
		c.Hear(post(2, event.Reply, at(3)), care, at(4))
		c.Hear(post(1, event.Reply, at(1)), care, at(4))
		c.Answer(post(100, event.OwnPost, at(2)), at(5))
		Expect(c.State).To(Equal(conversation.Open))
	})
})

var _ = Describe("A route that is not there", func() {
	standIn := escalation.Position{StandIn: true}
	It("keeps the turn for when it is, and the stand-in is told once", func() {
		c := begun(care)
		c.Finish(turn(standIn, first), []conversation.Telling{telling(standIn, "")}, night)
		Expect(c.Due).To(BeTemporally("<", night.Add(time.Minute)), "tried again")
		c.Finish(turn(standIn, first), []conversation.Telling{telling(standIn, "slack")}, night)
		Expect(c.State).To(Equal(conversation.Told))
		Expect(c.StoodIn).To(BeTrue())
		Expect(c.Next).To(Equal(first))
		Expect(c.Due).To(Equal(night.Add(conversation.UnheardAgain)))
		Expect(c.Heard(0)).To(BeEmpty())
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "slack")}, night)
		Expect(c.StoodIn).To(BeFalse())
		Expect(c.Next).To(Equal(second))
	})

	DescribeTable("leaves a rule that is gone at the step that would have come",
		func(at, own, want int) {
			c := begun(conversation.Terms{Route: "care", Rule: "refunds", RuleSteps: own})
			c.Next = escalation.Position{Round: 1, Step: at}
			c.LeaveRule()
			Expect(c.Terms.Rule).To(BeEmpty())
			Expect(c.Next).To(Equal(escalation.Position{Round: 1, Step: want, Anew: 1}))
		},
		Entry("within the rule's own", 1, 2, 0),
		Entry("behind the rule's own", 2, 2, 0),
		Entry("in the midst of the route's", 3, 2, 1),
	)
})

var _ = Describe("A clock that was set back", func() {
	It("keeps nobody from a turn that another claimed", func() {
		c := begun(care)
		c.Take("a", turn(first, second), night.Add(24*time.Hour))
		Expect(c.Task(night)).To(Equal(conversation.TakeTurn))
		c.Take("b", turn(first, second), night)
		Expect(c.Claim).To(HaveField("By", "b"))
		Expect(c.Task(night.Add(-conversation.ClaimFor))).To(Equal(conversation.Rest), "two clocks differ")
	})
})

var _ = Describe("Strangers without a name", func() {
	thread := func(kind event.Kind, id, post string) string {
		return conversation.ThreadOf(&event.Event{Kind: kind, ID: id, PostID: post, ThreadID: "shared"})
	}
	It("share no thread but in private", func() {
		Expect(thread(event.Reply, "event-1", "post-1")).To(Equal("post-1"))
		Expect(thread(event.Reply, "event-1", "")).To(Equal("event-1"))
		Expect(thread(event.DirectMessage, "event-1", "post-1")).To(Equal("shared"))
		Expect(conversation.ThreadOf(&event.Event{Kind: event.DirectMessage, ID: "event-1"})).To(Equal("event-1"))
	})
})
