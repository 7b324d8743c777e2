// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package credentials_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
)

const (
	day = 24 * time.Hour
	uid = "0b1f6a52-9c1d-4b7e-8f0a-3d2c1b0a9f8e"
)

var (
	noon   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	prefix = credentials.IDPrefix(uid)
)

// change is one way in which the facts differ from those of a channel in order.
type change func(*credentials.Facts)

// minted is a channel in order whose credential was minted an hour ago, and can
// be minted again.
func minted(changes ...change) credentials.Facts {
	facts := credentials.Facts{
		Now: noon,
		Recorded: &v1alpha1.DeliveredCredential{
			ID: prefix + "3", Serial: 3, Team: "care",
			Secret:    v1alpha1.DeliveredSecret{Namespace: "customer-care", Name: "acme-help", ResourceVersion: "7"},
			IssuedAt:  metav1.NewTime(noon.Add(-time.Hour)),
			ExposedTo: []string{"care/maria", "care/dana"},
		},
		Want:        credentials.Holder{Team: "care", Namespace: "customer-care", SecretName: "acme-help"},
		Mintable:    true,
		Issued:      []string{"phone of maria", prefix + "3"},
		Present:     []string{"care/maria", "care/dana"},
		Overlap:     time.Hour,
		RenewBefore: 14 * day,
	}
	return with(facts, changes...)
}

// given is a channel in order whose source credential is delivered itself,
// since it cannot mint.
func given(changes ...change) credentials.Facts {
	facts := minted()
	facts.Mintable, facts.Issued = false, nil
	facts.Recorded.ID, facts.SourceID = "source-aaaa", "source-aaaa"
	return with(facts, changes...)
}

func with(facts credentials.Facts, changes ...change) credentials.Facts {
	for _, change := range changes {
		change(&facts)
	}
	return facts
}

func decide(facts credentials.Facts) credentials.Decision { return credentials.Decide(facts, prefix) }

// The changes, each by what happened.
func nothingYet(f *credentials.Facts)    { f.Recorded = nil }
func teamMoved(f *credentials.Facts)     { f.Want.Team = "marketing" }
func danaLeft(f *credentials.Facts)      { f.Present = []string{"care/maria"} }
func zoeJoined(f *credentials.Facts)     { f.Present = append(slices.Clone(f.Present), "care/zoe") }
func secretGone(f *credentials.Facts)    { f.Secret = credentials.SecretMissing }
func secretAltered(f *credentials.Facts) { f.Secret = credentials.SecretAltered }
func secretAhead(f *credentials.Facts)   { f.Secret = credentials.SecretAhead }
func revokedThere(f *credentials.Facts)  { f.Issued = []string{"phone of maria"} }
func notAsked(f *credentials.Facts)      { f.Issued = nil }
func rotateNow(f *credentials.Facts)     { f.RotateAt = f.Now }
func intervalOver(f *credentials.Facts)  { f.Interval = time.Hour }

// sourceSwapped is another source credential: where it can mint, what is
// delivered is the one that could not.
func sourceSwapped(f *credentials.Facts) {
	if f.Mintable {
		f.Recorded.ID = "source-aaaa"
	} else {
		f.SourceID, f.SourceChanged = "source-bbbb", true
	}
}

func expiresIn(left time.Duration) change {
	return func(f *credentials.Facts) {
		if f.Mintable {
			f.Recorded.ExpiresAt = new(metav1.NewTime(f.Now.Add(left)))
		} else {
			f.SourceExpiresAt = f.Now.Add(left)
		}
	}
}

func retiring(entries ...v1alpha1.RetiringCredential) change {
	return func(f *credentials.Facts) { f.Retiring = append(f.Retiring, entries...) }
}

func entry(id string, left time.Duration) v1alpha1.RetiringCredential {
	return v1alpha1.RetiringCredential{ID: id, Cause: v1alpha1.CauseRotation, RevokeAt: metav1.NewTime(noon.Add(left))}
}

func unrevoked(id string) v1alpha1.RetiringCredential {
	made := entry(id, -time.Hour)
	made.Message = "the client's secret is missing"
	return made
}

