// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conversation is what stands between a stranger's message and somebody
// who answers: who wrote, who was told, whose turn is next and when, and
// whether somebody has answered. Everything here is pure: the time is a
// parameter, and storing and telling are for others.
package conversation

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/event"
)

// State says how far a conversation has come.
type State string

const (
	// Open: it waits, and nobody has been told yet.
	Open State = "Open"
	// Told: it waits, and somebody has been told.
	Told State = "Told"
	// Acknowledged: somebody said that they have it.
	Acknowledged State = "Acknowledged"
	// Answered: the account itself answered.
	Answered State = "Answered"
	// Expired: nobody did anything for so long that it is given up.
	Expired State = "Expired"
)

// Waits tells whether somebody is still to be found who answers.
func (s State) Waits() bool { return s == Open || s == Told }

// Bounds of what a conversation holds.
const (
	maxPosts    = 32
	maxEvents   = 64
	maxTellings = 48
	maxUnclosed = 48
	maxPast     = 16
	maxMark     = 64
	// MaxExcerpt bounds Excerpt, in characters.
	MaxExcerpt = 240
	// Life is how long a conversation waits for somebody before it expires.
	Life = 7 * 24 * time.Hour
	// Memory is how long one that is over is kept, so that the next message in
	// it finds it, and figures speak of it.
	Memory = 7 * 24 * time.Hour
	// Quiet is after how long of nothing a message is news again: whoever said that
	// they have it, or was told last, does not see it.
	Quiet = time.Hour
)

// Conversation is what one person writes to one channel in one thread.
type Conversation struct {
	// ID names the conversation; see NewID.
	ID string `json:"id"`
	// Channel as namespace/name, and its UID.
	Channel    string `json:"channel"`
	ChannelUID string `json:"channelUID"`
	// Platform is the platform's type.
	Platform string `json:"platform"`
	// Thread that it is in; see ThreadOf.
	Thread string `json:"thread"`
	// Author who writes.
	Author event.Actor `json:"author,omitzero"`

	// State it is in.
	State State `json:"state"`
	// Episode counts, from 1, how often it was opened: a message after an answer
	// opens it again.
	Episode int `json:"episode"`
	// OpenedAt is when the first message that waits was received, and LastAt the
	// last one.
	OpenedAt time.Time `json:"openedAt,omitzero"`
	LastAt   time.Time `json:"lastAt,omitzero"`
	// Kind, PostID, URL and Excerpt of the first message that waits. Of a direct
	// message there is no excerpt.
	Kind    event.Kind `json:"kind,omitempty"`
	PostID  string     `json:"postID,omitempty"`
	URL     string     `json:"url,omitempty"`
	Excerpt string     `json:"excerpt,omitempty"`
	// Said is when the first message that waits was written, by the platform's
	// clock; zero where it does not tell.
	Said time.Time `json:"said,omitzero"`
	// Messages is how many wait.
	Messages int `json:"messages,omitempty"`
	// Latest is the last message that waits, where it is not the first.
	Latest *Message `json:"latest,omitempty"`
	// Posts are the last posts of the conversation, of both sides, as Mark gives
	// them: whoever answers one of them answers here.
	Posts []string `json:"posts,omitempty"`
	// Events are the last that were taken in, by the Mark of their IDs, so that
	// one that comes twice counts once.
	Events []string `json:"events,omitempty"`

	// Terms under which the episode runs.
	Terms Terms `json:"terms,omitzero"`
	// Next is whose turn is next, and Due when; zero for never.
	Next escalation.Position `json:"next,omitzero"`
	Due  time.Time           `json:"due,omitzero"`
	// Tries counts how often the turn was tried and nobody could be told.
	Tries int `json:"tries,omitempty"`
	// StoodIn tells that the owner's manager was told since the route is not there.
	StoodIn bool `json:"stoodIn,omitempty"`
	// Claim is held by whoever takes the turn at present.
	Claim *Claim `json:"claim,omitempty"`
	// Tellings of the episode, the last of them, oldest first.
	Tellings []Telling `json:"tellings,omitempty"`
	// LateTold tells that the owner was told that the promise is broken.
	// LateTries is how often that was tried in vain, and LateAgain when it is
	// tried next.
	LateTold  bool      `json:"lateTold,omitempty"`
	LateTries int       `json:"lateTries,omitempty"`
	LateAgain time.Time `json:"lateAgain,omitzero"`
	// Unclosed are those who were told, of this episode and earlier ones, and are
	// still to hear that it is over, or that somebody has it.
	Unclosed []Unclosed `json:"unclosed,omitempty"`

	// Response is the episode's first response.
	Response *Response `json:"response,omitempty"`
	// Past are the responses of earlier episodes, the last of them, oldest
	// first.
	Past []Response `json:"past,omitempty"`
	// ClosedAt is when it was answered or expired.
	ClosedAt time.Time `json:"closedAt,omitzero"`
}

