// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation_test

import (
	"encoding/json"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// anyLife lets anything happen to a conversation, in any order, and looks at it
// after each thing.
func anyLife(t *rapid.T, look func(g Gomega, c *conversation.Conversation, now time.Time)) {
	g := NewWithT(t)
	c := begun(conversation.Terms{
		Owner: "care", Route: rapid.SampledFrom([]string{"", "care"}).Draw(t, "route"),
		Target: time.Duration(rapid.IntRange(0, 120).Draw(t, "target")) * time.Minute,
	})
	now := night
	for range rapid.IntRange(1, 120).Draw(t, "steps") {
		now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 20, 60, 900, 4000, 90_000, 700_000}).Draw(t, "pass")) * time.Second)
		number := rapid.IntRange(0, 200).Draw(t, "number")
		switch rapid.SampledFrom([]string{"hear", "hear", "answer", "acknowledge", "work", "work", "work", "abandon"}).Draw(t, "happens") {
		case "hear":
			c.Hear(post(number, event.Reply, now), care, now)
		case "answer":
			c.Answer(post(number+1000, event.OwnPost, now.Add(-time.Minute)), now)
		case "acknowledge":
			c.Acknowledge("nina", now)
		case "abandon":
			if number == 0 {
				c.Abandon(now)
			}
		case "work":
			work(t, c, now)
		}
		look(g, c, now)
	}
}

// work does what is to be done, with any outcome.
func work(t *rapid.T, c *conversation.Conversation, now time.Time) {
	if rapid.IntRange(0, 9).Draw(t, "crash") == 0 {
		c.Take("b", turn(c.Next, c.Next), now)
		return
	}
	way := rapid.SampledFrom([]string{"", "slack", "email"}).Draw(t, "way")
	whose := turn(c.Next, c.Next)
	closable := c.Closable(now)
	switch task, _ := c.Take("a", whose, now); task {
	case conversation.Rest:
	case conversation.GiveUp:
		c.Expire(now)
	case conversation.Close:
		if way == "" {
			c.FinishClose(c.Claim, nil, closable, now)
		} else {
			c.FinishClose(c.Claim, closable, nil, now)
		}
	case conversation.TellLate:
		late := telling(first, way)
		late.Late = true
		c.FinishLate([]conversation.Telling{late}, now)
	case conversation.TakeTurn:
		at, next := c.Next, escalation.Position{Step: c.Next.Step + 1}
		if at.Step >= 3 || at.Fallback {
			next = fallback
		}
		c.Finish(turn(at, next), []conversation.Telling{telling(at, way)}, now)
	}
}

var _ = Describe("Whatever happens, a conversation", func() {
	check := func(look func(g Gomega, c *conversation.Conversation, now time.Time)) {
		rapid.Check(GinkgoT(), func(t *rapid.T) { anyLife(t, look) })
	}

	It("has something to be done at its deadline, and nothing before", func() {
		check(func(g Gomega, c *conversation.Conversation, _ time.Time) {
			at := c.WakeAt()
			if at.IsZero() {
				g.Expect(c.State).To(BeElementOf(conversation.Answered, conversation.Expired))
				g.Expect(c.Task(night.AddDate(10, 0, 0))).To(Equal(conversation.Rest))
				return
			}
			g.Expect(c.Task(at)).NotTo(Equal(conversation.Rest))
			g.Expect(c.Task(at.Add(-1))).To(Equal(conversation.Rest))
		})
	})

	It("that waits always has a deadline, and one that is over asks nobody", func() {
		check(func(g Gomega, c *conversation.Conversation, now time.Time) {
			if c.State.Waits() {
				g.Expect(c.WakeAt()).NotTo(BeZero())
				g.Expect(c.Response).To(BeNil())
				g.Expect(c.ClosedAt).To(BeZero())
				return
			}
			g.Expect(c.Task(now)).To(BeElementOf(conversation.Rest, conversation.Close, conversation.GiveUp))
			if c.State == conversation.Answered || c.State == conversation.Acknowledged {
				g.Expect(c.Response).NotTo(BeNil())
			}
		})
	})

	It("is bounded, and is the same after it was stored", func() {
		check(func(g Gomega, c *conversation.Conversation, _ time.Time) {
			g.Expect(len(c.Posts)).To(BeNumerically("<=", 32))
			g.Expect(len(c.Events)).To(BeNumerically("<=", 64))
			g.Expect(len(c.Tellings)).To(BeNumerically("<=", 48))
			g.Expect(len(c.Past)).To(BeNumerically("<=", 16))
			g.Expect(len(c.Unclosed)).To(BeNumerically("<=", 48))
			written, err := json.Marshal(c)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(len(written)).To(BeNumerically("<", 64<<10))
			read := &conversation.Conversation{}
			g.Expect(json.Unmarshal(written, read)).To(Succeed())
			again, err := json.Marshal(read)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(again).To(MatchJSON(written))
			g.Expect(read.WakeAt().Equal(c.WakeAt())).To(BeTrue())
		})
	})

	It("comes to its end when it is worked on for long enough", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			var c *conversation.Conversation
			var now time.Time
			anyLife(t, func(_ Gomega, one *conversation.Conversation, at time.Time) { c, now = one, at })
			for n := 0; ; n++ {
				at := c.WakeAt()
				if at.IsZero() {
					return
				}
				g.Expect(n).To(BeNumerically("<", 10_000))
				if at.After(now) {
					now = at
				}
				work(t, c, now)
			}
		})
	})
})

// FuzzDecode reads rows as somebody else may have written them: no row makes a
// process fail.
func FuzzDecode(f *testing.F) {
	whole, err := json.Marshal(begun(care))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(whole), `{}`, `null`, `{"state":"Told","claim":{}}`, `{"state":"Open","due":"9999-12-31T23:59:59Z","terms":{"target":9223372036854775807}}`,
		`{"openedAt":"0001-01-01T00:00:00Z","next":{"step":-5,"round":-1}}`, `{"state":"Answered","unclosed":[{"way":"slack"},{"again":"2026-11-20T13:30:00Z","at":"9999-12-31T23:59:59Z"}]}`,
		`{"state":"Open","episode":2,"claim":{"close":true,"until":"9999-12-31T23:59:59Z","tells":[{}]},"unclosed":[{"tries":-1,"episode":-7,"again":"2026-11-20T13:30:00Z"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &conversation.Conversation{}
		if json.Unmarshal(data, c) != nil {
			return
		}
		c.WakeAt()
		c.Heard(c.Next.Round)
		c.Singly()
		if task, taken := c.Take("a", turn(c.Next, fallback), night); taken && (c.Claim.Close != (task == conversation.Close) || !c.Holds(c.Claim, c.Episode)) {
			t.Fatal("who took it has it not")
		}
		c.Finish(turn(c.Next, fallback), []conversation.Telling{telling(c.Next, "slack")}, night)
		c.FinishLate(nil, night)
		c.Hear(post(7, event.Mention, night), care, night)
		c.Answer(post(8, event.OwnPost, night), night)
		c.Acknowledge("nina", night)
		c.Expire(night)
		c.Note(c.Episode-1, "care", []conversation.Telling{telling(c.Next, "slack")}, night)
		c.FinishClose(c.Claim, nil, c.Closable(night), night)
		if _, err := json.Marshal(c); err != nil {
			t.Fatalf("it cannot be written again: %v", err)
		}
	})
}
