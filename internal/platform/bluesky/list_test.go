// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/platform"
)

// lister is what lists and names.
type lister interface {
	platform.AccountLister
	platform.AccountNamer
}

var _ = Describe("Listing accounts", Label("S16"), func() {
	var (
		ctx     context.Context
		respond http.HandlerFunc
		asked   []string
		adapter lister
	)

	BeforeEach(func() {
		ctx, asked = context.Background(), nil
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.RequestURI())
			Expect(r.Header).NotTo(HaveKey("Authorization"), "nothing is sent that could be stolen")
			respond(w, r)
		}))
		DeferCleanup(server.Close)
		adapter = newAdapter(server.URL, clocktesting.NewFakePassiveClock(time.Now())).(lister)
	})

	answers := func(status int, body string) http.HandlerFunc { return page(status, "application/json", body) }
	repo := func(did, rest string) string { return `{"did":"` + did + `","head":"bafy","rev":"3l"` + rest + `}` }

	It("asks for pages, by the cursor that the server gave", func() {
		respond = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("cursor") == "" {
				answers(200, `{"cursor":"1780000000000::did:plc:x","repos":[`+repo(did, `,"active":true`)+`]}`)(w, r)
				return
			}
			answers(200, `{"repos":[`+repo(otherDID, "")+`]}`)(w, r)
		}
		listing := &platform.Listing{}
		for !listing.Done() {
			Expect(listing.Advance(ctx, adapter)).To(Succeed())
		}
		Expect(listing.Accounts()).To(Equal([]platform.ListedAccount{{ID: did, State: platform.AccountActive}, {ID: otherDID, State: platform.AccountActive}}))
		Expect(asked).To(Equal([]string{
			"/xrpc/com.atproto.sync.listRepos?limit=1000",
			"/xrpc/com.atproto.sync.listRepos?cursor=1780000000000%3A%3Adid%3Aplc%3Ax&limit=1000",
		}))
		Expect(adapter.Unlisted()).To(BeEmpty())
	})

	DescribeTable("tells accounts apart by how they stand", func(rest string, want ...platform.AccountState) {
		respond = answers(200, `{"repos":[`+repo(did, rest)+`]}`)
		got, err := adapter.ListAccounts(ctx, "")
		Expect(err).NotTo(HaveOccurred())
		states := []platform.AccountState{}
		for _, account := range got.Accounts {
			states = append(states, account.State)
		}
		Expect(states).To(HaveExactElements(want))
	},
		Entry("active", `,"active":true`, platform.AccountActive),
		Entry("of an old server that does not say", ``, platform.AccountActive),
		Entry("deactivated", `,"active":false,"status":"deactivated"`, platform.AccountInactive),
		Entry("taken down", `,"active":false,"status":"takendown"`, platform.AccountBlocked),
		Entry("suspended", `,"active":false,"status":"suspended"`, platform.AccountBlocked),
		Entry("of a status that is new", `,"active":false,"status":"asleep"`, platform.AccountInactive),
		Entry("of no status", `,"active":false`, platform.AccountInactive),
		Entry("deleted", `,"active":false,"status":"deleted"`),
	)

	DescribeTable("blames no credential", func(status int, body string, want platform.Class, words string) {
		respond = answers(status, body)
		got, err := adapter.ListAccounts(ctx, "")
		Expect(err).To(beClass(want))
		Expect(err).To(MatchError(ContainSubstring(words)))
		Expect(got).To(Equal(platform.AccountPage{}))
	},
		Entry("401", 401, `{"error":"AuthMissing","message":"Authentication Required"}`, platform.Permanent, "to nobody without a credential"),
		Entry("403", 403, `{"error":"Forbidden","message":"no"}`, platform.Permanent, "to nobody without a credential"),
		Entry("an invalid token, although none was sent", 400, `{"error":"InvalidToken","message":"Bad token"}`, platform.Permanent, "to nobody without a credential"),
		Entry("an entryway that has no repositories", 501, `{"error":"MethodNotImplemented","message":"Method Not Implemented"}`, platform.Permanent, "Personal Data Server"),
		Entry("a web site", 404, `<html>`, platform.Unknown, "service URL"),
		Entry("429", 429, `{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}`, platform.RateLimited, "no more requests"),
		Entry("500", 500, `{"error":"InternalServerError","message":"Internal Server Error"}`, platform.Transient, "out of order"),
		Entry("a stale cursor", 400, `{"error":"InvalidRequest","message":"Malformed cursor"}`, platform.Permanent, "refuses the request"),
		Entry("no list", 200, `{}`, platform.Unknown, "no list of repositories"),
		Entry("a null for a list", 200, `{"repos":null}`, platform.Unknown, "no list of repositories"),
		Entry("an endless cursor", 200, `{"repos":[],"cursor":"`+strings.Repeat("x", 2000)+`"}`, platform.Unknown, "no list of repositories"),
		Entry("somebody who is no DID", 200, `{"repos":[{"did":"help.acme.test"}]}`, platform.Unknown, "malformed"),
		Entry("half a list", 200, `{"repos":[{"did":"did:plc:`, platform.Unknown, "cut short"),
		Entry("too much", 200, `{"repos":[],"padding":"`+strings.Repeat("x", 2<<20)+`"}`, platform.Unknown, "larger than"),
	)

	DescribeTable("names an account", func(status int, body, want string, class platform.Class) {
		respond = answers(status, body)
		handle, err := adapter.HandleOf(ctx, did)
		Expect(handle).To(Equal(want))
		if class == "" {
			Expect(err).NotTo(HaveOccurred())
		} else {
			Expect(err).To(beClass(class))
		}
		Expect(asked).To(Equal([]string{"/xrpc/com.atproto.repo.describeRepo?repo=did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz"}))
	},
		Entry("in lower case", 200, `{"did":"`+did+`","handle":"Help.Acme.test"}`, "help.acme.test", platform.Class("")),
		Entry("whose handle leads nowhere", 200, `{"did":"`+did+`","handle":"handle.invalid"}`, "", platform.Class("")),
		Entry("but not another", 200, `{"did":"`+otherDID+`","handle":"help.acme.test"}`, "", platform.Unknown),
		Entry("but not by nonsense", 200, `{"did":"`+did+`","handle":"help acme\n"}`, "", platform.Unknown),
		Entry("but none that is deactivated", 400, `{"error":"RepoDeactivated","message":"Repo has been deactivated: did"}`, "", platform.NotFound),
		Entry("but none that is taken down", 400, `{"error":"RepoTakendown","message":"Repo has been takendown: did"}`, "", platform.NotFound),
		Entry("but none that is gone", 400, `{"error":"RepoNotFound","message":"Could not find repo for DID: did"}`, "", platform.NotFound),
		Entry("but not to the public", 401, `{"error":"AuthMissing","message":"Authentication Required"}`, "", platform.Permanent),
		Entry("but not in an outage", 503, ``, "", platform.Transient),
	)
})
