// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const callback = "https://rostra.example/hooks/mastodon/t0ken"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// signer signs as a server does.
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(private string) (signer, error) {
	scalar, err := decode(private)
	if err != nil {
		return signer{}, err
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	return signer{key}, err
}

func theSigner() signer {
	GinkgoHelper()
	made, err := newSigner(legacyPrivate)
	Expect(err).NotTo(HaveOccurred())
	return made
}

func (s signer) public() string {
	point, err := s.key.PublicKey.Bytes()
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(point)
}

func (s signer) token(head, claims string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	digest := sha256.Sum256([]byte(text))
	r, t, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		return ""
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	t.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

const head = `{"typ":"JWT","alg":"ES256"}`

func claimsOf(audience string, left time.Duration) string {
	return fmt.Sprintf(`{"aud":%q,"exp":%d,"sub":"mailto:admin@elsewhere.example"}`, audience, noon.Add(left).Unix())
}

func standardForm(token, key string) http.Header {
	return http.Header{"Authorization": {"vapid t=" + token + ", k=" + key}}
}

func legacyForm(token, key string) http.Header {
	return http.Header{"Authorization": {"WebPush " + token}, "Crypto-Key": {"dh=" + legacySender + ";p256ecdsa=" + key}}
}

func verify(header http.Header) error {
	signature, err := ReadVapid(header)
	if err != nil {
		return err
	}
	return signature.Verify(callback, noon)
}

var _ = Describe("A signature", func() {
	It("is read in either form", func() {
		server := theSigner()
		token := server.token(head, claimsOf("https://rostra.example", 12*time.Hour))
		for _, header := range []http.Header{
			standardForm(token, server.public()),
			standardForm(token, server.public()+"="),
			{"Authorization": {"vapid t=" + token + ",k=" + server.public()}},
			{"Authorization": {"VAPID k=" + server.public() + ", t=" + token}},
			legacyForm(token, server.public()),
			{"Authorization": {"WebPush " + token}, "Crypto-Key": {"p256ecdsa=" + server.public()}},
		} {
			signature, err := ReadVapid(header)
			Expect(err).NotTo(HaveOccurred())
			Expect(signature.Names(bytesOf(server.public()))).To(BeTrue())
			Expect(signature.Names(bytesOf(standardPublic))).To(BeFalse())
			Expect(signature.Names(nil)).To(BeFalse())
			Expect(signature.Verify(callback, noon)).To(Succeed())
		}
	})

	DescribeTable("is missing where it cannot be read", func(change func(http.Header)) {
		server := theSigner()
		token := server.token(head, claimsOf("https://rostra.example", time.Hour))
		for _, header := range []http.Header{standardForm(token, server.public()), legacyForm(token, server.public())} {
			change(header)
			Expect(verify(header)).To(MatchError(ErrUnsigned))
		}
	},
		Entry("none", func(h http.Header) { h.Del("Authorization") }),
		Entry("two", func(h http.Header) { h.Add("Authorization", h.Get("Authorization")) }),
		Entry("empty", func(h http.Header) { h.Set("Authorization", "") }),
		Entry("another scheme", func(h http.Header) { h.Set("Authorization", "Bearer abc") }),
		Entry("no token", func(h http.Header) { h.Set("Authorization", "vapid k="+standardPublic) }),
		Entry("two keys", func(h http.Header) {
			h.Set("Authorization", "vapid t=a.b.c, k="+standardPublic+", k="+standardPublic)
		}),
		Entry("a key that is too short", func(h http.Header) { h.Set("Authorization", "vapid t=a.b.c, k=AAAA") }),
		Entry("a header that is too long", func(h http.Header) {
			h.Set("Authorization", h.Get("Authorization")+strings.Repeat("a", maxHeader))
		}),
		Entry("no key", func(h http.Header) {
			h.Del("Crypto-Key")
			h.Set("Authorization", strings.Split(h.Get("Authorization"), ", k=")[0])
		}),
	)

	DescribeTable("is not good", func(head, claims string) {
		server := theSigner()
		Expect(verify(standardForm(server.token(head, claims), server.public()))).To(MatchError(ErrSignature))
		Expect(verify(legacyForm(server.token(head, claims), server.public()))).To(MatchError(ErrSignature))
	},
		Entry("without an algorithm", `{}`, claimsOf("https://rostra.example", time.Hour)),
		Entry("with none for an algorithm", `{"alg":"none"}`, claimsOf("https://rostra.example", time.Hour)),
		Entry("with another algorithm", `{"alg":"HS256"}`, claimsOf("https://rostra.example", time.Hour)),
		Entry("with a head that is no JSON", `alg`, claimsOf("https://rostra.example", time.Hour)),
		Entry("with claims that are no JSON", head, `exp`),
		Entry("with deeply nested claims", head, strings.Repeat(`{"a":`, 500)),
		Entry("without an expiry", head, `{"aud":"https://rostra.example"}`),
		Entry("with an expiry in words", head, `{"aud":"https://rostra.example","exp":"tomorrow"}`),
		Entry("without an audience", head, fmt.Sprintf(`{"exp":%d}`, noon.Unix())),
		Entry("with an audience that is no text", head, fmt.Sprintf(`{"aud":7,"exp":%d}`, noon.Unix())),
		Entry("for another host", head, claimsOf("https://rostra.example.org", time.Hour)),
		Entry("for another port", head, claimsOf("https://rostra.example:8443", time.Hour)),
		Entry("for another scheme", head, claimsOf("http://rostra.example", time.Hour)),
		Entry("for a user at the host", head, claimsOf("https://news@rostra.example", time.Hour)),
		Entry("for nobody", head, claimsOf("", time.Hour)),
	)

	DescribeTable("is for the origin of the callback", func(audience string) {
		server := theSigner()
		claims := fmt.Sprintf(`{"aud":%s,"exp":%d}`, audience, noon.Add(time.Hour).Unix())
		Expect(verify(standardForm(server.token(head, claims), server.public()))).To(Succeed())
	},
		Entry(nil, `"https://rostra.example"`),
		Entry("in capitals", `"HTTPS://Rostra.Example"`),
		Entry("with its port", `"https://rostra.example:443"`),
		Entry("with a slash", `"https://rostra.example/"`),
		Entry("among others", `["https://elsewhere.example","https://rostra.example"]`),
	)

	DescribeTable("lasts as long as it may", func(left time.Duration, want OmegaMatcher) {
		server := theSigner()
		token := server.token(head, claimsOf("https://rostra.example", left))
		Expect(verify(standardForm(token, server.public()))).To(want)
	},
		Entry("a day, by Mastodon's clock", 24*time.Hour, Succeed()),
		Entry("a day, by a clock that is ahead", 24*time.Hour+Leeway, Succeed()),
		Entry("a day, by a clock that is far ahead", 24*time.Hour+Leeway+time.Second, MatchError(ErrStale)),
		Entry("up to now", time.Duration(0), Succeed()),
		Entry("up to a moment ago", time.Second-Leeway, Succeed()),
		Entry("up to ten minutes ago", -10*time.Minute, MatchError(ErrStale)),
		Entry("a year", 365*24*time.Hour, MatchError(ErrStale)),
	)

	DescribeTable("has a time that is a number", func(expires string, want OmegaMatcher) {
		server := theSigner()
		token := server.token(head, `{"aud":"https://rostra.example","exp":`+expires+`}`)
		Expect(verify(standardForm(token, server.public()))).To(want)
	},
		Entry("with a fraction", fmt.Sprintf("%d.5", noon.Unix()), Succeed()),
		Entry("too large", fmt.Sprint(math.MaxFloat64), MatchError(ErrStale)),
		Entry("negative", "-1", MatchError(ErrStale)),
	)

	It("is not good when any of its characters was altered", func() {
		server := theSigner()
		token := server.token(head, claimsOf("https://rostra.example", time.Hour))
		for i := range token {
			other := "A"
			if token[i] == 'A' {
				other = "B"
			}
			altered := token[:i] + other + token[i+1:]
			Expect(verify(standardForm(altered, server.public()))).To(MatchError(ErrSignature), "character %d", i)
		}
		for _, wrong := range []string{"a.b", "a.b.c.d", token + ".d", token + "AA", token + "=A", ".."} {
			Expect(verify(standardForm(wrong, server.public()))).To(MatchError(ErrSignature), wrong)
		}
	})

	It("is not good with another's key, or with one that is not on the curve", func() {
		server := theSigner()
		token := server.token(head, claimsOf("https://rostra.example", time.Hour))
		nowhere := base64.RawURLEncoding.EncodeToString(append([]byte{4}, make([]byte, 64)...))
		for _, key := range []string{standardPublic, legacySender, nowhere} {
			Expect(verify(standardForm(token, key))).To(MatchError(ErrSignature))
		}
	})

	It("is of no callback that is no URL", func() {
		server := theSigner()
		signature, err := ReadVapid(standardForm(server.token(head, claimsOf("https://rostra.example", time.Hour)), server.public()))
		Expect(err).NotTo(HaveOccurred())
		for _, wrong := range []string{"", "/hooks", "://", "https://"} {
			Expect(signature.Verify(wrong, noon)).To(MatchError(ErrSignature))
		}
	})
})

func FuzzVAPID(f *testing.F) {
	server, err := newSigner(legacyPrivate)
	if err != nil {
		f.Fatal(err)
	}
	good := server.token(head, claimsOf("https://rostra.example", time.Hour))
	f.Add("vapid t="+good+", k="+server.public(), "")
	f.Add("WebPush "+good, "dh="+legacySender+";p256ecdsa="+server.public())
	f.Add("vapid t=a.b.c,k="+server.public(), "")
	f.Add("vapid", "p256ecdsa=")
	f.Add(`vapid t="`+good+`";k="`+server.public()+`"`, "")
	key, err := decode(server.public())
	if err != nil {
		f.Fatal(err)
	}
	signed, _, _ := strings.Cut(good, ".")
	f.Fuzz(func(t *testing.T, authorization, cryptoKey string) {
		signature, err := ReadVapid(http.Header{"Authorization": {authorization}, "Crypto-Key": {cryptoKey}})
		if err != nil {
			return
		}
		if signature.Names(key) && signature.Verify(callback, noon) == nil && !strings.HasPrefix(signature.token, signed) {
			t.Fatalf("a forged signature is taken for good: %q", authorization)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	server, err := newSigner(legacyPrivate)
	if err != nil {
		b.Fatal(err)
	}
	header := standardForm(server.token(head, claimsOf("https://rostra.example", time.Hour)), server.public())
	for b.Loop() {
		if err := verify(header); err != nil {
			b.Fatal(err)
		}
	}
}
