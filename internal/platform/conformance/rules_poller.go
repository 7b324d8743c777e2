// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"slices"
	"strings"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

const (
	longestCursor = 4096 // bytes; a cursor is kept in an object of the cluster
	mostPages     = 20   // that one poll after another may need until all is read
)

func isPoller(p platform.Platform) bool { _, ok := p.(platform.Poller); return ok }

func pollerRules() []Rule {
	rules := []Rule{
		{Name: "names the events that it polls", check: checkPolls},
		{Name: "begins to poll now", check: checkPollBegins},
		{Name: "finds what happens once, also after a restart", check: checkPollFinds},
		{Name: "finds the same again from the same cursor", check: checkPollAgain},
		{Name: "finds what happened oldest first", check: checkPollOrder},
		{Name: "finds only what was asked for", check: checkPollKinds},
		{Name: "says that a wrong credential may not poll", check: checkPollWrong},
		{Name: "takes no outage for quiet", check: checkPollOutages},
		{Name: "takes no nonsense for quiet", check: checkPollNonsense},
		{Name: "says when it may poll again", check: checkPollLimits},
		{Name: "survives a damaged cursor", check: checkPollDamaged},
	}
	for i := range rules {
		rules[i].applies, rules[i].needs = isPoller, hasEvents
	}
	return rules
}

func (t *trial) poller() platform.Poller {
	poller, ok := t.adapter.(platform.Poller)
	t.Expect(ok).To(gomega.BeTrue())
	return poller
}

// polls expects a page of Good's events of all kinds.
func (t *trial) polls(ctx context.Context, cursor string) platform.Page {
	return t.pollsFor(ctx, cursor, t.poller().Polls())
}

func (t *trial) pollsFor(ctx context.Context, cursor string, kinds []event.Kind) platform.Page {
	page, err := t.poller().Poll(ctx, t.good(), cursor, kinds)
	t.clean(err)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	for _, sessions := range t.sessions {
		t.secrets = append(t.secrets, t.secretValues(sessions)...)
	}
	t.clean(page)
	t.Expect(page.Cursor).NotTo(gomega.BeEmpty())
	t.Expect(len(page.Cursor)).To(gomega.BeNumerically("<=", longestCursor))
	for _, found := range page.Events {
		t.isEvent(found)
		t.Expect(found.AccountID).To(gomega.BeElementOf("", t.Good.Identity.AccountID))
		if !found.Kind.ConcernsOwnership() {
			t.Expect(kinds).To(gomega.ContainElement(found.Kind))
		}
	}
	return page
}

// drained polls until there is no more, and gives all that was found and the
// cursor after it.
func (t *trial) drained(ctx context.Context, cursor string, kinds []event.Kind) (found []event.Event, after string) {
	for range mostPages {
		page := t.pollsFor(ctx, cursor, kinds)
		found, cursor = append(found, page.Events...), page.Cursor
		if !page.More {
			return found, cursor
		}
	}
	t.Expect(mostPages).To(gomega.BeZero(), "there must be no more at some time")
	return nil, ""
}

// begun verifies Good and gives the first cursor.
func (t *trial) begun(ctx context.Context) string {
	t.verified(ctx, t.good(), t.Good.Identity)
	page := t.polls(ctx, "")
	t.Expect(page.Events).To(gomega.BeEmpty(), "an empty cursor begins now")
	t.Expect(page.More).To(gomega.BeFalse())
	return page.Cursor
}

// happenings are the kinds that are polled and that the server can make. One
// of each has happened.
func (t *trial) happenings(ctx context.Context) []event.Kind {
	var kinds []event.Kind
	for _, kind := range t.poller().Polls() {
		if t.happen(ctx, kind) {
			kinds = append(kinds, kind)
		}
	}
	t.Expect(kinds).NotTo(gomega.BeEmpty(), "the server under test must be able to make something happen that is polled")
	return kinds
}

// findsAll polls from the cursor until as many events were found as happened,
// and expects that it is those.
func (t *trial) findsAll(ctx context.Context, cursor string, happened []event.Kind) (found []event.Event, after string) {
	after = cursor
	t.Eventually(func() int {
		var more []event.Event
		more, after = t.drained(ctx, after, t.poller().Polls())
		found = append(found, more...)
		return len(found)
	}).WithTimeout(patience).Should(gomega.BeNumerically(">=", len(happened)), "what happens must be found")
	t.Expect(kindsOf(found)).To(gomega.ConsistOf(happened), "each thing that happens is found once, as what it is")
	t.isNew(found)
	return found, after
}

// isNew expects that no two events have one ID.
func (t *trial) isNew(found []event.Event) {
	ids := identifiers(found)
	slices.Sort(ids)
	t.Expect(slices.Compact(slices.Clone(ids))).To(gomega.Equal(ids), "an event must be found once, and no two have one ID")
}

func kindsOf(events []event.Event) []event.Kind {
	kinds := make([]event.Kind, 0, len(events))
	for _, found := range events {
		kinds = append(kinds, found.Kind)
	}
	return kinds
}

func (t *trial) isQuiet(ctx context.Context, cursor string) string {
	found, after := t.drained(ctx, cursor, t.poller().Polls())
	t.Expect(found).To(gomega.BeEmpty())
	return after
}

