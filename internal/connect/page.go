// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"crypto/rand"
	"net/url"

	"github.com/rostra-dev/rostra/internal/hook"
	"github.com/rostra-dev/rostra/internal/webpage"
)

// page is what a person sees, and fact a line of it.
type (
	page = webpage.Page
	fact = webpage.Fact
)

// formTargets are the sources to which the button may lead. Browsers apply the
// policy to the redirects that follow as well, of which a platform makes its
// own: to its sign-in, to its page for phones, to a company's single sign-on.
// So the scheme is what can be named; where the platform's server is one on
// this machine, that is.
func formTargets(server string) string {
	targets := "'self' https:"
	if parsed, err := url.Parse(server); err == nil && parsed.Scheme == "http" && hook.IsLoopback(parsed.Hostname()) {
		targets += " http://" + parsed.Host
	}
	return targets
}

// newReference makes a name for a disorder, to find it in the log by.
func newReference() string { return rand.Text()[:10] }
