// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	// matchesNamed and nearNamed bound how many channels an error lists.
	matchesNamed = 10
	nearNamed    = 5
	// minNear is how many characters a word must have to be near another that
	// holds it.
	minNear = 3
)

// handle is one as people write it: news, @news or @news@social.example. Case
// and a first @ do not count.
type handle struct{ local, domain string }

func readHandle(text string) handle {
	local, domain, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(text), "@"), "@")
	return handle{local, domain}
}

// means tells whether what was asked for can be the handle of an account on a
// platform, which may be nil.
func (h handle) means(other string, on *v1alpha1.SocialPlatform) bool {
	known := readHandle(other)
	if h.local == "" || h.local != known.local {
		return false
	}
	return h.domain == "" || h.domain == known.domain || on != nil && serves(on.Spec.ServerURL(), h.domain)
}

// serves tells whether handles of a domain can be of a server: those of its
// host, or of a domain above it.
func serves(server, domain string) bool {
	parsed, err := url.Parse(strings.ToLower(server))
	if err != nil {
		return false
	}
	host := parsed.Hostname()
	return domain == host || domain == parsed.Host || strings.Contains(domain, ".") && strings.HasSuffix(host, "."+domain)
}

// find gives the one channel that a text means: its name, with its namespace or
// without, the account's handle or the account's ID.
func find(text string, name objectName, among *inventory) (*v1alpha1.SocialChannel, error) {
	var found []*v1alpha1.SocialChannel
	for i := range among.channels {
		if meant(&among.channels[i], text, name, among) {
			found = append(found, &among.channels[i])
		}
	}
	switch len(found) {
	case 0:
		return nil, nobodyIs(text, name, among)
	case 1:
		return found[0], nil
	}
	return nil, severalAre(text, found)
}

func meant(channel *v1alpha1.SocialChannel, text string, name objectName, among *inventory) bool {
	if name.name != "" {
		return channel.Name == name.name && channel.Namespace == name.namespace
	}
	if channel.Name == text || channel.Spec.AccountID == text {
		return true
	}
	asked, on := readHandle(text), among.platform(channel.Spec.PlatformRef.Name)
	if asked.means(channel.Spec.Handle, on) {
		return true
	}
	account := channel.Status.Account
	return account != nil && (account.ID == text || asked.means(account.Handle, on))
}

// severalAre is the error of a text that means several channels.
func severalAre(text string, found []*v1alpha1.SocialChannel) error {
	var list strings.Builder
	fmt.Fprintf(&list, "%q means %d channels; name one of them:", text, len(found))
	for _, channel := range found[:min(len(found), matchesNamed)] {
		fmt.Fprintf(&list, "\n  rostra whois %s/%s   # %s on %s, owner %s", channel.Namespace, channel.Name,
			printable(channel.Spec.Handle), channel.Spec.PlatformRef.Name, holder(channel))
	}
	if more := len(found) - matchesNamed; more > 0 {
		fmt.Fprintf(&list, "\n  and %d more: narrow it down with --namespace", more)
	}
	return errors.New(list.String())
}

// holder is the effective owner, or before there is one the declared.
func holder(channel *v1alpha1.SocialChannel) string {
	if channel.Status.Owner != "" {
		return channel.Status.Owner
	}
	return channel.Spec.OwnerRef.Name
}

// nobodyIs is the error of a text that means no channel.
func nobodyIs(text string, name objectName, among *inventory) error {
	message := fmt.Sprintf("no SocialChannel has the name, the handle or the account ID %q", text)
	if name.name != "" {
		message = fmt.Sprintf("there is no SocialChannel %s", name)
	}
	if on := unclaimedOn(text, among); on != "" {
		return fmt.Errorf("%s: it is an account on SocialPlatform %s that no channel claims; rostra adopt writes a manifest for it", message, on)
	}
	near, more := nearby(text, name, among)
	switch {
	case len(among.channels) == 0 && name.namespace != "":
		return fmt.Errorf("%s: there are no channels at all in that namespace", message)
	case len(among.channels) == 0:
		return fmt.Errorf("%s: there are no channels at all here", message)
	case len(near) == 0:
		return fmt.Errorf("%s, nor one that is near, among %d", message, len(among.channels))
	case more > 0:
		near = append(near, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%s; near it: %s", message, strings.Join(near, ", "))
}

// unclaimedOn names the platform on which a text is that of an account which no
// channel claims; empty if it is not.
func unclaimedOn(text string, among *inventory) string {
	asked := readHandle(text)
	for i := range among.platforms {
		on := &among.platforms[i]
		if on.Status.Unclaimed == nil {
			continue
		}
		for _, account := range on.Status.Unclaimed.Accounts {
			if account.ID == text || asked.means(account.Handle, on) {
				return on.Name
			}
		}
	}
	return ""
}

// nearby gives channels of which a name or handle begins as the text does, or
// else holds it or is held by it, and how many more there are.
func nearby(text string, name objectName, among *inventory) (near []string, more int) {
	asked := readHandle(text).local
	if name.name != "" {
		asked = name.name
	}
	var first, then []string
	for i := range among.channels {
		channel := &among.channels[i]
		told := fmt.Sprintf("%s/%s (%s)", channel.Namespace, channel.Name, printable(channel.Spec.Handle))
		words := []string{channel.Name, readHandle(channel.Spec.Handle).local, strings.ToLower(channel.Spec.AccountID)}
		switch {
		case anyWord(words, asked, strings.HasPrefix):
			first = append(first, told)
		case anyWord(words, asked, strings.Contains):
			then = append(then, told)
		}
	}
	all := slices.Concat(first, then)
	return all[:min(len(all), nearNamed)], max(len(all)-nearNamed, 0)
}

// anyWord tells whether a relation holds between one of the words and the one
// that was asked for, in either direction.
func anyWord(words []string, asked string, holds func(word, part string) bool) bool {
	if len(asked) < minNear {
		return false
	}
	for _, word := range words {
		if len(word) >= minNear && (holds(word, asked) || holds(asked, word)) {
			return true
		}
	}
	return false
}
