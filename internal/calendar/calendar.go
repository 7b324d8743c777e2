// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package calendar writes duties as iCalendar (RFC 5545), so that people see
// them where they look. It is pure: segments in, bytes out.
package calendar

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"

	"github.com/rostra-dev/rostra/internal/rota"
)

const (
	// ContentType of what Marshal writes, for HTTP.
	ContentType = "text/calendar; charset=utf-8"

	product   = "-//Rostra//Rota//EN"
	uidDomain = "social.rostra.dev"
	// lineOctets is how long a line may be without its end (RFC 5545, 3.1).
	lineOctets = 75

	localFormat = "20060102T150405"
	utcFormat   = "20060102T150405Z"
)

// Calendar is what a calendar program shows of a rota.
type Calendar struct {
	// ID tells the rota from every other, for example "social/care". Events of
	// one ID keep their identity from one export to the next.
	ID string
	// Name that people see.
	Name string
	// Zone in which times are written.
	Zone *time.Location
	// Stamp is when this was made.
	Stamp time.Time
	// From and Until are where a duty is cut whose own beginning or end is not
	// known.
	From, Until time.Time
}

// Marshal writes one event for each duty; segments in which nobody is on duty
// are left out. A segment is a whole duty: its From, or its Until, is zero where
// it is not known, and then that of the calendar is written. The identity of an
// event is made of who is on duty and of when that begins, so the same duty is
// the same event in each export, also after its end has moved.
func (c Calendar) Marshal(duties []rota.Segment) ([]byte, error) {
	calendar := ics.NewCalendar()
	calendar.SetProductId(product)
	calendar.SetXWRCalName(printable(c.Name))
	from, until := c.From, c.Until
	var events []*ics.VEvent
	for _, duty := range duties {
		if duty.Nobody() {
			continue
		}
		uid := c.uid(duty)
		duty = c.cut(duty)
		if !duty.From.Before(duty.Until) {
			return nil, fmt.Errorf("the duty of %s does not begin before it ends: %s, %s", duty.Member, duty.From, duty.Until)
		}
		from, until = earlier(from, duty.From), later(until, duty.Until)
		events = append(events, c.event(uid, duty))
	}
	if len(events) == 0 {
		from, until = c.Stamp, c.Stamp // a zone must have a period all the same
	}
	if !c.inUTC() {
		calendar.SetXWRTimezone(c.Zone.String())
		calendar.AddVTimezone(timezone(c.Zone, from, until))
	}
	for _, event := range events {
		calendar.AddVEvent(event)
	}
	var out bytes.Buffer
	err := calendar.SerializeTo(&out, ics.WithNewLine("\r\n"), ics.WithLineLength(lineOctets))
	return out.Bytes(), err
}

func (c Calendar) cut(duty rota.Segment) rota.Segment {
	if duty.From.IsZero() {
		duty.From = c.From
	}
	if duty.Until.IsZero() {
		duty.Until = c.Until
	}
	return duty
}

func (c Calendar) event(uid string, duty rota.Segment) *ics.VEvent {
	event := ics.NewEvent(uid)
	event.SetDtStampTime(c.Stamp)
	c.setTime(event, ics.ComponentPropertyDtStart, duty.From)
	c.setTime(event, ics.ComponentPropertyDtEnd, duty.Until)
	event.SetSummary(printable(fmt.Sprintf("On call: %s (%s)", duty.Member, duty.Layer)))
	event.SetDescription(printable(fmt.Sprintf("%s of team %s is on duty in rota %s, layer %s.", duty.Member, duty.Team, c.ID, duty.Layer)))
	// Who is on call can still be invited to a meeting.
	event.SetTimeTransparency(ics.TransparencyTransparent)
	return event
}

// setTime writes an instant by the clock on the wall. An hour that comes twice
// means the first time it comes (RFC 5545, 3.3.5), so the second is in UTC.
func (c Calendar) setTime(event *ics.VEvent, property ics.ComponentProperty, t time.Time) {
	if c.inUTC() || comesAgain(t.In(c.Zone)) {
		event.SetProperty(property, t.UTC().Format(utcFormat))
		return
	}
	event.SetProperty(property, t.In(c.Zone).Format(localFormat), ics.WithTZID(c.Zone.String()))
}

func (c Calendar) inUTC() bool { return c.Zone == time.UTC || c.Zone.String() == "UTC" }

// comesAgain tells whether the clock on the wall has shown this time before,
// because it went back in between.
func comesAgain(local time.Time) bool {
	_, offset := local.Zone()
	wall := local.Add(time.Duration(offset) * time.Second)
	return rota.Instant(local.Location(), wall).Unix() != local.Unix()
}

// uid identifies a duty by who is on duty and when that begins (RFC 7986, 5.3:
// it tells nothing of its origin).
func (c Calendar) uid(duty rota.Segment) string {
	begins := "always"
	if !duty.From.IsZero() {
		begins = duty.From.UTC().Format(utcFormat)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{c.ID, duty.Team, duty.Member, duty.Layer, begins}, "\x00")))
	return hex.EncodeToString(sum[:16]) + "@" + uidDomain
}

// printable leaves out what must not be in text: control characters, and bytes
// that are not UTF-8 (RFC 5545, 3.3.11).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// earlier and later leave out a time that is zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.IsZero() || b.After(a) {
		return b
	}
	return a
}
