// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
)

// gotifyToken has the 15 characters, A first, that Gotify's have.
const gotifyToken = "A" + mark + "abcd"

// serviceURL of each service of the library, on a host.
func serviceURL(scheme, host string) string {
	switch scheme {
	case "discord":
		return "discord://" + mark + "@123456789"
	case "pushover":
		return "pushover://shoutrrr:" + mark + "@userkey"
	case "gotify":
		return "gotify://" + host + "/" + gotifyToken
	case "mattermost":
		return "mattermost://" + host + "/" + mark
	case "ntfy":
		return "ntfy://user:" + mark + "@" + host + "/topic"
	case "rocketchat":
		return "rocketchat://" + host + "/" + mark + "/" + mark + "/channel"
	}
	return scheme + "://" + host + "/" + mark
}

// viaDirect is a transport without a network.
type viaDirect struct{ got []request }

func (v *viaDirect) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	v.got = append(v.got, request{r.URL.String(), r.URL.RawQuery, r.Header, body})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, err
}

var _ = Describe("A service of the library", func() {
	for _, scheme := range notify.Services() {
		It(scheme+" goes through the rules of egress", func(ctx context.Context) {
			opener := newOpener(nil, func(o *httpx.Options) { o.AllowedPrivate, o.Resolver = nil, inner() })
			failure := failureOf(open(opener, address(serviceURL(scheme, "10.1.2.3:8443"))).Tell(ctx, told()))
			Expect(httpx.KindOf(failure)).To(Or(Equal(httpx.KindAddressRefused), Equal(httpx.KindDNS)))
			if scheme != "discord" && scheme != "pushover" {
				Expect(failure.Permanent).To(BeTrue())
			}
		})

		It(scheme+" uses the client that it is given", func() {
			u, err := url.Parse(serviceURL(scheme, "service.example"))
			Expect(err).NotTo(HaveOccurred())
			via := &viaDirect{}
			sender, err := notify.Build(u, &http.Client{Transport: via})
			Expect(err).NotTo(HaveOccurred())
			Expect(sender.Send("text", &types.Params{})).To(Succeed())
			Expect(via.got).To(HaveLen(1))
		})
	}

	for _, scheme := range []string{"gotify", "mattermost", "ntfy", "rocketchat"} {
		It(scheme+" is told once", func(ctx context.Context) {
			at := serve(func(w http.ResponseWriter, _ request) { _, _ = io.WriteString(w, `{"id":1}`) })
			notifier := open(newOpener(at), address(serviceURL(scheme, at.host())))
			Expect(notifier.Way()).To(Equal(scheme))
			for range 2 { // the URL is not changed by use
				Expect(notifier.Tell(ctx, told())).To(Succeed())
			}
			Expect(at.requests()).To(HaveLen(2))
			first := at.requests()[0]
			said := string(first.body) + first.header.Get("Title")
			Expect(said).To(ContainSubstring("Nobody has answered"))
			Expect(said).To(ContainSubstring("https://rostra.brand.example/ack/" + mark))
			Expect(first.header.Get("User-Agent")).To(Equal("rostra-test/1"))
		})

		DescribeTable(scheme+" fails as its server does, and does not try by itself",
			func(ctx context.Context, code int, permanent bool) {
				at := serve(status(code))
				failure := failureOf(open(newOpener(at), address(serviceURL(scheme, at.host()))).Tell(ctx, told()))
				Expect(failure.Status).To(Equal(code))
				Expect(failure.Permanent).To(Equal(permanent))
				Expect(at.requests()).To(HaveLen(1))
			},
			Entry(nil, http.StatusForbidden, true),
			Entry(nil, http.StatusTooManyRequests, false),
			Entry(nil, http.StatusBadGateway, false),
		)
	}

	It("lets a stranger mention nobody", func(ctx context.Context) {
		at := serve(func(http.ResponseWriter, request) {})
		m := told()
		m.Excerpt = "@all [here](https://evil.example)"
		Expect(open(newOpener(at), address(serviceURL("mattermost", at.host()))).Tell(ctx, m)).To(Succeed())
		Expect(string(at.requests()[0].body)).NotTo(Or(ContainSubstring("@all"), ContainSubstring("](")))
	})

	It("lets a stranger pass off no link as Rostra's", func() {
		m := told()
		m.Title = "Nobody has answered [@help](https://evil.example)"
		m.Excerpt = "@everyone <@1> [I have it](https://evil.example) [I have it][1]"
		for _, scheme := range []string{"discord", "mattermost", "rocketchat"} {
			title, text, err := newOpener(nil).Say(serviceURL(scheme, "service.example"), notify.Tidy(m))
			Expect(err).NotTo(HaveOccurred())
			Expect(title+text).NotTo(Or(ContainSubstring("]("), ContainSubstring("]["), ContainSubstring("@everyone"), ContainSubstring("<@"), ContainSubstring("@help")), scheme)
			Expect(text).To(ContainSubstring("\n\nI have it: https://rostra.brand.example/ack/"+mark), "its own link is whole")
		}
	})

	DescribeTable("that dials by itself is refused, with what to do",
		func(scheme string) {
			_, err := newOpener(nil).Open(address(scheme + "://" + mark + "@host.example/" + mark))
			Expect(err).To(MatchError(HavePrefix(scheme + ":// is not among the ways to tell: ")))
			Expect(err.Error()).NotTo(ContainSubstring(mark))
		},
		Entry(nil, "teams"), Entry(nil, "matrix"), Entry(nil, "opsgenie"), Entry(nil, "zulip"), Entry(nil, "signal"),
		Entry(nil, "bark"), Entry(nil, "ifttt"), Entry(nil, "join"), Entry(nil, "pushbullet"), Entry(nil, "googlechat"),
		Entry(nil, "slack"), Entry(nil, "generic"), Entry(nil, "logger"),
	)
})