var _ = Describe("Decide", func() {
	DescribeTable("replaces what can be minted",
		func(cause v1alpha1.RetirementCause, why string, changes ...change) {
			decision := decide(minted(changes...))
			Expect(decision.Replace).To(Equal(cause))
			Expect(decision.Why).To(Equal(why))
		},
		Entry("not when all is in order", v1alpha1.RetirementCause(""), ""),
		Entry("when there is none", credentials.CauseFirst, "nothing is delivered yet", change(nothingYet)),
		Entry("when another team is to hold it", Label("S6"), v1alpha1.CauseHandover,
			"it moves from team care (customer-care/acme-help) to team marketing (customer-care/acme-help)", change(teamMoved)),
		Entry("when the team's namespace moves", v1alpha1.CauseHandover,
			"it moves from team care (customer-care/acme-help) to team care (care-eu/acme-help)",
			change(func(f *credentials.Facts) { f.Want.Namespace = "care-eu" })),
		Entry("when the Secret is to have another name", v1alpha1.CauseHandover,
			"it moves from team care (customer-care/acme-help) to team care (customer-care/help)",
			change(func(f *credentials.Facts) { f.Want.SecretName = "help" })),
		Entry("when the source itself was delivered until now", v1alpha1.CauseSourceReplaced,
			"the source credential is another one", change(sourceSwapped)),
		Entry("when the Secret is gone", v1alpha1.CauseDrift, "the delivered Secret is gone", change(secretGone)),
		Entry("when the Secret was changed", v1alpha1.CauseDrift, "the delivered Secret was changed", change(secretAltered)),
		Entry("when the platform lists it no more", v1alpha1.CauseDrift,
			"the delivered credential was revoked at the platform", change(revokedThere)),
		Entry("when the platform lists none at all", v1alpha1.CauseDrift,
			"the delivered credential was revoked at the platform", change(func(f *credentials.Facts) { f.Issued = []string{} })),
		Entry("not when the platform was not asked", v1alpha1.RetirementCause(""), "", change(notAsked)),
		Entry("when somebody who saw it left", Label("S4"), v1alpha1.CauseLeaver,
			"it was seen by care/dana, no longer in team care", change(danaLeft)),
		Entry("when a few left, and names them", Label("S4"), v1alpha1.CauseLeaver,
			"it was seen by old/1, old/2, old/3, old/4, old/5, no longer in team care",
			change(func(f *credentials.Facts) {
				f.Recorded.ExposedTo = []string{"old/1", "old/2", "old/3", "old/4", "old/5"}
			})),
		Entry("when many left, and names a few", Label("S4"), v1alpha1.CauseLeaver,
			"it was seen by old/1, old/2, old/3, old/4, old/5 and 2 more, no longer in team care",
			change(func(f *credentials.Facts) {
				f.Recorded.ExposedTo = []string{"old/1", "old/2", "care/maria", "old/3", "old/4", "old/5", "old/6", "old/7"}
			})),
		Entry("not when somebody came", v1alpha1.RetirementCause(""), "", change(zoeJoined)),
		Entry("when it is asked for", v1alpha1.CauseRequested, "a rotation was asked for", change(rotateNow)),
		Entry("not before the time that is asked for", v1alpha1.RetirementCause(""), "",
			change(func(f *credentials.Facts) { f.RotateAt = f.Now.Add(time.Second) })),
		Entry("not when it was issued since", v1alpha1.RetirementCause(""), "",
			change(func(f *credentials.Facts) { f.RotateAt = f.Now.Add(-time.Hour) })),
		Entry("when it was issued just before", v1alpha1.CauseRequested, "a rotation was asked for",
			change(func(f *credentials.Facts) { f.RotateAt = f.Now.Add(-time.Hour + time.Second) })),
		Entry("when the interval is over", v1alpha1.CauseRotation, "it is due", change(intervalOver)),
		Entry("not a moment before", v1alpha1.RetirementCause(""), "",
			change(func(f *credentials.Facts) { f.Interval = time.Hour + time.Nanosecond })),
		Entry("when its expiry comes near", v1alpha1.CauseRotation, "it is due", change(func(f *credentials.Facts) {
			f.Recorded.IssuedAt = metav1.NewTime(f.Now.Add(-60 * day))
		}), expiresIn(14*day)),
		Entry("when it is past its expiry", v1alpha1.CauseRotation, "it is due", expiresIn(-time.Second)),
		Entry("when a replacement is there that is not on record", Label("S22"), v1alpha1.CauseDrift,
			"a replacement was delivered and not recorded", change(secretAhead)),
	)

	DescribeTable("delivers again what cannot be minted, but replaces it only by what a person gave",
		func(cause v1alpha1.RetirementCause, changes ...change) {
			Expect(decide(given(changes...)).Replace).To(Equal(cause))
		},
		Entry("all in order", v1alpha1.RetirementCause("")),
		Entry("there is none", credentials.CauseFirst, change(nothingYet)),
		Entry("another team", v1alpha1.CauseHandover, change(teamMoved)),
		Entry("another source", v1alpha1.CauseSourceReplaced, change(sourceSwapped)),
		Entry("another source than a minted one", v1alpha1.CauseSourceReplaced,
			change(func(f *credentials.Facts) { f.Recorded.ID = prefix + "3" })),
		Entry("a source that was not read", v1alpha1.RetirementCause(""), change(func(f *credentials.Facts) { f.SourceID = "" })),
		Entry("the Secret is gone", v1alpha1.CauseDrift, change(secretGone)),
		Entry("the Secret was changed", v1alpha1.CauseDrift, change(secretAltered)),
		Entry("the Secret holds what is not on record", v1alpha1.CauseDrift, change(secretAhead)),
		Entry("the same, and the source was not read", v1alpha1.CauseDrift, change(secretAhead),
			change(func(f *credentials.Facts) { f.SourceID = "" })),
		Entry("somebody left", v1alpha1.RetirementCause(""), change(danaLeft)),
		Entry("it is asked for", v1alpha1.RetirementCause(""), change(rotateNow)),
		Entry("the interval is over", v1alpha1.RetirementCause(""), change(intervalOver)),
		Entry("it is near its expiry", v1alpha1.RetirementCause(""), expiresIn(day)),
		Entry("it is past its expiry", v1alpha1.RetirementCause(""), expiresIn(-day)),
	)

	Describe("of several reasons, names the gravest", func() {
		type reason struct {
			name  string
			cause v1alpha1.RetirementCause
			why   string
			change
		}
		heaviestFirst := []reason{
			{"a hand-over", v1alpha1.CauseHandover, "it moves", teamMoved},
			{"another source", v1alpha1.CauseSourceReplaced, "the source credential is another", sourceSwapped},
			{"a Secret that is gone", v1alpha1.CauseDrift, "Secret is gone", secretGone},
			{"a Secret that was changed", v1alpha1.CauseDrift, "Secret was changed", secretAltered},
			{"a credential revoked at the platform", v1alpha1.CauseDrift, "revoked at the platform", revokedThere},
			{"a leaver", v1alpha1.CauseLeaver, "seen by", danaLeft},
			{"a request", v1alpha1.CauseRequested, "asked for", rotateNow},
			{"the interval", v1alpha1.CauseRotation, "due", intervalOver},
			{"a replacement not on record", v1alpha1.CauseDrift, "not recorded", secretAhead},
		}
		for i, heavier := range heaviestFirst {
			for _, lighter := range heaviestFirst[i+1:] {
				It(heavier.name+" before "+lighter.name, func() {
					// The lighter one first: both may set the same fact.
					for _, facts := range []credentials.Facts{minted(lighter.change, heavier.change), given(lighter.change, heavier.change)} {
						decision := decide(facts)
						if !facts.Mintable && !slices.Contains([]v1alpha1.RetirementCause{v1alpha1.CauseHandover, v1alpha1.CauseSourceReplaced}, heavier.cause) &&
							facts.Secret == credentials.SecretAsWritten {
							Expect(decision.Replace).To(BeEmpty(), "nothing can be minted")
							continue
						}
						if !facts.Mintable && facts.Secret == credentials.SecretAhead {
							Expect(decision.Replace).NotTo(BeEmpty())
							continue
						}
						Expect(decision.Replace).To(Equal(heavier.cause))
						Expect(decision.Why).To(ContainSubstring(heavier.why))
					}
				})
			}
		}
	})

	Describe("what is said of a credential that is kept", func() {
		DescribeTable("of one that cannot be minted",
			func(ok bool, reason, message string, changes ...change) {
				decision := decide(given(changes...))
				Expect(decision.Replace).To(BeEmpty())
				Expect(decision.Verdict).To(Equal(credentials.Verdict{OK: ok, Reason: reason, Message: message}))
			},
			Entry("in order", true, v1alpha1.ReasonDelivered,
				"credential source-aaaa is delivered to team care in Secret customer-care/acme-help"),
			Entry("seen by a leaver", Label("S4"), false, v1alpha1.ReasonSeenByLeaver,
				"care/dana saw the credential and is no longer in team care: this platform cannot mint another, so get a new one from it and put it into the source Secret",
				change(danaLeft)),
			Entry("a rotation is asked for", false, v1alpha1.ReasonDueForRenewal,
				"a rotation was asked for by social.rostra.dev/rotate-at, and this source credential cannot mint another: put a new one into the source Secret",
				change(rotateNow)),
			Entry("the interval is over", false, v1alpha1.ReasonDueForRenewal,
				"the credential was due for renewal at 2026-11-21T12:00:00Z: put a new one into the source Secret", change(intervalOver)),
			Entry("its expiry comes near", Label("S11"), false, v1alpha1.ReasonDueForRenewal,
				"the credential was due for renewal at 2026-11-20T12:00:00Z: put a new one into the source Secret", expiresIn(13*day)),
			Entry("expired", Label("S11"), false, v1alpha1.ReasonExpired,
				"the credential expired at 2026-11-21T12:00:00Z: put a new one into the source Secret", expiresIn(0)),
			Entry("another still waits to be revoked", true, v1alpha1.ReasonDelivered,
				"credential source-aaaa is delivered to team care in Secret customer-care/acme-help", retiring(entry("source-old", time.Hour))),
			Entry("another could not be revoked", false, v1alpha1.ReasonNotRevoked,
				"the replaced credential source-old still works: the client's secret is missing",
				retiring(entry("source-older", time.Hour), unrevoked("source-old"))),
		)

		DescribeTable("of two things, names the graver",
			func(reason string, changes ...change) {
				Expect(decide(given(changes...)).Verdict.Reason).To(Equal(reason))
			},
			Entry("expired before seen by a leaver", v1alpha1.ReasonExpired, expiresIn(-day), change(danaLeft)),
			Entry("seen by a leaver before a rotation that is asked for", v1alpha1.ReasonSeenByLeaver, change(danaLeft), change(rotateNow)),
			Entry("seen by a leaver before due", v1alpha1.ReasonSeenByLeaver, change(danaLeft), change(intervalOver)),
			Entry("seen by a leaver before another not revoked", v1alpha1.ReasonSeenByLeaver, change(danaLeft), retiring(unrevoked("source-old"))),
			Entry("due before another not revoked", v1alpha1.ReasonDueForRenewal, change(intervalOver), retiring(unrevoked("source-old"))),
		)

		It("of one that was minted", func() {
			Expect(decide(minted()).Verdict).To(Equal(credentials.Verdict{
				OK: true, Reason: v1alpha1.ReasonDelivered,
				Message: "credential " + prefix + "3 is delivered to team care in Secret customer-care/acme-help",
			}))
			Expect(decide(minted(retiring(unrevoked(prefix + "2")))).Verdict.Reason).To(Equal(v1alpha1.ReasonNotRevoked))
			Expect(decide(minted(expiresIn(60 * day))).Verdict.OK).To(BeTrue())
		})

		It("does not ask for a new source where the revocations are what holds a rotation up", func() {
			backlog := make([]v1alpha1.RetiringCredential, 15)
			for i := range backlog {
				backlog[i] = unrevoked(fmt.Sprintf("%s-%d", prefix, i))
			}
			for _, routine := range []change{rotateNow, intervalOver} {
				decision := decide(minted(routine, retiring(backlog...)))
				Expect(decision.Replace).To(BeEmpty())
				Expect(decision.Verdict.Reason).To(Equal(v1alpha1.ReasonNotRevoked))
				Expect(decision.Verdict.Message).To(Equal(
					"15 replaced credentials wait for their revocation: no other is minted until then; " + backlog[0].ID + ": the client's secret is missing"))
				waiting := slices.Clone(backlog)
				for i := range waiting {
					waiting[i].Message = ""
				}
				Expect(decide(minted(routine, retiring(waiting...))).Verdict.Message).To(Equal(
					"15 replaced credentials wait for their revocation: no other is minted until then"))
				waiting[7] = backlog[7]
				Expect(decide(minted(routine, retiring(waiting...))).Verdict.Message).To(HaveSuffix("; " + backlog[7].ID + ": the client's secret is missing"))
			}
			for _, routine := range []change{rotateNow, intervalOver} {
				Expect(decide(minted(routine, retiring(backlog[:14]...))).Replace).NotTo(BeEmpty(), "there is room for one more")
			}
			for _, grave := range []change{teamMoved, danaLeft, secretGone, secretAltered, secretAhead, revokedThere} {
				Expect(decide(minted(grave, retiring(backlog...))).Replace).NotTo(BeEmpty(), "what is grave cannot wait")
			}
		})

		It("of none", func() {
			Expect(decide(minted(nothingYet)).Verdict).To(Equal(
				credentials.Verdict{Reason: v1alpha1.ReasonProgressing, Message: "nothing is delivered yet"}))
		})
	})

	// S11: a token of 60 days, renewBefore 336h, that nobody renews.
	DescribeTable("tells of an expiry in time", Label("S11"),
		func(age time.Duration, reason string, wake time.Duration) {
			issued := noon
			facts := given(func(f *credentials.Facts) {
				f.Recorded.IssuedAt = metav1.NewTime(issued)
				f.SourceExpiresAt = issued.Add(60 * day)
				f.Now = issued.Add(age)
			})
			decision := decide(facts)
			Expect(decision.DueAt).To(BeTemporally("==", issued.Add(46*day)))
			Expect(decision.Replace).To(BeEmpty())
			Expect(decision.Verdict.Reason).To(Equal(reason))
			if wake == 0 {
				Expect(decision.WakeAt).To(BeZero())
			} else {
				Expect(decision.WakeAt).To(BeTemporally("==", issued.Add(wake)))
			}
		},
		Entry("on the first day", time.Duration(0), v1alpha1.ReasonDelivered, 46*day),
		Entry("just before day 46 is over", 46*day-time.Second, v1alpha1.ReasonDelivered, 46*day),
		Entry("when day 46 is over", 46*day, v1alpha1.ReasonDueForRenewal, 60*day),
		Entry("just before the end", 60*day-time.Second, v1alpha1.ReasonDueForRenewal, 60*day),
		Entry("at the end", 60*day, v1alpha1.ReasonExpired, time.Duration(0)),
		Entry("long after", 600*day, v1alpha1.ReasonExpired, time.Duration(0)),
	)

	It("rotates a minted credential ahead of its expiry, as a person cannot be asked", Label("S11"), func() {
		facts := minted(func(f *credentials.Facts) {
			f.Recorded.IssuedAt = metav1.NewTime(noon.Add(-46 * day))
			f.Recorded.ExpiresAt = new(metav1.NewTime(noon.Add(14 * day)))
		})
		Expect(decide(facts).Replace).To(Equal(v1alpha1.CauseRotation))
		facts.Now = noon.Add(-time.Second)
		Expect(decide(facts).Replace).To(BeEmpty())
		Expect(decide(facts).WakeAt).To(BeTemporally("==", noon))
	})

	DescribeTable("is due", func(wanted time.Duration, facts credentials.Facts) {
		due := credentials.DueAt(facts)
		if wanted == 0 {
			Expect(due).To(BeZero())
			return
		}
		Expect(due).To(BeTemporally("==", noon.Add(wanted)))
		Expect(decide(facts).DueAt).To(Equal(due))
	},
		Entry("never", time.Duration(0), minted()),
		Entry("never, where there is none", time.Duration(0), minted(nothingYet, intervalOver)),
		Entry("after the interval", 719*time.Hour, minted(func(f *credentials.Facts) { f.Interval = 720 * time.Hour })),
		Entry("after the interval, also where a person must act", 719*time.Hour, given(func(f *credentials.Facts) { f.Interval = 720 * time.Hour })),
		Entry("ahead of the expiry", 46*day, minted(expiresIn(60*day))),
		Entry("ahead of the source's expiry", 46*day, given(expiresIn(60*day))),
		Entry("in the past, ahead of the source's expiry", -4*day, given(expiresIn(10*day))),
		Entry("after the interval, where that is earlier", 23*time.Hour, minted(expiresIn(60*day), func(f *credentials.Facts) { f.Interval = day })),
		Entry("ahead of the expiry, where that is earlier", 46*day, minted(expiresIn(60*day), func(f *credentials.Facts) { f.Interval = 90 * day })),
		Entry("whatever the source's expiry, where others are minted", time.Duration(0),
			minted(func(f *credentials.Facts) { f.SourceExpiresAt = f.Now.Add(60 * day) })),
		Entry("whatever the record says, where the source is delivered", time.Duration(0),
			given(func(f *credentials.Facts) { f.Recorded.ExpiresAt = new(metav1.NewTime(f.Now.Add(60 * day))) })),
		Entry("at half its life, where it lives no longer than renewBefore", 30*time.Minute, minted(expiresIn(2*time.Hour))),
	)

	Describe("the replaced credentials", func() {
		It("are revoked when their time has come, and not before", func() {
			facts := minted(retiring(entry("now", 0), entry("soon", time.Second), entry("long since", -day), entry("later", time.Hour)))
			decision := decide(facts)
			Expect(ids(decision.Revoke)).To(Equal([]string{"now", "long since"}))
			Expect(decision.WakeAt).To(BeTemporally("==", noon.Add(time.Second)))
		})

		It("are revoked though the owner is to get another", func() {
			Expect(ids(decide(minted(danaLeft, retiring(entry("old", 0)))).Revoke)).To(Equal([]string{"old"}))
		})

		It("are revoked early when somebody is out who may have seen them", Label("S4"), func() {
			for _, facts := range []credentials.Facts{given(danaLeft), minted(danaLeft)} {
				facts.Retiring = []v1alpha1.RetiringCredential{entry("in overlap", 100*time.Hour)}
				decision := decide(facts)
				Expect(ids(decision.Revoke)).To(Equal([]string{"in overlap"}))
				Expect(decision.WakeAt).To(BeZero())
			}
		})

		It("are never the one in use", func() {
			Expect(ids(decide(given(retiring(entry("source-aaaa", 0), entry("source-old", 0)))).Revoke)).To(Equal([]string{"source-old"}))
		})
	})

	DescribeTable("wakes up at the next instant that matters",
		func(wanted time.Duration, facts credentials.Facts) {
			if wanted == 0 {
				Expect(decide(facts).WakeAt).To(BeZero())
				return
			}
			Expect(decide(facts).WakeAt).To(BeTemporally("==", noon.Add(wanted)))
		},
		Entry("never", time.Duration(0), minted()),
		Entry("not for what is past", time.Duration(0), minted(rotateNow, retiring(entry("old", 0)))),
		Entry("the due time", time.Hour, minted(func(f *credentials.Facts) { f.Interval = 2 * time.Hour })),
		Entry("the rotation that is asked for", time.Minute, minted(func(f *credentials.Facts) { f.RotateAt = f.Now.Add(time.Minute) })),
		Entry("the revocation", time.Minute, minted(retiring(entry("a", time.Hour), entry("b", time.Minute)))),
		Entry("the expiry, when it is due already", 13*day, given(expiresIn(13*day))),
		Entry("the expiry, when a rotation is held up", 13*day, minted(expiresIn(13*day), func(f *credentials.Facts) {
			f.Recorded.IssuedAt = metav1.NewTime(f.Now.Add(-90 * day))
			for i := range 15 {
				f.Retiring = append(f.Retiring, unrevoked(fmt.Sprint("old-", i)))
			}
		})),
		Entry("the earliest of all", time.Minute, given(expiresIn(60*day), retiring(entry("a", time.Minute)), func(f *credentials.Facts) {
			f.Interval, f.RotateAt = 3*time.Hour, f.Now.Add(time.Hour)
		})),
	)
})

