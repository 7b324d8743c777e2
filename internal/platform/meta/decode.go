// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/platform"
)

// objectPermissions is the webhook object that tells of permissions.
const objectPermissions = "permissions"

// maxEvents is how many events one delivery may hold. Meta puts up to 1,000
// updates into one.
const maxEvents = 2000

// notification is a delivery. What differs from field to field stays raw.
type notification struct {
	Object text              `json:"object"`
	Entry  []json.RawMessage `json:"entry"`
}

type entry struct {
	ID        text  `json:"id"`
	Time      stamp `json:"time"`
	Changes   parts `json:"changes"`
	Messaging parts `json:"messaging"`
	Standby   parts `json:"standby"`
}

// parts is a list of what is read one by one, because an odd one must not cost
// the others. What is no list is empty.
type parts []json.RawMessage

// UnmarshalJSON implements json.Unmarshaler.
func (p *parts) UnmarshalJSON(data []byte) error {
	var read []json.RawMessage
	if json.Unmarshal(data, &read) == nil {
		*p = read
	}
	return nil
}

type change struct {
	Field text            `json:"field"`
	Value json.RawMessage `json:"value"`
}

// text is a string, or a number as which some fields write their identifiers.
// What is neither counts as empty, so that a field that changes its form costs
// no event.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	var read string
	if json.Unmarshal(data, &read) == nil {
		*t = text(read)
		return nil
	}
	var number json.Number
	if json.Unmarshal(data, &number) == nil {
		*t = text(number)
	}
	return nil
}

// stamp is a time, which fields write in seconds, in milliseconds or as text.
type stamp struct{ time.Time }

// timeForm is how the Graph API writes a time.
const timeForm = "2006-01-02T15:04:05-0700"

// UnmarshalJSON implements json.Unmarshaler. What is no time counts as none.
func (s *stamp) UnmarshalJSON(data []byte) error {
	const firstMilli = 100_000_000_000 // seconds would be in the year 5138
	written := strings.Trim(string(data), `"`)
	if number, err := strconv.ParseInt(written, 10, 64); err == nil {
		if number >= firstMilli {
			s.Time = timeOf(number / 1000)
			if !s.IsZero() {
				s.Time = s.Add(time.Duration(number%1000) * time.Millisecond)
			}
			return nil
		}
		s.Time = timeOf(number)
		return nil
	}
	if at, err := time.Parse(timeForm, written); err == nil {
		if at = at.UTC(); at.Year() >= 1 && at.Year() <= 9999 { // what JSON can hold (RFC 3339, section 1)
			s.Time = at
		}
	}
	return nil
}

// seconds writes the time into an identifier.
func (s stamp) seconds() string {
	if s.IsZero() {
		return ""
	}
	return strconv.FormatInt(s.Unix(), 10)
}

// readNotification reads a delivery that is verified.
func readNotification(delivery platform.Delivery) ([]event.Event, error) {
	var read notification
	// The limits of nesting are those for answers: cheap to see beforehand.
	if err := httpx.DecodeJSON(&httpx.Response{Header: http.Header{}, Body: delivery.Body}, &read); err != nil {
		return nil, badContent("the delivery is not a notification in JSON")
	}
	found, rejection := read.events()
	if rejection != nil {
		return nil, rejection
	}
	for i := range found {
		found[i].ReceivedAt = delivery.ReceivedAt
		found[i] = found[i].Bounded()
	}
	return found, nil
}

// events are what all entries tell. What is about another object than Rostra
// subscribes holds none: somebody else has subscribed that with the same app. An
// entry that leads to no Page is left out; it is refused where there is no other.
func (n notification) events() ([]event.Event, *platform.Rejection) {
	switch {
	case n.Object == "":
		return nil, badContent("the notification does not say what it is about")
	case n.Object != objectPage && n.Object != objectPermissions:
		return nil, nil
	case n.Entry == nil:
		return nil, badContent("the notification holds no entries")
	}
	var found []event.Event
	odd := 0
	for _, raw := range n.Entry {
		var one entry
		err := json.Unmarshal(raw, &one)
		switch {
		case err == nil && n.Object == objectPermissions:
			found = append(found, one.permissions()...)
		case err == nil && accountID.MatchString(string(one.ID)):
			found = append(found, one.events()...)
		default:
			odd++
		}
		if len(found) > maxEvents {
			return nil, badContent("the notification holds more events than Meta sends at once")
		}
	}
	if odd > 0 && odd == len(n.Entry) {
		return nil, badContent("the notification does not say about which Page it is")
	}
	return found, nil
}

func badContent(message string) *platform.Rejection {
	return &platform.Rejection{Reason: platform.RejectedContent, Status: http.StatusBadRequest, Message: message}
}

