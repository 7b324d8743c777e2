// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/mastodon/webpush"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
)

const (
	callback = "https://rostra.example/hooks/mastodon/t0ken"
	payload  = `{"access_token":"s3cret-acc3ss","preferred_locale":"en","notification_id":34975861,"notification_type":"mention","icon":"https://x.example/a.png","title":"Pia mentioned you","body":" anybody there? "}`
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// mail is what a server sends, and the keys to read it with.
type mail struct {
	keys, server webpush.Keys
}

func newMail() (mail, error) {
	keys, err := webpush.NewKeys()
	if err != nil {
		return mail{}, err
	}
	server, err := webpush.NewKeys()
	return mail{keys: keys, server: server}, err
}

func (m mail) set() credentials.Values {
	return credentials.Values{
		keyPrivate: credentials.NewValue(m.keys.Private()),
		keyPublic:  credentials.NewValue(m.keys.Public()),
		keyAuth:    credentials.NewValue(m.keys.Auth()),
		keyServer:  credentials.NewValue(m.server.Public() + "="),
	}
}

func (m mail) delivery(text string, standard bool) (platform.Delivery, error) {
	header, body, err := mastodonfake.EncryptPush(mastodonfake.Push{
		Endpoint: callback, P256dh: m.keys.Public(), Auth: m.keys.Auth(), Standard: standard, Payload: []byte(text),
		VapidPublic: m.server.Public(), VapidPrivate: m.server.Private(), At: noon,
	})
	return platform.Delivery{Method: http.MethodPost, Header: header, Body: body, URL: callback, ReceivedAt: noon}, err
}

func (m mail) receive(delivery platform.Delivery, sets ...credentials.Values) ([]event.Event, error) {
	if sets == nil {
		sets = []credentials.Values{m.set()}
	}
	return at("https://mastodon.example").Receive(delivery, sets)
}

func refusedWith(reason platform.RejectionReason, status int) OmegaMatcher {
	return And(
		BeAssignableToTypeOf(&platform.Rejection{}), HaveField("Reason", reason), HaveField("Status", status), HaveField("Message", Not(BeEmpty())),
	)
}

var _ = Describe("A push", func() {
	var server mail
	BeforeEach(func() {
		var err error
		server, err = newMail()
		Expect(err).NotTo(HaveOccurred())
	})
	sent := func(text string) platform.Delivery {
		GinkgoHelper()
		delivery, err := server.delivery(text, true)
		Expect(err).NotTo(HaveOccurred())
		return delivery
	}

	DescribeTable("becomes an event without the access token in it", func(standard bool) {
		delivery, err := server.delivery(payload, standard)
		Expect(err).NotTo(HaveOccurred())
		events, err := server.receive(delivery)
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(ConsistOf(event.Event{
			ID: "34975861", Kind: event.Mention, Type: "mention", ThreadID: "34975861", Text: "anybody there?", ReceivedAt: noon,
		}))
		encoded, err := json.Marshal(events)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(encoded)).NotTo(ContainSubstring("s3cret"))
	}, Entry("as in RFC 8291", true), Entry("as in its draft", false))

	DescribeTable("says what it is", func(kind string, want event.Kind) {
		events, err := server.receive(sent(`{"notification_id":"01J","notification_type":"` + kind + `"}`))
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(ConsistOf(And(HaveField("Kind", want), HaveField("Type", kind), HaveField("ID", "01J"))))
		thread := ""
		if want == event.Mention {
			thread = "01J"
		}
		Expect(events[0].ThreadID).To(Equal(thread), "what an answer to it is known by")
	},
		Entry(nil, "mention", event.Mention),
		Entry(nil, "status", event.Other),
		Entry(nil, "favourite", event.Other),
		Entry(nil, "admin.report", event.Other),
		Entry(nil, "severed_relationships", event.Other),
		Entry(nil, "moderation_warning", event.Other),
		Entry(nil, "something of next year", event.Other),
	)

	DescribeTable("is not lost to the subscription where the server signed it", func(text string) {
		_, err := server.receive(sent(text))
		Expect(err).To(refusedWith(platform.RejectedContent, http.StatusTooManyRequests))
	},
		Entry("next to nothing", " "),
		Entry("no JSON", "hello"),
		Entry("an array", "[]"),
		Entry("null", "null"),
		Entry("no ID", `{"notification_type":"mention"}`),
		Entry("no type", `{"notification_id":1}`),
		Entry("an ID that is none", `{"notification_id":"../1","notification_type":"mention"}`),
		Entry("an ID that is a fraction", `{"notification_id":1.5,"notification_type":"mention"}`),
		Entry("an ID that is true", `{"notification_id":true,"notification_type":"mention"}`),
		Entry("a negative ID", `{"notification_id":-1,"notification_type":"mention"}`),
		Entry("an ID that is too long", `{"notification_id":"`+strings.Repeat("1", 65)+`","notification_type":"mention"}`),
		Entry("deeply nested", strings.Repeat(`{"a":`, 1500)),
	)

	It("is kept within bounds", func() {
		body, err := json.Marshal(strings.Repeat("a", 15000) + "\x1b[31m")
		Expect(err).NotTo(HaveOccurred())
		events, err := server.receive(sent(`{"notification_id":1,"notification_type":"` + strings.Repeat("b", 900) + `","body":` + string(body) + `}`))
		Expect(err).NotTo(HaveOccurred())
		Expect(events[0]).To(Equal(events[0].Bounded()))
		Expect(events[0].Type).To(HaveLen(event.MaxName))
		Expect(events[0].Text).NotTo(ContainSubstring("\x1b"))
	})

	DescribeTable("is refused", func(change func(*platform.Delivery), reason platform.RejectionReason, status int) {
		delivery := sent(payload)
		change(&delivery)
		_, err := server.receive(delivery)
		Expect(err).To(refusedWith(reason, status))
	},
		Entry("with GET", func(d *platform.Delivery) { d.Method = http.MethodGet }, platform.RejectedForm, http.StatusMethodNotAllowed),
		Entry("without encoding", func(d *platform.Delivery) { d.Header.Del("Content-Encoding") }, platform.RejectedForm, http.StatusUnsupportedMediaType),
		Entry("of ten megabytes", func(d *platform.Delivery) { d.Body = make([]byte, 10<<20) }, platform.RejectedForm, http.StatusRequestEntityTooLarge),
		Entry("of another form", func(d *platform.Delivery) { d.Body = []byte("{}") }, platform.RejectedForm, http.StatusBadRequest),
		Entry("unsigned", func(d *platform.Delivery) { d.Header.Del("Authorization") }, platform.RejectedUnsigned, http.StatusUnauthorized),
		Entry("signed twice", func(d *platform.Delivery) { d.Header.Add("Authorization", "vapid t=a.b.c,k=d") }, platform.RejectedUnsigned, http.StatusUnauthorized),
		Entry("for another callback", func(d *platform.Delivery) { d.URL = "https://elsewhere.example/hooks" }, platform.RejectedSignature, http.StatusForbidden),
		Entry("with a forged signature", func(d *platform.Delivery) {
			name, key, _ := strings.Cut(d.Header.Get("Authorization"), ",k=")
			d.Header.Set("Authorization", name[:len(name)-4]+"AAAA,k="+key)
		}, platform.RejectedSignature, http.StatusForbidden),
		Entry("altered", func(d *platform.Delivery) { d.Body[len(d.Body)-1] ^= 1 }, platform.RejectedSignature, http.StatusTooManyRequests),
		Entry("a day and ten minutes later", func(d *platform.Delivery) { d.ReceivedAt = noon.Add(24*time.Hour + 10*time.Minute) }, platform.RejectedStale, http.StatusTooManyRequests),
		Entry("by a clock ten minutes behind", func(d *platform.Delivery) { d.ReceivedAt = noon.Add(-10 * time.Minute) }, platform.RejectedStale, http.StatusTooManyRequests),
	)

	It("is believed only by the server's key", func() {
		stranger, err := newMail()
		Expect(err).NotTo(HaveOccurred())
		stranger.keys = server.keys
		forged, err := stranger.delivery(payload, true)
		Expect(err).NotTo(HaveOccurred())
		_, err = server.receive(forged)
		Expect(err).To(refusedWith(platform.RejectedSignature, http.StatusForbidden))

		for _, none := range []string{"", "AAAA"} {
			unknown := server.set()
			unknown[keyServer] = credentials.NewValue(none)
			_, err = server.receive(sent(payload), unknown)
			Expect(err).To(refusedWith(platform.RejectedUnsigned, http.StatusTooManyRequests), "the subscription would end otherwise")
		}
		_, err = at("https://mastodon.example").Receive(sent(payload), nil)
		Expect(err).To(refusedWith(platform.RejectedUnsigned, http.StatusTooManyRequests))
	})

	It("is read with any key in force, and kept for later with none", func() {
		older, err := newMail()
		Expect(err).NotTo(HaveOccurred())
		older.server = server.server
		damaged := server.set()
		damaged[keyAuth] = credentials.NewValue("AAAA")
		Expect(server.receive(sent(payload), older.set(), damaged, server.set())).To(HaveLen(1))
		_, err = server.receive(sent(payload), older.set(), damaged)
		Expect(err).To(refusedWith(platform.RejectedSignature, http.StatusTooManyRequests))
	})

	It("is asked for by no handshake, and answered as a push service does", func() {
		adapter := at("https://mastodon.example")
		_, asked, err := adapter.Handshake(sent(payload), []credentials.Values{server.set()})
		Expect(err).NotTo(HaveOccurred())
		Expect(asked).To(BeFalse())
		Expect(adapter.Accepted()).To(Equal(platform.Answer{Status: http.StatusCreated}))
	})
})