func ids(entries []v1alpha1.RetiringCredential) []string {
	var all []string
	for _, entry := range entries {
		all = append(all, entry.ID)
	}
	return all
}

var _ = Describe("Strays", Label("S22"), func() {
	DescribeTable("are this channel's credentials that nobody holds",
		func(wanted []string, facts credentials.Facts) {
			Expect(credentials.Strays(facts, prefix)).To(Equal(wanted))
			Expect(decide(facts).Strays).To(Equal(wanted))
		},
		Entry("none", nil, minted()),
		Entry("none where the platform was not asked", nil, minted(notAsked)),
		Entry("a mint whose answer was lost", []string{prefix + "4"},
			minted(func(f *credentials.Facts) { f.Issued = append(f.Issued, prefix+"4") })),
		Entry("all that was minted, where nothing is on record", []string{prefix + "3"}, minted(nothingYet)),
		Entry("not those that wait for their revocation", []string{prefix + "1"},
			minted(retiring(entry(prefix+"2", time.Hour)), func(f *credentials.Facts) { f.Issued = append(f.Issued, prefix+"2", prefix+"1") })),
		Entry("not people's own, nor another channel's", nil, minted(func(f *credentials.Facts) {
			f.Issued = append(f.Issued, "", "rostra", "rostra-", "rostra-backup", "Rostra-"+prefix, " "+prefix+"9", strings.TrimSuffix(prefix, "-"),
				credentials.IDPrefix("0b1f6a52-9c1e-4b7e-8f0a-3d2c1b0a9f8e")+"4")
		})),
	)
})

