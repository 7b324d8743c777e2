// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/calendar"
	"github.com/rostra-dev/rostra/internal/rota"
)

var stamp = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func zone(name string) *time.Location {
	GinkgoHelper()
	location, err := time.LoadLocation(name)
	Expect(err).NotTo(HaveOccurred())
	return location
}

func duty(from, until time.Time) rota.Segment {
	return rota.Segment{From: from, Until: until, Duty: rota.Duty{Member: "maria", Team: "customer-care", Layer: "weekdays"}}
}

func care(in *time.Location) calendar.Calendar {
	return calendar.Calendar{ID: "social/care", Name: "On call: social/care", Zone: in, Stamp: stamp}
}

// marshal writes a calendar, checks its form, and reads it again.
func marshal(c calendar.Calendar, duties ...rota.Segment) (string, *ics.Calendar) {
	GinkgoHelper()
	written, err := c.Marshal(duties)
	Expect(err).NotTo(HaveOccurred())
	text := string(written)
	Expect(utf8.ValidString(text)).To(BeTrue())
	Expect(text).To(HaveSuffix("\r\n"))
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		Expect(len(line)).To(BeNumerically("<=", 75), line)
		Expect(utf8.ValidString(line)).To(BeTrue(), "no character is cut in two")
		Expect(line).NotTo(ContainSubstring("\n"))
		Expect(line).NotTo(ContainSubstring("\r"))
	}
	read, err := ics.ParseCalendar(bytes.NewReader(written))
	Expect(err).NotTo(HaveOccurred())
	return text, read
}

func property(component ics.Component, name ics.Property) *ics.IANAProperty {
	GinkgoHelper()
	for _, p := range component.UnknownPropertiesIANAProperties() {
		if p.IANAToken == string(name) {
			return &p
		}
	}
	Fail("there is no " + string(name))
	return nil
}

// clockOf reads a VTIMEZONE as RFC 5545, 3.6.5 says, knowing nothing of the
// zone's name: what offset is in force from when.
type clockOf struct{ observances []observed }

type observed struct {
	onset time.Time
	to    time.Duration
}

func readClock(timezone *ics.VTimezone) clockOf {
	GinkgoHelper()
	var c clockOf
	for _, part := range timezone.Components {
		start, err := time.Parse("20060102T150405", property(part, ics.PropertyDtstart).Value)
		Expect(err).NotTo(HaveOccurred(), "a local time, without Z")
		c.observances = append(c.observances, observed{
			onset: start.Add(-offset(property(part, ics.PropertyTzoffsetfrom).Value)),
			to:    offset(property(part, ics.PropertyTzoffsetto).Value),
		})
	}
	slices.SortFunc(c.observances, func(a, b observed) int { return a.onset.Compare(b.onset) })
	return c
}

func offset(text string) time.Duration {
	GinkgoHelper()
	Expect(text).To(MatchRegexp(`^[+-]\d{4}(\d{2})?$`))
	var hours, minutes, seconds int
	_, err := fmt.Sscanf((text + "00")[1:7], "%2d%2d%2d", &hours, &minutes, &seconds)
	Expect(err).NotTo(HaveOccurred())
	value := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
	if text[0] == '-' {
		return -value
	}
	return value
}

// instant is when the clock first shows a time.
func (c clockOf) instant(wall time.Time) time.Time {
	GinkgoHelper()
	for i, o := range c.observances {
		t := wall.Add(-o.to)
		if !t.Before(o.onset) && (i+1 == len(c.observances) || t.Before(c.observances[i+1].onset)) {
			return t
		}
	}
	Fail("the VTIMEZONE does not say when " + wall.String() + " is")
	return time.Time{}
}

// read gives the instant that a property of an event says.
func (c clockOf) read(event *ics.VEvent, name ics.Property, tzid string) time.Time {
	GinkgoHelper()
	p := property(event, name)
	if strings.HasSuffix(p.Value, "Z") {
		Expect(p.ICalParameters).To(BeEmpty())
		t, err := time.Parse("20060102T150405Z", p.Value)
		Expect(err).NotTo(HaveOccurred())
		return t
	}
	Expect(p.ICalParameters["TZID"]).To(Equal([]string{tzid}))
	wall, err := time.Parse("20060102T150405", p.Value)
	Expect(err).NotTo(HaveOccurred())
	return c.instant(wall)
}

// changes are the instants in a year at which the clock of a zone changes.
func changes(in *time.Location, year int) []time.Time {
	var all []time.Time
	for t := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); t.Year() == year; t = t.Add(time.Minute) {
		_, before := t.Add(-time.Minute).In(in).Zone()
		if _, after := t.In(in).Zone(); after != before {
			all = append(all, t)
		}
	}
	return all
}

