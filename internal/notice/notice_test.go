// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notice_test

import (
	"fmt"
	"slices"
	"strings"
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

// told are those of which something is known.
func told(all []notice.Notice) []notice.Notice {
	return slices.DeleteFunc(all, func(n notice.Notice) bool { return n.Unknown })
}

// unknown are the kinds of which nothing is.
func unknown(all []notice.Notice) []notice.Kind {
	var kinds []notice.Kind
	for i := range all {
		if all[i].Unknown {
			kinds = append(kinds, all[i].Kind)
		}
	}
	return kinds
}

var _ = Describe("What an owner is told of a channel", func() {
	DescribeTable("is what a condition says", func(condition, reason string, kind notice.Kind, team string) {
		found := told(notice.OfChannel(channelSaying(condition, reason)))
		Expect(found).To(HaveLen(1))
		Expect(found[0].Kind).To(Equal(kind))
		Expect(found[0].Team).To(Equal(team))
		Expect(found[0].Title).To(ContainSubstring("@help"))
		Expect(found[0].Detail).To(Equal("what to do"))
		Expect(found[0].Items).To(ConsistOf(reason))
		Expect(kind.Several(3)).To(ContainSubstring("3"))
		Expect(kind.Command()).To(Equal("kubectl get socialchannels -A"))
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
		items := func(channel *v1alpha1.SocialChannel) []string { return told(notice.OfChannel(channel))[0].Items }
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

		uncovered := channelSaying(v1alpha1.ConditionCovered, v1alpha1.ReasonCoverageGap)
		first = items(uncovered)
		uncovered.Status.Conditions[0].LastTransitionTime = metav1.NewTime(noon.Add(time.Hour))
		Expect(items(uncovered)).To(Equal(first), "the channel was suspended in between")
	})

	It("is nothing where all is in order, or nobody owns it", func() {
		inOrder := channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked)
		inOrder.Status.Conditions[0].Status = metav1.ConditionTrue
		Expect(told(notice.OfChannel(inOrder))).To(BeEmpty())
		Expect(unknown(notice.OfChannel(inOrder))).NotTo(ContainElement(notice.CredentialDead), "it is known that there is nothing")
		ownerless := channelSaying(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRevoked)
		ownerless.Status.Owner, ownerless.Spec.OwnerRef.Name = "", ""
		Expect(notice.OfChannel(ownerless)).To(BeEmpty())
	})

	DescribeTable("is not known, rather than over,", func(condition, reason string, state metav1.ConditionStatus, kinds ...notice.Kind) {
		channel := channelSaying(condition, reason)
		channel.Status.Conditions[0].Status = state
		found := notice.OfChannel(channel)
		Expect(told(slices.Clone(found))).To(BeEmpty())
		Expect(unknown(found)).To(ContainElements(kinds))
	},
		Entry("while the platform cannot be asked", v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonPlatformUnavailable, metav1.ConditionUnknown,
			notice.HandleDrift, notice.CredentialDue, notice.CredentialDead, notice.CoverageGap, notice.ConsentWanted),
		Entry("while the condition waits", v1alpha1.ConditionCredentialReady, v1alpha1.ReasonWaiting, metav1.ConditionUnknown, notice.CredentialDue, notice.CredentialDead),
		Entry("while something else is wrong", v1alpha1.ConditionCredentialReady, v1alpha1.ReasonSourceSecretMissing, metav1.ConditionFalse, notice.CredentialDue, notice.CredentialDead),
		Entry("while the account is refused", v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonPlatformRefused, metav1.ConditionFalse, notice.HandleDrift),
		Entry("while the rota is gone", v1alpha1.ConditionCovered, v1alpha1.ReasonRotaNotFound, metav1.ConditionFalse, notice.CoverageGap),
	)

	DescribeTable("is over", func(condition, reason string, state metav1.ConditionStatus, kind notice.Kind) {
		channel := channelSaying(condition, reason)
		channel.Status.Conditions[0].Status = state
		for _, found := range notice.OfChannel(channel) {
			Expect(found.Kind).NotTo(Equal(kind))
		}
	},
		Entry("of a dead credential that works again", v1alpha1.ConditionCredentialReady, v1alpha1.ReasonDueForRenewal, metav1.ConditionFalse, notice.CredentialDead),
		Entry("of a consent that was given", Label("S7"), v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonHandoverPending, metav1.ConditionUnknown, notice.ConsentWanted),
		Entry("of a consent that nobody waits for", Label("S7"), v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonHandoverGivenUp, metav1.ConditionFalse, notice.ConsentWanted),
	)
})

