// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

func revokerRules() []Rule {
	rules := []Rule{
		{Name: "revokes a credential at hand, and again", check: checkRevoke},
		{Name: "revokes a credential at hand once more when the answer was lost", check: checkRevokeLost},
		{Name: "revokes nothing in an outage", check: checkRevokeOutage},
		{Name: "calls nothing revoked for an answer that makes no sense", check: checkRevokeNonsense},
		{Name: "takes a credential at hand that the server never knew for gone", check: checkRevokeUnknown},
	}
	for i := range rules {
		rules[i].applies = isRevoker
	}
	return rules
}

func (t *trial) revoke(ctx context.Context, account platform.Account) (platform.Revocation, error) {
	revoker, ok := t.adapter.(platform.Revoker)
	t.Expect(ok).To(gomega.BeTrue())
	revocation, err := revoker.Revoke(ctx, account, t.deliverable(ctx, account))
	t.clean(revocation, err)
	return revocation, err
}

func (t *trial) revokes(ctx context.Context, account platform.Account) {
	now := t.Clock.Now()
	revocation, err := t.revoke(ctx, account)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(revocation.EffectiveBy).To(gomega.BeTemporally(">=", now.Add(-slackness)), "a revocation must say when it is effective")
}

// works asks the server, past the adapter, whether the good account's
// credential still works.
func (t *trial) works(ctx context.Context) bool {
	t.Expect(t.Server.Works).NotTo(gomega.BeNil(), "the subject must say how to see whether a credential works")
	works, err := t.Server.Works(ctx, t.deliverable(ctx, t.good()))
	t.Expect(err).NotTo(gomega.HaveOccurred())
	return works
}

func checkRevoke(ctx context.Context, t *trial) {
	t.Expect(t.works(ctx)).To(gomega.BeTrue())
	t.revokes(ctx, t.good())
	t.Expect(t.works(ctx)).To(gomega.BeFalse())
	t.revokes(ctx, t.good())
	_, err := t.verify(ctx, t.good())
	t.Expect(t.failure(err).Class).To(beRefusal())
	t.verified(ctx, t.other(), t.Other.Identity)
}

func checkRevokeLost(ctx context.Context, t *trial) {
	t.Server.Faults.Inject(t.path(CallRevoke), faults.LostAnswer()).Times(1)
	if _, err := t.revoke(ctx, t.good()); err != nil {
		t.Expect(t.failure(err).Class.Passing()).To(gomega.BeTrue())
	}
	t.Expect(t.works(ctx)).To(gomega.BeFalse())
	t.restart()
	t.revokes(ctx, t.good())
}

func checkRevokeOutage(ctx context.Context, t *trial) {
	t.Server.Faults.Inject("", faults.Status(http.StatusServiceUnavailable))
	_, err := t.revoke(ctx, t.good())
	t.Expect(t.failure(err).Class).To(gomega.Equal(platform.Transient))
	t.Server.Faults.Heal()
	t.Expect(t.works(ctx)).To(gomega.BeTrue())
	t.verified(ctx, t.good(), t.Good.Identity)
}

func checkRevokeNonsense(ctx context.Context, t *trial) {
	for _, fault := range []faults.Fault{faults.HTML(http.StatusOK), faults.HTML(http.StatusUnauthorized), faults.Drop()} {
		t.Server.Faults.Inject("", fault)
		_, err := t.revoke(ctx, t.good())
		t.failure(err)
		t.Server.Faults.Heal()
		t.Expect(t.works(ctx)).To(gomega.BeTrue())
	}
}

func checkRevokeUnknown(ctx context.Context, t *trial) { t.revokes(ctx, t.wrong()) }
