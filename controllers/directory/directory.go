// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package directory answers, out of the cache, what those who tell people and
// forward events must know: whose a channel is, which route it takes, how a
// member of a team is told, and where a team's own tools hear.
package directory

import (
	"context"
	"errors"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/contentpolicy"
	"github.com/rostra-dev/rostra/controllers/routes"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/dispatch"
	"github.com/rostra-dev/rostra/internal/escalation"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Directory implements dispatch.Directory and forward.Directory. It is safe for
// concurrent use, and must not be copied.
type Directory struct {
	// Client reads this group's kinds from the cache.
	Client client.Reader
	// Metadata reads the metadata of Secrets and Namespaces from the cache.
	Metadata client.Reader
	// Routes tells who hears of an event.
	Routes *routes.Book
	// Secrets reads Secrets live.
	Secrets *secretstore.Store
	// Notifiers opens addresses.
	Notifiers *notify.Opener

	// Platforms gives the adapters that complete events; nil for no completing.
	Platforms *platform.Directory
	// Namespace is Rostra's own, where applications' Secrets are.
	Namespace string
	// Clock times how often platforms are asked. It is needed with Platforms.
	Clock clock.PassiveClock
	// Completed counts what came of completing events, by outcome. Optional.
	Completed *prometheus.CounterVec
	// Logger for what a person may want to know of. The zero Logger discards.
	Logger logr.Logger

	budgets budgets
}

// Channel implements dispatch.Directory.
func (d *Directory) Channel(ctx context.Context, name types.NamespacedName, uid string) (*dispatch.Channel, error) {
	channel, err := d.channel(ctx, name, uid)
	if channel == nil || err != nil {
		return nil, err
	}
	found := &dispatch.Channel{
		Escalation: escalation.Channel{
			Namespace: channel.Namespace, Name: channel.Name, Purpose: channel.Spec.Purpose, Handle: channel.Spec.Handle, Owner: channel.Status.Owner,
		},
		UID: string(channel.UID), Handle: channel.Spec.Handle, Excerpt: true,
	}
	if found.Target, _, err = contentpolicy.Target(ctx, d.Client, d.Metadata, channel); err != nil {
		return nil, err
	}
	if found.Manager, err = d.manager(ctx, channel.Status.Owner); err != nil {
		return nil, err
	}
	if found.Platform, err = d.platformType(ctx, channel); err != nil {
		return nil, err
	}
	return found, d.route(ctx, channel, found)
}

// channel gives the channel of that name and UID, or nil where there is none,
// or none any more.
func (d *Directory) channel(ctx context.Context, name types.NamespacedName, uid string) (*v1alpha1.SocialChannel, error) {
	channel := &v1alpha1.SocialChannel{}
	if err := d.Client.Get(ctx, name, channel); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if string(channel.UID) != uid || channel.DeletionTimestamp != nil {
		return nil, nil
	}
	return channel, nil
}

// manager is who answers for a team; nobody where it is not there.
func (d *Directory) manager(ctx context.Context, name string) (escalation.Person, error) {
	team, err := d.team(ctx, name)
	if team == nil || err != nil {
		return escalation.Person{}, err
	}
	return escalation.Person{Team: name, Name: team.Spec.Manager}, nil
}

func (d *Directory) team(ctx context.Context, name string) (*v1alpha1.Team, error) {
	if name == "" {
		return nil, nil
	}
	team := &v1alpha1.Team{}
	err := d.Client.Get(ctx, types.NamespacedName{Name: name}, team)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return team, err
}

func (d *Directory) platformType(ctx context.Context, channel *v1alpha1.SocialChannel) (string, error) {
	social, err := d.social(ctx, channel)
	if err != nil {
		return "", err
	}
	if social == nil {
		return channel.Spec.PlatformRef.Name, nil
	}
	return string(social.Spec.Type), nil
}

// social gives the channel's platform, or nil where there is none.
func (d *Directory) social(ctx context.Context, channel *v1alpha1.SocialChannel) (*v1alpha1.SocialPlatform, error) {
	social := &v1alpha1.SocialPlatform{}
	if err := d.Client.Get(ctx, types.NamespacedName{Name: channel.Spec.PlatformRef.Name}, social); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return social, nil
}

func (d *Directory) route(ctx context.Context, channel *v1alpha1.SocialChannel, found *dispatch.Channel) error {
	ref := channel.Spec.EscalationRouteRef
	if ref == nil {
		return nil
	}
	found.RouteName, found.Excerpt = ref.Name, false // also of one that is not there, and may come back
	page, err := d.Routes.Find(ctx, types.NamespacedName{Namespace: channel.Namespace, Name: ref.Name})
	if page == nil || err != nil {
		return err
	}
	found.Route = page.Route
	found.Excerpt = page.Object.Spec.Excerpt != v1alpha1.ExcerptNone
	// What cannot be looked up is tried: that it failed is seen then.
	found.Sources, _ = d.Routes.Sources(ctx, page)
	return nil
}

// errNoWay: a member has no way to be told.
var errNoWay = errors.New("the member has no spec.members[].notify in the Team")

// Ways implements dispatch.Directory. A way that cannot be opened does not keep
// the others from being taken; where none can, the error says why.
func (d *Directory) Ways(ctx context.Context, who escalation.Person) ([]notify.Notifier, dispatch.Recipient, error) {
	team, err := d.team(ctx, who.Team)
	if team == nil || err != nil {
		return nil, dispatch.Recipient{}, err
	}
	for i := range team.Spec.Members {
		if member := &team.Spec.Members[i]; member.Name == who.Name {
			ways, err := d.open(ctx, team, member)
			return ways, dispatch.Recipient{Email: member.Email}, err
		}
	}
	return nil, dispatch.Recipient{}, nil
}

func (d *Directory) open(ctx context.Context, team *v1alpha1.Team, member *v1alpha1.TeamMember) ([]notify.Notifier, error) {
	if len(member.Notify) == 0 {
		return nil, errNoWay
	}
	var ways []notify.Notifier
	var problems []error
	for _, target := range member.Notify {
		url, extra, err := d.Secrets.Address(ctx, team.Spec.Namespace, target.SecretRef)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		way, err := d.Notifiers.Open(notify.Address{URL: url, Extra: extra})
		if err != nil {
			problems = append(problems, err)
			continue
		}
		ways = append(ways, way)
	}
	if len(ways) > 0 {
		return ways, nil
	}
	return nil, errors.Join(problems...)
}
