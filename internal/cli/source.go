// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/manifests"
	"github.com/rostra-dev/rostra/internal/rota"
)

// source is where objects are read: manifests or a cluster.
type source interface {
	// rota gives the rota of that name, with all that it is made of.
	rota(ctx context.Context, name objectName) (*v1alpha1.ResponderRota, *inventory, error)
	// channels gives the channel of that name, or with an empty name all those
	// of the namespace or, without one, all; with all that they refer to.
	channels(ctx context.Context, name objectName, everywhere bool) (*inventory, error)
	// route gives the route of that name, or the one that the channel of that
	// name takes, with all that it is made of. The channel is nil where the name
	// is a route's.
	route(ctx context.Context, name objectName) (*v1alpha1.EscalationRoute, *v1alpha1.SocialChannel, *inventory, error)
	// survey gives the channels of a namespace, or with an empty one all, and
	// every team and platform.
	survey(ctx context.Context, namespace string) (*inventory, error)
	// answering adds to a survey the rota and the route that a channel names, if
	// there are, with all that they are made of.
	answering(ctx context.Context, channel *v1alpha1.SocialChannel, into *inventory) error
}

// inventory is what a command works on.
type inventory struct {
	teams     map[string]*v1alpha1.Team
	rotas     map[objectName]*v1alpha1.ResponderRota
	routes    map[objectName]*v1alpha1.EscalationRoute
	overrides []v1alpha1.RotaOverride
	channels  []v1alpha1.SocialChannel
	platforms []v1alpha1.SocialPlatform
}

// schedule prepares a rota.
func (i *inventory) schedule(of *v1alpha1.ResponderRota) (*rota.Schedule, []rota.Problem) {
	return rota.Prepare(of, i.overrides, i.team)
}

// team gives the team of that name, or nil.
func (i *inventory) team(name string) *v1alpha1.Team { return i.teams[name] }

// files are manifests.
type files struct{ set *manifests.Set }

func readFiles(paths []string, stdin io.Reader) (source, error) {
	set, err := manifests.Read(paths, stdin)
	if err != nil {
		return nil, fmt.Errorf("the manifests are not in order:\n%w", err)
	}
	return files{set}, nil
}

func (f files) rota(_ context.Context, name objectName) (*v1alpha1.ResponderRota, *inventory, error) {
	var names []objectName
	for i := range f.set.Rotas {
		names = append(names, objectName{f.set.Rotas[i].Namespace, f.set.Rotas[i].Name})
	}
	at, err := pick("ResponderRota", name, names)
	if err != nil {
		return nil, nil, err
	}
	return &f.set.Rotas[at], f.inventory(nil), nil
}

func (f files) channels(_ context.Context, name objectName, _ bool) (*inventory, error) {
	var found []v1alpha1.SocialChannel
	var names []objectName
	for i := range f.set.Channels {
		channel := f.set.Channels[i]
		names = append(names, objectName{channel.Namespace, channel.Name})
		if name.namespace == "" || name.namespace == channel.Namespace {
			found = append(found, channel)
		}
	}
	if name.name == "" {
		return f.inventory(found), nil
	}
	at, err := pick("SocialChannel", name, names)
	if err != nil {
		return nil, err
	}
	return f.inventory(f.set.Channels[at : at+1]), nil
}

func (f files) inventory(channels []v1alpha1.SocialChannel) *inventory {
	i := &inventory{
		teams:     map[string]*v1alpha1.Team{},
		rotas:     map[objectName]*v1alpha1.ResponderRota{},
		routes:    map[objectName]*v1alpha1.EscalationRoute{},
		overrides: f.set.Overrides,
		channels:  channels,
		platforms: f.set.Platforms,
	}
	for at := range f.set.Teams {
		i.teams[f.set.Teams[at].Name] = &f.set.Teams[at]
	}
	for at := range f.set.Rotas {
		i.rotas[objectName{f.set.Rotas[at].Namespace, f.set.Rotas[at].Name}] = &f.set.Rotas[at]
	}
	for at := range f.set.Routes {
		i.routes[objectName{f.set.Routes[at].Namespace, f.set.Routes[at].Name}] = &f.set.Routes[at]
	}
	return i
}

// pick finds the one object that a name means.
func pick(kind string, name objectName, among []objectName) (int, error) {
	var matches []int
	var candidates []string
	for i, candidate := range among {
		if candidate.name == name.name && (name.namespace == "" || candidate.namespace == name.namespace) {
			matches = append(matches, i)
			candidates = append(candidates, candidate.String())
		}
	}
	switch len(matches) {
	case 1:
		return matches[0], nil
	case 0:
		return 0, notInManifests(kind, name, among)
	}
	return 0, fmt.Errorf("%s %s is in several namespaces: name one of %s", kind, name, strings.Join(candidates, ", "))
}

func notInManifests(kind string, name objectName, among []objectName) error {
	if len(among) == 0 {
		return fmt.Errorf("there is no %s %s: the manifests declare none at all; give -f the folder that does", kind, name)
	}
	const limit = 10
	var others []string
	for _, other := range among[:min(len(among), limit)] {
		others = append(others, other.String())
	}
	if len(among) > limit {
		others = append(others, fmt.Sprintf("and %d more", len(among)-limit))
	}
	return fmt.Errorf("there is no %s %s in the manifests; there is %s", kind, name, strings.Join(others, ", "))
}

// unknownZone is the error of problems that leave no clock to answer by.
func unknownZone(problems []rota.Problem) error {
	for _, problem := range problems {
		if problem.Reason == v1alpha1.ReasonUnknownTimeZone {
			return errors.New(problem.Message)
		}
	}
	return nil
}
