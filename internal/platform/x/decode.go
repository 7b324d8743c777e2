// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package x

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// deepest is how deep a delivery may be nested. X's own go to about ten.
	deepest = 64
	// mostEvents is how many events one delivery may hold. X sends a few.
	mostEvents = 1000
)

var (
	errNotSigned = errors.New("not a signature")
	errContent   = errors.New("the delivery cannot be read: it is not a JSON object as X documents it")
	errDeep      = errors.New("the delivery cannot be read: it is nested too deeply")
	errMany      = errors.New("the delivery cannot be read: it holds more events than X sends at once")
	errAccount   = errors.New("the delivery cannot be read: it does not say which account it is about")
)

// Parts of a delivery of the Account Activity API
// (https://docs.x.com/x-api/account-activity/introduction).
const (
	partAccount  = "for_user_id"
	partPosts    = "tweet_create_events"
	partMessages = "direct_message_events"
	partUser     = "user_event"
	partActivity = "data" // of the Activity API
)

// isDetail tells whether a part of a delivery is no event but belongs to those
// beside it.
func isDetail(part string) bool {
	return slices.Contains([]string{partAccount, "user_has_blocked", "is_blocked_by", "users", "apps"}, part)
}

// delivered is a delivery being read.
type delivered struct {
	account string
	users   map[string]webhookUser
	events  []event.Event
}

// webhookUser is a user as deliveries describe it.
type webhookUser struct {
	ID         string `json:"id_str"`
	Name       string `json:"name"`
	ScreenName string `json:"screen_name"`
}

func (u webhookUser) actor(id string) event.Actor {
	return event.Actor{ID: id, Handle: u.ScreenName, DisplayName: platform.OneLine(u.Name)}
}

// decode reads the events of a delivery whose signature is good.
func decode(body []byte) ([]event.Event, error) {
	if depth, _ := httpx.Nesting(body); depth > deepest {
		return nil, errDeep
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil || parts == nil {
		return nil, errContent
	}
	d := delivered{account: textOf(parts[partAccount])}
	if d.account != "" && !accountID.MatchString(d.account) {
		return nil, errAccount
	}
	d.readUsers(parts["users"])
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		if isDetail(part) {
			continue
		}
		if err := d.read(part, parts[part]); err != nil {
			return nil, err
		}
	}
	return d.events, nil
}

// readUsers reads those that direct messages are from and to. Without one a
// message still tells its sender's ID.
func (d *delivered) readUsers(raw json.RawMessage) {
	var entries map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return
	}
	d.users = make(map[string]webhookUser, len(entries))
	for id, entry := range entries {
		var one webhookUser
		if json.Unmarshal(entry, &one) == nil {
			d.users[id] = one
		}
	}
}

// read reads one part: a list of events, or one alone.
func (d *delivered) read(part string, raw json.RawMessage) error {
	switch part {
	case partUser:
		return d.readUserEvent(raw)
	case partActivity:
		d.readActivity(raw)
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		list = []json.RawMessage{raw} // such as replay_job_status
	}
	if len(d.events)+len(list) > mostEvents {
		return errMany
	}
	for _, one := range list {
		if err := d.readEvent(part, one); err != nil {
			return err
		}
	}
	return nil
}

func (d *delivered) readEvent(part string, raw json.RawMessage) error {
	if d.account == "" && (part == partPosts || part == partMessages) {
		return errAccount
	}
	known := part == partPosts && d.readPost(raw) || part == partMessages && d.readMessage(raw)
	if !known { // also a post or a message in another form: it must not cost the others
		d.readOther(part, raw)
	}
	return nil
}

func (d *delivered) add(e event.Event) {
	e.Platform = platformName
	e.AccountID = cmp.Or(e.AccountID, d.account)
	d.events = append(d.events, e)
}

// webhookPost is a post as deliveries describe it, in the form of API v1.1.
type webhookPost struct {
	ID        string      `json:"id_str"`
	CreatedAt string      `json:"created_at"`
	Text      string      `json:"text"`
	User      webhookUser `json:"user"`
	ReplyTo   string      `json:"in_reply_to_status_id_str"`
	ReplyUser string      `json:"in_reply_to_user_id_str"`
	Extended  struct {
		FullText string `json:"full_text"`
	} `json:"extended_tweet"`
	Reposted json.RawMessage `json:"retweeted_status"`
}

