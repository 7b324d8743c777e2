// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// CauseFirst is the cause of a channel's first credential: there is none to
// retire.
const CauseFirst v1alpha1.RetirementCause = "First"

// MintedPrefix begins the ID of every credential that Rostra mints.
const MintedPrefix = "rostra-"

// Minted tells whether Rostra minted the credential of this ID; if not, it is
// the company's own.
func Minted(id string) bool { return strings.HasPrefix(id, MintedPrefix) }

// uidDigits is how much of a channel's UID is in the IDs of its credentials:
// enough that two clusters do not take each other's for their own.
const uidDigits = 12

// IDPrefix begins the IDs of all credentials minted for the channel of this
// UID, and of no other.
func IDPrefix(uid string) string {
	digits := strings.ReplaceAll(uid, "-", "")
	return MintedPrefix + digits[:min(uidDigits, len(digits))] + "-"
}

// NextID is the ID of the credential to be minted next. It follows from what
// is on record alone, so that a mint whose answer was lost is found again
// under the name it was given, and a platform that refuses a name twice
// refuses a second mint.
func NextID(prefix string, recorded *v1alpha1.DeliveredCredential) string {
	return prefix + strconv.FormatInt(nextSerial(recorded), 10)
}

func nextSerial(recorded *v1alpha1.DeliveredCredential) int64 {
	if recorded == nil {
		return 1
	}
	return recorded.Serial + 1
}

// Holder is who holds a delivered credential, and where.
type Holder struct {
	Team, Namespace, SecretName string
}

// SecretState says what became of the Secret that was delivered.
type SecretState int

const (
	// SecretAsWritten: it is as Rostra wrote it.
	SecretAsWritten SecretState = iota
	// SecretMissing: it is gone.
	SecretMissing
	// SecretAltered: it is there, and its content is not what Rostra wrote.
	SecretAltered
	// SecretAhead: it holds the credential that is to be on record next. A
	// replacement was delivered, and the record of it was lost.
	SecretAhead
	// SecretEmptied: a freeze took the credential out of it.
	SecretEmptied
)

// Facts is what is known, at one instant, about a channel's credential.
type Facts struct {
	// Now is that instant.
	Now time.Time
	// Frozen tells whether a freeze holds the channel.
	Frozen bool
	// Recorded is the credential on record, or nil.
	Recorded *v1alpha1.DeliveredCredential
	// Retiring are the credentials that wait for their revocation.
	Retiring []v1alpha1.RetiringCredential
	// Want is who is to hold the credential, and where.
	Want Holder
	// Secret is what became of the recorded Secret.
	Secret SecretState
	// Mintable tells whether the source credential can mint.
	Mintable bool
	// SourceID is the ID under which the source credential itself is
	// delivered where it cannot mint.
	SourceID string
	// SourceExpiresAt is when the source credential expires, or zero. With
	// Renews, it is when what is delivered does.
	SourceExpiresAt time.Time
	// Renews tells that what is delivered is renewed by Rostra before it
	// expires.
	Renews bool
	// SourceChanged tells that the source Secret is not as it was when the
	// credential on record was taken from it.
	SourceChanged bool
	// Issued are the IDs that the platform lists, or nil if it was not asked.
	Issued []string
	// Present are the people in the owning team now, as team/member.
	Present []string
	// Seen are the people who can have seen the credential that is about to go
	// on record already, because an earlier delivery of it was not recorded.
	Seen []string
	// RotateAt is the time in the rotate-at annotation, or zero.
	RotateAt time.Time
	// Interval at which the credential is replaced; zero for never.
	Interval time.Duration
	// Overlap for which a replaced credential still works.
	Overlap time.Duration
	// RenewBefore is how long before its expiry a credential is due.
	RenewBefore time.Duration
}

// Verdict is the state of a credential in a condition's terms.
type Verdict struct {
	// OK tells whether the credential is in order.
	OK bool
	// Reason and Message of the condition.
	Reason, Message string
}

