// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// Place puts the services that have a place of their own elsewhere.
func (o *Opener) Place(pagerduty, pagerdutyEU, telegram string) {
	o.bases = bases{pagerduty: pagerduty, pagerdutyEU: pagerdutyEU, telegram: telegram}
}

// Tidy is what a message is before it is told.
func Tidy(m Message) Message { return tidy(m) }

// Services are the schemes of the library's services.
func Services() []string {
	var all []string
	for scheme := range services() {
		all = append(all, scheme)
	}
	return all
}

// Say gives what a service of the library says, and under which title.
func (o *Opener) Say(address string, m Message) (title, text string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	said := &service{opener: o, scheme: u.Scheme, url: *u}
	return (*said.params(m))["title"], said.text(m), nil
}

// Build makes a service of the library.
func Build(u *url.URL, client *http.Client) (types.Sender, error) {
	return services()[u.Scheme](u, client)
}

// Ways lists every name that Notifier.Way can give.
func Ways() []string {
	all := []string{wayAlertmanager, wayPagerDuty, waySlack, wayMail, wayWebhook, wayTelegram}
	for scheme := range services() {
		all = append(all, scheme)
	}
	slices.Sort(all)
	return all
}
