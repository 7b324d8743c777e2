// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

var _ = Describe("The brake", func() {
	quarter := ownership.Brake{Percent: 25, Floor: 5}

	DescribeTable("bounds how many lose theirs at once",
		func(brake ownership.Brake, total, limit int) { Expect(brake.Limit(total)).To(Equal(limit)) },
		Entry("a few", quarter, 8, 5),
		Entry("just as many as the floor", quarter, 20, 5),
		Entry("many", quarter, 178, 44),
		Entry("none at all", quarter, 0, 5),
		Entry("not set", ownership.Brake{}, 100, -1),
		Entry("set to everything", ownership.Brake{Percent: 100, Floor: 5}, 100, -1),
	)

	DescribeTable("stops what is too much",
		func(r ownership.Removals, halts bool) { Expect(quarter.Halts(r)).To(Equal(halts)) },
		Entry("as many as may", ownership.Removals{Total: 100, Pending: 25}, false),
		Entry("one more", ownership.Removals{Total: 100, Pending: 26}, true),
		Entry("one more, some of which are gone already", ownership.Removals{Total: 100, Pending: 6, Recent: 20}, true),
		Entry("what was stopped before, however few are left", ownership.Removals{Total: 100, Pending: 1, Halted: 1}, true),
		Entry("nothing", ownership.Removals{Total: 100, Recent: 90}, false),
	)

	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	DescribeTable("is released by a time that is not long ago",
		func(annotation string, confirmed bool) {
			Expect(ownership.Confirmed(annotation, now)).To(Equal(confirmed))
		},
		Entry("now", "2026-11-22T09:00:00Z", true),
		Entry("a moment ahead, by another clock", "2026-11-22T09:00:30Z", true),
		Entry("in this hour, in another zone", "2026-11-22T09:30:00+01:00", true),
		Entry("an hour ago", "2026-11-22T08:00:00Z", false),
		Entry("next year", "2027-11-22T09:00:00Z", false),
		Entry("not a time", "yes", false),
		Entry("not there", "", false),
	)
})

