// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"container/heap"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
)

// index is what is known of all conversations, in memory.
type index struct {
	seed maphash.Seed

	mu         sync.Mutex
	generation uint32
	entries    map[string]*entry
	channels   map[string]*channel
	// posts finds a conversation by a post of either side, and threads those in a
	// thread, by digests.
	posts   map[uint64]*entry
	threads map[uint64][]*entry
	aheads  map[string]uint64
	// flooded are gatherings of which something is open.
	flooded map[string]Flooded
	states  map[conversation.State]int
	due     deadlines
	// woken has room for one: the earliest deadline is another.
	woken chan struct{}
	// left is called, under the lock, with the name of a channel of which no
	// conversation is left.
	left func(name string)
}

// channel is what the conversations of a channel have in common.
type channel struct {
	uid, name, platform string
	entries             []*entry
	waiting             int
}

// entry is one conversation. Times are nanoseconds since 1970; 0 is none.
type entry struct {
	id                      string
	thread                  string
	channel                 *channel
	state                   conversation.State
	claimedBy               string
	openedAt, wakeAt, ended int64
	rowAt                   int64 // the row's own deadline
	target                  time.Duration
	revision                uint64
	posts                   []uint64
	responses               []response
	threadKey               uint64
	episode                 int32
	place                   int32 // in due; -1 for nowhere
	row                     int32 // in channel.entries; -1 where it was removed
	generation              uint32
	responded               bool // to the present episode
}

// response is a first response: when it came, how long it took, and how long it
// was to take.
type response struct {
	at           int64
	took, target time.Duration
}

func newIndex() *index {
	return &index{
		seed: maphash.MakeSeed(), entries: map[string]*entry{}, channels: map[string]*channel{}, posts: map[uint64]*entry{},
		threads: map[uint64][]*entry{}, aheads: map[string]uint64{}, flooded: map[string]Flooded{}, states: map[conversation.State]int{}, woken: make(chan struct{}, 1),
		left: func(string) {},
	}
}

// key is a digest of something of a channel's.
func (x *index) key(kind, channelUID, what string) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, part := range []string{kind, channelUID, what} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func (x *index) postKey(channelUID, post string) uint64 {
	return x.key("post", channelUID, conversation.Mark(post))
}

// begin begins to read all rows anew; sweep forgets those that did not come, and
// gives the names of their channels.
func (x *index) begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.generation++
	clear(x.flooded)
}

func (x *index) sweep() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var channels []string
	for _, e := range x.entries {
		if e.generation != x.generation {
			x.remove(e)
			channels = append(channels, e.channel.name)
		}
	}
	slices.Sort(channels)
	return slices.Compact(channels)
}

func (x *index) has(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.entries[id] != nil
}

// knows tells whether a row is in the index already, as it is or later.
func (x *index) knows(id string, revision uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.entries[id]
	if e == nil || e.revision < revision {
		return false
	}
	e.generation = x.generation
	return true
}

// put takes in a conversation, unless a later form of it is known. It names the
// channel, and tells whether anything changed.
func (x *index) put(c *conversation.Conversation, revision uint64) (string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.entries[c.ID]
	if e != nil && e.revision >= revision {
		return c.Channel, false
	}
	if e == nil {
		e = &entry{id: c.ID, place: -1}
		x.entries[e.id] = e
		e.channel = x.channelOf(c)
		e.channel.add(e)
		e.thread = c.Thread
		e.threadKey = x.key("thread", c.ChannelUID, c.Thread)
		x.threads[e.threadKey] = append(x.threads[e.threadKey], e)
	} else {
		x.uncount(e)
	}
	e.revision, e.generation = revision, x.generation
	e.state, e.episode = c.State, int32(min(c.Episode, 1<<30)) //nolint:gosec // G115: bounded
	x.count(e)
	e.openedAt, e.rowAt, e.ended, e.target = nanos(c.OpenedAt), nanos(c.WakeAt()), nanos(c.ClosedAt), c.Terms.Target
	if e.claimedBy = ""; c.Claim != nil {
		e.claimedBy = c.Claim.By
	}
	e.responses, e.responded = responses(c), c.Response != nil
	x.putPosts(e, c)
	x.setWake(e, e.rowAt)
	return c.Channel, true
}

func (x *index) channelOf(c *conversation.Conversation) *channel {
	found := x.channels[c.ChannelUID]
	if found == nil {
		found = &channel{uid: c.ChannelUID, name: c.Channel, platform: c.Platform}
		x.channels[c.ChannelUID] = found
	}
	return found
}

// add and remove take constant time, so that entries can be copied as a slice.
func (c *channel) add(e *entry) {
	e.row = int32(len(c.entries)) //nolint:gosec // G115: as many as fit into memory
	c.entries = append(c.entries, e)
}

func (c *channel) remove(e *entry) {
	last := len(c.entries) - 1
	moved := c.entries[last]
	c.entries[e.row], moved.row = moved, e.row
	c.entries[last] = nil
	c.entries = c.entries[:last]
	e.row = -1
}

func (x *index) count(e *entry) {
	x.states[e.state]++
	if e.state.Waits() {
		e.channel.waiting++
	}
}

func (x *index) uncount(e *entry) {
	x.states[e.state]--
	if e.state.Waits() {
		e.channel.waiting--
	}
}

func responses(c *conversation.Conversation) []response {
	if c.Response == nil && len(c.Past) == 0 {
		return nil
	}
	all := make([]response, 0, len(c.Past)+1)
	add := func(r conversation.Response) {
		all = append(all, response{at: nanos(r.At), took: r.Took(), target: r.Target})
	}
	for _, past := range c.Past {
		add(past)
	}
	if c.Response != nil {
		add(*c.Response)
	}
	return all
}

