// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package selected lists what the selectors of a freeze or of a policy select.
package selected

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/selection"
)

// Channels gives the channels that are selected. They are the cache's own: read
// them, and change nothing.
//
// The reader gives SocialChannels and namespaceReader the metadata of
// Namespaces, both from the cache. Namespaces are read only where the selector
// looks at their labels.
func Channels(ctx context.Context, reader, namespaceReader client.Reader, selector selection.Selector) ([]*v1alpha1.SocialChannel, error) {
	all := &v1alpha1.SocialChannelList{}
	if err := reader.List(ctx, all, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, err
	}
	labels := map[string]map[string]string{}
	if selector.LooksAtNamespaces() {
		namespaces := metadata.Namespaces()
		if err := namespaceReader.List(ctx, namespaces, client.UnsafeDisableDeepCopy); err != nil {
			return nil, err
		}
		for i := range namespaces.Items {
			labels[namespaces.Items[i].Name] = namespaces.Items[i].Labels
		}
	}
	var channels []*v1alpha1.SocialChannel
	for i := range all.Items {
		if channel := &all.Items[i]; selector.Selects(channel.Labels, labels[channel.Namespace]) {
			channels = append(channels, channel)
		}
	}
	return channels, nil
}
