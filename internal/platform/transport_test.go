// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

func TestFromTransport(t *testing.T) {
	later := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for kind, want := range map[httpx.Kind]platform.Class{
		httpx.KindTimeout: platform.Transient, httpx.KindCanceled: platform.Transient, httpx.KindDNS: platform.Transient,
		httpx.KindConnect: platform.Transient, httpx.KindTLS: platform.Transient, httpx.KindProtocol: platform.Transient,
		httpx.KindTruncated: platform.Transient, httpx.KindBreakerOpen: platform.Transient, httpx.KindBusy: platform.Transient,
		httpx.KindRateLimited: platform.RateLimited, httpx.KindNotJSON: platform.Unknown, httpx.KindBodyTooLarge: platform.Unknown,
		httpx.KindAddressRefused: platform.Permanent, httpx.KindRedirect: platform.Permanent, httpx.KindInvalidRequest: platform.Permanent,
		"SomethingNew": platform.Transient,
	} {
		transport := &httpx.Error{Kind: kind, Origin: "https://social.example", RetryAt: later, Err: context.DeadlineExceeded}
		failure := platform.FromTransport(fmt.Errorf("asking: %w", transport))
		if failure.Class != want || failure.Message != transport.Error() || !failure.RetryAt.Equal(later) {
			t.Errorf("%s: %+v, want %s", kind, failure, want)
		}
		if found, ok := errors.AsType[*httpx.Error](failure); !ok || found != transport || !errors.Is(failure, context.DeadlineExceeded) {
			t.Errorf("%s: the cause is lost", kind)
		}
		if held := kind == httpx.KindBusy || kind == httpx.KindRateLimited; platform.HeldBack(failure) != held {
			t.Errorf("%s: held back is %t", kind, !held)
		}
	}
}

func TestFromTransportOfOthers(t *testing.T) {
	if failure := platform.FromTransport(nil); failure != nil {
		t.Errorf("nil became %v", failure)
	}
	given := &platform.Failure{Class: platform.Revoked, Message: "gone"}
	if failure := platform.FromTransport(fmt.Errorf("asking: %w", given)); failure != given {
		t.Errorf("a failure became %v", failure)
	}
	if failure := platform.FromTransport(errors.New("hunter2")); failure.Class != platform.Unknown || failure.Error() != "the request could not be made" {
		t.Errorf("some error became %+v", failure)
	}
}

func TestFromStatus(t *testing.T) {
	later := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for status, want := range map[int]platform.Class{
		400: platform.Permanent, 401: platform.Unauthorized, 403: platform.InsufficientScope, 404: platform.NotFound,
		405: platform.Permanent, 408: platform.Transient, 409: platform.Conflict, 410: platform.NotFound,
		422: platform.Permanent, 425: platform.Transient, 429: platform.RateLimited, 451: platform.Permanent,
		500: platform.Transient, 501: platform.Permanent, 502: platform.Transient, 503: platform.Transient,
		504: platform.Transient, 599: platform.Transient,
		0: platform.Unknown, 200: platform.Unknown, 304: platform.Unknown, 600: platform.Unknown, 999: platform.Unknown,
	} {
		failure := platform.FromStatus(status, later)
		if failure.Class != want || failure.Message == "" || !failure.RetryAt.Equal(later) {
			t.Errorf("%d: %+v, want %s", status, failure, want)
		}
	}
	if platform.FromStatus(502, later).Error() != platform.FromStatus(503, later).Error() {
		t.Error("an outage must say the same while its status flips")
	}
}
