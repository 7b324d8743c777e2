// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

const (
	waySlack = "slack"
	// Limits of Block Kit (https://docs.slack.dev/reference/block-kit/blocks).
	slackHeader  = 150
	slackFields  = 10
	slackSection = 3_000
)

// slack posts to an incoming webhook
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
type slack struct{ endpoint endpoint }

type slackMessage struct {
	Text        string       `json:"text"`
	Blocks      []slackBlock `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

type slackBlock struct {
	Type     string         `json:"type"`
	Text     *slackText     `json:"text,omitempty"`
	Fields   []slackText    `json:"fields,omitempty"`
	Elements []slackElement `json:"elements,omitempty"`
}

type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji,omitempty"`
	Verbatim bool   `json:"verbatim,omitempty"`
}

type slackElement struct {
	Type     string    `json:"type"`
	Text     slackText `json:"text"`
	URL      string    `json:"url"`
	ActionID string    `json:"action_id"`
	Style    string    `json:"style,omitempty"`
}

func (o *Opener) openSlack(p parsed) (way, error) {
	if err := refuseUser(p.url, "a Slack webhook has none"); err != nil {
		return nil, err
	}
	if err := refuseQuery(p.url); err != nil {
		return nil, err
	}
	target, err := server(p.url, "https")
	if err != nil {
		return nil, fmt.Errorf("the address of Slack: %w", err)
	}
	if strings.Trim(target.Path, "/") == "" || target.Fragment != "" {
		return nil, errors.New("the address of Slack is slack+https://hooks.slack.com/services/ and the three parts that Slack gave")
	}
	return &slack{o.endpoint(target.String())}, nil
}

func (*slack) name() string { return waySlack }

func (s *slack) tell(ctx context.Context, m Message) *Failure {
	resp, failure := s.endpoint.post(ctx, slackMessage{Text: slackEscape(m.Title), Blocks: slackBlocks(m)})
	switch {
	case failure != nil:
		return failure
	case resp.Status == http.StatusOK && strings.TrimSpace(string(resp.Body)) == "ok":
		return nil
	case resp.Status == http.StatusOK:
		// A captive portal or a wrong path answers 200 as well.
		return &Failure{Permanent: true, Status: resp.Status, reason: hostOf(s.endpoint.url) +
			" answered something other than Slack does: is it the URL of an incoming webhook?"}
	}
	return s.endpoint.failed(resp, slackHint(resp.Status))
}

func slackHint(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "Slack does not accept the message"
	case http.StatusForbidden:
		return "the workspace does not allow it, or the webhook's token is not valid"
	case http.StatusNotFound:
		return "there is no such webhook, or its channel is gone; make another in Slack"
	case http.StatusGone:
		return "the webhook's channel is archived; make another in Slack"
	case http.StatusTooManyRequests:
		return "Slack takes about one message a second for a channel"
	}
	return ""
}

func slackBlocks(m Message) []slackBlock {
	blocks := []slackBlock{{Type: "header", Text: new(slackPlain(clip(m.Title, slackHeader)))}}
	var fields []slackText
	for _, fact := range m.Facts[:min(len(m.Facts), slackFields)] {
		fields = append(fields, slackMarkdown("*"+slackEscape(fact.Name)+"*\n"+slackEscape(fact.Value)))
	}
	if len(fields) > 0 {
		blocks = append(blocks, slackBlock{Type: "section", Fields: fields})
	}
	if m.Excerpt != "" {
		text := clip("&gt; "+strings.ReplaceAll(slackEscape(m.Excerpt), "\n", "\n&gt; "), slackSection)
		blocks = append(blocks, slackBlock{Type: "section", Text: new(slackMarkdown(text))})
	}
	var buttons []slackElement
	if m.Acknowledge != "" {
		buttons = append(buttons, slackElement{Type: "button", ActionID: "acknowledge", Text: slackPlain("I have it"), URL: m.Acknowledge, Style: "primary"})
	}
	if m.Link != "" {
		buttons = append(buttons, slackElement{Type: "button", ActionID: "post", Text: slackPlain("Open the post"), URL: m.Link})
	}
	if len(buttons) > 0 {
		blocks = append(blocks, slackBlock{Type: "actions", Elements: buttons})
	}
	return blocks
}

func slackPlain(text string) slackText {
	return slackText{Type: "plain_text", Text: text, Emoji: new(false)}
}

// slackMarkdown is text that was escaped. Verbatim keeps Slack from making links
// and mentions of what looks like them.
func slackMarkdown(text string) slackText {
	return slackText{Type: "mrkdwn", Text: text, Verbatim: true}
}

// slackEscape escapes the three characters with which Slack's links and mentions
// begin (https://docs.slack.dev/messaging/formatting-message-text#escaping).
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
