// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

func isSubscriber(p platform.Platform) bool { _, ok := p.(platform.Subscriber); return ok }
func hasEvents(server Server) bool          { return server.Events != nil }

func subscriberRules() []Rule {
	rules := []Rule{
		{Name: "names the events that it pushes, and whose the callback is", check: checkPushes},
		{Name: "gives fresh hook keys each time, or the application's own", check: checkHookKeys},
		{Name: "says that there is no subscription", check: checkUnsubscribed},
		{Name: "subscribes, and reads back what it subscribed", check: checkSubscribe},
		{Name: "puts back a subscription that somebody removed", check: checkForgotten},
		{Name: "subscribes twice and has one subscription", check: checkSubscribeTwice},
		{Name: "subscribes once more when the answer was lost", check: checkSubscribeLost},
		{Name: "ends a subscription, and ends none", check: checkUnsubscribe},
		{Name: "leaves a subscription to another callback as it is", check: checkAnotherCallback},
		{Name: "keeps the subscriptions of two accounts apart", check: checkSubscriptionsApart},
		{Name: "takes no outage for a missing subscription", check: checkSubscriptionOutages},
		{Name: "takes no nonsense for a missing subscription", check: checkSubscriptionNonsense},
		{Name: "says when it may ask for a subscription again", check: checkSubscriptionLimits},
		{Name: "shows neither callback nor hook keys when it fails to subscribe", check: checkSubscriptionSecrets},
	}
	for i := range rules {
		rules[i].applies, rules[i].needs = isSubscriber, hasEvents
	}
	return rules
}

func (t *trial) subscriber() platform.Subscriber {
	subscriber, ok := t.adapter.(platform.Subscriber)
	t.Expect(ok).To(gomega.BeTrue())
	return subscriber
}

// happen makes something of the kind happen to Good. It is false where the
// server under test cannot make it.
func (t *trial) happen(ctx context.Context, kind event.Kind) bool {
	err := t.Server.Events.Happen(ctx, kind)
	if errors.Is(err, errors.ErrUnsupported) {
		return false
	}
	t.Expect(err).NotTo(gomega.HaveOccurred(), "a %s must happen at the server", kind)
	return true
}

// hookKeys gives an account's hook keys, and knows their secrets from then on.
func (t *trial) hookKeys(account platform.Account) (keys credentials.Values, fresh bool) {
	keys, fresh, err := t.subscriber().HookKeys(account)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(keys).NotTo(gomega.BeEmpty(), "nothing could be verified without a key")
	t.secrets = append(t.secrets, secretsOf(keys, append(t.public(), account.Application.Get(platform.ApplicationID))...)...)
	t.clean(keys)
	return keys, fresh
}

// wanted are the kinds that a subscription may name, of those that are pushed.
func wanted(pushes []event.Kind) []event.Kind {
	return slices.DeleteFunc(slices.Clone(pushes), func(kind event.Kind) bool {
		return kind == event.Other || kind.ConcernsOwnership()
	})
}

// request asks for all that the adapter can push to Good. From then on the
// callback's token is a secret.
func (t *trial) request(keys credentials.Values) platform.SubscriptionRequest {
	callback := t.Server.Events.Callback
	t.Expect(callback).NotTo(gomega.BeEmpty(), "the subject must name a callback")
	if i := strings.LastIndex(callback, "/"); i >= 0 {
		t.secrets = append(t.secrets, callback[i+1:])
	}
	return platform.SubscriptionRequest{Callback: callback, Events: wanted(t.subscriber().Pushes()), Keys: keys}
}

// subscribes expects that an account is subscribed as asked for.
func (t *trial) subscribes(ctx context.Context, account platform.Account, request platform.SubscriptionRequest) platform.Subscription {
	made, err := t.subscriber().Subscribe(ctx, account, request)
	t.clean(err)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.isAsked(made, request)
	return made
}

// isAsked expects that a subscription is what the request asks for.
func (t *trial) isAsked(subscription platform.Subscription, request platform.SubscriptionRequest) {
	t.Expect(subscription.Callback).To(gomega.BeElementOf("", request.Callback))
	t.Expect(subscription.Problem).To(gomega.BeEmpty())
	t.Expect(t.subscriber().Pushes()).To(gomega.ContainElements(subscription.Events), "no event may be promised that is not pushed")
	for _, kind := range request.Events {
		t.Expect(subscription.Events).To(gomega.ContainElement(kind), "the subscription must hold the events asked for")
	}
	if !subscription.LeaseUntil.IsZero() {
		t.Expect(subscription.LeaseUntil).To(gomega.BeTemporally(">", t.Clock.Now()))
	}
}

func (t *trial) isSubscribed(ctx context.Context, account platform.Account, want platform.Subscription, request platform.SubscriptionRequest) {
	found, err := t.subscriber().Subscribed(ctx, account)
	t.clean(err)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.isAsked(found, request)
	t.Expect(found.ID).To(gomega.Equal(want.ID))
	t.Expect(found.Callback).To(gomega.BeElementOf("", want.Callback))
	t.Expect(found.Events).To(gomega.ConsistOf(want.Events))
}

