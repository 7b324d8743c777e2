// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/rota"
)

func (f files) route(_ context.Context, name objectName) (*v1alpha1.EscalationRoute, *v1alpha1.SocialChannel, *inventory, error) {
	var routes, channels []objectName
	for i := range f.set.Routes {
		routes = append(routes, objectName{f.set.Routes[i].Namespace, f.set.Routes[i].Name})
	}
	for i := range f.set.Channels {
		channels = append(channels, objectName{f.set.Channels[i].Namespace, f.set.Channels[i].Name})
	}
	at, err := pick("EscalationRoute", name, routes)
	if err == nil {
		return &f.set.Routes[at], nil, f.inventory(nil), nil
	}
	if isAmong(name, routes) || !isAmong(name, channels) {
		return nil, nil, nil, err
	}
	at, err = pick("SocialChannel", name, channels)
	if err != nil {
		return nil, nil, nil, err
	}
	channel, found := &f.set.Channels[at], f.inventory(nil)
	taken, err := takenBy(channel)
	if err != nil {
		return nil, nil, nil, err
	}
	route := found.routes[taken]
	if route == nil {
		return nil, nil, nil, fmt.Errorf("SocialChannel %s names EscalationRoute %s: %w", channels[at], taken, notInManifests("EscalationRoute", taken, routes))
	}
	return route, channel, found, nil
}

// isAmong tells whether a name is that of one or several of them.
func isAmong(name objectName, among []objectName) bool {
	for _, candidate := range among {
		if candidate.name == name.name && (name.namespace == "" || candidate.namespace == name.namespace) {
			return true
		}
	}
	return false
}

// takenBy names the route that a channel takes.
func takenBy(channel *v1alpha1.SocialChannel) (objectName, error) {
	if channel.Spec.EscalationRouteRef == nil {
		return objectName{}, fmt.Errorf("SocialChannel %s takes no route, so nobody is told of its events: name one in spec.escalationRouteRef",
			objectName{channel.Namespace, channel.Name})
	}
	return objectName{channel.Namespace, channel.Spec.EscalationRouteRef.Name}, nil
}

func (c *cluster) route(ctx context.Context, name objectName) (*v1alpha1.EscalationRoute, *v1alpha1.SocialChannel, *inventory, error) {
	name, found := c.complete(name), newInventory()
	route, err := c.readRoute(ctx, name, found)
	if err == nil {
		return route, nil, found, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, nil, nil, fmt.Errorf("read EscalationRoute %s: %w", name, err)
	}
	channel := &v1alpha1.SocialChannel{}
	err = c.reader.Get(ctx, client.ObjectKey{Namespace: name.namespace, Name: name.name}, channel)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil, fmt.Errorf("there is neither an EscalationRoute nor a SocialChannel %s", name)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read SocialChannel %s: %w", name, err)
	}
	taken, err := takenBy(channel)
	if err != nil {
		return nil, nil, nil, err
	}
	if route, err = c.readRoute(ctx, taken, found); err != nil {
		return nil, nil, nil, fmt.Errorf("read EscalationRoute %s, which SocialChannel %s names: %w", taken, name, err)
	}
	return route, channel, found, nil
}

// readRoute reads one route, and the rotas and teams that it names.
func (c *cluster) readRoute(ctx context.Context, name objectName, into *inventory) (*v1alpha1.EscalationRoute, error) {
	route := &v1alpha1.EscalationRoute{}
	if err := c.reader.Get(ctx, client.ObjectKey{Namespace: name.namespace, Name: name.name}, route); err != nil {
		return nil, err
	}
	into.routes[name] = route
	for _, rota := range escalation.Rotas(route) {
		of := objectName{name.namespace, rota}
		if _, err := c.readRota(ctx, of, into); err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("read ResponderRota %s: %w", of, err)
		}
	}
	return route, c.readTeams(ctx, escalation.Teams(route), into)
}

// sources answer who is there, for a route of a namespace. Whether the Secret
// exists by which somebody is told is not looked at.
func (i *inventory) sources(namespace string) *escalation.Sources {
	prepared := map[string]*escalation.Rota{}
	return &escalation.Sources{
		Team: i.team,
		Rota: func(name string) *escalation.Rota {
			if known, ok := prepared[name]; ok {
				return known
			}
			var made *escalation.Rota
			if declared := i.rotas[objectName{namespace, name}]; declared != nil {
				schedule, _ := i.schedule(declared)
				made = &escalation.Rota{Schedule: schedule, Deleting: declared.DeletionTimestamp != nil}
			}
			prepared[name] = made
			return made
		},
		Reachable: func(team *v1alpha1.Team, member string) bool {
			for at := range team.Spec.Members {
				if listed := &team.Spec.Members[at]; listed.Name == member && len(listed.Notify) > 0 {
					return true
				}
			}
			return false
		},
	}
}

// rotasOf gives the zone of the first rota that a route names and that exists,
// UTC without one, and what of the rotas cannot be read.
func (i *inventory) rotasOf(route *v1alpha1.EscalationRoute) (zone *time.Location, problems map[objectName][]rota.Problem) {
	problems = map[objectName][]rota.Problem{}
	for _, name := range escalation.Rotas(route) {
		of := objectName{route.Namespace, name}
		declared := i.rotas[of]
		if declared == nil {
			continue
		}
		schedule, found := i.schedule(declared)
		if zone == nil {
			zone = schedule.Location()
		}
		if len(found) > 0 {
			problems[of] = found
		}
	}
	if zone == nil {
		zone = time.UTC
	}
	return zone, problems
}

// routeFacts are who would be told of an event on a channel.
type routeFacts struct {
	// name of the route; empty where the channel names none.
	name string
	// words of the route, or remark, which says why there are none.
	words, remark string
}

func routeOf(found *inventory, channel *v1alpha1.SocialChannel, at time.Time) routeFacts {
	if channel.Spec.EscalationRouteRef == nil {
		return routeFacts{}
	}
	facts := routeFacts{name: channel.Spec.EscalationRouteRef.Name}
	name := objectName{channel.Namespace, facts.name}
	route := found.routes[name]
	if route == nil {
		facts.remark = fmt.Sprintf("nobody would be told: the channel names EscalationRoute %s, which does not exist", name)
		return facts
	}
	compiled := escalation.Compile(route)
	facts.words = compiled.Now(compiled.Rest(), found.sources(channel.Namespace), at).Words()
	return facts
}