// Decision says what is to be done about a credential now, and what is to be
// said of it if nothing is.
type Decision struct {
	// Replace is why the owner is to get another credential; empty if it is to
	// keep the one it has.
	Replace v1alpha1.RetirementCause
	// Why says the same in words.
	Why string
	// Empty tells that a freeze is to take the credential on record out of its
	// Secret.
	Empty bool
	// Cut tells that a freeze is to revoke the credential on record.
	Cut bool
	// Revoke are the retiring credentials whose time has come.
	Revoke []v1alpha1.RetiringCredential
	// Strays are the IDs at the platform that are this channel's, and that
	// nobody holds.
	Strays []string
	// Verdict on the credential on record, when it is kept.
	Verdict Verdict
	// DueAt is when the credential on record is due, or zero.
	DueAt time.Time
	// WakeAt is the next instant at which the decision may change by itself,
	// or zero.
	WakeAt time.Time
}

// Decide says what is to be done.
func Decide(facts Facts, prefix string) Decision {
	if facts.Frozen {
		return freeze(facts, prefix)
	}
	decision := Decision{DueAt: DueAt(facts)}
	decision.Replace, decision.Why = replacement(facts, decision.DueAt)
	decision.Verdict = verdict(facts, decision.DueAt)
	// Who is out may have seen what is in its overlap as well.
	out := facts.Recorded != nil && len(leavers(facts)) > 0
	for _, retiring := range facts.Retiring {
		if facts.Recorded != nil && retiring.ID == facts.Recorded.ID {
			continue
		}
		if retiring.RevokeAt.After(facts.Now) && !out {
			decision.wakeAt(retiring.RevokeAt.Time, facts.Now)
			continue
		}
		decision.Revoke = append(decision.Revoke, retiring)
	}
	decision.Strays = Strays(facts, prefix)
	decision.wakeAt(decision.DueAt, facts.Now)
	decision.wakeAt(facts.RotateAt, facts.Now)
	if facts.Recorded != nil {
		decision.wakeAt(expiry(facts), facts.Now)
	}
	return decision
}

func (d *Decision) wakeAt(at, now time.Time) {
	if at.After(now) && (d.WakeAt.IsZero() || at.Before(d.WakeAt)) {
		d.WakeAt = at
	}
}

// DueAt is when the credential on record is to be replaced, or renewed by a
// person: an interval after it was issued, or renewBefore ahead of its expiry,
// whichever comes first. Zero if neither applies.
func DueAt(facts Facts) time.Time {
	if facts.Recorded == nil {
		return time.Time{}
	}
	var due time.Time
	if facts.Interval > 0 {
		due = facts.Recorded.IssuedAt.Add(facts.Interval)
	}
	if expires := expiry(facts); !expires.IsZero() && !facts.Renews {
		if renew := renewal(facts, expires); due.IsZero() || renew.Before(due) {
			due = renew
		}
	}
	return due
}

// renewal is when a credential that expires is due. One that Rostra mints
// itself and that lives no longer than renewBefore is due at half its life:
// else it would be due as soon as it was issued, for ever.
func renewal(facts Facts, expires time.Time) time.Time {
	renew := expires.Add(-facts.RenewBefore)
	issued := facts.Recorded.IssuedAt.Time
	if facts.Mintable && !renew.After(issued) {
		return issued.Add(expires.Sub(issued) / 2)
	}
	return renew
}

func expiry(facts Facts) time.Time {
	if !facts.Mintable {
		return facts.SourceExpiresAt
	}
	if facts.Recorded.ExpiresAt != nil {
		return facts.Recorded.ExpiresAt.Time
	}
	return time.Time{}
}

// replacement is the first reason, in the order of their weight, for which the
// owner must get another credential. A source credential that is delivered
// itself can be delivered again, but not replaced: that takes a person.
func replacement(facts Facts, due time.Time) (v1alpha1.RetirementCause, string) {
	recorded := facts.Recorded
	switch {
	case recorded == nil:
		return CauseFirst, "nothing is delivered yet"
	case holderOf(recorded) != facts.Want:
		return v1alpha1.CauseHandover, fmt.Sprintf("it moves from team %s (%s/%s) to team %s (%s/%s)",
			recorded.Team, recorded.Secret.Namespace, recorded.Secret.Name,
			facts.Want.Team, facts.Want.Namespace, facts.Want.SecretName)
	case sourceReplaced(facts) && !facts.Mintable && !Minted(recorded.ID) && !facts.SourceChanged:
		if recorded.ExpiresAt != nil && len(leavers(facts)) > 0 {
			return v1alpha1.CauseLeaver, "it was renewed, since it was seen by " + enumerate(leavers(facts)) + ", no longer in team " + facts.Want.Team
		}
		return v1alpha1.CauseRenewed, "it was renewed from the same source credential"
	case sourceReplaced(facts):
		return v1alpha1.CauseSourceReplaced, "the source credential is another one"
	case withdrawn(facts):
		return v1alpha1.CauseFreeze, "the freeze that withdrew it is lifted"
	case facts.Secret == SecretMissing:
		return v1alpha1.CauseDrift, "the delivered Secret is gone"
	case facts.Secret == SecretAltered:
		return v1alpha1.CauseDrift, "the delivered Secret was changed"
	case facts.Mintable:
		return mintedReplacement(facts, due)
	case facts.Secret == SecretAhead:
		return v1alpha1.CauseDrift, unrecorded
	}
	return "", ""
}