var _ = Describe("What people write", func() {
	DescribeTable("becomes plain text", func(html, want string) {
		Expect(plain(html)).To(Equal(want))
	},
		Entry("nothing", "", ""),
		Entry("a paragraph", "<p>hello</p>", "hello"),
		Entry("two paragraphs", "<p>hello</p><p>there</p>", "hello\n\nthere"),
		Entry("a line break", "<p>hello<br>there<br/>again</p>", "hello\nthere\nagain"),
		Entry("entities", "<p>&lt;b&gt; &amp; &quot;&#39;&quot;</p>", `<b> & "'"`),
		Entry("a mention", `<p><span class="h-card"><a href="https://x.example/@news" class="u-url mention">@<span>news</span></a></span> hi</p>`, "@news hi"),
		Entry("a link in parts", `<a href="https://a.example/b"><span class="invisible">https://</span><span class="ellipsis">a.example</span><span class="invisible">/b</span></a>`, "https://a.example/b"),
		Entry("a list", "<ul><li>one</li><li>two</li></ul>after", "- one\n- two\n\nafter"),
		Entry("a script", "<p>a</p><script>alert('b')</script><style>c{}</style><p>d</p>", "a\n\nd"),
		Entry("a script that never ends", "<p>a</p><script>alert('b')", "a"),
		Entry("an end without a beginning", "</script>a</p>", "a"),
		Entry("half a tag", "<p>hello <a hre", "hello"),
		Entry("a comment", "a<!-- b -->c", "ac"),
	)

	It("is read no further than an event keeps", func() {
		Expect(len(plain(strings.Repeat("<p>a</p>", 1<<20)))).To(BeNumerically("<=", event.MaxText+2))
	})

	DescribeTable("has the address of a page", func(raw, want string) { Expect(secureURL(raw)).To(Equal(want)) },
		Entry(nil, "https://a.example/@b/1", "https://a.example/@b/1"),
		Entry(nil, "http://a.example/@b/1", ""),
		Entry(nil, "javascript:alert(1)", ""),
		Entry(nil, "https://user:pass@a.example/", ""),
		Entry(nil, "https:///nowhere", ""),
		Entry(nil, "://", ""),
		Entry(nil, "", ""),
	)
})

