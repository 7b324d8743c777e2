// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a message is cut to, in runes. A stranger decides how long a post is.
const (
	maxTitle   = 200
	maxName    = 60
	maxValue   = 300
	maxExcerpt = 1_000
	maxLink    = 2_000 // bytes
	maxFacts   = 20

	defaultKind = "Unanswered"
)

// tidy bounds a message and takes out what could pass for something else than
// text: control characters, line breaks in what is one line, and characters that
// turn the direction of the text around them.
func tidy(m Message) Message {
	m.Kind, m.Urgency = kindOr(m.Kind), urgencyOr(m.Urgency)
	m.Title = cmp.Or(line(m.Title, maxTitle), m.Kind)
	m.Excerpt = clip(strings.TrimSpace(strings.Map(keepText, m.Excerpt)), maxExcerpt)
	facts := make([]Fact, 0, min(len(m.Facts), maxFacts))
	for _, fact := range m.Facts[:min(len(m.Facts), maxFacts)] {
		fact = Fact{line(fact.Name, maxName), line(fact.Value, maxValue)}
		if fact.Value != "" {
			facts = append(facts, fact)
		}
	}
	m.Facts = facts
	m.Link, m.Acknowledge = weblink(m.Link), weblink(m.Acknowledge)
	return m
}

func kindOr(kind string) string {
	if kind == "" {
		return defaultKind
	}
	return kind
}

func urgencyOr(urgency Urgency) Urgency {
	if urgency == High {
		return High
	}
	return Low
}

func line(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return keepText(r)
	}, text)
	return clip(strings.Join(strings.Fields(text), " "), limit)
}

// keepText keeps what is text or a line break.
func keepText(r rune) rune {
	switch {
	case r == '\n':
		return r
	case r == '\t', r == '\u2028', r == '\u2029':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
		return -1
	}
	return r
}

// clip cuts text to a number of runes and shows that it did.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)
	return string(runes[:limit-1]) + "…"
}

// weblink gives the URL if a browser may open it, else nothing.
func weblink(raw string) string {
	if raw == "" || len(raw) > maxLink {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// plain is a message without its title, as text.
func plain(m Message) string {
	var text strings.Builder
	for _, fact := range m.Facts {
		text.WriteString(fact.Name + ": " + fact.Value + "\n")
	}
	if m.Excerpt != "" {
		text.WriteString("\n" + quote(m.Excerpt) + "\n")
	}
	if m.Link != "" {
		text.WriteString("\nThe post: " + m.Link + "\n")
	}
	if m.Acknowledge != "" {
		text.WriteString("\nI have it: " + m.Acknowledge + "\n")
	}
	return strings.TrimSpace(text.String())
}

// quote marks every line as somebody else's words.
func quote(text string) string {
	return "> " + strings.ReplaceAll(text, "\n", "\n> ")
}

// inert keeps text from being more than text where a service reads Markdown and
// mentions in it: a stranger's link under other words would pass for ours.
func inert(text string) string {
	return strings.NewReplacer("@", "@\u200b", "<", "<\u200b", "](", "] (", "][", "] [").Replace(text)
}

// bounded gives a key as it is where a service takes it, and else a digest of it,
// which is as good for folding.
func bounded(key string, limit int) string {
	plain := !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
	if plain && key != "" && len(key) <= limit {
		return key
	}
	return digest(key)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}
