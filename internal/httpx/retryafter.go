// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxRetry bounds every retry time: no server may park an account for ever.
	maxRetry = 24 * time.Hour
	// epochFloor parts seconds remaining from seconds since 1970. Read as a
	// remaining time it is 31 years; read as a date it is in 2001. No platform
	// means either.
	epochFloor = 1e9
)

// RetryAt reads from the headers of an answer when to come back, and tells
// whether they say so at all. It takes the first of these that it can read:
//
//   - Retry-After: seconds to wait, or an HTTP date (RFC 9110, section 10.2.3).
//     Fractions of a second, which the RFC does not know, are taken.
//   - RateLimit-Reset, X-RateLimit-Reset, X-Rate-Limit-Reset (X spells it so):
//     seconds since 1970 (Bluesky, X), an RFC 3339 time (Mastodon), or seconds
//     remaining, possibly fractional (Reddit). A number of 1,000,000,000 and more
//     is a date, a smaller one is a wait.
//
// The time is never before now and never more than 24 hours after it.
func RetryAt(h http.Header, now time.Time) (time.Time, bool) {
	if at, ok := retryAfter(h, now); ok {
		return at, true
	}
	return rateLimitReset(h, now)
}

// ClampRetry keeps a retry time that a platform gave in another place, such as
// the body, within the bounds of RetryAt.
func ClampRetry(at, now time.Time) time.Time {
	if at.Before(now) {
		return now
	}
	if latest := now.Add(maxRetry); at.After(latest) {
		return latest
	}
	return at
}

func retryAfter(h http.Header, now time.Time) (time.Time, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, ok := parseSeconds(value); ok {
		return now.Add(wait(seconds)), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return ClampRetry(date, now), true
	}
	return time.Time{}, false
}

func rateLimitReset(h http.Header, now time.Time) (time.Time, bool) {
	for _, name := range []string{"RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset"} {
		value := strings.TrimSpace(h.Get(name))
		if seconds, ok := parseSeconds(value); ok {
			return resetAt(seconds, now), true
		}
		if date, err := time.Parse(time.RFC3339, value); err == nil {
			return ClampRetry(date, now), true
		}
	}
	return time.Time{}, false
}

func resetAt(seconds float64, now time.Time) time.Time {
	if seconds < epochFloor {
		return now.Add(wait(seconds))
	}
	// Microseconds are what a float64 holds of such a number; the bound keeps
	// the product inside an int64.
	micros := min(seconds, 1e12) * 1e6
	return ClampRetry(time.UnixMicro(int64(micros)).In(now.Location()), now)
}

func wait(seconds float64) time.Duration {
	return time.Duration(min(seconds, maxRetry.Seconds()) * float64(time.Second))
}

// parseSeconds reads a decimal number without sign or exponent, which
// strconv.ParseFloat alone would let through.
func parseSeconds(value string) (float64, bool) {
	if strings.Trim(value, "0123456789.") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil && seconds == 0 {
		return 0, false
	}
	return seconds, true // too many digits give +Inf, which the bounds tame
}
