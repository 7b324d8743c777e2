// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package publishingfreeze

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/freeze"
)

// Selected gives the channels that a freeze selects, in force or not. They are
// the cache's own: read them, and change nothing. The error is freeze.ErrSelector
// where a selector cannot be read.
func Selected(ctx context.Context, channels, namespaceReader client.Reader, object *v1alpha1.PublishingFreeze) ([]*v1alpha1.SocialChannel, error) {
	selector, err := freeze.Parse(object)
	if err != nil {
		return nil, err
	}
	all := &v1alpha1.SocialChannelList{}
	if err := channels.List(ctx, all, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, err
	}
	namespaces := metadata.Namespaces()
	if err := namespaceReader.List(ctx, namespaces, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	labels := make(map[string]map[string]string, len(namespaces.Items))
	for i := range namespaces.Items {
		labels[namespaces.Items[i].Name] = namespaces.Items[i].Labels
	}
	var selected []*v1alpha1.SocialChannel
	for i := range all.Items {
		if channel := &all.Items[i]; selector.Selects(channel.Labels, labels[channel.Namespace]) {
			selected = append(selected, channel)
		}
	}
	return selected, nil
}
