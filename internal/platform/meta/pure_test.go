// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

func valuesOf(pairs ...string) credentials.Values {
	values := credentials.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = credentials.NewValue(pairs[i+1])
	}
	return values
}

var _ = Describe("names", func() {
	graph := at("https://graph.facebook.com")

	DescribeTable("a handle has one form", func(handle, want string) {
		Expect(graph.NormaliseHandle(handle)).To(Equal(want))
	},
		Entry(nil, "acmehelp", "acmehelp"),
		Entry("with dots and capitals, which do not count", "Acme.Help", "acmehelp"),
		Entry("with an at sign", "@acme.help", "acmehelp"),
		Entry("the Page's ID", "1065432198765432", "1065432198765432"),
	)

	DescribeTable("a handle is refused", func(handle string) {
		_, err := graph.NormaliseHandle(handle)
		Expect(err).To(MatchError(ContainSubstring("letters, digits and dots")))
	},
		Entry("empty", ""), Entry("dots alone", "..."), Entry("an address", "https://www.facebook.com/acme"),
		Entry("a hyphen", "acme-help"), Entry("a space", "acme help"), Entry("a line break", "acme\n"),
		Entry("other letters", "асме"), Entry("too long", strings.Repeat("a", 51)), Entry("two at signs", "@@acme"),
	)

	It("an account ID is a number", func() {
		Expect(graph.CheckAccountID("1065432198765432")).To(Succeed())
		for _, id := range []string{"", "acme", "-1", "1\n", strings.Repeat("1", 21), "1_2"} {
			Expect(graph.CheckAccountID(id)).To(MatchError(ContainSubstring("the Page's number")), "%q", id)
		}
	})

	It("are unique where the server is", func() {
		Expect(graph.ClaimScope()).To(BeEmpty())
		Expect(at("https://graph.example:8443").ClaimScope()).To(Equal("graph.example:8443"))
	})

	It("the consent page is Facebook's own, or at the same origin", func() {
		Expect(at("https://graph.facebook.com").dialogURL(url.Values{})).To(HavePrefix("https://www.facebook.com/v26.0/dialog/oauth?"))
		Expect(at("http://127.0.0.1:8080").dialogURL(url.Values{"a": {"b"}})).To(Equal("http://127.0.0.1:8080/v26.0/dialog/oauth?a=b"))
	})

	DescribeTable("what is wrong with an application is said", func(values credentials.Values, because string) {
		_, err := readApplication(values)
		Expect(err).To(MatchError(ContainSubstring(because)))
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
	},
		Entry("nothing", nil, "client-id and client-secret"),
		Entry("no secret", valuesOf("client-id", "1"), "client-secret"),
		Entry("no ID", valuesOf("client-secret", "x"), "client-id"),
		Entry("a name for an ID", valuesOf("client-id", "acme", "client-secret", "x"), "which is a number"),
		Entry("a secret with the app in it", valuesOf("client-id", "1", "client-secret", "1|x"), "holds characters that none has"),
	)

	It("the app's proof is an HMAC of the token", func() {
		// RFC 4231, section 4.3.
		Expect(proof(credentials.NewValue("what do ya want for nothing?"), credentials.NewValue("Jefe"))).
			To(Equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"))
	})
})

var _ = Describe("a session", func() {
	now := noon
	token := credentials.NewValue("EAAtoken")
	kept := session{userToken: token, userExpires: now.Add(60 * 24 * time.Hour), exchanged: now, pageToken: token, pageID: "12"}

	It("is read as it was written", func() {
		Expect(sessionFrom(kept.values())).To(Equal(kept))
		Expect(sessionFrom(session{}.values())).To(Equal(session{}))
	})

	It("counts as absent in so far as it is malformed", func() {
		Expect(sessionFrom(valuesOf("user-token", "a b", "page-token", "EAA", "page-id", "x", "user-expires-at", "soon"))).To(Equal(session{}))
		Expect(sessionFrom(valuesOf("page-id", "12"))).To(Equal(session{}))
	})

	DescribeTable("is of an account", func(account platform.Account, want bool) {
		Expect(kept.isOf(account)).To(Equal(want))
	},
		Entry("by ID", platform.Account{ID: "12", Handle: "other"}, true),
		Entry("not by ID", platform.Account{ID: "13"}, false),
		Entry("by an ID for a handle", platform.Account{Handle: "12"}, true),
		Entry("not by an ID for a handle", platform.Account{Handle: "13"}, false),
		Entry("perhaps, by a username", platform.Account{Handle: "acme"}, true),
	)

	DescribeTable("tells when it ends and who renews it",
		func(after time.Duration, info tokenInfo, renews bool, renewAt, expiresAt time.Time) {
			identity := kept.lapses(platform.Identity{}, info, now.Add(after))
			Expect(identity.Renews).To(Equal(renews))
			Expect(identity.RenewAt).To(BeTemporally("==", renewAt))
			Expect(identity.ExpiresAt).To(BeTemporally("==", expiresAt))
		},
		Entry("no end", time.Duration(0), tokenInfo{}, true, now.Add(46*24*time.Hour), time.Time{}),
		Entry("consent far off", time.Duration(0), tokenInfo{DataAccessExpiresAt: now.Add(90 * 24 * time.Hour).Unix()}, true, now.Add(46*24*time.Hour), time.Time{}),
		Entry("consent due", 61*24*time.Hour, tokenInfo{DataAccessExpiresAt: now.Add(90 * 24 * time.Hour).Unix()}, false, time.Time{}, now.Add(90*24*time.Hour)),
		Entry("consent gone", 91*24*time.Hour, tokenInfo{DataAccessExpiresAt: now.Add(90 * 24 * time.Hour).Unix()}, false, time.Time{}, now.Add(90*24*time.Hour)),
		Entry("an end of its own", time.Duration(0), tokenInfo{ExpiresAt: now.Add(time.Hour).Unix()}, true, now.Add(46*24*time.Hour), now.Add(time.Hour)),
		Entry("an end of its own before the consent's", 61*24*time.Hour, tokenInfo{ExpiresAt: now.Add(62 * 24 * time.Hour).Unix(), DataAccessExpiresAt: now.Add(90 * 24 * time.Hour).Unix()}, false, time.Time{}, now.Add(62*24*time.Hour)),
		Entry("a user token that has ended", 61*24*time.Hour, tokenInfo{}, false, time.Time{}, time.Time{}),
	)

	It("is not renewed more than once a day", func() {
		Expect(kept.due(now.Add(46*24*time.Hour - 1))).To(BeFalse())
		Expect(kept.due(now.Add(46 * 24 * time.Hour))).To(BeTrue())
		tried := kept
		tried.exchanged = now.Add(47 * 24 * time.Hour)
		Expect(tried.due(now.Add(47*24*time.Hour + time.Hour))).To(BeFalse())
		Expect(tried.due(now.Add(48 * 24 * time.Hour))).To(BeTrue())
	})
})

var _ = Describe("a token's permissions", func() {
	info := tokenInfo{
		Scopes:         []string{"pages_show_list", "pages_manage_posts"},
		GranularScopes: []granular{{Scope: "pages_manage_posts", TargetIDs: []string{"12"}}, {Scope: "pages_show_list"}},
	}

	It("are those for the Page", func() {
		wanted := []string{"pages_show_list", "pages_manage_posts", "pages_messaging"}
		Expect(info.missing(wanted, "12")).To(ConsistOf("pages_messaging"))
		Expect(info.missing(wanted, "13")).To(ConsistOf("pages_manage_posts", "pages_messaging"))
		Expect(info.missing(wanted, "")).To(ConsistOf("pages_messaging"))
	})
})

var _ = Describe("fields of a webhook", func() {
	DescribeTable("bring the kinds of which they have all fields", func(appFields, pageFields []string, want ...event.Kind) {
		standing := hooks{app: &appHook{Active: new(true), Callback: "https://x"}, page: &pageHook{Fields: pageFields}}
		for _, name := range appFields {
			standing.app.Fields = append(standing.app.Fields, hookFields{name})
		}
		found, err := standing.subscription(application{id: "1"}, "12")
		Expect(err).NotTo(HaveOccurred())
		Expect(found.Events).To(HaveExactElements(want))
	},
		Entry("all", ownFields(), ownFields(), event.Mention, event.Reply, event.DirectMessage, event.OwnPost),
		Entry("the feed alone", ownFields(), []string{"feed"}, event.Reply, event.OwnPost),
		Entry("mentions without the feed", ownFields(), []string{"mention"}),
		Entry("messages without those of the Page itself", ownFields(), []string{"feed", "messages"}, event.Reply, event.DirectMessage),
		Entry("messages that the app does not get", []string{"feed"}, []string{"messages"}),
	)

	It("bring the Page's own messages with those of others, and not without", func() {
		Expect(wantedFields([]event.Kind{event.DirectMessage, event.OwnPost})).To(ConsistOf("feed", "messages", "message_echoes"))
		Expect(wantedFields([]event.Kind{event.Mention, event.OwnPost})).To(ConsistOf("feed", "mention"))
		Expect(wantedFields([]event.Kind{event.DirectMessage})).To(ConsistOf("messages"))
	})

	It("of others are no subscription", func() {
		standing := hooks{app: &appHook{Active: new(true), Callback: "https://x", Fields: []hookFields{{"feed"}}}, page: &pageHook{Fields: []string{"leadgen"}}}
		_, err := standing.subscription(application{id: "1"}, "12")
		Expect(platform.ClassOf(err)).To(Equal(platform.NotFound))
	})
})
