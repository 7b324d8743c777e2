// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
)

var (
	// username is that of a local account. Mastodon allows letters, digits and
	// underscores, up to 30 by default; GoToSocial up to 64 of them; others also
	// dots and hyphens inside.
	username = regexp.MustCompile(`^[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?$`)

	// accountID: a number of up to 64 bits (Mastodon's Snowflakes), a ULID
	// (GoToSocial: 26 characters of Crockford's Base32), or 18 letters and
	// digits (the Flake IDs of Pleroma and Akkoma).
	accountID = regexp.MustCompile(`^(?:[0-9]{1,20}|[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-9A-Za-z]{18})$`)
)

var (
	errHandle    = errors.New("a handle is written as news, @news or @news@social.example: letters, digits and underscores, without spaces")
	errAccountID = errors.New("an account ID is a number such as 109348684394857 (Mastodon), or 26 capital letters and digits (GoToSocial); the API call verify_credentials shows it as \"id\"")
)

// NormaliseHandle gives the user name in lower case, without the server: user
// names are the same in either case, and the server is the platform's. A
// handle may name the server's host, or a domain above it, because the handles
// of a server can be those of a parent domain.
func (a *Adapter) NormaliseHandle(handle string) (string, error) {
	name, domain, hasDomain := strings.Cut(strings.TrimPrefix(handle, "@"), "@")
	name = strings.ToLower(name)
	if !username.MatchString(name) {
		return "", errHandle
	}
	if hasDomain && !a.serves(strings.ToLower(domain)) {
		return "", fmt.Errorf("the handle names another server than %s: write the part before the last @ alone, or use the platform of that server", a.server.Host())
	}
	return name, nil
}

// serves tells whether handles of the domain can be of this server.
func (a *Adapter) serves(domain string) bool {
	host := a.server.Host()
	if domain == host {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return domain == host || strings.Contains(domain, ".") && strings.HasSuffix(host, "."+domain)
}

// CheckAccountID implements platform.Platform.
func (a *Adapter) CheckAccountID(id string) error {
	if !accountID.MatchString(id) {
		return errAccountID
	}
	return nil
}
