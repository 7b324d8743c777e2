// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"
	"strconv"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

func isLister(p platform.Platform) bool { _, ok := p.(platform.AccountLister); return ok }
func isNamer(p platform.Platform) bool  { _, ok := p.(platform.AccountNamer); return ok && isLister(p) }

// listerRules are about platform.AccountLister, and platform.AccountNamer where
// the adapter has it.
func listerRules() []Rule {
	rules := []Rule{
		{Name: "lists the accounts of the server, in the form in which they are claimed", check: checkList},
		{Name: "names the accounts that it lists by ID", applies: isNamer, check: checkNames},
		{Name: "takes no outage for a list", check: checkListOutages},
		{Name: "takes no nonsense for a list", check: checkListNonsense},
		{Name: "asks a person where the list is not public, and blames no credential", check: checkListRefusals},
		{Name: "says when it may list again", check: checkListLimits},
		{Name: "stops listing promptly when it is cancelled", check: checkListCancel},
		{Name: "says the same of the same trouble with a list", check: checkListStable},
	}
	for i := range rules {
		if rules[i].applies == nil {
			rules[i].applies = isLister
		}
	}
	return rules
}

func (t *trial) lister() platform.AccountLister {
	lister, ok := t.adapter.(platform.AccountLister)
	t.Expect(ok).To(gomega.BeTrue())
	return lister
}

// listed gives all accounts of the server, by ID.
func (t *trial) listed(ctx context.Context) map[string]platform.ListedAccount {
	listing := &platform.Listing{}
	for !listing.Done() {
		t.Expect(listing.Advance(ctx, t.lister())).To(gomega.Succeed())
	}
	found := map[string]platform.ListedAccount{}
	for _, account := range listing.Accounts() {
		found[account.ID] = account
	}
	return found
}

func checkList(ctx context.Context, t *trial) {
	found := t.listed(ctx)
	for _, account := range found {
		t.Expect(t.adapter.CheckAccountID(account.ID)).To(gomega.Succeed())
		t.Expect(account.State).To(gomega.BeElementOf(platform.AccountActive, platform.AccountInactive, platform.AccountBlocked))
		if account.Handle == "" {
			t.Expect(isNamer(t.adapter)).To(gomega.BeTrue(), "a list without handles needs the port AccountNamer")
			continue
		}
		t.Expect(t.adapter.NormaliseHandle(account.Handle)).To(gomega.Equal(account.Handle))
	}
	for _, want := range []platform.Identity{t.Good.Identity, t.Other.Identity} {
		t.Expect(found).To(gomega.HaveKey(want.AccountID))
		account := found[want.AccountID]
		t.Expect(account.State).To(gomega.Equal(platform.AccountActive))
		t.Expect(account.Handle).To(gomega.BeElementOf("", want.Handle))
	}
	t.clean(found, t.lister().Unlisted())
}

func checkNames(ctx context.Context, t *trial) {
	namer, ok := t.adapter.(platform.AccountNamer)
	t.Expect(ok).To(gomega.BeTrue())
	for _, want := range []platform.Identity{t.Good.Identity, t.Other.Identity} {
		t.Expect(namer.HandleOf(ctx, want.AccountID)).To(gomega.Equal(want.Handle))
	}
	for _, fault := range append(outages(), nonsense()...) {
		t.Server.Faults.Inject("", fault)
		_, err := namer.HandleOf(ctx, t.Good.Identity.AccountID)
		blamesNoCredential(t, t.failure(err))
		t.Server.Faults.Heal()
	}
}

// listFails asks for a list while every request meets the fault, and for one
// that must succeed afterwards.
func (t *trial) listFails(ctx context.Context, fault faults.Fault) *platform.Failure {
	t.Server.Faults.Inject("", fault)
	page, err := t.lister().ListAccounts(ctx, "")
	t.Expect(page.Accounts).To(gomega.BeEmpty(), "%s", fault)
	failure := t.failure(err)
	t.Server.Faults.Heal()
	t.Expect(t.listed(ctx)).To(gomega.HaveKey(t.Good.Identity.AccountID), "the server must be listed once it is in order again")
	return failure
}

func checkListOutages(ctx context.Context, t *trial) {
	for _, fault := range outages() {
		t.Expect(t.listFails(ctx, fault).Class).To(gomega.Equal(platform.Transient), "%s", fault)
	}
}

func checkListNonsense(ctx context.Context, t *trial) {
	for _, fault := range nonsense() {
		t.Expect(t.listFails(ctx, fault).Class).NotTo(gomega.BeElementOf(speaksOfCredential()), "%s", fault)
	}
}

func checkListRefusals(ctx context.Context, t *trial) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		failure := t.listFails(ctx, faults.Status(status))
		blamesNoCredential(t, failure)
		if status != http.StatusNotFound { // which a proxy may say, too
			t.Expect(failure.Class.Passing()).To(gomega.BeFalse(), strconv.Itoa(status))
		}
	}
}

func checkListLimits(ctx context.Context, t *trial) {
	for _, format := range faults.ResetFormats() {
		now := t.Clock.Now()
		failure := t.listFails(ctx, faults.RateLimited(format, now, comeBack))
		t.Expect(failure.Class).To(gomega.Equal(platform.RateLimited))
		t.Expect(failure.RetryAt).To(gomega.BeTemporally("~", now.Add(comeBack), slackness), "%s", format)
	}
}

func checkListCancel(ctx context.Context, t *trial) {
	hanging := t.Server.Faults.Inject("", faults.Hang())
	defer t.Server.Faults.Heal()
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	lister := t.lister()
	go func() {
		_, err := lister.ListAccounts(asking, "")
		done <- err
	}()
	t.Eventually(hanging.Served).WithTimeout(patience).Should(gomega.BeNumerically(">", 0))
	cancel()
	var err error
	t.Eventually(done).WithTimeout(promptly).Should(gomega.Receive(&err))
	t.failure(err)
}

func checkListStable(ctx context.Context, t *trial) {
	for _, fault := range []faults.Fault{faults.Status(http.StatusServiceUnavailable), faults.HTML(http.StatusOK), faults.Status(http.StatusForbidden)} {
		t.Expect(t.listFails(ctx, fault).Error()).To(gomega.Equal(t.listFails(ctx, fault).Error()), "%s", fault)
	}
}