// events are what one entry tells.
func (e entry) events() []event.Event {
	found := make([]event.Event, 0, len(e.Changes)+len(e.Messaging)+len(e.Standby))
	for _, raw := range e.Changes {
		found = append(found, changeEvent(e, raw))
	}
	for _, raw := range e.Messaging {
		found = append(found, messagingEvent(e, raw))
	}
	for _, raw := range e.Standby { // while another app leads the conversation
		found = append(found, messagingEvent(e, raw))
	}
	return found
}

// author is who wrote something; nobody where that is told in another form.
type author struct {
	ID   text `json:"id"`
	Name text `json:"name"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *author) UnmarshalJSON(data []byte) error {
	type plain author
	var read plain
	if json.Unmarshal(data, &read) == nil {
		*a = author(read)
	}
	return nil
}

// feedValue is the value of the fields feed and mention.
type feedValue struct {
	From       author `json:"from"`
	SenderID   text   `json:"sender_id"`
	SenderName text   `json:"sender_name"`
	Item       text   `json:"item"`
	Verb       text   `json:"verb"`
	PostID     text   `json:"post_id"`
	CommentID  text   `json:"comment_id"`
	ParentID   text   `json:"parent_id"`
	Message    text   `json:"message"`
	Created    stamp  `json:"created_time"`
	Published  text   `json:"published"`
	Permalink  text   `json:"permalink_url"`
	Post       struct {
		Permalink text `json:"permalink_url"`
	} `json:"post"`
}

// changeEvent reads one change, in whatever form it is.
func changeEvent(of entry, raw json.RawMessage) event.Event {
	var read change
	if json.Unmarshal(raw, &read) != nil {
		return event.Event{
			Kind: event.Other, Type: "change", AccountID: string(of.ID), OccurredAt: of.Time.Time,
			ID: digest(string(of.ID), "change", string(raw)),
		}
	}
	return read.event(of)
}

// event reads a change. A field that is not known, and a value in another form,
// is an Other.
func (c change) event(of entry) event.Event {
	other := event.Event{
		Kind: event.Other, Type: string(c.Field), AccountID: string(of.ID), OccurredAt: of.Time.Time,
		ID: digest(string(of.ID), string(c.Field), string(c.Value)),
	}
	if c.Field != fieldFeed && c.Field != fieldMention {
		return other
	}
	var value feedValue
	if json.Unmarshal(c.Value, &value) != nil {
		return other
	}
	return value.event(c, of, other)
}

func (v feedValue) event(c change, of entry, other event.Event) event.Event {
	read := other
	read.Type = joined(string(c.Field), string(v.Item), string(v.Verb))
	read.Kind = v.kind(string(c.Field), of.ID)
	read.Actor = event.Actor{ID: string(v.author()), DisplayName: string(firstOf(v.From.Name, v.SenderName))}
	read.Text = string(v.Message)
	read.PostID, read.ThreadID, read.InReplyTo = string(firstOf(v.CommentID, v.PostID)), string(v.PostID), string(v.ParentID)
	read.URL = postURL(string(firstOf(v.Permalink, v.Post.Permalink)), read.PostID)
	if !v.Created.IsZero() {
		read.OccurredAt = v.Created.Time
	}
	if id := v.id(read.PostID, of.ID); id != "" {
		read.ID = id
	}
	return read
}

// isForLater tells of a post of the Page's own that is not to be seen yet.
func (v feedValue) isForLater(page text) bool { return v.author() == page && v.Published == "0" }

func (v feedValue) author() text { return firstOf(v.From.ID, v.SenderID) }

// kind tells who did what. What was taken away, or hidden, is an Other: there is
// nothing to answer.
func (v feedValue) kind(field string, page text) event.Kind {
	if v.Verb != "add" && v.Verb != "edited" && v.Verb != "edit" {
		return event.Other
	}
	own := v.author() == page
	switch v.Item {
	case "comment":
		switch {
		case own:
			return event.OwnPost
		case field == fieldMention:
			return event.Mention
		}
		return event.Reply
	case "post", "status", "photo", "video", "share", "link", "album", "note", "story":
		switch {
		case v.isForLater(page):
			return event.Other
		case own:
			return event.OwnPost
		}
		return event.Mention
	}
	if field == fieldMention && !own {
		return event.Mention
	}
	return event.Other
}

// id is the same for the same thing however often, and in whichever field, it is
// told. An edit has a time of its own only in some fields, so the text counts.
// That a post was made for later is another thing than that it was published.
func (v feedValue) id(post string, page text) string {
	switch v.action() {
	case "add":
		if v.isForLater(page) {
			return post + ":unpublished:" + v.Created.seconds()
		}
		return addedID(post, v.Created)
	case "edited":
		return post + ":edited:" + v.Created.seconds() + ":" + digest(string(v.Message))
	}
	return ""
}

// action is the verb of a thing that has an identifier of its own, in one
// spelling; empty for others.
func (v feedValue) action() string {
	switch {
	case v.PostID == "" && v.CommentID == "" || v.Item == "reaction" || v.Item == "like":
		return ""
	case v.Verb == "edit":
		return "edited"
	}
	return string(v.Verb)
}

// addedID is the identifier of the event that something was posted.
func addedID(post string, created stamp) string { return post + ":add:" + created.seconds() }

// plainPost is the identifier of a post or comment that leads to an address.
var plainPost = regexp.MustCompile(`^[0-9]{1,20}(?:_[0-9]{1,20})?$`)

// postURL is where a person sees a post: the address that Meta names, if it is
// on Facebook, else the one that every post has.
func postURL(named, post string) string {
	if strings.HasPrefix(named, dialogOrigin+"/") {
		return named
	}
	if plainPost.MatchString(post) {
		return dialogOrigin + "/" + post
	}
	return ""
}

// messagingValue is one event of a conversation
// (https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/).
type messagingValue struct {
	Sender    party `json:"sender"`
	Recipient party `json:"recipient"`
	Timestamp stamp `json:"timestamp"`
	Message   *struct {
		ID      text `json:"mid"`
		Text    text `json:"text"`
		IsEcho  bool `json:"is_echo"`
		ReplyTo struct {
			ID text `json:"mid"`
		} `json:"reply_to"`
	} `json:"message"`
}

type party struct {
	ID text `json:"id"`
}

// messagingEvent reads one event of a conversation: a message to the Page, an
// echo of one that the Page sent, or something that Rostra has no name for.
func messagingEvent(of entry, raw json.RawMessage) event.Event {
	read := event.Event{
		Kind: event.Other, Type: messagingType(raw), AccountID: string(of.ID), OccurredAt: of.Time.Time,
		ID: digest(string(of.ID), "messaging", string(raw)),
	}
	var value messagingValue
	if json.Unmarshal(raw, &value) != nil {
		return read
	}
	if !value.Timestamp.IsZero() {
		read.OccurredAt = value.Timestamp.Time
	}
	read.Actor.ID, read.ThreadID = string(value.Sender.ID), string(value.Sender.ID)
	if value.Sender.ID == of.ID {
		read.ThreadID = string(value.Recipient.ID)
	}
	if value.Message == nil || value.Message.ID == "" {
		return read
	}
	read.Kind, read.Type = event.DirectMessage, fieldMessages
	if value.Message.IsEcho {
		read.Kind, read.Type = event.OwnPost, fieldEchoes
	}
	read.ID, read.PostID = string(value.Message.ID), string(value.Message.ID)
	read.Text, read.InReplyTo = string(value.Message.Text), string(value.Message.ReplyTo.ID)
	return read
}

// messagingType names what an event of a conversation is about: the one part of
// it that not all have.
func messagingType(raw json.RawMessage) string {
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return "messaging"
	}
	for _, known := range []string{"message", "postback", "reaction", "read", "delivery", "referral", "optin", "policy_enforcement"} {
		if _, ok := parts[known]; ok {
			return known
		}
	}
	return "messaging"
}

// permissionValue is the value of a field of the object permissions.
type permissionValue struct {
	Verb      text   `json:"verb"`
	TargetIDs []text `json:"target_ids"`
}

// permissions are those that an entry says were given or taken away, for each
// Page that it names. An entry that names a person alone leads to no Page.
func (e entry) permissions() []event.Event {
	var found []event.Event
	for _, raw := range e.Changes {
		var changed change
		var value permissionValue
		if json.Unmarshal(raw, &changed) != nil || json.Unmarshal(changed.Value, &value) != nil {
			continue
		}
		kind := event.Other
		if strings.HasPrefix(strings.ToLower(string(value.Verb)), "revoke") {
			kind = event.AuthorizationLost
		}
		for _, page := range value.TargetIDs {
			if !accountID.MatchString(string(page)) {
				continue
			}
			found = append(found, event.Event{
				ID:   digest(string(e.ID), string(changed.Field), string(value.Verb), e.Time.seconds(), string(page)),
				Kind: kind, Type: joined(objectPermissions, string(changed.Field), string(value.Verb)),
				AccountID: string(page), OccurredAt: e.Time.Time,
			})
		}
	}
	return found
}

// joined puts a dot between the parts that are there.
func joined(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ".")
}

func firstOf(one, other text) text {
	if one != "" {
		return one
	}
	return other
}

// digest makes an identifier of what has none: the same content has the same.
func digest(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}
