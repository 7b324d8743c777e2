// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
)

var _ = DescribeTable("An address is opened by its scheme",
	func(url, way string) {
		notifier, err := newOpener(nil).Open(address(url))
		Expect(err).NotTo(HaveOccurred())
		Expect(notifier.Way()).To(Equal(way))
	},
	Entry(nil, "alertmanager+https://am.example/prefix", "alertmanager"),
	Entry(nil, "alertmanager+http://alertmanager.monitoring.svc:9093", "alertmanager"),
	Entry(nil, "Alertmanager+https://am-0.example:9093,am-1.example,[2001:db8::1]:9093/prefix", "alertmanager"),
	Entry(nil, "pagerduty://"+routingKey, "pagerduty"),
	Entry(nil, "PagerDuty://"+routingKey+"?region=eu", "pagerduty"),
	Entry(nil, "slack+https://hooks.slack.com"+slackPath, "slack"),
	Entry(nil, "smtp://u:p@mail.example", "email"),
	Entry(nil, "smtps://u:p@[2001:db8::1]:465?to=a@b.example", "email"),
	Entry(nil, " https://desk.example/x?y=z \n", "webhook"),
	Entry(nil, "webhook+http://desk.team-a.svc/x", "webhook"),
	Entry(nil, "telegram://"+botToken+"@telegram?chats=@brand", "telegram"),
	Entry(nil, "discord://token@1234", "discord"),
	Entry(nil, "ntfy://ntfy.sh/topic?tags=rotating_light", "ntfy"),
)

var _ = DescribeTable("An address that cannot be used says why, and is not shown",
	func(url, says string, extra ...string) {
		_, err := newOpener(nil).Open(address(url, extra...))
		Expect(err).To(MatchError(ContainSubstring(says)))
		Expect(fmt.Sprintf("%v %+v %#v", err, err, err)).NotTo(ContainSubstring(mark))
	},
	Entry("nothing", " \n", "empty"),
	Entry("endless", "https://a.example/"+strings.Repeat(mark, 1000), "longer"),
	Entry("no URL", "smtp://u:"+mark+"/x@mail.example", "%2F"),
	Entry("no scheme", mark, "no scheme"),
	Entry("unknown scheme", mark+"://x", "begins with none of"),
	Entry("Alertmanager with a password in it", "alertmanager+https://u:"+mark+"@am.example", "keys username and password"),
	Entry("Alertmanager with a path too many", "alertmanager+https://am.example/"+mark+"/api/v2/alerts", "before /api"),
	Entry("Alertmanager with a query", "alertmanager+https://am.example?x="+mark, "knows none"),
	Entry("Alertmanager without host", "alertmanager+https:///"+mark, "Alertmanager"),
	Entry("Alertmanager with a host that is none", "alertmanager+https://am.example,/"+mark, "Alertmanager"),
	Entry("Alertmanager with a password in another host", "alertmanager+https://am.example,u:"+mark+"@b.example", "Alertmanager"),
	Entry("Alertmanagers without end", "alertmanager+https://a"+strings.Repeat(",a", 8), "more than 8"),
	Entry("Alertmanager with half a credential", "alertmanager+https://am.example", "both or neither", "password", mark),
	Entry("PagerDuty with a short key", "pagerduty://"+mark, "32 letters"),
	Entry("PagerDuty with a path", "pagerduty://"+routingKey+"/"+mark, "32 letters"),
	Entry("PagerDuty elsewhere", "pagerduty://"+routingKey+"?region="+mark, "us or eu"),
	Entry("PagerDuty with an unknown option", "pagerduty://"+routingKey+"?"+mark+"=1", "it knows region"),
	Entry("PagerDuty with two regions", "pagerduty://"+routingKey+"?region=eu&region="+mark, "more than once"),
	Entry("Slack's own URL", "https://hooks.slack.com"+slackPath, "slack+https://"),
	Entry("Slack without a path", "slack+https://hooks.slack.com/?"+mark, "knows none"),
	Entry("Slack as the library writes it", "slack://"+mark+"@channel", "slack+https://"),
	Entry("mail without a host", "smtp://u:"+mark+"@", "smtp://USER"),
	Entry("mail with a path", "smtp://u:p@mail.example/"+mark, "smtp://USER"),
	Entry("mail to nobody", "smtp://mail.example?to="+mark, "recipient"),
	Entry("mail to a plus", "smtp://mail.example?to=a+"+mark+"@b.example", "%2B"),
	Entry("mail from nobody", "smtp://mail.example?from="+mark, "sender"),
	Entry("mail to a crowd", "smtp://mail.example?to="+strings.Repeat("a@b.example,", 11)+"a@b.example", "recipients"),
	Entry("mail with half a credential", "smtp://"+mark+"@mail.example", "both or neither"),
	Entry("mail with two credentials", "smtp://u:"+mark+"@mail.example", "take one", "username", mark),
	Entry("mail in clear with a password", "smtp://u:"+mark+"@mail.example?tls=none", "tls=none"),
	Entry("mail with another kind of TLS", "smtp://mail.example?tls="+mark, "tls is none"),
	Entry("mail at no port", "smtp://mail.example:0", "port"),
	Entry("a webhook with a password", "https://u:"+mark+"@desk.example", "user name"),
	Entry("a webhook with a bad secret", "https://desk.example/"+mark, "whsec_", "signingSecret", mark),
	Entry("a webhook with a fragment", "https://desk.example/#"+mark, "fragment"),
	Entry("Telegram without a chat", "telegram://"+botToken+"@telegram", "one chat"),
	Entry("Telegram with two chats", "telegram://"+botToken+"@telegram?chats=1,2", "one chat"),
	Entry("Telegram with a bad token", "telegram://"+mark+"@telegram?chats=1", "one chat"),
	Entry("Telegram elsewhere", "telegram://"+botToken+"@evil.example?chats=1", "one chat"),
	Entry("a service without its parts", "ntfy://u:"+mark+"@ntfy.sh", "not complete"),
	Entry("a service with an unknown option", "ntfy://ntfy.sh/x?"+mark+"=1", "not complete"),
)

