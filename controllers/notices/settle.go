// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices

import "slices"

// maxAway is how many occurrences are remembered of one subject that its list
// leaves out.
const maxAway = 100

// counted is how many occurrences a subject has that does not list all of them.
//
// Such a list moves: what is claimed makes room for what was behind it, and what
// is new pushes out the last. So what is not in it counts as not over, and what
// is in it for the first time is new only where something stands behind it that
// was in the list before. What stands behind all of that has moved up, and is
// taken as told. What is new behind the list is seen by its number alone: it is
// told of, without a name, when the number has grown. So is what was claimed and
// comes back, of which the list did not say that it was over. Each is told of
// once, except that one of these goes untold if as many others were claimed
// between the same two looks.
type counted struct {
	// Total is how many there were at the last look.
	Total int `json:"total"`
	// New is by how much that has grown since the manager was last told.
	New int `json:"new,omitempty"`
}

// settle brings the record in line with what is the case, and tells whether that
// changed it: what is known to be over is forgotten, so that it is told again
// when it comes again. What is not known is kept.
func (r *record) settle(all []pending) (changed bool) {
	now := make(map[string]*pending, len(all))
	for i := range all {
		now[part(all[i].subject)] = &all[i]
		if r.recount(&all[i]) {
			changed = true
		}
	}
	for subject := range r.Counts {
		if now[subject] == nil {
			delete(r.Counts, subject)
			changed = true
		}
	}
	told, away := r.sortOut(now, keys(all))
	if !slices.Equal(told, r.Told) || !slices.Equal(away, r.Away) {
		r.Told, r.Away, changed = told, away, true
	}
	for i := range r.Open {
		speaksOf := len(r.Open[i].Keys)
		r.Open[i].Keys = slices.DeleteFunc(r.Open[i].Keys, func(key string) bool { return !r.knows(key) })
		if len(r.Open[i].Keys) != speaksOf {
			changed = true
		}
	}
	return changed
}

// sortOut leaves out what is known to be over. The rest is told, or away where
// the list of its subject leaves it out.
func (r *record) sortOut(now map[string]*pending, listed []string) (told, away []string) {
	awayOf := map[string]int{}
	for _, key := range slices.Sorted(slices.Values(slices.Concat(r.Told, r.Away))) {
		subject := subjectOf(key)
		is := now[subject]
		switch {
		case is == nil:
		case among(listed, key), is.Unknown && among(r.Told, key):
			told = append(told, key)
		case is.Unknown, is.Unlisted > 0 && awayOf[subject] < maxAway:
			awayOf[subject]++
			away = append(away, key)
		}
	}
	return told, away
}

// recount looks at a subject that does not list all that it has, or did not at
// the last look, and tells whether that changed the record.
func (r *record) recount(p *pending) (changed bool) {
	if p.Unknown {
		return false
	}
	subject := part(p.subject)
	was, before := r.Counts[subject]
	if !before {
		known := r.of(subject)
		if p.Unlisted == 0 || known == 0 {
			return false // all that is new is listed, or all is new
		}
		r.count(subject, counted{Total: p.total(), New: max(0, p.total()-known)})
		return true
	}
	changed = r.takeMoved(p)
	is := counted{Total: p.total(), New: min(p.total(), was.New+max(0, p.total()-was.Total))}
	if p.Unlisted == 0 && is.New == 0 {
		delete(r.Counts, subject)
		return true
	}
	r.count(subject, is)
	return changed || is != was
}

// takeMoved takes as told what stands in a subject's list behind all that was in
// it before: it has moved up.
func (r *record) takeMoved(p *pending) bool {
	listed := make([]string, len(p.Items))
	behind := 0
	for i, item := range p.Items {
		listed[i] = key(p.subject, item)
		if among(r.Told, listed[i]) {
			behind = i + 1
		}
	}
	moved := slices.DeleteFunc(listed[behind:], func(key string) bool { return among(r.Away, key) })
	if len(moved) == 0 || r.size()+len(moved) > maxTold {
		return false
	}
	r.add(moved)
	return true
}

// of is how many occurrences of a subject are known.
func (r *record) of(subject string) int {
	count := 0
	for _, key := range slices.Concat(r.Told, r.Away) {
		if subjectOf(key) == subject {
			count++
		}
	}
	return count
}