// Message is one message of a stranger's.
type Message struct {
	Kind    event.Kind `json:"kind"`
	PostID  string     `json:"postID,omitempty"`
	URL     string     `json:"url,omitempty"`
	Excerpt string     `json:"excerpt,omitempty"`
	// Said is when, by the platform's clock; zero where it does not tell.
	Said time.Time `json:"said,omitzero"`
}

// Terms are what held of the channel when an episode began.
type Terms struct {
	// Owner is the team that owned the channel.
	Owner string `json:"owner,omitempty"`
	// Route by which people are told, by name, and Rule of it that the message
	// matched; both may be empty.
	Route string `json:"route,omitempty"`
	Rule  string `json:"rule,omitempty"`
	// RuleSteps is how many of the steps were the rule's own.
	RuleSteps int `json:"ruleSteps,omitempty"`
	// Target is within which time a first response is promised; zero for none.
	Target time.Duration `json:"target,omitempty"`
	// Excerpt tells that the beginning of a public post may be sent along.
	Excerpt bool `json:"excerpt,omitempty"`
}

// Claim is the right of one process to take a turn, until it ends.
type Claim struct {
	// By names the process.
	By string `json:"by"`
	// Until is when others may take the turn.
	Until time.Time `json:"until"`
	// Late tells that it is about the broken promise, and Close that it is about
	// its being over; else it is about a turn.
	Late  bool `json:"late,omitempty"`
	Close bool `json:"close,omitempty"`
	// Tells is whom it is about to tell: where nothing is heard of the outcome,
	// they may have been told.
	Tells []Telling `json:"tells,omitempty"`
}

// Telling is one attempt to tell one person.
type Telling struct {
	At time.Time `json:"at"`
	// Position of the turn; Late in its stead for a broken promise.
	Position escalation.Position `json:"position"`
	Late     bool                `json:"late,omitempty"`
	// Team and Member who was told.
	Team   string `json:"team"`
	Member string `json:"member"`
	// Way in which they were: "email", "pagerduty"; empty where none worked.
	Way string `json:"way,omitempty"`
	// Problem says why they could not be told; it holds no secret.
	Problem string `json:"problem,omitempty"`
	// Grouped tells that they were told of many conversations at once.
	Grouped bool `json:"grouped,omitempty"`
	// Unsure tells that they may have been told in other ways, or at all, without
	// that anybody knows: an answer was lost, or the process that told ended.
	Unsure bool `json:"unsure,omitempty"`
	// Lost counts how often whoever told them stopped before the outcome was
	// written.
	Lost int `json:"lost,omitempty"`
	// Permanent tells of a try in vain that another will not help, and RetryAfter
	// how long they ask to be left alone. Neither is kept.
	Permanent  bool          `json:"-"`
	RetryAfter time.Duration `json:"-"`
}

// Unclosed is a telling whose end is still to be heard.
type Unclosed struct {
	Telling
	// Episode that it was of, and Owner of the channel then.
	Episode int    `json:"episode"`
	Owner   string `json:"owner,omitempty"`
	// Over is when the episode was over, or since when somebody has it.
	Over time.Time `json:"over"`
	// By is who answered or has it; may be empty. Acknowledged tells that it is
	// not over: somebody has it.
	By           string `json:"by,omitempty"`
	Acknowledged bool   `json:"acknowledged,omitempty"`
	// Tries is how often it was tried in vain, and Again when it is tried next.
	Tries int       `json:"tries,omitempty"`
	Again time.Time `json:"again"`
}

