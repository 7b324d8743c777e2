// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package notice says what an owner should be told of an account itself, once
// and without being woken: a credential that is due, a gap that comes, consent
// that is waited for. It is pure: statuses go in, notices come out.
package notice

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	// that was not told before.
	Items []string
	// Title is one line; Detail says more, and what to do.
	Title, Detail string
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

// OfChannel finds what there is to tell of a channel.
func OfChannel(channel *v1alpha1.SocialChannel) []Notice {
	var notices []Notice
	add := func(condition string, kind Kind, team, title string, reasons ...string) {
		found := meta.FindStatusCondition(channel.Status.Conditions, condition)
		if team == "" || found == nil || found.Status != metav1.ConditionFalse || !slices.Contains(reasons, found.Reason) {
			return
		}
		notices = append(notices, Notice{
			Kind: kind, Team: team, Items: []string{occurrence(channel, found)},
			Title: fmt.Sprintf(title, channel.Spec.Handle), Detail: found.Message,
		})
	}
	owner := channel.Status.Owner
	add(v1alpha1.ConditionCredentialReady, CredentialDue, owner, "The credential of %s is due for renewal", v1alpha1.ReasonDueForRenewal)
	add(v1alpha1.ConditionCredentialReady, CredentialDead, owner, "The credential of %s works no more, or must not",
		v1alpha1.ReasonExpired, v1alpha1.ReasonRevoked, v1alpha1.ReasonSeenByLeaver)
	add(v1alpha1.ConditionCovered, CoverageGap, owner, "Nobody is on duty for %s at hours that are promised", v1alpha1.ReasonCoverageGap)
	add(v1alpha1.ConditionOwnerResolved, ConsentWanted, channel.Spec.OwnerRef.Name, "%s is to become your team's, and waits for your consent", v1alpha1.ReasonNotAccepted)
	add(v1alpha1.ConditionIdentityVerified, HandleDrift, owner, "%s is called otherwise at the platform now", v1alpha1.ReasonHandleDrift)
	return notices
}

// OfPlatform finds what there is to tell of a platform: its contact hears of
// accounts that no channel claims.
func OfPlatform(social *v1alpha1.SocialPlatform) []Notice {
	unclaimed := social.Status.Unclaimed
	if social.Spec.Discovery == nil || social.Spec.Discovery.ContactTeamRef == nil || unclaimed == nil || len(unclaimed.Accounts) == 0 {
		return nil
	}
	found := Notice{
		Kind: AccountsUnclaimed, Team: social.Spec.Discovery.ContactTeamRef.Name,
		Title:  fmt.Sprintf("%d accounts on %s belong to nobody", *unclaimed.Count, social.Name),
		Detail: fmt.Sprintf("no SocialChannel claims them: `rostra adopt %s` writes manifests for them, and the SocialPlatform's status.unclaimed lists them", social.Name),
	}
	for _, account := range unclaimed.Accounts {
		found.Items = append(found.Items, account.ID)
	}
	return []Notice{found}
}

// occurrence names one time that a condition came to say something: by what it
// is about, where that is on record, so that a platform that could not be asked
// for a while does not make another of it; else by when.
func occurrence(channel *v1alpha1.SocialChannel, condition *metav1.Condition) string {
	credential, account := channel.Status.Credential, channel.Status.Account
	switch {
	case condition.Type == v1alpha1.ConditionCredentialReady && credential != nil:
		return condition.Reason + " of " + credential.ID
	case condition.Type == v1alpha1.ConditionIdentityVerified && account != nil:
		return condition.Reason + " to " + account.Handle
	}
	return condition.Reason + " since " + condition.LastTransitionTime.UTC().Format(time.RFC3339)
}
