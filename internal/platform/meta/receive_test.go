// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	appSecret   = "the-secret-0f-the-app"
	verifyToken = "verify-t0ken"
	pageID      = "1065432198765432"
)

func hookKeys() []credentials.Values {
	return []credentials.Values{valuesOf("app-secret", "another-secret", "verify-token", "another"), valuesOf("app-secret", appSecret, "verify-token", verifyToken)}
}

func signatureOf(body string) string {
	return "sha256=" + hex.EncodeToString(sum([]byte(appSecret), []byte(body)))
}

func deliveryOf(body string) platform.Delivery {
	return platform.Delivery{
		Method: http.MethodPost, Body: []byte(body), ReceivedAt: noon,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Hub-Signature-256": {signatureOf(body)}},
	}
}

// ofPage puts changes into a notification.
func ofPage(rest string) string {
	return `{"object":"page","entry":[{"id":"` + pageID + `","time":1795262400,` + rest + `}]}`
}

// goodChange is a comment.
const goodChange = `{"field":"feed","value":{"from":{"id":"77"},"item":"comment","verb":"add","comment_id":"2_3","created_time":1}}`

func feed(value string) string { return ofPage(`"changes":[{"field":"feed","value":` + value + `}]`) }

var _ = Describe("a delivery", func() {
	graph := at("https://graph.facebook.com")

	receive := func(body string) event.Event {
		GinkgoHelper()
		found, err := graph.Receive(deliveryOf(body), hookKeys())
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveLen(1))
		Expect(found[0].AccountID).To(Equal(pageID))
		Expect(found[0].ReceivedAt).To(Equal(noon))
		return found[0]
	}

	It("tells of a comment", func() {
		Expect(receive(feed(`{"from":{"id":"77","name":"Anna"},"post":{"permalink_url":"https://www.facebook.com/acme/posts/9","id":"` + pageID + `_9"},
			"item":"comment","verb":"add","post_id":"` + pageID + `_9","comment_id":"9_10","parent_id":"9_8","created_time":1795262300,"message":"Where is it?"}`))).To(Equal(event.Event{
			ID: "9_10:add:1795262300", Kind: event.Reply, Type: "feed.comment.add", AccountID: pageID,
			Actor: event.Actor{ID: "77", DisplayName: "Anna"}, Text: "Where is it?", PostID: "9_10", ThreadID: pageID + "_9", InReplyTo: "9_8",
			URL: "https://www.facebook.com/acme/posts/9", OccurredAt: noon.Add(-100 * time.Second), ReceivedAt: noon,
		}))
	})

	DescribeTable("tells what happened in the feed", func(value string, kind event.Kind, id string) {
		found := receive(feed(value))
		Expect(found.Kind).To(Equal(kind))
		if id != "" {
			Expect(found.ID).To(Equal(id))
		}
		Expect(found.ID).NotTo(BeEmpty())
		Expect(found.Type).To(HavePrefix("feed"))
	},
		Entry("own status", `{"from":{"id":"`+pageID+`"},"item":"status","verb":"add","published":1,"post_id":"1_2","created_time":1795262300}`, event.OwnPost, "1_2:add:1795262300"),
		Entry("own photo", `{"from":{"id":`+pageID+`},"item":"photo","verb":"add","post_id":"1_2","created_time":1795262300}`, event.OwnPost, "1_2:add:1795262300"),
		Entry("own post that nobody sees yet", `{"from":{"id":"`+pageID+`"},"item":"post","verb":"add","published":0,"post_id":"1_2"}`, event.Other, "1_2:unpublished:"),
		Entry("a visitor's post that nobody sees yet", `{"from":{"id":"77"},"item":"post","verb":"add","published":0,"post_id":"1_2","created_time":1}`, event.Mention, "1_2:add:1"),
		Entry("own comment", `{"from":{"id":"`+pageID+`"},"item":"comment","verb":"add","post_id":"1_2","comment_id":"2_3"}`, event.OwnPost, "2_3:add:"),
		Entry("a visitor's post", `{"from":{"id":"77"},"item":"post","verb":"add","post_id":"1_2","created_time":1}`, event.Mention, "1_2:add:1"),
		Entry("a visitor's video", `{"from":{"id":"77"},"item":"video","verb":"add","post_id":"1_2","created_time":1}`, event.Mention, "1_2:add:1"),
		Entry("an edited comment", `{"from":{"id":"77"},"item":"comment","verb":"edited","comment_id":"2_3","created_time":1,"message":"x"}`, event.Reply, "2_3:edited:1:"+digest("x")),
		Entry("a comment taken away", `{"from":{"id":"77"},"item":"comment","verb":"remove","comment_id":"2_3","created_time":1}`, event.Other, ""),
		Entry("a hidden comment", `{"from":{"id":"77"},"item":"comment","verb":"hide","comment_id":"2_3","created_time":1}`, event.Other, ""),
		Entry("a reaction", `{"from":{"id":"77"},"item":"reaction","reaction_type":"angry","verb":"add","post_id":"1_2","created_time":1}`, event.Other, ""),
		Entry("something new", `{"from":{"id":"77"},"item":"hologram","verb":"add","post_id":"1_2","created_time":1}`, event.Other, "1_2:add:1"),
		Entry("a value of another form", `"seven"`, event.Other, ""),
		Entry("a number", `7`, event.Other, ""),
		Entry("nothing", `null`, event.Other, ""),
		Entry("fields of another form", `{"from":"nobody","item":7,"verb":true,"created_time":"soon"}`, event.Other, ""),
	)

	It("tells of a mention elsewhere", func() {
		found := receive(ofPage(`"changes":[{"field":"mention","value":{"post_id":"77_5","sender_id":"77","sender_name":"Anna","item":"post","verb":"add","created_time":1795262300}}]`))
		Expect(found.Kind).To(Equal(event.Mention))
		Expect(found.Actor).To(Equal(event.Actor{ID: "77", DisplayName: "Anna"}))
		Expect(found.URL).To(Equal("https://www.facebook.com/77_5"))
		Expect(receive(ofPage(`"changes":[{"field":"mention","value":{"post_id":"77_5","comment_id":"5_6","item":"comment","verb":"add"}}]`)).Kind).To(Equal(event.Mention))
	})

	It("keeps fields that it has no name for", func() {
		found := receive(ofPage(`"changes":[{"field":"leadgen","value":{"leadgen_id":"7"}}]`))
		Expect(found.Kind).To(Equal(event.Other))
		Expect(found.Type).To(Equal("leadgen"))
		Expect(found.OccurredAt).To(Equal(noon))
	})

	DescribeTable("tells what happened in a conversation", func(messaging string, want event.Event) {
		found := receive(ofPage(`"messaging":[{"sender":{"id":"77"},"recipient":{"id":"` + pageID + `"},"timestamp":1795262399500,` + messaging + `}]`))
		Expect(found.OccurredAt).To(Equal(noon.Add(-500 * time.Millisecond)))
		Expect(found.ID).NotTo(BeEmpty())
		Expect([]any{found.Kind, found.Type, found.Text, found.PostID, found.ThreadID, found.InReplyTo}).
			To(Equal([]any{want.Kind, want.Type, want.Text, want.PostID, want.ThreadID, want.InReplyTo}))
	},
		Entry("a message", `"message":{"mid":"m_1","text":"Hello","reply_to":{"mid":"m_0"}}`,
			event.Event{Kind: event.DirectMessage, Type: "messages", Text: "Hello", PostID: "m_1", ThreadID: "77", InReplyTo: "m_0"}),
		Entry("a picture", `"message":{"mid":"m_1","attachments":[{"type":"image"}]}`,
			event.Event{Kind: event.DirectMessage, Type: "messages", PostID: "m_1", ThreadID: "77"}),
		Entry("a button", `"postback":{"title":"Yes"}`, event.Event{Kind: event.Other, Type: "postback", ThreadID: "77"}),
		Entry("a receipt", `"read":{"watermark":1}`, event.Event{Kind: event.Other, Type: "read", ThreadID: "77"}),
		Entry("something new", `"hologram":{}`, event.Event{Kind: event.Other, Type: "messaging", ThreadID: "77"}),
		Entry("a message without an identifier", `"message":{"text":"x"}`, event.Event{Kind: event.Other, Type: "message", ThreadID: "77"}),
	)

	It("takes the echo of an own answer for an own post in the conversation", func() {
		found := receive(ofPage(`"messaging":[{"sender":{"id":"` + pageID + `"},"recipient":{"id":"77"},"timestamp":1,"message":{"mid":"m_2","is_echo":true,"text":"Hi"}}]`))
		Expect(found.Kind).To(Equal(event.OwnPost))
		Expect(found.ThreadID).To(Equal("77"))
		Expect(found.Type).To(Equal("message_echoes"))
	})

	It("reads conversations that another app leads", func() {
		Expect(receive(ofPage(`"standby":[{"sender":{"id":"77"},"recipient":{"id":"` + pageID + `"},"message":{"mid":"m_1"}}]`)).Kind).To(Equal(event.DirectMessage))
	})

	It("tells of permissions that were taken away, for each Page that is named", func() {
		body := `{"object":"permissions","entry":[{"id":"77","time":1795262400,"changes":[{"field":"pages_manage_posts","value":{"verb":"revoke","target_ids":["12","13","x"]}},
			{"field":"connected","value":{"verb":"disconnected"}},{"field":"pages_messaging","value":{"verb":"granted","target_ids":["12"]}}]}]}`
		found, err := graph.Receive(deliveryOf(body), hookKeys())
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveExactElements(
			And(HaveField("Kind", event.AuthorizationLost), HaveField("AccountID", "12"), HaveField("Type", "permissions.pages_manage_posts.revoke")),
			And(HaveField("Kind", event.AuthorizationLost), HaveField("AccountID", "13")),
			And(HaveField("Kind", event.Other), HaveField("AccountID", "12")),
		))
		Expect(found[0].ID).NotTo(Equal(found[1].ID))
	})

	It("about another object holds no events", func() {
		for _, object := range []string{"user", "instagram"} {
			found, err := graph.Receive(deliveryOf(`{"object":"`+object+`","entry":[{"id":"1","changes":[{"field":"name","value":7}]}]}`), hookKeys())
			Expect(err).NotTo(HaveOccurred())
			Expect(found).To(BeEmpty())
		}
	})

	DescribeTable("keeps what is good beside what is odd", func(entries string, others int) {
		found, err := graph.Receive(deliveryOf(`{"object":"page","entry":[`+entries+`]}`), hookKeys())
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveLen(1 + others))
		Expect(found).To(ContainElement(HaveField("ID", "2_3:add:1")))
		Expect(found).To(HaveEach(And(HaveField("ID", Not(BeEmpty())), HaveField("AccountID", pageID))))
	},
		Entry("an entry of no Page", `{"changes":[]},{"id":"`+pageID+`","changes":[`+goodChange+`]}`, 0),
		Entry("an entry of another form", `7,{"id":"`+pageID+`","changes":[`+goodChange+`]},{"id":"`+pageID+`","changes":7}`, 0),
		Entry("a change of another form", `{"id":"`+pageID+`","changes":[7,`+goodChange+`,"x"]}`, 2),
		Entry("a message of another form", `{"id":"`+pageID+`","changes":[`+goodChange+`],"messaging":[7]}`, 1),
		Entry("messages of another form", `{"id":"`+pageID+`","changes":[`+goodChange+`],"messaging":7,"time":{}}`, 0),
	)

	It("has no time that nobody can write down", func() {
		for _, odd := range []string{`"9999-12-31T23:59:59-1400"`, `"0000-06-01T00:00:00+0000"`, `"0001-01-01T00:00:00+1400"`, `253402300800000`, `999999999999999999`, `-1`} {
			var at stamp
			Expect(at.UnmarshalJSON([]byte(odd))).To(Succeed())
			Expect(at.Time).To(BeZero(), odd)
		}
	})

	It("holds up to a thousand updates", func() {
		one := `{"field":"feed","value":{"from":{"id":"77"},"item":"comment","verb":"add","comment_id":"2_%d","created_time":1}}`
		changes := make([]string, 1000)
		for i := range changes {
			changes[i] = fmt.Sprintf(one, i)
		}
		found, err := graph.Receive(deliveryOf(ofPage(`"changes":[`+strings.Join(changes, ",")+`]`)), hookKeys())
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveLen(1000))
	})

	DescribeTable("is refused", func(spoil func(*platform.Delivery), reason platform.RejectionReason, status int) {
		delivery := deliveryOf(feed(`{"item":"post"}`))
		spoil(&delivery)
		found, err := graph.Receive(delivery, hookKeys())
		Expect(found).To(BeNil())
		rejection, ok := errors.AsType[*platform.Rejection](err)
		Expect(ok).To(BeTrue(), "%v", err)
		Expect(rejection.Reason).To(Equal(reason))
		Expect(rejection.Status).To(Equal(status))
	},
		Entry("another method", func(d *platform.Delivery) { d.Method = http.MethodPut }, platform.RejectedForm, 405),
		Entry("another content type", func(d *platform.Delivery) { d.Header.Set("Content-Type", "text/html") }, platform.RejectedForm, 415),
		Entry("no content type", func(d *platform.Delivery) { d.Header.Del("Content-Type") }, platform.RejectedForm, 415),
		Entry("no signature", func(d *platform.Delivery) { d.Header.Del("X-Hub-Signature-256") }, platform.RejectedUnsigned, 401),
		Entry("two signatures", func(d *platform.Delivery) { d.Header.Add("X-Hub-Signature-256", signatureOf(string(d.Body))) }, platform.RejectedUnsigned, 401),
		Entry("the older signature alone", func(d *platform.Delivery) {
			d.Header = http.Header{"Content-Type": {"application/json"}, "X-Hub-Signature": {"sha1=0"}}
		}, platform.RejectedUnsigned, 401),
		Entry("another's signature", func(d *platform.Delivery) {
			d.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum([]byte("another-app"), d.Body)))
		}, platform.RejectedSignature, 401),
		Entry("no prefix", func(d *platform.Delivery) { d.Header.Set("X-Hub-Signature-256", signatureOf(string(d.Body))[7:]) }, platform.RejectedSignature, 401),
		Entry("no hex", func(d *platform.Delivery) { d.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("g", 64)) }, platform.RejectedSignature, 401),
		Entry("half a signature", func(d *platform.Delivery) { d.Header.Set("X-Hub-Signature-256", signatureOf(string(d.Body))[:39]) }, platform.RejectedSignature, 401),
		Entry("an altered body", func(d *platform.Delivery) { d.Body = append(d.Body, ' ') }, platform.RejectedSignature, 401),
		Entry("half a body", func(d *platform.Delivery) { *d = deliveryOf(`{"object":"page","entry":[{"id":"1`) }, platform.RejectedContent, 400),
		Entry("an empty body", func(d *platform.Delivery) { *d = deliveryOf("") }, platform.RejectedContent, 400),
		Entry("a page", func(d *platform.Delivery) { *d = deliveryOf("<html></html>") }, platform.RejectedContent, 400),
		Entry("null", func(d *platform.Delivery) { *d = deliveryOf("null") }, platform.RejectedContent, 400),
		Entry("deep nesting", func(d *platform.Delivery) { *d = deliveryOf(strings.Repeat(`{"a":`, 100_000)) }, platform.RejectedContent, 400),
		Entry("no object", func(d *platform.Delivery) { *d = deliveryOf(`{"entry":[]}`) }, platform.RejectedContent, 400),
		Entry("no entries", func(d *platform.Delivery) { *d = deliveryOf(`{"object":"page"}`) }, platform.RejectedContent, 400),
		Entry("an entry of no Page", func(d *platform.Delivery) { *d = deliveryOf(`{"object":"page","entry":[{"changes":[]}]}`) }, platform.RejectedContent, 400),
		Entry("too many events", func(d *platform.Delivery) {
			*d = deliveryOf(ofPage(`"changes":[` + strings.Repeat(`{},`, maxEvents) + `{}]`))
		}, platform.RejectedContent, 400),
		Entry("a deauthorisation, which names no Page", func(d *platform.Delivery) {
			*d = deliveryOf("signed_request=abc.def")
			d.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}, platform.RejectedForm, 415),
	)

	It("is refused where there is no key to verify it with", func() {
		for _, keys := range [][]credentials.Values{nil, {{}}, {valuesOf("app-secret", "")}} {
			delivery := deliveryOf("{}")
			delivery.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum(nil, delivery.Body)))
			_, err := graph.Receive(delivery, keys)
			Expect(err).To(HaveField("Reason", platform.RejectedSignature))
		}
	})
})

