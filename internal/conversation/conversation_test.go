// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation_test

import (
	"encoding/json"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

var _ = Describe("The state of a conversation", func() {
	after := night.Add
	told := func(c *conversation.Conversation) {
		c.Take("a", turn(first, second), night)
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "slack")}, night)
	}
	hear := func(c *conversation.Conversation) {
		c.Hear(post(1, event.Reply, after(time.Minute)), care, after(time.Minute))
	}
	answer := func(c *conversation.Conversation) {
		c.Answer(post(2, event.OwnPost, after(2*time.Minute)), after(2*time.Minute))
	}
	acknowledge := func(c *conversation.Conversation) { c.Acknowledge("care/nina", after(time.Minute)) }
	expire := func(c *conversation.Conversation) { c.Expire(after(8 * 24 * time.Hour)) }
	abandon := func(c *conversation.Conversation) { c.Abandon(after(time.Minute)) }

	type does = func(*conversation.Conversation)
	DescribeTable("is",
		func(want conversation.State, episode int, closing bool, steps ...does) {
			c := begun(care)
			for _, step := range steps {
				step(c)
			}
			Expect(c.State).To(Equal(want))
			Expect(c.Episode).To(Equal(episode))
			Expect(c.Unclosed).To(HaveLen(map[bool]int{true: 1}[closing]), "those who were told are to hear of it")
			if !c.State.Waits() {
				Expect(c.Due).To(BeZero())
				Expect(c.Claim).To(BeNil())
			}
		},
		Entry("Open at first", conversation.Open, 1, false),
		Entry("Open after another message", conversation.Open, 1, false, hear),
		Entry("Told", conversation.Told, 1, false, told),
		Entry("Told after another message", conversation.Told, 1, false, told, hear),
		Entry("Answered with nobody told", conversation.Answered, 1, false, answer),
		Entry("Answered", conversation.Answered, 1, true, told, answer),
		Entry("Acknowledged", conversation.Acknowledged, 1, true, told, acknowledge),
		Entry("Acknowledged still after another message", conversation.Acknowledged, 1, true, told, acknowledge, hear),
		Entry("Answered after it was acknowledged", conversation.Answered, 1, true, told, acknowledge, answer),
		Entry("Answered still, whatever is acknowledged then", conversation.Answered, 1, true, told, answer, acknowledge),
		Entry("Open again after an answer", conversation.Open, 2, true, told, answer, hear),
		Entry("Expired", conversation.Expired, 1, true, told, expire),
		Entry("Expired where it was acknowledged", conversation.Expired, 1, true, told, acknowledge, expire),
		Entry("Answered still after a week", conversation.Answered, 1, true, told, answer, expire),
		Entry("Expired with its channel", conversation.Expired, 1, true, told, abandon),
		Entry("Answered still without its channel", conversation.Answered, 1, false, answer, abandon),
		Entry("Open again after it expired", conversation.Open, 2, false, expire, hear),
	)

	It("notes a response once, and the first of an episode", func() {
		c := begun(care)
		acknowledge(c)
		answer(c)
		Expect(c.Response).To(HaveValue(Equal(conversation.Response{
			OpenedAt: night, At: after(time.Minute), Kind: conversation.ByAcknowledgement, By: "care/nina", Target: time.Hour,
		})))
		Expect(c.Response.Took()).To(Equal(time.Minute))
		hear(c)
		Expect(c.Response).To(BeNil())
		Expect(c.Past).To(HaveLen(1))
	})

	It("is not changed by what was taken in before, by its event or by its post", func() {
		c := begun(care)
		Expect(c.Hear(post(0, event.Mention, night), care, night)).To(BeFalse())
		twin := post(0, event.Reply, night)
		twin.ID = "another"
		Expect(c.Hear(twin, care, night)).To(BeFalse())
		Expect(c.Answer(post(2, event.OwnPost, night), night)).To(BeTrue())
		Expect(c.Answer(post(2, event.OwnPost, night), night)).To(BeFalse())
		Expect(c.Hear(twin, care, night)).To(BeFalse(), "nor is it opened again")
	})

	It("is not Answered by a post that is older than the last message", func() {
		c := begun(care)
		told(c)
		late := post(1, event.Reply, after(3*time.Minute))
		late.URL = "https://mastodon.example/1"
		c.Hear(late, care, after(3*time.Minute))
		answer(c)
		Expect(c.State).To(Equal(conversation.Open))
		Expect(c.Episode).To(Equal(2))
		Expect(c.Past).To(HaveLen(1))
		Expect(c.URL).To(Equal(late.URL))
		Expect(c.Messages).To(Equal(1))
		Expect(c.Task(after(3 * time.Minute))).To(Equal(conversation.TakeTurn))
		c.Answer(post(4, event.OwnPost, after(4*time.Minute)), after(4*time.Minute))
		Expect(c.State).To(Equal(conversation.Answered))
	})

	It("keeps nothing of a direct message's words, nor of any where no excerpt is wanted", func() {
		e := post(0, event.DirectMessage, night)
		c := conversation.Begin(e, "thread")
		c.Hear(e, care, night)
		Expect(c.Excerpt).To(BeEmpty())
		Expect(begun(conversation.Terms{Route: "care"}).Excerpt).To(BeEmpty())
		Expect(begun(care).Excerpt).To(Equal("hello"))
	})

	It("keeps an excerpt to its length, on one line", func() {
		e := post(0, event.Mention, night)
		e.Text = strings.Repeat("ä b\n", 1000)
		c := conversation.Begin(e, "thread")
		c.Hear(e, care, night)
		Expect([]rune(c.Excerpt)).To(HaveLen(conversation.MaxExcerpt))
		Expect(c.Excerpt).NotTo(ContainSubstring("\n"))
	})
})