var _ = Describe("A calendar", func() {
	DescribeTable("gives back every instant by its own VTIMEZONE alone",
		func(name string, inUTC int) {
			here := zone(name)
			around := []time.Time{time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
			around = append(around, changes(here, 2026)...)
			var duties []rota.Segment
			for _, middle := range around {
				for t := middle.Add(-3 * time.Hour); t.Before(middle.Add(3 * time.Hour)); t = t.Add(10 * time.Minute) {
					duties = append(duties, duty(t, t.Add(10*time.Minute)))
				}
			}
			slices.SortFunc(duties, func(a, b rota.Segment) int { return a.From.Compare(b.From) })
			_, read := marshal(care(here), duties...)

			Expect(read.Timezones()).To(HaveLen(1))
			Expect(property(read.Timezones()[0], ics.PropertyTzid).Value).To(Equal(name))
			c := readClock(read.Timezones()[0])
			Expect(read.Events()).To(HaveLen(len(duties)))
			var twice int
			for i, event := range read.Events() {
				Expect(c.read(event, ics.PropertyDtstart, name)).To(BeTemporally("==", duties[i].From))
				Expect(c.read(event, ics.PropertyDtend, name)).To(BeTemporally("==", duties[i].Until))
				if strings.HasSuffix(property(event, ics.PropertyDtstart).Value, "Z") {
					twice++
				}
			}
			Expect(twice).To(Equal(inUTC), "only the second of an hour that comes twice is in UTC")
		},
		Entry("London", "Europe/London", 6),
		Entry("New York", "America/New_York", 6),
		Entry("Lord Howe, by half an hour", "Australia/Lord_Howe", 3),
		Entry("Kathmandu, never", "Asia/Kathmandu", 0),
		Entry("Dublin, whose winter is the exception", "Europe/Dublin", 6),
		Entry("a zone without a name of a place", "Etc/GMT+5", 0),
	)

	It("writes the changes of the clock that lie between its duties, and no others", func() {
		london := zone("Europe/London")
		_, read := marshal(care(london),
			duty(time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC), time.Date(2026, 10, 1, 18, 0, 0, 0, time.UTC)),
			duty(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 18, 0, 0, 0, time.UTC)))
		parts := read.Timezones()[0].Components
		Expect(parts).To(HaveLen(2))
		Expect(parts[0]).To(BeAssignableToTypeOf(&ics.Daylight{}))
		Expect(property(parts[0], ics.PropertyDtstart).Value).To(Equal("20260329T010000"))
		Expect(property(parts[0], ics.PropertyTzoffsetfrom).Value).To(Equal("+0000"))
		Expect(property(parts[0], ics.PropertyTzoffsetto).Value).To(Equal("+0100"))
		Expect(property(parts[0], ics.PropertyTzname).Value).To(Equal("BST"))
		Expect(parts[1]).To(BeAssignableToTypeOf(&ics.Standard{}))
		Expect(property(parts[1], ics.PropertyDtstart).Value).To(Equal("20261025T020000"))
	})

	DescribeTable("writes no change that is none, after the end of the table of a zone",
		func(name string, starts ...string) {
			here := zone(name)
			middle := time.Date(2040, 12, 31, 12, 0, 0, 0, time.UTC)
			for _, at := range []time.Time{middle, middle.AddDate(-1, 0, 0), middle.AddDate(0, 0, 1)} {
				_, read := marshal(care(here), duty(at, at.Add(time.Hour)))
				c := readClock(read.Timezones()[0])
				Expect(c.read(read.Events()[0], ics.PropertyDtstart, name)).To(BeTemporally("==", at))
				parts := read.Timezones()[0].Components
				Expect(parts).To(HaveLen(1))
				Expect(property(parts[0], ics.PropertyTzoffsetfrom).Value).NotTo(Equal(property(parts[0], ics.PropertyTzoffsetto).Value))
			}
			_, read := marshal(care(here), duty(middle.AddDate(-1, 0, 0), middle.AddDate(-1, 0, 0).Add(time.Hour)), duty(middle, middle.Add(time.Hour)))
			var written []string
			for _, part := range read.Timezones()[0].Components {
				written = append(written, property(part, ics.PropertyDtstart).Value)
			}
			Expect(written).To(Equal(starts))
		},
		Entry("London", "Europe/London", "20391030T020000", "20400325T010000", "20401028T020000"),
		Entry("Dublin", "Europe/Dublin", "20391030T020000", "20400325T010000", "20401028T020000"),
		Entry("Santiago", "America/Santiago", "20390904T000000", "20400408T000000", "20400902T000000"),
	)

	It("asks for nothing to be done with it", func() {
		text, _ := marshal(care(zone("Europe/London")), duty(stamp, stamp.Add(time.Hour)))
		Expect(text).NotTo(ContainSubstring("METHOD"), "RFC 5546 wants an ORGANIZER beside it")
	})

	It("has a well-formed zone and no event where nobody is on duty", func() {
		_, read := marshal(calendar.Calendar{
			ID: "social/care", Zone: zone("Asia/Kathmandu"), Stamp: stamp, From: stamp, Until: stamp.Add(time.Hour),
		}, rota.Segment{From: stamp, Until: stamp.Add(time.Hour)})
		Expect(read.Events()).To(BeEmpty())
		Expect(read.Timezones()[0].Components).To(HaveLen(1))
	})

	It("covers a zone's first period, which has no beginning", func() {
		long := time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC)
		_, read := marshal(care(zone("Europe/London")), duty(long, long.Add(time.Hour)))
		c := readClock(read.Timezones()[0])
		Expect(c.read(read.Events()[0], ics.PropertyDtstart, "Europe/London")).To(BeTemporally("==", long))
		Expect(property(read.Timezones()[0].Components[0], ics.PropertyTzoffsetto).Value).To(Equal("-000115"))
	})

	It("needs no zone in UTC", func() {
		text, read := marshal(care(time.UTC), duty(stamp, stamp.Add(time.Hour)))
		Expect(read.Timezones()).To(BeEmpty())
		Expect(text).To(ContainSubstring("\r\nDTSTART:20261122T080000Z\r\nDTEND:20261122T090000Z\r\n"))
	})

	It("says who, when it was made, and that others may still invite", func() {
		text, read := marshal(care(zone("Europe/London")), duty(stamp, stamp.Add(time.Hour)))
		Expect(text).To(HavePrefix("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Rostra//Rota//EN\r\n"))
		Expect(text).To(ContainSubstring("\r\nX-WR-CALNAME:On call: social/care\r\n"))
		event := read.Events()[0]
		Expect(property(event, ics.PropertySummary).Value).To(Equal("On call: maria (weekdays)"))
		Expect(property(event, ics.PropertyDescription).Value).To(Equal("maria of team customer-care is on duty in rota social/care, layer weekdays."))
		Expect(property(event, ics.PropertyDtstamp).Value).To(Equal("20261122T080000Z"))
		Expect(property(event, ics.PropertyTransp).Value).To(Equal("TRANSPARENT"))
	})

	It("escapes and folds any text", func() {
		odd := duty(stamp, stamp.Add(time.Hour))
		odd.Member = `a;b,c\d` + "\r\nBEGIN:VALARM\x00\xff" + strings.Repeat("é😀 ", 60)
		text, read := marshal(calendar.Calendar{ID: "a,b;c", Name: "x\ny;" + strings.Repeat("ß", 100), Zone: zone("Europe/London"), Stamp: stamp}, odd)
		Expect(strings.Count(text, "BEGIN:") - strings.Count(text, "  BEGIN:VALARM")).To(BeNumerically(">=", 4))
		Expect(read.Events()).To(HaveLen(1))
		Expect(read.Events()[0].Components).To(BeEmpty())
		Expect(property(read.Events()[0], ics.PropertySummary).Value).To(Equal(
			`On call: a;b,c\d  BEGIN:VALARM ` + "\uFFFD" + strings.Repeat("é😀 ", 60) + " (weekdays)"))
	})

	It("refuses a duty that ends before it begins", func() {
		_, err := care(time.UTC).Marshal([]rota.Segment{duty(stamp, stamp)})
		Expect(err).To(MatchError(ContainSubstring("the duty of maria does not begin before it ends")))
	})
})

