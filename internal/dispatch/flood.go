// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package dispatch

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/escalation"
)

const (
	// burst is of how many conversations of a channel a person is told singly,
	// and refill after how long they may be told of the next.
	burst  = 5
	refill = time.Minute
	// lookAgain is how soon crowds are looked at again that wait for each other.
	lookAgain = time.Second
	// farthest is how far ahead a crowd may be ready at the most, unless the clock
	// was set back.
	farthest = 2 * refill
)

// crowd are conversations of a channel of which the same people are to be told,
// and that wait for each other.
type crowd struct {
	uid, channel string
	task         conversation.Task
	people       []escalation.Hearer
	// key names the people, the channel and the task.
	key string
	ids map[string]struct{}
	// must tells that somebody must hear of one of them: its turn is of the
	// fallback, or in the stead of a route that is not there.
	must bool
	// since is when the first came, and before notBefore they are left alone.
	since, notBefore time.Time
}

// newCrowd makes the crowd to which a conversation belongs at a turn, without it.
func newCrowd(c *conversation.Conversation, task conversation.Task, turn escalation.Turn, now time.Time) *crowd {
	names := make([]string, 0, len(turn.People)+2)
	for _, hearer := range turn.People {
		names = append(names, hearer.String())
	}
	slices.Sort(names)
	kind := "turn"
	if task == conversation.TellLate {
		kind = "late"
	}
	// Names of teams and members have no line breaks.
	key := strings.Join(append(names, kind, c.ChannelUID), "\n")
	return &crowd{
		uid: c.ChannelUID, channel: c.Channel, task: task, people: turn.People, key: key, ids: map[string]struct{}{}, since: now,
		must: task == conversation.TakeTurn && (turn.At.Fallback || turn.At.StandIn),
	}
}

// floods keeps one person from being told of one channel again and again.
type floods struct {
	mu       sync.Mutex
	channels map[string]*flooded
	// crowded are the channels with crowds.
	crowded map[string]*flooded
	// next is when a crowd may be ready; zero for never.
	next time.Time
	// swept is when budgets were last forgotten that are full.
	swept time.Time
}

type flooded struct {
	budgets map[escalation.Person]*budget
	crowds  map[string]*crowd
}

// budget is how often a person may be told. It grows by one a refill, up to
// burst, since an instant.
type budget struct {
	left  int
	since time.Time
}

func newFloods() *floods {
	return &floods{channels: map[string]*flooded{}, crowded: map[string]*flooded{}}
}

func (f *floods) of(uid string) *flooded {
	found := f.channels[uid]
	if found == nil {
		found = &flooded{budgets: map[escalation.Person]*budget{}, crowds: map[string]*crowd{}}
		f.channels[uid] = found
	}
	return found
}

// at brings a person's budget to an instant.
func (f *flooded) at(who escalation.Person, now time.Time) *budget {
	b := f.budgets[who]
	if b == nil {
		b = &budget{left: burst, since: now}
		f.budgets[who] = b
	}
	if b.since.After(now) {
		b.since = now // the clock was set back
	}
	if grown := int(now.Sub(b.since) / refill); grown > 0 {
		b.left += grown
		b.since = b.since.Add(time.Duration(grown) * refill)
	}
	if b.left >= burst {
		b.left, b.since = burst, now
	}
	return b
}

// admit tells whether the people of a crowd may be told of a conversation
// singly, now; their budgets are charged then. Else it is held in a crowd.
func (f *floods) admit(c *crowd, id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(now)
	channel := f.of(c.uid)
	free := true
	for _, other := range channel.crowds {
		free = free && !other.shares(c)
	}
	for _, hearer := range c.people {
		free = free && channel.at(hearer.Person, now).left > 0
	}
	if !free {
		f.hold(channel, c, id)
		return false
	}
	for _, hearer := range c.people {
		channel.at(hearer.Person, now).left--
	}
	return true
}

// shares tells whether somebody is in both.
func (c *crowd) shares(other *crowd) bool {
	return slices.ContainsFunc(c.people, func(h escalation.Hearer) bool {
		return slices.ContainsFunc(other.people, func(o escalation.Hearer) bool { return o.Person == h.Person })
	})
}

// hold puts conversations into the crowd that they belong to.
func (f *floods) hold(channel *flooded, c *crowd, ids ...string) {
	held := channel.crowds[c.key]
	if held == nil {
		held = c
		channel.crowds[c.key] = held
		f.crowded[c.uid] = channel
		f.next = time.Time{}.Add(1) // look now
	}
	if c.since.Before(held.since) {
		held.since = c.since
	}
	held.must = held.must || c.must
	for _, id := range ids {
		held.ids[id] = struct{}{}
	}
}

// refund gives back what the people of a crowd were charged.
func (f *floods) refund(c *crowd) {
	f.mu.Lock()
	defer f.mu.Unlock()
	channel := f.of(c.uid)
	for _, hearer := range c.people {
		if b := channel.budgets[hearer.Person]; b != nil {
			b.left = min(burst, b.left+1)
		}
	}
}

// putBack holds a crowd again that came to nothing, until an instant at least.
func (f *floods) putBack(c *crowd, notBefore time.Time) {
	f.refund(c)
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := slices.Collect(maps.Keys(c.ids))
	f.hold(f.of(c.uid), c, ids...)
	f.channels[c.uid].crowds[c.key].notBefore = notBefore
}

// ready takes the crowds out whose people may be told now, and charges their
// budgets; and gives when the next may be ready, zero for never. Whoever waits
// longest goes first, and keeps what they wait for from those behind them.
func (f *floods) ready(now time.Time) (ready []*crowd, next time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next.IsZero() || now.Before(f.next) && !f.next.After(now.Add(farthest)) {
		return nil, f.next
	}
	f.next = time.Time{}
	for uid, channel := range f.crowded {
		ready = append(ready, f.readyOf(channel, now)...)
		if len(channel.crowds) == 0 {
			delete(f.crowded, uid)
		}
	}
	f.sweep(now)
	return ready, f.next
}

func (f *floods) readyOf(channel *flooded, now time.Time) (ready []*crowd) {
	waiting := slices.SortedFunc(maps.Values(channel.crowds), func(a, b *crowd) int { return a.since.Compare(b.since) })
	taken := map[escalation.Person]bool{}
	for _, c := range waiting {
		if c.notBefore.After(now.Add(farthest)) {
			c.notBefore = now
		}
		at := c.notBefore
		free := !now.Before(at)
		for _, hearer := range c.people {
			b := channel.at(hearer.Person, now)
			if b.left <= 0 {
				free = false
				if full := b.since.Add(refill); full.After(at) {
					at = full
				}
			}
			free = free && !taken[hearer.Person]
		}
		if free {
			delete(channel.crowds, c.key)
			ready = append(ready, c)
		} else if at = latest(at, now.Add(lookAgain)); f.next.IsZero() || at.Before(f.next) {
			f.next = at
		}
		for _, hearer := range c.people {
			if free {
				channel.at(hearer.Person, now).left--
			} else if !now.Before(c.notBefore) {
				taken[hearer.Person] = true
			}
		}
	}
	return ready
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sweep forgets budgets that are full, now and then.
func (f *floods) sweep(now time.Time) {
	if !f.swept.After(now) && now.Before(f.swept.Add(burst*refill)) {
		return
	}
	f.swept = now
	for uid, channel := range f.channels {
		for who := range channel.budgets {
			if channel.at(who, now).left == burst {
				delete(channel.budgets, who)
			}
		}
		if len(channel.budgets) == 0 && len(channel.crowds) == 0 {
			delete(f.channels, uid)
		}
	}
}
