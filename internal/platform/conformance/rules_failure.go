// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

const (
	hugeAnswer = 10 << 20        // bytes; no adapter has a use for as much
	comeBack   = 7 * time.Minute // what the suite's rate limits ask to wait
)

func failureRules() []Rule {
	var rules []Rule
	for _, fault := range outages() {
		rules = append(rules, Rule{Name: "takes for an outage: " + fault.String(), check: onFault(fault, isOutage)})
	}
	for _, fault := range nonsense() {
		rules = append(rules, Rule{Name: "blames no credential for: " + fault.String(), check: onFault(fault, blamesNoCredential)})
	}
	for _, refusal := range refusals() {
		name := "classes the answer " + strconv.Itoa(refusal.status)
		rules = append(rules, Rule{Name: name, check: onFault(faults.Status(refusal.status), refusal.expect)})
	}
	for _, format := range faults.ResetFormats() {
		rules = append(rules, Rule{Name: "says when a rate limit ends: " + string(format), check: onRateLimit(format)})
	}
	return append(rules,
		Rule{Name: "says when an outage ends, where the server does", check: checkUnavailable},
		Rule{Name: "follows no redirect, and asks a person", check: onFault(faults.Redirect("https://elsewhere.example/"), isPermanent)},
		Rule{Name: "repeats nothing that the server says of the request", check: checkEcho},
		Rule{Name: "says the same of the same trouble", check: checkStable},
	)
}

func outages() []faults.Fault {
	return []faults.Fault{
		faults.Status(http.StatusInternalServerError), faults.Status(http.StatusBadGateway),
		faults.Status(http.StatusServiceUnavailable), faults.Status(http.StatusGatewayTimeout),
		faults.HTML(http.StatusBadGateway), faults.Hang(), faults.Drop(), faults.Truncated(),
	}
}

func nonsense() []faults.Fault {
	return []faults.Fault{
		faults.HTML(http.StatusOK), faults.HTML(http.StatusUnauthorized), faults.HTML(http.StatusForbidden),
		faults.HTML(http.StatusNotFound), faults.Huge(hugeAnswer), faults.Empty(), faults.Null(), faults.EmptyObject(), faults.HalfJSON(),
	}
}

type refusal struct {
	status int
	expect expectation
}

// refusals are answers in JSON, as the platform itself might give them.
func refusals() []refusal {
	return []refusal{
		{http.StatusUnauthorized, isRefusal},
		{http.StatusForbidden, isFinal},
		{http.StatusNotFound, blamesNoCredential},
		{http.StatusConflict, blamesNoCredential},
		{http.StatusGone, blamesNoCredential},
		{http.StatusUnprocessableEntity, blamesNoCredential},
	}
}

type expectation func(*trial, *platform.Failure)

func isOutage(t *trial, failure *platform.Failure) {
	t.Expect(failure.Class).To(gomega.Equal(platform.Transient))
}

func blamesNoCredential(t *trial, failure *platform.Failure) {
	t.Expect(failure.Class).NotTo(gomega.BeElementOf(speaksOfCredential()))
}

func isRefusal(t *trial, failure *platform.Failure) { t.Expect(failure.Class).To(beRefusal()) }

func isFinal(t *trial, failure *platform.Failure) {
	t.Expect(failure.Class.Passing()).To(gomega.BeFalse(), "the class is %s", failure.Class)
}

func isPermanent(t *trial, failure *platform.Failure) {
	t.Expect(failure.Class).To(gomega.Equal(platform.Permanent))
}

// onFault verifies the good account while every request meets the fault: once
// with nothing kept, and once when all was in order before. Afterwards the
// account must be in order again.
func onFault(fault faults.Fault, expect expectation) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		for range 2 {
			t.Server.Faults.Inject("", fault)
			_, err := t.verify(ctx, t.good())
			expect(t, t.failure(err))
			t.Server.Faults.Heal()
			t.verified(ctx, t.good(), t.Good.Identity)
		}
	}
}

func onRateLimit(format faults.ResetFormat) func(context.Context, *trial) {
	return func(ctx context.Context, t *trial) {
		for range 2 {
			now := t.Clock.Now()
			t.Server.Faults.Inject("", faults.RateLimited(format, now, comeBack))
			_, err := t.verify(ctx, t.good())
			failure := t.failure(err)
			t.Expect(failure.Class).To(gomega.Equal(platform.RateLimited))
			t.Expect(failure.RetryAt).To(gomega.BeTemporally("~", now.Add(comeBack), slackness))
			t.Server.Faults.Heal()
			t.verified(ctx, t.good(), t.Good.Identity)
		}
	}
}

func checkUnavailable(ctx context.Context, t *trial) {
	now := t.Clock.Now()
	t.Server.Faults.Inject("", faults.Unavailable(comeBack))
	_, err := t.verify(ctx, t.good())
	failure := t.failure(err)
	t.Expect(failure.Class).To(gomega.Equal(platform.Transient))
	t.Expect(failure.RetryAt).To(gomega.BeTemporally("~", now.Add(comeBack), slackness))
}

// checkEcho relies on failure, which looks for the secrets.
func checkEcho(ctx context.Context, t *trial) {
	for _, status := range []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusTooManyRequests, http.StatusInternalServerError,
	} {
		t.Server.Faults.Inject("", faults.Echo(status))
		_, err := t.verify(ctx, t.good())
		t.failure(err)
		t.Server.Faults.Heal()
		t.verified(ctx, t.good(), t.Good.Identity)
	}
}

func checkStable(ctx context.Context, t *trial) {
	for _, fault := range []faults.Fault{faults.Status(http.StatusServiceUnavailable), faults.HTML(http.StatusOK), faults.Drop()} {
		t.Server.Faults.Inject("", fault)
		_, first := t.verify(ctx, t.good())
		_, second := t.verify(ctx, t.good())
		t.Expect(t.failure(second).Error()).To(gomega.Equal(t.failure(first).Error()), "%s", fault)
		t.Server.Faults.Heal()
		t.verified(ctx, t.good(), t.Good.Identity)
	}
}
