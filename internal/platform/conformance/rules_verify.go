// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

const (
	atOnce    = 8                // concurrent calls
	promptly  = 2 * time.Second  // within which a cancelled call must be back
	patience  = 30 * time.Second // for what must happen at some time
	slackness = 5 * time.Second  // between a time that was said and one understood
)

func verifyRules() []Rule {
	return []Rule{
		{Name: "says whose account it is", check: checkVerify},
		{Name: "says that a wrong credential is refused", check: checkWrong},
		{Name: "says so when the server takes the source credential back", check: checkWithdrawn},
		{Name: "verifies within its budget of requests", check: checkBudget},
		{Name: "verifies one account many times at once", check: checkConcurrent},
		{Name: "returns promptly when it is cancelled", check: checkCancelled},
	}
}

func checkVerify(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	t.verified(ctx, t.other(), t.Other.Identity)
	t.verified(ctx, t.good(), t.Good.Identity)
}

func checkWrong(ctx context.Context, t *trial) {
	for range 2 {
		_, err := t.verify(ctx, t.wrong())
		t.Expect(t.failure(err).Class).To(beRefusal())
	}
}

func beRefusal() gomega.OmegaMatcher {
	return gomega.BeElementOf(platform.Unauthorized, platform.Revoked)
}

func checkWithdrawn(ctx context.Context, t *trial) {
	t.Expect(t.Server.WithdrawSource).NotTo(gomega.BeNil(), "the subject must say how to withdraw the source credential")
	if !isSessionEnder(t.adapter) { // a session that is open may outlive the credential
		t.verified(ctx, t.good(), t.Good.Identity)
	}
	t.Expect(t.Server.WithdrawSource(ctx)).To(gomega.Succeed())
	_, err := t.verify(ctx, t.good())
	t.Expect(t.failure(err).Class).To(beRefusal())
	t.verified(ctx, t.other(), t.Other.Identity)
}

func checkBudget(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	before := t.Server.Faults.Total()
	t.verified(ctx, t.good(), t.Good.Identity)
	t.Expect(t.Server.Faults.Total() - before).To(gomega.And(
		gomega.BeNumerically(">", 0), gomega.BeNumerically("<=", t.Server.probeBudget())))
}

// outcome is what one of many calls came to.
type outcome struct {
	identity platform.Identity
	err      error
}

// manyVerify verifies the good account many times at once, each time as
// another reconcile would.
func manyVerify(ctx context.Context, t *trial) []outcome {
	outcomes := make([]outcome, atOnce)
	var group sync.WaitGroup
	for i := range outcomes {
		account := t.good()
		group.Go(func() {
			outcomes[i].identity, outcomes[i].err = t.adapter.Verify(ctx, account)
		})
	}
	group.Wait()
	return outcomes
}

func checkConcurrent(ctx context.Context, t *trial) {
	succeeded := 0
	for _, result := range manyVerify(ctx, t) {
		if result.err != nil {
			t.Expect(t.failure(result.err).Class.Passing()).To(gomega.BeTrue(), "one of many calls at once may fail only for now: %v", result.err)
			continue
		}
		succeeded++
		result.identity.ExpiresAt = t.Good.Identity.ExpiresAt
		t.Expect(result.identity).To(gomega.Equal(t.Good.Identity))
	}
	t.Expect(succeeded).To(gomega.BeNumerically(">", 0))
	t.restart()
	t.verified(ctx, t.good(), t.Good.Identity)
}

func checkCancelled(ctx context.Context, t *trial) {
	hanging := t.Server.Faults.Inject("", faults.Hang())
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	account := t.good()
	go func() {
		_, err := t.adapter.Verify(asking, account)
		done <- err
	}()
	t.Eventually(hanging.Served).WithTimeout(patience).Should(gomega.BeNumerically(">", 0))
	cancel()
	var err error
	t.Eventually(done).WithTimeout(promptly).Should(gomega.Receive(&err))
	t.Expect(t.failure(err).Class).NotTo(gomega.BeElementOf(speaksOfCredential()))
	t.Expect(err).To(gomega.MatchError(context.Canceled), "the cause must be the cancellation, not a time limit")
	t.Server.Faults.Heal()
	t.verified(ctx, t.good(), t.Good.Identity)
}
