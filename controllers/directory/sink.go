// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/forward"
	"github.com/rostra-dev/rostra/internal/notify"
	"github.com/rostra-dev/rostra/internal/webhook"
)

// Owner implements forward.Directory.
func (d *Directory) Owner(ctx context.Context, name types.NamespacedName, uid string) (*forward.Owner, error) {
	channel, err := d.channel(ctx, name, uid)
	if channel == nil || err != nil || channel.Status.Owner == "" {
		return nil, err
	}
	team, err := d.team(ctx, channel.Status.Owner)
	if team == nil || err != nil {
		return nil, err
	}
	platform, err := d.platformType(ctx, channel)
	if err != nil {
		return nil, err
	}
	return &forward.Owner{
		Team: team.Name, Sink: team.Spec.EventSink != nil,
		Channel: forward.Channel{
			Namespace: channel.Namespace, Name: channel.Name, UID: string(channel.UID), Handle: channel.Spec.Handle, Platform: platform, Owner: team.Name,
		},
	}, nil
}

// Sinks implements forward.Directory.
func (d *Directory) Sinks(ctx context.Context) ([]string, error) {
	teams := &v1alpha1.TeamList{}
	if err := d.Client.List(ctx, teams, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, err
	}
	var names []string
	for i := range teams.Items {
		if teams.Items[i].Spec.EventSink != nil {
			names = append(names, teams.Items[i].Name)
		}
	}
	return names, nil
}

// Sink implements forward.Directory.
func (d *Directory) Sink(ctx context.Context, name string) (*webhook.Target, error) {
	team, err := d.team(ctx, name)
	if team == nil || err != nil || team.Spec.EventSink == nil {
		return nil, err
	}
	url, extra, err := d.Secrets.Address(ctx, team.Spec.Namespace, team.Spec.EventSink.SecretRef)
	if errors.Is(err, secretstore.ErrAddress) {
		return nil, fmt.Errorf("%w: spec.eventSink of team %s: %w", forward.ErrUnusable, name, err)
	}
	if err != nil {
		return nil, err
	}
	return forward.Target(url.Reveal(), extra.Get(notify.KeySigningSecret))
}
