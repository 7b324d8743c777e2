// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

func credentialsOf(text string) credentials.Value { return credentials.NewValue(text) }

func hookKeys(pairs ...string) credentials.Values {
	keys := credentials.Values{}
	for i := 0; i < len(pairs); i += 2 {
		keys[pairs[i]] = credentialsOf(pairs[i+1])
	}
	return keys
}

func challenge(token ...string) platform.Delivery {
	return platform.Delivery{Method: http.MethodGet, Query: url.Values{"crc_token": token, "nonce": {"1"}}}
}

func delivery(body string, headers ...string) platform.Delivery {
	d := platform.Delivery{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
	d.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		d.Header.Add(headers[i], headers[i+1])
	}
	return d
}

func rejectedFor(reason platform.RejectionReason) OmegaMatcher {
	return WithTransform(func(err error) platform.RejectionReason {
		rejection, _ := err.(*platform.Rejection) //nolint:errorlint // the port promises this type
		if rejection == nil {
			return ""
		}
		return rejection.Reason
	}, Equal(reason))
}

var _ = Describe("X's challenge", func() {
	a := &Adapter{}
	consumer := hookKeys(applicationConsumerSecret, "consumer", platform.ApplicationSecret, "client")

	It("is answered as X's documentation has it", func() {
		answer, asked, err := a.Handshake(challenge("9b4507b3-9040-4669-9ca3-6b94edb50553"), []credentials.Values{hookKeys(applicationConsumerSecret, "z3ZX4v7mAAUGykl2EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu")})
		Expect(err).NotTo(HaveOccurred())
		Expect(asked).To(BeTrue())
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.ContentType).To(Equal("application/json"))
		Expect(answer.Body).To(MatchJSON(`{"response_token":"` + sign("z3ZX4v7mAAUGykl2EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu", []byte("9b4507b3-9040-4669-9ca3-6b94edb50553")) + `"}`))
	})

	It("is answered with the newest secret, the consumer secret first", func() {
		token := []byte("abc")
		for _, c := range []struct {
			keys []credentials.Values
			with string
		}{
			{[]credentials.Values{consumer}, "consumer"},
			{[]credentials.Values{hookKeys(applicationConsumerSecret, "newer"), consumer}, "newer"},
			{[]credentials.Values{hookKeys(platform.ApplicationSecret, "client")}, "client"},
			{[]credentials.Values{{}, consumer}, "consumer"},
		} {
			answer, _, err := a.Handshake(challenge("abc"), c.keys)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(answer.Body)).To(ContainSubstring(strings.TrimPrefix(sign(c.with, token), signaturePrefix)))
		}
	})

	It("is no way to have a delivery signed", func() {
		for _, token := range []string{`{"for_user_id":"1"}`, "{}", " {}", "[]", `"a"`, "", strings.Repeat("a", 257), "é", "a\nb"} {
			_, asked, err := a.Handshake(challenge(token), []credentials.Values{consumer})
			Expect(asked).To(BeTrue())
			Expect(err).To(rejectedFor(platform.RejectedForm), "%.20q", token)
		}
		_, _, err := a.Handshake(challenge("a", "b"), []credentials.Values{consumer})
		Expect(err).To(rejectedFor(platform.RejectedForm))
		_, _, err = a.Handshake(challenge("a"), []credentials.Values{{}})
		Expect(err).To(rejectedFor(platform.RejectedSignature))
	})

	It("is told from a delivery", func() {
		_, asked, err := a.Handshake(delivery("{}"), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(asked).To(BeFalse())
		_, asked, _ = a.Handshake(platform.Delivery{Method: http.MethodPost, Query: url.Values{"crc_token": {"a"}}}, nil)
		Expect(asked).To(BeFalse())
	})
})

