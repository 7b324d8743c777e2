// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ledger"
)

// bindInbox says how the channel's messages are answered, at most once a
// minute.
func (r *Reconciler) bindInbox(_ context.Context, s *scope) error {
	if r.Answers == nil {
		s.channel.Status.Inbox = nil
		return nil
	}
	name := client.ObjectKeyFromObject(s.channel)
	figures, known, next := r.Answers.Take(name, s.channel.UID)
	s.wakeAt(next)
	if !known {
		return nil
	}
	if shown := inboxStatus(figures); !apiequality.Semantic.DeepEqual(shown, s.channel.Status.Inbox) {
		s.channel.Status.Inbox = shown
	}
	return nil
}

// inboxStatus is what figures come to in a status; nil for none.
func inboxStatus(figures ledger.Figures) *v1alpha1.ChannelInbox {
	if figures.Open == 0 && figures.Answered == 0 {
		return nil
	}
	shown := &v1alpha1.ChannelInbox{Open: new(int32(min(figures.Open, maxOpen)))} //nolint:gosec // bounded
	if !figures.OldestOpen.IsZero() {
		shown.OldestOpen = new(metav1.NewTime(figures.OldestOpen.UTC().Truncate(time.Second)))
	}
	if figures.Answered > 0 {
		shown.FirstResponseP50 = &metav1.Duration{Duration: figures.P50.Round(time.Second)}
		shown.FirstResponseP90 = &metav1.Duration{Duration: figures.P90.Round(time.Second)}
	}
	if figures.Counted > 0 {
		shown.WithinTarget = new(int32(100 * figures.Within / figures.Counted)) //nolint:gosec // a percentage
	}
	return shown
}

// maxOpen bounds the count that a status shows.
const maxOpen = 1_000_000_000