// ResponseKind says what the first response was.
type ResponseKind string

const (
	// ByAnswer: the account itself posted in the thread.
	ByAnswer ResponseKind = "Answer"
	// ByAcknowledgement: somebody said that they have it.
	ByAcknowledgement ResponseKind = "Acknowledgement"
)

// Response is the first response of an episode.
type Response struct {
	// OpenedAt is when the episode began, and At when the response came.
	OpenedAt time.Time    `json:"openedAt"`
	At       time.Time    `json:"at"`
	Kind     ResponseKind `json:"kind"`
	// By is who acknowledged, as team/member or as they called themselves;
	// empty for an answer, of which the platform does not tell who wrote it.
	By string `json:"by,omitempty"`
	// Target as it was promised; zero for none.
	Target time.Duration `json:"target,omitempty"`
}

// Took is how long it took.
func (r Response) Took() time.Duration { return max(0, r.At.Sub(r.OpenedAt)) }

// IDLength is the length of an ID, in characters of 5 bits.
const IDLength = 20

// Mark is what is kept of a platform's identifier to know it again: itself where
// it is short and plain, else a digest. So its size is bounded, in JSON too.
func Mark(id string) string {
	strange := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"\\<>&`, r) }
	if len(id) <= maxMark && !strings.ContainsFunc(id, strange) {
		return id
	}
	return "#" + digest("mark", id)
}

// NewID names the conversation of an author in a thread of a channel. It says
// nothing of any of them.
func NewID(channelUID, thread, author string) string {
	return digest("conversation", channelUID, thread, author)
}

// AheadKey names what is kept of an answer to a post that has not been heard
// of.
func AheadKey(channelUID, post string) string {
	return "ahead-" + digest("ahead", channelUID, post)
}

func digest(parts ...string) string { return Digest(IDLength, parts...) }

// Digest names something by its parts, with so many letters and digits; no two
// lists of parts read alike.
func Digest(length int, parts ...string) string {
	var buffer []byte
	for _, part := range parts {
		buffer = binary.AppendUvarint(buffer, uint64(len(part)))
		buffer = append(buffer, part...)
	}
	sum := sha256.Sum256(buffer)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:length]
}

// ThreadOf gives the thread that a message begins or is in, as far as the event
// tells: the platform's name for it, else the author for a direct message, else
// the post itself. Where the platform does not tell who wrote it, a thread may
// be of many, and the post stands alone.
func ThreadOf(e *event.Event) string {
	direct, author := e.Kind == event.DirectMessage, AuthorOf(e)
	switch {
	case e.ThreadID != "" && (direct || author != ""):
		return e.ThreadID
	case direct && author != "":
		return "with " + author
	case e.PostID != "":
		return e.PostID
	}
	return e.ID
}

// AuthorOf names who did it by what lasts.
func AuthorOf(e *event.Event) string {
	if e.Actor.ID != "" {
		return e.Actor.ID
	}
	return e.Actor.Handle
}

// Begin makes the conversation to which a message belongs that no other has, in
// the thread that ThreadOf gives, or in one that is known better. Nothing was
// taken in yet.
func Begin(e *event.Event, thread string) *Conversation {
	return &Conversation{
		ID: NewID(e.ChannelUID, thread, AuthorOf(e)), Channel: e.Channel, ChannelUID: e.ChannelUID, Platform: e.Platform,
		Thread: thread, Author: e.Actor,
	}
}

// Took tells whether an event was taken in already.
func (c *Conversation) Took(e *event.Event) bool { return slices.Contains(c.Events, Mark(e.ID)) }

// NeedsTerms tells whether it is over, or has not begun: whichever message comes
// next opens an episode.
func (c *Conversation) NeedsTerms() bool { return !c.State.Waits() && c.State != Acknowledged }

