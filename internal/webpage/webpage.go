// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package webpage is the frame of the few pages that people see: one heading,
// some paragraphs, at most one button. The pages work without JavaScript, load
// nothing, and leave no trace in caches or in other sites' logs.
package webpage

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How a page is announced to those who do not see it.
const (
	RoleStatus = "status"
	RoleAlert  = "alert"
)

const (
	// maxShown bounds a text of strangers on a page, in characters.
	maxShown = 200
	// retryAfter is what whoever comes too early is asked to wait.
	retryAfter = 30 * time.Second
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// Page is what a person sees.
type Page struct {
	// Status of the answer.
	Status int
	// Title is the heading, and begins the window's title.
	Title string
	// Role of the first paragraph: RoleStatus, RoleAlert, or none.
	Role string
	// Lines are paragraphs.
	Lines []string
	// Facts are shown as a list of names and values.
	Facts []Fact
	// Visit is a link to where it happens; nil for none.
	Visit *Link
	// Button is the name of the one that does it, by a POST to the page's own
	// address; empty for none.
	Button string
	// Again is a link that begins anew; empty for none.
	Again string
	// Commands can be run in its stead, for what CommandsFor says.
	Commands    []string
	CommandsFor string
	// Reference under which the log has more.
	Reference string

	// Form is where the button may lead, as sources of a Content-Security-Policy;
	// empty for nowhere.
	Form string
	// Allow is the Allow header of a method that is refused.
	Allow string
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Link to somewhere else. A URL of another scheme than http and https is not
// followed.
type Link struct{ Name, URL string }

// StartAgain adds the link that begins anew.
func (p Page) StartAgain(startURL string) Page {
	p.Again = startURL
	return p
}

// Noted adds a paragraph.
func (p Page) Noted(line string) Page {
	p.Lines = append(p.Lines, line)
	return p
}

// Writer writes pages. It is safe for concurrent use.
type Writer struct {
	template *template.Template
	style    string // what the policy calls it by
}

// NewWriter makes one.
func NewWriter() (*Writer, error) {
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("the pages for people: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	return &Writer{template: parsed, style: "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"}, nil
}

// Write answers a request with a page; a HEAD without its body.
func (p *Writer) Write(w http.ResponseWriter, r *http.Request, shown Page) {
	var body bytes.Buffer
	data := struct {
		Page
		Style template.CSS
	}{shown, template.CSS(pageStyle)} //nolint:gosec // a constant of ours
	if err := p.template.Execute(&body, data); err != nil {
		http.Error(w, "The page cannot be shown. Open your link again.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	Guard(header)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", p.policy(shown.Form))
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	if shown.Allow != "" {
		header.Set("Allow", shown.Allow)
	}
	RetryAfter(header, shown.Status)
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(shown.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes())
	}
}

// policy lets a page load nothing, run nothing, be framed by nobody, and send
// its form nowhere but where it says.
func (p *Writer) policy(form string) string {
	if form == "" {
		form = "'none'"
	}
	return "default-src 'none'; style-src " + p.style + "; base-uri 'none'; frame-ancestors 'none'; form-action " + form
}

// Guard sets the headers that every answer to people has, a page or not: it is
// kept by nobody, found by nobody and framed by nobody.
func Guard(header http.Header) {
	NoStore(header)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex, nofollow")
}

// NoStore keeps pages and links out of caches and out of other sites' logs.
func NoStore(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
}

// RetryAfter asks to wait, where the status says that it is a matter of time.
func RetryAfter(header http.Header, status int) {
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		header.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
}

// SameOrigin tells whether a form was sent from our own page, as far as the
// browser says. The link is a secret already; this keeps a page that learnt it
// from using it in a visitor's name. The pages send no referrer, for which
// browsers make Origin null
// (https://fetch.spec.whatwg.org/#append-a-request-origin-header). What is no
// browser sends neither header.
func SameOrigin(r *http.Request, base *url.URL) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none": // none: the person reloaded the page
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "null" || origin == base.Scheme+"://"+base.Host
}

// Shown makes a text that strangers wrote fit for a page: no characters that
// are not seen or that turn what follows around, and not too long. The template
// escapes it.
func Shown(text string) string {
	kept := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, text)
	if runes := []rune(kept); len(runes) > maxShown {
		kept = string(runes[:maxShown]) + "…"
	}
	return strings.TrimSpace(kept)
}
