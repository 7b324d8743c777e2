// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"time"
)

// Duty is who answers at an instant. The zero value is nobody.
type Duty struct {
	// Member who answers, by name; Team in which; Layer of the rota by which,
	// or v1alpha1.LayerOverride.
	Member, Team, Layer string
}

// Nobody tells whether nobody answers.
func (d Duty) Nobody() bool { return d.Member == "" }

// Schedule is a rota made ready to be asked. It does not change, keeps nothing
// of the objects that it was made of but their names, and may be used by many
// at once.
type Schedule struct {
	zone      *time.Location
	layers    []layer
	overrides overrides
}

// layer is a row of people and the hours at which they answer.
type layer struct {
	row
	name, team string
	week       week
	// idle layers cannot be read, and have nobody.
	idle bool
}

// Location is the rota's zone; UTC where it is unknown.
func (s *Schedule) Location() *time.Location { return s.zone }

// At gives who answers at an instant.
func (s *Schedule) At(t time.Time) Duty {
	k := clock{zone: s.zone}
	return s.look(&k, seconds(t), nil)
}

// InForce names the overrides that are in force at an instant and whose member
// is in the team then. The one that answers comes first.
func (s *Schedule) InForce(t time.Time) []string {
	var names []string
	at := seconds(t)
	for _, o := range s.overrides.ranked {
		if counts, _ := locate(o.effective, at); counts {
			names = append(names, o.name)
		}
	}
	return names
}

// Person is somebody whom a rota puts on duty.
type Person struct {
	Team, Name string
	// Left: the membership in the team has ended.
	Left bool
}

// People gives everybody whom a layer puts on duty, or an override that is not
// over at an instant: each once, layers before overrides, in their order. A
// name that its team does not know is not among them.
func (s *Schedule) People(t time.Time) []Person {
	at := seconds(t)
	var people []Person
	type key struct{ team, name string }
	seen := map[key]bool{}
	add := func(team, name string, m membership) {
		if !m.known || seen[key{team, name}] {
			return
		}
		seen[key{team, name}] = true
		people = append(people, Person{Team: team, Name: name, Left: m.ends <= at})
	}
	for i := range s.layers {
		for _, p := range s.layers[i].places {
			add(s.layers[i].team, p.name, p.membership)
		}
	}
	for _, o := range s.overrides.ranked {
		if at < o.during.until {
			add(o.duty.Team, o.duty.Member, o.membership)
		}
	}
	return people
}

// look gives who answers at an instant. If hold is given, it is narrowed to a
// stretch around the instant in which the answer stays the same: not
// necessarily the longest.
func (s *Schedule) look(k *clock, at int64, hold *span) Duty {
	duty, stay := s.overrides.at(at)
	if hold != nil {
		hold.narrow(stay)
	}
	if duty != nil {
		return *duty
	}
	for i := range s.layers {
		l := &s.layers[i]
		if on := l.look(k, at, hold); on >= 0 {
			return Duty{Member: l.places[on].name, Team: l.team, Layer: l.name}
		}
	}
	return Duty{}
}

// look gives the place of who answers in the layer, or -1.
func (l *layer) look(k *clock, at int64, hold *span) int {
	if l.idle || len(l.places) == 0 {
		return -1
	}
	// Where nobody is there, neither hours nor turns change that.
	attended, deserted := locate(l.attended, at)
	if !attended {
		if hold != nil {
			hold.narrow(deserted)
		}
		return -1
	}
	var reading int64
	if l.turns != nil || !l.week.all {
		reading = k.read(at)
	}
	if l.turns != nil && reading < l.turns.start {
		if hold != nil {
			hold.until = min(hold.until, k.reach(l.turns.start))
		}
		return -1
	}
	open, hours := l.week.at(reading)
	if hold != nil && !l.week.all {
		hold.narrow(k.period(hours))
	}
	if !open {
		return -1
	}
	var asked int
	var number int64
	if l.turns != nil {
		number = l.turns.number(reading)
		asked = l.asked(number)
	}
	answering := l.answer(asked, at)
	if hold != nil {
		hold.narrow(l.stays(k, at, number, asked, answering))
	}
	return answering
}

// stays gives for how long around an instant, within open hours, the same
// person answers.
func (l *layer) stays(k *clock, at, number int64, asked, answering int) span {
	if alone, stay := l.alone(answering, at); alone {
		if l.turns != nil {
			stay.from = max(stay.from, k.reach(l.turns.start))
		}
		return stay
	}
	stay := l.consulted(asked, answering, at)
	if l.turns != nil {
		stay.narrow(k.period(span{from: l.turns.begin(number), until: l.turns.begin(number + 1)}))
	}
	return stay
}
