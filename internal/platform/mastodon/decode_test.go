// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

func at(server string) *Adapter {
	parsed, err := httpx.ParseServerURL(server)
	if err != nil {
		panic(err)
	}
	return &Adapter{server: parsed}
}

var _ = Describe("a handle", func() {
	DescribeTable("has one form", func(server, handle, want string) {
		Expect(at(server).NormaliseHandle(handle)).To(Equal(want))
	},
		Entry("the name alone", "https://mastodon.example", "news", "news"),
		Entry("with an at sign", "https://mastodon.example", "@news", "news"),
		Entry("with the server", "https://mastodon.example", "news@mastodon.example", "news"),
		Entry("in full", "https://mastodon.example", "@news@mastodon.example", "news"),
		Entry("in capitals", "https://mastodon.example", "@News@Mastodon.Example", "news"),
		Entry("of a parent domain", "https://social.acme.example", "news@acme.example", "news"),
		Entry("with a port", "https://mastodon.example:8443", "news@mastodon.example:8443", "news"),
		Entry("without the port", "https://mastodon.example:8443", "news@mastodon.example", "news"),
		Entry("with digits and underscores", "https://mastodon.example", "_acme_24_", "_acme_24_"),
		Entry("with a dot inside, as other software allows", "https://mastodon.example", "acme.help", "acme.help"),
	)

	DescribeTable("is refused", func(handle, because string) {
		_, err := at("https://social.acme.example").NormaliseHandle(handle)
		Expect(err).To(MatchError(ContainSubstring(because)))
	},
		Entry("empty", "", "is written as"),
		Entry("an at sign", "@", "is written as"),
		Entry("two at signs", "@@news", "is written as"),
		Entry("a URL", "https://social.acme.example/@news", "is written as"),
		Entry("a space", "acme news", "is written as"),
		Entry("a line break", "news\n", "is written as"),
		Entry("other letters", "nачальник", "is written as"),
		Entry("a dot at its end", "news.", "is written as"),
		Entry("65 characters", strings.Repeat("a", 65), "is written as"),
		Entry("another server", "news@mastodon.example", "another server than social.acme.example"),
		Entry("a top-level domain", "news@example", "another server"),
		Entry("the end of a label", "news@me.example", "another server"),
		Entry("no server after the at sign", "news@", "another server"),
		Entry("two servers", "news@acme.example@acme.example", "another server"),
	)
})

