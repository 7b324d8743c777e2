// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx_test

import (
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
)

var _ = Describe("ParseServerURL", func() {
	DescribeTable("gives the canonical form",
		func(raw, wanted, host string) {
			server, err := httpx.ParseServerURL(raw)
			Expect(err).NotTo(HaveOccurred())
			Expect(server.String()).To(Equal(wanted))
			Expect(server.Host()).To(Equal(host))
			Expect(wanted).To(HavePrefix(server.Scheme() + "://"))
			Expect(server.IsZero()).To(BeFalse())
		},
		Entry("plain", "https://bsky.social", "https://bsky.social", "bsky.social"),
		Entry("a slash", "https://bsky.social/", "https://bsky.social", "bsky.social"),
		Entry("capitals", "HTTPS://Bsky.SOCIAL", "https://bsky.social", "bsky.social"),
		Entry("the scheme's own port", "https://bsky.social:443", "https://bsky.social", "bsky.social"),
		Entry("the scheme's own port, http", "http://bsky.social:0080", "http://bsky.social", "bsky.social"),
		Entry("another port", "https://bsky.social:8443/", "https://bsky.social:8443", "bsky.social:8443"),
		Entry("the other scheme's port", "https://bsky.social:80", "https://bsky.social:80", "bsky.social:80"),
		Entry("a service of the cluster", "http://gotosocial.social.svc:8080", "http://gotosocial.social.svc:8080", "gotosocial.social.svc:8080"),
		Entry("a single label", "http://pds", "http://pds", "pds"),
		Entry("umlauts", "https://bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
		Entry("umlauts in ASCII", "https://XN--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
		Entry("wide letters", "https://ｂｓｋｙ.social", "https://bsky.social", "bsky.social"),
		Entry("IPv4", "http://192.0.2.7:3000", "http://192.0.2.7:3000", "192.0.2.7:3000"),
		Entry("wide digits", "http://１９２.0.2.7", "http://192.0.2.7", "192.0.2.7"),
		Entry("IPv6", "https://[2001:DB8:0::1]", "https://[2001:db8::1]", "[2001:db8::1]"),
		Entry("IPv6 and a port", "https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
	)

	DescribeTable("refuses the rest in words, without repeating it",
		func(raw, wanted string) {
			_, err := httpx.ParseServerURL(raw)
			Expect(err).To(MatchError(ContainSubstring(wanted)))
			Expect(err.Error()).NotTo(ContainSubstring("secret"))
		},
		Entry("nothing", "", "is empty"),
		Entry("no scheme", "secret.example", "no scheme"),
		Entry("a host and port", "secret.example:443", "no scheme"),
		Entry("another scheme", "ftp://secret.example", "scheme other than"),
		Entry("a file", "file:///secret", "scheme other than"),
		Entry("no host", "https://", "no host"),
		Entry("only a port", "https://:443", "no host"),
		Entry("a user", "https://secret@b.example", "user name or password"),
		Entry("a password", "https://a:secret@b.example", "user name or password"),
		Entry("an empty user", "https://@b.example", "user name or password"),
		Entry("a path", "https://b.example/secret", "has a path"),
		Entry("two slashes", "https://b.example//", "has a path"),
		Entry("a query", "https://b.example?secret", "has a query"),
		Entry("an empty query", "https://b.example/?", "has a query"),
		Entry("a fragment", "https://b.example#secret", "has a fragment"),
		Entry("an empty fragment", "https://b.example/#", "has a fragment"),
		Entry("a line break", "https://b.example\n", "control character"),
		Entry("a NUL", "https://b.example\x00secret", "control character"),
		Entry("a C1 control", "https://b.example\u0085", "control character"),
		Entry("a space", "https://b.example ", "space"),
		Entry("a space before", " https://b.example", "space"),
		Entry("a backslash", `https://b.example\secret`, "cannot be parsed"),
		Entry("percent signs", "https://b%2eexample", "cannot be parsed"),
		Entry("a percent-encoded zone", "https://[fe80::1%25eth0]", "zone"),
		Entry("port 0", "https://b.example:0", "port"),
		Entry("port 65536", "https://b.example:65536", "port"),
		Entry("a word as port", "https://b.example:https", "cannot be parsed"),
		Entry("no port", "https://b.example:", "colon without a port"),
		Entry("a dot at the end", "https://b.example.", "dot at its end"),
		Entry("a wide dot at the end", "https://b.example。", "not a valid"),
		Entry("two dots", "https://b..example", "not a valid"),
		Entry("an underscore", "https://b_c.example", "not a valid"),
		Entry("a hyphen at the start", "https://-b.example", "not a valid"),
		Entry("a bad encoding", "https://xn--a.example", "not a valid"),
		Entry("a long label", "https://"+strings.Repeat("a", 64)+".example", "not a valid"),
		Entry("a long name", "https://"+strings.Repeat("a.", 127)+"example", "longer than any domain name"),
		Entry("a long URL", "https://b.example/"+strings.Repeat("a", 3000), "longer than"),
		Entry("bytes that are not UTF-8", "https://b\xfe.example", "not a valid"),
		Entry("mixed directions", "https://aא.example", "not a valid"),
		Entry("IPv4 in one number", "http://2130706433", "ends in a number"),
		Entry("IPv4 in octal", "http://0177.0.0.1", "ends in a number"),
		Entry("IPv4 in hex", "http://0x7f000001", "ends in a number"),
		Entry("short IPv4", "http://127.1", "ends in a number"),
		Entry("IPv4 as IPv6", "https://[::ffff:10.0.0.1]", "write it as IPv4"),
		Entry("IPv4 in brackets", "https://[10.0.0.1]", "cannot be parsed"),
		Entry("IPv6 without brackets", "https://::1", "cannot be parsed"),
	)

	It("builds URLs on the server", func() {
		server, err := httpx.ParseServerURL("https://b.example:8443/")
		Expect(err).NotTo(HaveOccurred())
		Expect(server.URL("/api/v1/apps", nil)).To(Equal("https://b.example:8443/api/v1/apps"))
		Expect(server.URL("xrpc/x", url.Values{"q": {"a b"}, "n": {"1"}})).To(Equal("https://b.example:8443/xrpc/x?n=1&q=a+b"))
		Expect(server.URL("", nil)).To(Equal(server.String()))
		Expect(httpx.ServerURL{}.String()).To(BeEmpty())
		Expect(httpx.ServerURL{}.IsZero()).To(BeTrue())
	})

	It("makes equal servers comparable", func() {
		a, err := httpx.ParseServerURL("https://Bücher.example:443/")
		Expect(err).NotTo(HaveOccurred())
		b, err := httpx.ParseServerURL("https://xn--bcher-kva.example")
		Expect(err).NotTo(HaveOccurred())
		Expect(a).To(Equal(b))
	})
})

func FuzzParseServerURL(f *testing.F) {
	for _, seed := range []string{
		"https://bsky.social", "http://[::1]:80/", "https://bücher.example:8443", "https://a:b@c", "https://%41.example",
		"http://0x7f.1", "https://a.example/?#", "HTTPS://A.EXAMPLE:443", "https://１.2.3.4", "https://a。b", "https://xn--a",
		"http://[fe80::1%25en0]", "https://a\u00adb.example", "https://ß.example", "//a", "https:a", "\x00", "http://0\xfe", "https://%ff.example",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		server, err := httpx.ParseServerURL(raw)
		if err != nil {
			if !server.IsZero() {
				t.Fatalf("%q: a server beside an error", raw)
			}
			return
		}
		canonical := server.String()
		again, err := httpx.ParseServerURL(canonical)
		if err != nil || again != server || again.String() != canonical {
			t.Fatalf("%q: the canonical form %q is not stable: %v, %v", raw, canonical, again, err)
		}
		u, err := url.Parse(canonical)
		if err != nil || u.Host != server.Host() || u.Scheme != server.Scheme() || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q: %q is not a bare server URL: %+v, %v", raw, canonical, u, err)
		}
		if strings.ContainsFunc(canonical, func(r rune) bool { return r <= ' ' || r >= 0x7f || r >= 'A' && r <= 'Z' }) {
			t.Fatalf("%q: %q holds a character that it must not", raw, canonical)
		}
		if strings.HasSuffix(u.Hostname(), ".") {
			t.Fatalf("%q: %q ends in a dot", raw, canonical)
		}
	})
}
