// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

var _ = Describe("the fake's directory", func() {
	// names gives the user names that the directory answers with.
	names := func(ctx context.Context, fake *mastodonfake.Server, query string) []string {
		GinkgoHelper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, fake.URL()+"/api/v1/directory"+query, http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		response, err := http.DefaultTransport.RoundTrip(request)
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		Expect(response.StatusCode).To(Equal(http.StatusOK))
		var accounts []map[string]any
		Expect(json.NewDecoder(response.Body).Decode(&accounts)).To(Succeed())
		found := []string{}
		for _, account := range accounts {
			Expect(account).To(And(HaveKey("id"), HaveKey("acct"), HaveKey("display_name"), Not(HaveKey("source"))))
			found = append(found, account["username"].(string))
		}
		return found
	}
	add := func(fake *mastodonfake.Server, username string) mastodonfake.Account {
		account := fake.AddAccount(username)
		fake.SetDiscoverable(account, true)
		return account
	}

	It("has those who chose to be in it, the newest first", func(ctx SpecContext) {
		fake := of(mastodonfake.Mastodon43)
		Expect(names(ctx, fake, "")).To(BeEmpty())
		add(fake, "news")
		fake.AddAccount("hidden")
		add(fake, "help")
		fake.SetDiscoverable(add(fake, "shy"), false)
		Expect(names(ctx, fake, "?local=true&order=new")).To(HaveExactElements("help", "news"))
	})

	It("leaves out who is suspended or not yet in", func(ctx SpecContext) {
		fake := of(mastodonfake.Mastodon42)
		for i, state := range []mastodonfake.State{mastodonfake.Active, mastodonfake.Disabled, mastodonfake.Suspended, mastodonfake.Unconfirmed, mastodonfake.Pending} {
			fake.SetState(add(fake, fmt.Sprint("account_", i)), state)
		}
		Expect(names(ctx, fake, "")).To(ConsistOf("account_0", "account_1"))
	})

	It("gives pages", func(ctx SpecContext) {
		fake := of(mastodonfake.Mastodon43)
		for i := range 100 {
			add(fake, fmt.Sprintf("account_%03d", i))
		}
		Expect(names(ctx, fake, "")).To(HaveLen(40))
		Expect(names(ctx, fake, "?limit=80")).To(HaveLen(80))
		Expect(names(ctx, fake, "?limit=80&offset=80")).To(And(HaveLen(20), ContainElements("account_019", "account_000")))
		Expect(names(ctx, fake, "?offset=100")).To(BeEmpty())
		Expect(names(ctx, fake, "?offset=5000")).To(BeEmpty())
	})

	DescribeTable("refuses", func(ctx SpecContext, options []mastodonfake.Option, query string, status int, text string) {
		Expect(send(ctx, start(options...), ask{path: "/api/v1/directory" + query})).To(refused(status, text))
	},
		Entry("to be there when it is switched off", []mastodonfake.Option{mastodonfake.WithoutDirectory()}, "", 404, "Not Found"),
		Entry("to be there at GoToSocial", []mastodonfake.Option{mastodonfake.WithFlavour(mastodonfake.GoToSocial019)}, "", 404, "Not Found"),
		Entry("strangers in limited federation", []mastodonfake.Option{mastodonfake.WithLimitedFederation()}, "", 401, "This method requires an authenticated user"),
		Entry("a page that is too long", nil, "?limit=81", 400, "strict: a parameter is out of range"),
		Entry("an offset in words", nil, "?offset=next", 400, "strict: a parameter is out of range"),
		Entry("an order of its own", nil, "?order=old", 400, "strict: a parameter is out of range"),
		Entry("a cursor", nil, "?max_id=1", 400, "strict: unknown parameter max_id"),
	)
})
