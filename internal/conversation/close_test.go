// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conversation_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// receiver is where alerts are open, by what they are of.
type receiver map[string]bool

func alertOf(episode int, t *conversation.Telling) string {
	return fmt.Sprint(episode, t.Position, t.Late, t.Team, t.Member)
}

// unnoted is what was told and is not noted yet.
type unnoted struct {
	episode  int
	tellings []conversation.Telling
}

// told takes the task of the moment, and tells; what came of it is noted at once,
// later, or never.
func (r receiver) told(t *rapid.T, c *conversation.Conversation, now time.Time) *unnoted {
	next := escalation.Position{Step: c.Next.Step + 1}
	if next.Step >= 3 {
		next = fallback
	}
	whose := turn(c.Next, next)
	switch task, _ := c.Take("a", whose, now); task {
	case conversation.Rest:
	case conversation.GiveUp:
		c.Expire(now)
	case conversation.Close:
		closable := c.Closable(now)
		if rapid.Bool().Draw(t, "close fails") {
			c.FinishClose(c.Claim, nil, closable, now)
			return nil
		}
		for i := range closable {
			if !closable[i].Acknowledged {
				delete(r, alertOf(closable[i].Episode, &closable[i].Telling))
			}
		}
		c.FinishClose(c.Claim, closable, nil, now)
	case conversation.TakeTurn, conversation.TellLate:
		telling := telling(whose.At, "pagerduty")
		telling.At, telling.Late = now, task == conversation.TellLate
		some := []conversation.Telling{telling}
		r[alertOf(c.Episode, &telling)] = true
		switch rapid.SampledFrom([]string{"notes", "dies", "is late"}).Draw(t, "then") {
		case "is late":
			return &unnoted{c.Episode, some}
		case "notes":
			if telling.Late {
				c.FinishLate(some, now)
			} else {
				c.Finish(whose, some, now)
			}
		}
	}
	return nil
}

var _ = Describe("Of a conversation that is over", func() {
	It("nothing stays open that anybody was told, whatever happened", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			c, now, open := begun(care), night, receiver{}
			var late *unnoted
			for n := range rapid.IntRange(1, 30).Draw(t, "steps") {
				now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 60, 900, 4000}).Draw(t, "pass")) * time.Second)
				switch rapid.SampledFrom([]string{"hear", "answer", "acknowledge", "work", "work", "work", "note"}).Draw(t, "happens") {
				case "hear":
					c.Hear(post(n, event.Reply, now), care, now)
				case "answer":
					c.Answer(post(n+1000, event.OwnPost, now.Add(-time.Minute)), now)
				case "acknowledge":
					c.Acknowledge("nina", now)
				case "note":
					if late != nil {
						c.Note(late.episode, "care", late.tellings, now)
						late = nil
					}
				case "work":
					if one := open.told(t, c, now); one != nil {
						late = one
					}
				}
			}
			for n := 0; !c.WakeAt().IsZero(); n++ {
				g.Expect(n).To(BeNumerically("<", 10_000))
				if c.WakeAt().After(now) {
					now = c.WakeAt()
				}
				open.told(t, c, now)
			}
			g.Expect(open).To(BeEmpty())
		})
	})
})