// readPost is false for what is no post as X documents it.
func (d *delivered) readPost(raw json.RawMessage) bool {
	var post webhookPost
	if err := json.Unmarshal(raw, &post); err != nil || !accountID.MatchString(post.ID) || !accountID.MatchString(post.User.ID) {
		return false
	}
	e := event.Event{
		ID: postEventID(post.ID), Type: partPosts, Actor: post.User.actor(post.User.ID),
		Text: cmp.Or(post.Extended.FullText, post.Text), PostID: post.ID, InReplyTo: post.ReplyTo,
		URL: link(post.User.ScreenName, post.ID), OccurredAt: parseTime(time.RubyDate, post.CreatedAt),
	}
	if post.ReplyTo == "" {
		e.ThreadID = post.ID // else X does not tell here
	}
	e.Kind = kindOfPost(d.account, post.User.ID, post.ReplyUser)
	if isThere(post.Reposted) && e.Kind != event.OwnPost {
		e.Kind, e.Type = event.Other, partPosts+".repost"
	}
	d.add(e)
	return true
}

func isThere(raw json.RawMessage) bool { return len(raw) > 0 && !bytes.Equal(raw, []byte("null")) }

// kindOfPost says what a post is to the account.
func kindOfPost(account, author, repliedTo string) event.Kind {
	switch account {
	case author:
		return event.OwnPost
	case repliedTo:
		return event.Reply
	}
	return event.Mention
}

// postEventID is the same for a post that is pushed and polled.
func postEventID(post string) string { return "post/" + post }

// message is a direct message event.
type message struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	CreatedAt json.RawMessage `json:"created_timestamp"`
	Create    *struct {
		SenderID string `json:"sender_id"`
		Target   struct {
			RecipientID string `json:"recipient_id"`
		} `json:"target"`
		Data struct {
			Text string `json:"text"`
		} `json:"message_data"`
	} `json:"message_create"`
}

// readMessage takes a message of the account's own for an OwnPost in the
// conversation. It is false for what is no message, as when somebody joined,
// left, or changed a name.
func (d *delivered) readMessage(raw json.RawMessage) bool {
	var m message
	if err := json.Unmarshal(raw, &m); err != nil || m.Create == nil {
		return false
	}
	sender, recipient := m.Create.SenderID, m.Create.Target.RecipientID
	if !accountID.MatchString(m.ID) || !accountID.MatchString(sender) || !accountID.MatchString(recipient) {
		return false
	}
	e := event.Event{
		ID: "message/" + m.ID, Kind: event.DirectMessage, Type: partMessages, Actor: d.users[sender].actor(sender),
		Text: m.Create.Data.Text, PostID: m.ID, OccurredAt: millis(m.CreatedAt),
	}
	if sender == d.account {
		e.Kind = event.OwnPost
	}
	e.ThreadID = conversation(sender, recipient)
	e.URL = "https://x.com/messages/" + e.ThreadID
	d.add(e)
	return true
}

// conversation is X's identifier of the conversation between two: the smaller
// ID first.
func conversation(one, other string) string {
	if newer(one, other) {
		one, other = other, one
	}
	return one + "-" + other
}

// newer compares two IDs, which are numbers that grow with time.
func newer(id, than string) bool { return compareIDs(id, than) > 0 }

func compareIDs(one, other string) int {
	return cmp.Or(cmp.Compare(len(one), len(other)), strings.Compare(one, other))
}

// readUserEvent reads that a person has withdrawn the application's permission,
// which names the account by itself.
func (d *delivered) readUserEvent(raw json.RawMessage) error {
	var said struct {
		Revoke *struct {
			DateTime string `json:"date_time"`
			Source   struct {
				UserID string `json:"user_id"`
			} `json:"source"`
		} `json:"revoke"`
	}
	if err := json.Unmarshal(raw, &said); err != nil || said.Revoke == nil {
		d.readOther(partUser, raw)
		return nil //nolint:nilerr // it is kept as what it is
	}
	account := said.Revoke.Source.UserID
	if !accountID.MatchString(account) || d.account != "" && d.account != account {
		return errAccount
	}
	d.add(event.Event{
		ID: "revoke/" + fingerprint(account, said.Revoke.DateTime), Kind: event.AuthorizationLost, Type: partUser + ".revoke",
		AccountID: account, OccurredAt: parseTime(time.RFC3339, said.Revoke.DateTime),
	})
	return nil
}

