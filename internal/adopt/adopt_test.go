// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package adopt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/adopt"
)

func TestAdopt(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "adopt")
}

func account(id, handle string) v1alpha1.UnclaimedAccount {
	return v1alpha1.UnclaimedAccount{ID: id, Handle: handle, State: v1alpha1.UnclaimedActive}
}

func plan(change ...func(*adopt.Plan)) adopt.Plan {
	made := adopt.Plan{
		Platform: "bluesky", Namespace: "social", Owner: "marketing",
		SourceSecret:   func(channel string) string { return channel + "-source" },
		DeliverySecret: func(channel string) string { return channel },
	}
	for _, each := range change {
		each(&made)
	}
	return made
}

func names(channels []*v1alpha1.SocialChannel) []string {
	found := make([]string, 0, len(channels))
	for _, channel := range channels {
		found = append(found, channel.Name)
	}
	return found
}

var _ = Describe("A manifest for an account", Label("S16"), func() {
	It("is ready to be reviewed", func() {
		channels, left, err := adopt.Channels([]v1alpha1.UnclaimedAccount{account("did:plc:ewvi7nxzyoun6zhxrhs64oiz", "help.acme.example")}, plan())
		Expect(err).NotTo(HaveOccurred())
		Expect(left).To(BeEmpty())
		written, err := yaml.Marshal(channels[0])
		Expect(err).NotTo(HaveOccurred())
		Expect(string(written)).To(Equal(`apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata:
  name: help-acme-example
  namespace: social
spec:
  accountID: did:plc:ewvi7nxzyoun6zhxrhs64oiz
  credentials:
    delivery:
      secretName: help-acme-example
    sourceSecretRef:
      name: help-acme-example-source
  handle: help.acme.example
  ownerRef:
    name: marketing
  platformRef:
    name: bluesky
`))
	})

	DescribeTable("is named after the handle", func(handle, want string) {
		Expect(adopt.Name(account("acct-1", handle))).To(Equal(want))
	},
		Entry("a domain", "help.acme.example", "help-acme-example"),
		Entry("a user name", "news", "news"),
		Entry("with an at sign", "@news", "news"),
		Entry("with underscores", "_acme__24_", "acme-24"),
		Entry("in capitals", "News", "news"),
		Entry("none", "", "acct-1"),
	)

	It("names what has no letter, and what is too long, with a digest", func() {
		Expect(adopt.Name(account("acct-1", "___"))).To(MatchRegexp(`^account-[0-9a-f]{8}$`))
		long := strings.Repeat("a", 60) + ".acme.example"
		Expect(adopt.Name(account("acct-1", long))).To(MatchRegexp(`^a{39}-[0-9a-f]{8}$`))
		Expect(adopt.Name(account("acct-2", long))).NotTo(Equal(adopt.Name(account("acct-1", long))))
	})

	It("tells names apart that would be the same, in any order", func() {
		accounts := []v1alpha1.UnclaimedAccount{account("acct-1", "a.b"), account("acct-2", "a-b"), account("acct-3", "a_b"), account("acct-4", "c")}
		channels, _, err := adopt.Channels(accounts, plan())
		Expect(err).NotTo(HaveOccurred())
		found := names(channels)
		Expect(found[:3]).To(HaveEach(MatchRegexp(`^a-b-[0-9a-f]{8}$`)))
		Expect(found[3]).To(Equal("c"))
		slices.Reverse(accounts)
		channels, _, err = adopt.Channels(accounts, plan())
		Expect(err).NotTo(HaveOccurred())
		slices.Reverse(channels)
		Expect(names(channels)).To(Equal(found))
	})

	It("takes no name that is taken", func() {
		channels, _, err := adopt.Channels([]v1alpha1.UnclaimedAccount{account("acct-1", "news")},
			plan(func(p *adopt.Plan) { p.Taken = func(channel string) bool { return channel == "news" } }))
		Expect(err).NotTo(HaveOccurred())
		Expect(names(channels)).To(HaveExactElements(MatchRegexp(`^news-[0-9a-f]{8}$`)))
	})

	It("takes no name that another account has in full", func() {
		other, _, err := adopt.Channels([]v1alpha1.UnclaimedAccount{account("acct-1", "a.b"), account("acct-2", "a-b")}, plan())
		Expect(err).NotTo(HaveOccurred())
		impostor := account("acct-3", other[0].Name)
		channels, _, err := adopt.Channels([]v1alpha1.UnclaimedAccount{account("acct-1", "a.b"), account("acct-2", "a-b"), impostor}, plan())
		Expect(err).NotTo(HaveOccurred())
		Expect(names(channels)).To(HaveExactElements(MatchRegexp(`^a-b-[0-9a-f]{16}$`), other[1].Name, impostor.Handle))
	})

	It("leaves accounts whose handle nobody knows", func() {
		channels, left, err := adopt.Channels([]v1alpha1.UnclaimedAccount{account("acct-1", ""), account("acct-2", "news")}, plan())
		Expect(err).NotTo(HaveOccurred())
		Expect(names(channels)).To(Equal([]string{"news"}))
		Expect(left).To(HaveExactElements(HaveField("ID", "acct-1")))
	})

	DescribeTable("is not written without", func(change func(*adopt.Plan), want error) {
		_, _, err := adopt.Channels([]v1alpha1.UnclaimedAccount{account("acct-1", "news")}, plan(change))
		Expect(err).To(MatchError(want))
	},
		Entry("a platform", func(p *adopt.Plan) { p.Platform = "" }, adopt.ErrNoPlatform),
		Entry("a namespace", func(p *adopt.Plan) { p.Namespace = "" }, adopt.ErrNoNamespace),
		Entry("an owner", func(p *adopt.Plan) { p.Owner = "" }, adopt.ErrNoOwner),
		Entry("names for the source", func(p *adopt.Plan) { p.SourceSecret = nil }, adopt.ErrNoSecrets),
		Entry("names for what is delivered", func(p *adopt.Plan) { p.DeliverySecret = nil }, adopt.ErrNoSecrets),
	)

	It("has a name that the API server takes and no other has", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			g := NewWithT(t)
			handles := rapid.SliceOfN(rapid.StringMatching(`@?[a-b._-]{0,4}|[!-~]{0,80}`), 0, 12).Draw(t, "handles")
			var accounts []v1alpha1.UnclaimedAccount
			for i, handle := range handles {
				accounts = append(accounts, account(fmt.Sprint("acct-", i), handle))
			}
			channels, left, err := adopt.Channels(accounts, plan())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(len(channels) + len(left)).To(Equal(len(accounts)))
			seen := map[string]bool{}
			for _, channel := range channels {
				g.Expect(validation.IsDNS1123Label(channel.Name)).To(BeEmpty(), channel.Name)
				g.Expect(validation.IsDNS1123Label(channel.Spec.Credentials.SourceSecretRef.Name)).To(BeEmpty())
				g.Expect(seen).NotTo(HaveKey(channel.Name))
				seen[channel.Name] = true
			}
		})
	})
})
