// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// maxAddress is the longest URL that is read, in bytes.
const maxAddress = 8 << 10

// Options configure an Opener. Only HTTP is required.
type Options struct {
	// HTTP is the way out, for mail as well.
	HTTP *httpx.Client
	// Clock gives the time of a try; default the real one.
	Clock clock.PassiveClock
	// From is the sender of mail whose address names none:
	// "Rostra <rostra@brand.example>". Without it, such an address is refused.
	From string
	// Source names this Rostra in events (CloudEvents source). Default "/rostra".
	Source string
	// RootCAs verify mail servers. Default: the system's.
	RootCAs *x509.CertPool
	// MailTimeout bounds one mail from the connection to the server's last word.
	// Default 30 s.
	MailTimeout time.Duration
}

// Opener makes Notifiers. It is safe for use by many goroutines.
type Opener struct {
	options Options
	hooks   *webhook.Sender
	bases   bases
	// account of the address that is being opened; see opening.
	account string
}

// bases are where services with a place of their own are.
type bases struct{ pagerduty, pagerdutyEU, telegram string }

// New makes an Opener, or says which option is wrong.
func New(o Options) (*Opener, error) {
	if o.HTTP == nil {
		return nil, errors.New("telling people needs an HTTP client")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.From != "" {
		if _, err := mail.ParseAddress(o.From); err != nil {
			return nil, errors.New("the sender of mail is not an e-mail address: write it like Rostra <rostra@brand.example>")
		}
	}
	o.Source = cmp.Or(o.Source, "/rostra")
	o.MailTimeout = cmp.Or(o.MailTimeout, 30*time.Second)
	return &Opener{
		options: o,
		hooks:   &webhook.Sender{HTTP: o.HTTP, Clock: o.Clock},
		bases: bases{
			pagerduty:   "https://events.pagerduty.com",
			pagerdutyEU: "https://events.eu.pagerduty.com",
			telegram:    "https://api.telegram.org",
		},
	}, nil
}

// way is one way to tell. Its errors are *Failure, or nil.
type way interface {
	tell(ctx context.Context, m Message) *Failure
	name() string
}

// closingWay is a way that can close what it opened.
type closingWay interface {
	way
	end(ctx context.Context, c Closing) *Failure
}

// parsed is an address, taken apart.
type parsed struct {
	url *url.URL
	// others are further hosts of the address; see oneHost.
	others []string
	extra  credentials.Values
}

// Open makes a Notifier of an address. It calls nobody. Its errors are for the
// person who wrote the Secret, and show nothing of it.
func (o *Opener) Open(address Address) (Notifier, error) {
	raw := strings.TrimSpace(address.URL.Reveal()) // a file ends with a line break
	switch {
	case raw == "":
		return nil, errors.New("the address is empty")
	case len(raw) > maxAddress:
		return nil, fmt.Errorf("the address is longer than %d bytes", maxAddress)
	}
	first, others := oneHost(raw)
	u, err := url.Parse(first)
	if err != nil {
		return nil, errors.New("the address cannot be parsed as a URL: characters such as / @ : # in a password are written as %2F %40 %3A %23")
	}
	made, err := o.opening(raw, address.Extra.Get(KeyUsername)).open(parsed{url: u, others: others, extra: address.Extra})
	if err != nil {
		return nil, err
	}
	if closing, ok := made.(closingWay); ok {
		return &closingTeller{teller{made}, closing}, nil
	}
	return &teller{made}, nil
}

// opening is the Opener for one address. Who share a service share neither a rate
// nor a breaker: not even where the service is one URL for all, and tells them
// apart by a key or a user name. A digest tells as much, and keeps the secret.
func (o *Opener) opening(address, username string) *Opener {
	of := *o
	of.account = digest(username + "@" + address)
	return &of
}

// open picks the way by the scheme.
func (o *Opener) open(p parsed) (way, error) {
	switch p.url.Scheme {
	case "alertmanager+https", "alertmanager+http":
		return o.openAlertmanager(p)
	case "pagerduty":
		return o.openPagerDuty(p)
	case "slack+https":
		return o.openSlack(p)
	case "smtp", "smtps":
		return o.openMail(p)
	case "https", "http", "webhook+https", "webhook+http":
		return o.openWebhook(p)
	case "telegram":
		return o.openTelegram(p)
	case "":
		return nil, errors.New("the address has no scheme: it begins with what says the way, such as slack+https:// or smtp://")
	}
	if build, found := services()[p.url.Scheme]; found {
		return o.openService(p, build)
	}
	return nil, unknownScheme(p.url.Scheme)
}

// unknownScheme says what to write instead. The scheme itself is shown only
// where it is one that is known: it may be a part of a secret.
func unknownScheme(scheme string) error {
	if instead, found := refusedSchemes()[scheme]; found {
		return fmt.Errorf("%s:// is not among the ways to tell: %s", scheme, instead)
	}
	return errors.New("the address begins with none of " + strings.Join(schemes(), ", "))
}

func schemes() []string {
	all := []string{
		"alertmanager+https", "alertmanager+http", "pagerduty", "slack+https", "smtp", "smtps",
		"https", "http", "webhook+https", "webhook+http", "telegram",
	}
	for scheme := range services() {
		all = append(all, scheme)
	}
	slices.Sort(all)
	return all
}

// teller is the Notifier around a way.
type teller struct{ way way }

func (t *teller) Way() string { return t.way.name() }

func (t *teller) Tell(ctx context.Context, m Message) error {
	if m.ID == "" || m.Incident == "" || m.At.IsZero() {
		return named(t.way, refused("the message has no ID, no incident or no time: this is a mistake in Rostra; please report it"))
	}
	return named(t.way, t.way.tell(ctx, tidy(m)))
}

// closingTeller is a teller that can close as well.
type closingTeller struct {
	teller
	closing closingWay
}

func (t *closingTeller) Close(ctx context.Context, c Closing) error {
	c.Kind, c.Urgency = kindOr(c.Kind), urgencyOr(c.Urgency)
	return named(t.way, t.closing.end(ctx, c))
}

// named gives the error for a caller: a nil *Failure must not become an error.
func named(w way, failure *Failure) error {
	if failure == nil {
		return nil
	}
	failure.Way = w.name()
	return failure
}

// refuseUser refuses credentials inside a URL that has another place for them.
func refuseUser(u *url.URL, instead string) error {
	if u.User != nil {
		return errors.New("the address holds a user name or password: " + instead)
	}
	return nil
}

// refuseQuery refuses options that the way does not know, so that a misspelt one
// is not silently without effect.
func refuseQuery(u *url.URL, known ...string) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("the part of the address after ? cannot be read")
	}
	for name, values := range query {
		if !slices.Contains(known, name) {
			if len(known) == 0 {
				return errors.New("the address has options after ?, and this way knows none")
			}
			return errors.New("the address has an option after ? that this way does not know: it knows " + strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return errors.New("the address has the option " + name + " more than once")
		}
	}
	return nil
}