var _ = Describe("The IDs of minted credentials", func() {
	It("bear a prefix of their channel's own", func() {
		Expect(prefix).To(Equal("rostra-0b1f6a529c1d-"))
		Expect(credentials.IDPrefix("0b1f6a52-9c1e-4b7e-8f0a-3d2c1b0a9f8e")).NotTo(Equal(prefix))
	})

	It("bear one however short the UID", func() {
		for _, short := range []string{"", "a", "a-b", "0123456789ab", "-"} {
			Expect(credentials.IDPrefix(short)).To(And(HavePrefix(credentials.MintedPrefix), HaveSuffix("-")))
		}
	})

	It("cannot be the beginning of another channel's", func() {
		one, other := credentials.IDPrefix("0b1f6a52-9c1d-4b7e-8f0a-3d2c1b0a9f8e"), credentials.IDPrefix("0b1f6a52-9c1e-4b7e-8f0a-3d2c1b0a9f8e")
		Expect(one).NotTo(HavePrefix(other))
		Expect(other).NotTo(HavePrefix(one))
	})

	DescribeTable("count on from what is on record",
		func(recorded *v1alpha1.DeliveredCredential, wanted string) {
			Expect(credentials.NextID(prefix, recorded)).To(Equal(prefix + wanted))
			Expect(credentials.NextID(prefix, recorded)).To(Equal(prefix+wanted), "and say the same twice")
		},
		Entry("nothing", nil, "1"),
		Entry("no serial", &v1alpha1.DeliveredCredential{}, "1"),
		Entry("the first", &v1alpha1.DeliveredCredential{Serial: 1}, "2"),
		Entry("many", &v1alpha1.DeliveredCredential{Serial: 1 << 40}, "1099511627777"),
		Entry("one that was given", &v1alpha1.DeliveredCredential{ID: "source-aaaa", Serial: 5}, "6"),
	)
})

