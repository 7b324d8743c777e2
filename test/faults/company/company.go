// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package company is what the worker and those who test it agree on: some Pages
// on Meta behind one app, what customers write there, and who is told of it.
package company

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/rostra-dev/rostra/internal/conversation"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/hook"
)

const (
	// Platform is the type of the platform.
	Platform = "Meta"
	// Server is where it is.
	Server = "https://graph.facebook.com"
	// Namespace of the channels.
	Namespace = "social"
	// Team that answers.
	Team = "care"
	// Manager of the team, whom the fallback tells.
	Manager = "maria"
	// SigningSecret is what notifications are signed with.
	SigningSecret = "whsec_ZmF1bHRzLWFyZS1wYXJ0LW9mLXRoZS1nYW1lLTEyMzQ="

	application = "faults"
	appSecret   = "the-secret-of-the-app"
)

// Key of the gateway.
func Key() []byte { return []byte("0123456789abcdef0123456789abcdef") }

// HookKeys are those with which Meta signs.
func HookKeys() credentials.Values {
	return credentials.Values{"app-secret": credentials.NewValue(appSecret), "verify-token": credentials.NewValue("of-no-account")}
}

// Callback is where Meta delivers, at a gateway with this URL.
func Callback(base string) string { return hook.URL(base, Platform, Key(), hookID()) }

func hookID() string { return hook.ApplicationID(Platform, Server, application) }

// Page is one of the company's accounts.
type Page struct {
	Number int
	// ID of the account, and name and UID of the channel that declares it.
	ID, Name, UID string
}

// Channel is the channel as namespace/name.
func (p Page) Channel() string { return Namespace + "/" + p.Name }

// PageAt gives a Page by its number, from 0.
func PageAt(number int) Page {
	return Page{
		Number: number, ID: strconv.Itoa(1_000_000_000 + number), Name: fmt.Sprintf("page-%d", number),
		UID: fmt.Sprintf("00000000-0000-4000-8000-%012d", number),
	}
}

// Responder is who is told of what happens on a Page in a step, from 0.
func (p Page) Responder(step int) string { return fmt.Sprintf("page-%d-step-%d", p.Number, step) }

// Record is what the gateway must know of a Page.
func (p Page) Record() hook.Record {
	return hook.Record{
		Platform: Platform, Server: Server, HookID: hookID(), Channel: p.Channel(), ChannelUID: p.UID, AccountID: p.ID,
		Keys: []hook.KeySet{{Values: HookKeys()}},
	}
}

// Comment is what a customer writes who never wrote before, below a post that
// nobody has commented.
type Comment struct {
	// EventID of the event that it becomes, and Conversation that it opens.
	EventID, Conversation string
	// Body and Signature of the delivery that brings it.
	Body      []byte
	Signature string
}

// Comment makes the comment of a number, which is unique on all Pages.
func (p Page) Comment(number int, at time.Time) (*Comment, error) {
	post, comment, author := fmt.Sprintf("%s_%d", p.ID, number), fmt.Sprintf("%d_1", number), strconv.Itoa(7_000_000_000+number)
	body, err := json.Marshal(map[string]any{"object": "page", "entry": []any{map[string]any{
		"id": p.ID, "time": at.Unix(), "changes": []any{map[string]any{"field": "feed", "value": map[string]any{
			"from": map[string]string{"id": author, "name": "Customer " + author}, "item": "comment", "verb": "add",
			"post_id": post, "comment_id": comment, "parent_id": post, "created_time": at.Unix(),
			"message": fmt.Sprintf("Where is my parcel %d? It should have been here on Monday, and nobody answers the telephone.", number),
		}}},
	}}})
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(appSecret))
	_, _ = mac.Write(body)
	return &Comment{
		EventID:      fmt.Sprintf("%s:add:%d", comment, at.Unix()),
		Conversation: conversation.NewID(p.UID, post, author),
		Body:         body, Signature: "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	}, nil
}
