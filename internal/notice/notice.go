// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package notice says what an owner should be told of an account itself, once
// and without being woken: a credential that is due, a gap that comes, consent
// that is waited for. It is pure: statuses go in, notices come out.
package notice

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Kind says what a notice is about. The set is bounded: it is also a metric
// label.
type Kind string

const (
	// CredentialDue: the credential must be renewed, and that takes a person.
	CredentialDue Kind = "CredentialDue"
	// CredentialDead: the credential works no more, or must not.
	CredentialDead Kind = "CredentialDead"
	// CoverageGap: nobody is on duty at promised hours that come.
	CoverageGap Kind = "CoverageGap"
	// ConsentWanted: a channel names the team as its owner, and the team has not
	// accepted it.
	ConsentWanted Kind = "ConsentWanted"
	// HandleDrift: the account is called otherwise than declared.
	HandleDrift Kind = "HandleDrift"
	// AccountsUnclaimed: there are accounts at a server that no channel claims.
	AccountsUnclaimed Kind = "AccountsUnclaimed"
)

// Notice is something that a team's manager is told once.
type Notice struct {
	Kind Kind
	// Team whose manager is told.
	Team string
	// Items are the occurrences that it speaks of. It is told again only for one
	// that was not told before, or that was over in between.
	Items []string
	// Names are what people call the Items, in their order, where the Detail
	// names those that are new.
	Names []string
	// Unlisted is how many there are beside Items: those come first in the order
	// that all of them have. Which they are is not known.
	Unlisted int
	// Unknown tells that it is not known now what there is to tell of this kind:
	// nothing is over, and nothing is new. It has no Items and no words.
	Unknown bool
	// Title is one line; Detail says more, and what to do.
	Title, Detail string
}

// Same tells whether another notice says the same of the same occurrences.
func (n *Notice) Same(other *Notice) bool {
	return n.Kind == other.Kind && n.Team == other.Team && n.Unknown == other.Unknown &&
		n.Unlisted == other.Unlisted && slices.Equal(n.Items, other.Items)
}

// named is how many new occurrences a notice names.
const named = 3