var _ = Describe("Succeed", func() {
	// next is what is delivered when all goes well.
	next := func(facts credentials.Facts) v1alpha1.DeliveredCredential {
		id := facts.SourceID
		if facts.Mintable {
			id = credentials.NextID(prefix, facts.Recorded)
		}
		return v1alpha1.DeliveredCredential{
			ID: id, Team: facts.Want.Team,
			Secret:   v1alpha1.DeliveredSecret{Namespace: facts.Want.Namespace, Name: facts.Want.SecretName, ResourceVersion: "8"},
			IssuedAt: metav1.NewTime(facts.Now),
		}
	}

	It("records the first, and retires nothing", func() {
		facts := minted(nothingYet)
		record, retired := credentials.Succeed(facts, credentials.CauseFirst, next(facts))
		Expect(record.ID).To(Equal(prefix + "1"))
		Expect(record.Serial).To(HaveValue(BeEquivalentTo(1)))
		Expect(record.ExposedTo).To(Equal([]string{"care/maria", "care/dana"}))
		Expect(record.IssuedAt.Time).To(Equal(noon))
		Expect(retired).To(BeEmpty())
	})

	DescribeTable("lets the old one work on for its own people only",
		func(cause v1alpha1.RetirementCause, wanted time.Duration, changes ...change) {
			facts := minted(append([]change{func(f *credentials.Facts) { f.Overlap = 3 * time.Hour }}, changes...)...)
			record, retired := credentials.Succeed(facts, cause, next(facts))
			Expect(record.ID).To(Equal(prefix + "4"))
			Expect(record.Serial).To(HaveValue(BeEquivalentTo(4)))
			Expect(retired).To(HaveLen(1))
			Expect(retired[0].ID).To(Equal(facts.Recorded.ID))
			Expect(retired[0].Cause).To(Equal(cause))
			Expect(retired[0].RevokeAt.Time).To(BeTemporally("==", noon.Add(wanted)))
			Expect(retired[0].Message).To(BeEmpty())
		},
		Entry("a rotation", v1alpha1.CauseRotation, 3*time.Hour),
		Entry("a rotation that was asked for", v1alpha1.CauseRequested, 3*time.Hour),
		Entry("another source", v1alpha1.CauseSourceReplaced, 3*time.Hour),
		Entry("another source, since somebody left", Label("S4"), v1alpha1.CauseSourceReplaced, time.Duration(0), change(danaLeft)),
		Entry("a hand-over", Label("S6"), v1alpha1.CauseHandover, time.Duration(0), change(teamMoved)),
		Entry("a leaver", Label("S4"), v1alpha1.CauseLeaver, time.Duration(0), change(danaLeft)),
		Entry("drift", v1alpha1.CauseDrift, time.Duration(0)),
		Entry("a rotation without overlap", v1alpha1.CauseRotation, time.Duration(0), change(func(f *credentials.Facts) { f.Overlap = 0 })),
	)

	DescribeTable("cuts short every overlap that somebody who is out could use",
		func(cause v1alpha1.RetirementCause, cut bool, facts credentials.Facts) {
			facts.Retiring = []v1alpha1.RetiringCredential{entry("overdue", -time.Hour), entry("in overlap", 100*time.Hour)}
			_, retired := credentials.Succeed(facts, cause, next(facts))
			Expect(retired[0].RevokeAt.Time).To(BeTemporally("==", noon.Add(-time.Hour)), "what is overdue stays so")
			if cut {
				Expect(retired[1].RevokeAt.Time).To(BeTemporally("==", noon))
			} else {
				Expect(retired[1].RevokeAt.Time).To(BeTemporally("==", noon.Add(100*time.Hour)))
			}
			Expect(facts.Retiring[1].RevokeAt.Time).To(BeTemporally("==", noon.Add(100*time.Hour)), "the facts are not changed")
		},
		Entry("a hand-over", Label("S6"), v1alpha1.CauseHandover, true, minted(teamMoved)),
		Entry("a hand-over of what cannot be minted", Label("S6"), v1alpha1.CauseHandover, true, given(teamMoved)),
		Entry("a leaver", Label("S4"), v1alpha1.CauseLeaver, true, minted(danaLeft)),
		Entry("another source after a leaver", Label("S4"), v1alpha1.CauseSourceReplaced, true, given(danaLeft, sourceSwapped)),
		Entry("not a rotation", v1alpha1.CauseRotation, false, minted(intervalOver)),
		Entry("not a rotation that was asked for", v1alpha1.CauseRequested, false, minted(rotateNow)),
		Entry("not another source", v1alpha1.CauseSourceReplaced, false, given(sourceSwapped)),
		Entry("not drift", v1alpha1.CauseDrift, false, minted(secretGone)),
	)

	It("remembers where the old one lay, if its successor lies elsewhere", func() {
		facts := minted(teamMoved, func(f *credentials.Facts) { f.Want.Namespace = "marketing" })
		_, retired := credentials.Succeed(facts, v1alpha1.CauseHandover, next(facts))
		Expect(retired[0].Secret).To(HaveValue(Equal(facts.Recorded.Secret)))

		renamed := minted(func(f *credentials.Facts) { f.Want.SecretName = "help" })
		_, retired = credentials.Succeed(renamed, v1alpha1.CauseHandover, next(renamed))
		Expect(retired[0].Secret).To(HaveValue(Equal(renamed.Recorded.Secret)))

		_, retired = credentials.Succeed(minted(), v1alpha1.CauseRotation, next(minted()))
		Expect(retired[0].Secret).To(BeNil())
	})

	It("starts the record of who has seen it anew", func() {
		facts := minted(danaLeft, zoeJoined)
		record, _ := credentials.Succeed(facts, v1alpha1.CauseLeaver, next(facts))
		Expect(record.ExposedTo).To(Equal([]string{"care/maria", "care/zoe"}))
	})

	It("adds who saw it when it was delivered and could not be recorded", Label("S4", "S22"), func() {
		facts := minted(nothingYet, notAsked, danaLeft, func(f *credentials.Facts) { f.Seen = []string{"care/maria", "care/dana"} })
		record, _ := credentials.Succeed(facts, credentials.CauseFirst, next(facts))
		Expect(record.ExposedTo).To(Equal([]string{"care/maria", "care/dana"}))
		facts.Recorded = record
		Expect(decide(facts).Replace).To(Equal(v1alpha1.CauseLeaver))
	})

	It("keeps who saw the old one where that was given, and may be given again", Label("S4"), func() {
		facts := given(sourceSwapped)
		_, retired := credentials.Succeed(facts, v1alpha1.CauseSourceReplaced, next(facts))
		Expect(retired[0].ExposedTo).To(Equal([]string{"care/maria", "care/dana"}))
		retired[0].ExposedTo[0] = "changed"
		Expect(facts.Recorded.ExposedTo).To(Equal([]string{"care/maria", "care/dana"}), "the facts are not changed")
		_, retired = credentials.Succeed(minted(), v1alpha1.CauseRotation, next(minted()))
		Expect(retired[0].ExposedTo).To(BeEmpty(), "a minted one is never given again")
	})

	Context("with the same credential again", func() {
		It("retires nothing, and forgets nobody who saw it", func() {
			facts := given(secretGone, zoeJoined)
			record, retired := credentials.Succeed(facts, v1alpha1.CauseDrift, next(facts))
			Expect(retired).To(BeEmpty())
			Expect(record.IssuedAt).To(Equal(facts.Recorded.IssuedAt))
			Expect(record.ExposedTo).To(Equal([]string{"care/maria", "care/dana", "care/zoe"}))
			Expect(record.Serial).To(HaveValue(BeEquivalentTo(4)))
		})

		It("shows after a hand-over that the old owner's people have seen it", Label("S6"), func() {
			facts := given(teamMoved, func(f *credentials.Facts) { f.Present = []string{"marketing/max"} })
			record, retired := credentials.Succeed(facts, v1alpha1.CauseHandover, next(facts))
			Expect(retired).To(BeEmpty())
			facts.Recorded = record
			Expect(decide(facts).Replace).To(BeEmpty())
			Expect(decide(facts).Verdict.Reason).To(Equal(v1alpha1.ReasonSeenByLeaver))
			Expect(decide(facts).Verdict.Message).To(ContainSubstring("care/maria, care/dana saw the credential"))
		})
	})

	It("takes a source that comes back out of those to be revoked", func() {
		facts := given(func(f *credentials.Facts) { f.Recorded.ID = "source-bbbb" }, retiring(entry("source-aaaa", time.Hour), entry("source-cccc", time.Hour)))
		record, retired := credentials.Succeed(facts, v1alpha1.CauseSourceReplaced, next(facts))
		Expect(record.ID).To(Equal("source-aaaa"))
		Expect(ids(retired)).To(Equal([]string{"source-cccc", "source-bbbb"}))
	})

	It("remembers who saw a source that comes back", Label("S4"), func() {
		facts := given(danaLeft, sourceSwapped)
		facts.Recorded, facts.Retiring = credentials.Succeed(facts, v1alpha1.CauseSourceReplaced, next(facts))
		facts.SourceID = "source-aaaa"
		facts.Recorded, facts.Retiring = credentials.Succeed(facts, v1alpha1.CauseSourceReplaced, next(facts))
		Expect(facts.Recorded.ID).To(Equal("source-aaaa"))
		Expect(decide(facts).Verdict.Reason).To(Equal(v1alpha1.ReasonSeenByLeaver))
	})

	It("stays within what the schema holds, and first lets go of what cannot be revoked", func() {
		facts := minted()
		for i := range 16 {
			facts.Retiring = append(facts.Retiring, entry(fmt.Sprint("old-", i), -time.Hour))
		}
		facts.Retiring[5] = unrevoked("old-5")
		_, retired := credentials.Succeed(facts, v1alpha1.CauseDrift, next(facts))
		Expect(retired).To(HaveLen(16))
		Expect(ids(retired)).To(And(ContainElement(facts.Recorded.ID), Not(ContainElement("old-5"))))
		Expect(facts.Retiring).To(HaveLen(16), "the facts are not changed")
		Expect(facts.Retiring[5].ID).To(Equal("old-5"))
	})
})

