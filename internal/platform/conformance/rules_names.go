// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"strings"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

func nameRules() []Rule {
	return []Rule{
		{Name: "gives one form of a handle", check: checkHandles},
		{Name: "refuses what cannot be a handle", check: checkBadHandles},
		{Name: "takes the account ID that the server gave, and refuses what cannot be one", check: checkAccountIDs},
		{Name: "claims in the same scope after a restart", check: checkClaimScope},
		{Name: "names the keys of its source Secret", check: checkSourceKeys},
		{Name: "names a missing source key without asking the server", check: checkMissingKeys},
		{Name: "delivers the source credential as environment variables, and prints it redacted", check: checkDeliverable},
	}
}

func checkHandles(_ context.Context, t *trial) {
	for _, account := range []Account{t.Good, t.Other} {
		once, err := t.adapter.NormaliseHandle(account.Declared.Handle)
		t.Expect(err).NotTo(gomega.HaveOccurred())
		t.Expect(once).To(gomega.Equal(account.Identity.Handle), "the handle as declared and as verified must have the same form")
		t.Expect(t.adapter.NormaliseHandle(once)).To(gomega.Equal(once), "a normalised handle must stay as it is")
		t.Expect(t.adapter.NormaliseHandle(strings.ToUpper(once))).To(gomega.Equal(once), "handles are the same in upper case")
	}
}

func checkBadHandles(_ context.Context, t *trial) {
	for _, handle := range []string{"", " ", "@", "two words", "line\nbreak", "nul\x00", "bell\a", "bidi\u202e", strings.Repeat("a", 5000)} {
		_, err := t.adapter.NormaliseHandle(handle)
		t.Expect(err).To(gomega.HaveOccurred(), "the handle %.20q must be refused", handle)
		t.Expect(len(err.Error())).To(gomega.BeNumerically("<=", maxMessage), "a message must not repeat a long handle")
	}
}

func checkAccountIDs(_ context.Context, t *trial) {
	for _, account := range []Account{t.Good, t.Other} {
		t.Expect(t.adapter.CheckAccountID(account.Identity.AccountID)).To(gomega.Succeed())
	}
	for _, id := range []string{"", " ", "not an ID", t.Good.Identity.AccountID + "\n", strings.Repeat("1", 5000)} {
		t.Expect(t.adapter.CheckAccountID(id)).NotTo(gomega.Succeed(), "the account ID %.20q must be refused", id)
	}
}

func checkClaimScope(_ context.Context, t *trial) {
	before := t.adapter.ClaimScope()
	t.restart()
	t.Expect(t.adapter.ClaimScope()).To(gomega.Equal(before))
}

func checkSourceKeys(_ context.Context, t *trial) {
	names := map[string]bool{}
	required := 0
	for _, key := range t.adapter.SourceKeys() {
		t.Expect(key.Name).To(gomega.MatchRegexp(`^[-._a-zA-Z0-9]{1,253}$`), "a key must be one that a Secret may have")
		t.Expect(names).NotTo(gomega.HaveKey(key.Name))
		t.Expect(key.Purpose).NotTo(gomega.BeEmpty())
		names[key.Name] = true
		if key.Required || key.OneOf {
			required++
		}
	}
	t.Expect(required).To(gomega.BeNumerically(">", 0), "some key must be required")
}

func checkMissingKeys(ctx context.Context, t *trial) {
	for _, key := range t.adapter.SourceKeys() {
		if !key.Required {
			continue
		}
		account := t.good()
		account.Source = without(account, key)
		before := t.Server.Faults.Total()
		_, err := t.verify(ctx, account)
		failure := t.failure(err)
		t.Expect(failure.Class.Passing()).To(gomega.BeFalse(), "a missing key does not mend itself; the class is %s", failure.Class)
		t.Expect(failure.Message).To(gomega.ContainSubstring(key.Name))
		t.Expect(t.Server.Faults.Total()).To(gomega.Equal(before), "the server must not be asked")
	}
}

func without(account platform.Account, key platform.SourceKey) credentials.Values {
	rest := credentials.Values{}
	for name, content := range account.Source {
		if name != key.Name {
			rest[name] = content
		}
	}
	return rest
}

// deliverable gives what would be delivered for an account that was verified.
func (t *trial) deliverable(ctx context.Context, account platform.Account) credentials.Credential {
	credential, err := t.adapter.Deliverable(ctx, account)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	return credential
}

func checkDeliverable(ctx context.Context, t *trial) {
	_, err := t.verify(ctx, t.good())
	t.Expect(err).NotTo(gomega.HaveOccurred())
	credential := t.deliverable(ctx, t.good())
	t.Expect(credential.Values).NotTo(gomega.BeEmpty())
	for name, content := range credential.Values {
		t.Expect(name).To(gomega.MatchRegexp(`^[A-Z][A-Z0-9_]*$`))
		t.Expect(content.IsEmpty()).To(gomega.BeFalse(), "%s must not be empty", name)
	}
	t.clean(credential, t.good())
}
