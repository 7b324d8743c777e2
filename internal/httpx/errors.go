// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// Kind tells the errors of this package apart. The set is bounded: it is also a
// metric label.
type Kind string

const (
	// KindTimeout: no complete answer in time.
	KindTimeout Kind = "Timeout"
	// KindCanceled: the caller gave up.
	KindCanceled Kind = "Canceled"
	// KindAddressRefused: the server's address is one that Rostra does not
	// dial.
	KindAddressRefused Kind = "AddressRefused"
	// KindDNS: the server's name could not be looked up.
	KindDNS Kind = "DNS"
	// KindConnect: no connection to the server.
	KindConnect Kind = "Connect"
	// KindTLS: no secure connection: a bad certificate, an old version, or a
	// server that does not speak TLS.
	KindTLS Kind = "TLS"
	// KindProtocol: the connection broke, or carried something other than HTTP,
	// before the answer's headers were complete.
	KindProtocol Kind = "Protocol"
	// KindTruncated: the answer's body was cut short or damaged.
	KindTruncated Kind = "Truncated"
	// KindBodyTooLarge: the answer's body is over the cap.
	KindBodyTooLarge Kind = "BodyTooLarge"
	// KindRedirect: the server answered with a redirect.
	KindRedirect Kind = "Redirect"
	// KindBreakerOpen: the origin failed repeatedly and is left alone until
	// RetryAt.
	KindBreakerOpen Kind = "BreakerOpen"
	// KindBusy: too many requests to this origin are in flight.
	KindBusy Kind = "Busy"
	// KindRateLimited: this account has used up its local rate; RetryAt says
	// when there is room.
	KindRateLimited Kind = "RateLimited"
	// KindInvalidRequest: the request cannot be sent as it is.
	KindInvalidRequest Kind = "InvalidRequest"
	// KindNotJSON: DecodeJSON met something other than the JSON it was to
	// read.
	KindNotJSON Kind = "NotJSON"
)

// ErrBodyTooLarge is in the chain of an Error of KindBodyTooLarge.
var ErrBodyTooLarge = errors.New("the answer is larger than the limit")

const detailProtocol = "the connection broke before a complete answer, or carried something other than HTTP"

// errTimeLimit is the cause of a context that ended by Options.Timeout, which
// tells it from a deadline of the caller's.
var errTimeLimit = errors.New("time limit of the HTTP client")

// Error is every error of Client.Do and DecodeJSON. Its text is one sentence
// that does not change while the fault is the same.
type Error struct {
	// Kind tells what went wrong.
	Kind Kind
	// Origin is the server's scheme, host and port; empty where the request
	// named no usable one.
	Origin string
	// RetryAt is when to come back: set for KindBreakerOpen, KindBusy and
	// KindRateLimited, else zero.
	RetryAt time.Time
	// MaybeSent is false where the server certainly did not get the request. It
	// is true where it may have acted on it although no answer arrived, as when
	// a create timed out.
	MaybeSent bool
	// Err is the cause where it is safe to show (context.Canceled,
	// syscall.ECONNREFUSED, io.ErrUnexpectedEOF, ErrBodyTooLarge, …), else nil.
	// Causes that could quote the URL or what the server sent are dropped.
	Err error

	detail string
}

// Error names the origin and what happened.
func (e *Error) Error() string {
	detail := e.detail
	if detail == "" {
		detail = "the request failed (" + string(e.Kind) + ")"
	}
	if e.Origin == "" {
		return detail
	}
	return e.Origin + ": " + detail
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the Error in err's chain, or "" where there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

// stage is how far a connection got before it failed.
type stage int

const (
	stageDial stage = iota
	stageTLS
)

// stageError marks an error as one of making the connection: nothing of the
// request was sent.
type stageError struct {
	stage stage
	err   error
}

func (e *stageError) Error() string { return e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// classifyEnded tells why ctx ended: the caller, or the client's own limit. It
// gives nil while ctx has not ended.
func classifyEnded(caller, ctx context.Context, limit time.Duration) *Error {
	switch {
	case ctx.Err() == nil:
		return nil
	case errors.Is(context.Cause(ctx), errTimeLimit):
		return &Error{Kind: KindTimeout, Err: context.DeadlineExceeded, detail: "no complete answer within " + limit.String()}
	case errors.Is(caller.Err(), context.DeadlineExceeded):
		return &Error{Kind: KindTimeout, Err: context.DeadlineExceeded, detail: "no complete answer before the caller's deadline"}
	default:
		return &Error{Kind: KindCanceled, Err: context.Canceled, detail: "the request was cancelled"}
	}
}

// classifyTransport makes an Error of what the transport answered instead of
// headers, the context being alive.
func classifyTransport(err error, limit time.Duration) *Error {
	if refused, ok := errors.AsType[*refusedError](err); ok {
		return &Error{Kind: KindAddressRefused, Err: refused, detail: refused.Error()}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return &Error{Kind: KindDNS, Err: dns, detail: describeDNS(dns)}
	}
	failed, ok := errors.AsType[*stageError](err)
	switch {
	case !ok:
		return &Error{Kind: KindProtocol, Err: safeCause(err), detail: detailProtocol}
	case isTimeout(err):
		return &Error{Kind: KindTimeout, Err: context.DeadlineExceeded, detail: "no complete answer within " + limit.String()}
	case failed.stage == stageTLS:
		return &Error{Kind: KindTLS, Err: safeCause(err), detail: describeTLS(err)}
	default:
		return &Error{Kind: KindConnect, Err: safeCause(err), detail: describeDial(err)}
	}
}

func isTimeout(err error) bool {
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout()
}

func describeDNS(err *net.DNSError) string {
	if err.IsNotFound {
		return "no such host in DNS"
	}
	return "the host's name could not be looked up in DNS"
}

func describeDial(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the server"
	default:
		return "no connection to the server"
	}
}

func describeTLS(err error) string {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS on this port (is it http, or another port?)"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is for another host name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the server's certificate is signed by an unknown authority"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "the server's certificate has expired or is not valid yet"
		}
		return "the server's certificate is not valid"
	}
	return "no secure connection: the TLS handshake failed (TLS 1.2 or later is needed)"
}

// safeCause picks the part of an error that cannot quote the request or what
// the server sent, and that is the same on every try.
func safeCause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return verification
	}
	for _, cause := range []error{io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, cause) {
			return cause
		}
	}
	return nil
}
