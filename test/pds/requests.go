// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"slices"
	"sync"
	"time"
)

// Request is one XRPC request that a Server or a Proxy saw.
type Request struct {
	// NSID names the method, such as com.atproto.server.createSession. For a
	// request outside /xrpc/, which only a Proxy records, it is the path.
	NSID string
	// At is when the request arrived.
	At time.Time
	// Status is the HTTP status of the answer; 0 if none was given (yet).
	Status int
	// UserAgent is what the client called itself.
	UserAgent string
}

// journal keeps requests in order of arrival, across restarts of a server.
type journal struct {
	mu       sync.Mutex
	requests []Request
}

// run is the part of a journal that one process writes; it knows the requests by
// the numbers which that process gives them.
type run struct {
	journal *journal
	index   map[int]int
}

func (j *journal) newRun() *run { return &run{journal: j, index: map[int]int{}} }

func (r *run) arrived(id int, request Request) {
	if request.UserAgent == ownAgent {
		return
	}
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	r.index[id] = len(r.journal.requests)
	r.journal.requests = append(r.journal.requests, request)
}

func (r *run) answered(id, status int) {
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	if at, ok := r.index[id]; ok {
		r.journal.requests[at].Status = status
		delete(r.index, id)
	}
}

func (j *journal) list() []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.requests)
}

// count returns how many of the requests call the method; AnyMethod counts all.
func count(requests []Request, nsid string) int {
	n := 0
	for _, request := range requests {
		if matches(nsid, request.NSID) {
			n++
		}
	}
	return n
}

// AnyMethod stands for every method in RequestCount, Proxy.Count and Proxy.On.
const AnyMethod = "*"

func matches(pattern, nsid string) bool { return pattern == AnyMethod || pattern == nsid }