// DetailOf is the Detail where some occurrences are new: so many, of which some
// have names.
func (n *Notice) DetailOf(names []string, fresh int) string {
	if len(n.Names) == 0 || fresh == 0 {
		return n.Detail
	}
	shown := names[:min(len(names), named)]
	text := n.Detail + "; new: " + strings.Join(shown, ", ")
	switch more := fresh - len(shown); {
	case more > 0 && len(shown) == 0:
		text += strconv.Itoa(more)
	case more > 0:
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Several is the title of many notices of a kind in one.
func (k Kind) Several(count int) string {
	words := map[Kind]string{
		CredentialDue:     "The credentials of %d channels are due for renewal",
		CredentialDead:    "The credentials of %d channels work no more, or must not",
		CoverageGap:       "Nobody is on duty for %d channels at hours that are promised",
		ConsentWanted:     "%d channels are to become your team's, and wait for your consent",
		HandleDrift:       "%d accounts are called otherwise at their platforms now",
		AccountsUnclaimed: "Accounts on %d platforms belong to nobody",
	}
	return fmt.Sprintf(words[k], count)
}

// Command lists what notices of a kind are about.
func (k Kind) Command() string {
	if k == AccountsUnclaimed {
		return "kubectl get socialplatforms"
	}
	return "kubectl get socialchannels -A"
}

// source is where a channel's status tells of a kind.
type source struct {
	kind      Kind
	condition string
	// reasons with which the condition, False, says that there is something to
	// tell.
	reasons []string
	// ends are reasons with which the condition says that there is no more,
	// although it is not True. With any other it is not known.
	ends  []string
	title string
}

func sources() []source {
	return []source{{
		kind: CredentialDue, condition: v1alpha1.ConditionCredentialReady, title: "The credential of %s is due for renewal",
		reasons: []string{v1alpha1.ReasonDueForRenewal},
	}, {
		kind: CredentialDead, condition: v1alpha1.ConditionCredentialReady, title: "The credential of %s works no more, or must not",
		reasons: []string{v1alpha1.ReasonExpired, v1alpha1.ReasonRevoked, v1alpha1.ReasonSeenByLeaver},
		ends:    []string{v1alpha1.ReasonDueForRenewal}, // said of one that works
	}, {
		kind: CoverageGap, condition: v1alpha1.ConditionCovered, title: "Nobody is on duty for %s at hours that are promised",
		reasons: []string{v1alpha1.ReasonCoverageGap},
	}, {
		kind: ConsentWanted, condition: v1alpha1.ConditionOwnerResolved, title: "%s is to become your team's, and waits for your consent",
		reasons: []string{v1alpha1.ReasonNotAccepted},
		ends: []string{ // it was given, or is waited for no more
			v1alpha1.ReasonHandoverScheduled, v1alpha1.ReasonHandoverPending, v1alpha1.ReasonNoManager,
			v1alpha1.ReasonRemovalHalted, v1alpha1.ReasonHandoverGivenUp,
		},
	}, {
		kind: HandleDrift, condition: v1alpha1.ConditionIdentityVerified, title: "%s is called otherwise at the platform now",
		reasons: []string{v1alpha1.ReasonHandleDrift},
	}}
}

// OfChannel finds what there is to tell of a channel, and of which kinds that is
// not known. What it does not mention is over.
func OfChannel(channel *v1alpha1.SocialChannel) []Notice {
	var notices []Notice
	for _, from := range sources() {
		team := channel.Status.Owner
		if from.kind == ConsentWanted {
			team = channel.Spec.OwnerRef.Name
		}
		found := meta.FindStatusCondition(channel.Status.Conditions, from.condition)
		switch {
		case team == "":
		case found == nil:
			notices = append(notices, Notice{Kind: from.kind, Team: team, Unknown: true})
		case found.Status == metav1.ConditionTrue || slices.Contains(from.ends, found.Reason):
		case found.Status == metav1.ConditionFalse && slices.Contains(from.reasons, found.Reason):
			notices = append(notices, Notice{
				Kind: from.kind, Team: team, Items: []string{occurrence(channel, found)},
				Title: fmt.Sprintf(from.title, channel.Spec.Handle), Detail: found.Message,
			})
		default:
			notices = append(notices, Notice{Kind: from.kind, Team: team, Unknown: true})
		}
	}
	return notices
}

// OfPlatform finds what there is to tell of a platform, and whether that is not
// known: its contact hears of accounts that no channel claims. A platform whose
// accounts are looked for no more has nothing to tell.
func OfPlatform(social *v1alpha1.SocialPlatform) []Notice {
	if social.Spec.Discovery == nil || social.Spec.Discovery.ContactTeamRef == nil {
		return nil
	}
	found := Notice{Kind: AccountsUnclaimed, Team: social.Spec.Discovery.ContactTeamRef.Name}
	unclaimed := social.Status.Unclaimed
	if unclaimed == nil {
		found.Unknown = true
		return []Notice{found}
	}
	count := int(ptr.Deref(unclaimed.Count, 0))
	if len(unclaimed.Accounts) == 0 && count == 0 {
		return nil
	}
	for i := range unclaimed.Accounts {
		account := &unclaimed.Accounts[i]
		found.Items = append(found.Items, account.ID)
		found.Names = append(found.Names, cmp.Or(plain(account.Handle), plain(account.ID), "an account"))
	}
	found.Unlisted = max(0, count-len(found.Items))
	found.Title = unclaimedTitle(len(found.Items)+found.Unlisted, social.Name)
	found.Detail = fmt.Sprintf("`rostra adopt %s` writes manifests for what the SocialPlatform's status.unclaimed lists", social.Name)
	return []Notice{found}
}

func unclaimedTitle(count int, platformName string) string {
	if count == 1 {
		return fmt.Sprintf("1 account on %s belongs to nobody", platformName)
	}
	return fmt.Sprintf("%d accounts on %s belong to nobody", count, platformName)
}

// maxHandle bounds a handle in a notice, in characters.
const maxHandle = 40

// plain makes a handle, which strangers chose, fit for a line of a notice: one
// word that can be seen, and not too long. Ways of telling escape it as they do
// all text.
func plain(handle string) string {
	kept := []rune(strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, handle))
	if len(kept) > maxHandle {
		return string(kept[:maxHandle-1]) + "…"
	}
	return string(kept)
}

// occurrence names what a condition says, by what it is about where that is on
// record. It has no time in it: a condition whose platform could not be asked
// for a while says the same afterwards. What came again is told by its having
// been over in between.
func occurrence(channel *v1alpha1.SocialChannel, condition *metav1.Condition) string {
	credential, account := channel.Status.Credential, channel.Status.Account
	switch {
	case condition.Type == v1alpha1.ConditionCredentialReady && credential != nil:
		return condition.Reason + " of " + credential.ID
	case condition.Type == v1alpha1.ConditionIdentityVerified && account != nil:
		return condition.Reason + " to " + account.Handle
	}
	return condition.Reason
}