// mintedReplacement holds the reasons that apply only where another credential
// can be minted without a person.
func mintedReplacement(facts Facts, due time.Time) (v1alpha1.RetirementCause, string) {
	recorded := facts.Recorded
	switch {
	case facts.Issued != nil && !slices.Contains(facts.Issued, recorded.ID):
		return v1alpha1.CauseDrift, "the delivered credential was revoked at the platform"
	case len(leavers(facts)) > 0:
		return v1alpha1.CauseLeaver, "it was seen by " + enumerate(leavers(facts)) + ", no longer in team " + facts.Want.Team
	case len(facts.Retiring) >= maxRetiring-1:
		// No routine rotation while the revocations lag this far behind.
	case rotationAsked(facts):
		return v1alpha1.CauseRequested, "a rotation was asked for"
	case !due.IsZero() && !facts.Now.Before(due):
		return v1alpha1.CauseRotation, "it is due"
	}
	if facts.Secret == SecretAhead {
		return v1alpha1.CauseDrift, unrecorded
	}
	return "", ""
}

const unrecorded = "a replacement was delivered and not recorded"

func holderOf(recorded *v1alpha1.DeliveredCredential) Holder {
	return Holder{Team: recorded.Team, Namespace: recorded.Secret.Namespace, SecretName: recorded.Secret.Name}
}

// sourceReplaced tells whether the credential on record does not come from the
// source credential at hand. A minted one outlives a change of the source.
func sourceReplaced(facts Facts) bool {
	if facts.Mintable {
		return !Minted(facts.Recorded.ID)
	}
	return facts.SourceID != "" && facts.Recorded.ID != facts.SourceID
}

func rotationAsked(facts Facts) bool {
	// Records hold whole seconds, so the time asked for counts in those too.
	asked := facts.RotateAt.Truncate(time.Second)
	return !asked.IsZero() && !asked.After(facts.Now) && facts.Recorded.IssuedAt.Time.Before(asked)
}

func leavers(facts Facts) []string {
	var gone []string
	for _, person := range facts.Recorded.ExposedTo {
		if !slices.Contains(facts.Present, person) {
			gone = append(gone, person)
		}
	}
	return gone
}

// Loose tells whether the credential on record is of use to nobody but those
// who left: its Secret is gone, and they have seen it.
func Loose(facts Facts) bool {
	recorded := facts.Recorded
	return recorded != nil && facts.Mintable && Minted(recorded.ID) && recorded.RevokedAt == nil &&
		facts.Secret == SecretMissing && len(leavers(facts)) > 0
}

