// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notice_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/notice"
)

func TestNotice(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "notice")
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func channelSaying(condition, reason string) *v1alpha1.SocialChannel {
	channel := &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "help"}}
	channel.Spec.Handle, channel.Spec.OwnerRef.Name, channel.Status.Owner = "@help", "care", "marketing"
	channel.Status.Conditions = []metav1.Condition{{
		Type: condition, Status: metav1.ConditionFalse, Reason: reason, Message: "what to do", LastTransitionTime: metav1.NewTime(noon),
	}}
	return channel
}

var _ = Describe("What an owner is told of a channel", func() {
	DescribeTable("is what a condition says", func(condition, reason string, kind notice.Kind, team string) {
		found := notice.OfChannel(channelSaying(condition, reason))
		Expect(found).To(HaveLen(1))
		Expect(found[0].Kind).To(Equal(kind))
		Expect(found[0].Team).To(Equal(team))
		Expect(found[0].Title).To(ContainSubstring("@help"))
		Expect(found[0].Detail).To(Equal("what to do"))
		Expect(found[0].Items).To(ConsistOf(reason + " since 2026-11-20T12:00:00Z"))
		Expect(kind.Several(3)).To(ContainSubstring("3"))
	},
		Entry("due", Label("S11"), v1alpha1.ConditionCredentialReady, v1alpha1.ReasonDueForRenewal, notice.CredentialDue, "marketing"),
		Entry("expired", Label("S11"), v1alpha1.ConditionCredentialReady, v1alpha1.ReasonExpired, notice.CredentialDead, "marketing"),
		Entry("revoked", v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked, notice.CredentialDead, "marketing"),
		Entry("seen by a leaver", Label("S4"), v1alpha1.ConditionCredentialReady, v1alpha1.ReasonSeenByLeaver, notice.CredentialDead, "marketing"),
		Entry("a gap", v1alpha1.ConditionCovered, v1alpha1.ReasonCoverageGap, notice.CoverageGap, "marketing"),
		Entry("another handle", Label("S8"), v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonHandleDrift, notice.HandleDrift, "marketing"),
		Entry("consent, of the team that is to give it", Label("S7"), v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonNotAccepted, notice.ConsentWanted, "care"),
	)

	It("is the same after the platform could not be asked for a while, and another of another credential", Label("S8", "S11"), func() {
		items := func(channel *v1alpha1.SocialChannel) []string { return notice.OfChannel(channel)[0].Items }
		due := channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonDueForRenewal)
		due.Status.Credential = &v1alpha1.DeliveredCredential{ID: "rostra-1"}
		first := items(due)
		due.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon.Add(time.Hour))
		Expect(items(due)).To(Equal(first))
		due.Status.Credential.ID = "rostra-2"
		Expect(items(due)).NotTo(Equal(first))

		drifted := channelSaying(v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonHandleDrift)
		drifted.Status.Account = &v1alpha1.ChannelAccount{Handle: "@help2"}
		first = items(drifted)
		drifted.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon.Add(time.Hour))
		Expect(items(drifted)).To(Equal(first))
	})

	It("is nothing where all is in order, nobody knows, or nobody owns it", func() {
		inOrder := channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked)
		inOrder.Status.Conditions[0].Status = metav1.ConditionTrue
		Expect(notice.OfChannel(inOrder)).To(BeEmpty())
		unknown := channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked)
		unknown.Status.Conditions[0].Status = metav1.ConditionUnknown
		Expect(notice.OfChannel(unknown)).To(BeEmpty())
		ownerless := channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked)
		ownerless.Status.Owner = ""
		Expect(notice.OfChannel(ownerless)).To(BeEmpty())
		Expect(notice.OfChannel(channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonSourceSecretMissing))).To(BeEmpty())
	})
})

var _ = Describe("What a platform's contact is told", Label("S16"), func() {
	It("is each account that nobody claims", func() {
		social := &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: "bluesky"}}
		social.Status.Unclaimed = &v1alpha1.UnclaimedAccounts{Count: new(int32(88)), Accounts: []v1alpha1.UnclaimedAccount{{ID: "did:plc:a"}, {ID: "did:plc:b"}}}
		social.Spec.Discovery = &v1alpha1.AccountDiscovery{}
		Expect(notice.OfPlatform(social)).To(BeEmpty(), "it has no contact")
		social.Spec.Discovery.ContactTeamRef = &v1alpha1.ClusterReference{Name: "excellence"}
		found := notice.OfPlatform(social)
		Expect(found).To(HaveLen(1))
		Expect(found[0].Team).To(Equal("excellence"))
		Expect(found[0].Items).To(Equal([]string{"did:plc:a", "did:plc:b"}))
		Expect(found[0].Title).To(HavePrefix("88 accounts on bluesky"))
	})
})

var _ = DescribeTable("Working hours", func(at, expected string) {
	sydney, err := time.LoadLocation("Australia/Sydney")
	Expect(err).NotTo(HaveOccurred())
	moment, err := time.ParseInLocation("2006-01-02 15:04", at, sydney)
	Expect(err).NotTo(HaveOccurred())
	Expect(notice.NextWorking(moment, sydney).Format("2006-01-02 15:04")).To(Equal(expected))
},
	Entry("now", "2026-11-20 12:00", "2026-11-20 12:00"),
	Entry("from the first minute", "2026-11-20 09:00", "2026-11-20 09:00"),
	Entry("this morning", "2026-11-20 00:30", "2026-11-20 09:00"),
	Entry("tomorrow", "2026-11-19 17:00", "2026-11-20 09:00"),
	Entry("after the weekend", "2026-11-20 17:00", "2026-11-23 09:00"),
	Entry("on a Sunday", "2026-11-22 10:00", "2026-11-23 09:00"),
	Entry("across a change of clocks", "2026-10-02 18:00", "2026-10-05 09:00"),
)
