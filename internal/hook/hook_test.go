// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/hook"
)

const (
	uidA = "11111111-1111-4111-8111-111111111111"
	uidB = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

var (
	key   = []byte("0123456789abcdef0123456789abcdef")
	other = []byte("ffffffffffffffffffffffffffffffff")
	noon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

func values(pairs ...string) credentials.Values {
	made := credentials.Values{}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i]] = credentials.NewValue(pairs[i+1])
	}
	return made
}

var _ = Describe("A token", func() {
	It("is known again by the key it was made with", func() {
		for _, uid := range []string{uidA, uidB} {
			token := hook.Token(key, uid)
			id, ok := hook.ParseToken(key, token)
			Expect(ok).To(BeTrue())
			Expect(id).To(Equal(uid))
			Expect(hook.Token(key, uid)).To(Equal(token), "stable")
			_, ok = hook.ParseToken(other, token)
			Expect(ok).To(BeFalse())
		}
	})

	It("needs no escape in a path", func() {
		Expect(hook.Token(key, uidB)).To(MatchRegexp(`^[0-9a-f-]{36}\.[A-Za-z0-9_-]{22}$`))
	})

	It("is another when a single byte differs", func() {
		token := hook.Token(key, uidB)
		for i := range len(token) {
			for _, c := range []byte{token[i] ^ 1, token[i] ^ 0x20, '\n', 0, '='} {
				if changed := token[:i] + string(rune(c)) + token[i+1:]; changed != token {
					_, ok := hook.ParseToken(key, changed)
					Expect(ok).To(BeFalse(), "%q", changed)
				}
			}
		}
	})

	DescribeTable("is none", func(token string) {
		id, ok := hook.ParseToken(key, token)
		Expect(ok).To(BeFalse())
		Expect(id).To(BeEmpty())
	},
		Entry("empty", ""),
		Entry("a UID", uidA),
		Entry("a UID and a dot", uidA+"."),
		Entry("half a MAC", hook.Token(key, uidA)[:48]),
		Entry("something after", hook.Token(key, uidA)+"A"),
		Entry("a line break, which base64 would skip", hook.Token(key, uidA)[:40]+"\n"+hook.Token(key, uidA)[40:]),
		Entry("padded", hook.Token(key, uidA)+"=="),
		Entry("another UID's MAC", uidB+hook.Token(key, uidA)[36:]),
		Entry("no UID at all", hook.Token(key, "social/help")),
		Entry("a UID in capitals", hook.Token(key, strings.ToUpper(uidB))),
	)
})

var _ = Describe("A callback's URL", func() {
	It("is below the base, however that ends", func() {
		for _, base := range []string{"https://hooks.acme.example/rostra", "https://hooks.acme.example/rostra/", "https://hooks.acme.example/rostra//"} {
			Expect(hook.URL(base, "Mastodon", key, uidA)).To(Equal("https://hooks.acme.example/rostra/hooks/mastodon/" + hook.Token(key, uidA)))
		}
	})

	It("is shown without its token", func() {
		shown := hook.Shown(hook.URL("https://hooks.acme.example", "Mastodon", key, uidA))
		Expect(shown).To(Equal("https://hooks.acme.example/hooks/mastodon/…"))
		Expect(hook.Shown("nothing")).To(BeEmpty())
	})

	DescribeTable("has a base", func(base string, good bool) {
		u, err := hook.ParseBase(base)
		if good {
			Expect(err).NotTo(HaveOccurred())
			Expect(u.String()).To(Equal(strings.TrimRight(base, "/")))
		} else {
			Expect(err).To(MatchError(ContainSubstring("must be https")))
		}
	},
		Entry(nil, "https://hooks.acme.example", true),
		Entry(nil, "https://hooks.acme.example:8443/rostra/", true),
		Entry(nil, "https://hooks.acme.example/rostra//", true),
		Entry(nil, "http://127.0.0.1:8080", true),
		Entry(nil, "http://127.8.8.8:8080", true),
		Entry(nil, "http://[::1]:8080", true),
		Entry(nil, "http://localhost:8080", true),
		Entry(nil, "http://hooks.acme.example", false),
		Entry(nil, "http://127.0.0.1.acme.example", false),
		Entry(nil, "http://[::2]", false),
		Entry(nil, "ftp://hooks.acme.example", false),
		Entry(nil, "hooks.acme.example", false),
		Entry(nil, "https://", false),
		Entry(nil, "https://:443", false),
		Entry(nil, "https:hooks.acme.example", false),
		Entry(nil, "https://maria@hooks.acme.example", false),
		Entry(nil, "https://hooks.acme.example/?", false),
		Entry(nil, "https://hooks.acme.example?a=b", false),
		Entry(nil, "https://hooks.acme.example/#", false),
		Entry(nil, "https://hooks acme.example", false),
		Entry(nil, "", false),
	)
})

var _ = Describe("A proof", func() {
	It("is of one channel, one nonce, one digest and one key", func() {
		proof := hook.Proof(key, uidA, "nonce", "digest")
		Expect(hook.Proof(key, uidA, "nonce", "digest")).To(Equal(proof))
		for _, another := range []string{
			hook.Proof(other, uidA, "nonce", "digest"), hook.Proof(key, uidB, "nonce", "digest"), hook.Proof(key, uidA, "nonc", "edigest"),
			hook.Proof(key, uidA, "nonce\x00digest", ""), hook.Proof(key, uidA, "nonce", "other"),
		} {
			Expect(another).NotTo(Equal(proof))
		}
	})
})

var _ = Describe("A digest", func() {
	It("differs for different keys, and shows none of them", func() {
		digest := hook.Digest(key, values("a", "1", "b", "2"))
		Expect(digest).To(MatchRegexp(`^[0-9a-f]{32}$`))
		Expect(hook.Digest(key, values("b", "2", "a", "1"))).To(Equal(digest))
		for _, another := range []credentials.Values{
			values("a", "1"), values("a", "2", "b", "1"), values("a", "1\x00b\x002"), values("a1", "b2"), values("a", "1b", "", "2"), nil,
		} {
			Expect(hook.Digest(key, another)).NotTo(Equal(digest))
		}
		Expect(hook.Digest(other, values("a", "1", "b", "2"))).NotTo(Equal(digest))
	})

	It("is of a record's newest keys", func() {
		record := hook.Record{Keys: []hook.KeySet{{Values: values("a", "new")}, {Values: values("a", "old")}}}
		Expect(record.Digest(key)).To(Equal(hook.Digest(key, values("a", "new"))))
		Expect(hook.Record{}.Digest(key)).To(BeEmpty())
	})
})

// FuzzParseToken checks that a token is accepted where, and only where, it is
// the one that Token makes.
func FuzzParseToken(f *testing.F) {
	f.Add(hook.Token(key, uidA))
	f.Add(hook.Token(other, uidA))
	f.Add(uidA + ".")
	f.Add(strings.Repeat("\n", 59))
	f.Add(uidA + ".AAAAAAAAAAAAAAAAAAAAA\xff")
	f.Fuzz(func(t *testing.T, token string) {
		id, ok := hook.ParseToken(key, token)
		if ok != (id != "") {
			t.Fatalf("gave %q and %t", id, ok)
		}
		if ok && hook.Token(key, id) != token {
			t.Fatal("accepted a token that is not the UID's")
		}
		digits := fmt.Sprintf("%x", sha256.Sum256([]byte(token)))
		uid := digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:32]
		if id, ok := hook.ParseToken(key, hook.Token(key, uid)); !ok || id != uid {
			t.Fatalf("did not know its own token of %s", uid)
		}
	})
}
