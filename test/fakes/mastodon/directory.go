// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

const (
	// defaultDirectory and maxDirectory are how many accounts the directory
	// gives at once, where nothing else is asked for, and at most
	// (https://docs.joinmastodon.org/methods/directory/).
	defaultDirectory = 40
	maxDirectory     = 80
)

// directory answers GET /api/v1/directory: the accounts that chose to be in it,
// the newest first. It is public, but for limited federation. Suspended
// accounts, and those whose registration is not complete, are not in it;
// disabled ones are.
func (s *Server) directory(w http.ResponseWriter, r *request) {
	if !s.open(w, r) {
		return
	}
	limit, limited := directoryNumber(r, "limit", defaultDirectory)
	offset, placed := directoryNumber(r, "offset", 0)
	order, local := cmp.Or(r.form.Get("order"), "active"), r.form.Get("local")
	if !limited || !placed || limit > maxDirectory || order != "active" && order != "new" || local != "" && local != "true" && local != "false" {
		send(w, http.StatusBadRequest, errorText("strict: a parameter is out of range"))
		return
	}
	var listed []*accountRecord
	for _, account := range s.accounts {
		if account.listed && (account.state == Active || account.state == Disabled) {
			listed = append(listed, account)
		}
	}
	slices.SortFunc(listed, func(a, b *accountRecord) int { return cmp.Compare(b.id, a.id) })
	answer := []map[string]any{}
	for _, account := range listed[min(offset, len(listed)):min(offset+limit, len(listed))] {
		entity := s.credentialAccount(account)
		delete(entity, "source") // of the account's holder alone
		answer = append(answer, entity)
	}
	send(w, http.StatusOK, answer)
}

func directoryNumber(r *request, name string, otherwise int) (int, bool) {
	text := r.form.Get(name)
	if text == "" {
		return otherwise, true
	}
	number, err := strconv.Atoi(text)
	return number, err == nil && number >= 0 && number < 1<<30
}
