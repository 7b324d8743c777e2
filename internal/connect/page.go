// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rostra-dev/rostra/internal/hook"
)

// How a page is announced to those who do not see it.
const (
	roleStatus = "status"
	roleAlert  = "alert"
)

// maxShown bounds a text of strangers on a page, in characters.
const maxShown = 200

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// page is what a person sees.
type page struct {
	// Status of the answer.
	Status int
	// Title is the heading, and begins the window's title.
	Title string
	// Role of the first paragraph: roleStatus, roleAlert, or none.
	Role string
	// Lines are paragraphs.
	Lines []string
	// Facts are shown as a list of names and values.
	Facts []fact
	// Button is the name of the one that begins; empty for none.
	Button string
	// Again is a link that begins anew; empty for none.
	Again string
	// Commands give a new link.
	Commands []string
	// Reference under which the log has more.
	Reference string

	// form is where the button may lead besides our own origin.
	form string
	// allow is the Allow header of a method that is refused.
	allow string
}

type fact struct{ Name, Value string }

// again adds the link that begins anew.
func (p page) again(startURL string) page {
	p.Again = startURL
	return p
}

// noted adds a paragraph.
func (p page) noted(line string) page {
	p.Lines = append(p.Lines, line)
	return p
}

// pages writes them.
type pages struct {
	template *template.Template
	style    string // what the policy calls it by
}

func newPages() (*pages, error) {
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("the pages of a consent: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	return &pages{template: parsed, style: "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"}, nil
}

func (p *pages) write(w http.ResponseWriter, r *http.Request, shown page) {
	var body bytes.Buffer
	data := struct {
		page
		Style template.CSS
	}{shown, template.CSS(pageStyle)} //nolint:gosec // a constant of ours
	if err := p.template.Execute(&body, data); err != nil {
		http.Error(w, "The page cannot be shown. Open your link again.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	noStore(header)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", p.policy(shown.form))
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	if shown.allow != "" {
		header.Set("Allow", shown.allow)
	}
	if shown.Status == http.StatusServiceUnavailable || shown.Status == http.StatusTooManyRequests {
		header.Set("Retry-After", strconv.Itoa(int(channelEvery.Seconds())))
	}
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(shown.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes())
	}
}

// policy lets a page load nothing, run nothing, be framed by nobody, and send
// its form nowhere but where it says.
func (p *pages) policy(form string) string {
	if form == "" {
		form = "'none'"
	}
	return "default-src 'none'; style-src " + p.style + "; base-uri 'none'; frame-ancestors 'none'; form-action " + form
}

// noStore keeps pages and links out of caches and out of other sites' logs.
func noStore(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
}

// formTargets are the sources to which the button may lead. Browsers apply the
// policy to the redirects that follow as well, of which a platform makes its
// own: to its sign-in, to its page for phones, to a company's single sign-on.
// So the scheme is what can be named; where the platform's server is one on
// this machine, that is.
func formTargets(server string) string {
	targets := "'self' https:"
	if parsed, err := url.Parse(server); err == nil && parsed.Scheme == "http" && hook.IsLoopback(parsed.Hostname()) {
		targets += " http://" + parsed.Host
	}
	return targets
}

// shown makes a text that strangers wrote fit for a page: no characters that
// are not seen or that turn what follows around, and not too long. The template
// escapes it.
func shown(text string) string {
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

// newReference makes a name for a disorder, to find it in the log by.
func newReference() string { return rand.Text()[:10] }