var _ = Describe("a handshake", func() {
	graph := at("https://graph.facebook.com")
	asking := func(pairs ...string) platform.Delivery {
		query := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			query.Add(pairs[i], pairs[i+1])
		}
		return platform.Delivery{Method: http.MethodGet, Query: query}
	}

	It("repeats the challenge as plain text", func() {
		answer, asked, err := graph.Handshake(asking("hub.mode", "subscribe", "hub.verify_token", verifyToken, "hub.challenge", "1158201444"), hookKeys())
		Expect(err).NotTo(HaveOccurred())
		Expect(asked).To(BeTrue())
		Expect(answer).To(Equal(platform.Answer{Status: 200, ContentType: "text/plain; charset=utf-8", Body: []byte("1158201444")}))
	})

	DescribeTable("is refused", func(reason platform.RejectionReason, status int, pairs ...string) {
		answer, asked, err := graph.Handshake(asking(pairs...), hookKeys())
		Expect(asked).To(BeTrue())
		Expect(answer).To(BeZero())
		Expect(err).To(And(HaveField("Reason", reason), HaveField("Status", status)))
	},
		Entry("another mode", platform.RejectedForm, 400, "hub.mode", "unsubscribe", "hub.verify_token", verifyToken, "hub.challenge", "1"),
		Entry("another token", platform.RejectedSignature, 403, "hub.mode", "subscribe", "hub.verify_token", "guess", "hub.challenge", "1"),
		Entry("no token", platform.RejectedSignature, 403, "hub.mode", "subscribe", "hub.challenge", "1"),
		Entry("two tokens", platform.RejectedSignature, 403, "hub.mode", "subscribe", "hub.verify_token", verifyToken, "hub.verify_token", verifyToken, "hub.challenge", "1"),
		Entry("no challenge", platform.RejectedForm, 400, "hub.mode", "subscribe", "hub.verify_token", verifyToken),
		Entry("a page for a challenge", platform.RejectedForm, 400, "hub.mode", "subscribe", "hub.verify_token", verifyToken, "hub.challenge", "<script>alert(1)</script>"),
		Entry("a long challenge", platform.RejectedForm, 400, "hub.mode", "subscribe", "hub.verify_token", verifyToken, "hub.challenge", strings.Repeat("1", 129)),
	)

	It("is none without hub.mode, or by POST", func() {
		for _, delivery := range []platform.Delivery{asking("hub.challenge", "1"), {Method: http.MethodPost, Query: url.Values{"hub.mode": {"subscribe"}}}} {
			_, asked, err := graph.Handshake(delivery, hookKeys())
			Expect(asked).To(BeFalse())
			Expect(err).NotTo(HaveOccurred())
		}
	})

	It("fits no empty key", func() {
		_, _, err := graph.Handshake(asking("hub.mode", "subscribe", "hub.verify_token", "", "hub.challenge", "1"), []credentials.Values{{}})
		Expect(err).To(HaveField("Reason", platform.RejectedSignature))
	})
})

