// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/seal"
)

func TestSeal(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Seal")
}

var (
	key     = bytes.Repeat([]byte{7}, 32)
	another = bytes.Repeat([]byte{8}, 32)
)

var _ = Describe("A token", func() {
	It("gives its body to the holder of the key", func() {
		body, ok := seal.Open(key, "this", seal.Seal(key, "this", "a.b"))
		Expect(ok).To(BeTrue())
		Expect(body).To(Equal("a.b"))
	})

	// Links that are out in the world must not lose their worth with an update.
	It("is written as it always was", func() {
		Expect(seal.Seal(key, "this", "a."+seal.WriteTime(time.Unix(1767225600, 0)))).To(Equal("a.t85s00.IKMbiNKbw0PInLfb6e6iNQ"))
	})

	DescribeTable("is refused", func(change func(token string) string) {
		body, ok := seal.Open(key, "this", change(seal.Seal(key, "this", "a.b")))
		Expect(ok).To(BeFalse())
		Expect(body).To(BeEmpty(), "what is not ours is not read")
	},
		Entry("with another body", func(s string) string { return "x" + s }),
		Entry("cut short", func(s string) string { return s[:len(s)-1] }),
		Entry("with more behind", func(s string) string { return s + "=" }),
		Entry("without a MAC", func(string) string { return "a.b" }),
		Entry("of nothing", func(string) string { return "" }),
		Entry("for another purpose", func(string) string { return seal.Seal(key, "that", "a.b") }),
		Entry("with another key", func(string) string { return seal.Seal(another, "this", "a.b") }),
		Entry("when it is too long", func(string) string { return seal.Seal(key, "this", strings.Repeat("a", seal.MaxToken)) }),
	)

	It("keeps its parts apart", func() {
		Expect(seal.Sign(key, "this", "ab", "c")).NotTo(Equal(seal.Sign(key, "this", "a", "bc")))
	})

	It("keeps times to the second", func() {
		at := time.Date(2026, 11, 22, 12, 0, 1, 999, time.UTC)
		read, ok := seal.ReadTime(seal.WriteTime(at))
		Expect(ok).To(BeTrue())
		Expect(read).To(BeTemporally("==", at.Truncate(time.Second)))
		_, ok = seal.ReadTime("é")
		Expect(ok).To(BeFalse())
	})
})

// FuzzOpen opens nothing but what was sealed.
func FuzzOpen(f *testing.F) {
	good := seal.Seal(key, "this", "a.b")
	for _, seed := range []string{good, good[1:], good + ".", "", ".", strings.ToUpper(good), "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		body, ok := seal.Open(key, "this", token)
		if ok && seal.Seal(key, "this", body) != token || token == good && !ok {
			t.Fatalf("opened %q as %q", token, body)
		}
	})
}