func (x *index) putPosts(e *entry, c *conversation.Conversation) {
	keys := make([]uint64, 0, len(c.Posts))
	for _, mark := range c.Posts {
		keys = append(keys, x.key("post", c.ChannelUID, mark))
	}
	if slices.Equal(keys, e.posts) {
		return
	}
	for _, key := range e.posts {
		if x.posts[key] == e && !slices.Contains(keys, key) {
			delete(x.posts, key)
		}
	}
	for _, key := range keys {
		x.posts[key] = e
	}
	e.posts = keys
}

// drop forgets a conversation whose row is gone.
func (x *index) drop(id string, revision uint64) (string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.entries[id]
	if e == nil || e.revision > revision {
		return "", false
	}
	x.remove(e)
	return e.channel.name, true
}

func (x *index) remove(e *entry) {
	delete(x.entries, e.id)
	x.uncount(e)
	e.channel.remove(e)
	if len(e.channel.entries) == 0 {
		x.leave(e.channel)
	}
	for _, key := range e.posts {
		if x.posts[key] == e {
			delete(x.posts, key)
		}
	}
	left := slices.DeleteFunc(x.threads[e.threadKey], func(other *entry) bool { return other == e })
	if x.threads[e.threadKey] = left; len(left) == 0 {
		delete(x.threads, e.threadKey)
	}
	x.setWake(e, 0)
}

// leave forgets a channel. Another may have its name meanwhile.
func (x *index) leave(c *channel) {
	delete(x.channels, c.uid)
	for _, other := range x.channels {
		if other.name == c.name {
			return
		}
	}
	x.left(c.name)
}

func (x *index) putAhead(key string, revision uint64, gone bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch known := x.aheads[key]; {
	case gone && known <= revision:
		delete(x.aheads, key)
	case !gone && known < revision:
		x.aheads[key] = revision
	}
}

func (x *index) putFlooded(of Flooded) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(of.Floods) == 0 {
		delete(x.flooded, of.Key)
		return
	}
	x.flooded[of.Key] = of
	select {
	case x.woken <- struct{}{}:
	default:
	}
}

func (x *index) floods() []Flooded {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Values(x.flooded))
}

func (x *index) hasAhead(key string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.aheads[key]
	return ok
}

// setWake puts an entry where its deadline belongs; 0 is nowhere.
func (x *index) setWake(e *entry, at int64) {
	first := x.due.first()
	e.wakeAt = at
	switch {
	case at == 0 && e.place >= 0:
		heap.Remove(&x.due, int(e.place))
	case at == 0:
	case e.place >= 0:
		heap.Fix(&x.due, int(e.place))
	default:
		heap.Push(&x.due, e)
	}
	if x.due.first() != first {
		select {
		case x.woken <- struct{}{}:
		default:
		}
	}
}

// takeDue takes those out whose deadline has come, the earliest first.
func (x *index) takeDue(now time.Time, limit int) (ids []string, next time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.due) > 0 && len(ids) < limit && x.due[0].wakeAt <= now.UnixNano() {
		ids = append(ids, heap.Pop(&x.due).(*entry).id) //nolint:forcetypeassert // it holds nothing else
	}
	return ids, moment(x.due.first())
}

// claimed gives those of whom a process has the claim.
func (x *index) claimed(by func(string) bool) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var ids []string
	for id, e := range x.entries {
		if e.claimedBy != "" && by(e.claimedBy) {
			ids = append(ids, id)
		}
	}
	return ids
}

// wake puts a conversation back among the deadlines: at the row's own, but not
// before an instant; or now, whatever the row says.
func (x *index) wake(id string, at time.Time, now bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.entries[id]
	switch {
	case e == nil:
	case now:
		x.setWake(e, nanos(at))
	case e.rowAt == 0:
		x.setWake(e, 0)
	default:
		x.setWake(e, max(nanos(at), e.rowAt))
	}
}

// chunk is how many entries are looked at before others have their turn.
const chunk = 512

// walk looks at the entries of the channels that are meant. It lets go of the
// lock now and then: each that is there from the beginning to the end is seen
// once, as it is then, and of those that come and go meanwhile, some.
func (x *index) walk(meant func(*channel) bool, see func(*entry)) {
	for part := range slices.Chunk(x.of(meant), chunk) {
		x.mu.Lock()
		for _, e := range part {
			if e.row >= 0 {
				see(e)
			}
		}
		x.mu.Unlock()
	}
}

func (x *index) of(meant func(*channel) bool) []*entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []*entry
	for _, c := range x.channels {
		if meant(c) {
			found = append(found, c.entries...)
		}
	}
	return found
}

func nanos(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

func moment(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}

// deadlines are the entries by their deadlines; a heap.
type deadlines []*entry

func (d deadlines) first() int64 {
	if len(d) == 0 {
		return 0
	}
	return d[0].wakeAt
}

// Len implements heap.Interface.
func (d deadlines) Len() int { return len(d) }

// Less implements heap.Interface.
func (d deadlines) Less(i, j int) bool { return d[i].wakeAt < d[j].wakeAt }

// Swap implements heap.Interface.
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = int32(i), int32(j) //nolint:gosec // G115: as many as fit into memory
}

// Push implements heap.Interface.
func (d *deadlines) Push(one any) {
	e := one.(*entry)        //nolint:forcetypeassert // index pushes nothing else
	e.place = int32(len(*d)) //nolint:gosec // G115: as many as fit into memory
	*d = append(*d, e)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	e := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	e.place = -1
	return e
}
