// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/rostra-dev/rostra/internal/notify"
)

const (
	routingKey    = mark + "0123456789abcdef012345"
	signingSecret = "whsec_UzNDUkVUbTRya1MzQ1JFVG00cmtTM0NSRVRt"
	slackPath     = "/services/T000/B000/" + mark
	botToken      = "123456789:AAE" + mark + "_0123456789-abcdefghij"
)

// strict decodes JSON that has these fields and no others.
func strict(body []byte, into any) bool {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into) == nil
}

// pagerDuty answers as Events API v2 is documented.
func pagerDuty(w http.ResponseWriter, r request) {
	var event struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		DedupKey   string `json:"dedup_key"`
		Client     string `json:"client"`
		ClientURL  string `json:"client_url"`
		Links      []struct{ Href, Text string }
		Images     []any
		Payload    *struct {
			Summary, Source, Severity, Timestamp, Component, Group, Class string
			Details                                                       map[string]any `json:"custom_details"`
		}
	}
	valid := strict(r.body, &event) && strings.HasSuffix(r.path, "/v2/enqueue") && event.RoutingKey == routingKey &&
		r.header.Get("Content-Type") == "application/json" && len(event.DedupKey) <= 255
	switch event.Action {
	case "trigger":
		valid = valid && event.Payload != nil && event.Payload.Summary != "" && len(event.Payload.Summary) <= 1024 && event.Payload.Source != "" &&
			slices.Contains([]string{"critical", "error", "warning", "info"}, event.Payload.Severity)
	case "acknowledge", "resolve":
		valid = valid && event.DedupKey != ""
	default:
		valid = false
	}
	if !valid {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"status":"invalid event","message":"Event object is invalid"}`)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"success","message":"Event processed","dedup_key":"x"}`)
}

type slackText struct {
	Type, Text      string
	Emoji, Verbatim bool
}

// slackTextIs tells whether Slack takes the text, and whether nothing of a
// stranger's is a link or a mention in it.
func slackTextIs(text *slackText, kind string, limit int) bool {
	bare := regexp.MustCompile(`[<>]|&($|[^agl])`)
	return text != nil && text.Type == kind && text.Text != "" && utf8.RuneCountInString(text.Text) <= limit &&
		(kind != "mrkdwn" || !bare.MatchString(text.Text))
}

// slack answers as incoming webhooks and Block Kit are documented.
func slack(w http.ResponseWriter, r request) {
	var message struct {
		Text        string
		UnfurlLinks bool `json:"unfurl_links"`
		UnfurlMedia bool `json:"unfurl_media"`
		Blocks      []struct {
			Type     string
			Text     *slackText
			Fields   []slackText
			Elements []struct {
				Type     string
				Text     slackText
				URL      string
				ActionID string `json:"action_id"`
				Style    string
			}
		}
	}
	if r.path != slackPath {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "no_service")
		return
	}
	valid := strict(r.body, &message) && message.Text != "" && len(message.Blocks) > 0 && len(message.Blocks) <= 50
	for _, block := range message.Blocks {
		switch block.Type {
		case "header":
			valid = valid && slackTextIs(block.Text, "plain_text", 150)
		case "section":
			valid = valid && (len(block.Fields) > 0 || slackTextIs(block.Text, "mrkdwn", 3000)) && len(block.Fields) <= 10
			for _, field := range block.Fields {
				valid = valid && slackTextIs(&field, "mrkdwn", 2000)
			}
		case "actions":
			valid = valid && len(block.Elements) > 0 && len(block.Elements) <= 25
			for _, button := range block.Elements {
				valid = valid && button.Type == "button" && slackTextIs(&button.Text, "plain_text", 75) &&
					button.URL != "" && len(button.URL) <= 3000 && button.ActionID != "" && slices.Contains([]string{"", "primary", "danger"}, button.Style)
			}
		default:
			valid = false
		}
	}
	if !valid {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "invalid_blocks")
		return
	}
	_, _ = io.WriteString(w, "ok")
}

// telegram answers as the Bot API is documented.
func telegram(w http.ResponseWriter, r request) {
	var message struct {
		Chat    string `json:"chat_id"`
		Text    string
		Silent  bool `json:"disable_notification"`
		Preview struct {
			IsDisabled bool `json:"is_disabled"`
		} `json:"link_preview_options"`
		Markup struct {
			Rows [][]struct{ Text, URL string } `json:"inline_keyboard"`
		} `json:"reply_markup"`
	}
	if r.path != "/bot"+botToken+"/sendMessage" || !strict(r.body, &message) || message.Text == "" ||
		utf8.RuneCountInString(message.Text) > 4096 || message.Chat != "-100200300" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`)
		return
	}
	_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":1}}`)
}

