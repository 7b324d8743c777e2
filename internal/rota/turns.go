// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"cmp"
	"slices"
)

// place is a place in a layer's row.
type place struct {
	// name of the person who stands in it, or should.
	name       string
	membership membership
	// open is when the place counts as turns go round.
	open []span
	// there is when the person can be on duty: a member, and not unavailable.
	there []span
}

// row is the people of a layer in their order, and how turns go round.
type row struct {
	places []place
	// attended is when anybody of the row is there, merged.
	attended []span
	// turns is nil where there are none: the first place is asked at all times.
	turns *turns
}

// turns says when turns change and to whom each belongs. Turn number n begins
// when the clock on the wall shows start plus n times length.
type turns struct {
	start, length int64
	epochs        []epoch
}

// epoch is a run of turns at whose beginnings the same places are open.
type epoch struct {
	// first is the number of its first turn, and begins the instant of it.
	first, begins int64
	// before is the place of the last turn before it that belonged to one, or
	// -1.
	before int
	// open is how many places are open.
	open int
}

// number gives the turn that is on at a reading; below zero there is none yet.
func (t *turns) number(reading int64) int64 { return floorDiv(reading-t.start, t.length) }

// begin is the reading at which a turn begins.
func (t *turns) begin(number int64) int64 { return t.start + number*t.length }

// divide finds the epochs of the turns. Its cost grows with the square of the
// places, and only where memberships begin or end.
func (r *row) divide(k *clock) {
	t := r.turns
	firsts := []int64{0}
	for _, p := range r.places {
		for _, open := range p.open {
			for _, change := range []int64{open.from, open.until} {
				if change > always && change < forever {
					firsts = append(firsts, max(0, t.number(k.read(change-1))+1))
				}
			}
		}
	}
	slices.Sort(firsts)
	firsts = slices.Compact(firsts)
	before := -1
	for i, first := range firsts {
		e := epoch{first: first, begins: k.reach(t.begin(first)), before: before}
		for _, p := range r.places {
			if open, _ := locate(p.open, e.begins); open {
				e.open++
			}
		}
		t.epochs = append(t.epochs, e)
		if i+1 < len(firsts) && e.open > 0 {
			before = r.owner(e, firsts[i+1]-1)
		}
	}
}

// owner gives the place to which a turn of an epoch with open places belongs.
func (r *row) owner(e epoch, number int64) int {
	steps := int((number-e.first)%int64(e.open)) + 1
	if e.open == len(r.places) {
		return (e.before + steps) % len(r.places)
	}
	for i := e.before; ; {
		i = (i + 1) % len(r.places)
		if open, _ := locate(r.places[i].open, e.begins); !open {
			continue
		}
		steps--
		if steps == 0 {
			return i
		}
	}
}

// asked gives the place that is asked first in a turn.
func (r *row) asked(number int64) int {
	i, found := slices.BinarySearchFunc(r.turns.epochs, number, func(e epoch, number int64) int {
		return cmp.Compare(e.first, number)
	})
	if !found {
		i--
	}
	e := r.turns.epochs[i]
	if e.open == 0 {
		return (e.before + 1) % len(r.places)
	}
	return r.owner(e, number)
}

// answer gives the first place, from the one that is asked, whose person is
// there, or -1.
func (r *row) answer(asked int, at int64) int {
	for step := range r.places {
		i := (asked + step) % len(r.places)
		if there, _ := locate(r.places[i].there, at); there {
			return i
		}
	}
	return -1
}

// alone tells whether nobody but the one who answers can answer, whosever turn
// it is, and for how long around the instant that stays so. It saves looking
// at thousands of turns that change nothing.
func (r *row) alone(answering int, at int64) (alone bool, stay span) {
	stay = everything()
	for i := range r.places {
		there, still := locate(r.places[i].there, at)
		if there && r.places[i].name != r.places[answering].name {
			return false, span{}
		}
		stay.narrow(still)
	}
	return true, stay
}

// consulted gives for how long around an instant everybody who was looked at,
// from the place that was asked to the one that answers, stays there or away.
func (r *row) consulted(asked, answering int, at int64) span {
	stay := everything()
	for i := asked; ; i = (i + 1) % len(r.places) {
		_, still := locate(r.places[i].there, at)
		stay.narrow(still)
		if i == answering {
			return stay
		}
	}
}