func (t *trial) isNotSubscribed(ctx context.Context, account platform.Account) {
	_, err := t.subscriber().Subscribed(ctx, account)
	t.Expect(t.failure(err).Class).To(gomega.Equal(platform.NotFound))
}

// subscribed verifies Good and subscribes it.
func (t *trial) subscribed(ctx context.Context) (platform.Subscription, platform.SubscriptionRequest) {
	t.verified(ctx, t.good(), t.Good.Identity)
	keys, _ := t.hookKeys(t.good())
	request := t.request(keys)
	return t.subscribes(ctx, t.good(), request), request
}

// arrivals is how many deliveries reach the callback when something happens;
// false where the server cannot make anything happen that is pushed.
func (t *trial) arrivals(ctx context.Context) (arrived int, ok bool) {
	t.deliveries(ctx)
	for _, kind := range wanted(t.subscriber().Pushes()) {
		if !t.happen(ctx, kind) {
			continue
		}
		t.Eventually(func() int { arrived += len(t.deliveries(ctx)); return arrived }).
			WithTimeout(patience).Should(gomega.BeNumerically(">", 0), "a %s must be delivered", kind)
		return arrived, true
	}
	return 0, false
}

func (t *trial) deliveries(ctx context.Context) []platform.Delivery {
	sent, err := t.Server.Events.Delivered(ctx)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	return sent
}

func checkPushes(_ context.Context, t *trial) {
	t.Expect(t.subscriber().HookScope()).To(gomega.BeElementOf(platform.HookPerChannel, platform.HookPerPlatform))
	t.areKinds(t.subscriber().Pushes())
	t.restart()
	t.areKinds(t.subscriber().Pushes())
}

// areKinds expects known kinds, each once.
func (t *trial) areKinds(kinds []event.Kind) {
	t.Expect(kinds).NotTo(gomega.BeEmpty())
	seen := map[event.Kind]bool{}
	for _, kind := range kinds {
		t.Expect(event.Kinds()).To(gomega.ContainElement(kind))
		t.Expect(seen).NotTo(gomega.HaveKey(kind), "a kind must be named once")
		seen[kind] = true
	}
}

func checkHookKeys(_ context.Context, t *trial) {
	before := t.Server.Faults.Total()
	first, fresh := t.hookKeys(t.good())
	t.restart()
	second, again := t.hookKeys(t.good())
	t.Expect(again).To(gomega.Equal(fresh))
	t.Expect(sameValues(first, second)).To(gomega.Equal(!fresh), "fresh keys differ each time, and an application's are the same")
	other, _ := t.hookKeys(t.other())
	if fresh {
		t.Expect(sameValues(first, other)).To(gomega.BeFalse(), "two accounts must not share fresh keys")
	}
	t.Expect(t.Server.Faults.Total()).To(gomega.Equal(before), "the server must not be asked")
}

func sameValues(one, other credentials.Values) bool {
	if len(one) != len(other) {
		return false
	}
	for name := range one {
		if one.Get(name) != other.Get(name) {
			return false
		}
	}
	return true
}

func checkUnsubscribed(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	t.isNotSubscribed(ctx, t.good())
}

func checkSubscribe(ctx context.Context, t *trial) {
	made, request := t.subscribed(ctx)
	t.isSubscribed(ctx, t.good(), made, request)
	t.restart()
	t.isSubscribed(ctx, t.good(), made, request)
	t.verified(ctx, t.good(), t.Good.Identity)
}

func checkForgotten(ctx context.Context, t *trial) {
	_, request := t.subscribed(ctx)
	t.Expect(t.Server.Events.Forget(ctx)).To(gomega.Succeed())
	t.isNotSubscribed(ctx, t.good())
	made := t.subscribes(ctx, t.good(), request)
	t.isSubscribed(ctx, t.good(), made, request)
	t.arrivals(ctx)
}

func checkSubscribeTwice(ctx context.Context, t *trial) {
	_, request := t.subscribed(ctx)
	before, ok := t.arrivals(ctx)
	made := t.subscribes(ctx, t.good(), request)
	t.isSubscribed(ctx, t.good(), made, request)
	if after, again := t.arrivals(ctx); ok && again {
		t.Expect(after).To(gomega.Equal(before), "two subscriptions deliver everything twice")
	}
	t.endsInNone(ctx)
}

// endsInNone expects that ending Good's one subscription leaves none.
func (t *trial) endsInNone(ctx context.Context) {
	t.Expect(t.subscriber().Unsubscribe(ctx, t.good(), t.Server.Events.Callback)).To(gomega.Succeed())
	t.isNotSubscribed(ctx, t.good())
}

