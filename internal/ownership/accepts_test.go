// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

func accepting(accepts ...v1alpha1.AcceptedChannels) *v1alpha1.Team {
	made := team("care", member("maria"))
	made.Spec.Accepts = accepts
	return made
}

func channels(namespace string, patterns ...string) v1alpha1.AcceptedChannels {
	return v1alpha1.AcceptedChannels{Namespace: namespace, Channels: patterns}
}

// oracle says whether a pattern matches, by other means.
func oracle(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*") + `\z`).MatchString(name)
}

var _ = Describe("Accepts", Label("S7"), func() {
	DescribeTable("a pattern",
		func(pattern, name string, accepted bool) {
			Expect(ownership.Accepts(accepting(channels("social", pattern)), "social", name)).To(Equal(accepted))
			Expect(oracle(pattern, name)).To(Equal(accepted), "the oracle agrees")
		},
		Entry("the name itself", "acme-help", "acme-help", true),
		Entry("a longer name", "acme-help", "acme-help-2", false),
		Entry("a shorter name", "acme-help", "acme", false),
		Entry("another case", "acme-help", "ACME-HELP", false),
		Entry("all", "*", "acme-help", true),
		Entry("all, twice", "**", "acme-help", true),
		Entry("a beginning", "help-*", "help-de", true),
		Entry("a beginning and nothing more", "help-*", "help-", true),
		Entry("a beginning that is not there", "help-*", "acme-help-de", false),
		Entry("an end", "*-help", "acme-help", true),
		Entry("an end that is not there", "*-help", "acme-help-de", false),
		Entry("a middle", "*help*", "acme-help-de", true),
		Entry("both ends", "acme-*-de", "acme-help-de", true),
		Entry("both ends that would overlap", "acme*me", "acme", false),
		Entry("both ends side by side", "ac*me", "acme", true),
		Entry("a star for nothing at all", "a*b*c", "abc", true),
		Entry("the parts out of order", "a*c*b", "a-b-c", false),
		Entry("the parts out of order, in the middle", "*c*b*", "a-b-c", false),
		Entry("one part for two", "*b*b*", "abc", false),
		Entry("two parts side by side", "*b*b*", "abbc", true),
		Entry("the last occurrence counts for the end", "*ab", "abab", true),
		Entry("the middle is not part of the end", "*ab*ab", "ab", false),
		Entry("the middle and the end side by side", "*ab*ab", "abab", true),
		Entry("a dot is a dot", "a.b", "axb", false),
		Entry("a question mark is nothing special", "a?b", "axb", false),
		Entry("brackets are nothing special", "[a-z]", "b", false),
	)

	It("is asked for each namespace on its own", func() {
		care := accepting(channels("social", "help-*"), channels("press", "news", "press-*"))
		Expect(ownership.Accepts(care, "social", "help-de")).To(BeTrue())
		Expect(ownership.Accepts(care, "social", "news")).To(BeFalse())
		Expect(ownership.Accepts(care, "press", "help-de")).To(BeFalse())
		Expect(ownership.Accepts(care, "press", "news")).To(BeTrue())
		Expect(ownership.Accepts(care, "press", "press-de")).To(BeTrue())
		Expect(ownership.Accepts(care, "pres", "news")).To(BeFalse())
	})

	It("reads no pattern in a namespace", func() {
		Expect(ownership.Accepts(accepting(channels("*", "*")), "social", "help")).To(BeFalse())
	})

	It("is no where nothing is said", func() {
		Expect(ownership.Accepts(accepting(), "social", "help")).To(BeFalse())
		Expect(ownership.Accepts(accepting(channels("social")), "social", "help")).To(BeFalse())
	})

	It("agrees with a regular expression", func() {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			pattern := rapid.StringMatching(`[ab*]{1,10}`).Draw(t, "pattern")
			name := rapid.StringMatching(`[ab]{0,12}`).Draw(t, "name")
			got := ownership.Accepts(accepting(channels("social", pattern)), "social", name)
			NewWithT(t).Expect(got).To(Equal(oracle(pattern, name)))
		})
	})

	It("is never slow", func() {
		// What takes a backtracking matcher ages: many stars, and a name that
		// almost matches, both as long as the schema allows.
		patterns := make([]string, 64)
		for i := range patterns {
			patterns[i] = strings.Repeat("a*", 126) + "b"
		}
		care := accepting(channels("social", patterns...))
		began := time.Now()
		for range 100 {
			Expect(ownership.Accepts(care, "social", strings.Repeat("a", 253))).To(BeFalse())
		}
		Expect(time.Since(began)).To(BeNumerically("<", 5*time.Second), "6400 worst patterns")
	})
})

// FuzzAccepts compares the patterns with a regular expression.
func FuzzAccepts(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"a", ""},
		{"*", ""},
		{"help-*", "help-de"},
		{"a*b*c", "abc"},
		{"*ab*ab", "ab"},
		{"a**a", "aa"},
		{"a*a", "a"},
		{"*.*", "a.b"},
		{"*\n*", "\n"},
		{"*é", "é"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 253 || len(name) > 253 {
			t.Skip("longer than the schema allows")
		}
		if strings.ToValidUTF8(pattern, "") != pattern || strings.ToValidUTF8(name, "") != name {
			t.Skip("regular expressions work on runes")
		}
		got := ownership.Accepts(accepting(channels("social", pattern)), "social", name)
		if wanted := oracle(pattern, name); got != wanted {
			t.Errorf("pattern %q and name %q: %v, not %v", pattern, name, got, wanted)
		}
	})
}
