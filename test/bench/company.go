// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/test/cluster"
	"github.com/rostra-dev/rostra/test/simulated"
)

const (
	// parallel is how many requests are under way at once, as many as the
	// operator has workers.
	parallel = 16
	teams    = 6
	social   = "social"
	// bare is where the floor is measured; no platform allows it.
	bare = "bare"
)

// company is what is applied.
type company struct {
	client   client.WithWatch
	channels int
}

func newCompany(api *cluster.Cluster, channels int) (*company, error) {
	scheme, err := controllers.NewScheme()
	if err != nil {
		return nil, err
	}
	config := api.Config()
	config.QPS = -1
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	return &company{client: c, channels: channels}, err
}

// each does something for every channel, several at once.
func (c *company) each(ctx context.Context, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range c.channels {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// prepare makes everything but the channels.
func (c *company) prepare(ctx context.Context) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: social, Labels: map[string]string{"channels": "allowed"}}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: bare}},
		&v1alpha1.SocialPlatform{
			ObjectMeta: metav1.ObjectMeta{Name: "simulated"},
			Spec: v1alpha1.SocialPlatformSpec{
				Type: v1alpha1.PlatformBluesky, Bluesky: &v1alpha1.BlueskyPlatform{Service: "https://simulated.test"},
				AllowedNamespaces: &metav1.LabelSelector{MatchLabels: map[string]string{"channels": "allowed"}},
			},
		},
	}
	for i := range teams {
		name := teamName(i)
		objects = append(objects,
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
			&v1alpha1.Team{
				ObjectMeta: metav1.ObjectMeta{Name: name},
				Spec: v1alpha1.TeamSpec{
					Namespace: name, Manager: "maria",
					Members: []v1alpha1.TeamMember{{Name: "maria", Email: "maria@acme.example"}, {Name: "dana", Email: "dana@acme.example"}},
					Accepts: []v1alpha1.AcceptedChannels{{Namespace: social, Channels: []string{"*"}}},
				},
			})
	}
	for _, object := range objects {
		if err := c.client.Create(ctx, object); err != nil {
			return err
		}
	}
	return c.each(ctx, func(ctx context.Context, i int) error { return c.client.Create(ctx, source(social, i)) })
}

func teamName(i int) string    { return fmt.Sprintf("team-%d", i%teams) }
func channelName(i int) string { return fmt.Sprintf("channel-%05d", i) }

func source(namespace string, i int) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: channelName(i) + "-source"},
		StringData: map[string]string{simulated.KeyPassword: password(i)},
	}
}

func channel(namespace string, i int) *v1alpha1.SocialChannel {
	return &v1alpha1.SocialChannel{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: channelName(i)},
		Spec: v1alpha1.SocialChannelSpec{
			PlatformRef: v1alpha1.ClusterReference{Name: "simulated"},
			Handle:      handle(i),
			OwnerRef:    v1alpha1.ClusterReference{Name: teamName(i)},
			Credentials: v1alpha1.ChannelCredentials{
				SourceSecretRef: v1alpha1.SecretReference{Name: channelName(i) + "-source"},
				Delivery:        v1alpha1.CredentialDelivery{SecretName: channelName(i)},
				Rotation:        &v1alpha1.CredentialRotation{Interval: &metav1.Duration{Duration: 720 * time.Hour}},
			},
		},
	}
}

// floorTimes are how long the API server takes for the same requests.
type floorTimes struct{ creates, patches, whole time.Duration }

// floor makes for each channel the requests that its bring-up costs, without
// anybody deciding anything: create it, set its finalizer, read its source,
// create the delivered Secret, write its status.
func (c *company) floor(ctx context.Context) (floorTimes, error) {
	var times floorTimes
	began := time.Now()
	objects := make([]*v1alpha1.SocialChannel, c.channels)
	phases := []func(ctx context.Context, i int) error{
		func(ctx context.Context, i int) error {
			objects[i] = channel(bare, i)
			if err := c.client.Create(ctx, objects[i]); err != nil {
				return err
			}
			before := objects[i].DeepCopy()
			objects[i].Finalizers = []string{v1alpha1.FinalizerChannel}
			return c.client.Patch(ctx, objects[i], client.MergeFrom(before))
		},
		func(ctx context.Context, i int) error {
			return c.client.Get(ctx, client.ObjectKeyFromObject(source(social, i)), &corev1.Secret{})
		},
	}
	for _, phase := range phases {
		if err := c.each(ctx, phase); err != nil {
			return times, err
		}
	}
	creating := time.Now()
	if err := c.each(ctx, func(ctx context.Context, i int) error { return c.client.Create(ctx, source(bare, i)) }); err != nil {
		return times, err
	}
	times.creates = time.Since(creating)
	patching := time.Now()
	err := c.each(ctx, func(ctx context.Context, i int) error {
		before := objects[i].DeepCopy()
		fillStatus(objects[i])
		return c.client.Status().Patch(ctx, objects[i], client.MergeFrom(before))
	})
	times.patches = time.Since(patching)
	times.whole = time.Since(began)
	if err != nil {
		return times, err
	}
	return times, c.removeBare(ctx, objects)
}

// fillStatus writes a status of about the size that the operator writes.
func fillStatus(object *v1alpha1.SocialChannel) {
	object.Status.Owner = object.Spec.OwnerRef.Name
	for _, kind := range []string{"OwnerResolved", "Claimed", "IdentityVerified", "CredentialReady", "Covered", "PublishingAllowed", "Ready"} {
		meta.SetStatusCondition(&object.Status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: "Floor", ObservedGeneration: 1,
			Message: "about as many words as the operator writes in a condition of this kind",
		})
	}
}

func (c *company) removeBare(ctx context.Context, objects []*v1alpha1.SocialChannel) error {
	return c.each(ctx, func(ctx context.Context, i int) error {
		before := objects[i].DeepCopy()
		objects[i].Finalizers = nil
		if err := c.client.Patch(ctx, objects[i], client.MergeFrom(before)); err != nil {
			return err
		}
		if err := c.client.Delete(ctx, objects[i]); err != nil {
			return err
		}
		return c.client.Delete(ctx, source(bare, i))
	})
}

// bringUp applies the channels and waits until all are Ready.
func (c *company) bringUp(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	if err := c.each(ctx, func(ctx context.Context, i int) error { return c.client.Create(ctx, channel(social, i)) }); err != nil {
		return 0, err
	}
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 10*time.Minute, true, c.allReady)
	return time.Since(began), err
}

// allReady looks from the last channel backwards, which is ready last.
func (c *company) allReady(ctx context.Context) (bool, error) {
	channels := &v1alpha1.SocialChannelList{}
	for _, probe := range []int{c.channels - 1, c.channels / 2} {
		one := &v1alpha1.SocialChannel{}
		if err := c.client.Get(ctx, client.ObjectKey{Namespace: social, Name: channelName(probe)}, one); err != nil {
			return false, err
		}
		if !meta.IsStatusConditionTrue(one.Status.Conditions, v1alpha1.ConditionReady) {
			return false, nil
		}
	}
	if err := c.client.List(ctx, channels, client.InNamespace(social)); err != nil {
		return false, err
	}
	for i := range channels.Items {
		if !meta.IsStatusConditionTrue(channels.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
			return false, nil
		}
	}
	return true, nil
}

// touchNamespace changes a label that matters to nobody: every channel in the
// namespace is reconciled, and none has anything to do.
func (c *company) touchNamespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: social}}
	return c.client.Patch(ctx, namespace, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"touched":"yes"}}}`)))
}
