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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

const (
	// haltedRetry is how soon a stopped loss is looked at again: the others may
	// have been taken back.
	haltedRetry = time.Minute
	// maxHaltedNames is how many channels a message names.
	maxHaltedNames = 10
)

// losses remembers which channels have just lost their owner or credential.
// After a restart those that were stopped are still marked as such.
type losses struct {
	mu     sync.Mutex
	recent map[types.NamespacedName]time.Time
}

func newLosses() *losses { return &losses{recent: map[types.NamespacedName]time.Time{}} }

func (l *losses) add(channel types.NamespacedName, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent[channel] = now
}

// count those within the window, and forget the others.
func (l *losses) count(now time.Time, except types.NamespacedName) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for channel, at := range l.recent {
		switch {
		case !now.Before(at.Add(ownership.RemovalWindow)):
			delete(l.recent, channel)
		case channel != except:
			count++
		}
	}
	return count
}

// halted tells, in words, why a channel must not lose its owner or credential
// now; empty if it may. The caller has found that it is about to.
func (r *Reconciler) halted(ctx context.Context, s *scope, losing string) (string, error) {
	if r.Brake.Limit(0) < 0 || ownership.Confirmed(s.channel.Annotations[v1alpha1.AnnotationConfirmRemoval], s.now) {
		return "", nil
	}
	channels := &v1alpha1.SocialChannelList{}
	if err := r.Client.List(ctx, channels, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return "", err
	}
	self := client.ObjectKeyFromObject(s.channel)
	removals := ownership.Removals{Total: len(channels.Items), Recent: r.losses.count(s.now, self)}
	names := []string{}
	for i := range channels.Items {
		channel := &channels.Items[i]
		isSelf := client.ObjectKeyFromObject(channel) == self
		if !isSelf {
			loses, err := r.loses(ctx, channel, s.now)
			if err != nil {
				return "", err
			}
			if !loses {
				continue
			}
		}
		removals.Pending++
		if isHalted(channel) {
			removals.Halted++
		}
		names = append(names, channel.Namespace+"/"+channel.Name)
	}
	if !r.Brake.Halts(removals) {
		return "", nil
	}
	s.wakeAt(s.now.Add(haltedRetry))
	return haltMessage(r.Brake, removals, names, losing), nil
}

// isHalted tells whether a channel was stopped before.
func isHalted(channel *v1alpha1.SocialChannel) bool {
	return slices.ContainsFunc(channel.Status.Conditions, func(c metav1.Condition) bool { return c.Reason == v1alpha1.ReasonRemovalHalted })
}

// loses tells whether another channel is about to lose its owner or its
// credential, by the manifests alone, and nobody has confirmed it.
func (r *Reconciler) loses(ctx context.Context, channel *v1alpha1.SocialChannel, now time.Time) (bool, error) {
	recorded := channel.Status.Credential
	if recorded == nil || ownership.Confirmed(channel.Annotations[v1alpha1.AnnotationConfirmRemoval], now) {
		return false, nil
	}
	if !channel.DeletionTimestamp.IsZero() {
		return channel.Spec.DeletionPolicy == v1alpha1.DeletionRevoke, nil
	}
	other := &scope{now: now, channel: channel}
	stage, err := r.judgeOwner(ctx, other)
	return stage == ownership.Moving, err
}

func haltMessage(brake ownership.Brake, removals ownership.Removals, names []string, losing string) string {
	slices.Sort(names)
	listed := strings.Join(names[:min(len(names), maxHaltedNames)], ", ")
	if more := len(names) - maxHaltedNames; more > 0 {
		listed += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s was stopped: with %d others just done, %d of %d channels would lose their owner or credential at once, and no more than %d may without a person: %s. "+
		"If it is meant, annotate each with %s=$(date -u +%%FT%%TZ); if not, take the change back",
		losing, removals.Recent, removals.Pending, removals.Total, brake.Limit(removals.Total), listed, v1alpha1.AnnotationConfirmRemoval)
}

// haltMove keeps a channel where it is while the brake is on.
func (r *Reconciler) haltMove(ctx context.Context, s *scope) (bool, error) {
	if s.channel.Status.Credential == nil {
		return false, nil
	}
	reason, err := r.halted(ctx, s, fmt.Sprintf("the hand-over to team %s", s.channel.Spec.OwnerRef.Name))
	if err != nil || reason == "" {
		return false, err
	}
	if s.owner, err = r.team(ctx, s.channel.Status.Owner); err != nil {
		return false, err
	}
	s.status.False(v1alpha1.ConditionOwnerResolved, v1alpha1.ReasonRemovalHalted, reason)
	return true, nil
}

// haltRelease keeps a channel that is being deleted until the loss of its
// credential is confirmed.
func (r *Reconciler) haltRelease(ctx context.Context, s *scope) (bool, error) {
	if s.channel.Status.Credential == nil || s.channel.Spec.DeletionPolicy != v1alpha1.DeletionRevoke || s.observes() {
		return false, nil
	}
	reason, err := r.halted(ctx, s, "the deletion with Revoke")
	if err != nil || reason == "" {
		return false, err
	}
	s.status.Verdict(metav1.ConditionFalse, v1alpha1.ReasonRemovalHalted, reason)
	return true, nil
}
