// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/inbox"
	"github.com/rostra-dev/rostra/internal/notice"
)

// Memory keeps one value a key, durably; see inbox.Table.
type Memory interface {
	// Get gives a row, or inbox.ErrNoRow.
	Get(ctx context.Context, key string) (inbox.Row, error)
	// Put stores a row if its revision is still that one.
	Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error)
}

const (
	// remembered is how long it is known what was told.
	remembered = 180 * 24 * time.Hour
	// maxTold bounds what one record knows to be told, of a kind for a team, so
	// that a row stays below 256 KiB. It is enough for the manager of 5,000
	// channels all of which have something to tell. Beyond it nobody is told of
	// more until something is over.
	maxTold = 6_000
	// partLen is how many characters of a key are for its subject, and as many
	// are for the item: 48 bits of a digest each.
	partLen = 8
)

// record is what a team's manager was told of one kind.
type record struct {
	// Told are the occurrences that the manager has been told of and that are
	// not known to be over, by their keys, in order.
	Told []string `json:"told,omitempty"`
	// Away are more of them, of subjects that do not list all that they have: the
	// list has left them out since. See maxAway.
	Away []string `json:"away,omitempty"`
	// Counts are of the subjects that do not list all that they have, by the
	// subjects' part of keys.
	Counts map[string]counted `json:"counts,omitempty"`
	// Until is until when nobody else is to tell, or the next try is to wait,
	// and Tries counts those in vain, the first of which was at Began.
	Until time.Time `json:"until,omitzero"`
	Tries int       `json:"tries,omitempty"`
	Began time.Time `json:"began,omitzero"`
	// Open are the alerts and incidents that stand, the oldest first.
	Open []opened `json:"open,omitempty"`

	key      string
	revision uint64
}

func (r *Reconciler) recall(ctx context.Context, team *v1alpha1.Team, kind notice.Kind) (*record, error) {
	found := &record{key: digest(team.Name, string(team.UID), string(kind))}
	row, err := r.Memory.Get(ctx, found.key)
	if errors.Is(err, inbox.ErrNoRow) {
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	found.revision = row.Revision
	if err := json.Unmarshal(row.Value, found); err != nil {
		// Told again rather than never.
		found = &record{key: found.key, revision: found.revision}
	}
	return found, nil
}

func (r *Reconciler) keep(ctx context.Context, kept *record) error {
	value, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	kept.revision, err = r.Memory.Put(ctx, kept.key, value, kept.revision, remembered)
	if err != nil {
		return fmt.Errorf("keep what a manager was told: %w", err)
	}
	return nil
}

// fresh are those that speak of something that was not told and that may be
// told now, and when there is to be looked again for the others.
func (r *record) fresh(all []pending, now time.Time) (due []pending, next time.Time) {
	room := maxTold - r.size()
	for i := range all {
		found, fresh := r.news(all[i])
		switch {
		case fresh == 0, len(all[i].Items) > room:
		case found.at.After(now):
			next = earlier(next, found.at)
		default:
			due = append(due, found)
			room -= len(found.Items)
		}
	}
	return due, next
}

// news is what of a notice was not told, and how much that is. A notice of a
// subject that does not list all that it has is told as a whole.
func (r *record) news(p pending) (found pending, fresh int) {
	var items, names []string
	for i, item := range p.Items {
		if r.knows(key(p.subject, item)) {
			continue
		}
		items = append(items, item)
		if i < len(p.Names) {
			names = append(names, p.Names[i])
		}
	}
	if counts, counted := r.Counts[part(p.subject)]; counted {
		fresh = max(len(items), counts.New)
	} else if len(items) > 0 {
		fresh = len(items) + p.Unlisted
	}
	if p.Unknown || fresh == 0 {
		return p, 0
	}
	p.Detail = p.DetailOf(names, fresh)
	if len(items) > 0 && p.Unlisted == 0 {
		p.Items = items
	}
	return p, fresh
}

// id is the same for the same telling however often it is tried, and another for
// another one of the same occurrences, or what receives both would fold them.
func (r *record) id(speaksOf []string) string {
	return digest(append([]string{r.key, r.Began.UTC().Format(time.RFC3339Nano)}, speaksOf...)...)
}

// note puts on record what was told.
func (r *record) note(told []pending) {
	r.add(keys(told))
	for i := range told {
		subject := part(told[i].subject)
		if told[i].Unlisted == 0 {
			delete(r.Counts, subject)
		} else {
			r.count(subject, counted{Total: told[i].total()})
		}
	}
	r.Until, r.Tries, r.Began = time.Time{}, 0, time.Time{}
}

// noteOpen puts on record what stands at the tool of whoever was told. What it
// speaks of is for no older one to speak of. Of very many the oldest are
// forgotten, and are for their tool to end.
func (r *record) noteOpen(one *opened) {
	if one == nil {
		return
	}
	for i := range r.Open {
		r.Open[i].Keys = slices.DeleteFunc(r.Open[i].Keys, func(key string) bool { return slices.Contains(one.Keys, key) })
	}
	r.Open = append(r.Open, *one)
	r.Open = r.Open[max(0, len(r.Open)-maxOpen):]
}

// size is how many occurrences are known.
func (r *record) size() int { return len(r.Told) + len(r.Away) }

// knows tells whether the manager was told of an occurrence.
func (r *record) knows(key string) bool { return among(r.Told, key) || among(r.Away, key) }

func (r *record) add(keys []string) {
	r.Told = slices.Compact(slices.Sorted(slices.Values(append(r.Told, keys...))))
}

func (r *record) count(subject string, is counted) {
	if r.Counts == nil {
		r.Counts = map[string]counted{}
	}
	r.Counts[subject] = is
}

// among tells whether a key is one of those, which are in order.
func among(keys []string, key string) bool {
	_, found := slices.BinarySearch(keys, key)
	return found
}

// keys name what notices speak of, in order.
func keys(all []pending) []string {
	var found []string
	for i := range all {
		for _, item := range all[i].Items {
			found = append(found, key(all[i].subject, item))
		}
	}
	slices.Sort(found)
	return found
}

// key names an occurrence: its subject, and what it is.
func key(subject, item string) string { return part(subject) + part(item) }

// subjectOf is the subject's part of a key.
func subjectOf(key string) string { return key[:min(len(key), partLen)] }

func part(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:partLen]
}

func digest(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))[:40]
}