var _ = Describe("The identity of an event", func() {
	uid := func(c calendar.Calendar, d rota.Segment) string {
		GinkgoHelper()
		_, read := marshal(c, d)
		return property(read.Events()[0], ics.PropertyUid).Value
	}
	first := duty(stamp, stamp.Add(time.Hour))

	It("is the same in each export, also when it was made later, ends earlier or is written in another zone", func() {
		changed := first
		changed.Until = stamp.Add(time.Minute)
		elsewhere := care(zone("Asia/Kathmandu"))
		elsewhere.Stamp, elsewhere.Name = stamp.Add(time.Hour), "mine"
		Expect(uid(elsewhere, changed)).To(Equal(uid(care(time.UTC), first)))
	})

	DescribeTable("is another for another duty",
		func(change func(*calendar.Calendar, *rota.Segment)) {
			c, d := care(time.UTC), first
			change(&c, &d)
			Expect(uid(c, d)).NotTo(Equal(uid(care(time.UTC), first)))
		},
		Entry("of another rota", func(c *calendar.Calendar, _ *rota.Segment) { c.ID = "social/billing" }),
		Entry("of another person", func(_ *calendar.Calendar, d *rota.Segment) { d.Member = "dana" }),
		Entry("of another team", func(_ *calendar.Calendar, d *rota.Segment) { d.Team = "billing" }),
		Entry("in another layer", func(_ *calendar.Calendar, d *rota.Segment) { d.Layer = "override" }),
		Entry("that begins at another time", func(_ *calendar.Calendar, d *rota.Segment) { d.From = d.From.Add(time.Second) }),
	)

	It("of a duty without a known beginning does not depend on where it is cut", func() {
		always := duty(time.Time{}, time.Time{})
		export := func(from time.Time) calendar.Calendar {
			c := care(time.UTC)
			c.From, c.Until = from, from.Add(7*24*time.Hour)
			return c
		}
		Expect(uid(export(stamp), always)).To(Equal(uid(export(stamp.Add(time.Hour)), always)))
		text, _ := marshal(export(stamp), always)
		Expect(text).To(ContainSubstring("DTSTART:20261122T080000Z\r\nDTEND:20261129T080000Z"))
	})
})
