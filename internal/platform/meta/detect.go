// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"context"
	"regexp"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// headerVersion names the version that answered; Meta sends it always.
const headerVersion = "Facebook-Api-Version"

var versionForm = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,3}$`)

// Detect asks who is asking, without a token. A Graph API refuses that in its own
// form, and nothing else does.
func (a *Adapter) Detect(ctx context.Context) (platform.Server, error) {
	response, err := a.http.Do(ctx, a.build(call{path: "me"}))
	if err != nil {
		return platform.Server{}, platform.FromTransport(err)
	}
	found, _ := readError(response)
	if found == nil {
		return platform.Server{}, notGraph(response)
	}
	failure := a.failureOf(*found, response)
	switch failure.Class {
	case platform.Transient, platform.RateLimited:
		return platform.Server{}, failure
	case platform.Unauthorized, platform.Revoked, platform.InsufficientScope, platform.PolicyBlocked, platform.NotFound,
		platform.Conflict, platform.Permanent, platform.Unknown:
	}
	server := platform.Server{Software: "graph-api", Capabilities: []platform.Capability{platform.CapabilityScopes}}
	if version := response.Header.Get(headerVersion); versionForm.MatchString(version) {
		server.Software += " " + version
	}
	return server, nil
}

// notGraph is for what answers otherwise than a Graph API.
func notGraph(response *httpx.Response) *platform.Failure {
	failure := platform.FromStatus(response.Status, response.RetryAt)
	if failure.Class != platform.Transient && failure.Class != platform.RateLimited {
		failure.Class, failure.Message = platform.Unknown, "the server does not answer as the Graph API does: is the server URL right?"
	}
	return failure
}
