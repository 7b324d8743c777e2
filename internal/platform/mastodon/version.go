// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/rostra-dev/rostra/internal/platform"
)

// Names of software, in lower case as NodeInfo gives them.
const (
	softwareMastodon   = "mastodon"
	softwareGoToSocial = "gotosocial"
	softwarePleroma    = "pleroma"
	softwareAkkoma     = "akkoma"
)

// maxSoftware bounds a name or a version, in bytes, for a status.
const maxSoftware = 48

var (
	// compatible is how servers that are not Mastodon say what they are:
	// "2.7.2 (compatible; Pleroma 2.5.0)".
	compatible = regexp.MustCompile(`^\S{1,48} \(compatible; ([0-9A-Za-z._-]{1,48})[ /]([0-9A-Za-z.+_-]{1,48})\)$`)
	// named is the other way: "takahe/0.9.0".
	named = regexp.MustCompile(`^([A-Za-z][0-9A-Za-z._-]{0,47})/([0-9A-Za-z.+_-]{1,48})$`)
	// number is the part of a version that is compared.
	number = regexp.MustCompile(`^v?([0-9]{1,6})(?:\.([0-9]{1,6}))?(?:[^0-9]|$)`)
)

// software is what a server runs.
type software struct {
	name    string // lower case; empty where it is not known
	version string // as the server writes it
}

// parseSoftware reads the version that an instance gives, and the address of
// its source code where it gives one.
func parseSoftware(version, sourceURL string) software {
	version = strings.TrimSpace(version)
	for _, form := range []*regexp.Regexp{compatible, named} {
		if match := form.FindStringSubmatch(version); match != nil {
			return software{name: strings.ToLower(match[1]), version: match[2]}
		}
	}
	version = printable(version)
	major, _, ok := numbers(version)
	switch {
	case strings.Contains(strings.ToLower(sourceURL), softwareGoToSocial):
		return software{name: softwareGoToSocial, version: version}
	case !ok || major == 0: // no Mastodon has been 0.x since 2016
		return software{version: version}
	}
	return software{name: softwareMastodon, version: version}
}

// printable keeps what a version is made of, and no more of it than fits.
func printable(text string) string {
	kept := strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, text)
	return kept[:min(len(kept), maxSoftware)]
}

// numbers gives the first two parts of a version.
func numbers(version string) (major, minor int, ok bool) {
	match := number.FindStringSubmatch(version)
	if match == nil {
		return 0, 0, false
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(cmp.Or(match[2], "0"))
	return major, minor, err == nil
}

// atLeast tells whether it is this software, of this version or later.
func (s software) atLeast(name string, wantMajor, wantMinor int) bool {
	major, minor, ok := numbers(s.version)
	return s.name == name && ok && (major > wantMajor || major == wantMajor && minor >= wantMinor)
}

// String is the form for a status; empty where the server says nothing.
func (s software) String() string { return strings.TrimSpace(s.name + " " + s.version) }

// capabilities gives what is known to work with the software. Mastodon has had
// POST /oauth/revoke since 0.1, GoToSocial has it since 0.19; Pleroma and
// Akkoma have it.
func (s software) capabilities() []platform.Capability {
	var found []platform.Capability
	switch {
	case s.name == softwareMastodon, s.name == softwarePleroma, s.name == softwareAkkoma, s.atLeast(softwareGoToSocial, 0, 19):
		found = append(found, platform.CapabilityRevoke)
	}
	if s.tellsAppScopes() {
		found = append(found, platform.CapabilityScopes)
	}
	return found
}

// tellsAppScopes: since Mastodon 4.3.
func (s software) tellsAppScopes() bool { return s.atLeast(softwareMastodon, 4, 3) }
