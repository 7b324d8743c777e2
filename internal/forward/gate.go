// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/webhook"
)

const (
	// Pauses after failures of a sink, and the longest that it may ask for.
	firstPause = time.Second
	maxPause   = 5 * time.Minute
	maxAsked   = time.Hour
	// restFrom is the pause from which letters are not held meanwhile.
	restFrom = 10 * time.Second
)

// backOff is the pause after so many failures in a row.
func backOff(failures int, first time.Duration) time.Duration {
	pause := first
	for n := 1; n < failures && pause < maxPause; n++ {
		pause *= 2
	}
	return min(pause, maxPause)
}

// gate lets tries pass to a sink: as they come while it answers, and after a
// failure one at a time, each after a pause.
type gate struct {
	clock clock.Clock
	say   func(problem string, since time.Time)
	over  func()

	mu sync.Mutex
	// target is nil while there is none.
	target *webhook.Target
	// failures in a row; since the last, nothing passes before notBefore, and
	// probing tells that one has passed and is not back.
	failures  int
	notBefore time.Time
	probing   bool
	// epoch counts changes of all these: of several tries that were under way at
	// the same time, the first that fails counts.
	epoch uint64
	// rest is called when a long pause begins.
	rest func()
	// moved is closed, and replaced, when somebody who waits is to look again.
	moved chan struct{}
	// taken counts the letters that the sink accepted.
	taken   uint64
	trouble trouble
	// fullSaid is when it was last said that letters are left out.
	fullSaid time.Time
}

func newGate(c clock.Clock, say func(string, time.Time), over func()) *gate {
	return &gate{clock: c, say: say, over: over, rest: func() {}, moved: make(chan struct{})}
}

// pass allows one try.
type pass struct {
	target webhook.Target
	epoch  uint64
}

// enter waits until a try may be made. What it gives has to be given back with
// accepted, refused, failed or release. An error is the context's.
func (g *gate) enter(ctx context.Context) (pass, error) {
	for {
		p, ok, wait, moved := g.try()
		if err := ctx.Err(); err != nil {
			if ok {
				g.release(p)
			}
			return pass{}, err
		}
		if ok {
			return p, nil
		}
		g.await(ctx, wait, moved)
	}
}

// try gives a pass, or says how long to wait for one at most: zero for as long
// as nothing moves.
func (g *gate) try() (p pass, ok bool, wait time.Duration, moved <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait = g.notBefore.Sub(g.clock.Now())
	switch {
	case g.target == nil, g.failures > 0 && g.probing:
		return pass{}, false, 0, g.moved
	case wait > 0:
		return pass{}, false, wait, g.moved
	}
	g.probing = g.failures > 0
	return pass{target: *g.target, epoch: g.epoch}, true, 0, nil
}

func (g *gate) await(ctx context.Context, wait time.Duration, moved <-chan struct{}) {
	var late <-chan time.Time
	if wait > 0 {
		timer := g.clock.NewTimer(wait)
		defer timer.Stop()
		late = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-moved:
	case <-late:
	}
}

// awaitOpen waits until a try could be made. It tells whether the context goes
// on.
func (g *gate) awaitOpen(ctx context.Context) bool {
	for ctx.Err() == nil {
		g.mu.Lock()
		wait, none, moved := g.notBefore.Sub(g.clock.Now()), g.target == nil, g.moved
		g.mu.Unlock()
		switch {
		case none:
			g.await(ctx, 0, moved)
		case wait > 0:
			g.await(ctx, wait, moved)
		default:
			return true
		}
	}
	return false
}

// onRest sets what is called when a pause begins that is so long that nobody
// should hold a letter for it.
func (g *gate) onRest(rest func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rest = rest
}

// accepted notes that the sink took a letter.
func (g *gate) accepted(p pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.isTo(g.target) {
		g.taken++
		g.reset()
		if g.trouble.end() {
			g.over()
		}
	}
}

// refused notes that the sink is there, and does not want this letter.
func (g *gate) refused(p pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.isTo(g.target) {
		g.reset()
	}
}