var _ = Describe("X's signature", func() {
	a := &Adapter{}
	const body = `{"for_user_id":"12"}`
	both := []credentials.Values{hookKeys(applicationConsumerSecret, "consumer", platform.ApplicationSecret, "client")}
	old := []credentials.Values{hookKeys(applicationConsumerSecret, "consumer")}
	legacy, newer := "x-twitter-webhooks-signature", "X-Twitter-Webhooks-Signature-OAuth2"

	DescribeTable("is looked at", func(d platform.Delivery, keys []credentials.Values, want platform.RejectionReason) {
		_, err := a.Receive(d, keys)
		if want == "" {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(rejectedFor(want))
	},
		Entry("of the consumer secret", delivery(body, legacy, sign("consumer", []byte(body))), both, platform.RejectionReason("")),
		Entry("of the client secret", delivery(body, newer, sign("client", []byte(body))), both, platform.RejectionReason("")),
		Entry("of both", delivery(body, legacy, sign("consumer", []byte(body)), newer, sign("client", []byte(body))), both, platform.RejectionReason("")),
		Entry("of both, with one key", delivery(body, legacy, sign("consumer", []byte(body)), newer, sign("client", []byte(body))), old, platform.RejectionReason("")),
		Entry("no way back to the older one", delivery(body, legacy, sign("consumer", []byte(body)), newer, sign("wrong", []byte(body))), both, platform.RejectedSignature),
		Entry("the older one wrong", delivery(body, legacy, sign("wrong", []byte(body)), newer, sign("client", []byte(body))), both, platform.RejectedSignature),
		Entry("without a key for it", delivery(body, newer, sign("client", []byte(body))), old, platform.RejectedSignature),
		Entry("of an empty secret", delivery(body, legacy, sign("", []byte(body))), []credentials.Values{hookKeys(applicationConsumerSecret, "")}, platform.RejectedSignature),
		Entry("of the secret in the wrong header", delivery(body, newer, sign("consumer", []byte(body))), both, platform.RejectedSignature),
		Entry("none", delivery(body), both, platform.RejectedUnsigned),
		Entry("twice", delivery(body, legacy, sign("consumer", []byte(body)), legacy, sign("consumer", []byte(body))), both, platform.RejectedUnsigned),
		Entry("in hex", delivery(body, legacy, "sha256="+strings.Repeat("ab", 32)), both, platform.RejectedSignature),
		Entry("without its prefix", delivery(body, legacy, strings.TrimPrefix(sign("consumer", []byte(body)), "sha256=")), both, platform.RejectedSignature),
		Entry("with a line break", delivery(body, legacy, sign("consumer", []byte(body))+"\n"), both, platform.RejectedSignature),
		Entry("empty", delivery(body, legacy, ""), both, platform.RejectedSignature),
		Entry("of a nested body", delivery(strings.Repeat(`{"a":`, 70), legacy, sign("consumer", []byte(strings.Repeat(`{"a":`, 70)))), both, platform.RejectedContent),
		Entry("of something else", delivery(`[1]`, legacy, sign("consumer", []byte(`[1]`))), both, platform.RejectedContent),
		Entry("of null", delivery(`null`, legacy, sign("consumer", []byte(`null`))), both, platform.RejectedContent),
	)

	It("has one spelling", func() {
		good := sign("consumer", []byte(body))
		_, err := decodeSignature(good)
		Expect(err).NotTo(HaveOccurred())
		last := good[len(good)-2] // its lowest bits mean nothing, and must be zero
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
			if byte(c) == last {
				continue
			}
			other, err := decodeSignature(good[:len(good)-2] + string(c) + "=")
			if err == nil {
				Expect(other).NotTo(Equal(digest("consumer", []byte(body))))
			}
		}
	})
})