// activity is an event in the form of the Activity API
// (https://docs.x.com/x-api/activity/event-payloads).
type activity struct {
	UUID   string `json:"event_uuid"`
	Type   string `json:"event_type"`
	Filter struct {
		UserID string `json:"user_id"`
	} `json:"filter"`
	Payload  json.RawMessage `json:"payload"`
	Includes json.RawMessage `json:"includes"`
}

// readActivity reads one. It is an Other where it does not name its account, as
// one that a keyword has matched.
func (d *delivered) readActivity(raw json.RawMessage) {
	var said activity
	if err := json.Unmarshal(raw, &said); err != nil || said.Type == "" {
		d.readOther(partActivity, raw)
		return
	}
	account := cmp.Or(said.Filter.UserID, d.account)
	e := event.Event{Kind: event.Other, Type: said.Type, ID: "activity/" + cmp.Or(said.UUID, fingerprint(account, compact(raw)))}
	if accountID.MatchString(account) {
		e.AccountID = account
		said.tell(&e)
	}
	d.add(e)
}

// tell fills in what the event of an account is about, where Rostra has a name
// for that.
func (said activity) tell(e *event.Event) {
	switch said.Type {
	case "profile.update.handle", "profile.update.screenname":
		e.Kind = event.HandleChanged
	case "oauth.revoke":
		e.Kind = event.AuthorizationLost
	case "post.mention.create":
		var mention post
		if json.Unmarshal(said.Payload, &mention) != nil || !accountID.MatchString(mention.ID) || !accountID.MatchString(mention.AuthorID) {
			return
		}
		var beside includes
		if json.Unmarshal(said.Includes, &beside) != nil {
			beside = includes{}
		}
		*e = mention.event(e.AccountID, beside.author(mention.AuthorID))
		e.Type = said.Type
	}
}

// readOther keeps what Rostra has no name for. Where X gives it no ID, its
// content is one: the same content is the same event.
func (d *delivered) readOther(part string, raw json.RawMessage) {
	var said struct {
		ID        string          `json:"id"`
		Type      string          `json:"type"`
		CreatedAt json.RawMessage `json:"created_timestamp"`
		Timestamp json.RawMessage `json:"timestamp_ms"`
		Source    webhookUser     `json:"source"`
		User      webhookUser     `json:"user"`
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		said.ID, said.Type = "", ""
	}
	e := event.Event{Kind: event.Other, Type: part, ID: part + "/" + said.ID}
	if said.ID == "" || len(said.ID) > event.MaxName/2 {
		e.ID = part + "/" + fingerprint(part, compact(raw))
	}
	if said.Type != "" {
		e.Type += "." + said.Type
	}
	if by := cmp.Or(said.Source, said.User); accountID.MatchString(by.ID) {
		e.Actor = by.actor(by.ID)
	}
	for _, at := range []json.RawMessage{said.Timestamp, said.CreatedAt} {
		if e.OccurredAt.IsZero() {
			e.OccurredAt = millis(at)
		}
	}
	if len(e.ID) > event.MaxName {
		e.ID = "other/" + fingerprint(part, compact(raw))
	}
	d.add(e)
}

// compact gives JSON without spaces, so that the same content is the same text.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return string(raw)
	}
	return b.String()
}

// fingerprint is a digest of texts, each told from the next.
func fingerprint(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		hash.Write([]byte(strconv.Itoa(len(text)) + ":" + text))
	}
	return hex.EncodeToString(hash.Sum(nil)[:sha256.Size/2])
}

// textOf reads a text that is a number in some of X's deliveries.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String()
	}
	return ""
}

// millis reads milliseconds since 1970, written as a number or a text.
func millis(raw json.RawMessage) time.Time {
	const last = 253402300799999 // 9999-12-31
	number, err := strconv.ParseInt(textOf(raw), 10, 64)
	if err != nil || number <= 0 || number > last {
		return time.Time{}
	}
	return time.UnixMilli(number).UTC()
}

// parseTime gives the zero time for what is none, or in a year that JSON cannot
// hold (RFC 3339, section 1).
func parseTime(layout, text string) time.Time {
	at, err := time.Parse(layout, text)
	if at = at.UTC(); err != nil || at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}
