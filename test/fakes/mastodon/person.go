// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Consent follows an authorisation URL as a person with a browser does who
// signs in as the account and consents, and gives the URL to which they are
// sent back.
func Consent(ctx context.Context, authorizationURL, username string) (string, error) {
	return decide(ctx, authorizationURL, username, decisionAuthorize)
}

// Deny does the same as a person who does not consent.
func Deny(ctx context.Context, authorizationURL string) (string, error) {
	return decide(ctx, authorizationURL, "", decisionDeny)
}

func decide(ctx context.Context, authorizationURL, username, decision string) (string, error) {
	page, _, err := browse(ctx, http.MethodGet, authorizationURL, nil)
	if err != nil {
		return "", err
	}
	action, fields, err := readPage(page)
	if err != nil {
		return "", err
	}
	fields.Set("decision", decision)
	if username != "" {
		fields.Set("username", username)
	}
	target, err := url.Parse(authorizationURL)
	if err != nil {
		return "", fmt.Errorf("reading the authorisation URL: %w", err)
	}
	_, back, err := browse(ctx, http.MethodPost, target.ResolveReference(action).String(), fields)
	if err == nil && back == "" {
		err = errors.New("the consent page sends nobody back")
	}
	return back, err
}

// browse gives the page at a URL, or where it redirects to.
func browse(ctx context.Context, method, target string, form url.Values) (page, redirect string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", fmt.Errorf("opening the consent page: %w", err)
	}
	request.Header.Set("User-Agent", "a person's browser")
	request.Header.Set("Accept", "text/html")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(request)
	if err != nil {
		return "", "", fmt.Errorf("opening the consent page: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", "", fmt.Errorf("reading the consent page: %w", err)
	}
	return string(content), response.Header.Get("Location"), nil
}

// readPage gives where the form of a page is sent, and its hidden fields.
func readPage(page string) (action *url.URL, fields url.Values, err error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the consent page: %w", err)
	}
	fields = url.Values{}
	for node := range root.Descendants() {
		switch {
		case node.Type != html.ElementNode:
		case node.Data == "form":
			if action, err = url.Parse(attribute(node, "action")); err != nil {
				return nil, nil, fmt.Errorf("reading the consent page's form: %w", err)
			}
		case node.Data == "input" && attribute(node, "type") == "hidden":
			fields.Set(attribute(node, "name"), attribute(node, "value"))
		}
	}
	if action == nil {
		return nil, nil, errors.New("the consent page has no form")
	}
	return action, fields, nil
}

func attribute(of *html.Node, name string) string {
	for _, one := range of.Attr {
		if one.Key == name {
			return one.Val
		}
	}
	return ""
}