var _ = Describe("PagerDuty", func() {
	It("is told, and closes by the same key", func(ctx context.Context) {
		at := serve(pagerDuty)
		notifier := open(newOpener(at), address("pagerduty://"+routingKey+"\n"))
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		Expect(at.requests()[0].path).To(Equal("/v2/enqueue"))
		Expect(at.requests()[0].body).To(MatchJSON(`{
			"routing_key": "` + routingKey + `", "event_action": "trigger", "dedup_key": "conversation-7",
			"client": "Rostra", "client_url": "https://bsky.app/profile/a/post/1",
			"links": [{"href": "https://rostra.brand.example/ack/` + mark + `", "text": "I have it"},
				{"href": "https://bsky.app/profile/a/post/1", "text": "The post"}],
			"payload": {"summary": "Nobody has answered @help on Bluesky for 15 min", "source": "rostra", "severity": "critical",
				"timestamp": "2026-03-01T13:30:00Z", "component": "help", "group": "brand-eu", "class": "Unanswered",
				"custom_details": {"Where": "brand-eu/help", "Owner": "R&D <care>", "Excerpt": "my order never came\n<!channel> *now*"}}}`))

		closer, ok := notifier.(notify.Closer)
		Expect(ok).To(BeTrue())
		Expect(closer.Close(ctx, notify.Closing{Incident: "conversation-7", Acknowledged: true})).To(Succeed())
		Expect(closer.Close(ctx, notify.Closing{Incident: "conversation-7"})).To(Succeed())
		Expect(at.requests()[1].body).To(MatchJSON(`{"routing_key": "` + routingKey + `", "event_action": "acknowledge", "dedup_key": "conversation-7"}`))
		Expect(at.requests()[2].body).To(MatchJSON(`{"routing_key": "` + routingKey + `", "event_action": "resolve", "dedup_key": "conversation-7"}`))
	})

	It("is given the ticket in the incident's stead, by which it calls back", func(ctx context.Context) {
		at := serve(pagerDuty)
		notifier := open(newOpener(at), address("pagerduty://"+routingKey))
		m := told()
		m.Ticket = "ticket-7"
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		closer, ok := notifier.(notify.Closer)
		Expect(ok).To(BeTrue())
		for _, acknowledged := range []bool{true, false} {
			Expect(closer.Close(ctx, notify.Closing{Incident: m.Incident, Ticket: m.Ticket, Acknowledged: acknowledged})).To(Succeed())
		}
		Expect(at.requests()).To(HaveLen(3))
		for _, request := range at.requests() {
			Expect(string(request.body)).To(ContainSubstring(`"dedup_key":"ticket-7"`))
		}
	})

	It("is another place in Europe, and takes incidents of any length", func(ctx context.Context) {
		at := serve(pagerDuty)
		m := told()
		m.Incident, m.Urgency = strings.Repeat("long", 100), notify.Low
		Expect(open(newOpener(at), address("pagerduty://"+routingKey+"?region=eu")).Tell(ctx, m)).To(Succeed())
		Expect(at.requests()[0].path).To(Equal("/eu/v2/enqueue"))
		Expect(string(at.requests()[0].body)).To(ContainSubstring(`"severity":"info"`))
	})
})

