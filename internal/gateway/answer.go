// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/platform"
)

// result says what became of a request to a callback. The set is bounded: it is
// also a metric label.
type result string

const (
	resultAccepted    result = "accepted"
	resultHandshake   result = "handshake"
	resultProbe       result = "probe"
	resultUnknown     result = "unknown"     // no callback of ours
	resultGone        result = "gone"        // a callback that was ours
	resultMethod      result = "method"      // a method that no platform uses
	resultLimited     result = "limited"     // too much of it
	resultLarge       result = "large"       // the body
	resultSlow        result = "slow"        // the body
	resultBroken      result = "broken"      // the body
	resultUnavailable result = "unavailable" // it is on us; to be sent again
	resultPanic       result = "panic"       // it is on us

	resultUnsigned  result = "unsigned"
	resultSignature result = "signature"
	resultStale     result = "stale"
	resultForm      result = "form"
	resultContent   result = "content"
)

// resultOf keeps the labels bounded whatever an adapter gives.
func resultOf(reason platform.RejectionReason) result {
	switch reason {
	case platform.RejectedUnsigned:
		return resultUnsigned
	case platform.RejectedSignature:
		return resultSignature
	case platform.RejectedStale:
		return resultStale
	case platform.RejectedForm:
		return resultForm
	case platform.RejectedContent:
		return resultContent
	}
	return resultForm
}

// outcome is the end of a request to a callback.
type outcome struct {
	result result
	// platform's type as far as it is known to be one.
	platform string
	answer   answer
}

// answer is what goes back.
type answer struct {
	platform.Answer
	// retryAfter asks for the same again after a while; zero for not.
	retryAfter time.Duration
	// hangUp ends the connection, because there may be more on it.
	hangUp bool
}

// again is how long a platform is asked to wait when the fault is ours.
const again = 5 * time.Second

// unavailable asks the platform to send it again. It is 503 whatever is wrong,
// a full store too: every platform takes that for "later", while 507 and other
// rare codes count as refused for good on some.
func unavailable() outcome {
	return outcome{result: resultUnavailable, answer: answer{Answer: fixed(http.StatusServiceUnavailable).Answer, retryAfter: again}}
}

func limited(wait time.Duration) outcome {
	return outcome{result: resultLimited, answer: answer{Answer: fixed(http.StatusTooManyRequests).Answer, retryAfter: wait}}
}

// fixed tells the status and nothing else.
func fixed(status int) answer { return plain(status, http.StatusText(status)+"\n") }

func plain(status int, text string) answer {
	return answer{Answer: platform.Answer{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text)}}
}

// protect keeps browsers from making anything of an answer. What is served for
// people replaces it with rules of its own.
func protect(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
}

func write(w http.ResponseWriter, a answer) {
	header := w.Header()
	if a.ContentType != "" {
		header.Set("Content-Type", a.ContentType)
	} else if len(a.Body) > 0 {
		header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if a.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(a.retryAfter.Seconds()))))
	}
	if a.hangUp {
		header.Set("Connection", "close")
	}
	w.WriteHeader(a.Status)
	if len(a.Body) > 0 {
		// Who does not wait for the answer cannot be told.
		_, _ = w.Write(a.Body)
	}
}

// status gives the one that an adapter wants, unless it is none that can be
// sent.
func status(wanted, otherwise int) int {
	if wanted < http.StatusOK || wanted > 599 {
		return otherwise
	}
	return wanted
}

// logPanic leaves out what was panicked with, unless it is the language's own
// words: it could hold a part of the request.
func (g *Gateway) logPanic(cause any) {
	message := "not shown"
	if err, ok := cause.(runtime.Error); ok {
		message = err.Error()
	}
	g.log.Error(nil, "A request to the gateway made it panic; it was answered 500. This is a bug: please report it with the stack", "panic", message, "stack", string(debug.Stack()))
}
