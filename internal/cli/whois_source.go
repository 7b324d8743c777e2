// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

func (f files) survey(ctx context.Context, namespace string) (*inventory, error) {
	return f.channels(ctx, objectName{namespace: namespace}, true)
}

func (files) answering(context.Context, *v1alpha1.SocialChannel, *inventory) error {
	return nil // the inventory of manifests is whole
}

func (c *cluster) survey(ctx context.Context, namespace string) (*inventory, error) {
	channels, teams, platforms := v1alpha1.SocialChannelList{}, v1alpha1.TeamList{}, v1alpha1.SocialPlatformList{}
	if err := c.reader.List(ctx, &channels, client.InNamespace(namespace)); err != nil {
		if namespace == "" && apierrors.IsForbidden(err) {
			return nil, fmt.Errorf("read the channels of all namespaces: %w; name a namespace of yours with --namespace", err)
		}
		return nil, fmt.Errorf("read the channels: %w", err)
	}
	if err := c.reader.List(ctx, &teams); err != nil {
		return nil, fmt.Errorf("read the teams: %w", err)
	}
	if err := c.reader.List(ctx, &platforms); err != nil {
		return nil, fmt.Errorf("read the platforms: %w", err)
	}
	slices.SortFunc(channels.Items, func(a, b v1alpha1.SocialChannel) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(platforms.Items, func(a, b v1alpha1.SocialPlatform) int { return cmp.Compare(a.Name, b.Name) })
	found := newInventory()
	found.channels, found.platforms = channels.Items, platforms.Items
	for i := range teams.Items {
		found.teams[teams.Items[i].Name] = &teams.Items[i]
	}
	return found, nil
}

func (c *cluster) answering(ctx context.Context, channel *v1alpha1.SocialChannel, into *inventory) error {
	if channel.Spec.ResponderRotaRef != nil {
		name := objectName{channel.Namespace, channel.Spec.ResponderRotaRef.Name}
		if _, err := c.readRota(ctx, name, into); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("read ResponderRota %s: %w", name, err)
		}
	}
	if channel.Spec.EscalationRouteRef == nil {
		return nil
	}
	name := objectName{channel.Namespace, channel.Spec.EscalationRouteRef.Name}
	if _, err := c.readRoute(ctx, name, into); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("read EscalationRoute %s: %w", name, err)
	}
	return nil
}

// platform gives the platform of that name, or nil.
func (i *inventory) platform(name string) *v1alpha1.SocialPlatform {
	for at := range i.platforms {
		if i.platforms[at].Name == name {
			return &i.platforms[at]
		}
	}
	return nil
}
