// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices

import (
	"context"
	"crypto/sha256"
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

// remembered is how long it is known what was told.
const remembered = 180 * 24 * time.Hour

// record is what a team's manager was told of one kind.
type record struct {
	// Told are the occurrences, by their keys, in order.
	Told []string `json:"told,omitempty"`
	// Until is until when nobody else is to tell, or the next try is to wait,
	// and Tries counts those in vain.
	Until time.Time `json:"until,omitzero"`
	Tries int       `json:"tries,omitempty"`
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
		found.Told, found.Until, found.Tries, found.Open = nil, time.Time{}, 0, nil
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
	for i := range all {
		untold := slices.DeleteFunc(slices.Clone(all[i].Items), func(item string) bool {
			_, told := slices.BinarySearch(r.Told, key(all[i].subject, item))
			return told
		})
		switch {
		case len(untold) == 0:
		case all[i].at.After(now):
			if next.IsZero() || all[i].at.Before(next) {
				next = all[i].at
			}
		default:
			fresh := all[i]
			fresh.Items = untold
			due = append(due, fresh)
		}
	}
	return due, next
}

// note puts on record what was told, and drops what is over.
func (r *record) note(all, told []pending) {
	known := r.Told
	r.Told = keys(told)
	for _, current := range keys(all) {
		if _, was := slices.BinarySearch(known, current); was {
			r.Told = append(r.Told, current)
		}
	}
	slices.Sort(r.Told)
	r.Told = slices.Compact(r.Told)
	r.Until, r.Tries = time.Time{}, 0
}

// noteOpen puts on record what stands at the tool of whoever was told. Of very
// many the oldest are forgotten, and are for their tool to end.
func (r *record) noteOpen(one *opened) {
	if one != nil {
		r.Open = append(r.Open, *one)
		r.Open = r.Open[max(0, len(r.Open)-maxOpen):]
	}
}

func digest(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil))[:40]
}