var _ = Describe("Slack", func() {
	It("is told in blocks that mention nobody", func(ctx context.Context) {
		at := serve(slack)
		notifier := open(newOpener(at), address("slack+"+at.URL+slackPath))
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		said := string(at.requests()[0].body)
		var message struct{ Blocks []json.RawMessage }
		Expect(json.Unmarshal([]byte(said), &message)).To(Succeed())
		Expect(message.Blocks).To(HaveLen(4))
		Expect(message.Blocks[1]).To(MatchJSON(`{"type": "section", "fields": [
			{"type": "mrkdwn", "text": "*Where*\nbrand-eu/help", "verbatim": true},
			{"type": "mrkdwn", "text": "*Owner*\nR&amp;D &lt;care&gt;", "verbatim": true}]}`))
		Expect(message.Blocks[3]).To(MatchJSON(`{"type": "actions", "elements": [
			{"type": "button", "action_id": "acknowledge", "style": "primary", "url": "https://rostra.brand.example/ack/` + mark + `",
				"text": {"type": "plain_text", "text": "I have it", "emoji": false}},
			{"type": "button", "action_id": "post", "url": "https://bsky.app/profile/a/post/1",
				"text": {"type": "plain_text", "text": "Open the post", "emoji": false}}]}`))
		_, closes := notifier.(notify.Closer)
		Expect(closes).To(BeFalse())
	})

	It("takes the longest message", func(ctx context.Context) {
		at := serve(slack)
		m := told()
		m.Title, m.Excerpt, m.Facts = strings.Repeat("t", 5000), strings.Repeat("<&>\n", 5000), nil
		for range 50 {
			m.Facts = append(m.Facts, notify.Fact{Name: strings.Repeat("n<", 500), Value: strings.Repeat("&v", 5000)})
		}
		Expect(open(newOpener(at), address("slack+"+at.URL+slackPath)).Tell(ctx, m)).To(Succeed())
	})

	It("is not what answers 200 to everything", func(ctx context.Context) {
		at := serve(func(w http.ResponseWriter, _ request) { _, _ = io.WriteString(w, "<html>sign in</html>") })
		failure := failureOf(open(newOpener(at), address("slack+"+at.URL+slackPath)).Tell(ctx, told()))
		Expect(failure.Permanent).To(BeTrue())
		Expect(failure).To(MatchError(ContainSubstring("incoming webhook")))
	})
})

