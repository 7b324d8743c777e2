// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package contentpolicy

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/policy"
)

// Target gives the time within which a conversation on a channel must get its
// first response, and the names, in order, of the policies that ask for it. It
// is the shortest that any policy asks for that selects the channel; zero, and
// no names, where none does. A policy whose selectors cannot be read selects
// nothing, and says so itself.
//
// The reader gives ContentPolicies and namespaceReader the metadata of
// Namespaces, both from the cache. The namespace is read only where a policy
// looks at its labels.
func Target(ctx context.Context, reader, namespaceReader client.Reader, channel *v1alpha1.SocialChannel) (target time.Duration, policies []string, err error) {
	all, err := list(ctx, reader)
	if err != nil {
		return 0, nil, err
	}
	labels, err := namespaceLabels(ctx, namespaceReader, all, channel.Namespace)
	if err != nil {
		return 0, nil, err
	}
	target, policies = policy.FirstResponse(all, channel.Labels, labels)
	return target, policies, nil
}

// list gives all policies, from the cache: not to be changed.
func list(ctx context.Context, reader client.Reader) ([]v1alpha1.ContentPolicy, error) {
	policies := &v1alpha1.ContentPolicyList{}
	err := reader.List(ctx, policies, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	return policies.Items, err
}

// namespaceLabels are those of a namespace, as far as any policy looks at them.
// One that is gone has none.
func namespaceLabels(ctx context.Context, reader client.Reader, policies []v1alpha1.ContentPolicy, name string) (map[string]string, error) {
	looks := func(p v1alpha1.ContentPolicy) bool { return policy.LooksAtNamespaces(&p) }
	if !slices.ContainsFunc(policies, looks) {
		return nil, nil
	}
	namespace := metadata.Namespace()
	err := reader.Get(ctx, types.NamespacedName{Name: name}, namespace, client.UnsafeDisableDeepCopy)
	return namespace.Labels, client.IgnoreNotFound(err)
}
