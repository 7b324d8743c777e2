// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

func TestNormaliseHandle(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + strings.Repeat("b", 61)
	for handle, want := range map[string]string{
		"help.acme.example":   "help.acme.example",
		"alice.test":          "alice.test",
		"jay.bsky.social":     "jay.bsky.social",
		"Jay.BSKY.Social":     "jay.bsky.social",
		"8.cn":                "8.cn",
		"xn--notarealidn.com": "xn--notarealidn.com",
		"xn--fiqa61au8b7zsevnm8ak20mc4a87e.xn--fiqs8s": "xn--fiqa61au8b7zsevnm8ak20mc4a87e.xn--fiqs8s",
		"4chan.org":         "4chan.org",
		label + ".com":      label + ".com",
		longest:             longest,
		"name.t--t":         "name.t--t",
		"local.example.com": "local.example.com",
	} {
		if got, err := normaliseHandle(handle); err != nil || got != want {
			t.Errorf("normaliseHandle(%q) = %q, %v, want %q", handle, got, err, want)
		}
	}
	for handle, want := range map[string]error{
		"":                         errHandleEmpty,
		"alice":                    errHandleShort,
		"jo@hn.test":               errHandleForm,
		"💩.test":                   errHandleForm,
		"john..test":               errHandleForm,
		".john.test":               errHandleForm,
		"john.test.":               errHandleForm,
		"-john.test":               errHandleForm,
		"john-.test":               errHandleForm,
		"john.te-st-":              errHandleForm,
		"john_doe.test":            errHandleForm,
		"john.test\n":              errHandleForm,
		" john.test":               errHandleForm,
		"john\x00.test":            errHandleForm,
		"https://john.test":        errHandleForm,
		"name.org/":                errHandleForm,
		"cn.8":                     errHandleNumber,
		"127.0.0.1":                errHandleNumber,
		"www.mąsło.com":            errHandleForm,
		label + "a.com":            errHandleLong,
		longest + "b":              errHandleLong,
		"laptop.local":             errHandleReserved,
		"laptop.LOCAL":             errHandleReserved,
		"blah.arpa":                errHandleReserved,
		"handle.invalid":           errHandleReserved,
		"expyuzz4wqqyqhjn.onion":   errHandleReserved,
		"metadata.google.internal": errHandleReserved,
		"@":                        errHandleAt,
		"@alice":                   errHandleAt,
		"@@alice.test":             errHandleAt,
		"@alice.test\x1b[31m":      errHandleAt,
	} {
		if got, err := normaliseHandle(handle); !errors.Is(err, want) || got != "" {
			t.Errorf("normaliseHandle(%q) = %q, %v, want %v", handle, got, err, want)
		}
	}
	if _, err := normaliseHandle("@Alice.test"); err == nil || err.Error() != `write the handle without the "@" before it: alice.test` {
		t.Errorf("normaliseHandle(@Alice.test): %v", err)
	}
}

func TestCheckDID(t *testing.T) {
	for _, did := range []string{
		"did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:7iza6de2dwap2sbkpav7c6c6",
		"did:web:blueskyweb.xyz", "did:web:social.example.com", "did:web:localhost", "did:web:localhost%3A2583", "did:web:pds.test",
	} {
		if err := checkDID(did); err != nil {
			t.Errorf("checkDID(%q): %v", did, err)
		}
	}
	for did, want := range map[string]error{
		"": errDIDForm, "did": errDIDForm, "did:plc": errDIDForm, "help.acme.example": errDIDForm,
		"DID:plc:ewvi7nxzyoun6zhxrhs64oiz": errDIDForm, "did:key:zQ3shZc2QzApp2oymGvQbzP8eKheVshBHbU4ZYjeXqwSKEn6N": errDIDForm,
		" did:plc:ewvi7nxzyoun6zhxrhs64oiz":            errDIDForm,
		"did:plc:":                                     errDIDPLC,
		"did:plc:ewvi7nxzyoun6zhxrhs64oi":              errDIDPLC,
		"did:plc:ewvi7nxzyoun6zhxrhs64oizz":            errDIDPLC,
		"did:plc:EWVI7NXZYOUN6ZHXRHS64OIZ":             errDIDPLC,
		"did:plc:0189abcdefghijklmnopqrst":             errDIDPLC,
		"did:plc:ewvi7nxzyoun6zhxrhs64oiz\n":           errDIDPLC,
		"did:web:":                                     errDIDWeb,
		"did:web:example.com:user:alice":               errDIDWeb,
		"did:web:example.com%3A8080":                   errDIDWeb,
		"did:web:Example.com":                          errDIDWeb,
		"did:web:@example.com":                         errDIDWeb,
		"did:web:localhost%3A":                         errDIDWeb,
		"did:web:localhost%3A0":                        errDIDWeb,
		"did:web:localhost%3A99999":                    errDIDWeb,
		"did:web:localhost:80":                         errDIDWeb,
		"did:web:localhosts":                           errDIDWeb,
		"did:web:pds.local":                            errDIDWeb,
		"did:web:169.254.169.254":                      errDIDWeb,
		"did:web:" + strings.Repeat("a.", 125) + "com": errDIDLong,
	} {
		if err := checkDID(did); !errors.Is(err, want) {
			t.Errorf("checkDID(%q) = %v, want %v", did, err, want)
		}
	}
}

