// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/publishingfreeze"
	freezerules "github.com/rostra-dev/rostra/internal/freeze"
)

// prepared is a freeze of this world's channels, inactive.
func (w *world) prepared(name string) *v1alpha1.PublishingFreeze {
	return &v1alpha1.PublishingFreeze{
		ObjectMeta: metav1.ObjectMeta{Name: w.in(name)},
		Spec: v1alpha1.PublishingFreezeSpec{
			ChannelSelector:   &metav1.LabelSelector{},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"world": w.name}},
			Reason:            "account takeover",
		},
	}
}

// prepare writes a freeze, and removes it when the spec is over.
func (w *world) prepare(object *v1alpha1.PublishingFreeze) {
	GinkgoHelper()
	w.create(object)
	w.freezes = append(w.freezes, object.Name)
	DeferCleanup(func() {
		Expect(client.IgnoreNotFound(shared.client.Delete(w.ctx, object))).To(Succeed())
	})
}

// freeze activates a freeze of this world's channels.
func (w *world) freeze(name string) {
	GinkgoHelper()
	object := w.prepared(name)
	object.Spec.Active = new(true)
	w.prepare(object)
}

func (w *world) editFreeze(name string, change func(*v1alpha1.PublishingFreeze)) {
	GinkgoHelper()
	edit(w, client.ObjectKey{Name: w.in(name)}, &v1alpha1.PublishingFreeze{}, change)
}

// lift lifts a freeze.
func (w *world) lift(name string) {
	GinkgoHelper()
	w.editFreeze(name, func(f *v1alpha1.PublishingFreeze) { f.Spec.Active = new(false) })
}

// lookAtFreeze reconciles the freeze's own status, and gives it as stored.
func (w *world) lookAtFreeze(name string) (*v1alpha1.PublishingFreeze, reconcile.Result) {
	GinkgoHelper()
	key := client.ObjectKey{Name: w.in(name)}
	// The status of the channels is read from a cache that does not wait.
	Eventually(func(g Gomega) {
		cached := &v1alpha1.SocialChannel{}
		g.Expect(shared.cached.GetCache().Get(w.ctx, w.key(), cached)).To(Succeed())
		g.Expect(cached.ResourceVersion).To(Equal(w.get().ResourceVersion))
	}).Should(Succeed())
	reconciler := &publishingfreeze.Reconciler{
		Client: shared.client, Metadata: shared.cached.GetCache(), Recorder: w.recorder, Clock: w.clock,
	}
	result, err := reconciler.Reconcile(w.ctx, reconcile.Request{NamespacedName: key})
	Expect(err).NotTo(HaveOccurred())
	object := &v1alpha1.PublishingFreeze{}
	Expect(shared.cached.GetAPIReader().Get(w.ctx, key, object)).To(Succeed())
	return object, result
}

// freezeSays is what the freeze's own Ready condition must say.
func (w *world) freezeSays(name string, status metav1.ConditionStatus, reason string) *v1alpha1.PublishingFreeze {
	GinkgoHelper()
	object, _ := w.lookAtFreeze(name)
	condition := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionReady)
	Expect(condition).NotTo(BeNil())
	Expect(condition.Reason).To(Equal(reason), condition.Message)
	Expect(condition.Status).To(Equal(status), condition.Message)
	return object
}

// mark is what a freeze has written on a team's Secret, or nothing.
func (w *world) mark(team string) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := shared.cached.GetAPIReader().Get(w.ctx, client.ObjectKey{Namespace: w.in(team), Name: "help-credential"}, secret)
	if apierrors.IsNotFound(err) {
		return ""
	}
	Expect(err).NotTo(HaveOccurred())
	return secret.Annotations[v1alpha1.AnnotationFrozen]
}

// holds tells whether a freeze is in force and selects a channel.
func (w *world) holds(channel *v1alpha1.SocialChannel, object *v1alpha1.PublishingFreeze) bool {
	GinkgoHelper()
	namespace := &corev1.Namespace{}
	Expect(shared.cached.GetAPIReader().Get(w.ctx, client.ObjectKey{Name: channel.Namespace}, namespace)).To(Succeed())
	return freezerules.Held([]v1alpha1.PublishingFreeze{*object}, channel.Labels, namespace.Labels, w.clock.Now()).Frozen()
}

// checkFrozen makes sure that a channel that says it is frozen is.
func (w *world) checkFrozen(channel *v1alpha1.SocialChannel) {
	GinkgoHelper()
	allowed := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionPublishingAllowed)
	if allowed == nil || allowed.Reason != v1alpha1.ReasonFrozen {
		return
	}
	for secret := range w.seen {
		Expect(w.server.Works(w.account(), secret)).To(BeFalse(), "the channel says that it is frozen")
	}
}

// excused tells whether the owner has no credential on purpose: a freeze is in
// force, or what it withdrew is not made up for yet.
func (w *world) excused(channel *v1alpha1.SocialChannel) bool {
	GinkgoHelper()
	for _, name := range w.freezes {
		object := &v1alpha1.PublishingFreeze{}
		err := shared.cached.GetAPIReader().Get(w.ctx, client.ObjectKey{Name: name}, object)
		if err == nil && w.holds(channel, object) {
			w.frozenSerial = channel.Status.Credential.Serial
			w.checkFrozen(channel)
			return true
		}
	}
	return w.frozenSerial != 0 && w.frozenSerial == channel.Status.Credential.Serial
}
