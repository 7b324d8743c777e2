// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

const probes = 5

func sessionRules() []Rule {
	rules := []Rule{
		{Name: "keeps one session for many calls, also after a restart", check: checkOneSession},
		{Name: "ends its session, and ends none", check: checkEndSession},
		{Name: "opens a new session where the kept one is worth nothing", check: checkDamagedSession},
		{Name: "uses no session that another writer has replaced", check: checkSessionConflict},
		{Name: "recovers when the process ends before its session is stored", check: afterCrash(CrashBefore)},
		{Name: "recovers when the process ends after its session is stored", check: afterCrash(CrashAfter)},
	}
	for i := range rules {
		rules[i].applies = isSessionEnder
	}
	return rules
}

func (t *trial) opened() int { return t.Server.Faults.Requests()[t.path(CallOpenSession)] }

func checkOneSession(ctx context.Context, t *trial) {
	for range probes {
		t.verified(ctx, t.good(), t.Good.Identity)
	}
	t.restart()
	t.verified(ctx, t.good(), t.Good.Identity)
	t.Expect(t.opened()).To(gomega.Equal(1))
	t.Expect(t.kept("good").Stored()).NotTo(gomega.BeEmpty())
}

func (t *trial) endsSession(ctx context.Context) {
	ender, ok := t.adapter.(platform.SessionEnder)
	t.Expect(ok).To(gomega.BeTrue())
	t.Expect(ender.EndSession(ctx, t.good())).To(gomega.Succeed())
	t.Expect(t.kept("good").Stored()).To(gomega.BeEmpty())
}

func checkEndSession(ctx context.Context, t *trial) {
	t.endsSession(ctx)
	t.verified(ctx, t.good(), t.Good.Identity)
	t.endsSession(ctx)
	t.endsSession(ctx)
	t.verified(ctx, t.good(), t.Good.Identity)
	t.Expect(t.opened()).To(gomega.Equal(2))
}

func checkDamagedSession(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	damaged := credentials.Values{}
	for key := range t.kept("good").Stored() {
		damaged[key] = credentials.NewValue("damaged")
	}
	for _, session := range []credentials.Values{damaged, {"left-by": credentials.NewValue("an older version")}} {
		t.kept("good").Put(session)
		t.restart()
		t.verified(ctx, t.good(), t.Good.Identity)
	}
}

func checkSessionConflict(ctx context.Context, t *trial) {
	t.kept("good").NextSave(Conflict)
	if _, err := t.verify(ctx, t.good()); err != nil {
		t.Expect(t.failure(err).Class.Passing()).To(gomega.BeTrue(), "a conflict passes by itself: %v", err)
	}
	t.verified(ctx, t.good(), t.Good.Identity)
	t.Expect(t.kept("good").Stored()).NotTo(gomega.BeEmpty())
}

func afterCrash(when Mishap) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		t.kept("good").NextSave(when)
		t.Expect(crashes(func() { _, _ = t.adapter.Verify(ctx, t.good()) })).To(gomega.BeTrue(), "a session must be stored before Verify returns")
		t.restart()
		t.verified(ctx, t.good(), t.Good.Identity)
		t.verified(ctx, t.good(), t.Good.Identity)
	}
}

// crashes tells whether the process ended in do.
func crashes(do func()) (crashed bool) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case Crash:
			crashed = true
		default:
			panic(cause)
		}
	}()
	do()
	return false
}