// verdict is what there is to say of the credential on record.
func verdict(facts Facts, due time.Time) Verdict {
	recorded := facts.Recorded
	if recorded == nil {
		return Verdict{Reason: v1alpha1.ReasonProgressing, Message: "nothing is delivered yet"}
	}
	expires := expiry(facts)
	switch {
	case !expires.IsZero() && !facts.Now.Before(expires) && facts.Renews:
		return Verdict{Reason: v1alpha1.ReasonExpired, Message: fmt.Sprintf(
			"the credential expired at %s and could not be renewed: connect the account again", stamp(expires))}
	case !expires.IsZero() && !facts.Now.Before(expires):
		return Verdict{Reason: v1alpha1.ReasonExpired, Message: fmt.Sprintf(
			"the credential expired at %s: put a new one into the source Secret", stamp(expires))}
	case len(leavers(facts)) > 0 && facts.Renews:
		return Verdict{Reason: v1alpha1.ReasonSeenByLeaver, Message: fmt.Sprintf(
			"%s saw the credential and is no longer in team %s: it is replaced when the platform renews it%s",
			enumerate(leavers(facts)), facts.Want.Team, until(expires))}
	case len(leavers(facts)) > 0:
		return Verdict{Reason: v1alpha1.ReasonSeenByLeaver, Message: fmt.Sprintf(
			"%s saw the credential and is no longer in team %s: this platform cannot mint another, so get a new one from it and put it into the source Secret",
			enumerate(leavers(facts)), facts.Want.Team)}
	case facts.Mintable && len(facts.Retiring) >= maxRetiring-1:
		return Verdict{Reason: v1alpha1.ReasonNotRevoked, Message: fmt.Sprintf(
			"%d replaced credentials wait for their revocation: no other is minted until then%s", len(facts.Retiring), firstMessage(facts.Retiring))}
	case rotationAsked(facts):
		return Verdict{Reason: v1alpha1.ReasonDueForRenewal, Message: fmt.Sprintf(
			"a rotation was asked for by %s, and this source credential cannot mint another: put a new one into the source Secret", v1alpha1.AnnotationRotateAt)}
	case !due.IsZero() && !facts.Now.Before(due):
		return Verdict{Reason: v1alpha1.ReasonDueForRenewal, Message: "the credential was due for renewal at " + stamp(due) + ": put a new one into the source Secret"}
	}
	for _, retiring := range facts.Retiring {
		if retiring.Message != "" {
			return Verdict{Reason: v1alpha1.ReasonNotRevoked, Message: "the replaced credential " + retiring.ID + " still works: " + retiring.Message}
		}
	}
	return Verdict{OK: true, Reason: v1alpha1.ReasonDelivered, Message: fmt.Sprintf(
		"credential %s is delivered to team %s in Secret %s/%s", recorded.ID, recorded.Team, recorded.Secret.Namespace, recorded.Secret.Name)}
}

// until says when a credential ends by itself.
func until(expires time.Time) string {
	if expires.IsZero() {
		return ""
	}
	return ", and ends by itself at " + stamp(expires)
}

func firstMessage(retiring []v1alpha1.RetiringCredential) string {
	for _, r := range retiring {
		if r.Message != "" {
			return "; " + r.ID + ": " + r.Message
		}
	}
	return ""
}

// maxEnumerated is how many people a message names.
const maxEnumerated = 5

