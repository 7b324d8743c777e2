// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window is the requests of one client in the running five minutes.
type window struct {
	ends  time.Time
	count int
}

// limited counts a request, sets the three headers and tells whether it is one
// too many. Mastodon's windows begin at whole multiples of their length.
func (s *Server) limited(w http.ResponseWriter, r *request) bool {
	if !strings.HasPrefix(r.URL.Path, "/api/") && !s.dialect.limitsOAuth {
		return false
	}
	who := "address"
	if r.token != nil {
		who = r.access
	}
	now := s.options.clock.Now()
	current := s.windows[who]
	if current == nil || !now.Before(current.ends) {
		current = &window{ends: now.Truncate(ratePeriod).Add(ratePeriod)}
		s.windows[who] = current
	}
	current.count++
	header := w.Header()
	header.Set("X-RateLimit-Limit", strconv.Itoa(s.options.rateLimit))
	header.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, s.options.rateLimit-current.count)))
	header.Set("X-RateLimit-Reset", s.dialect.formatReset(current.ends))
	return current.count > s.options.rateLimit
}