var _ = Describe("a delivery of X's", func() {
	const post = `{"id_str":"200","created_at":"Mon May 19 14:01:46 +0000 2025","text":"Where is it?","user":{"id_str":"7","name":"Pat","screen_name":"pat"},"in_reply_to_status_id_str":null}`
	at := time.Date(2025, 5, 19, 14, 1, 46, 0, time.UTC)

	read := func(body string) []event.Event {
		GinkgoHelper()
		events, err := decode([]byte(body))
		Expect(err).NotTo(HaveOccurred())
		return events
	}

	It("tells of a mention", func() {
		Expect(read(`{"for_user_id":"12","user_has_blocked":false,"tweet_create_events":[` + post + `]}`)).To(ConsistOf(event.Event{
			ID: "post/200", Kind: event.Mention, Type: "tweet_create_events", Platform: "X", AccountID: "12",
			Actor: event.Actor{ID: "7", Handle: "pat", DisplayName: "Pat"}, Text: "Where is it?", PostID: "200", ThreadID: "200",
			URL: "https://x.com/pat/status/200", OccurredAt: at,
		}))
	})

	DescribeTable("tells posts apart", func(change func(map[string]any), want event.Kind, matcher OmegaMatcher) {
		var fields map[string]any
		Expect(json.Unmarshal([]byte(post), &fields)).To(Succeed())
		change(fields)
		changed, err := json.Marshal(fields)
		Expect(err).NotTo(HaveOccurred())
		Expect(read(`{"for_user_id":"12","tweet_create_events":[` + string(changed) + `]}`)).To(ConsistOf(And(HaveField("Kind", want), matcher)))
	},
		Entry("a reply", func(f map[string]any) { f["in_reply_to_user_id_str"], f["in_reply_to_status_id_str"] = "12", "150" }, event.Reply,
			And(HaveField("InReplyTo", "150"), HaveField("ThreadID", ""))),
		Entry("a reply to somebody else", func(f map[string]any) { f["in_reply_to_user_id_str"], f["in_reply_to_status_id_str"] = "8", "150" }, event.Mention, HaveField("InReplyTo", "150")),
		Entry("an own post", func(f map[string]any) { f["user"] = map[string]any{"id_str": "12", "screen_name": "acme"} }, event.OwnPost, HaveField("Actor.ID", "12")),
		Entry("an own answer", func(f map[string]any) {
			f["user"], f["in_reply_to_user_id_str"], f["in_reply_to_status_id_str"] = map[string]any{"id_str": "12"}, "8", "150"
		}, event.OwnPost, And(HaveField("InReplyTo", "150"), HaveField("ThreadID", ""))),
		Entry("an own answer to oneself", func(f map[string]any) {
			f["user"], f["in_reply_to_user_id_str"] = map[string]any{"id_str": "12"}, "12"
		}, event.OwnPost, HaveField("URL", "https://x.com/i/web/status/200")),
		Entry("a repost of an own post", func(f map[string]any) { f["retweeted_status"] = map[string]any{"id_str": "1"} }, event.Other, HaveField("Type", "tweet_create_events.repost")),
		Entry("a long one", func(f map[string]any) { f["extended_tweet"] = map[string]any{"full_text": "Where is it? And more."} }, event.Mention, HaveField("Text", "Where is it? And more.")),
		Entry("one without a time", func(f map[string]any) { f["created_at"] = "yesterday" }, event.Mention, HaveField("OccurredAt", BeZero())),
	)

	message := func(sender, recipient string) string {
		return `{"for_user_id":"12","direct_message_events":[{"type":"message_create","id":"300","created_timestamp":"1516403560557","message_create":{"target":{"recipient_id":"` +
			recipient + `"},"sender_id":"` + sender + `","message_data":{"text":"Hello"}}}],"users":{"7":{"id":"7","name":"Pat","screen_name":"pat"}}}`
	}

	It("tells of a direct message, and of the answer in the same thread", func() {
		in, out := read(message("7", "12")), read(message("12", "7"))
		Expect(in).To(ConsistOf(And(
			HaveField("Kind", event.DirectMessage), HaveField("ID", "message/300"), HaveField("Text", "Hello"), HaveField("Actor.Handle", "pat"),
			HaveField("ThreadID", "7-12"), HaveField("URL", "https://x.com/messages/7-12"), HaveField("OccurredAt", time.UnixMilli(1516403560557).UTC()),
		)))
		Expect(out).To(ConsistOf(And(HaveField("Kind", event.OwnPost), HaveField("ThreadID", in[0].ThreadID))))
	})

	It("tells that the permission was withdrawn", func() {
		const body = `{"user_event":{"revoke":{"date_time":"2018-05-24T09:48:12+00:00","target":{"app_id":"1"},"source":{"user_id":"63046977"}}}}`
		events := read(body)
		Expect(events).To(ConsistOf(And(HaveField("Kind", event.AuthorizationLost), HaveField("AccountID", "63046977"), HaveField("ID", HavePrefix("revoke/")))))
		Expect(read(body)).To(Equal(events))
		_, err := decode([]byte(strings.Replace(body, `{"user_event"`, `{"for_user_id":"12","user_event"`, 1)))
		Expect(err).To(MatchError(errAccount))
	})

	It("keeps what it has no name for, each with an ID that stays", func() {
		const follow = `{"type":"follow","created_timestamp":"1517588749178","target":{"id":"12"},"source":{"id":"7","name":"Pat"}}`
		const like = `{"id":"a7ba59","timestamp_ms":1522082006140,"user":{"id_str":"7","screen_name":"pat"}}`
		events := read(`{"for_user_id":"12","follow_events":[` + follow + `],"favorite_events":[` + like + `],"spaces_events":[7,null,"x"],"replay_job_status":{"job_id":"1"}}`)
		Expect(events).To(HaveLen(6))
		Expect(events).To(HaveEach(And(HaveField("Kind", event.Other), HaveField("Type", Not(BeEmpty())), HaveField("ID", Not(BeEmpty())))))
		Expect(events).To(ContainElement(And(HaveField("ID", "favorite_events/a7ba59"), HaveField("Actor.Handle", "pat"), HaveField("OccurredAt", Not(BeZero())))))
		Expect(events).To(ContainElement(And(HaveField("Type", "follow_events.follow"), HaveField("OccurredAt", time.UnixMilli(1517588749178).UTC()))))
		spaced := read(`{"for_user_id":"12","follow_events":[ ` + strings.ReplaceAll(follow, `,"`, `, "`) + ` ]}`)
		Expect(spaced[0].ID).To(BeElementOf(events[1].ID, events[0].ID, events[2].ID))
	})

	It("reads the form of the Activity API", func() {
		Expect(read(`{"data":{"event_uuid":"9","event_type":"profile.update.handle","filter":{"user_id":"12"},"payload":{}}}`)).To(ConsistOf(And(
			HaveField("Kind", event.HandleChanged), HaveField("AccountID", "12"), HaveField("ID", "activity/9"))))
		Expect(read(`{"data":{"event_uuid":"9","event_type":"post.create","filter":{"user_id":"12"}}}`)).To(ConsistOf(And(
			HaveField("Kind", event.Other), HaveField("Type", "post.create"))))
	})

	It("reads a mention in the form of the Activity API", func() {
		Expect(read(`{"data":{"event_uuid":"9","event_type":"post.mention.create","filter":{"user_id":"12"},"payload":{"id":"200","text":"Where is it?","author_id":"7",
			"created_at":"2025-05-19T14:01:46.000Z","conversation_id":"190","in_reply_to_user_id":"8","referenced_tweets":[{"type":"replied_to","id":"195"}]},
			"includes":{"users":[7,{"id":"7","username":"pat","name":"Pat"}]}}}`)).To(ConsistOf(event.Event{
			ID: "post/200", Kind: event.Mention, Type: "post.mention.create", Platform: "X", AccountID: "12", Actor: event.Actor{ID: "7", Handle: "pat", DisplayName: "Pat"},
			Text: "Where is it?", PostID: "200", ThreadID: "190", InReplyTo: "195", URL: "https://x.com/pat/status/200", OccurredAt: at,
		}))
		for _, odd := range []string{`7`, `null`, `{}`, `{"id":"x"}`, `{"id":7,"text":"a"}`} {
			Expect(read(`{"data":{"event_uuid":"9","event_type":"post.mention.create","filter":{"user_id":"12"},"payload":` + odd + `}}`)).To(ConsistOf(And(
				HaveField("ID", "activity/9"), HaveField("Kind", event.Other), HaveField("Type", "post.mention.create"))))
		}
	})

	DescribeTable("keeps what is good beside what is odd", func(parts string, types ...string) {
		events := read(`{"for_user_id":"12",` + parts + `}`)
		Expect(events).To(HaveLen(1 + len(types)))
		Expect(events).To(ContainElement(HaveField("Text", Or(Equal("Where is it?"), Equal("Hello")))))
		for _, name := range types {
			Expect(events).To(ContainElement(And(HaveField("Kind", event.Other), HaveField("Type", name), HaveField("ID", Not(BeEmpty())), HaveField("AccountID", "12"))))
		}
	},
		Entry("a post of nobody", `"tweet_create_events":[`+post+`,{"id_str":"2"}]`, "tweet_create_events"),
		Entry("a post that is none", `"tweet_create_events":[{"id_str":"x"},7,`+post+`]`, "tweet_create_events", "tweet_create_events"),
		Entry("a post of another form", `"tweet_create_events":[`+post+`,{"id_str":"2","user":7}]`, "tweet_create_events"),
		Entry("a message of nobody", `"tweet_create_events":[`+post+`],"direct_message_events":[{"id":"1","message_create":{}}]`, "direct_message_events"),
		Entry("users that are none", `"tweet_create_events":[`+post+`],"users":[1]`),
		Entry("an odd user", `"users":{"7":7},`+strings.TrimSuffix(strings.TrimPrefix(message("7", "12"), `{"for_user_id":"12",`), `,"users":{"7":{"id":"7","name":"Pat","screen_name":"pat"}}}`)),
		Entry("a user event of another form", `"tweet_create_events":[`+post+`],"user_event":7`, "user_event"),
	)

	It("keeps an event of the Activity API that names no account", func() {
		for _, filter := range []string{`{}`, `{"user_id":"acme"}`, `{"keyword":"x"}`} {
			Expect(read(`{"data":{"event_uuid":"9","event_type":"profile.update.handle","filter":` + filter + `}}`)).To(ConsistOf(And(
				HaveField("Kind", event.Other), HaveField("Type", "profile.update.handle"), HaveField("AccountID", ""))))
		}
	})

	It("has no time that nobody can write down", func() {
		for _, odd := range []string{"0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"} {
			Expect(parseTime(time.RFC3339, odd)).To(BeZero(), odd)
		}
		Expect(parseTime(time.RFC3339, "9999-12-31T23:59:59Z")).NotTo(BeZero())
	})

	DescribeTable("is refused", func(body string) {
		_, err := decode([]byte(body))
		Expect(err).To(HaveOccurred())
	},
		Entry("posts of no account", `{"tweet_create_events":[`+post+`]}`),
		Entry("an account that is none", `{"for_user_id":"acme","tweet_create_events":[]}`),
		Entry("far too many", `{"for_user_id":"12","x_events":[0`+strings.Repeat(",0", mostEvents)+`]}`),
		Entry("half of it", `{"for_user_id":"12"`),
		Entry("nothing", ``),
	)
})

