// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"errors"
	"slices"
	"strings"
)

const (
	// maxHandle and maxLabel are the lengths that
	// https://atproto.com/specs/handle allows, in characters.
	maxHandle = 253
	maxLabel  = 63

	// unresolvedHandle is what a server gives for an account whose handle does
	// not lead to it any more.
	unresolvedHandle = "handle.invalid"
)

var (
	errHandleEmpty    = errors.New("a Bluesky handle is a domain name: write for example name.bsky.social")
	errHandleAt       = errors.New(`write the handle without the "@" before it`)
	errHandleForm     = errors.New("a Bluesky handle is a domain name: letters, digits and - between dots, for example name.bsky.social")
	errHandleShort    = errors.New("a Bluesky handle is a whole domain name with at least one dot: write for example name.bsky.social")
	errHandleLong     = errors.New("a Bluesky handle has at most 253 characters, and at most 63 between two dots")
	errHandleNumber   = errors.New("the last part of a Bluesky handle starts with a letter, as in name.bsky.social")
	errHandleReserved = errors.New("no Bluesky handle ends in .alt, .arpa, .internal, .invalid, .local, .localhost or .onion: write the handle that the account has in public")
)

// reservedTopLevels are those that https://atproto.com/specs/handle bars from
// registration, without two: .test is for development, and .example, which no
// server registers either, is for documentation such as ours.
func reservedTopLevels() []string {
	return []string{"alt", "arpa", "internal", "invalid", "local", "localhost", "onion"}
}

// normaliseHandle gives a handle in lower case, or an error that says how to
// write it.
func normaliseHandle(handle string) (string, error) {
	if name, found := strings.CutPrefix(handle, "@"); found {
		name, err := normaliseHandle(name)
		if err != nil {
			return "", errHandleAt
		}
		return "", errors.New(errHandleAt.Error() + ": " + name)
	}
	if err := checkHostname(handle); err != nil {
		return "", err
	}
	handle = strings.ToLower(handle)
	last := handle[strings.LastIndexByte(handle, '.')+1:]
	if slices.Contains(reservedTopLevels(), last) {
		return "", errHandleReserved
	}
	return handle, nil
}

// checkHostname applies the syntax of https://atproto.com/specs/handle, which
// is that of a hostname with at least two labels.
func checkHostname(name string) error {
	switch {
	case name == "":
		return errHandleEmpty
	case strings.ContainsFunc(name, notOfHostname):
		return errHandleForm
	case len(name) > maxHandle:
		return errHandleLong
	case !strings.Contains(name, "."):
		return errHandleShort
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "", label[0] == '-', label[len(label)-1] == '-':
			return errHandleForm
		case len(label) > maxLabel:
			return errHandleLong
		}
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; last[0] >= '0' && last[0] <= '9' {
		return errHandleNumber
	}
	return nil
}

func notOfHostname(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
}
