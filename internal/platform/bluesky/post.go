// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/event"
)

const (
	schemeAT       = "at://"
	collectionPost = "app.bsky.feed.post"

	// tidAlphabet and tidLength are those of
	// https://atproto.com/specs/tid: 53 bits of microseconds since 1970, then 10
	// of a clock's identifier.
	tidAlphabet  = "234567abcdefghijklmnopqrstuvwxyz"
	tidLength    = 13
	tidClockBits = 10
	tidCharBits  = 5
)

// uri is an AT URI of a record (https://atproto.com/specs/at-uri-scheme).
type uri struct{ did, collection, key string }

// anyDID is the syntax of https://atproto.com/specs/did: strangers may have
// DIDs that Rostra's own accounts cannot have.
var anyDID = regexp.MustCompile(`^did:[a-z]+:[0-9A-Za-z._:%-]*[0-9A-Za-z._-]$`)

// readURI reads the URI of a record whose repository is named by its DID.
func readURI(text string) (uri, bool) {
	path, ok := strings.CutPrefix(text, schemeAT)
	parts := strings.Split(path, "/")
	const parties = 3
	if !ok || len(parts) != parties || !anyDID.MatchString(parts[0]) || parts[1] == "" || !isRecordKey(parts[2]) {
		return uri{}, false
	}
	return uri{did: parts[0], collection: parts[1], key: parts[2]}, true
}

// isRecordKey checks the syntax of https://atproto.com/specs/record-key.
func isRecordKey(key string) bool {
	const longest = 512
	return key != "" && len(key) <= longest && key != "." && key != ".." && !strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:~", r)
	})
}

// page is where a person sees a post; empty for another record.
func (u uri) page() string {
	if u.collection != collectionPost {
		return ""
	}
	return "https://bsky.app/profile/" + u.did + "/post/" + u.key
}

// post is what Rostra reads of an app.bsky.feed.post. Its author has written
// it, or a stranger's tool: each part may be missing or of another form.
type post struct {
	text      string
	root      string
	parent    string
	createdAt time.Time
}

func readPost(record json.RawMessage) post {
	var content struct {
		Text      any `json:"text"`
		CreatedAt any `json:"createdAt"`
		Reply     any `json:"reply"`
	}
	if err := json.Unmarshal(record, &content); err != nil {
		return post{}
	}
	read := post{}
	read.text, _ = content.Text.(string)
	if written, ok := content.CreatedAt.(string); ok {
		read.createdAt = readTime(written)
	}
	if reply, ok := content.Reply.(map[string]any); ok {
		read.root, read.parent = reference(reply["root"]), reference(reply["parent"])
	}
	return read
}

// readTime gives a time in UTC; zero where it is malformed.
func readTime(written string) time.Time {
	at, err := time.Parse(time.RFC3339, written)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// reference gives the URI of a com.atproto.repo.strongRef that fits an event
// whole; else nothing.
func reference(ref any) string {
	fields, ok := ref.(map[string]any)
	if !ok {
		return ""
	}
	text, _ := fields["uri"].(string)
	return whole(text)
}

// whole gives an identifier that is a record's URI and need not be cut.
func whole(text string) string {
	if _, ok := readURI(text); !ok || len(text) > event.MaxName {
		return ""
	}
	return text
}

// describe puts what the post says into an event. One that answers nothing
// begins its own thread.
func (p post) describe(happened *event.Event, at string) {
	happened.Text, happened.PostID = p.text, whole(at)
	happened.InReplyTo, happened.ThreadID = p.parent, p.root
	if p.parent == "" && p.root == "" {
		happened.ThreadID = happened.PostID
	}
	if written, ok := readURI(at); ok {
		happened.URL = written.page()
	}
}

// eventID keeps within the bounds of an event what would not be unique if it
// were cut.
func eventID(text string) string {
	if len(text) <= event.MaxName {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// tidTime gives the time in a record key that is a TID: the server's clock,
// where the author's tool named no key.
func tidTime(key string) (time.Time, bool) {
	if len(key) != tidLength || key[0] > 'j' { // the highest bit is zero
		return time.Time{}, false
	}
	var number int64
	for _, r := range key {
		digit := strings.IndexRune(tidAlphabet, r)
		if digit < 0 {
			return time.Time{}, false
		}
		number = number<<tidCharBits | int64(digit)
	}
	return time.UnixMicro(number >> tidClockBits).UTC(), true
}
