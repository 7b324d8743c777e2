// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	// shiftLead is how long after all channels are on the rota its shift
	// changes.
	shiftLead = 10 * time.Second
	// movers is how many channels change their owner at once.
	movers = 500
)

// waits are how long after an event each channel showed it, in order.
type waits []time.Duration

func (w waits) at(share float64) time.Duration {
	return w[min(len(w)-1, int(share*float64(len(w))))]
}

// changeShift puts every channel on one rota and measures how long after its
// hand-off each of them shows who is on duty.
func (c *company) changeShift(ctx context.Context, operator *process) (waits, error) {
	rota := &v1alpha1.ResponderRota{
		ObjectMeta: metav1.ObjectMeta{Namespace: social, Name: "watch"},
		Spec: v1alpha1.ResponderRotaSpec{TimeZone: "UTC", Layers: []v1alpha1.RotaLayer{{
			Name: "all", TeamRef: v1alpha1.ClusterReference{Name: teamName(0)}, Members: []string{"maria", "dana"},
			Handoff: &v1alpha1.Handoff{Start: "2026-01-01T00:00:00", Every: 1000, Unit: v1alpha1.HandoffWeek},
		}}},
	}
	if err := c.client.Create(ctx, rota); err != nil {
		return nil, err
	}
	if err := c.each(ctx, func(ctx context.Context, i int) error {
		return c.client.Patch(ctx, channel(social, i), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"responderRotaRef":{"name":"watch"}}}`)))
	}); err != nil {
		return nil, err
	}
	if _, err := operator.settled(ctx, time.Second); err != nil {
		return nil, err
	}
	// Applying the hand-off costs each channel a write of its own, for the new
	// end of the shift: the lead leaves time for it.
	lead := shiftLead + time.Duration(c.channels)*5*time.Millisecond
	handoff := time.Now().UTC().Add(lead).Truncate(time.Second)
	before := rota.DeepCopy()
	rota.Spec.Layers[0].Handoff = &v1alpha1.Handoff{Start: handoff.Add(-time.Hour).Format("2006-01-02T15:04:05"), Every: 1, Unit: v1alpha1.HandoffHour}
	if err := c.client.Patch(ctx, rota, client.MergeFrom(before)); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "the shift of %d channels changes in %s\n", c.channels, lead)
	return c.collect(ctx, handoff, c.channels, func(object *v1alpha1.SocialChannel) bool {
		onCall := object.Status.OnCall
		return onCall != nil && onCall.Since != nil && onCall.Since.Time.Equal(handoff)
	})
}

// moveMany gives many channels to another team in one go, and measures until
// the old owner's credential is revoked.
func (c *company) moveMany(ctx context.Context) (waits, error) {
	count := min(movers, c.channels)
	began := time.Now()
	failed := make(chan error, 1)
	go func() {
		some := &company{client: c.client, channels: count}
		failed <- some.each(ctx, func(ctx context.Context, i int) error {
			patch := fmt.Sprintf(`{"spec":{"ownerRef":{"name":%q}}}`, teamName(i+1))
			return c.client.Patch(ctx, channel(social, i), client.RawPatch("application/merge-patch+json", []byte(patch)))
		})
	}()
	moved, err := c.collect(ctx, began, count, func(object *v1alpha1.SocialChannel) bool {
		return object.Status.Handover != nil && object.Status.Handover.CompletedAt != nil
	})
	return moved, errors.Join(err, <-failed)
}

// collect watches the channels until so many of them are as wanted, and gives
// how long after a time each was.
func (c *company) collect(ctx context.Context, since time.Time, count int, wanted func(*v1alpha1.SocialChannel) bool) (waits, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	found := map[string]time.Duration{}
	for len(found) < count {
		if err := c.follow(ctx, func(object *v1alpha1.SocialChannel) bool {
			if _, known := found[object.Name]; !known && wanted(object) {
				found[object.Name] = time.Since(since)
			}
			return len(found) < count
		}); err != nil {
			return nil, fmt.Errorf("%d of %d channels seen: %w", len(found), count, err)
		}
	}
	all := make(waits, 0, len(found))
	for _, wait := range found {
		all = append(all, wait)
	}
	slices.Sort(all)
	return all, nil
}

// follow shows every channel as it is and each change, until it is told to
// stop, or the API server ends the watch.
func (c *company) follow(ctx context.Context, show func(*v1alpha1.SocialChannel) (more bool)) error {
	seen, err := c.client.Watch(ctx, &v1alpha1.SocialChannelList{}, client.InNamespace(social))
	if err != nil {
		return err
	}
	defer seen.Stop()
	for event := range seen.ResultChan() {
		if event.Type == watch.Error {
			return apierrors.FromObject(event.Object)
		}
		if object, ok := event.Object.(*v1alpha1.SocialChannel); ok && !show(object) {
			return nil
		}
	}
	return ctx.Err()
}

func printChanges(channels int, floor floorTimes, shift, moved waits, writes int) {
	n := float64(channels)
	ms := func(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
	rows := [][3]string{
		{fmt.Sprintf("a shift of %d channels changes: first", channels), ms(shift[0]), ""},
		{"  half of them show it after", ms(shift.at(0.5)), ""},
		{"  the last after", ms(shift[len(shift)-1]), "≤ 1000 ms"},
		{"  ratio to bare status patches", fmt.Sprintf("%.2f", shift[len(shift)-1].Seconds()/floor.patches.Seconds()), ""},
		{"  API requests of the operator a channel", fmt.Sprintf("%.2f", float64(writes)/n), "1"},
		{fmt.Sprintf("%d channels move at once: half revoked after", len(moved)), ms(moved.at(0.5)), ""},
		{"  the last after", ms(moved[len(moved)-1]), ""},
	}
	for _, row := range rows {
		fmt.Printf("%-46s %14s   %s\n", row[0], row[1], row[2])
	}
}
