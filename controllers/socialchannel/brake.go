// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/ownership"
)

const (
	// haltedRetry is how soon a stopped loss is looked at again: the others may
	// have been taken back.
	haltedRetry = time.Minute
	// tallyLife is how long one count of all channels serves those that are
	// stopped. None is let through by anything but a new one.
	tallyLife = 5 * time.Second
	// maxHaltedNames is how many channels a message names, and maxHaltedBytes
	// how long their names may be: a condition's message is cut.
	maxHaltedNames = 10
	maxHaltedBytes = 1000
)

// losses is what this process knows of channels that lose their owner or their
// credential. It survives no restart; what counts after one is on record: the
// hand-overs, and what was stopped.
type losses struct {
	mu sync.Mutex
	// let through without a confirmation, and when.
	let map[types.UID]time.Time
	// tally is the last count, or nil.
	tally *tally
}

func newLosses() *losses { return &losses{let: map[types.UID]time.Time{}} }

// tally is one count of all channels.
type tally struct {
	at    time.Time
	total int
	teams map[string]*v1alpha1.Team
	// pending are about to lose something, and tells whether they were stopped
	// before; recent have just lost it. No channel is in both.
	pending map[types.UID]bool
	recent  map[types.UID]bool
	halted  int
	// names are the first of the pending, when they were counted.
	names []string
}

// put counts one channel, or counts it anew.
func (t *tally) put(channel *v1alpha1.SocialChannel, let bool, now time.Time) {
	t.drop(channel.UID)
	loss := ownership.PendingLoss(channel, func(name string) *v1alpha1.Team { return t.teams[name] }, now)
	halted := ownership.Halted(channel, loss)
	switch {
	case halted:
		t.pending[channel.UID] = true
		t.halted++
	case let || ownership.RecentLoss(channel, now):
		t.recent[channel.UID] = true
	case loss != ownership.LosesNothing:
		t.pending[channel.UID] = false
	}
}

func (t *tally) drop(channel types.UID) {
	if t.pending[channel] {
		t.halted--
	}
	delete(t.pending, channel)
	delete(t.recent, channel)
}

// with is the count if a channel loses something as well, which may have been
// stopped before.
func (t *tally) with(channel types.UID, halted bool) ownership.Removals {
	removals := ownership.Removals{Total: t.total, Pending: len(t.pending), Recent: len(t.recent), Halted: t.halted}
	if counted, ok := t.pending[channel]; ok {
		removals.Pending--
		if counted {
			removals.Halted--
			halted = true
		}
	}
	if t.recent[channel] {
		removals.Recent--
	}
	removals.Pending++
	if halted {
		removals.Halted++
	}
	return removals
}

// note counts a channel anew that was just reconciled, so that one that was
// taken back or suspended holds up nobody.
func (l *losses) note(channel *v1alpha1.SocialChannel, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tally != nil {
		_, let := l.let[channel.UID]
		l.tally.put(channel, let, now)
	}
}

// gone forgets a channel that is no more, unless it was let through.
func (l *losses) gone(channel types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, let := l.let[channel]; l.tally != nil && !let {
		l.tally.drop(channel)
	}
}

// takeTally counts all channels. The caller holds the lock.
func (r *Reconciler) takeTally(ctx context.Context, now time.Time) error {
	teams, channels := &v1alpha1.TeamList{}, &v1alpha1.SocialChannelList{}
	for _, list := range []client.ObjectList{teams, channels} {
		if err := r.Client.List(ctx, list, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
			return err
		}
	}
	l := r.losses
	t := &tally{
		at: now, total: len(channels.Items), teams: make(map[string]*v1alpha1.Team, len(teams.Items)),
		pending: map[types.UID]bool{}, recent: map[types.UID]bool{},
	}
	for i := range teams.Items {
		t.teams[teams.Items[i].Name] = &teams.Items[i]
	}
	for channel, at := range l.let {
		if !ownership.WithinWindow(at, now) {
			delete(l.let, channel)
			continue
		}
		t.recent[channel] = true
	}
	for i := range channels.Items {
		channel := &channels.Items[i]
		_, let := l.let[channel.UID]
		t.put(channel, let, now)
		if _, pending := t.pending[channel.UID]; pending {
			t.names = append(t.names, channel.Namespace+"/"+channel.Name)
		}
	}
	slices.Sort(t.names)
	t.names = slices.Clip(t.names[:min(len(t.names), maxHaltedNames)])
	l.tally = t
	return nil
}

