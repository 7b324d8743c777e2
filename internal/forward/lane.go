// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package forward

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// lane is what is delivered to one team.
type lane struct {
	*gate

	f    *Forwarder
	team string
	// cancel and ended are of what delivers; nil where nothing does.
	cancel context.CancelFunc
	ended  chan struct{}

	mu sync.Mutex
	// suspects are letters that were not accepted, by their IDs: they may come
	// back after a rest.
	suspects map[string]*refusals
	// doubted is how many letters the sink had accepted when a letter was last
	// blamed for a first refusal: of two without one that is accepted in between,
	// the second is the sink's.
	doubted uint64
}

func newLane(f *Forwarder, team string) *lane {
	l := &lane{f: f, team: team, suspects: map[string]*refusals{}}
	l.gate = newGate(f.Clock, func(problem string, since time.Time) {
		f.Logger.Info("events cannot be delivered to a team's sink", "team", team, "problem", problem, "since", since)
		f.OnTrouble(team, problem, since)
	}, func() {
		f.Logger.Info("a team's sink takes events again", "team", team)
		f.OnRecovered(team)
	})
	return l
}

// start delivers, unless it does already, until stop is called or the context
// ends.
func (l *lane) start(ctx context.Context) {
	if l.cancel != nil {
		return
	}
	delivering, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	l.cancel, l.ended = cancel, ended
	l.f.delivering.Go(func() {
		defer close(ended)
		for l.awaitOpen(delivering) {
			l.turn(delivering)
		}
	})
}

// turn delivers until the context ends, the outbox cannot go on, or the sink is
// to be left alone for a while: then the letters go back to the outbox, for
// another process may have a way to the sink that this one has not.
func (l *lane) turn(ctx context.Context) {
	turn, cancel := context.WithCancel(ctx)
	defer cancel()
	l.onRest(cancel)
	err := l.f.Outbox.Deliver(turn, l.team, l.deliver)
	if turn.Err() != nil {
		return
	}
	l.f.Logger.Error(err, "events cannot be taken from the outbox; it is tried again", "team", l.team, "after", readAgain.String())
	l.f.pause(ctx, readAgain)
}

// stop ends what delivers, and waits for it.
func (l *lane) stop() {
	if l.cancel == nil {
		return
	}
	l.cancel()
	<-l.ended
	l.cancel, l.ended = nil, nil
}

// deliver sends one letter until it is accepted, set aside, or the context ends:
// until then nothing of its conversation follows.
func (l *lane) deliver(ctx context.Context, letter Letter) error {
	e, err := open(letter)
	if err != nil {
		l.setAside(letter, err)
		return nil
	}
	own := l.suspect(letter)
	// One that failed when the sink was last left alone lets others find out
	// first whether the sink is back.
	if own.tried && l.failing() && !l.f.pause(ctx, giveWay) {
		return ctx.Err()
	}
	for {
		pass, err := l.enter(ctx)
		if err != nil {
			return err
		}
		sent := l.f.Sender.Send(ctx, pass.target, e)
		if sent == nil {
			l.accepted(pass)
			l.clear(letter)
			l.f.metrics.deliveries.WithLabelValues(delivered).Inc()
			return nil
		}
		if ctx.Err() != nil {
			l.release(pass)
			return ctx.Err()
		}
		pause, enough := l.judge(pass, own, sent)
		if enough {
			l.setAside(letter, sent)
			l.clear(letter)
			return nil
		}
		if pause > 0 && !l.f.pause(ctx, pause) {
			return ctx.Err()
		}
	}
}

// maxSuspects bounds lane.suspects. A lane has a few letters in hand at a time,
// and what other processes made of the rest is not known.
const maxSuspects = 64

// suspect gives what is known of a letter's refusals.
func (l *lane) suspect(letter Letter) *refusals {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.suspects[letter.ID]
	if own == nil {
		if len(l.suspects) >= maxSuspects {
			clear(l.suspects)
		}
		own = &refusals{}
		l.suspects[letter.ID] = own
	}
	return own
}

func (l *lane) clear(letter Letter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.suspects, letter.ID)
}

const (
	// leastPause is how long a letter waits that a limit of our own put off.
	leastPause = 200 * time.Millisecond
	// giveWay is how long a letter waits that may be the reason of the failures.
	giveWay = 250 * time.Millisecond
)