var _ = It("Mail needs a sender", func() {
	opener, err := notify.New(notify.Options{HTTP: newClient(nil)})
	Expect(err).NotTo(HaveOccurred())
	_, err = opener.Open(address("smtp://mail.example"))
	Expect(err).To(MatchError(ContainSubstring("from=")))
	_, err = notify.New(notify.Options{HTTP: newClient(nil), From: "nobody"})
	Expect(err).To(HaveOccurred())
	_, err = notify.New(notify.Options{})
	Expect(err).To(HaveOccurred())
})

// ways over HTTP, each with secrets in its address, at a fake.
func addresses(at *fake) map[string]notify.Address {
	return map[string]notify.Address{
		"alertmanager": address("alertmanager+"+at.URL+"/"+mark, "username", mark, "password", mark),
		"pagerduty":    address("pagerduty://" + routingKey),
		"slack":        address("slack+" + at.URL + slackPath),
		"webhook":      address(at.URL+"/"+mark+"?token="+mark, "signingSecret", signingSecret),
		"telegram":     address("telegram://" + botToken + "@telegram?chats=1"),
		"gotify":       address(serviceURL("gotify", at.host())),
		"mattermost":   address(serviceURL("mattermost", at.host())),
		"ntfy":         address(serviceURL("ntfy", at.host())),
		"rocketchat":   address(serviceURL("rocketchat", at.host())),
	}
}

// misbehaviour of another side, and what is to be said of it.
type misbehaviour struct {
	answer    func(http.ResponseWriter, request)
	permanent bool
	code      int
	// status tells that there is one of success, for which alone a webhook waits.
	status bool
}