var _ = Describe("a page of posts", func() {
	It("is read", func() {
		var page answer[some[post]]
		Expect(httpx.DecodeJSON(said(200, `{"data":[
			{"id":"1000","text":"cut…","note_tweet":{"text":"whole"},"author_id":"7","conversation_id":"900","created_at":"2024-01-15T10:30:00.000Z","in_reply_to_user_id":"12","referenced_tweets":[{"type":"quoted","id":"1"},{"type":"replied_to","id":"950"}]},
			{"id":"999","text":"own","author_id":"12"}],
			"includes":{"users":[{"id":"7","username":"pat","name":"Pat"}]},"meta":{"result_count":2}}`), &page)).To(Succeed())
		w := &walk{account: "12", line: timelines()[0], begun: true, started: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
		w.take(page)
		Expect(w.mark()).To(Equal(mark{through: "1000", seen: []string{}}))
		Expect(w.found).To(ConsistOf(event.Event{
			ID: "post/1000", Kind: event.Reply, Type: "post", Platform: "X", AccountID: "12", Actor: event.Actor{ID: "7", Handle: "pat", DisplayName: "Pat"},
			Text: "whole", PostID: "1000", ThreadID: "900", InReplyTo: "950", URL: "https://x.com/pat/status/1000",
			OccurredAt: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC),
		}))
	})

	It("moves the mark past posts that have settled, and remembers the others", func() {
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		aged := func(id string, age time.Duration) post {
			return post{ID: id, CreatedAt: now.Add(-age).Format(time.RFC3339)}
		}
		m := mark{through: "90"}.after([]post{aged("103", 0), aged("102", 9*time.Second), aged("101", 10*time.Second), aged("99", time.Hour)}, now)
		Expect(m).To(Equal(mark{through: "101", seen: []string{"102", "103"}}))
		Expect(m.after(nil, now)).To(Equal(m))
		Expect(m.after([]post{aged("102", time.Minute)}, now)).To(Equal(mark{through: "102", seen: []string{"103"}}))
		Expect(begin([]post{aged("103", 0), aged("102", 0)}, now)).To(Equal(mark{through: "102", seen: []string{"103"}}), "what was there is not raised")
		Expect(begin(nil, now)).To(Equal(mark{}))
		var many []post
		for i := range mostSeen + 3 {
			many = append(many, aged(strconv.Itoa(100+i), 0))
		}
		m = mark{through: "90"}.after(many, now)
		Expect(m.through).To(Equal("102"))
		Expect(m.seen).To(HaveLen(mostSeen))
		Expect(len(cursor{"mentions": m, "tweets": m}.String())).To(BeNumerically("<", longestCursor/2))
	})

	It("begins anew after a cursor that is damaged", func() {
		tooMany := `{"mentions":"1` + strings.Repeat(",1", mostSeen+1) + `"}`
		for _, text := range []string{
			"", "x", "null", "[]", `{"mentions":"x"}`, `{"mentions":1}`, `{"mentions":"1,"}`, `{"mentions":"1,x"}`, tooMany, strings.Repeat("1", longestCursor+1),
		} {
			Expect(readCursor(text)).To(BeEmpty(), "%.20q", text)
		}
		Expect(readCursor(`{"mentions":"","tweets":"12,13","other":"1"}`)).To(Equal(cursor{"mentions": {seen: []string{}}, "tweets": {through: "12", seen: []string{"13"}}}))
		Expect(readCursor(cursor{"tweets": {through: "12", seen: []string{"13", "14"}}}.String())).To(Equal(cursor{"tweets": {through: "12", seen: []string{"13", "14"}}}))
	})
})