// judge notes what a try that failed says of the sink or of the letter. It gives
// how long this letter alone is to wait, or that it had tries enough.
func (l *lane) judge(pass pass, own *refusals, err error) (pause time.Duration, enough bool) {
	failure, ok := errors.AsType[*webhook.Failure](err)
	if !ok {
		failure = &webhook.Failure{}
	}
	now, taken := l.f.Clock.Now(), l.count()
	switch kind := httpx.KindOf(err); {
	case kind == httpx.KindRateLimited || kind == httpx.KindBusy:
		l.release(pass)
		l.f.metrics.deliveries.WithLabelValues(deferred).Inc()
		return max(failure.RetryAfter, leastPause), false
	case l.isAbout(own, failure, kind, taken):
		l.refused(pass)
		l.f.metrics.deliveries.WithLabelValues(refused).Inc()
		enough = own.add(failure.Status, taken, now)
		if !enough && taken == own.taken {
			l.fret(err.Error()) // perhaps it refuses everything
		}
		return max(own.pause(), min(failure.RetryAfter, maxPause)), enough
	default:
		own.tried, own.takenThen = true, taken
		l.f.metrics.deliveries.WithLabelValues(failed).Inc()
		l.failed(pass, err.Error(), failure.Permanent, failure.RetryAfter)
		return 0, false
	}
}

// isAbout tells whether a failure is about what is in the letter, and not about
// the sink, which has accepted so many. It is for an answer that means just that;
// and for any other that came from the sink, where the letter fails again and
// others were accepted meanwhile. A first answer that somebody would have to mend
// is taken for it too, where the sink accepted others until now, and until it is
// known better: else one letter would keep back the others.
func (l *lane) isAbout(own *refusals, failure *webhook.Failure, kind httpx.Kind, taken uint64) bool {
	switch failure.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	case http.StatusTooManyRequests:
		return false
	}
	switch {
	case !hasReached(kind):
		return false
	case own.tried:
		return taken != own.takenThen
	case !failure.Permanent || failure.Status == 0:
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := taken != l.doubted
	l.doubted = taken
	return fresh
}

// hasReached tells whether a failure of that kind may be the sink's answer to
// what was sent; an answer with a status has no kind.
func hasReached(kind httpx.Kind) bool {
	switch kind {
	case httpx.KindAddressRefused, httpx.KindDNS, httpx.KindConnect, httpx.KindTLS, httpx.KindBreakerOpen, httpx.KindCanceled, httpx.KindInvalidRequest:
		return false
	case httpx.KindTimeout, httpx.KindProtocol, httpx.KindTruncated, httpx.KindBodyTooLarge, httpx.KindRedirect, httpx.KindBusy,
		httpx.KindRateLimited, httpx.KindNotJSON:
	}
	return true
}

// setAside gives a letter up, aloud.
func (l *lane) setAside(letter Letter, err error) {
	l.f.metrics.deliveries.WithLabelValues(givenUp).Inc()
	l.f.metrics.setAside.Inc()
	l.f.Logger.Error(err, "an event is set aside: the team's sink does not hear of it", "team", l.team, "event", letter.ID,
		"added", letter.Added)
}

const (
	// refusalsEnough is how often a sink may refuse a letter for what is in it
	// before the letter is set aside.
	refusalsEnough = 5
	// refusedFor is how long that has to go on, besides, where the answer may
	// mean something else: 400 is also what many receivers answer to a signature
	// that they cannot verify, and an error of the server may pass.
	refusedFor = 6 * time.Hour
)

// refusals of one letter.
type refusals struct {
	count int
	first time.Time
	// taken is how many letters the sink had accepted at the first of them, and
	// takenThen at the last try, where tried tells that there was one.
	taken, takenThen uint64
	tried            bool
}

// add counts one, and tells whether it is enough.
func (r *refusals) add(status int, taken uint64, now time.Time) bool {
	r.tried, r.takenThen = true, taken
	r.count++
	if r.count == 1 {
		r.first, r.taken = now, taken
	}
	long := now.Sub(r.first) >= refusedFor
	switch {
	case r.count < refusalsEnough:
		return false
	case status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return true
	case status == http.StatusBadRequest:
		return long || taken != r.taken
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return long
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		return taken != r.taken
	}
	return long // an error of the server, or no answer at all
}

// pause before the next try of the letter.
func (r *refusals) pause() time.Duration {
	const first = 10 * time.Second
	return backOff(r.count, first)
}