var _ = Describe("A generic webhook", func() {
	It("gets a signed CloudEvent, with the same ID for the same telling", func(ctx context.Context) {
		verifier, err := standardwebhooks.NewWebhook(signingSecret)
		Expect(err).NotTo(HaveOccurred())
		at := serve(func(w http.ResponseWriter, r request) {
			if r.path != "/hook/"+mark || r.query != "a=b" || verifier.Verify(r.body, r.header) != nil {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		opener := newOpener(at)
		notifier := open(opener, address("webhook+"+at.URL+"/hook/"+mark+"?a=b", "signingSecret", signingSecret))
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		Expect(at.requests()[0].header.Get("Webhook-Id")).To(Equal("conversation-7/step-1"))
		Expect(at.requests()[1].header.Get("Webhook-Id")).To(Equal("conversation-7/step-1"))
		Expect(at.requests()[0].body).To(MatchJSON(`{
			"specversion": "1.0", "id": "conversation-7/step-1", "source": "/rostra", "type": "dev.rostra.notification.v1",
			"subject": "conversation-7", "time": "2026-03-01T13:30:00Z", "datacontenttype": "application/json",
			"data": {"incident": "conversation-7", "kind": "Unanswered", "urgency": "High",
				"title": "Nobody has answered @help on Bluesky for 15 min",
				"facts": [{"name": "Where", "value": "brand-eu/help"}, {"name": "Owner", "value": "R&D <care>"}],
				"excerpt": "my order never came\n<!channel> *now*", "link": "https://bsky.app/profile/a/post/1",
				"acknowledge": "https://rostra.brand.example/ack/` + mark + `", "until": "2026-03-01T14:30:00Z",
				"labels": {"namespace": "brand-eu", "channel": "help", "step": "1"}, "team": "care", "member": "maria"}}`))

		wrong := open(opener, address(at.URL+"/hook/"+mark+"?a=b", "signingSecret", "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg=="))
		Expect(failureOf(wrong.Tell(ctx, told())).Permanent).To(BeTrue())
	})
})

var _ = Describe("Telegram", func() {
	It("is told, with buttons", func(ctx context.Context) {
		at := serve(telegram)
		m := told()
		m.Excerpt = strings.Repeat("x", 6000)
		Expect(open(newOpener(at), address("telegram://"+botToken+"@telegram?chats=-100200300")).Tell(ctx, m)).To(Succeed())
		said := string(at.requests()[0].body)
		Expect(said).To(ContainSubstring(`{"text":"I have it","url":"https://rostra.brand.example/ack/` + mark + `"}`))
		Expect(said).NotTo(ContainSubstring("disable_notification"))
	})

	It("lets a stranger mention nobody", func(ctx context.Context) {
		at := serve(telegram)
		m := told()
		m.Excerpt = "@brand <b>look</b>"
		Expect(open(newOpener(at), address("telegram://"+botToken+"@telegram?chats=-100200300")).Tell(ctx, m)).To(Succeed())
		var said struct{ Text string }
		Expect(json.Unmarshal(at.requests()[0].body, &said)).To(Succeed())
		Expect(said.Text).To(ContainSubstring("@\u200bbrand <\u200bb>look"))
	})

	It("says in the body how long to wait", func(ctx context.Context) {
		at := serve(func(w http.ResponseWriter, _ request) {
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"ok":false,"error_code":429,"parameters":{"retry_after":31}}`)
		})
		failure := failureOf(open(newOpener(at), address("telegram://"+botToken+"@telegram?chats=@brand")).Tell(ctx, told()))
		Expect(failure.Permanent).To(BeFalse())
		Expect(failure.RetryAfter).To(Equal(31 * time.Second))
	})

	It("has not taken what it does not say it took", func(ctx context.Context) {
		at := serve(func(w http.ResponseWriter, _ request) { _, _ = io.WriteString(w, `{"ok":false}`) })
		failureOf(open(newOpener(at), address("telegram://"+botToken+"@telegram?chats=@brand")).Tell(ctx, told()))
	})
})

var _ = Describe("Alertmanager", func() {
	It("is signed in to, below a prefix", func(ctx context.Context) {
		at := serve(func(w http.ResponseWriter, r request) {
			request := http.Request{Header: r.header}
			user, password, _ := request.BasicAuth()
			if r.path != "/am/api/v2/alerts" || user != "rostra" || password != mark {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		opener := newOpener(at)
		notifier := open(opener, address("alertmanager+"+at.URL+"/am/", "username", "rostra", "password", mark))
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		failure := failureOf(open(opener, address("alertmanager+"+at.URL+"/am")).Tell(ctx, told()))
		Expect(failure.Permanent).To(BeTrue())
		Expect(failure).To(MatchError(ContainSubstring("username and password")))
	})

	It("is told in all of a cluster, if any takes it, and ends in all", func(ctx context.Context) {
		var away atomic.Bool
		first := serve(func(w http.ResponseWriter, _ request) {
			if away.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		second := serve(func(http.ResponseWriter, request) {})
		notifier := open(newOpener(first), address("alertmanager+"+first.URL+","+second.host()+"/am"))
		closer, ok := notifier.(notify.Closer)
		Expect(ok).To(BeTrue())
		Expect(notifier.Tell(ctx, told())).To(Succeed())
		for _, at := range []*fake{first, second} {
			Expect(at.requests()).To(HaveLen(1))
			Expect(at.requests()[0].path).To(Equal("/am/api/v2/alerts"))
		}
		away.Store(true)
		Expect(notifier.Tell(ctx, told())).To(Succeed(), "one took it")
		Expect(closer.Close(ctx, notify.Closing{Incident: "conversation-7", At: told().At})).NotTo(Succeed(), "it still wakes somebody there")
		away.Store(false)
		Expect(closer.Close(ctx, notify.Closing{Incident: "conversation-7", At: told().At})).To(Succeed())
		second.Close()
		away.Store(true)
		Expect(failureOf(notifier.Tell(ctx, told())).Permanent).To(BeFalse())
	})

	It("knows the alert by the same labels when it ends, and lets nobody pass for another", func(ctx context.Context) {
		at := serve(func(http.ResponseWriter, request) {})
		notifier := open(newOpener(at), address("alertmanager+"+at.URL))
		m := told()
		m.Labels = map[string]string{"alertname": "forged", "incident": "forged", "9-a b": "x", "step": "1"}
		Expect(notifier.Tell(ctx, m)).To(Succeed())
		closer, ok := notifier.(notify.Closer)
		Expect(ok).To(BeTrue())
		Expect(closer.Close(ctx, notify.Closing{
			Incident: m.Incident, Kind: m.Kind, Urgency: m.Urgency, Labels: m.Labels, Team: m.Team, Member: m.Member,
			Started: m.At, At: m.At.Add(time.Minute),
		})).To(Succeed())
		var alerts []map[string]string
		for _, r := range at.requests() {
			var posted []struct{ Labels map[string]string }
			Expect(json.Unmarshal(r.body, &posted)).To(Succeed())
			alerts = append(alerts, posted[0].Labels)
		}
		Expect(alerts[0]).To(Equal(alerts[1]))
		Expect(alerts[0]).To(Equal(map[string]string{
			"alertname": "RostraUnanswered", "incident": "conversation-7", "severity": "critical",
			"_9_a_b": "x", "step": "1", "team": "care", "member": "maria",
		}))
	})
})