func misbehaviours() map[string]misbehaviour {
	all := map[string]misbehaviour{
		"a redirect": {answer: func(w http.ResponseWriter, r request) {
			w.Header().Set("Location", "https://elsewhere.example/"+mark+"?"+r.query)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, permanent: true},
		"a lost answer":         {answer: func(http.ResponseWriter, request) { panic(http.ErrAbortHandler) }},
		"an answer without end": {answer: func(w http.ResponseWriter, _ request) { _, _ = w.Write(make([]byte, 1<<20)) }, status: true},
		"half an answer": {answer: func(w http.ResponseWriter, _ request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		}, status: true},
		"an answer that is late": {answer: func(http.ResponseWriter, request) { <-time.After(300 * time.Millisecond) }},
	}
	for code, permanent := range map[int]bool{400: true, 401: true, 403: true, 404: true, 410: true, 408: false, 425: false, 429: false, 500: false, 503: false} {
		all[fmt.Sprint("status ", code)] = misbehaviour{answer: status(code), permanent: permanent, code: code}
	}
	return all
}

var _ = Describe("No secret is in any error, and each is classed", func() {
	for what, bad := range misbehaviours() {
		It(what, func(ctx context.Context) {
			at := serve(bad.answer)
			opener := newOpener(at, func(o *httpx.Options) { o.Timeout, o.MaxWait = 150*time.Millisecond, 50*time.Millisecond })
			for way, a := range addresses(at) {
				before := len(at.requests())
				notifier := open(opener, a)
				if bad.status && way == "webhook" {
					Expect(notifier.Tell(ctx, told())).To(Succeed())
					continue
				}
				failure := failureOf(notifier.Tell(ctx, told()))
				By(failure.Error())
				Expect(failure.Way).To(Equal(way))
				Expect(failure.Error()).To(HavePrefix(way + ": "))
				Expect(failure.Permanent).To(Equal(bad.permanent), "%s", failure)
				Expect(failure.Status).To(Equal(bad.code), "%s", failure)
				if bad.code != 0 {
					Expect(failure.RetryAfter).To(BeNumerically("~", 77*time.Second, 5*time.Second), "%s", failure)
				} else if !bad.permanent {
					Expect(failure.MaybeTold).To(BeTrue(), "%s", failure)
				}
				Expect(at.requests()).To(HaveLen(before+1), "%s tried by itself", way)
				if closer, ok := notifier.(notify.Closer); ok {
					failureOf(closer.Close(ctx, notify.Closing{Incident: mark}))
				}
			}
		})
	}

	It("a server that is not there, or must not be called", func(ctx context.Context) {
		at := serve(status(200))
		gone := newOpener(at)
		for _, a := range addresses(at) {
			refused := failureOf(open(newOpener(at, func(o *httpx.Options) { o.AllowedPrivate = nil }), a).Tell(ctx, told()))
			Expect(refused.Permanent).To(BeTrue())
			Expect(httpx.KindOf(refused)).To(Equal(httpx.KindAddressRefused))
		}
		Expect(at.requests()).To(BeEmpty())
		at.Close()
		for _, a := range addresses(at) {
			failure := failureOf(open(gone, a).Tell(ctx, told()))
			Expect(failure.Permanent).To(BeFalse())
			Expect(failure.MaybeTold).To(BeFalse())
		}
	})

	It("an address that fails keeps nobody else at the same server from being told", func(ctx context.Context) {
		at := serve(func(w http.ResponseWriter, r request) {
			if strings.Contains(r.path+string(r.body), "other") {
				w.WriteHeader(http.StatusAccepted)
				return
			}
			w.WriteHeader(http.StatusInternalServerError)
		})
		opener := newOpener(at, func(o *httpx.Options) { o.BreakerAfter, o.BreakerPerAccount = 2, true })
		for broken, sound := range map[string]string{
			"pagerduty://" + routingKey: "pagerduty://other" + routingKey[5:],
			at.URL + "/one":             at.URL + "/other",
		} {
			for range 2 {
				Expect(failureOf(open(opener, address(broken)).Tell(ctx, told())).Status).To(Equal(http.StatusInternalServerError))
			}
			Expect(httpx.KindOf(failureOf(open(opener, address(broken)).Tell(ctx, told())))).To(Equal(httpx.KindBreakerOpen))
			Expect(open(opener, address(sound)).Tell(ctx, told())).To(Succeed())
		}
	})

	It("an address or a notifier that is printed", func() {
		at := serve(status(200))
		for _, a := range addresses(at) {
			notifier := open(newOpener(at), a)
			Expect(fmt.Sprintf("%v %+v", a, a)).NotTo(ContainSubstring(mark))
			Expect(fmt.Sprintf("%v", notifier)).NotTo(ContainSubstring(mark))
		}
	})
})

// FuzzOpen finds no address that makes Open fall over or show it.
func FuzzOpen(f *testing.F) {
	for _, seed := range [][2]string{
		{"alertmanager+https://", "@am.example"},
		{"alertmanager+https://a:9093,", ",b:x/prefix"},
		{"pagerduty://", "?region=eu"},
		{"pagerduty://0123456789abcdef012345", ""},
		{"slack+https://hooks.slack.com/services/", ""},
		{"smtp://u:", "@mail.example:587?to=a@b.example"},
		{"smtps://mail.example:", ""},
		{"smtp://mail.example?from=", "@b.example&to=%22"},
		{"https://desk.example/", "#x"},
		{"webhook+http://[::1", "]:1/"},
		{"telegram://123:", "@telegram?chats=1"},
		{"discord://", "@1"},
		{"ntfy://u:", "@h/t?priority=9"},
		{"gotify://h/", "?extras={"},
		{"mattermost://h/", "?icon=x"},
		{"rocketchat://h/a/b/", "#"},
		{"pushover://x:", "@y?devices=,"},
		{"matrix://", ""},
		{"", "://x"},
		{"\x00", ""},
	} {
		f.Add(seed[0], seed[1], "u", "whsec_")
	}
	client, err := httpx.New(httpx.Options{UserAgent: "rostra-test/1"})
	if err != nil {
		f.Fatal(err)
	}
	opener, err := notify.New(notify.Options{HTTP: client, From: "rostra@brand.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, before, after, username, secret string) {
		a := address(before+mark+after, "username", username, "password", mark, "signingSecret", secret+mark)
		notifier, err := opener.Open(a)
		switch {
		case err == nil && !slices.Contains(notify.Ways(), notifier.Way()):
			t.Fatalf("the way %q is not one of the set", notifier.Way())
		case err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(mark)):
			t.Fatalf("%q shows the address", err)
		}
	})
}

