// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"net/http"
	"strings"
)

// maxHeader bounds a header, in bytes.
const maxHeader = 4 << 10

// only gives the value of a header that is there once; else, and where it is
// too long, nothing. No sender repeats one, and which of two counts is not for
// a stranger to choose.
func only(header http.Header, name string) string {
	values := header.Values(name)
	if len(values) != 1 || len(values[0]) > maxHeader {
		return ""
	}
	return strings.TrimSpace(values[0])
}

// params are the parameters of a header by their name in lower case.
type params map[string][]string

// one gives the value of a parameter that is there once, or the empty string.
func (p params) one(name string) string {
	if len(p[name]) != 1 {
		return ""
	}
	return p[name][0]
}

// parameters reads name=value pairs, which commas or semicolons part: Mastodon
// writes "dh=…;p256ecdsa=…", others put a comma between the two keys. A value
// may be quoted. Whatever else is in there counts for nothing.
func parameters(value string) params {
	found := params{}
	for pair := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ';' }) {
		name, text, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		found[name] = append(found[name], unquoted(strings.TrimSpace(text)))
	}
	return found
}

func unquoted(text string) string {
	if len(text) >= 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		return text[1 : len(text)-1]
	}
	return text
}