var _ = Describe("an account ID", func() {
	DescribeTable("is taken", func(id string) {
		Expect(at("https://mastodon.example").CheckAccountID(id)).To(Succeed())
	},
		Entry("an early Mastodon account", "1"),
		Entry("a Snowflake", "109348684394857123"),
		Entry("a ULID", "01F8MH1H7YV1Z7D2C8K2730QBF"),
		Entry("a Flake ID", "9n5h8Jm7dGd0oT5zlY"),
	)

	DescribeTable("is refused", func(id string) {
		Expect(at("https://mastodon.example").CheckAccountID(id)).To(MatchError(ContainSubstring("an account ID is")))
	},
		Entry("empty", ""),
		Entry("a handle", "news"),
		Entry("a DID", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"),
		Entry("a negative number", "-1"),
		Entry("a number of 21 digits", "123456789012345678901"),
		Entry("a ULID in lower case", "01f8mh1h7yv1z7d2c8k2730qbf"),
		Entry("a ULID with a letter that Base32 leaves out", "01F8MH1H7YV1Z7D2C8K2730QBU"),
		Entry("a ULID beyond the end of time", "81F8MH1H7YV1Z7D2C8K2730QBF"),
		Entry("with a line break", "1\n"),
	)
})

var _ = Describe("what a server runs", func() {
	const (
		mastodonSource   = "https://github.com/mastodon/mastodon"
		goToSocialSource = "https://codeberg.org/superseriousbusiness/gotosocial"
		revoke           = platform.CapabilityRevoke
		scopes           = platform.CapabilityScopes
	)

	DescribeTable("is read from the instance's version", func(version, source, want string, capabilities ...platform.Capability) {
		found := parseSoftware(version, source)
		Expect(found.String()).To(Equal(want))
		Expect(found.capabilities()).To(HaveExactElements(capabilities))
	},
		Entry(nil, "4.3.0", mastodonSource, "mastodon 4.3.0", revoke, scopes),
		Entry(nil, "4.5.1+glitch", "https://github.com/glitch-soc/mastodon", "mastodon 4.5.1+glitch", revoke, scopes),
		Entry(nil, "4.7.0-alpha.2+pr-39999-68e5caf", mastodonSource, "mastodon 4.7.0-alpha.2+pr-39999-68e5caf", revoke, scopes),
		Entry(nil, "4.10.0", mastodonSource, "mastodon 4.10.0", revoke, scopes),
		Entry(nil, "10.0.0", mastodonSource, "mastodon 10.0.0", revoke, scopes),
		Entry(nil, "4.2.17", mastodonSource, "mastodon 4.2.17", revoke),
		Entry(nil, "4", "", "mastodon 4", revoke),
		Entry(nil, "0.19.1+git-9d65fd8", goToSocialSource, "gotosocial 0.19.1+git-9d65fd8", revoke),
		Entry(nil, "0.20.0", "https://github.com/superseriousbusiness/gotosocial", "gotosocial 0.20.0", revoke),
		Entry(nil, "0.18.3", goToSocialSource, "gotosocial 0.18.3"),
		Entry(nil, "1.0.0", goToSocialSource, "gotosocial 1.0.0", revoke),
		Entry(nil, "2.7.2 (compatible; Pleroma 2.5.0)", "https://git.pleroma.social/pleroma/pleroma", "pleroma 2.5.0", revoke),
		Entry(nil, "2.7.2 (compatible; Akkoma 3.19.0-0-g4ceb81a--stable-)", "", "akkoma 3.19.0-0-g4ceb81a--stable-", revoke),
		Entry(nil, "3.5.3 (compatible; Pixelfed 0.12.7)", "", "pixelfed 0.12.7"),
		Entry(nil, "4.3.0 (compatible; Iceshrimp.NET/2025.1)", "", "iceshrimp.net 2025.1"),
		Entry(nil, "takahe/0.9.0", "", "takahe 0.9.0"),
		Entry("of what is not said", "0.19.1+git-9d65fd8", "", "0.19.1+git-9d65fd8"),
		Entry("in words", "latest and greatest", "", "latestandgreatest"),
		Entry("with a control character", "4.3.0\x1b[31m", mastodonSource, "mastodon 4.3.0[31m", revoke, scopes),
		Entry("too long", strings.Repeat("4", 500), mastodonSource, strings.Repeat("4", 48)),
		Entry("empty", "", mastodonSource, ""),
	)
})

var _ = Describe("a refusal", func() {
	answer := func(status int, body string) *httpx.Response {
		return &httpx.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
	}

	DescribeTable("is classed by status and text", func(status int, body string, want platform.Class) {
		failure := classify(answer(status, body))
		Expect(failure.Class).To(Equal(want))
		Expect(failure.Message).NotTo(BeEmpty())
	},
		Entry("Mastodon: unknown token", 401, `{"error":"The access token is invalid"}`, platform.Unauthorized),
		Entry("Mastodon: revoked token", 401, `{"error":"The access token was revoked"}`, platform.Revoked),
		Entry("Mastodon: expired token", 401, `{"error":"The access token expired"}`, platform.Revoked),
		Entry("Mastodon: revoked token, in German", 401, `{"error":"Der Zugriffs-Token wurde annulliert"}`, platform.Unauthorized),
		Entry("Mastodon: scope", 403, `{"error":"This action is outside the authorized scopes"}`, platform.InsufficientScope),
		Entry("Mastodon: disabled", 403, `{"error":"Your login is currently disabled"}`, platform.PolicyBlocked),
		Entry("Mastodon: unconfirmed", 403, `{"error":"Your login is missing a confirmed e-mail address"}`, platform.PolicyBlocked),
		Entry("Mastodon: pending", 403, `{"error":"Your login is currently pending approval"}`, platform.PolicyBlocked),
		Entry("Mastodon: two-factor", 403, `{"error":"Your account requires two-factor authentication"}`, platform.PolicyBlocked),
		Entry("Mastodon: application's token", 422, `{"error":"This method requires an authenticated user"}`, platform.Permanent),
		Entry("Mastodon: other 422", 422, `{"error":"Validation failed"}`, platform.Permanent),
		Entry("Mastodon: rate", 429, `{"error":"Too many requests"}`, platform.RateLimited),
		Entry("Mastodon: busy", 503, `{"error":"There was a temporary problem serving your request, please try again"}`, platform.Transient),
		Entry("GoToSocial: token", 401, `{"error":"Unauthorized: token not supplied"}`, platform.Unauthorized),
		Entry("GoToSocial: disabled", 401, `{"error":"Unauthorized: user not supplied or not authorized"}`, platform.PolicyBlocked),
		Entry("GoToSocial: suspended", 401, `{"error":"Unauthorized: account not supplied or not authorized"}`, platform.PolicyBlocked),
		Entry("GoToSocial: scope", 403, `{"error":"Forbidden: token has insufficient scope permission"}`, platform.InsufficientScope),
		Entry("GoToSocial: no user agent", 418, `{"error":"I'm a teapot: no user-agent sent with request"}`, platform.Permanent),
		Entry("Pleroma: scope", 403, `{"error":"Insufficient permissions: read:accounts."}`, platform.InsufficientScope),
		Entry("not found", 404, `{"error":"Not Found"}`, platform.NotFound),
		Entry("gone", 410, `{"error":"Gone"}`, platform.NotFound),
		Entry("conflict", 409, `{"error":"Conflict"}`, platform.Conflict),
		Entry("an error in the server", 500, `{"error":"Internal Server Error"}`, platform.Transient),
		Entry("an error before the server", 502, `<html>Bad Gateway</html>`, platform.Transient),
		Entry("a firewall's 403", 403, `<html>Access denied</html>`, platform.Unknown),
		Entry("a blocked address", 403, "Forbidden\n", platform.Unknown),
		Entry("a proxy's 401", 401, "", platform.Unknown),
		Entry("JSON of another kind", 401, `{"message":"Unauthorized"}`, platform.Unknown),
		Entry("an error that is no text", 401, `{"error":{"code":401}}`, platform.Unknown),
		Entry("a limit without JSON", 429, "slow down", platform.RateLimited),
		Entry("a 404 without JSON", 404, "<html>", platform.NotFound),
		Entry("a success that is none", 204, "", platform.Unknown),
	)

	It("shows OAuth's error codes, and no other text of the server's", func() {
		Expect(classify(answer(403, `{"error":"unauthorized_client","error_description":"no"}`)).Code).To(Equal("unauthorized_client"))
		failure := classify(answer(403, `{"error":"Dear s3cret-token","error_description":"no"}`))
		Expect(failure.Code).To(BeEmpty())
		Expect(failure.Error()).NotTo(ContainSubstring("s3cret"))
	})
})

func FuzzNormaliseHandle(f *testing.F) {
	for _, seed := range []string{"news", "@news", "News@social.acme.example", "@news@acme.example", "@@", "a b", "n\u202ews", "x@y@z"} {
		f.Add(seed)
	}
	adapter := at("https://social.acme.example")
	f.Fuzz(func(t *testing.T, handle string) {
		once, err := adapter.NormaliseHandle(handle)
		if err != nil {
			if once != "" || len(err.Error()) > 500 {
				t.Fatalf("a refused handle gives %q and a message of %d bytes", once, len(err.Error()))
			}
			return
		}
		again, err := adapter.NormaliseHandle(once)
		if err != nil || again != once {
			t.Fatalf("%q becomes %q and then %q (%v)", handle, once, again, err)
		}
		if strings.ContainsFunc(once, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("%q becomes %q", handle, once)
		}
	})
}

func FuzzParseSoftware(f *testing.F) {
	for _, seed := range [][2]string{
		{"4.3.0", "https://github.com/mastodon/mastodon"},
		{"0.19.1+git-9d65fd8", "gotosocial"},
		{"takahe/0.9.0", ""},
		{"2.7.2 (compatible; Pleroma 2.5.0)", ""},
		{"\x00", "\xff"},
		{"999999999.1", ""},
		{"v4.4", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, version, source string) {
		found := parseSoftware(version, source)
		shown := found.String()
		if len(shown) > 128 || strings.ContainsFunc(shown, unicode.IsControl) {
			t.Fatalf("%q is not fit for a status", shown)
		}
		if slices.Contains(found.capabilities(), platform.CapabilityScopes) && found.name != softwareMastodon {
			t.Fatalf("%q promises to tell scopes", shown)
		}
	})
}

func FuzzClassify(f *testing.F) {
	for _, status := range []int{200, 204, 302, 400, 401, 403, 404, 410, 418, 422, 429, 500, 503, 999} {
		f.Add(status, `{"error":"The access token was revoked"}`)
		f.Add(status, `{"error":"unauthorized_client","error_description":"You are not authorized"}`)
		f.Add(status, "<html>")
		f.Add(status, "")
	}
	known := knownMessages()
	f.Fuzz(func(t *testing.T, status int, body string) {
		failure := classify(&httpx.Response{Status: status, Body: []byte(body)})
		if failure.Class == "" || !known[failure.Message] {
			t.Fatalf("class %q with the message %q, which depends on the answer", failure.Class, failure.Message)
		}
		if failure.Code != "" && !slices.Contains(oauthCodes(), failure.Code) {
			t.Fatalf("the code %q is the server's own text", failure.Code)
		}
		blames := failure.Class == platform.Unauthorized || failure.Class == platform.Revoked
		if blames && (status != http.StatusUnauthorized || !strings.HasPrefix(strings.TrimSpace(body), "{")) {
			t.Fatalf("status %d with %.40q blames the credential", status, body)
		}
	})
}

// knownMessages are all messages that classify may give.
func knownMessages() map[string]bool {
	known := map[string]bool{}
	for _, v := range verdicts() {
		known[v.message] = true
	}
	for _, contentType := range []string{"text/html", "application/json"} {
		for status := range 1000 {
			known[classify(&httpx.Response{Status: status, Header: http.Header{"Content-Type": {contentType}}}).Message] = true
			known[platform.FromStatus(status, time.Time{}).Message] = true
		}
	}
	return known
}

func FuzzIdentity(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","username":"news","acct":"news","display_name":"News"}`, `{"id":1}`, `{}`, `null`, `[]`, `{"id":"1","username":"a\nb"}`,
		`{"id":"01F8MH1H7YV1Z7D2C8K2730QBF","username":"Help","display_name":"\u202e\u0007 x"}`,
	} {
		f.Add([]byte(seed))
	}
	adapter := at("https://mastodon.example")
	f.Fuzz(func(t *testing.T, body []byte) {
		var me credentialAccount
		if err := httpx.DecodeJSON(&httpx.Response{Status: http.StatusOK, Body: body}, &me); err != nil {
			return
		}
		identity, failure := adapter.identity(me)
		if failure != nil {
			if identity != (platform.Identity{}) || failure.Class != platform.Unknown {
				t.Fatalf("a refused answer gives %+v and %s", identity, failure.Class)
			}
			return
		}
		normal, err := adapter.NormaliseHandle(identity.Handle)
		if err != nil || normal != identity.Handle || adapter.CheckAccountID(identity.AccountID) != nil {
			t.Fatalf("the identity %+v is not what a claim can be made with", identity)
		}
		if len([]rune(identity.DisplayName)) > platform.MaxDisplayName || strings.ContainsFunc(identity.DisplayName, unicode.IsControl) {
			t.Fatalf("the display name %q is not fit for a status", identity.DisplayName)
		}
	})
}

