// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// maxDID is shorter than the 2,048 characters of https://atproto.com/specs/did:
// it is what a manifest and a status hold, and neither supported method needs
// more.
const maxDID = 256

var (
	errDIDForm = errors.New("a Bluesky account ID is a DID, for example did:plc:ewvi7nxzyoun6zhxrhs64oiz")
	errDIDPLC  = errors.New("after did:plc: come 24 characters of a-z and 2-7, for example did:plc:ewvi7nxzyoun6zhxrhs64oiz")
	errDIDWeb  = errors.New("after did:web: comes a host name in lower case without a path, for example did:web:social.example.com")
	errDIDLong = errors.New("the account ID is longer than 256 characters")
)

// checkDID accepts the two methods that https://atproto.com/specs/did blesses.
func checkDID(did string) error {
	if len(did) > maxDID {
		return errDIDLong
	}
	if id, found := strings.CutPrefix(did, "did:plc:"); found {
		return checkPLC(id)
	}
	if host, found := strings.CutPrefix(did, "did:web:"); found {
		return checkWeb(host)
	}
	return errDIDForm
}

// checkPLC checks an identifier of https://web.plc.directory/spec/v0.1/did-plc:
// 15 bytes in lower-case base32.
func checkPLC(id string) error {
	const length = 24
	if len(id) != length || strings.ContainsFunc(id, notOfBase32) {
		return errDIDPLC
	}
	return nil
}

func notOfBase32(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '2' || r > '7')
}

// checkWeb allows a host name under the rules for handles, and for development
// "localhost", with a port whose colon is written %3A.
func checkWeb(host string) error {
	if rest, found := strings.CutPrefix(host, "localhost"); found && checkLocalPort(rest) {
		return nil
	}
	name, err := normaliseHandle(host)
	if err != nil || name != host {
		return errDIDWeb
	}
	return nil
}

func checkLocalPort(rest string) bool {
	if rest == "" {
		return true
	}
	port, found := strings.CutPrefix(rest, "%3A")
	number, err := strconv.ParseUint(port, 10, 16)
	return found && err == nil && number > 0 && !slices.Contains([]byte{'0', '+'}, port[0])
}