func FuzzSignature(f *testing.F) {
	for _, seed := range []string{"", "sha256=", signatureOf("{}"), strings.ToUpper(signatureOf("{}")), "sha256=" + strings.Repeat("0", 64), "sha1=00", "sha256=é"} {
		f.Add(seed, "{}")
	}
	f.Fuzz(func(t *testing.T, header, body string) {
		delivery := platform.Delivery{Header: http.Header{"X-Hub-Signature-256": {header}}, Body: []byte(body)}
		accepted := verifySignature(delivery, hookKeys()) == nil
		// Digits may be written large; nothing else may differ.
		if right := strings.HasPrefix(header, "sha256=") && strings.EqualFold(header, signatureOf(body)); accepted != right {
			t.Fatalf("%q over %q: accepted is %t", header, body, accepted)
		}
	})
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		feed(`{"from":{"id":"77"},"item":"comment","verb":"add","comment_id":"2_3","created_time":1}`),
		feed(`{"from":{"id":7},"item":["x"],"created_time":99999999999999999999}`),
		ofPage(`"messaging":[{"sender":{"id":"7"},"timestamp":1795262399500,"message":{"mid":"m"}}]`),
		ofPage(`"messaging":[null,1,"x"],"standby":[{}],"changes":[{"field":null}]`),
		`{"object":"permissions","entry":[{"id":"7","changes":[{"field":"x","value":{"verb":"revoke","target_ids":[12,"13"]}}]}]}`,
		`{"object":"page","entry":[{"id":12,"time":"2026-11-21T12:00:00+0000"}]}`, `{}`, `[`, ``, "\xff",
	} {
		f.Add(seed)
	}
	graph := at("https://graph.facebook.com")
	f.Fuzz(func(t *testing.T, body string) {
		found, err := graph.Receive(deliveryOf(body), hookKeys())
		if err != nil {
			if rejection, ok := errors.AsType[*platform.Rejection](err); !ok || rejection.Status/100 != 4 || len(found) > 0 {
				t.Fatalf("%T %v with %d events", err, err, len(found))
			}
			return
		}
		again, _ := graph.Receive(deliveryOf(body), hookKeys())
		for i, one := range found {
			if one != one.Bounded() || one.ID == "" && utf8.ValidString(body) || one.AccountID == "" || one.Kind == "" || again[i] != one {
				t.Fatalf("%+v", one)
			}
			if one.URL != "" && !strings.HasPrefix(one.URL, "https://www.facebook.com/") {
				t.Fatalf("the address %q is another's", one.URL)
			}
		}
	})
}