func FuzzOwnPath(f *testing.F) {
	for _, seed := range []string{
		"https://mastodon.example/nodeinfo/2.0", "https://mastodon.example", "https://mastodon.example//evil.example/", "//evil.example/",
		"https://mastodon.example@evil.example/", "https://mastodon.example:444/", "/nodeinfo", "http://mastodon.example/", "https://mastodon.example/a?b#c",
	} {
		f.Add(seed)
	}
	adapter := at("https://mastodon.example")
	f.Fuzz(func(t *testing.T, raw string) {
		path, ok := adapter.ownPath(raw)
		if !ok {
			return
		}
		target, err := url.Parse(adapter.server.URL(path, nil))
		if err != nil {
			return // the client refuses it
		}
		if target.Scheme != "https" || target.Host != "mastodon.example" || target.User != nil {
			t.Fatalf("%q leads to %q", raw, target)
		}
	})
}

func FuzzDirectory(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"1","username":"News","acct":"News","display_name":"News \u202e"}]`, `[{"id":"1","username":"news","acct":"news@elsewhere.example"}]`,
		`[]`, `[null]`, `[{}]`, `null`, `{}`, `[{"id":1}]`, `[[]]`, ``, `<html>`,
	} {
		f.Add([]byte(seed), 0)
	}
	adapter := at("https://mastodon.example")
	f.Fuzz(func(t *testing.T, body []byte, offset int) {
		var found []credentialAccount
		if err := httpx.DecodeJSON(&httpx.Response{Status: http.StatusOK, Body: body}, &found); err != nil {
			return
		}
		page, failure := adapter.page(found, offset)
		if failure != nil {
			if len(page.Accounts) > 0 || page.Next != "" || failure.Class != platform.Unknown {
				t.Fatalf("a refused page gives %+v and %s", page, failure.Class)
			}
			return
		}
		if (page.Next == "") != (len(found) == 0) {
			t.Fatalf("%d accounts, and then %q", len(found), page.Next)
		}
		for _, account := range page.Accounts {
			normal, err := adapter.NormaliseHandle(account.Handle)
			if err != nil || normal != account.Handle || adapter.CheckAccountID(account.ID) != nil || account.State == "" {
				t.Fatalf("%+v is not what a claim can be made with", account)
			}
		}
	})
}
