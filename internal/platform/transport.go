// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"errors"
	"net/http"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
)

// FromTransport gives the Failure for an error of the outbound client: no
// answer came back, or none that can be read. It says nothing about the
// credential. A Failure that is in the chain already is given as it is, nil
// for nil.
//
// Whether the server may have acted on the request all the same is asked of
// the *httpx.Error in the chain.
func FromTransport(err error) *Failure {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure
	}
	transport, ok := errors.AsType[*httpx.Error](err)
	if !ok {
		return &Failure{Class: Unknown, Message: "the request could not be made", Cause: err}
	}
	return &Failure{
		Class:    classOfKind(transport.Kind),
		Message:  transport.Error(),
		RetryAt:  transport.RetryAt,
		HeldBack: transport.Kind == httpx.KindBusy || transport.Kind == httpx.KindRateLimited,
		Cause:    err,
	}
}

// classOfKind is Permanent where a person must change the manifest or the
// administrator's egress rules, Unknown where something answered that is not
// the platform's API, and else an outage.
func classOfKind(kind httpx.Kind) Class {
	switch kind {
	case httpx.KindAddressRefused, httpx.KindRedirect, httpx.KindInvalidRequest:
		return Permanent
	case httpx.KindNotJSON, httpx.KindBodyTooLarge:
		return Unknown
	case httpx.KindRateLimited:
		return RateLimited
	case httpx.KindTimeout, httpx.KindCanceled, httpx.KindDNS, httpx.KindConnect, httpx.KindTLS,
		httpx.KindProtocol, httpx.KindTruncated, httpx.KindBreakerOpen, httpx.KindBusy:
		return Transient
	}
	return Transient
}

// FromStatus gives the Failure for an HTTP status of which the adapter knows
// nothing better; retryAt is zero where the server named no time. An adapter
// looks at the platform's own error code first: status alone lies on many
// platforms.
func FromStatus(status int, retryAt time.Time) *Failure {
	class, message := classOfStatus(status)
	return &Failure{Class: class, Message: message, RetryAt: retryAt}
}

// classOfStatus follows RFC 9110, section 15. The messages leave out the
// number where one trouble shows as several, so that they stay the same from
// try to try.
func classOfStatus(status int) (Class, string) {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorized, "the server does not accept the credential"
	case http.StatusForbidden:
		return InsufficientScope, "the server does not allow this with the credential"
	case http.StatusNotFound, http.StatusGone:
		return NotFound, "the server does not have what was asked for"
	case http.StatusConflict:
		return Conflict, "the server has what was to be made already"
	case http.StatusTooManyRequests:
		return RateLimited, "the server takes no more requests for now"
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return Transient, "the server could not take the request this time"
	case http.StatusNotImplemented:
		return Permanent, "the server does not know this request: is the server's URL right?"
	}
	switch {
	case status >= 500 && status <= 599:
		return Transient, "the server is out of order for now"
	case status >= 400 && status <= 499:
		return Permanent, "the server refuses the request"
	}
	return Unknown, "the server's answer is not one that Rostra understands"
}
