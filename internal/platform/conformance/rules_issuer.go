// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

const (
	firstID  = "rostra-conformance-a"
	secondID = "rostra-conformance-b"
)

func issuerRules() []Rule {
	rules := []Rule{
		{Name: "mints a credential that is listed, works, and dies when it is revoked", check: checkIssuance},
		{Name: "does not mint a credential under a name that is taken", check: checkMintTwice},
		{Name: "finds and revokes a credential whose minting lost its answer", check: checkMintLost},
		{Name: "revokes a credential once more when the answer was lost", check: checkRevokeIssuedLost},
		{Name: "revokes what is not there", check: checkRevokeAbsent},
		{Name: "keeps the credentials of two accounts apart", check: checkApart},
		{Name: "takes an outage for one when it issues credentials", check: checkIssuerOutage},
	}
	for i := range rules {
		rules[i].applies = isIssuer
	}
	return rules
}

func (t *trial) issuer() platform.Issuer {
	issuer, ok := t.adapter.(platform.Issuer)
	t.Expect(ok).To(gomega.BeTrue())
	return issuer
}

// mint expects a new credential, and knows its secrets from then on.
func (t *trial) mint(ctx context.Context, account platform.Account, id string) credentials.Credential {
	credential, err := t.issuer().Mint(ctx, account, id)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(credential.ID).To(gomega.Equal(id))
	minted := secretsOf(credential.Values, append(t.public(), id)...)
	t.Expect(minted).NotTo(gomega.BeEmpty(), "a minted credential must hold a secret")
	t.secrets = append(t.secrets, minted...)
	t.clean(credential)
	return credential
}

func (t *trial) proves(ctx context.Context, credential credentials.Credential) {
	identity, err := t.issuer().Prove(ctx, t.good(), credential)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(identity.AccountID).To(gomega.Equal(t.Good.Identity.AccountID))
	t.Expect(identity.Handle).To(gomega.Equal(t.Good.Identity.Handle))
	t.clean(identity)
}

func (t *trial) revokesIssued(ctx context.Context, account platform.Account, id string) {
	now := t.Clock.Now()
	revocation, err := t.issuer().RevokeIssued(ctx, account, id)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(revocation.EffectiveBy).To(gomega.BeTemporally(">=", now.Add(-slackness)), "a revocation must say when it is effective")
}

func (t *trial) issued(ctx context.Context, account platform.Account) []string {
	ids, err := t.issuer().Issued(ctx, account)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	return ids
}

func checkIssuance(ctx context.Context, t *trial) {
	t.Expect(t.Good.Identity.CanMint).To(gomega.BeTrue(), "the good account's source credential must be able to mint")
	t.Expect(t.issued(ctx, t.good())).NotTo(gomega.ContainElement(firstID))
	first := t.mint(ctx, t.good(), firstID)
	second := t.mint(ctx, t.good(), secondID)
	t.Expect(t.issued(ctx, t.good())).To(gomega.ContainElements(firstID, secondID))
	t.proves(ctx, first)
	t.proves(ctx, second)

	t.revokesIssued(ctx, t.good(), firstID)
	t.Expect(t.issued(ctx, t.good())).To(gomega.And(gomega.ContainElement(secondID), gomega.Not(gomega.ContainElement(firstID))))
	_, err := t.issuer().Prove(ctx, t.good(), first)
	t.Expect(t.failure(err).Class).To(beRefusal())
	t.proves(ctx, second)
	t.verified(ctx, t.good(), t.Good.Identity)
}

func checkMintTwice(ctx context.Context, t *trial) {
	first := t.mint(ctx, t.good(), firstID)
	_, err := t.issuer().Mint(ctx, t.good(), firstID)
	t.Expect(t.failure(err).Class).To(gomega.Equal(platform.Conflict))
	t.Expect(count(t.issued(ctx, t.good()), firstID)).To(gomega.Equal(1))
	t.proves(ctx, first)
}

func count(ids []string, id string) int {
	n := 0
	for _, listed := range ids {
		if listed == id {
			n++
		}
	}
	return n
}

func checkMintLost(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	t.Server.Faults.Inject(t.path(CallMint), faults.LostAnswer()).Times(1)
	_, err := t.issuer().Mint(ctx, t.good(), firstID)
	t.Expect(t.failure(err).Class).NotTo(gomega.BeElementOf(speaksOfCredential()))
	t.restart()
	t.Expect(count(t.issued(ctx, t.good()), firstID)).To(gomega.Equal(1))
	t.revokesIssued(ctx, t.good(), firstID)
	t.Expect(t.issued(ctx, t.good())).NotTo(gomega.ContainElement(firstID))
	t.proves(ctx, t.mint(ctx, t.good(), firstID))
}

func checkRevokeIssuedLost(ctx context.Context, t *trial) {
	credential := t.mint(ctx, t.good(), firstID)
	t.Server.Faults.Inject(t.path(CallRevoke), faults.LostAnswer()).Times(1)
	if _, err := t.issuer().RevokeIssued(ctx, t.good(), firstID); err != nil {
		t.Expect(t.failure(err).Class.Passing()).To(gomega.BeTrue())
	}
	t.revokesIssued(ctx, t.good(), firstID)
	t.Expect(t.issued(ctx, t.good())).NotTo(gomega.ContainElement(firstID))
	_, err := t.issuer().Prove(ctx, t.good(), credential)
	t.Expect(t.failure(err).Class).To(beRefusal())
}

func checkRevokeAbsent(ctx context.Context, t *trial) {
	t.revokesIssued(ctx, t.good(), firstID)
	t.revokesIssued(ctx, t.good(), firstID)
}

func checkApart(ctx context.Context, t *trial) {
	credential := t.mint(ctx, t.good(), firstID)
	t.Expect(t.issued(ctx, t.other())).NotTo(gomega.ContainElement(firstID))
	t.revokesIssued(ctx, t.other(), firstID)
	t.Expect(t.issued(ctx, t.good())).To(gomega.ContainElement(firstID))
	t.proves(ctx, credential)
}

func checkIssuerOutage(ctx context.Context, t *trial) {
	credential := t.mint(ctx, t.good(), firstID)
	issuer := t.issuer()
	for _, attempt := range []func() error{
		func() error { _, err := issuer.Mint(ctx, t.good(), secondID); return err },
		func() error { _, err := issuer.Issued(ctx, t.good()); return err },
		func() error { _, err := issuer.Prove(ctx, t.good(), credential); return err },
		func() error { _, err := issuer.RevokeIssued(ctx, t.good(), firstID); return err },
	} {
		t.Server.Faults.Inject("", faults.Status(http.StatusServiceUnavailable))
		t.Expect(t.failure(attempt()).Class).To(gomega.Equal(platform.Transient))
		t.Server.Faults.Heal()
		t.verified(ctx, t.good(), t.Good.Identity)
	}
	t.Expect(t.issued(ctx, t.good())).To(gomega.And(gomega.ContainElement(firstID), gomega.Not(gomega.ContainElement(secondID))))
	t.proves(ctx, credential)
}
