// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

const account = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"

// signer signs as an account's server does. It is for one test process: its
// nonce is fixed.
type signer struct{ private *big.Int }

func (s signer) sign(header, payload any) string {
	text := encode(header) + "." + encode(payload)
	c, hash := secp256k1(), sha256.Sum256([]byte(text))
	nonce := new(big.Int).SetBytes(hash[:16])
	r := c.times(c.base, nonce).x
	value := new(big.Int).Mul(r, s.private)
	value.Add(value, new(big.Int).SetBytes(hash[:]))
	value.Mod(value.Mul(value, new(big.Int).ModInverse(nonce, c.order)), c.order)
	if value.Cmp(c.half) > 0 {
		value.Sub(c.order, value)
	}
	signature := make([]byte, 2*scalarBytes)
	r.FillBytes(signature[:scalarBytes])
	value.FillBytes(signature[scalarBytes:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encode(content any) string {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // what the tests encode can be encoded
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// sampleSigner has the private key of sampleKey.
func sampleSigner() signer {
	private, _ := new(big.Int).SetString("9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c", 16)
	return signer{private}
}

func goodClaims() claims {
	now := time.Now()
	return claims{Issuer: account, Audience: ServiceDID, Method: listNotifications, Issued: now.Unix(), Expires: now.Add(time.Minute).Unix(), Nonce: "1"}
}

func startView(t *testing.T) *AppView {
	t.Helper()
	directory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"id":%q,"verificationMethod":[{"id":"#atproto","type":"Multikey","publicKeyMultibase":%q}]}`, r.URL.Path[1:], sampleKey)
	}))
	t.Cleanup(directory.Close)
	view := Start()
	t.Cleanup(view.Close)
	view.UseDirectory(directory.URL)
	return view
}

type answered struct {
	status        int
	Error         string
	Cursor        string
	Notifications []struct{ URI, Reason string }
}

func ask(t *testing.T, view *AppView, token string, query url.Values) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, view.URL()+"/xrpc/"+listNotifications+"?"+query.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	said := answered{status: response.StatusCode}
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestTokens(t *testing.T) {
	view := startView(t)
	header := map[string]string{"typ": "JWT", "alg": "ES256K"}
	with := func(change func(*claims)) claims { said := goodClaims(); change(&said); return said }
	signer := sampleSigner()
	for name, test := range map[string]struct{ token, want string }{
		"good":              {signer.sign(header, goodClaims()), ""},
		"for a service":     {signer.sign(header, with(func(c *claims) { c.Audience += "#bsky_appview" })), ""},
		"none":              {"", "AuthMissing"},
		"garbage":           {"a.b", "BadJwt"},
		"no JSON":           {"a.b.c", "BadJwt"},
		"another algorithm": {signer.sign(map[string]string{"typ": "JWT", "alg": "HS256"}, goodClaims()), "BadJwtType"},
		"expired":           {signer.sign(header, with(func(c *claims) { c.Expires = c.Issued - 1 })), "JwtExpired"},
		"everlasting":       {signer.sign(header, with(func(c *claims) { c.Expires += 3600 })), "BadJwt"},
		"for another":       {signer.sign(header, with(func(c *claims) { c.Audience = "did:web:elsewhere.test" })), "BadJwtAudience"},
		"another method":    {signer.sign(header, with(func(c *claims) { c.Method = "app.bsky.feed.getTimeline" })), "BadJwtLexiconMethod"},
		"of nobody":         {signer.sign(header, with(func(c *claims) { c.Issuer = "nobody" })), "BadJwtIss"},
		"for use twice":     {signer.sign(header, with(func(c *claims) { c.Nonce = "" })), "BadJwt"},
		"another's key":     {signer.with(7).sign(header, goodClaims()), "BadJwtSignature"},
		"cut short":         {cut(signer.sign(header, goodClaims())), "BadJwtSignature"},
	} {
		said := ask(t, view, test.token, nil)
		if said.Error != test.want || (said.status == http.StatusOK) != (test.want == "") {
			t.Errorf("%s: %d %q, want %q", name, said.status, said.Error, test.want)
		}
	}
}

func cut(token string) string { return token[:len(token)-4] }

func (s signer) with(private int64) signer { return signer{big.NewInt(private)} }

func TestList(t *testing.T) {
	view := startView(t)
	token := sampleSigner().sign(map[string]string{"typ": "JWT", "alg": "ES256K"}, goodClaims())
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	author := Actor{DID: "did:plc:44ybard66vv44zksje25o7dz"}
	for _, reason := range []string{"mention", "like", "reply", "mention"} {
		view.Notify(account, Notification{Reason: reason, Author: author, IndexedAt: at})
	}
	late := view.Notify(account, Notification{Reason: "quote", Author: author, IndexedAt: at.Add(-time.Minute)})
	view.Notify("did:plc:somebodyelse", Notification{Reason: "mention", Author: author, IndexedAt: at})

	var reasons []string
	query := url.Values{"limit": {"2"}, "reasons": {"mention", "reply", "quote"}}
	for range 4 {
		said := ask(t, view, token, query)
		for _, told := range said.Notifications {
			reasons = append(reasons, told.Reason)
			if told.Reason == "quote" && told.URI != late {
				t.Errorf("%q", told.URI)
			}
		}
		query.Set("cursor", said.Cursor)
		if said.Cursor == "" {
			break
		}
	}
	if got := fmt.Sprint(reasons); got != "[mention reply mention quote]" {
		t.Error(got)
	}
	for _, bad := range []url.Values{
		{"limit": {"0"}}, {"limit": {"101"}}, {"limit": {"x"}}, {"limit": {"1", "2"}}, {"cursor": {"x"}}, {"since": {"yesterday"}},
	} {
		if said := ask(t, view, token, bad); said.Error != "InvalidRequest" {
			t.Errorf("%v: %d %s", bad, said.status, said.Error)
		}
	}
	if view.Requests() == 0 || len(view.Refusals()) == 0 {
		t.Error("nothing was counted")
	}
}
