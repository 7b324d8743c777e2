// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices

import (
	"context"
	"errors"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/notice"
	"github.com/rostra-dev/rostra/internal/notify"
)

const (
	// maxOpen bounds what is on record as standing, of one kind for one team.
	maxOpen = 64
	// maxEnds is how often it is tried to end something: for about two hours.
	maxEnds = 7
)

// opened is an alert or an incident that stands at the tool of whoever was told,
// until it is ended.
type opened struct {
	// Incident, Urgency, Member and At are the message's.
	Incident string         `json:"incident"`
	Urgency  notify.Urgency `json:"urgency"`
	Member   string         `json:"member"`
	At       time.Time      `json:"at"`
	// Way by which it was told.
	Way string `json:"way"`
	// Keys are of the occurrences that it speaks of, of those that are not known
	// to be over.
	Keys []string `json:"keys,omitempty"`
	// Tries counts those to end it, and Again is when the next is due.
	Tries int       `json:"tries,omitempty"`
	Again time.Time `json:"again,omitzero"`
}

func openedBy(m *notify.Message, way string, keys []string) *opened {
	return &opened{Incident: m.Incident, Urgency: m.Urgency, Member: m.Member, At: m.At, Way: way, Keys: keys}
}

// over tells whether nothing is left of what it speaks of. What is not known
// counts as left.
func (o *opened) over() bool { return len(o.Keys) == 0 }

// endOver ends what stands of a kind and is over, keeps what came of it, and
// gives when it is to be tried again. The record is kept too where it was changed
// before. Two that do it at once end it twice, which does no harm.
func (r *Reconciler) endOver(ctx context.Context, team *v1alpha1.Team, kind notice.Kind, record *record, changed bool, now time.Time) (next time.Time, err error) {
	var standing []opened
	for i := range record.Open {
		one := record.Open[i]
		if one.over() && !one.Again.After(now) {
			changed = true
			err := r.end(ctx, team, kind, &one, now)
			if err == nil {
				continue
			}
			one.Tries++
			one.Again = now.Add(pause(one.Tries))
			log.FromContext(ctx).Info("a notice that is over could not be ended at the tool of whoever was told",
				"team", team.Name, "member", one.Member, "kind", kind, "cause", err.Error(), "tries", one.Tries, "givenUp", one.Tries >= maxEnds)
			if one.Tries >= maxEnds {
				continue
			}
		}
		if one.Again.After(now) {
			next = earlier(next, one.Again)
		}
		standing = append(standing, one)
	}
	if !changed {
		return next, nil
	}
	record.Open = standing
	return next, r.keep(ctx, record)
}

// end ends it by the way by which it was told. Where the person has that way no
// more there is nothing to do.
func (r *Reconciler) end(ctx context.Context, team *v1alpha1.Team, kind notice.Kind, one *opened, now time.Time) error {
	ways, _, err := r.Directory.Ways(ctx, escalation.Person{Team: team.Name, Name: one.Member})
	if err != nil {
		return err
	}
	over := notify.Closing{
		Incident: one.Incident, Kind: string(kind), Urgency: one.Urgency, Labels: labels(team.Name, kind),
		Team: team.Name, Member: one.Member, Started: one.At, At: now,
	}
	var failures []error
	for _, way := range ways {
		if closer, closes := way.(notify.Closer); closes && way.Way() == one.Way {
			asking, cancel := context.WithTimeout(ctx, wayTimeout)
			failures = append(failures, closer.Close(asking, over))
			cancel()
		}
	}
	return errors.Join(failures...)
}
