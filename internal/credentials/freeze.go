// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// freeze says what is to be done while a freeze holds the channel: everything
// that was delivered is taken back, and nothing is delivered, whatever is due.
// The company's own credential is withdrawn and not revoked, unless it can be
// renewed: that would take a person to connect the account again.
// What was missed is made up for when it lifts.
func freeze(facts Facts, prefix string) Decision {
	decision := Decision{
		Strays:  Strays(facts, prefix),
		Verdict: Verdict{Reason: v1alpha1.ReasonFrozen, Message: "a freeze holds the channel: the owner has no credential until it is lifted"},
	}
	for _, retiring := range facts.Retiring {
		if !keeps(facts, retiring.ID) {
			decision.Revoke = append(decision.Revoke, retiring)
		}
	}
	if recorded := facts.Recorded; recorded != nil {
		decision.Cut = recorded.RevokedAt == nil && (Minted(recorded.ID) || facts.Renews)
		decision.Empty = facts.Secret != SecretEmptied && facts.Secret != SecretMissing &&
			(recorded.WithdrawnAt == nil || facts.Secret != SecretAsWritten)
	}
	return decision
}

// keeps tells whether a retiring credential is not to be revoked after all: it
// is on record again, or it is the company's own once more.
func keeps(facts Facts, id string) bool {
	return facts.Recorded != nil && facts.Recorded.ID == id || !facts.Mintable && facts.SourceID == id
}

// withdrawn tells whether a freeze has taken the credential on record from its
// owner, as far as that is known: the record of it may be lost.
func withdrawn(facts Facts) bool {
	recorded := facts.Recorded
	return recorded != nil && (recorded.WithdrawnAt != nil || recorded.RevokedAt != nil || facts.Secret == SecretEmptied)
}
