// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

var _ = Describe("Mastodon: Detect", Label("mastodon"), func() {
	const (
		revoke = platform.CapabilityRevoke
		scopes = platform.CapabilityScopes

		pathV2   = "/api/v2/instance"
		pathV1   = "/api/v1/instance"
		pathNode = "/.well-known/nodeinfo"
	)

	type asked = map[string]int

	DescribeTable("says what the server is", func(ctx SpecContext, fake func() *mastodonfake.Server, want platform.Server, requests asked) {
		server := fake()
		Expect(newMastodonAdapter(server.URL(), clock.RealClock{}).Detect(ctx)).To(Equal(want))
		Expect(server.Requests()).To(Equal(requests))
	},
		Entry("Mastodon 4.3",
			func() *mastodonfake.Server { return newMastodonFake(mastodonfake.Mastodon43) },
			platform.Server{Software: "mastodon 4.3.4", Capabilities: []platform.Capability{revoke, scopes}},
			asked{pathV2: 1}),
		Entry("a fork of Mastodon",
			func() *mastodonfake.Server {
				return newMastodonFake(mastodonfake.Mastodon43, mastodonfake.WithVersion("4.5.1+glitch"))
			},
			platform.Server{Software: "mastodon 4.5.1+glitch", Capabilities: []platform.Capability{revoke, scopes}},
			asked{pathV2: 1}),
		Entry("Mastodon 4.2",
			func() *mastodonfake.Server { return newMastodonFake(mastodonfake.Mastodon42) },
			platform.Server{Software: "mastodon 4.2.17", Capabilities: []platform.Capability{revoke}},
			asked{pathV2: 1}),
		Entry("GoToSocial",
			func() *mastodonfake.Server { return newMastodonFake(mastodonfake.GoToSocial019) },
			platform.Server{Software: "gotosocial 0.19.1+git-9d65fd8", Capabilities: []platform.Capability{revoke}},
			asked{pathV2: 1}),
		Entry("GoToSocial that does not say where its source is",
			func() *mastodonfake.Server {
				return newMastodonFake(mastodonfake.GoToSocial019, mastodonfake.WithoutSourceURL())
			},
			platform.Server{Software: "gotosocial 0.19.1+git-9d65fd8", Capabilities: []platform.Capability{revoke}},
			asked{pathV2: 1, pathNode: 1, "/nodeinfo/2.0": 1}),
		Entry("an older API",
			func() *mastodonfake.Server {
				return newMastodonFake(mastodonfake.Mastodon42, mastodonfake.WithoutInstanceV2(), mastodonfake.WithVersion("3.5.19"))
			},
			platform.Server{Software: "mastodon 3.5.19", Capabilities: []platform.Capability{revoke}},
			asked{pathV2: 1, pathV1: 1}),
		Entry("GoToSocial with an older API",
			func() *mastodonfake.Server {
				return newMastodonFake(mastodonfake.GoToSocial019, mastodonfake.WithoutInstanceV2())
			},
			platform.Server{Software: "gotosocial 0.19.1+git-9d65fd8", Capabilities: []platform.Capability{revoke}},
			asked{pathV2: 1, pathV1: 1, pathNode: 1, "/nodeinfo/2.0": 1}),
		Entry("Pleroma",
			func() *mastodonfake.Server {
				return newMastodonFake(mastodonfake.Mastodon42, mastodonfake.WithVersion("2.7.2 (compatible; Pleroma 2.5.0)"))
			},
			platform.Server{Software: "pleroma 2.5.0", Capabilities: []platform.Capability{revoke}},
			asked{pathV2: 1}),
		Entry("limited federation",
			func() *mastodonfake.Server {
				return newMastodonFake(mastodonfake.Mastodon43, mastodonfake.WithLimitedFederation())
			},
			platform.Server{Software: "mastodon 4.3.4", Capabilities: []platform.Capability{revoke, scopes}},
			asked{pathV2: 1, pathNode: 1, "/nodeinfo/2.0": 1}),
		Entry("a server that tells nobody anything",
			func() *mastodonfake.Server {
				fake := newMastodonFake(mastodonfake.Mastodon43, mastodonfake.WithLimitedFederation())
				fake.Misbehave(pathNode, faults.Status(http.StatusNotFound))
				return fake
			},
			platform.Server{},
			asked{pathV2: 1, pathNode: 1}),
		Entry("a server whose NodeInfo is elsewhere",
			func() *mastodonfake.Server {
				fake := newMastodonFake(mastodonfake.GoToSocial019, mastodonfake.WithoutSourceURL())
				fake.Misbehave(pathNode, faults.Answer(http.StatusOK, "application/json",
					`{"links":[{"rel":"http://nodeinfo.diaspora.software/ns/schema/2.0","href":"http://169.254.169.254/latest/meta-data"}]}`))
				return fake
			},
			platform.Server{Software: "0.19.1+git-9d65fd8"},
			asked{pathV2: 1, pathNode: 1}),
	)

	DescribeTable("says what is wrong", func(ctx SpecContext, path string, fault faults.Fault, class platform.Class, message string) {
		fake := newMastodonFake(mastodonfake.GoToSocial019, mastodonfake.WithoutSourceURL())
		fake.Misbehave(path, fault)
		_, err := newMastodonAdapter(fake.URL(), clock.RealClock{}).Detect(ctx)
		Expect(err).To(failWith(class, message))
	},
		Entry("no Mastodon API", "", faults.Status(http.StatusNotFound), platform.NotFound, "no Mastodon API"),
		Entry("a web site", "", faults.HTML(http.StatusOK), platform.Unknown, "is the server URL right"),
		Entry("another API", "", faults.EmptyObject(), platform.Unknown, "does not describe itself"),
		Entry("an outage", "", faults.Status(http.StatusBadGateway), platform.Transient, "out of order"),
		Entry("a firewall", "", faults.HTML(http.StatusForbidden), platform.Unknown, "in front of it"),
		Entry("a redirect", "", faults.Redirect("https://www.social.example/"), platform.Permanent, "https://www.social.example"),
		Entry("an outage half-way", pathNode, faults.Status(http.StatusBadGateway), platform.Transient, "out of order"),
	)

	It("learns of an upgrade", func(ctx SpecContext) {
		fake := newMastodonFake(mastodonfake.Mastodon43)
		adapter := newMastodonAdapter(fake.URL(), clock.RealClock{})
		declared := mastodonToken(fake.IssueToken(fake.AddAccount("news")))
		fake.Misbehave(mastodonPathApp, faults.Status(http.StatusNotFound)).Times(1)
		for range 2 {
			_, err := adapter.Verify(ctx, declared)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(fake.Requests()[mastodonPathApp]).To(Equal(1))
		_, err := adapter.Detect(ctx)
		Expect(err).NotTo(HaveOccurred())
		_, err = adapter.Verify(ctx, declared)
		Expect(err).NotTo(HaveOccurred())
		Expect(fake.Requests()[mastodonPathApp]).To(Equal(2))
	})
})