// Hear takes in a message. Where it opens an episode, the first turn is due at
// once if the terms name a route; see WantsTerms and takeUp. A post that
// is known says nothing new, whatever the event is called: a platform may report
// it as a mention and as a reply, or again when it is edited. It tells whether
// anything changed.
func (c *Conversation) Hear(e *event.Event, terms Terms, now time.Time) bool {
	if c.Took(e) || e.PostID != "" && slices.Contains(c.Posts, Mark(e.PostID)) {
		return false
	}
	c.Events = appendBounded(c.Events, Mark(e.ID), maxEvents)
	c.notePost(e.PostID)
	at := received(e, now)
	opens := c.opens(e, now)
	if opens {
		c.Author = e.Actor
		c.Terms = terms
	}
	message := Message{Kind: e.Kind, PostID: e.PostID, URL: e.URL, Said: e.OccurredAt}
	if e.Kind != event.DirectMessage && c.Terms.Excerpt {
		message.Excerpt = excerpt(e.Text)
	}
	if opens {
		c.open(message, at, now)
	} else {
		c.follow(message)
		c.takeUp(terms, at, now)
	}
	c.Messages++
	if at.After(c.LastAt) {
		c.LastAt = at
	}
	return true
}

func received(e *event.Event, now time.Time) time.Time {
	if e.ReceivedAt.IsZero() || e.ReceivedAt.After(now) {
		return now
	}
	return e.ReceivedAt
}

// open begins an episode with a message, under the terms that are set.
func (c *Conversation) open(m Message, at, now time.Time) {
	c.unclaim()
	if c.State.Waits() || c.State == Acknowledged {
		c.toClose(false, now)
	}
	c.remember()
	c.Episode++
	c.State, c.OpenedAt, c.LastAt, c.ClosedAt = Open, at, at, time.Time{}
	c.Kind, c.PostID, c.URL, c.Excerpt, c.Said, c.Messages, c.Latest = m.Kind, m.PostID, m.URL, m.Excerpt, m.Said, 0, nil
	c.StoodIn = false
	c.Next, c.Due, c.Tries, c.Claim, c.Tellings = escalation.Position{}, time.Time{}, 0, nil, nil
	if c.Terms.Route != "" {
		c.Due = now
	}
	c.LateTold, c.LateTries, c.LateAgain = false, 0, time.Time{}
}

// remember puts the episode's response with those of the past.
func (c *Conversation) remember() {
	if c.Response != nil {
		c.Past = appendBounded(c.Past, *c.Response, maxPast)
		c.Response = nil
	}
}

// Answer takes in a post of the account's own that answers the conversation.
// Where the platform's clock says that the last message came after it, that
// message is not answered, and opens the conversation again; where all that wait
// did, it is the rest of an earlier answer, and nothing is answered. It tells
// whether anything changed.
func (c *Conversation) Answer(e *event.Event, now time.Time) bool {
	if c.Took(e) {
		return false
	}
	c.Events = appendBounded(c.Events, Mark(e.ID), maxEvents)
	c.notePost(e.PostID)
	if c.NeedsTerms() || precedes(e, c.Said, c.PostID) {
		return true
	}
	if c.State.Waits() {
		c.respond(Response{Kind: ByAnswer, At: c.answeredAt(e, now)})
	}
	if latest := c.Latest; latest != nil && precedes(e, latest.Said, latest.PostID) {
		c.open(*latest, c.LastAt, now)
		c.Messages = 1
		return true
	}
	c.close(Answered, now)
	return true
}

// answeredAt is when an answer was given to the episode: as the platform says,
// where it tells of it late.
func (c *Conversation) answeredAt(e *event.Event, now time.Time) time.Time {
	at := received(e, now)
	if said := e.OccurredAt; !said.IsZero() && said.Before(at) {
		at = said
	}
	if at.Before(c.OpenedAt) {
		return c.OpenedAt
	}
	return at
}

// Acknowledge notes that somebody has it. It tells whether it waited until now.
func (c *Conversation) Acknowledge(by string, now time.Time) bool {
	if !c.State.Waits() {
		return false
	}
	c.respond(Response{Kind: ByAcknowledgement, At: now, By: by})
	c.unclaim()
	c.State, c.Due, c.Tries = Acknowledged, time.Time{}, 0
	c.toClose(true, now)
	return true
}