func checkPolls(_ context.Context, t *trial) { t.areKinds(t.poller().Polls()) }

func checkPollBegins(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	t.happenings(ctx)
	cursor := t.isQuiet(ctx, t.begun(ctx))
	t.restart()
	cursor = t.isQuiet(ctx, cursor)
	t.findsAll(ctx, cursor, t.happenings(ctx))
}

func checkPollFinds(ctx context.Context, t *trial) {
	cursor := t.begun(ctx)
	var all []event.Event
	for range 3 {
		happened := t.happenings(ctx)
		t.restart()
		var found []event.Event
		found, cursor = t.findsAll(ctx, cursor, happened)
		all = append(all, found...)
		cursor = t.isQuiet(ctx, cursor)
	}
	t.isNew(all)
}

func checkPollAgain(ctx context.Context, t *trial) {
	cursor := t.begun(ctx)
	found, after := t.findsAll(ctx, cursor, t.happenings(ctx))
	t.restart()
	again, _ := t.drained(ctx, cursor, t.poller().Polls())
	t.Expect(identifiers(again)).To(gomega.Equal(identifiers(found)))
	later, _ := t.findsAll(ctx, after, t.happenings(ctx))
	all, _ := t.drained(ctx, cursor, t.poller().Polls())
	t.Expect(identifiers(all)).To(gomega.ConsistOf(append(identifiers(found), identifiers(later)...)))
}

// checkPollOrder learns which events came first by polling in between.
func checkPollOrder(ctx context.Context, t *trial) {
	first := t.begun(ctx)
	cursor := first
	var rounds [][]string
	for range 3 {
		var found []event.Event
		found, cursor = t.findsAll(ctx, cursor, t.happenings(ctx))
		rounds = append(rounds, identifiers(found))
	}
	all, _ := t.drained(ctx, first, t.poller().Polls())
	for _, round := range rounds {
		t.Expect(len(all)).To(gomega.BeNumerically(">=", len(round)))
		t.Expect(identifiers(all[:len(round)])).To(gomega.ConsistOf(round), "what happened first comes first")
		all = all[len(round):]
	}
}

func checkPollKinds(ctx context.Context, t *trial) {
	cursor := t.begun(ctx)
	happened := t.happenings(ctx)
	t.findsAll(ctx, cursor, happened)
	for _, kind := range happened {
		found, _ := t.drained(ctx, cursor, []event.Kind{kind})
		t.Expect(kindsOf(found)).To(gomega.ContainElement(kind))
	}
}

func checkPollWrong(ctx context.Context, t *trial) {
	cursor := t.begun(ctx)
	for _, from := range []string{"", cursor} {
		page, err := t.poller().Poll(ctx, t.wrong(), from, t.poller().Polls())
		t.Expect(t.failure(err).Class).To(beRefusal())
		t.Expect(page).To(gomega.BeZero())
	}
}

// pollFails polls while every request meets the fault. What has happened
// meanwhile must be found afterwards, from the same cursor.
func (t *trial) pollFails(ctx context.Context, fault faults.Fault) *platform.Failure {
	cursor := t.begun(ctx)
	happened := t.happenings(ctx)
	t.Server.Faults.Inject("", fault)
	var failure *platform.Failure
	for _, from := range []string{"", cursor} {
		page, err := t.poller().Poll(ctx, t.good(), from, t.poller().Polls())
		failure = t.failure(err)
		t.Expect(page).To(gomega.BeZero(), "%s", fault)
	}
	t.Server.Faults.Heal()
	t.findsAll(ctx, cursor, happened)
	return failure
}

func checkPollOutages(ctx context.Context, t *trial) {
	for _, fault := range outages() {
		t.Expect(t.pollFails(ctx, fault).Class).To(gomega.Equal(platform.Transient), "%s", fault)
	}
}

func checkPollNonsense(ctx context.Context, t *trial) {
	for _, fault := range nonsense() {
		t.Expect(t.pollFails(ctx, fault).Class).NotTo(gomega.BeElementOf(speaksOfCredential()), "%s", fault)
	}
}

func checkPollLimits(ctx context.Context, t *trial) {
	for _, format := range faults.ResetFormats() {
		now := t.Clock.Now()
		failure := t.pollFails(ctx, faults.RateLimited(format, now, comeBack))
		t.Expect(failure.Class).To(gomega.Equal(platform.RateLimited))
		t.Expect(failure.RetryAt).To(gomega.BeTemporally("~", now.Add(comeBack), slackness), "%s", format)
	}
}

// checkPollDamaged allows both: to begin now, and to ask a person. What must
// not come is the past.
func checkPollDamaged(ctx context.Context, t *trial) {
	whole := t.begun(ctx)
	t.happenings(ctx)
	for _, cursor := range []string{"damaged", "{}", "null", "[]", `"` + whole, whole[:len(whole)-1] + "\x00", strings.Repeat("[", longestCursor)} {
		page, err := t.poller().Poll(ctx, t.good(), cursor, t.poller().Polls())
		if err != nil {
			blamesNoCredential(t, t.failure(err))
			t.Expect(page).To(gomega.BeZero())
			continue
		}
		t.Expect(page.Events).To(gomega.BeEmpty(), "a cursor that says nothing must not raise the past")
	}
}
