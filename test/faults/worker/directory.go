// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/httpx"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/test/faults/company"
)

const routeName = "care"

// directory is what a cluster would know. It does not change.
type directory struct {
	channels map[types.NamespacedName]*dispatch.Channel
	ways     []notify.Notifier
}

// newDirectory makes the Pages' channels: each has a route of its own, whose
// steps each tell one person, and everybody is told at the same URL.
func newDirectory(s settings, outbound *httpx.Client) (*directory, error) {
	opener, err := notify.New(notify.Options{HTTP: outbound, Clock: clock.RealClock{}, Source: "/" + s.name})
	if err != nil {
		return nil, err
	}
	way, err := opener.Open(notify.Address{
		URL:   credentials.NewValue(s.notify),
		Extra: credentials.Values{notify.KeySigningSecret: credentials.NewValue(company.SigningSecret)},
	})
	if err != nil {
		return nil, err
	}
	d := &directory{channels: map[types.NamespacedName]*dispatch.Channel{}, ways: []notify.Notifier{way}}
	for page := range s.pages {
		d.add(company.PageAt(page), s.waits)
	}
	return d, nil
}

// add declares a Page.
func (d *directory) add(page company.Page, waits []time.Duration) {
	// Of the team, as much as the Page has to do with.
	team := &v1alpha1.Team{ObjectMeta: metav1.ObjectMeta{Name: company.Team}, Spec: v1alpha1.TeamSpec{
		Manager: company.Manager, Members: []v1alpha1.TeamMember{{Name: company.Manager}},
	}}
	route := &v1alpha1.EscalationRoute{ObjectMeta: metav1.ObjectMeta{Namespace: company.Namespace, Name: routeName}}
	for step, wait := range waits {
		route.Spec.Steps = append(route.Spec.Steps, v1alpha1.EscalationStep{
			Targets: []v1alpha1.EscalationTarget{member(page.Responder(step))}, Wait: &metav1.Duration{Duration: wait},
		})
		team.Spec.Members = append(team.Spec.Members, v1alpha1.TeamMember{Name: page.Responder(step)})
	}
	route.Spec.Fallback = member(company.Manager)
	name := types.NamespacedName{Namespace: company.Namespace, Name: page.Name}
	d.channels[name] = &dispatch.Channel{
		Escalation: escalation.Channel{Namespace: name.Namespace, Name: name.Name, Handle: page.ID, Owner: company.Team},
		UID:        page.UID, Platform: company.Platform, Handle: page.ID,
		Manager:   escalation.Person{Team: company.Team, Name: company.Manager},
		RouteName: routeName, Route: escalation.Compile(route),
		Sources: &escalation.Sources{
			Rota:      func(string) *escalation.Rota { return nil },
			Team:      func(string) *v1alpha1.Team { return team },
			Reachable: func(*v1alpha1.Team, string) bool { return true },
		},
	}
}

func member(name string) v1alpha1.EscalationTarget {
	return v1alpha1.EscalationTarget{TeamRef: &v1alpha1.ClusterReference{Name: company.Team}, Member: name}
}

// Channel implements dispatch.Directory.
func (d *directory) Channel(_ context.Context, name types.NamespacedName, uid string) (*dispatch.Channel, error) {
	if channel := d.channels[name]; channel != nil && channel.UID == uid {
		return channel, nil
	}
	return nil, nil
}

// Ways implements dispatch.Directory.
func (d *directory) Ways(context.Context, escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	return d.ways, dispatch.Recipient{}, nil
}
