// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"sync"
	"time"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// lanes is how many accounts can renew their sessions at once. Two accounts in
// one lane wait for each other, which costs nothing but time.
const lanes = 64

// turns lets one call at a time change an account's session: a refresh token
// works once, and a probe and a poll may want to renew at the same moment.
type turns struct {
	seed  maphash.Seed
	lanes [lanes]chan struct{}
}

func newTurns() turns {
	t := turns{seed: maphash.MakeSeed()}
	for i := range t.lanes {
		t.lanes[i] = make(chan struct{}, 1)
	}
	return t
}

// inTurn runs do when it is the account's turn.
func (a *Adapter) inTurn(ctx context.Context, account platform.Account, do func() (session, *platform.Failure)) (session, *platform.Failure) {
	lane := a.turns.lanes[maphash.String(a.turns.seed, limiterKey(account))%lanes]
	select {
	case lane <- struct{}{}:
	case <-ctx.Done():
		return session{}, &platform.Failure{Class: platform.Transient, Message: "the request was given up while another for the same account was under way", Cause: ctx.Err()}
	}
	defer func() { <-lane }()
	return do()
}

// mostParked bounds the sessions that wait to be stored. There are as many only
// when the cluster's API has been out of order through as many renewals.
const mostParked = 10_000

// parked holds sessions that X has given and that could not be stored. They are
// not used. The refresh token that they came of works no more, so to forget one
// would cost a person's consent. The zero value is empty.
type parked struct {
	mu       sync.Mutex
	sessions map[[sha256.Size]byte]session
}

// put keeps what came of a refresh token.
func (p *parked) put(spent credentials.Value, fresh session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sessions == nil {
		p.sessions = map[[sha256.Size]byte]session{}
	}
	if len(p.sessions) < mostParked {
		p.sessions[sha256.Sum256([]byte(spent.Reveal()))] = fresh
	}
}

// take gives what came of a refresh token, once.
func (p *parked) take(spent credentials.Value) (session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := sha256.Sum256([]byte(spent.Reveal()))
	fresh, ok := p.sessions[key]
	delete(p.sessions, key)
	return fresh, ok
}

// mostRefusals bounds the refusals that are remembered. To forget them all costs
// each account whose grant is gone one more try.
const mostRefusals = 10_000

// firstRefusal is when X first refused a refresh token, and how; zero where it
// did not.
type firstRefusal struct {
	at    time.Time
	cause *platform.Failure
}

// waits tells whether the refusal is too fresh to mean that the grant is gone.
func (r firstRefusal) waits(now time.Time, patience time.Duration) bool {
	return !r.at.IsZero() && now.Before(r.at.Add(patience))
}

// failure says that the refusal may pass, and when to ask again.
func (r firstRefusal) failure(patience time.Duration) *platform.Failure {
	return &platform.Failure{
		Class: platform.Transient, Code: r.cause.Code, RetryAt: r.at.Add(patience), Cause: r.cause,
		Message: "X does not accept the refresh token; another process of Rostra may just have used it, so that it is tried again in a moment",
	}
}

// refusals remembers which refresh tokens X has refused. The zero value is
// empty.
type refusals struct {
	mu    sync.Mutex
	first map[[sha256.Size]byte]firstRefusal
}

// of gives the first refusal of a token.
func (r *refusals) of(token credentials.Value) firstRefusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first[sha256.Sum256([]byte(token.Reveal()))]
}

// note remembers a refusal, and gives the first one of that token.
func (r *refusals) note(token credentials.Value, cause *platform.Failure, now time.Time) firstRefusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := sha256.Sum256([]byte(token.Reveal()))
	if known, ok := r.first[key]; ok {
		return known
	}
	if r.first == nil || len(r.first) >= mostRefusals {
		r.first = map[[sha256.Size]byte]firstRefusal{}
	}
	r.first[key] = firstRefusal{at: now, cause: cause}
	return r.first[key]
}