var _ = Describe("Identifiers", func() {
	It("sort by when they were given", func() {
		for _, pair := range [][2]identifier{
			{"9999", "10000"},
			{"0", "1"},
			{"113100000000000008", "113100000000000009"},
			{"01JCZQ8MS00000000000000009", "01JCZQ8MS0000000000000000A"},
			{"0", "01JCZQ8MS00000000000000009"},
		} {
			Expect(pair[1].newer(pair[0])).To(BeTrue(), "%s", pair)
			Expect(pair[0].newer(pair[1])).To(BeFalse(), "%s", pair)
			Expect(pair[0].newer(pair[0])).To(BeFalse(), "%s", pair)
		}
	})

	DescribeTable("are texts or numbers, or none", func(raw string, want identifier) {
		got := identifier("earlier")
		Expect(json.Unmarshal([]byte(`{"a":`+raw+`}`), &struct{ A *identifier }{&got})).To(Succeed())
		if raw != "null" { // which sets the pointer and asks nobody
			Expect(got).To(Equal(want))
		}
	},
		Entry(nil, `"34975861"`, identifier("34975861")),
		Entry(nil, `34975861`, identifier("34975861")),
		Entry(nil, `18446744073709551615`, identifier("18446744073709551615")),
		Entry(nil, `18446744073709551616`, identifier("")),
		Entry(nil, `null`, identifier("")),
		Entry(nil, `""`, identifier("")),
		Entry(nil, `true`, identifier("")),
		Entry(nil, `1e3`, identifier("")),
		Entry(nil, `{}`, identifier("")),
		Entry(nil, `"a/b"`, identifier("")),
		Entry(nil, `"a-b"`, identifier("")),
		Entry(nil, `"a\n"`, identifier("")),
	)
})