func FuzzHandshake(f *testing.F) {
	f.Add("hub.mode=subscribe&hub.verify_token=" + verifyToken + "&hub.challenge=1158201444")
	f.Add("hub.mode=subscribe&hub.verify_token=" + verifyToken + "&hub.challenge=%3Cscript%3E")
	f.Add("hub.mode=&hub.challenge=1&hub.challenge=2")
	graph := at("https://graph.facebook.com")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		answer, asked, err := graph.Handshake(platform.Delivery{Method: http.MethodGet, Query: query}, hookKeys())
		switch {
		case err != nil || !asked:
			if len(answer.Body) > 0 {
				t.Fatalf("%q is answered with %q", raw, answer.Body)
			}
		case query.Get("hub.verify_token") != verifyToken && query.Get("hub.verify_token") != "another":
			t.Fatalf("%q is answered without the token", raw)
		case strings.ContainsFunc(string(answer.Body), func(r rune) bool { return r > 0x7f || strings.ContainsRune(`<>&"' =;`, r) }):
			t.Fatalf("%q is answered with %q", raw, answer.Body)
		}
	})
}

func FuzzPosition(f *testing.F) {
	for _, seed := range []string{"", "e30", "bnVsbA", "eyJPd25Qb3N0Ijp7InMiOi0xfX0", "{}", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		read, err := readPositions(cursor)
		if err != nil {
			return
		}
		written, err := read.cursor()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := readPositions(written); len(written) <= maxPollCursor && (err != nil || len(again) != len(read)) {
			t.Fatalf("%q becomes %q, which is not read: %v", cursor, written, err)
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	graph, keys := at("https://graph.facebook.com"), hookKeys()
	good := deliveryOf(feed(`{"from":{"id":"77","name":"Anna"},"item":"comment","verb":"add","post_id":"1_9","comment_id":"9_10","created_time":1795262300,"message":"` + strings.Repeat("Where is it? ", 50) + `"}`))
	bad := deliveryOf(string(good.Body))
	bad.Header = http.Header{"Content-Type": {"application/json"}, "X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}}
	for name, delivery := range map[string]platform.Delivery{"good": good, "bad signature": bad} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = graph.Receive(delivery, keys)
			}
		})
	}
}
