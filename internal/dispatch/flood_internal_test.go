// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
)

// TestNobodyIsFlooded lets conversations of any audiences come at any times: no
// person hears of a channel more often than allowed, and everything that is held
// is told at last.
func TestNobodyIsFlooded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)
		f := newFloods()
		heard := map[escalation.Person][]time.Time{}
		waiting := map[string]bool{}
		hear := func(c *crowd) {
			for _, hearer := range c.people {
				heard[hearer.Person] = append(heard[hearer.Person], now)
			}
		}
		gather := func() {
			crowds, next := f.ready(now)
			for _, c := range crowds {
				hear(c)
				for id := range c.ids {
					delete(waiting, id)
				}
			}
			if len(waiting) > 0 && next.IsZero() {
				t.Fatal("some wait, and nothing wakes them")
			}
		}
		for n := range rapid.IntRange(1, 150).Draw(t, "conversations") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "pass")) * time.Second)
			id := fmt.Sprint("conversation-", n)
			c := crowdOf("uid-1", anyPeople(t), now)
			if f.admit(c, id, now) {
				hear(c)
			} else {
				waiting[id] = true
			}
			gather()
		}
		for n := 0; len(waiting) > 0; n++ {
			if n > 1000 {
				t.Fatalf("%d are never told", len(waiting))
			}
			_, next := f.ready(now)
			now = latest(now, next)
			gather()
		}
		for person, times := range heard {
			for first := range times {
				for last := first; last < len(times); last++ {
					if count, allowed := last-first+1, burst+int(times[last].Sub(times[first])/refill)+1; count > allowed {
						t.Fatalf("%s heard %d times within %s", person, count, times[last].Sub(times[first]))
					}
				}
			}
		}
	})
}

func anyPeople(t *rapid.T) []escalation.Hearer {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"maria", "nina", "dana"}), 1, 3, rapid.ID).Draw(t, "people")
	people := make([]escalation.Hearer, 0, len(names))
	for _, name := range names {
		people = append(people, escalation.Hearer{Person: escalation.Person{Team: "care", Name: name}})
	}
	return people
}

// TestBudgetsAreForgotten: what is full says nothing.
func TestBudgetsAreForgotten(t *testing.T) {
	now := time.Date(2026, 11, 20, 13, 30, 0, 0, time.UTC)
	f := newFloods()
	c := crowdOf("uid-1", []escalation.Hearer{{Person: escalation.Person{Team: "care", Name: "maria"}}}, now)
	if !f.admit(c, "one", now) {
		t.Fatal("the first is held")
	}
	f.admit(crowdOf("uid-2", c.people, now), "two", now.Add(2*burst*refill))
	if len(f.channels) != 1 {
		t.Fatalf("%d channels are remembered", len(f.channels))
	}
}

func crowdOf(uid string, people []escalation.Hearer, now time.Time) *crowd {
	return newCrowd(&conversation.Conversation{ChannelUID: uid, Channel: "social/" + uid}, conversation.TakeTurn, escalation.Turn{People: people}, now)
}