// count is how many letters the sink has accepted.
func (g *gate) count() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.taken
}

// failing tells whether the sink failed when it was last tried.
func (g *gate) failing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failures > 0
}

// failed notes that the sink failed, and whether somebody has to mend that.
func (g *gate) failed(p pass, problem string, grave bool, asked time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.epoch != g.epoch {
		return // said already by another that was under way at the same time
	}
	now := g.clock.Now()
	g.failures++
	pause := maxPause
	if !grave {
		pause = backOff(g.failures, firstPause)
	}
	pause = max(pause, min(asked, maxAsked))
	g.notBefore = now.Add(pause)
	g.change()
	if pause >= restFrom {
		g.rest()
	}
	g.note(problem, grave, now)
}

// release gives back a pass of which nothing is to be learnt.
func (g *gate) release(p pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.epoch == g.epoch && g.probing {
		g.change()
	}
}

// retarget sets where tries go. A sink that is another, or has other secrets,
// is tried at once.
func (g *gate) retarget(target *webhook.Target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if target == nil && g.target == nil || target != nil && (pass{target: *target}).isTo(g.target) {
		return
	}
	g.target, g.failures, g.notBefore = target, 0, time.Time{}
	g.change()
}

// worry notes what somebody has to mend, and fret what may pass by itself.
func (g *gate) worry(problem string) { g.complain(problem, true) }

func (g *gate) fret(problem string) { g.complain(problem, false) }

func (g *gate) complain(problem string, grave bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note(problem, grave, g.clock.Now())
}

func (g *gate) note(problem string, grave bool, now time.Time) {
	if g.trouble.note(problem, grave, now) {
		g.say(problem, g.trouble.since)
	}
}

// problemFull is the trouble of a team for which there is no room.
const problemFull = "so many events wait for the team's event sink that there is no room for more, and new ones are left out: " +
	"they are not lost to Rostra, but the sink will not hear of them"

// overflows notes that a letter was left out, and says it once an hour.
func (g *gate) overflows() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.clock.Now(); g.fullSaid.IsZero() || now.Sub(g.fullSaid) >= fullAgain {
		g.fullSaid = now
		g.say(problemFull, now)
	}
}

// reset notes that the sink answers.
func (g *gate) reset() {
	if g.failures > 0 {
		g.failures, g.notBefore = 0, time.Time{}
		g.change()
	}
}

// change begins an epoch.
func (g *gate) change() {
	g.probing = false
	g.epoch++
	close(g.moved)
	g.moved = make(chan struct{})
}

// isTo tells whether a try went to this target.
func (p pass) isTo(target *webhook.Target) bool {
	return target != nil && p.target.URL.Reveal() == target.URL.Reveal() &&
		slices.EqualFunc(p.target.Secrets, target.Secrets, func(a, b credentials.Value) bool { return a.Reveal() == b.Reveal() })
}

const (
	// troubleAfter is how long a sink may fail before it is said, where it may
	// pass by itself.
	troubleAfter = time.Minute
	// troubleAgain is how soon it is said again, where it has become another.
	troubleAgain = 10 * time.Minute
	// fullAgain is how soon it is said again that events are left out.
	fullAgain = time.Hour
)

// trouble is what is wrong with a sink.
type trouble struct {
	since  time.Time
	said   string
	saidAt time.Time
}

// note takes a problem in, and tells whether to say it.
func (t *trouble) note(problem string, grave bool, now time.Time) bool {
	if t.since.IsZero() {
		t.since = now
	}
	switch {
	case t.said == "":
		if !grave && now.Sub(t.since) < troubleAfter {
			return false
		}
	case t.said == problem, now.Sub(t.saidAt) < troubleAgain:
		return false
	}
	t.said, t.saidAt = problem, now
	return true
}

// end forgets it, and tells whether it was said.
func (t *trouble) end() bool {
	said := t.said != ""
	*t = trouble{}
	return said
}
