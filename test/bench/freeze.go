// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// frozen is how long a freeze of all channels took, and its lifting, and what
// it cost at the API server.
type frozen struct {
	withdrawn, lifted waits
	// requests of the operator for the freeze alone, and those of them that
	// wrote the freeze's own status.
	requests, statusWrites int
}

// freezeAll freezes every channel at once and measures until each says that its
// credential is revoked and withdrawn; then it lifts the freeze and measures
// until each has another.
func (c *company) freezeAll(ctx context.Context, operator *process) (frozen, error) {
	var result frozen
	before, err := operator.settled(ctx, time.Second)
	if err != nil {
		return result, err
	}
	object := &v1alpha1.PublishingFreeze{
		ObjectMeta: metav1.ObjectMeta{Name: "hijack-drill"},
		Spec:       v1alpha1.PublishingFreezeSpec{ChannelSelector: &metav1.LabelSelector{}, Active: new(true), Reason: "measured"},
	}
	began := time.Now()
	if err := c.client.Create(ctx, object); err != nil {
		return result, err
	}
	result.withdrawn, err = c.collect(ctx, began, c.channels, func(channel *v1alpha1.SocialChannel) bool {
		allowed := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionPublishingAllowed)
		return allowed != nil && allowed.Reason == v1alpha1.ReasonFrozen
	})
	if err != nil {
		return result, err
	}
	after, err := operator.settled(ctx, 6*time.Second)
	if err != nil {
		return result, err
	}
	result.requests = after.writesAndReads() - before.writesAndReads()
	result.statusWrites = after.Requests["PATCH publishingfreezes/status"] - before.Requests["PATCH publishingfreezes/status"]
	began = time.Now()
	if err := c.client.Patch(ctx, object, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"active":false}}`))); err != nil {
		return result, err
	}
	result.lifted, err = c.collect(ctx, began, c.channels, func(channel *v1alpha1.SocialChannel) bool {
		credential := channel.Status.Credential
		return channel.Status.Freeze == nil && credential != nil && credential.WithdrawnAt == nil
	})
	return result, err
}

func (f frozen) print() {
	seconds := func(w waits) string { return fmt.Sprintf("%.1fs", w[len(w)-1].Seconds()) }
	rate := func(w waits) string { return fmt.Sprintf("%.0f/s", float64(len(w))/w[len(w)-1].Seconds()) }
	n := len(f.withdrawn)
	for _, row := range [][2]string{
		{fmt.Sprintf("%d channels frozen, to the last revoked", n), seconds(f.withdrawn)},
		{"  rate", rate(f.withdrawn)},
		{"  API requests of the operator a channel", fmt.Sprintf("%.2f", float64(f.requests)/float64(n))},
		{"  status writes of the freeze itself", fmt.Sprint(f.statusWrites)},
		{"lifted, to the last that works again", seconds(f.lifted)},
		{"  rate", rate(f.lifted)},
	} {
		fmt.Printf("%-46s %14s\n", row[0], row[1])
	}
}
