// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/httpx"
)

const (
	wayTelegram  = "telegram"
	maxTelegram  = 4_096 // characters of a message
	maxTelegramS = 3_600 // seconds; the longest wait that is believed
)

// telegram sends by a bot (https://core.telegram.org/bots/api#sendmessage). It is
// not done by the library that does the smaller services, because that dials by
// itself, without a time limit, and names the token in its errors.
type telegram struct {
	endpoint endpoint
	chat     string
}

type telegramMessage struct {
	Chat    string             `json:"chat_id"`
	Text    string             `json:"text"`
	Silent  bool               `json:"disable_notification,omitempty"`
	Preview telegramPreview    `json:"link_preview_options"`
	Markup  *telegramInlineKey `json:"reply_markup,omitempty"`
}

type telegramPreview struct {
	Disabled bool `json:"is_disabled"`
}

type telegramInlineKey struct {
	Rows [][]telegramButton `json:"inline_keyboard"`
}

type telegramButton struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

type telegramAnswer struct {
	OK         bool `json:"ok"`
	Parameters struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

func (o *Opener) openTelegram(p parsed) (way, error) {
	wrong := errors.New("the address of Telegram is telegram://TOKEN@telegram?chats=CHAT, " +
		"with the bot's token and one chat: a number, or @ and the name of a channel")
	if p.url.User == nil || p.url.Host != "telegram" || strings.Trim(p.url.Path, "/") != "" {
		return nil, wrong
	}
	if err := refuseQuery(p.url, "chats"); err != nil {
		return nil, err
	}
	secret, _ := p.url.User.Password()
	token, chat := p.url.User.Username()+":"+secret, p.url.Query().Get("chats")
	if !regexp.MustCompile(`^[0-9]{3,20}:[A-Za-z0-9_-]{20,80}$`).MatchString(token) ||
		!regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z0-9_]{3,64})$`).MatchString(chat) {
		return nil, wrong
	}
	return &telegram{endpoint: o.endpoint(o.bases.telegram + "/bot" + token + "/sendMessage"), chat: chat}, nil
}

func (*telegram) name() string { return wayTelegram }

func (t *telegram) tell(ctx context.Context, m Message) *Failure {
	var rows [][]telegramButton
	if m.Acknowledge != "" {
		rows = append(rows, []telegramButton{{"I have it", m.Acknowledge}})
	}
	if m.Link != "" {
		rows = append(rows, []telegramButton{{"Open the post", m.Link}})
	}
	message := telegramMessage{
		Chat:    t.chat,
		Text:    clip(strings.TrimSpace(inert(m.Title+"\n\n"+description(m))), maxTelegram),
		Silent:  m.Urgency != High,
		Preview: telegramPreview{Disabled: true},
	}
	if len(rows) > 0 {
		message.Markup = &telegramInlineKey{rows}
	}
	resp, failure := t.endpoint.post(ctx, message)
	if failure != nil {
		return failure
	}
	var said telegramAnswer
	readable := json.Unmarshal(resp.Body, &said) == nil
	if resp.Status == http.StatusOK && readable && said.OK {
		return nil
	}
	return t.refusal(resp, said)
}

func (t *telegram) refusal(resp *httpx.Response, said telegramAnswer) *Failure {
	hint := "Telegram does not take the message"
	switch resp.Status {
	case http.StatusBadRequest:
		hint = "Telegram does not take the message (does the chat exist?)"
	case http.StatusUnauthorized, http.StatusNotFound:
		hint = "the bot's token is not valid"
	case http.StatusForbidden:
		hint = "the bot may not write there: the person must start it, or the group must add it"
	case http.StatusTooManyRequests:
		hint = "too many messages"
	}
	failure := t.endpoint.failed(resp, hint)
	if after := said.Parameters.RetryAfter; after > 0 && failure.RetryAfter == 0 {
		failure.RetryAfter = time.Duration(min(after, maxTelegramS)) * time.Second
	}
	return failure
}
