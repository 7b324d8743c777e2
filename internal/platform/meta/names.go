// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"errors"
	"regexp"
	"strings"

	"github.com/rostra-dev/rostra/internal/platform"
)

var (
	// username of a Page, without its dots. New ones have five characters or
	// more; older ones may be shorter.
	username = regexp.MustCompile(`^[a-z0-9]{1,50}$`)

	// accountID is that of a Page, an app or a person.
	accountID = regexp.MustCompile(`^[0-9]{1,20}$`)
)

var (
	errHandle    = errors.New("a handle is the Page's username as in facebook.com/acme.help, without the address: letters, digits and dots; or the Page's ID")
	errAccountID = errors.New("an account ID is the Page's number, such as 1065432198765432: it stands under About, Page transparency")
)

const (
	// maxHandle bounds a handle in bytes, dots included.
	maxHandle = 100
)

// NormaliseHandle gives the username in lower case and without dots, in which
// usernames do not differ
// (https://www.facebook.com/help/409473442437047), or the Page's ID.
func (a *Adapter) NormaliseHandle(handle string) (string, error) {
	if len(handle) > maxHandle {
		return "", errHandle
	}
	name := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(handle, "@")), ".", "")
	if !username.MatchString(name) {
		return "", errHandle
	}
	return name, nil
}

// CheckAccountID implements platform.Platform.
func (a *Adapter) CheckAccountID(id string) error {
	if !accountID.MatchString(id) {
		return errAccountID
	}
	return nil
}

// pageAnswer is a Page, as far as its fields were asked for
// (https://developers.facebook.com/docs/graph-api/reference/page/).
type pageAnswer struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Username    string `json:"username"`
	AccessToken string `json:"access_token"`
	IsPublished *bool  `json:"is_published"`
}

// handleOf gives the Page's handle: its username, or its ID where it has none.
func (a *Adapter) handleOf(page pageAnswer) (string, error) {
	if !accountID.MatchString(page.ID) {
		return "", strange("it does not name a Page by its ID")
	}
	if page.Username == "" {
		return page.ID, nil
	}
	handle, err := a.NormaliseHandle(page.Username)
	if err != nil {
		return "", strange("the Page's username is malformed")
	}
	return handle, nil
}

// identityOf gives whose account a Page is. A channel that declares the Page's
// ID for its handle has that for its handle.
func (a *Adapter) identityOf(account platform.Account, page pageAnswer) (platform.Identity, error) {
	handle, err := a.handleOf(page)
	if err != nil {
		return platform.Identity{}, err
	}
	if account.Handle == page.ID {
		handle = page.ID
	}
	return platform.Identity{AccountID: page.ID, Handle: handle, DisplayName: platform.OneLine(page.Name)}, nil
}