// Expire gives up a conversation whose Life is over, also one that was
// acknowledged and never answered. It tells whether anything changed.
func (c *Conversation) Expire(now time.Time) bool {
	if !c.State.Waits() && c.State != Acknowledged || now.Before(c.ExpiresAt()) {
		return false
	}
	c.close(Expired, now)
	return true
}

// Abandon gives up a conversation whose channel is gone. It tells whether
// anything changed.
func (c *Conversation) Abandon(now time.Time) bool {
	if c.NeedsTerms() {
		return false
	}
	c.close(Expired, now)
	return true
}

// ExpiresAt is when the conversation expires if nothing happens.
func (c *Conversation) ExpiresAt() time.Time {
	if c.State == Acknowledged && c.Response != nil {
		return c.Response.At.Add(Life)
	}
	return c.OpenedAt.Add(Life)
}

func (c *Conversation) respond(r Response) {
	r.OpenedAt, r.Target = c.OpenedAt, c.Terms.Target
	c.Response = &r
}

func (c *Conversation) close(state State, now time.Time) {
	c.unclaim()
	c.State, c.ClosedAt = state, now
	c.Due, c.Tries, c.Messages, c.Excerpt, c.Latest = time.Time{}, 0, 0, "", nil
	c.toClose(false, now)
}

// LateAt is when the promise of a first response is broken; zero where none was
// made.
func (c *Conversation) LateAt() time.Time {
	if c.Terms.Target <= 0 || c.OpenedAt.IsZero() {
		return time.Time{}
	}
	return c.OpenedAt.Add(c.Terms.Target)
}

// WakeAt is the next instant at which something is to be done; zero where
// nothing is.
func (c *Conversation) WakeAt() time.Time {
	return earliest(c.TurnAt(), c.held(c.closeAt()))
}

// TurnAt is WakeAt without what is only to be closed.
func (c *Conversation) TurnAt() time.Time {
	at := c.turnAt()
	if c.Claim != nil && c.Claim.Close {
		return at // who closes keeps nobody waiting
	}
	return c.held(at)
}

// held is an instant, or the end of the claim where that is later.
func (c *Conversation) held(at time.Time) time.Time {
	if c.Claim != nil && !at.IsZero() && at.Before(c.Claim.Until) {
		return c.Claim.Until
	}
	return at
}

// turnAt is TurnAt without a claim.
func (c *Conversation) turnAt() time.Time {
	switch {
	case c.State == Acknowledged:
		return c.ExpiresAt()
	case !c.State.Waits():
		return time.Time{}
	}
	return earliest(earliest(c.ExpiresAt(), c.Due), c.lateDue())
}

// closeAt is when something is to be closed next; zero for never.
func (c *Conversation) closeAt() time.Time {
	var at time.Time
	for i := range c.Unclosed {
		at = earliest(at, c.Unclosed[i].Again)
	}
	return at
}

// lateDue is when the owner's manager is to be told of the broken promise; zero
// where they are not.
func (c *Conversation) lateDue() time.Time {
	at := c.LateAt()
	if c.LateTold || at.IsZero() {
		return time.Time{}
	}
	if c.LateAgain.After(at) {
		return c.LateAgain
	}
	return at
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (c *Conversation) notePost(post string) {
	if mark := Mark(post); post != "" && !slices.Contains(c.Posts, mark) {
		c.Posts = appendBounded(c.Posts, mark, maxPosts)
	}
}

// appendBounded appends, and drops the oldest where there are more than limit.
func appendBounded[T any](all []T, one T, limit int) []T {
	all = append(all, one)
	if over := len(all) - limit; over > 0 {
		all = slices.Delete(all, 0, over)
	}
	return all
}

// excerpt is the beginning of a text, on one line.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= MaxExcerpt {
		return text
	}
	letters := []rune(text)
	return string(letters[:MaxExcerpt-1]) + "…"
}
