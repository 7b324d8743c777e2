// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform"
)

// Rule is one thing that an adapter must do.
type Rule struct {
	// Name says it, as the end of the sentence "it …".
	Name string

	applies func(platform.Platform) bool // nil: to every adapter
	needs   func(Server) bool            // nil: nothing that a server may lack
	check   func(context.Context, *trial)
}

// AppliesTo tells whether the adapter has the port that the rule is about.
func (r Rule) AppliesTo(p platform.Platform) bool { return r.applies == nil || r.applies(p) }

// CanTry tells whether the subject says what the rule needs to know of its
// server.
func (r Rule) CanTry(server Server) bool { return r.needs == nil || r.needs(server) }

// Check tries the rule on a fresh subject and reports to g.
func (r Rule) Check(ctx context.Context, g gomega.Gomega, subject Subject) {
	r.check(ctx, newTrial(g, subject))
}

// Rules are all rules, in an order fit for reading.
func Rules() []Rule {
	return slices.Concat(
		nameRules(), detectRules(), verifyRules(), failureRules(), issuerRules(), revokerRules(), sessionRules(), listerRules(),
		subscriberRules(), receiverRules(), pollerRules(), authorizerRules(),
	)
}

func isIssuer(p platform.Platform) bool       { _, ok := p.(platform.Issuer); return ok }
func isRevoker(p platform.Platform) bool      { _, ok := p.(platform.Revoker); return ok }
func isSessionEnder(p platform.Platform) bool { _, ok := p.(platform.SessionEnder); return ok }

// trial is one rule being tried on one subject.
type trial struct {
	Subject
	gomega.Gomega

	adapter  platform.Platform
	sessions map[string]*Sessions // by what the account is in the subject
	secrets  []string
}

func newTrial(g gomega.Gomega, subject Subject) *trial {
	t := &trial{Subject: subject, Gomega: g, sessions: map[string]*Sessions{}}
	g.Expect(subject.New).NotTo(gomega.BeNil(), "the subject must say how to make an adapter")
	g.Expect(subject.Clock).NotTo(gomega.BeNil(), "the subject must have a clock")
	g.Expect(subject.Server.Faults).NotTo(gomega.BeNil(), "the subject must have an injector of faults")
	for _, account := range []Account{subject.Good, subject.Other, subject.Wrong} {
		g.Expect(account.Secrets).NotTo(gomega.BeEmpty(), "each account of the subject must name its secrets")
		t.secrets = append(t.secrets, account.Secrets...)
	}
	t.adapter = subject.New()
	return t
}

// restart gives the adapter that a restarted process has.
func (t *trial) restart() { t.adapter = t.New() }

// good, other and wrong give the accounts, each call with a store of its own
// as each reconcile has.
func (t *trial) good() platform.Account  { return t.account("good", t.Good) }
func (t *trial) other() platform.Account { return t.account("other", t.Other) }
func (t *trial) wrong() platform.Account { return t.account("wrong", t.Wrong) }

func (t *trial) account(name string, account Account) platform.Account {
	declared := account.Declared
	declared.Sessions = t.kept(name).Open()
	return declared
}

// kept gives what is kept of an account's session.
func (t *trial) kept(name string) *Sessions {
	if t.sessions[name] == nil {
		t.sessions[name] = &Sessions{}
	}
	return t.sessions[name]
}

// verify asks the adapter whose account it is, and looks for secrets in what
// it says.
func (t *trial) verify(ctx context.Context, account platform.Account) (platform.Identity, error) {
	identity, err := t.adapter.Verify(ctx, account)
	for _, sessions := range t.sessions {
		t.secrets = append(t.secrets, t.secretValues(sessions)...)
	}
	t.clean(identity, err)
	return identity, err
}

func (t *trial) secretValues(sessions *Sessions) []string {
	return secretsOf(sessions.Stored(), t.public()...)
}

// public gives what may show although it is kept beside secrets.
func (t *trial) public() []string {
	var public []string
	for _, account := range []Account{t.Good, t.Other, t.Wrong} {
		public = append(public, account.Declared.Handle, account.Declared.ID,
			account.Identity.AccountID, account.Identity.Handle, account.Identity.DisplayName)
	}
	return public
}

// verified expects that an account is verified as what it is.
func (t *trial) verified(ctx context.Context, account platform.Account, want platform.Identity) {
	identity, err := t.verify(ctx, account)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	identity.ExpiresAt = want.ExpiresAt
	t.Expect(identity).To(gomega.Equal(want))
}

// clean expects that no secret shows in any of the things.
func (t *trial) clean(things ...any) {
	for _, thing := range things {
		t.Expect(Leaks(thing, t.secrets...)).To(gomega.BeEmpty(), "a secret shows in a %T; these renderings hold it", thing)
	}
}

// maxMessage is what a condition's message may hold, with room for what the
// controller says around it.
const maxMessage = 1024

// failure expects that an error is a Failure fit for a condition, and gives
// it.
func (t *trial) failure(err error) *platform.Failure {
	t.Expect(err).To(gomega.HaveOccurred())
	t.clean(err)
	failure, ok := errors.AsType[*platform.Failure](err)
	t.Expect(ok).To(gomega.BeTrue(), "every failure must be a *platform.Failure; this is a %T", err)
	t.Expect(failure.Class).To(gomega.BeElementOf(classes()))
	t.Expect(failure.Message).NotTo(gomega.BeEmpty())
	t.Expect(len(failure.Error())).To(gomega.BeNumerically("<=", maxMessage))
	t.Expect(strings.ContainsFunc(failure.Error(), unicode.IsControl)).To(gomega.BeFalse(), "a message must be one line of text: %q", failure.Error())
	return failure
}

func classes() []platform.Class {
	return []platform.Class{
		platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.RateLimited, platform.PolicyBlocked,
		platform.NotFound, platform.Conflict, platform.Transient, platform.Permanent, platform.Unknown,
	}
}

// speaksOfCredential are the classes that blame the credential or the account.
// To give one without the platform having said so takes a healthy account
// down.
func speaksOfCredential() []platform.Class {
	return []platform.Class{platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.PolicyBlocked}
}

// path gives the URL path of a call.
func (t *trial) path(call Call) string {
	path := t.Server.Paths[call]
	t.Expect(path).NotTo(gomega.BeEmpty(), "the subject must name the path of the call to %s", call)
	return path
}