func enumerate(people []string) string {
	if len(people) <= maxEnumerated {
		return strings.Join(people, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(people[:maxEnumerated], ", "), len(people)-maxEnumerated)
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// Strays are the IDs that the platform lists under the channel's prefix and
// that are neither on record nor retiring: mints whose answer was lost, or
// that were given up midway.
func Strays(facts Facts, prefix string) []string {
	var strays []string
	for _, id := range facts.Issued {
		if !strings.HasPrefix(id, prefix) || facts.Recorded != nil && facts.Recorded.ID == id {
			continue
		}
		if slices.ContainsFunc(facts.Retiring, func(r v1alpha1.RetiringCredential) bool { return r.ID == id }) {
			continue
		}
		strays = append(strays, id)
	}
	return strays
}

// Succeed records that the owner got another credential: it gives the record
// of the new one, and the retiring credentials with the old one among them.
func Succeed(facts Facts, cause v1alpha1.RetirementCause, delivered v1alpha1.DeliveredCredential) (*v1alpha1.DeliveredCredential, []v1alpha1.RetiringCredential) {
	delivered.Serial = nextSerial(facts.Recorded)
	delivered.ExposedTo = union(facts.Present, facts.Seen)
	old := facts.Recorded
	var retiring []v1alpha1.RetiringCredential
	for _, r := range facts.Retiring {
		switch {
		case r.ID == delivered.ID:
			// A source credential came back within its overlap: it is not on its
			// way out any more, and whoever saw it has seen it.
			delivered.ExposedTo = union(delivered.ExposedTo, r.ExposedTo)
		case old != nil && r.ID == old.ID:
		default:
			retiring = append(retiring, r)
		}
	}
	if old == nil {
		return &delivered, retiring
	}
	cut := cutsOverlap(facts, cause)
	if cut {
		for i := range retiring {
			if retiring[i].RevokeAt.After(facts.Now) {
				retiring[i].RevokeAt.Time = facts.Now
			}
		}
	}
	if old.ID == delivered.ID {
		// The same credential, perhaps in another place: whoever saw it there
		// has seen it, and there is nothing to revoke.
		delivered.IssuedAt = old.IssuedAt
		delivered.ExposedTo = union(old.ExposedTo, delivered.ExposedTo)
		return &delivered, retiring
	}
	if cause == v1alpha1.CauseRenewed && !endsLater(old, facts.Now) {
		if old.ExpiresAt == nil {
			// It works on, and whoever saw it can use it.
			delivered.ExposedTo = union(old.ExposedTo, delivered.ExposedTo)
		}
		return &delivered, retiring
	}
	entry := v1alpha1.RetiringCredential{ID: old.ID, Cause: cause}
	entry.RevokeAt.Time = facts.Now
	if !Minted(old.ID) {
		entry.ExposedTo = slices.Clone(old.ExposedTo)
	}
	here := old.Secret.Namespace == delivered.Secret.Namespace && old.Secret.Name == delivered.Secret.Name
	if old.RevokedAt != nil && here {
		return &delivered, retiring // nothing of it is left
	}
	entry.ExpiresAt = old.ExpiresAt
	switch {
	case cut, cause == v1alpha1.CauseDrift:
	case cause == v1alpha1.CauseRenewed:
		entry.RevokeAt = *old.ExpiresAt // unless somebody leaves before
	default:
		entry.RevokeAt.Time = facts.Now.Add(facts.Overlap)
	}
	if !here {
		secret := old.Secret
		entry.Secret = &secret
	}
	return &delivered, append(makeRoom(retiring), entry)
}

// endsLater tells whether a credential ends by itself, and has not yet.
func endsLater(recorded *v1alpha1.DeliveredCredential, now time.Time) bool {
	return recorded.ExpiresAt != nil && recorded.ExpiresAt.After(now)
}

// Ended tells whether a replaced credential has ended by itself: there is
// nothing to revoke.
func Ended(retiring v1alpha1.RetiringCredential, now time.Time) bool {
	return !Minted(retiring.ID) && retiring.ExpiresAt != nil && !retiring.ExpiresAt.After(now)
}

// SameAgain tells whether what is about to be delivered is what must be
// replaced: somebody has it who must not, or it was revoked. Where Rostra can
// renew it, that comes first.
func SameAgain(facts Facts, id string) bool {
	recorded := facts.Recorded
	return facts.Renews && recorded != nil && recorded.ID == id && (recorded.RevokedAt != nil || len(leavers(facts)) > 0)
}

// cutsOverlap tells whether everything that was replaced goes at once: what
// people who are out have seen must not work for them a moment longer, and what
// a freeze withdrew no tool is using.
func cutsOverlap(facts Facts, cause v1alpha1.RetirementCause) bool {
	return withdrawn(facts) || cause == v1alpha1.CauseHandover || cause == v1alpha1.CauseLeaver || len(leavers(facts)) > 0
}

// maxRetiring bounds the credentials that wait for their revocation; see the
// schema.
const maxRetiring = 16

// makeRoom drops the oldest that could not be revoked for good, so that the
// record of a new one always fits. Rostra has said what to do about it.
func makeRoom(retiring []v1alpha1.RetiringCredential) []v1alpha1.RetiringCredential {
	for len(retiring) >= maxRetiring {
		oldest := max(0, slices.IndexFunc(retiring, func(r v1alpha1.RetiringCredential) bool { return r.Message != "" }))
		retiring = slices.Delete(retiring, oldest, oldest+1)
	}
	return retiring
}

// Expose adds the people present to those who can have seen the credential.
// Nobody is ever taken off: what was seen stays seen.
func Expose(recorded *v1alpha1.DeliveredCredential, present []string) {
	recorded.ExposedTo = union(recorded.ExposedTo, present)
}

// maxExposed bounds the record of who has seen a credential; see the schema.
const maxExposed = 512

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, person := range b {
		if len(all) < maxExposed && !slices.Contains(all, person) {
			all = append(all, person)
		}
	}
	return all
}

// Remaining is the time left until an instant, to the nearest of the unit that
// matters to people: days from two days on, else hours, at the end "0h".
func Remaining(now, until time.Time) string {
	const day = 24 * time.Hour
	left := max(until.Sub(now), 0)
	if left >= 2*day {
		return strconv.Itoa(int(left.Round(day)/day)) + "d"
	}
	return strconv.Itoa(int(left.Round(time.Hour)/time.Hour)) + "h"
}
