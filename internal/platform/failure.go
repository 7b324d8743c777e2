// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"errors"
	"time"
)

// ErrSessionConflict is returned by SessionStore.Save when another writer was
// there first. The session at hand must not be used: load it again.
var ErrSessionConflict = errors.New("the stored session was changed by another writer")

// Class tells failures apart by what can be done about them. The set is
// bounded: it is also a metric label.
type Class string

const (
	// Unauthorized: the platform does not know this credential. It may be
	// mistyped, or of another account.
	Unauthorized Class = "Unauthorized"
	// Revoked: the platform knew the credential and says that it is no longer
	// good.
	Revoked Class = "Revoked"
	// InsufficientScope: the credential is good and lacks a permission.
	InsufficientScope Class = "InsufficientScope"
	// RateLimited: too many requests; RetryAt says when to come back, if known.
	RateLimited Class = "RateLimited"
	// PolicyBlocked: the platform blocks the account or the application.
	PolicyBlocked Class = "PolicyBlocked"
	// NotFound: the thing asked for is not there.
	NotFound Class = "NotFound"
	// Conflict: the thing to be made is there already.
	Conflict Class = "Conflict"
	// Transient: no usable answer this time; the same request may succeed
	// later.
	Transient Class = "Transient"
	// Permanent: the request cannot succeed as it is; a person must change
	// something.
	Permanent Class = "Permanent"
	// Unknown: an answer that the adapter cannot place. It says nothing about
	// the credential and is tried again.
	Unknown Class = "Unknown"
)

// Failure is why a call to a platform did not do what it should.
type Failure struct {
	// Class tells what can be done about it.
	Class Class
	// Code that the platform gave, for example "ExpiredToken"; may be empty.
	Code string
	// Message for a person, in words that do not change from try to try and
	// hold no secret: it is shown in conditions.
	Message string
	// RetryAt is when the platform said to come back; zero where it did not.
	RetryAt time.Time
	// HeldBack tells that the platform was not asked at all: a limit of
	// Rostra's own kept the request back. Nothing was learnt.
	HeldBack bool
	// Cause, where there is one below.
	Cause error
}

// Error gives the message, with the platform's code where there is one.
func (f *Failure) Error() string {
	if f.Code == "" {
		return f.Message
	}
	return f.Message + " (" + f.Code + ")"
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// ClassOf gives the class of an error: that of the Failure in it, else
// Unknown.
func ClassOf(err error) Class {
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure.Class
	}
	return Unknown
}

// HeldBack tells whether the request never left, by a limit of Rostra's own.
func HeldBack(err error) bool {
	failure, ok := errors.AsType[*Failure](err)
	return ok && failure.HeldBack
}

// RetryAt gives the time at which the platform said to come back, or zero.
func RetryAt(err error) time.Time {
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure.RetryAt
	}
	return time.Time{}
}

// Passing tells whether a failure of this class says nothing about the
// credential and may pass by itself.
func (c Class) Passing() bool {
	switch c {
	case Transient, RateLimited, Unknown, Conflict:
		return true
	case Unauthorized, Revoked, InsufficientScope, PolicyBlocked, NotFound, Permanent:
		return false
	}
	return true
}