// checkSubscribeLost loses the answer to each request of a subscription in
// turn. It finds out which those are by subscribing once.
func checkSubscribeLost(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	before := t.Server.Faults.Requests()
	_, request := t.subscribed(ctx)
	once, ok := t.arrivals(ctx)
	var paths []string
	for path, count := range t.Server.Faults.Requests() {
		if count > before[path] {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		t.endsInNone(ctx)
		t.Server.Faults.Inject(path, faults.LostAnswer()).Times(1)
		if _, err := t.subscriber().Subscribe(ctx, t.good(), request); err != nil {
			t.Expect(t.failure(err).Class.Passing()).To(gomega.BeTrue(), "a lost answer is no refusal: %v", err)
		}
		t.Server.Faults.Heal()
		t.restart()
		made := t.subscribes(ctx, t.good(), request)
		t.isSubscribed(ctx, t.good(), made, request)
		if again, can := t.arrivals(ctx); ok && can {
			t.Expect(again).To(gomega.Equal(once), "two subscriptions deliver everything twice")
		}
	}
	t.endsInNone(ctx)
}

func checkUnsubscribe(ctx context.Context, t *trial) {
	t.verified(ctx, t.good(), t.Good.Identity)
	t.Expect(t.subscriber().Unsubscribe(ctx, t.good(), t.Server.Events.Callback)).To(gomega.Succeed(), "none to end is a success")
	_, request := t.subscribed(ctx)
	t.endsInNone(ctx)
	t.endsInNone(ctx)
	t.isSubscribed(ctx, t.good(), t.subscribes(ctx, t.good(), request), request)
	t.verified(ctx, t.good(), t.Good.Identity)
}

// checkAnotherCallback ends a subscription that is not there: the callback has
// changed since, or was another's all along.
func checkAnotherCallback(ctx context.Context, t *trial) {
	made, request := t.subscribed(ctx)
	t.Expect(t.subscriber().Unsubscribe(ctx, t.good(), request.Callback+"-of-old")).To(gomega.Succeed())
	t.isSubscribed(ctx, t.good(), made, request)
	t.endsInNone(ctx)
}

func checkSubscriptionsApart(ctx context.Context, t *trial) {
	_, request := t.subscribed(ctx)
	t.verified(ctx, t.other(), t.Other.Identity)
	t.isNotSubscribed(ctx, t.other())
	keys, _ := t.hookKeys(t.other())
	others := t.request(keys)
	other := t.subscribes(ctx, t.other(), others)
	mine := t.subscribes(ctx, t.good(), request)
	t.isSubscribed(ctx, t.other(), other, others)
	t.isSubscribed(ctx, t.good(), mine, request)
	t.endsInNone(ctx)
	t.isSubscribed(ctx, t.other(), other, others)
}

// subscriptionFails asks for Good's subscription while every request meets the
// fault, and for one that must be found afterwards as it was.
func (t *trial) subscriptionFails(ctx context.Context, fault faults.Fault) *platform.Failure {
	made, request := t.subscribed(ctx)
	t.Server.Faults.Inject("", fault)
	_, err := t.subscriber().Subscribed(ctx, t.good())
	failure := t.failure(err)
	t.Server.Faults.Heal()
	t.isSubscribed(ctx, t.good(), made, request)
	return failure
}

func checkSubscriptionOutages(ctx context.Context, t *trial) {
	for _, fault := range outages() {
		t.Expect(t.subscriptionFails(ctx, fault).Class).To(gomega.Equal(platform.Transient), "%s", fault)
	}
	made, request := t.subscribed(ctx)
	for _, attempt := range []func() error{
		func() error { _, err := t.subscriber().Subscribe(ctx, t.good(), request); return err },
		func() error { return t.subscriber().Unsubscribe(ctx, t.good(), t.Server.Events.Callback) },
	} {
		t.Server.Faults.Inject("", faults.Status(http.StatusServiceUnavailable))
		t.Expect(t.failure(attempt()).Class).To(gomega.Equal(platform.Transient))
		t.Server.Faults.Heal()
		t.isSubscribed(ctx, t.good(), made, request)
	}
}

func checkSubscriptionNonsense(ctx context.Context, t *trial) {
	for _, fault := range nonsense() {
		failure := t.subscriptionFails(ctx, fault)
		blamesNoCredential(t, failure)
		t.Expect(failure.Class).NotTo(gomega.Equal(platform.NotFound), "%s", fault)
	}
}

func checkSubscriptionLimits(ctx context.Context, t *trial) {
	for _, format := range faults.ResetFormats() {
		now := t.Clock.Now()
		failure := t.subscriptionFails(ctx, faults.RateLimited(format, now, comeBack))
		t.Expect(failure.Class).To(gomega.Equal(platform.RateLimited))
		t.Expect(failure.RetryAt).To(gomega.BeTemporally("~", now.Add(comeBack), slackness), "%s", format)
	}
}

// checkSubscriptionSecrets relies on failure, which looks for the secrets.
func checkSubscriptionSecrets(ctx context.Context, t *trial) {
	made, request := t.subscribed(ctx)
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError} {
		for _, attempt := range []func() error{
			func() error { _, err := t.subscriber().Subscribe(ctx, t.good(), request); return err },
			func() error { _, err := t.subscriber().Subscribed(ctx, t.good()); return err },
			func() error { return t.subscriber().Unsubscribe(ctx, t.good(), t.Server.Events.Callback) },
		} {
			t.Server.Faults.Inject("", faults.Echo(status))
			t.failure(attempt())
			t.Server.Faults.Heal()
		}
	}
	t.isSubscribed(ctx, t.good(), made, request)
}
