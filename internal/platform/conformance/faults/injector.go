// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"maps"
	"net/http"
	"sync"
)

// Injector stands in front of a server, counts its requests and answers some
// of them badly. The zero value is ready; it is safe for concurrent use.
type Injector struct {
	mu         sync.Mutex
	injections []*Injection
	requests   map[string]int
}

// Injection is a fault that is armed. It lasts until Stop, unless Times bounds
// it.
type Injection struct {
	injector *Injector
	path     string
	fault    Fault
	bounded  bool
	left     int
	served   int
}

// Inject answers requests to a URL path with the fault from now on; an empty
// path means every request. Of several for one path the oldest goes first.
func (i *Injector) Inject(path string, fault Fault) *Injection {
	i.mu.Lock()
	defer i.mu.Unlock()
	injection := &Injection{injector: i, path: path, fault: fault}
	i.injections = append(i.injections, injection)
	return injection
}

// Times bounds the injection to n more requests.
func (in *Injection) Times(n int) *Injection {
	in.injector.mu.Lock()
	defer in.injector.mu.Unlock()
	in.bounded, in.left = true, n
	return in
}

// Stop ends the injection.
func (in *Injection) Stop() { in.Times(0) }

// Served tells how many requests the fault has met.
func (in *Injection) Served() int {
	in.injector.mu.Lock()
	defer in.injector.mu.Unlock()
	return in.served
}

// Heal ends every injection.
func (i *Injector) Heal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.injections = nil
}

// Requests counts the requests so far by URL path, those that met a fault
// among them.
func (i *Injector) Requests() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.requests)
}

// Total counts the requests so far.
func (i *Injector) Total() int {
	total := 0
	for _, count := range i.Requests() {
		total += count
	}
	return total
}

// Wrap puts the injector in front of a server.
func (i *Injector) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault, ok := i.take(r.URL.Path); ok {
			fault.Serve(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// take counts a request and gives the fault that is due for it, if any.
func (i *Injector) take(path string) (Fault, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.requests == nil {
		i.requests = map[string]int{}
	}
	i.requests[path]++
	for _, in := range i.injections {
		if in.path != "" && in.path != path || in.bounded && in.left <= 0 {
			continue
		}
		in.left--
		in.served++
		return in.fault, true
	}
	return Fault{}, false
}
