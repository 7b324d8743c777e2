// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	// settleLimit bounds how long the operator may take for what it does in a second or two.
	settleLimit  = 90 * time.Second
	pollInterval = 50 * time.Millisecond
)

// await asks again and again until there is nothing left to wait for: ready says what is lacking, or nothing. It fails when
// the limit is over, with what was lacking last, and at once when the operator has ended.
func (d *demo) await(ctx context.Context, what string, ready func(context.Context) (lacking string, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, fmt.Errorf("not within %s", settleLimit))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	began := time.Now()
	for last := ""; ; {
		lacking, err := ready(ctx)
		switch {
		case err == nil && lacking == "":
			d.console.notef("%s after %s", what, short(time.Since(began)))
			return nil
		case err == nil:
			last = lacking
		case ctx.Err() == nil: // else the question was cut off, which says nothing
			last = err.Error()
		}
		if err := d.operator.failure(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w\n%s", what, context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// channel reads one of the company's channels.
func (d *demo) channel(ctx context.Context, name string) (*v1alpha1.SocialChannel, error) {
	channel := &v1alpha1.SocialChannel{}
	if err := d.admin.Get(ctx, types.NamespacedName{Namespace: socialNamespace, Name: name}, channel); err != nil {
		return nil, fmt.Errorf("read SocialChannel %s: %w", name, err)
	}
	return channel, nil
}

// allInOrder says which teams, rotas, routes, platforms and channels are not Ready.
func (d *demo) allInOrder(ctx context.Context) (string, error) {
	teams, platforms, channels := &v1alpha1.TeamList{}, &v1alpha1.SocialPlatformList{}, &v1alpha1.SocialChannelList{}
	rotas, routes := &v1alpha1.ResponderRotaList{}, &v1alpha1.EscalationRouteList{}
	if err := errors.Join(d.admin.List(ctx, teams), d.admin.List(ctx, platforms), d.admin.List(ctx, channels), d.admin.List(ctx, rotas), d.admin.List(ctx, routes)); err != nil {
		return "", fmt.Errorf("list what was applied: %w", err)
	}
	var lacking []string
	owned := map[string]int32{}
	for i := range channels.Items {
		lacking = append(lacking, unsettled(&channels.Items[i]))
		owned[channels.Items[i].Status.Owner]++
	}
	for i := range teams.Items {
		team := &teams.Items[i]
		lacking = append(lacking, unready("Team "+team.Name, team.Generation, team.Status.Conditions))
		if counted := team.Status.Channels; counted == nil || ptr.Deref(counted.Count, -1) != owned[team.Name] {
			lacking = append(lacking, fmt.Sprintf("Team %s does not count its %d channels yet", team.Name, owned[team.Name]))
		}
	}
	for i := range rotas.Items {
		lacking = append(lacking, unready("ResponderRota "+rotas.Items[i].Name, rotas.Items[i].Generation, rotas.Items[i].Status.Conditions))
	}
	for i := range routes.Items {
		lacking = append(lacking, unready("EscalationRoute "+routes.Items[i].Name, routes.Items[i].Generation, routes.Items[i].Status.Conditions))
	}
	for i := range platforms.Items {
		platform := &platforms.Items[i]
		lacking = append(lacking, unready("SocialPlatform "+platform.Name, platform.Generation, platform.Status.Conditions))
		if counted := platform.Status.Channels; counted == nil || int(ptr.Deref(counted.Ready, -1)) != len(channels.Items) {
			lacking = append(lacking, fmt.Sprintf("SocialPlatform %s does not count its %d channels yet", platform.Name, len(channels.Items)))
		}
	}
	return strings.Join(slices.DeleteFunc(lacking, func(line string) bool { return line == "" }), "\n"), nil
}

// unsettled says why a channel is not in order, or that a replaced credential waits for its end.
func unsettled(channel *v1alpha1.SocialChannel) string {
	name := "SocialChannel " + channel.Name
	if lacking := unready(name, channel.Generation, channel.Status.Conditions); lacking != "" {
		return lacking
	}
	if len(channel.Status.Retiring) > 0 {
		return fmt.Sprintf("%s: credential %s waits for its end", name, channel.Status.Retiring[0].ID)
	}
	return ""
}

// unready says why an object is not Ready; empty if it is.
func unready(name string, generation int64, conditions []metav1.Condition) string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return name + ": no Ready condition yet"
	case ready.ObservedGeneration != generation:
		return fmt.Sprintf("%s: generation %d is not looked at yet", name, generation)
	case ready.Status != metav1.ConditionTrue:
		return fmt.Sprintf("%s: %s: %s", name, ready.Reason, ready.Message)
	}
	return ""
}

// explain prints what a person needs to find out why the demo stopped: the conditions, and the end of the operator's log.
func (d *demo) explain(ctx context.Context) {
	if d.operator == nil {
		return
	}
	d.console.sayf("Conditions that are not True:")
	channels := &v1alpha1.SocialChannelList{}
	if err := d.admin.List(ctx, channels); err != nil {
		d.console.notef("%s", err)
	}
	for i := range channels.Items {
		for _, condition := range channels.Items[i].Status.Conditions {
			if condition.Status != metav1.ConditionTrue {
				d.console.notef("%s %s=%s %s: %s", channels.Items[i].Name, condition.Type, condition.Status, condition.Reason, condition.Message)
			}
		}
	}
	d.console.sayf("The operator said last:")
	d.console.print(d.operator.lastLines())
}
