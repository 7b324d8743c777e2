// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
)

// 1795262400 in seconds since 1970.
var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

var _ = Describe("RetryAt", func() {
	const day = 24 * time.Hour

	DescribeTable("reads every form that platforms use",
		func(name, value string, wanted time.Duration) {
			h := http.Header{}
			h.Set(name, value)
			at, ok := httpx.RetryAt(h, noon)
			Expect(ok).To(BeTrue())
			Expect(at.Sub(noon)).To(Equal(wanted))
		},
		Entry("seconds", "Retry-After", "120", 2*time.Minute),
		Entry("no seconds", "Retry-After", "0", time.Duration(0)),
		Entry("half a second", "Retry-After", "0.5", 500*time.Millisecond),
		Entry("spaces", "Retry-After", " 7 ", 7*time.Second),
		Entry("too many seconds", "Retry-After", "999999999", day),
		Entry("far too many", "Retry-After", strings.Repeat("9", 400), day),
		Entry("a date", "Retry-After", "Sat, 21 Nov 2026 12:01:30 GMT", 90*time.Second),
		Entry("a date, RFC 850", "Retry-After", "Saturday, 21-Nov-26 12:01:30 GMT", 90*time.Second),
		Entry("a date, asctime", "Retry-After", "Sat Nov 21 12:01:30 2026", 90*time.Second),
		Entry("a date gone by", "Retry-After", "Sat, 21 Nov 2020 12:00:00 GMT", time.Duration(0)),
		Entry("a date far off", "Retry-After", "Sat, 21 Nov 2099 12:00:00 GMT", day),
		Entry("Bluesky", "RateLimit-Reset", "1795262700", 5*time.Minute),
		Entry("X", "x-rate-limit-reset", "1795263300", 15*time.Minute),
		Entry("X, gone by", "x-rate-limit-reset", "1795262399", time.Duration(0)),
		Entry("epoch with a fraction", "X-RateLimit-Reset", "1795262400.25", 250*time.Millisecond),
		Entry("epoch in milliseconds is out of bounds", "X-RateLimit-Reset", "1795262400000", day),
		Entry("far too large", "X-RateLimit-Reset", strings.Repeat("9", 400), day),
		Entry("Mastodon", "X-RateLimit-Reset", "2026-11-21T12:05:00.123456Z", 5*time.Minute+123456*time.Microsecond),
		Entry("Mastodon, with a zone", "X-RateLimit-Reset", "2026-11-21T13:05:00+01:00", 5*time.Minute),
		Entry("Reddit", "X-Ratelimit-Reset", "287", 287*time.Second),
		Entry("Reddit, with a fraction", "X-Ratelimit-Reset", "287.5", 287500*time.Millisecond),
		Entry("the largest wait", "X-Ratelimit-Reset", "999999999", day),
		Entry("the smallest date", "X-Ratelimit-Reset", "1000000000", time.Duration(0)),
	)

	DescribeTable("reads nothing else",
		func(value string) {
			for _, name := range []string{"Retry-After", "RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset"} {
				_, ok := httpx.RetryAt(http.Header{name: {value}, http.CanonicalHeaderKey(name): {value}}, noon)
				Expect(ok).To(BeFalse(), "%s: %s", name, value)
			}
		},
		Entry(nil, ""), Entry(nil, "-1"), Entry(nil, "+1"), Entry(nil, "1e3"), Entry(nil, "0x10"), Entry(nil, "NaN"),
		Entry(nil, "inf"), Entry(nil, "1_000"), Entry(nil, "."), Entry(nil, "1.2.3"), Entry(nil, "soon"), Entry(nil, "1 2"),
		Entry(nil, "2026-11-21"), Entry(nil, "2026-13-41T00:00:00Z"), Entry(nil, "１２"),
	)

	It("says so where nothing is said", func() {
		at, ok := httpx.RetryAt(http.Header{}, noon)
		Expect(ok).To(BeFalse())
		Expect(at).To(BeZero())
	})

	It("prefers Retry-After, and falls back where it is unreadable", func() {
		at, _ := httpx.RetryAt(http.Header{"Retry-After": {"1"}, "Ratelimit-Reset": {"9"}}, noon)
		Expect(at).To(Equal(noon.Add(time.Second)))
		at, _ = httpx.RetryAt(http.Header{"Retry-After": {"soon"}, "Ratelimit-Reset": {"9"}}, noon)
		Expect(at).To(Equal(noon.Add(9 * time.Second)))
	})

	It("bounds times from elsewhere alike", func() {
		Expect(httpx.ClampRetry(noon.Add(-time.Hour), noon)).To(Equal(noon))
		Expect(httpx.ClampRetry(noon.Add(time.Hour), noon)).To(Equal(noon.Add(time.Hour)))
		Expect(httpx.ClampRetry(noon.Add(1000*time.Hour), noon)).To(Equal(noon.Add(day)))
	})
})

func FuzzRetryAt(f *testing.F) {
	for _, seed := range []string{"120", "0.5", "1795262700", "2026-11-21T12:05:00Z", "Sat, 21 Nov 2026 12:01:30 GMT", "-1", "1e99", "9223372036854775807", "99999999999.999999999", "."} {
		f.Add(seed, seed, noon.Unix())
	}
	f.Fuzz(func(t *testing.T, after, reset string, unix int64) {
		now := time.Unix(unix%253402300800, 0)
		at, ok := httpx.RetryAt(http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {reset}}, now)
		if !ok {
			if !at.IsZero() {
				t.Fatalf("%q, %q: a time without a word of it", after, reset)
			}
			return
		}
		if at.Before(now) || at.After(now.Add(24*time.Hour)) {
			t.Fatalf("%q, %q at %v: %v is out of bounds", after, reset, now, at)
		}
	})
}
