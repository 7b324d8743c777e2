// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"time"
)

// smallBody is what a body may take without being counted. Most deliveries are
// smaller.
const smallBody = 16 << 10

// readBody reads the body within its bound of size, and of time, which is set
// already. refused is nil where that went well.
func (d *delivery) readBody() (body []byte, refused *outcome) {
	size := d.r.ContentLength
	if size == 0 {
		return nil, nil
	}
	if size > d.limits.Body {
		return nil, hangUp(resultLarge, http.StatusRequestEntityTooLarge)
	}
	if size < 0 { // it does not say
		size = d.limits.Body
	}
	if size > smallBody {
		if !d.bodies.TryAcquire(size) {
			return nil, hangUp(resultUnavailable, http.StatusServiceUnavailable)
		}
		d.release = func() { d.bodies.Release(size) }
	}
	var read bytes.Buffer
	// What is announced is not there yet: room is made as it comes.
	read.Grow(int(min(size, smallBody)) + bytes.MinRead)
	if _, err := read.ReadFrom(http.MaxBytesReader(d.w, d.r.Body, d.limits.Body)); err != nil {
		return nil, unread(err)
	}
	// Otherwise the server would take the deadline, when it comes, for the
	// sender having gone.
	_ = http.NewResponseController(d.w).SetReadDeadline(time.Time{})
	return read.Bytes(), nil
}

func unread(err error) *outcome {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return hangUp(resultLarge, http.StatusRequestEntityTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return hangUp(resultSlow, http.StatusRequestTimeout)
	default:
		return hangUp(resultBroken, http.StatusBadRequest)
	}
}

// hangUp refuses a body that is not, or not wholly, read: the rest of it may
// still be on its way.
func hangUp(reason result, status int) *outcome {
	out := &outcome{result: reason, answer: fixed(status)}
	out.answer.hangUp = true
	if reason == resultUnavailable {
		out.answer.retryAfter = again
	}
	return out
}
