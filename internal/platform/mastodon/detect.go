// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	pathInstanceV2 = "/api/v2/instance"
	pathInstanceV1 = "/api/v1/instance"
	pathNodeInfo   = "/.well-known/nodeinfo"
)

// nodeInfoSchema begins the relation of each link to a NodeInfo document
// (http://nodeinfo.diaspora.software/protocol).
const nodeInfoSchema = "http://nodeinfo.diaspora.software/ns/schema/"

// Detect asks the instance what it is. One request does, except with servers
// that have only the older form, that ask for a token even there (limited
// federation), or that give a version which does not say of what: those are
// asked for their NodeInfo. A server that tells nobody what it is has no name
// and no capability.
func (a *Adapter) Detect(ctx context.Context) (platform.Server, error) {
	found, failure := a.instance(ctx)
	if failure != nil && !isHidden(failure) {
		return platform.Server{}, failure
	}
	if found.name == "" {
		told, failure := a.nodeInfo(ctx)
		switch {
		case failure == nil:
			found = told
		case failure.Class == platform.Transient, failure.Class == platform.RateLimited:
			return platform.Server{}, failure
		}
	}
	a.hidesAppScopes.Store(!found.tellsAppScopes())
	return platform.Server{Software: found.String(), Capabilities: found.capabilities()}, nil
}

// isHidden tells whether the server has an answer and keeps it to those with a
// token.
func isHidden(failure *platform.Failure) bool {
	return failure.Class == platform.Unauthorized || failure.Class == platform.InsufficientScope
}

// instance asks for the instance in its present form, then in its older one.
func (a *Adapter) instance(ctx context.Context) (software, *platform.Failure) {
	var answer struct {
		Version   string `json:"version"`
		SourceURL string `json:"source_url"`
	}
	failure := a.get(ctx, pathInstanceV2, caller{}, &answer)
	if failure != nil && failure.Class == platform.NotFound {
		failure = a.get(ctx, pathInstanceV1, caller{}, &answer)
	}
	switch {
	case failure != nil && failure.Class == platform.NotFound:
		return software{}, &platform.Failure{
			Class:   platform.NotFound,
			Message: "the server has no Mastodon API (" + pathInstanceV1 + " is not there): is the server's URL right?",
		}
	case failure != nil:
		return software{}, failure
	case answer.Version == "":
		return software{}, unexpected("the server does not describe itself as the Mastodon API documents: is the server's URL right?")
	}
	return parseSoftware(answer.Version, answer.SourceURL), nil
}

// nodeInfo asks for the software's name and version by the NodeInfo protocol.
func (a *Adapter) nodeInfo(ctx context.Context) (software, *platform.Failure) {
	var index struct {
		Links []struct {
			Rel  string `json:"rel"`
			Href string `json:"href"`
		} `json:"links"`
	}
	if failure := a.get(ctx, pathNodeInfo, caller{}, &index); failure != nil {
		return software{}, failure
	}
	for _, link := range index.Links {
		path, ok := a.ownPath(link.Href)
		if !ok || !strings.HasPrefix(link.Rel, nodeInfoSchema) {
			continue
		}
		var document struct {
			Software struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"software"`
		}
		failure := a.get(ctx, path, caller{}, &document)
		return software{
			name:    strings.ToLower(printable(document.Software.Name)),
			version: printable(document.Software.Version),
		}, failure
	}
	return software{}, unexpected("the server does not say what software it runs")
}

// ownPath gives the path of a URL that the server named, where it is on the
// server itself: no other is asked for on its word.
func (a *Adapter) ownPath(raw string) (string, bool) {
	target, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	base, err := httpx.ParseServerURL((&url.URL{Scheme: target.Scheme, Host: target.Host}).String())
	if err != nil || base != a.server {
		return "", false
	}
	return target.EscapedPath(), true
}

func unexpected(message string) *platform.Failure {
	return &platform.Failure{Class: platform.Unknown, Message: message}
}

// caller is on whose behalf a request is made; the zero value is nobody.
type caller struct {
	account string // an ID or a handle, for the rate limit
	token   string
}

func callerOf(account platform.Account, token string) caller {
	if account.ID != "" {
		return caller{account: account.ID, token: token}
	}
	return caller{account: account.Handle, token: token}
}

func (c caller) header() http.Header {
	header := http.Header{"Accept": {"application/json"}}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	return header
}

// get asks for a path and decodes its JSON.
func (a *Adapter) get(ctx context.Context, path string, from caller, into any) *platform.Failure {
	return a.do(ctx, httpx.Request{Account: from.account, URL: a.server.URL(path, nil), Header: from.header()}, into)
}

// do sends a request and decodes the JSON of a 200.
func (a *Adapter) do(ctx context.Context, request httpx.Request, into any) *platform.Failure {
	response, err := a.http.Do(ctx, request)
	if err != nil {
		return platform.FromTransport(err)
	}
	if response.Status != http.StatusOK {
		return classify(response)
	}
	return platform.FromTransport(httpx.DecodeJSON(response, into))
}