// FuzzNormaliseHandle holds the parser against the regular expression that the
// specification gives.
func FuzzNormaliseHandle(f *testing.F) {
	spec := regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)
	for _, seed := range []string{"help.acme.example", "@jay.bsky.social", "A.b.C", "a..b", "-a.b", "a.1b", "laptop.local", "a.b\n", "\x00", "ı.com", "K.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, handle string) {
		got, err := normaliseHandle(handle)
		if err != nil {
			if got != "" {
				t.Fatalf("%q with the error %v", got, err)
			}
			if !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Fatalf("the error repeats what nobody can read: %q", err)
			}
			if spec.MatchString(handle) && len(handle) <= maxHandle && !errors.Is(err, errHandleReserved) {
				t.Fatalf("%q is a handle: %v", handle, err)
			}
			return
		}
		if !spec.MatchString(handle) || len(handle) > maxHandle || !strings.EqualFold(handle, got) {
			t.Fatalf("%q became %q", handle, got)
		}
		if again, err := normaliseHandle(got); err != nil || again != got {
			t.Fatalf("%q became %q became %q, %v", handle, got, again, err)
		}
	})
}

func FuzzCheckDID(f *testing.F) {
	// What a manifest may hold: see SocialChannelSpec.accountID.
	manifest := regexp.MustCompile(`^[A-Za-z0-9._:%-]{1,256}$`)
	for _, seed := range []string{"did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:web:example.com", "did:web:localhost%3A1", "did:web:localhost%3A+1", "did:web:localhost%3A\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, did string) {
		if err := checkDID(did); err == nil && !manifest.MatchString(did) {
			t.Fatalf("%q was accepted", did)
		}
	})
}

// jwt makes an unsigned token of this payload.
func jwt(payload string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
}

func TestReadClaims(t *testing.T) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	for token, want := range map[string]claims{
		jwt(`{"scope":"com.atproto.access","iat":1700000000,"exp":1700007200}`):            {at(1700007200), 2 * time.Hour, "com.atproto.access"},
		jwt(`{"scope":"com.atproto.appPassPrivileged","iat":1700000000,"exp":1700000600}`): {at(1700000600), 10 * time.Minute, "com.atproto.appPassPrivileged"},
		"e30." + base64.URLEncoding.EncodeToString([]byte(`{"exp":1700007200.75}`)) + ".x": {at(1700007200), accessLife, ""},
		jwt(`{"exp":"soon","scope":"com.atproto.appPass"}`):                                {time.Time{}, accessLife, "com.atproto.appPass"},
		jwt(`{"exp":1e300,"scope":["com.atproto.appPass"]}`):                               {time.Time{}, accessLife, ""},
		jwt(`{"exp":-5}`):                          {time.Time{}, accessLife, ""},
		jwt(`{"iat":1,"exp":253402300799}`):        {at(253402300799), accessLife, ""},
		jwt(`{"iat":1700007200,"exp":1700000000}`): {at(1700000000), accessLife, ""},
		jwt(`null`): {time.Time{}, accessLife, ""},
		jwt(`[1]`):  {time.Time{}, accessLife, ""},
		"":          {time.Time{}, accessLife, ""},
		"opaque":    {time.Time{}, accessLife, ""},
		"a.b.c.d":   {time.Time{}, accessLife, ""},
		"e30.!!!.x": {time.Time{}, accessLife, ""},
		"e30." + strings.Repeat("A", maxToken) + ".x": {time.Time{}, accessLife, ""},
	} {
		if got := readClaims(token); got != want {
			t.Errorf("readClaims(%.60q) = %+v, want %+v", token, got, want)
		}
	}
}