var _ = Describe("What the brake counts", func() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(now.Add(-d)) }
	teams := map[string]*v1alpha1.Team{}
	for _, name := range []string{"marketing", "care"} {
		made := team(name, member("maria"))
		made.Spec.Manager, made.Spec.Namespace = "maria", name
		made.Spec.Accepts = []v1alpha1.AcceptedChannels{channels("social", "*")}
		teams[name] = made
	}
	find := func(name string) *v1alpha1.Team { return teams[name] }
	condition := func(kind, reason string) func(*v1alpha1.SocialChannel) {
		return func(c *v1alpha1.SocialChannel) {
			meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason})
		}
	}
	confirmed := func(at metav1.Time) func(*v1alpha1.SocialChannel) {
		return func(c *v1alpha1.SocialChannel) {
			c.Annotations = map[string]string{v1alpha1.AnnotationConfirmRemoval: at.Format(time.RFC3339)}
		}
	}
	// held is a channel that marketing holds and that is declared so.
	held := func(changes ...func(*v1alpha1.SocialChannel)) *v1alpha1.SocialChannel {
		c := &v1alpha1.SocialChannel{}
		c.Namespace, c.Name, c.Finalizers = "social", "help", []string{v1alpha1.FinalizerChannel}
		c.Spec.OwnerRef.Name, c.Spec.Credentials.Delivery.SecretName = "marketing", "help"
		c.Status.Owner = "marketing"
		c.Status.Credential = &v1alpha1.DeliveredCredential{
			Team: "marketing", Secret: v1alpha1.DeliveredSecret{Namespace: "marketing", Name: "help"},
		}
		condition(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonDelivered)(c)
		for _, change := range changes {
			change(c)
		}
		return c
	}
	move := func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = "care" }
	deletion := func(c *v1alpha1.SocialChannel) {
		c.Spec.DeletionPolicy, c.DeletionTimestamp = v1alpha1.DeletionRevoke, new(ago(0))
	}
	renamed := func(c *v1alpha1.SocialChannel) { c.Spec.Credentials.Delivery.SecretName = "other" }
	elsewhere := func(c *v1alpha1.SocialChannel) { c.Status.Credential.Secret.Namespace = "before" }
	bare := func(c *v1alpha1.SocialChannel) { c.Status.Credential = nil }
	suspended := func(c *v1alpha1.SocialChannel) { c.Spec.Suspend = new(true) }
	observed := func(c *v1alpha1.SocialChannel) { c.Spec.ManagementPolicy = v1alpha1.ManagementObserve }
	// handed is a hand-over that began a while ago, with the steps done a minute
	// after it.
	handed := func(since time.Duration, steps ...v1alpha1.HandoverStepName) func(*v1alpha1.SocialChannel) {
		return func(c *v1alpha1.SocialChannel) {
			c.Status.Handover = &v1alpha1.ChannelHandover{From: "marketing", To: "care", StartedAt: ago(since)}
			for _, name := range steps {
				ownership.Step(c.Status.Handover, name, now.Add(time.Minute-since))
			}
		}
	}

	DescribeTable("as about to be lost",
		func(channel *v1alpha1.SocialChannel, loss ownership.Loss) {
			Expect(ownership.PendingLoss(channel, find, now)).To(Equal(loss))
		},
		Entry("nothing", held(), ownership.LosesNothing),
		Entry("a move", held(move), ownership.LosesOwner),
		Entry("a move to a team that is not there", held(func(c *v1alpha1.SocialChannel) { c.Spec.OwnerRef.Name = "gone" }), ownership.LosesNothing),
		Entry("a move of nothing", held(move, bare), ownership.LosesNothing),
		Entry("a move while suspended", held(move, suspended), ownership.LosesNothing),
		Entry("a move while observed", held(move, observed), ownership.LosesNothing),
		Entry("a move that has begun", held(move, handed(time.Hour, v1alpha1.HandoverAccepted)), ownership.LosesNothing),
		Entry("a move after another that is over", held(move, handed(time.Hour, v1alpha1.HandoverSwitched)), ownership.LosesOwner),
		Entry("a move that is confirmed", held(move, confirmed(ago(time.Minute))), ownership.LosesNothing),
		Entry("a move that was confirmed long ago", held(move, confirmed(ago(time.Hour))), ownership.LosesOwner),
		Entry("another name of the Secret", held(renamed), ownership.LosesPlace),
		Entry("another namespace of the team", held(elsewhere), ownership.LosesPlace),
		Entry("another name while suspended", held(renamed, suspended), ownership.LosesNothing),
		Entry("another name, confirmed", held(renamed, confirmed(ago(0))), ownership.LosesNothing),
		Entry("another name that was stopped", held(renamed, condition(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRemovalHalted)), ownership.LosesPlace),
		Entry("another namespace that cannot be", held(elsewhere, condition(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonNamespaceNotFound)), ownership.LosesNothing),
		Entry("a deletion", held(deletion), ownership.LosesCredential),
		Entry("a deletion while suspended, which goes on", held(deletion, suspended), ownership.LosesCredential),
		Entry("a deletion with Orphan", held(deletion, func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }), ownership.LosesNothing),
		Entry("a deletion with nothing to revoke", held(deletion, bare), ownership.LosesNothing),
		Entry("a deletion that another finalizer holds up", held(deletion, func(c *v1alpha1.SocialChannel) { c.Finalizers = []string{"other"} }), ownership.LosesNothing),
		Entry("a deletion that waits for the platform", held(deletion, condition(v1alpha1.ConditionReady, v1alpha1.ReasonDeleting)), ownership.LosesNothing),
	)

	DescribeTable("as just lost",
		func(channel *v1alpha1.SocialChannel, recent bool) {
			Expect(ownership.RecentLoss(channel, now)).To(Equal(recent))
		},
		Entry("nothing", held(), false),
		Entry("a move", held(handed(5*time.Minute, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched)), true),
		Entry("a move before the window", held(handed(11*time.Minute, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched)), false),
		Entry("a move that began before the window", held(handed(10*time.Minute, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched)), true),
		Entry("a move that has begun", held(handed(5*time.Minute, v1alpha1.HandoverAccepted)), true),
		Entry("a move that has begun and cannot go on", held(handed(10*time.Minute, v1alpha1.HandoverAccepted)), false),
		Entry("a move of nothing", held(handed(5*time.Minute, v1alpha1.HandoverAccepted, v1alpha1.HandoverSwitched)), false),
		Entry("a move of nothing, and a first credential", held(handed(5*time.Minute, v1alpha1.HandoverSwitched, v1alpha1.HandoverDelivered)), false),
		Entry("a move that was confirmed then", held(confirmed(ago(70*time.Minute)), handed(11*time.Minute, v1alpha1.HandoverAccepted)), false),
		Entry("a move that was confirmed then, and took an hour", held(confirmed(ago(66*time.Minute)), func(c *v1alpha1.SocialChannel) {
			handed(65*time.Minute, v1alpha1.HandoverAccepted)(c)
			ownership.Step(c.Status.Handover, v1alpha1.HandoverDelivered, now)
			ownership.Step(c.Status.Handover, v1alpha1.HandoverSwitched, now)
		}), false),
		Entry("a move that was confirmed, and confirmed again", held(confirmed(ago(0)), handed(5*time.Minute, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched)), false),
		Entry("a move with an old confirmation", held(confirmed(ago(2*time.Hour)), handed(5*time.Minute, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched)), true),
		Entry("a move an hour ahead, by a clock that was set back", held(handed(-time.Hour, v1alpha1.HandoverDelivered, v1alpha1.HandoverSwitched)), false),
	)

	It("tells what was stopped by the condition of its kind", func() {
		for loss, kind := range map[ownership.Loss]string{
			ownership.LosesOwner: v1alpha1.ConditionOwnerResolved, ownership.LosesPlace: v1alpha1.ConditionCredentialReady, ownership.LosesCredential: v1alpha1.ConditionReady,
		} {
			stopped := held(condition(kind, v1alpha1.ReasonRemovalHalted))
			for _, other := range []ownership.Loss{ownership.LosesNothing, ownership.LosesOwner, ownership.LosesPlace, ownership.LosesCredential} {
				Expect(ownership.Halted(stopped, other)).To(Equal(other == loss))
			}
		}
	})
})
