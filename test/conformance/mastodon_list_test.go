// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

const mastodonPathDirectory = "/api/v1/directory"

var _ = Describe("Mastodon: ListAccounts", Label("mastodon", "S16"), func() {
	list := func(ctx context.Context, fake *mastodonfake.Server) ([]platform.ListedAccount, error) {
		adapter, listing := newMastodonAdapter(fake.URL(), clock.RealClock{}), &platform.Listing{}
		for !listing.Done() {
			if err := listing.Advance(ctx, adapter); err != nil {
				return nil, err
			}
		}
		return listing.Accounts(), nil
	}
	directory := func(accounts int) *mastodonfake.Server {
		fake := newMastodonFake(mastodonfake.Mastodon43)
		for i := range accounts {
			fake.SetDiscoverable(fake.AddAccount(fmt.Sprintf("Desk_%d", i)), true)
		}
		return fake
	}
	answers := func(body string) faults.Fault { return faults.Answer(http.StatusOK, "application/json", body) }

	DescribeTable("reads the whole directory", func(ctx SpecContext, accounts, requests int) {
		fake := directory(accounts)
		fake.AddAccount("shy")
		listed, err := list(ctx, fake)
		Expect(err).NotTo(HaveOccurred())
		Expect(listed).To(HaveLen(accounts))
		Expect(fake.Requests()).To(Equal(map[string]int{mastodonPathDirectory: requests}))
		for _, account := range listed {
			Expect(account.Handle).To(HavePrefix("desk_"))
			Expect(account.DisplayName).To(HavePrefix("The Desk_"))
		}
	},
		Entry("of nobody", 0, 1),
		Entry("of a few", 3, 2),
		Entry("of one page", 80, 2),
		Entry("of three pages", 178, 4),
	)

	DescribeTable("says why there is no list, and blames no token", func(ctx SpecContext, class platform.Class, message string, options ...mastodonfake.Option) {
		_, err := list(ctx, newMastodonFake(mastodonfake.Mastodon43, options...))
		Expect(err).To(failWith(class, message))
	},
		Entry("switched off", platform.NotFound, "switch on its profile directory", mastodonfake.WithoutDirectory()),
		Entry("GoToSocial", platform.NotFound, "no public directory", mastodonfake.WithFlavour(mastodonfake.GoToSocial019)),
		Entry("limited federation", platform.Permanent, "to nobody without a token", mastodonfake.WithLimitedFederation()),
	)

	DescribeTable("takes no nonsense", func(ctx SpecContext, body string, class platform.Class) {
		fake := directory(2)
		fake.Misbehave(mastodonPathDirectory, answers(body))
		_, err := list(ctx, fake)
		Expect(platform.ClassOf(err)).To(Equal(class), "%v", err)
	},
		Entry("null", `null`, platform.Unknown),
		Entry("an object", `{"accounts":[]}`, platform.Unknown),
		Entry("numbers", `[1,2]`, platform.Unknown),
		Entry("an account without an ID", `[{"username":"news","acct":"news"}]`, platform.Unknown),
		Entry("an account without a name", `[{"id":"1"}]`, platform.Unknown),
		Entry("the same page whatever is asked for", `[{"id":"1","username":"news","acct":"news"}]`, platform.Unknown),
		Entry("nothing but other servers' accounts, for ever", `[{"id":"1","username":"news","acct":"news@elsewhere.example"}]`, platform.Unknown),
	)

	It("passes over the accounts of other servers", func(ctx SpecContext) {
		fake := directory(1)
		fake.Misbehave(mastodonPathDirectory, answers(`[{"id":"7","username":"news","acct":"news@elsewhere.example"},{"id":"8","username":"help","acct":"help"}]`)).Times(1)
		listed, err := list(ctx, fake)
		Expect(err).NotTo(HaveOccurred())
		Expect(listed).To(ConsistOf(HaveField("ID", "8")), "the account at offset 0 was replaced")
	})

	It("gives up on a server that is everybody's", func(ctx SpecContext) {
		everybody := directory(0)
		for page := range 200 {
			body := "["
			for i := range 80 {
				body += fmt.Sprintf(`{"id":"%d","username":"u%d","acct":"u%d"},`, page*80+i, page*80+i, page*80+i)
			}
			everybody.Misbehave(mastodonPathDirectory, answers(body[:len(body)-1]+"]")).Times(1)
		}
		_, err := list(ctx, everybody)
		Expect(errors.Is(err, platform.ErrTooManyAccounts)).To(BeTrue(), "%v", err)
		Expect(err).To(failWith(platform.Permanent, "remove spec.discovery"))
		Expect(everybody.Faults().Total()).To(Equal(126))
	})

	It("refuses a cursor that is none", func(ctx SpecContext) {
		for _, cursor := range []string{"-1", "next", "0x1", "1 2"} {
			_, err := newMastodonAdapter(directory(0).URL(), clock.RealClock{}).ListAccounts(ctx, cursor)
			Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		}
	})
})