// FuzzTidy finds no message that stays larger than is promised, or that holds
// what is not text.
func FuzzTidy(f *testing.F) {
	f.Add("Nobody\r\nBcc: x", "a\u202eb\u2028c\x00", "https://bsky.app/profile/x")
	f.Add(strings.Repeat("é", 5000), "\xff\xfe", "javascript:alert(1)")
	f.Fuzz(func(t *testing.T, title, excerpt, link string) {
		m := notify.Tidy(notify.Message{Title: title, Excerpt: excerpt, Link: link, Facts: []notify.Fact{{Name: excerpt, Value: title}}})
		for _, text := range []string{m.Title, strings.ReplaceAll(m.Excerpt, "\n", "")} {
			if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) || utf8.RuneCountInString(text) > 1000 {
				t.Fatalf("%q is not tidy", text)
			}
		}
		if m.Link != "" && !strings.HasPrefix(m.Link, "https://") && !strings.HasPrefix(m.Link, "http://") {
			t.Fatalf("%q is no link", m.Link)
		}
	})
}

var _ = It("A message without what makes it fold is not sent", func(ctx context.Context) {
	at := serve(status(200))
	for _, change := range []func(*notify.Message){
		func(m *notify.Message) { m.ID = "" },
		func(m *notify.Message) { m.Incident = "" },
		func(m *notify.Message) { m.At = time.Time{} },
	} {
		m := told()
		change(&m)
		for _, a := range addresses(at) {
			Expect(failureOf(open(newOpener(at), a).Tell(ctx, m)).Permanent).To(BeTrue())
		}
	}
	Expect(at.requests()).To(BeEmpty())
})