func TestCanMint(t *testing.T) {
	for scope, want := range map[string]bool{
		"com.atproto.access": true, "": true, "something.new": true,
		"com.atproto.appPass": false, "com.atproto.appPassPrivileged": false,
	} {
		if got := (claims{scope: scope}).canMint(); got != want {
			t.Errorf("canMint with scope %q: %t", scope, got)
		}
	}
}

func FuzzReadClaims(f *testing.F) {
	for _, seed := range []string{
		jwt(`{"scope":"com.atproto.access","iat":1700000000,"exp":1700007200}`), jwt(`{"exp":1e999}`), jwt(`{"exp":{}}`), "a.b.c", "..", jwt(strings.Repeat("[", 1000)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		read := readClaims(token)
		if read.life <= 0 || read.life > maxAccessLife {
			t.Fatalf("a life of %v", read.life)
		}
		if !read.expiry.IsZero() && (read.expiry.Year() < 1970 || read.expiry.Year() > 9999) {
			t.Fatalf("an expiry of %v", read.expiry)
		}
	})
}

func FuzzSessionFrom(f *testing.F) {
	f.Add("did:plc:ewvi7nxzyoun6zhxrhs64oiz", jwt(`{"exp":1}`), "r.r.r")
	f.Add("did:x", "a\r\nX-Injected: 1", "")
	f.Fuzz(func(t *testing.T, did, access, refresh string) {
		s := sessionFrom(credentials.Values{
			keyDID: credentials.NewValue(did), keyAccess: credentials.NewValue(access), keyRefresh: credentials.NewValue(refresh),
		})
		for _, token := range []credentials.Value{s.access, s.refresh} {
			if strings.ContainsAny(token.Reveal(), " \r\n\x00") || len(token.Reveal()) > maxToken {
				t.Fatalf("%q cannot be sent in a header", token.Reveal())
			}
		}
		_ = s.live(time.Unix(1700000000, 0))
	})
}