// halted tells, in words, why a channel must not lose something now; empty if
// it may, which counts from now on. The caller has found that it is about to.
func (r *Reconciler) halted(ctx context.Context, s *scope, loss ownership.Loss, losing string) (string, error) {
	if r.Brake.Limit(0) < 0 || ownership.Confirmed(s.channel.Annotations[v1alpha1.AnnotationConfirmRemoval], s.now) {
		return "", nil
	}
	l, self, before := r.losses, s.channel.UID, ownership.Halted(s.before, loss)
	l.mu.Lock()
	defer l.mu.Unlock()
	serves := l.tally != nil && s.now.Sub(l.tally.at).Abs() < tallyLife
	if !serves || !r.Brake.Halts(l.tally.with(self, before)) {
		if err := r.takeTally(ctx, s.now); err != nil {
			return "", err
		}
	}
	removals := l.tally.with(self, before)
	if r.Brake.Halts(removals) {
		s.wakeAt(s.now.Add(haltedRetry))
		return haltMessage(r.Brake, removals, l.tally.names, losing), nil
	}
	l.let[self] = s.now
	l.tally.put(s.channel, true, s.now)
	return "", nil
}

// haltMessage puts what to do first, since the end of a message may be cut.
func haltMessage(brake ownership.Brake, removals ownership.Removals, names []string, losing string) string {
	size, shown := 0, 0
	for shown < len(names) && size+len(names[shown]) <= maxHaltedBytes {
		size += len(names[shown])
		shown++
	}
	listed := strings.Join(names[:shown], ", ")
	if more := removals.Pending - shown; more > 0 {
		listed += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("if it is meant, annotate each with %s=$(date -u +%%FT%%TZ); if not, take the change back. "+
		"%s was stopped: with %d others just done, %d of %d channels would lose their owner or credential at once, and no more than %d may without a person: %s",
		v1alpha1.AnnotationConfirmRemoval, losing, removals.Recent, removals.Pending, removals.Total, brake.Limit(removals.Total), listed)
}

// haltMove keeps a channel where it is while the brake is on. A hand-over that
// has begun goes on.
func (r *Reconciler) haltMove(ctx context.Context, s *scope) (bool, error) {
	status := &s.channel.Status
	if status.Credential == nil || ownership.Begun(status.Handover, status.Owner, s.owner.Name) {
		return false, nil
	}
	reason, err := r.halted(ctx, s, ownership.LosesOwner, fmt.Sprintf("the hand-over to team %s", s.owner.Name))
	if err != nil || reason == "" {
		return false, err
	}
	if s.owner, err = r.team(ctx, status.Owner); err != nil {
		return false, err
	}
	s.status.False(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonRemovalHalted, reason)
	return true, nil
}

// haltPlace keeps a credential in the Secret where it is while the brake is
// on, and says why: the owner is the same, and its namespace or the name of
// the Secret is another.
func (r *Reconciler) haltPlace(ctx context.Context, s *scope, facts *credentials.Facts) (string, error) {
	recorded := facts.Recorded
	if recorded == nil || recorded.Team != facts.Want.Team {
		return "", nil
	}
	place := credentials.Holder{Team: recorded.Team, Namespace: recorded.Secret.Namespace, SecretName: recorded.Secret.Name}
	if place == facts.Want {
		return "", nil
	}
	reason, err := r.halted(ctx, s, ownership.LosesPlace, fmt.Sprintf("the move of the credential to Secret %s/%s", facts.Want.Namespace, facts.Want.SecretName))
	if reason != "" {
		facts.Want = place
	}
	return reason, err
}

// haltRelease says why a channel that is being deleted must stay until the loss
// of its credential is confirmed; empty if it need not.
func (r *Reconciler) haltRelease(ctx context.Context, s *scope) (reason string, err error) {
	if s.channel.Status.Credential == nil || s.channel.Spec.DeletionPolicy != v1alpha1.DeletionRevoke || s.observes() || ownership.ReleaseBegun(s.channel) {
		return "", nil
	}
	return r.halted(ctx, s, ownership.LosesCredential, "the deletion with Revoke")
}