var _ = Describe("The task of a conversation", func() {
	after := night.Add

	It("is a turn at once, then the next when its wait is over", func() {
		c := begun(care)
		Expect(c.WakeAt()).To(Equal(night))
		task, taken := c.Take("a", turn(first, second), night)
		Expect(task).To(Equal(conversation.TakeTurn))
		Expect(taken).To(BeTrue())
		claim := c.Claim
		Expect(c.Holds(claim, 1)).To(BeTrue())
		Expect(c.Holds(claim, 2)).To(BeFalse())
		Expect(c.Holds(nil, 1)).To(BeFalse())
		Expect(c.Holds(&conversation.Claim{By: "b", Until: claim.Until}, 1)).To(BeFalse())
		Expect(c.Holds(&conversation.Claim{By: "a", Until: claim.Until, Close: true}, 1)).To(BeFalse())
		Expect(c.Holds(&conversation.Claim{By: "a", Until: claim.Until.Add(1)}, 1)).To(BeFalse(), "a later one of the same process")
		_, taken = c.Take("b", turn(first, second), night)
		Expect(taken).To(BeFalse(), "another has it")
		Expect(c.WakeAt()).To(Equal(after(conversation.ClaimFor)), "until the claim ends")
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "slack")}, after(time.Second))
		Expect(c.Next).To(Equal(second))
		Expect(c.WakeAt()).To(Equal(after(15*time.Minute + time.Second)))
		Expect(c.Heard(0)).To(Equal([]escalation.Person{nina}))
		Expect(c.Heard(1)).To(BeEmpty())
	})

	It("is the turn again of whoever claimed it and is gone", func() {
		c := begun(care)
		c.Take("a", turn(first, second), night)
		Expect(c.Task(after(conversation.ClaimFor - 1))).To(Equal(conversation.Rest))
		Expect(c.Task(after(conversation.ClaimFor))).To(Equal(conversation.TakeTurn))
	})

	It("is tried three times where nobody could be told, and is then the next one's", func() {
		c := begun(care)
		now := night
		for range 2 {
			c.Finish(turn(first, second), []conversation.Telling{telling(first, "")}, now)
			Expect(c.Next).To(Equal(first))
			Expect(c.Due).To(BeTemporally(">", now))
			now = c.Due
		}
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "")}, now)
		Expect(c.Next).To(Equal(second))
		Expect(c.Due).To(Equal(now), "at once")
		Expect(c.State).To(Equal(conversation.Open))
		Expect(c.Tellings).To(HaveLen(1), "what failed again and again is kept once")
	})

	It("is the fallback's for as long as it could not be told, and then nobody's", func() {
		c := begun(conversation.Terms{Route: "care"})
		c.Pass(turn(fallback, fallback), []conversation.Telling{telling(fallback, "")}, night)
		Expect(c.Unreached()).To(BeTrue())
		Expect(c.Due).To(Equal(after(conversation.UnheardAgain)))
		c.Finish(turn(fallback, fallback), []conversation.Telling{telling(fallback, "slack")}, night)
		Expect(c.Unreached()).To(BeFalse())
		Expect(c.WakeAt()).To(Equal(after(conversation.Life)))
	})

	It("is the broken promise once, and no turn waits for it", func() {
		c := begun(care)
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "slack")}, after(50*time.Minute))
		late := after(time.Hour)
		Expect(c.WakeAt()).To(Equal(late))
		task, _ := c.Take("a", turn(first, second), late)
		Expect(task).To(Equal(conversation.TellLate))
		failed := telling(first, "")
		failed.Late = true
		c.FinishLate([]conversation.Telling{failed}, late)
		Expect(c.Task(late)).To(Equal(conversation.Rest))
		Expect(c.Task(after(65 * time.Minute))).To(Equal(conversation.TakeTurn))
		c.Due = after(3 * time.Hour)
		for range 9 {
			at := c.WakeAt()
			Expect(c.Task(at)).To(Equal(conversation.TellLate), "somebody must hear")
			c.FinishLate([]conversation.Telling{failed}, at)
			Expect(c.WakeAt()).To(BeTemporally(">", at))
		}
		at := c.WakeAt()
		failed.Way = "slack"
		c.FinishLate([]conversation.Telling{failed}, at)
		Expect(c.LateTold).To(BeTrue())
		Expect(c.WakeAt()).To(Equal(after(3 * time.Hour)))
	})

	It("is nothing without a route and a promise, until it expires", func() {
		c := begun(conversation.Terms{})
		Expect(c.Task(after(conversation.Life - 1))).To(Equal(conversation.Rest))
		Expect(c.WakeAt()).To(Equal(after(conversation.Life)))
		Expect(c.Task(after(conversation.Life))).To(Equal(conversation.GiveUp))
	})

	It("is to close what was told, ever more seldom, for a day", func() {
		c := begun(care)
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "slack")}, night)
		c.Answer(post(1, event.OwnPost, night), night)
		at, pause, tries := night, time.Duration(0), 0
		for {
			Expect(c.WakeAt().Sub(at)).To(And(BeNumerically(">=", pause), BeNumerically("<=", 30*time.Minute)))
			pause, at = c.WakeAt().Sub(at), c.WakeAt()
			task, _ := c.Take("a", escalation.Turn{}, at)
			Expect(task).To(Equal(conversation.Close))
			tries++
			if givenUp := c.FinishClose(c.Claim, nil, c.Closable(at), at); len(givenUp) > 0 {
				Expect(givenUp[0].Member).To(Equal("nina"))
				break
			}
		}
		Expect(at.Sub(night)).To(BeNumerically("~", 24*time.Hour, time.Hour))
		Expect(tries).To(BeNumerically("<", 60))
		Expect(c.WakeAt()).To(BeZero())
	})

	It("is to close what was told meanwhile as well, and not what was told of many", func() {
		c := begun(care)
		grouped := telling(first, "slack")
		grouped.Grouped = true
		c.Finish(turn(first, second), []conversation.Telling{grouped}, night)
		c.Answer(post(1, event.OwnPost, night), night)
		Expect(c.Unclosed).To(BeEmpty())
		c.Note(1, "care", []conversation.Telling{telling(second, "slack")}, night)
		Expect(c.Unclosed).To(HaveLen(1))
		c.Take("a", escalation.Turn{}, night)
		begun := c.Closable(night)
		c.Note(1, "care", []conversation.Telling{telling(second, "email")}, night)
		c.FinishClose(c.Claim, begun, nil, night)
		Expect(c.Unclosed).To(ConsistOf(HaveField("Way", "email")), "whoever closed did not know of the second")
		Expect(c.Task(night)).To(Equal(conversation.Close))
		Expect(c.Singly()).To(HaveLen(2))
	})

	It("is to close what was told of an episode before", func() {
		c := begun(care)
		c.Finish(turn(first, second), []conversation.Telling{telling(first, "pagerduty")}, night)
		c.Acknowledge("care/nina", night)
		Expect(c.Unclosed).To(ConsistOf(HaveField("Acknowledged", true)))
		c.FinishClose(c.Claim, c.Closable(night), nil, night)
		Expect(c.Unclosed).To(BeEmpty())
		c.Hear(post(3, event.Reply, after(3*time.Minute)), care, after(3*time.Minute))

		By("answering what was before the last message")
		c.Answer(post(2, event.OwnPost, after(2*time.Minute)), after(4*time.Minute))
		Expect(c.Episode).To(Equal(2))
		Expect(c.Unclosed).To(ConsistOf(And(HaveField("Acknowledged", false), HaveField("Episode", 1), HaveField("By", "care/nina"))))

		By("taking a turn of the second beside it")
		now := after(4 * time.Minute)
		Expect(c.TakeClose("b", now)).To(BeTrue())
		closing := c.Claim
		Expect(c.TakeClose("c", now)).To(BeFalse())
		Expect(c.WakeAt()).To(Equal(now))
		task, taken := c.Take("a", turn(first, second), now)
		Expect(task).To(Equal(conversation.TakeTurn), "who closes keeps nobody waiting")
		Expect(taken).To(BeTrue())
		c.FinishClose(closing, c.Closable(now), nil, now)
		Expect(c.Claim).To(HaveField("By", "a"))
		Expect(c.Unclosed).To(BeEmpty())

		By("hearing late of what was told in the first")
		c.Note(1, "care", []conversation.Telling{telling(second, "pagerduty"), telling(second, "")}, now)
		Expect(c.Unclosed).To(ConsistOf(And(HaveField("Episode", 1), HaveField("Position", second))))
		Expect(c.Tellings).To(BeEmpty())
	})

	It("is to close what may have been told by somebody who stopped, once that must be over", func() {
		c := begun(care)
		c.Take("a", turn(first, second), night)
		c.Answer(post(1, event.OwnPost, after(time.Second)), after(time.Second))
		Expect(c.Closable(after(time.Second))).To(BeEmpty())
		Expect(c.WakeAt()).To(Equal(after(conversation.ClaimFor)))
		Expect(c.Closable(after(conversation.ClaimFor))).To(ConsistOf(And(HaveField("Member", "nina"), HaveField("Way", ""))))
		Expect(c.Unclosed[0].Everywhere()).To(BeTrue())

		By("hearing of it after all")
		c.Note(1, "care", []conversation.Telling{telling(first, "slack")}, after(2*time.Second))
		Expect(c.Unclosed).To(ConsistOf(HaveField("Way", "slack")))
		Expect(c.Tellings).To(HaveLen(1))
		Expect(c.WakeAt()).To(Equal(after(2 * time.Second)))
	})

	It("is the next turn at once where no try would help, and waits for as long as it is asked to", func() {
		c := begun(conversation.Terms{Route: "care"})
		failed := telling(first, "")
		failed.RetryAfter = 77 * time.Second
		c.Finish(turn(first, second), []conversation.Telling{failed}, night)
		Expect(c.Due).To(Equal(after(77 * time.Second)))
		failed.RetryAfter = time.Hour
		c.Finish(turn(first, second), []conversation.Telling{failed}, night)
		Expect(c.Due).To(Equal(after(5 * time.Minute)))
		c = begun(conversation.Terms{Route: "care"})
		failed.Permanent = true
		c.Finish(turn(first, second), []conversation.Telling{failed}, night)
		Expect(c.Next).To(Equal(second))
		Expect(c.Due).To(Equal(night))
		c.Finish(turn(fallback, fallback), []conversation.Telling{failed}, night)
		Expect(c.Due).To(Equal(after(conversation.UnheardAgain)), "somebody must hear")
	})

	It("can be given back", func() {
		c := begun(care)
		c.Take("a", turn(first, second), night)
		c.Release()
		Expect(c.Task(night)).To(Equal(conversation.TakeTurn))
		Expect(c.Tellings).To(ConsistOf(HaveField("Unsure", true)))
		failed := telling(first, "")
		c.Finish(turn(first, second), []conversation.Telling{failed}, night)
		Expect(c.Tellings).To(ConsistOf(HaveField("Unsure", true)), "it may have been told all the same")
	})
})