var _ = Describe("Scopes that were granted", func() {
	DescribeTable("lack", func(scope string, want ...string) {
		Expect(missingScopes(scope)).To(ConsistOf(want))
	},
		Entry("nothing", "read:accounts read:statuses read:notifications write:statuses push"),
		Entry("nothing, where they are whole", "read write push"),
		Entry("nothing, where the server says nothing", ""),
		Entry("nothing, where the profile may be read", "profile read:statuses read:notifications write:statuses push"),
		Entry("one", "read write", "push"),
		Entry("most", "write", "read:accounts", "read:statuses", "read:notifications", "push"),
		Entry("all but one, where one is a part of it", "read:statuses:own write push", "read:accounts", "read:statuses", "read:notifications"),
	)
})

var _ = Describe("A place up to which was read", func() {
	It("is damaged, and says so", func(ctx SpecContext) {
		for _, cursor := range []string{"damaged", "[]", `{"n":{}}`, `{"n":"a/b"}`, `{"n":""}`, `{"n":"1 "}`, `{"n":"1` + strings.Repeat(" 2", mostTold+1) + `"}`, strings.Repeat("[", 4096)} {
			_, err := at("https://mastodon.example").Poll(ctx, platform.Account{}, cursor, nil)
			Expect(err).To(MatchError(ContainSubstring("is damaged")), cursor)
			Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		}
	})
})

func FuzzReceive(f *testing.F) {
	server, err := newMail()
	if err != nil {
		f.Fatal(err)
	}
	for _, standard := range []bool{true, false} {
		good, err := server.delivery(payload, standard)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good.Method, good.Header.Get("Authorization"), good.Header.Get("Content-Encoding"), good.Header.Get("Encryption"), good.Header.Get("Crypto-Key"), good.Body)
	}
	f.Add("GET", "", "", "", "", []byte(nil))
	f.Fuzz(func(t *testing.T, method, authorization, encoding, encryption, cryptoKey string, body []byte) {
		header := http.Header{"Authorization": {authorization}, "Content-Encoding": {encoding}, "Encryption": {encryption}, "Crypto-Key": {cryptoKey}}
		events, err := server.receive(platform.Delivery{Method: method, Header: header, Body: body, URL: callback, ReceivedAt: noon})
		if err == nil {
			if len(events) != 1 || events[0].ID != "34975861" {
				t.Fatalf("what the server did not send is read as %v", events)
			}
			return
		}
		rejection, ok := errors.AsType[*platform.Rejection](err)
		if !ok || len(events) != 0 || rejection.Status/100 != 4 || rejection.Message == "" {
			t.Fatalf("refused with %v and %d events", err, len(events))
		}
	})
}

