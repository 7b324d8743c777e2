// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/internal/platform"
)

// Strangers decide how many events there are, and platforms count the requests
// of an account: what completes events must leave most of them to what looks
// after the account, and notices answers. Mastodon takes 300 in five minutes;
// this is less than a third of that.
const (
	budgetBurst = 30
	budgetEvery = 5 * time.Second
	// restAfter is how long an account is let be that refused, and a platform that
	// was too slow; and maxRest the longest that a platform can ask for.
	restAfter = time.Minute
	maxRest   = 15 * time.Minute
	// maxBudgets is how many are kept before those are dropped that are whole.
	maxBudgets = 1024
)

// budgets are how often accounts may be asked, by the UID of the channel. The
// zero value is ready.
type budgets struct {
	mu sync.Mutex
	of map[types.UID]*budget
	// slow are the platforms that are let be, by name, and until when.
	slow map[string]time.Time
}

type budget struct {
	limiter *rate.Limiter
	rests   time.Time // until then
}

// take takes one question to a platform, where there is one left.
func (b *budgets) take(uid types.UID, platform string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.slow[platform]) {
		return false
	}
	delete(b.slow, platform)
	own := b.get(uid, now)
	return !now.Before(own.rests) && own.limiter.AllowN(now, 1)
}

// rest lets an account be after a refusal that the next question would meet
// too. Other failures are of one question, or of the server, which the way out
// leaves alone by itself.
func (b *budgets) rest(uid types.UID, now time.Time, err error) {
	var until time.Time
	switch class := platform.ClassOf(err); {
	case class == platform.RateLimited:
		until = now.Add(restAfter)
		if at := platform.RetryAt(err); at.After(now) {
			until = at
		}
	case !class.Passing():
		until = now.Add(restAfter)
	}
	if latest := now.Add(maxRest); until.After(latest) {
		until = latest
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if own := b.get(uid, now); until.After(own.rests) {
		own.rests = until
	}
}

// restAll lets all accounts of a platform be that was too slow: each question
// would keep the messages of others waiting as long.
func (b *budgets) restAll(platform string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slow == nil {
		b.slow = map[string]time.Time{}
	}
	b.slow[platform] = now.Add(restAfter)
}

func (b *budgets) get(uid types.UID, now time.Time) *budget {
	if own, ok := b.of[uid]; ok {
		return own
	}
	if b.of == nil {
		b.of = map[types.UID]*budget{}
	}
	if len(b.of) >= maxBudgets {
		maps.DeleteFunc(b.of, func(_ types.UID, one *budget) bool {
			return !now.Before(one.rests) && one.limiter.TokensAt(now) >= budgetBurst
		})
	}
	own := &budget{limiter: rate.NewLimiter(rate.Every(budgetEvery), budgetBurst)}
	b.of[uid] = own
	return own
}