var _ = Describe("Expose", Label("S4"), func() {
	It("adds who is there, and takes nobody off", func() {
		record := &v1alpha1.DeliveredCredential{ExposedTo: []string{"care/maria", "care/dana"}}
		credentials.Expose(record, []string{"care/zoe", "care/maria"})
		Expect(record.ExposedTo).To(Equal([]string{"care/maria", "care/dana", "care/zoe"}))
		credentials.Expose(record, nil)
		Expect(record.ExposedTo).To(Equal([]string{"care/maria", "care/dana", "care/zoe"}))
	})

	It("leaves a shared list alone", func() {
		shared := make([]string, 1, 10)
		shared[0] = "care/maria"
		record := &v1alpha1.DeliveredCredential{ExposedTo: shared}
		credentials.Expose(record, []string{"care/dana"})
		Expect(shared[:2]).To(Equal([]string{"care/maria", ""}))
	})

	It("is full only when so many have left that nobody is overlooked", func() {
		facts := given()
		facts.Recorded.ExposedTo = nil
		for team := range 7 {
			facts.Present = nil
			for member := range 100 { // as many as a team can have
				facts.Present = append(facts.Present, fmt.Sprintf("care/m%d-%d", team, member))
			}
			credentials.Expose(facts.Recorded, facts.Present)
		}
		Expect(facts.Recorded.ExposedTo).To(HaveLen(512))
		Expect(decide(facts).Verdict.Reason).To(Equal(v1alpha1.ReasonSeenByLeaver))
	})
})

var _ = DescribeTable("Remaining is in the unit that matters",
	func(left time.Duration, wanted string) {
		Expect(credentials.Remaining(noon, noon.Add(left))).To(Equal(wanted))
	},
	Entry("weeks", 27*day, "27d"),
	Entry("not quite so many", 27*day+11*time.Hour+59*time.Minute, "27d"),
	Entry("nearly one more", 27*day+12*time.Hour, "28d"),
	Entry("two days", 48*time.Hour, "2d"),
	Entry("less than two days", 48*time.Hour-time.Minute, "48h"),
	Entry("an hour", time.Hour, "1h"),
	Entry("less than half an hour", 29*time.Minute, "0h"),
	Entry("nothing", time.Duration(0), "0h"),
	Entry("less than nothing", -day, "0h"),
	Entry("for ever", time.Duration(1<<63-1), "106751d"),
)