// FuzzReadPush reads what the server itself may send.
func FuzzReadPush(f *testing.F) {
	for _, seed := range []string{payload, `{"notification_id":"01J","notification_type":"x"}`, `{"notification_id":1.5}`, `[]`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		received, ok := readPush(text)
		if ok && (received.ID == "" || received.Type == "" || !objectID.MatchString(received.ID)) {
			t.Fatalf("%q is read as %v", text, received)
		}
	})
}

func FuzzNotifications(f *testing.F) {
	for _, seed := range []string{
		`[{"id":"34975861","type":"mention","created_at":"2019-11-23T07:49:02.064Z","account":{"id":"971724","acct":"zsc@x.example"},"status":{"id":"103186126728896492","content":"<p>hi<br>you</p>","visibility":"direct","in_reply_to_account_id":"1","url":"https://x.example/1"}}]`,
		`[{"id":1,"type":"follow","status":null}]`,
		`[{"id":"1"},{"id":"1"},null]`,
		`[{"id":"a-b"},{"id":"3","type":7,"account":{"id":4},"status":"no"},{"id":"4","type":"mention","status":{"id":"5","in_reply_to_id":"a-b"}}]`,
		`[{"id":"2","type":"mention","created_at":7,"status":{"content":"<script>","url":"javascript:1"}}]`,
		`{}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var elements []json.RawMessage
		if json.Unmarshal(body, &elements) != nil {
			return
		}
		for _, one := range usable[notification](elements) {
			if !objectID.MatchString(string(one.ID)) {
				t.Fatalf("%q is taken for an identifier", one.ID)
			}
			got := one.event("1").Bounded()
			if got != got.Bounded() {
				t.Fatalf("not bounded: %v", got)
			}
			if got.URL != "" && !strings.HasPrefix(strings.ToLower(got.URL), "https://") {
				t.Fatalf("the address %q is not of https", got.URL)
			}
		}
	})
}

// Nobody waits for the gateway: a stranger's request must cost little.
func BenchmarkReceive(b *testing.B) {
	server, err := newMail()
	if err != nil {
		b.Fatal(err)
	}
	stranger, err := newMail()
	if err != nil {
		b.Fatal(err)
	}
	good, err := server.delivery(payload, true)
	if err != nil {
		b.Fatal(err)
	}
	foreign, err := stranger.delivery(payload, true)
	if err != nil {
		b.Fatal(err)
	}
	forged := good
	forged.Header = good.Header.Clone()
	forged.Header.Set("Authorization", strings.Replace(foreign.Header.Get("Authorization"), stranger.server.Public(), server.server.Public(), 1))
	for _, one := range []struct {
		name     string
		delivery platform.Delivery
		fine     bool
	}{{"good", good, true}, {"of another key", foreign, false}, {"forged", forged, false}} {
		b.Run(one.name, func(b *testing.B) {
			adapter, keys := at("https://mastodon.example"), []credentials.Values{server.set()}
			for b.Loop() {
				if _, err := adapter.Receive(one.delivery, keys); (err == nil) != one.fine {
					b.Fatal(err)
				}
			}
		})
	}
}

var _ = Describe("What a subscription says", func() {
	It("is read, whatever the software", func() {
		var found pushSubscription
		Expect(json.Unmarshal([]byte(`{"id":328183,"endpoint":"https://a.example/b","alerts":{"mention":true,"status":null,"poll":true},"server_key":null}`), &found)).To(Succeed())
		got := found.subscription()
		Expect(got.ID).To(Equal("328183"))
		Expect(got.Callback).To(Equal("https://a.example/b"))
		Expect(got.Events).To(ConsistOf(event.Mention))
		Expect(got.Learnt).To(BeEmpty())
	})

	It("needs keys that are whole", func() {
		_, err := at("https://mastodon.example").Subscribe(context.Background(), platform.Account{}, platform.SubscriptionRequest{Callback: callback})
		Expect(platform.ClassOf(err)).To(Equal(platform.Permanent))
		Expect(err).To(MatchError(ContainSubstring("keys of the callback")))
	})
})