// bluesky is a platform with unclaimed accounts: so many, of which some are
// listed by their handles.
func bluesky(count int32, handles ...string) *v1alpha1.SocialPlatform {
	social := &v1alpha1.SocialPlatform{ObjectMeta: metav1.ObjectMeta{Name: "bluesky"}}
	social.Spec.Discovery = &v1alpha1.AccountDiscovery{ContactTeamRef: &v1alpha1.ClusterReference{Name: "excellence"}}
	social.Status.Unclaimed = &v1alpha1.UnclaimedAccounts{Count: new(count)}
	for i, handle := range handles {
		social.Status.Unclaimed.Accounts = append(social.Status.Unclaimed.Accounts, v1alpha1.UnclaimedAccount{ID: fmt.Sprint("did:plc:", i), Handle: handle})
	}
	return social
}

var _ = Describe("What a platform's contact is told", Label("S16"), func() {
	It("is each account that nobody claims", func() {
		social := bluesky(88, "", "")
		found := notice.OfPlatform(social)
		Expect(found).To(HaveLen(1))
		Expect(found[0].Team).To(Equal("excellence"))
		Expect(found[0].Items).To(Equal([]string{"did:plc:0", "did:plc:1"}))
		Expect(found[0].Unlisted).To(Equal(86))
		Expect(found[0].Title).To(Equal("88 accounts on bluesky belong to nobody"))
		Expect(found[0].Kind.Command()).To(Equal("kubectl get socialplatforms"))
		Expect(notice.OfPlatform(bluesky(1, "a"))[0].Title).To(Equal("1 account on bluesky belongs to nobody"))
		Expect(notice.OfPlatform(bluesky(0))).To(BeEmpty())
		social.Spec.Discovery.ContactTeamRef = nil
		Expect(notice.OfPlatform(social)).To(BeEmpty(), "it has no contact")
	})

	It("is not known while the accounts are not listed", func() {
		social := bluesky(1, "a")
		social.Status.Unclaimed = nil
		Expect(unknown(notice.OfPlatform(social))).To(ConsistOf(notice.AccountsUnclaimed))
	})

	DescribeTable("names the first that are new", func(names []string, fresh int, expected string) {
		found := notice.OfPlatform(bluesky(9, "a", "b"))[0]
		Expect(found.DetailOf(names, fresh)).To(And(HavePrefix("`rostra adopt bluesky` "), HaveSuffix(expected)))
	},
		Entry("one", []string{"@a"}, 1, "; new: @a"),
		Entry("three", []string{"@a", "@b", "@c"}, 3, "; new: @a, @b, @c"),
		Entry("more", []string{"@a", "@b", "@c", "@d"}, 178, "; new: @a, @b, @c and 175 more"),
		Entry("none of which is listed", nil, 2, "; new: 2"),
	)

	DescribeTable("has handles that are no more than words", func(handle, name string) {
		Expect(notice.OfPlatform(bluesky(1, handle))[0].Names).To(Equal([]string{name}))
	},
		Entry("a plain one", "@care.acme.example", "@care.acme.example"),
		Entry("none", "", "did:plc:0"),
		Entry("lines", "@a\nAll is well.\r\n", "@aAlliswell."),
		Entry("what turns text", "@a\u202egnp\u200b", "@agnp"),
		Entry("nothing that can be seen", " \u200b\x00", "did:plc:0"),
		Entry("a long one", strings.Repeat("ä", 253), strings.Repeat("ä", 39)+"…"),
	)
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