var _ = Describe("Names", func() {
	It("differ by what they stand for", func() {
		Expect(conversation.NewID("a", "bc", "d")).To(HaveLen(conversation.IDLength))
		Expect(conversation.NewID("a", "bc", "d")).NotTo(Equal(conversation.NewID("ab", "c", "d")))
		Expect(conversation.AheadKey("a", "b")).To(HavePrefix("ahead-"))
	})
	It("of a thread are what the platform tells, else the author or the post", func() {
		Expect(conversation.ThreadOf(&event.Event{ThreadID: "t", PostID: "p", Actor: event.Actor{Handle: "jo"}})).To(Equal("t"))
		Expect(conversation.ThreadOf(&event.Event{Kind: event.DirectMessage, PostID: "p", Actor: event.Actor{ID: "jo"}})).To(Equal("with jo"))
		Expect(conversation.ThreadOf(&event.Event{Kind: event.Mention, PostID: "p"})).To(Equal("p"))
		Expect(conversation.ThreadOf(&event.Event{ID: "e", Kind: event.Mention})).To(Equal("e"))
	})
	It("are marked so that their size is bounded in JSON", func() {
		for _, id := range []string{"post-1", strings.Repeat("<", 512), strings.Repeat("x", 512), "a b", "ü", `a"b`} {
			mark := conversation.Mark(id)
			written, err := json.Marshal(mark)
			Expect(err).NotTo(HaveOccurred())
			Expect(len(written)).To(BeNumerically("<=", 66))
		}
		Expect(conversation.Mark("post-1")).To(Equal("post-1"))
		Expect(conversation.Mark(strings.Repeat("x", 65))).NotTo(Equal(conversation.Mark(strings.Repeat("x", 66))))
	})
})