// answer makes a response as the HTTP client gives it.
func answer(status int, body string) *httpx.Response {
	return &httpx.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

func TestClassify(t *testing.T) {
	xrpc := func(name, message string) string { return `{"error":"` + name + `","message":"` + message + `"}` }
	for _, test := range []struct {
		method string
		status int
		body   string
		class  platform.Class
		code   string
		renew  bool
	}{
		// A login.
		{methodCreateSession, 401, xrpc("AuthenticationRequired", "Invalid identifier or password"), platform.Unauthorized, "AuthenticationRequired", false},
		{methodCreateSession, 401, xrpc("AccountTakedown", "Account has been taken down"), platform.PolicyBlocked, "AccountTakedown", false},
		{methodCreateSession, 401, xrpc("AuthFactorTokenRequired", "A sign in code has been sent to your email address"), platform.InsufficientScope, "AuthFactorTokenRequired", false},
		{methodCreateSession, 429, xrpc("RateLimitExceeded", "Rate Limit Exceeded"), platform.RateLimited, "RateLimitExceeded", false},
		{methodCreateSession, 400, xrpc("InvalidRequest", "Missing required key"), platform.Permanent, "InvalidRequest", false},
		// Tokens.
		{methodGetSession, 400, xrpc("ExpiredToken", "Token has expired"), platform.Revoked, "ExpiredToken", true},
		{methodRefreshSession, 400, xrpc("ExpiredToken", "Token has been revoked"), platform.Revoked, "ExpiredToken", true},
		{methodRefreshSession, 400, xrpc("InvalidToken", "Token could not be verified"), platform.Unauthorized, "InvalidToken", true},
		{methodRefreshSession, 401, xrpc("AuthMissing", "Authentication Required"), platform.Unauthorized, "AuthMissing", true},
		{methodRefreshSession, 401, xrpc("AccountTakedown", "Account has been taken down"), platform.PolicyBlocked, "AccountTakedown", false},
		{methodGetSession, 401, xrpc("AccountDeactivated", "Account is deactivated"), platform.PolicyBlocked, "AccountDeactivated", false},
		{methodCreateAppPassword, 400, xrpc("InvalidToken", "Bad token scope"), platform.InsufficientScope, "InvalidToken", false},
		{methodListAppPasswords, 400, xrpc("InvalidToken", "Bad token scope"), platform.Unauthorized, "InvalidToken", true},
		// An account that is gone.
		{methodGetSession, 400, xrpc("InvalidRequest", "Could not find user info for account: did:plc:x"), platform.NotFound, "InvalidRequest", true},
		{methodRefreshSession, 400, xrpc("InvalidRequest", "Could not find user info for account: did:plc:x"), platform.NotFound, "InvalidRequest", false},
		{methodCreateAppPassword, 403, xrpc("AccountNotFound", "Account not found"), platform.NotFound, "AccountNotFound", false},
		// Another kind of server.
		{methodDescribeServer, 400, xrpc("InvalidRequest", "No service configured for com.atproto.server.describeServer"), platform.Permanent, "InvalidRequest", false},
		{methodDescribeServer, 501, xrpc("MethodNotImplemented", "Method Not Implemented"), platform.Permanent, "MethodNotImplemented", false},
		{methodDescribeServer, 404, xrpc("XRPCNotSupported", "XRPCNotSupported"), platform.Permanent, "XRPCNotSupported", false},
		// A server without an AppView, or with one that is away or does not know it.
		{methodListNotifications, 400, xrpc("InvalidRequest", "No service configured for app.bsky.notification.listNotifications"), platform.Permanent, "InvalidRequest", false},
		{methodListNotifications, 502, xrpc("UpstreamFailure", "No service configured"), platform.Permanent, "UpstreamFailure", false},
		{methodListNotifications, 501, xrpc("MethodNotImplemented", "Method Not Implemented"), platform.Permanent, "MethodNotImplemented", false},
		{methodListNotifications, 404, xrpc("XRPCNotSupported", "XRPCNotSupported"), platform.Permanent, "XRPCNotSupported", false},
		{methodListNotifications, 502, xrpc("UpstreamFailure", "Upstream Failure"), platform.Transient, "UpstreamFailure", false},
		{methodListNotifications, 401, xrpc("BadJwtSignature", "jwt signature does not match jwt issuer"), platform.Unknown, "BadJwtSignature", false},
		{methodListNotifications, 401, xrpc("JwtExpired", "jwt expired"), platform.Unknown, "JwtExpired", false},
		{methodListNotifications, 401, xrpc("AuthMissing", "Authentication Required"), platform.Unauthorized, "AuthMissing", true},
		{methodListNotifications, 400, xrpc("ExpiredToken", "Token has expired"), platform.Revoked, "ExpiredToken", true},
		{methodListRecords, 400, xrpc("InvalidRequest", "Could not find repo: did:plc:x"), platform.NotFound, "InvalidRequest", false},
		// Outages.
		{methodGetSession, 500, xrpc("InternalServerError", "Internal Server Error"), platform.Transient, "InternalServerError", false},
		{methodGetSession, 502, xrpc("UpstreamFailure", "Upstream Failure"), platform.Transient, "UpstreamFailure", false},
		{methodGetSession, 503, `<html>maintenance`, platform.Transient, "", false},
		{methodGetSession, 504, ``, platform.Transient, "", false},
		{methodRefreshSession, 429, `slow down`, platform.RateLimited, "", false},
		// What does not come from the server says nothing about the credential.
		{methodGetSession, 401, `<html>log in to the proxy`, platform.Unknown, "", false},
		{methodRefreshSession, 401, `{"error":{"code":401}}`, platform.Unknown, "", false},
		{methodRefreshSession, 400, `{"error":"Expired`, platform.Unknown, "", false},
		{methodCreateSession, 403, `{"message":"blocked by the wall"}`, platform.Unknown, "", false},
		{methodCreateSession, 401, `{"error":"see https://portal.example/?token=hunter2"}`, platform.Unknown, "", false},
		{methodCreateSession, 404, ``, platform.Unknown, "", false},
		{methodCreateSession, 304, ``, platform.Unknown, "", false},
	} {
		failure := classify(test.method, answer(test.status, test.body))
		if failure.Class != test.class || failure.Code != test.code || renewable(failure) != test.renew || failure.Message == "" {
			t.Errorf("%s %d %s: %s %q renew=%t %q", test.method, test.status, test.body, failure.Class, failure.Code, renewable(failure), failure.Message)
		}
	}
}

func TestInactive(t *testing.T) {
	for status, want := range map[string]platform.Class{
		"takendown": platform.PolicyBlocked, "suspended": platform.PolicyBlocked, "deactivated": platform.PolicyBlocked,
		"deleted": platform.NotFound, "": platform.PolicyBlocked, "something new\n": platform.PolicyBlocked,
	} {
		failure := inactive(status)
		if failure.Class != want || failure.Message == "" || strings.Contains(failure.Error(), "\n") {
			t.Errorf("inactive(%q) = %s %q", status, failure.Class, failure.Error())
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(400, `{"error":"ExpiredToken","message":"Token has been revoked"}`)
	f.Add(401, `{"error":"hunter2 hunter2","message":"hunter2"}`)
	f.Add(500, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		failure := classify(methodGetSession, answer(status, body))
		if failure.Class == "" || failure.Message == "" || len(failure.Code) > 64 {
			t.Fatalf("%+v", failure)
		}
		// A condition holds the server's error name at most.
		if name, _, ok := readRefusal(answer(status, body)); !ok && failure.Code != "" || ok && failure.Code != name {
			t.Fatalf("%+v", failure)
		}
		if strings.ContainsFunc(failure.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q", failure.Error())
		}
	})
}

// FuzzAnswers feeds every decoder of a good answer.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"did":"did:plc:ewvi7nxzyoun6zhxrhs64oiz","handle":"a.test","active":true,"accessJwt":"a.b.c","refreshJwt":"a.b.d"}`,
		`{"did":"did:plc:ewvi7nxzyoun6zhxrhs64oiz","handle":"handle.invalid","active":false,"status":"deactivated"}`,
		`{"did":"did:plc:ewvi7nxzyoun6zhxrhs64oiz","handle":"a\u0000.test","accessJwt":"a\r\nb","refreshJwt":"a"}`,
		`{}`, `null`, `[]`, `<html>`, ``, `{"did":`, `{"passwords":[{"name":"x"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		resp := answer(200, body)
		var said sessionAnswer
		if err := httpx.DecodeJSON(resp, &said); err != nil || said.check() != nil {
			return
		}
		identity, err := said.identity(said.session().access)
		if err == nil && (checkDID(identity.AccountID) != nil || identity.Handle != strings.ToLower(identity.Handle)) {
			t.Fatalf("%+v", identity)
		}
		kept := sessionFrom(said.session().values())
		if kept.did != said.DID || kept.access.Reveal() != said.AccessJWT || kept.refresh.Reveal() != said.RefreshJWT {
			t.Fatal("the session is not the same after storing")
		}
		_ = checkNoContent(resp)
	})
}

// FuzzListing feeds the decoders of a list and of a name.
func FuzzListing(f *testing.F) {
	for _, seed := range []string{
		`{"repos":[{"did":"did:plc:ewvi7nxzyoun6zhxrhs64oiz","head":"b","rev":"3l","active":true}],"cursor":"1::did"}`,
		`{"repos":[{"did":"did:web:pds.acme.test","active":false,"status":"takendown"}]}`, `{"repos":[{"did":"did:plc:","active":null}]}`,
		`{"did":"did:plc:ewvi7nxzyoun6zhxrhs64oiz","handle":"Help.acme.test"}`, `{"repos":[null]}`, `{"repos":{}}`, `{}`, `[]`, ``, `<html>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var repos reposAnswer
		if err := httpx.DecodeJSON(answer(200, body), &repos); err == nil {
			page, err := repos.page()
			if err != nil && (len(page.Accounts) > 0 || platform.ClassOf(err) != platform.Unknown) {
				t.Fatalf("a refused list gives %+v and %v", page, err)
			}
			for _, account := range page.Accounts {
				if checkDID(account.ID) != nil || account.State == "" {
					t.Fatalf("%+v is not what a claim can be made with", account)
				}
			}
		}
		var described accountAnswer
		if err := httpx.DecodeJSON(answer(200, body), &described); err == nil {
			handle, err := described.handleOf("did:plc:ewvi7nxzyoun6zhxrhs64oiz")
			if normal, wrong := normaliseHandle(handle); handle != "" && (err != nil || wrong != nil || normal != handle) {
				t.Fatalf("%q is no handle: %v", handle, err)
			}
		}
	})
}
