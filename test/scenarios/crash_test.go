// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/test/simulated"
)

// A sequence is something that happens to an account, in which the operator is
// killed once at every write and every platform call, before and after it.
type sequence struct {
	name    string
	canMint bool
	// events tells that the channel subscribes to events; change changes the
	// channel before it is made.
	events bool
	change func(w *world, c *v1alpha1.SocialChannel)
	// drift tells that the sequence itself takes the owner's credential away.
	drift bool
	// prepare brings the world to where the sequence begins; the channel exists
	// and is settled already unless fresh.
	fresh   bool
	prepare func(w *world)
	// act starts it; what follows is counted. again is done when the operator
	// has worked a first time.
	act   func(w *world)
	again func(w *world)
	// span is lived through afterwards.
	span time.Duration
}

// channel is the channel of the sequence.
func (s sequence) channel(w *world) *v1alpha1.SocialChannel {
	channel := w.channel()
	if s.events {
		channel = w.subscribing()
	}
	if s.change != nil {
		s.change(w, channel)
	}
	return channel
}

func sequences() []sequence { return append(credentialSequences(), eventSequences()...) }

func credentialSequences() []sequence {
	now := func(w *world) string { return w.clock.Now().Format(time.RFC3339) }
	return []sequence{
		{name: "first credential", canMint: true, fresh: true, act: func(w *world) { w.create(w.channel()) }},
		{name: "first delivery of a token", fresh: true, act: func(w *world) { w.create(w.channel()) }},
		{
			name: "rotation on the interval", canMint: true, span: 3 * time.Hour,
			act: func(w *world) { w.pass(720 * time.Hour) },
		},
		{
			name: "rotation on demand", canMint: true, span: 3 * time.Hour,
			prepare: func(w *world) { w.pass(time.Minute) },
			act: func(w *world) {
				w.editChannel(func(c *v1alpha1.SocialChannel) {
					c.Annotations = map[string]string{v1alpha1.AnnotationRotateAt: now(w)}
				})
			},
		},
		{name: "hand-over", canMint: true, act: func(w *world) { w.handOver("care") }},
		{name: "hand-over of a token", act: func(w *world) { w.handOver("care") }},
		{
			name: "hand-over there and back", canMint: true,
			act: func(w *world) { w.handOver("care") }, again: func(w *world) { w.handOver("marketing") },
		},
		{
			name: "hand-over to one, and midway to another", canMint: true,
			prepare: func(w *world) { w.create(w.team("press", "pierre")); w.createNamespace("press") },
			act:     func(w *world) { w.handOver("care") }, again: func(w *world) { w.handOver("press") },
		},
		{
			name: "hand-over at a set time", canMint: true, span: time.Hour,
			act: func(w *world) {
				w.editChannel(func(c *v1alpha1.SocialChannel) {
					c.Spec.OwnerRef.Name = w.in("care")
					c.Spec.Handover = &v1alpha1.HandoverTerms{EffectiveTime: new(metav1.NewTime(w.clock.Now().Add(30 * time.Minute)))}
				})
			},
		},
		{name: "leaver", canMint: true, act: func(w *world) { w.leave("marketing", "eve") }},
		{
			name: "new source token", span: 3 * time.Hour,
			act: func(w *world) {
				w.server.AddPassword(w.account(), "source-secret-2")
				w.replaceSource("source-secret-2")
			},
		},
		{
			name: "deletion with Revoke", canMint: true,
			prepare: func(w *world) {
				w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
				w.settle()
			},
			act: func(w *world) { w.delete() },
		},
		{
			name: "deletion with Revoke of a token",
			prepare: func(w *world) {
				w.editChannel(func(c *v1alpha1.SocialChannel) { c.Spec.DeletionPolicy = v1alpha1.DeletionRevoke })
				w.settle()
			},
			act: func(w *world) { w.delete() },
		},
		{
			name: "deletion with Orphan in the overlap of a rotation", canMint: true,
			prepare: func(w *world) {
				w.pass(720 * time.Hour)
				w.settle()
				Expect(w.get().Status.Retiring).To(HaveLen(1))
			},
			act: func(w *world) { w.delete() },
		},
		{
			name: "delivered Secret deleted by hand", canMint: true, drift: true,
			act: func(w *world) { w.deleteSecret(w.in("marketing"), "help-credential") },
		},
		{
			name: "credential revoked at the platform", canMint: true, drift: true,
			act: func(w *world) {
				w.server.RevokeMinted(w.account(), w.get().Status.Credential.ID)
				w.pass(2 * time.Hour)
			},
		},
		{name: "freeze", canMint: true, act: func(w *world) { w.freeze("hijack") }},
		{name: "freeze of a token", act: func(w *world) { w.freeze("hijack") }},
		{
			name: "freeze and lift", canMint: true,
			act: func(w *world) { w.freeze("hijack") }, again: func(w *world) { w.lift("hijack") },
		},
		{
			name: "freeze and lift of a token",
			act:  func(w *world) { w.freeze("hijack") }, again: func(w *world) { w.lift("hijack") },
		},
		{
			name: "lift", canMint: true,
			prepare: func(w *world) { w.freeze("hijack"); w.settle() },
			act:     func(w *world) { w.lift("hijack") },
		},
		{
			name: "freeze after the company's password was changed", canMint: true,
			prepare: func(w *world) {
				w.server.TakesOwn = true
				w.startOperator()
				w.server.RemovePassword(w.account(), "source-secret-1")
				w.pass(2 * time.Hour)
				w.settle()
			},
			act: func(w *world) { w.freeze("hijack") },
		},
		{
			name: "freeze during the overlap of a rotation", canMint: true, span: 3 * time.Hour,
			prepare: func(w *world) {
				w.pass(720 * time.Hour)
				w.settle()
				Expect(w.get().Status.Retiring).To(HaveLen(1))
			},
			act: func(w *world) { w.freeze("hijack") },
		},
		{
			name: "freeze in the middle of a hand-over, then lifted", canMint: true,
			act: func(w *world) { w.handOver("care") },
			again: func(w *world) {
				w.freeze("hijack")
				w.settle()
				w.lift("hijack")
			},
		},
		{
			name: "hand-over asked for while frozen, then lifted", canMint: true,
			prepare: func(w *world) { w.freeze("hijack"); w.settle() },
			act:     func(w *world) { w.handOver("care") },
			again:   func(w *world) { w.lift("hijack") },
		},
		{
			name:    "hand-over of a token asked for while frozen, then lifted",
			prepare: func(w *world) { w.freeze("hijack"); w.settle() },
			act:     func(w *world) { w.handOver("care") },
			again:   func(w *world) { w.lift("hijack") },
		},
		{
			name: "source token replaced while frozen, then lifted", span: 3 * time.Hour,
			prepare: func(w *world) { w.freeze("hijack"); w.settle() },
			act: func(w *world) {
				w.server.AddPassword(w.account(), "source-secret-2")
				w.replaceSource("source-secret-2")
			},
			again: func(w *world) { w.lift("hijack") },
		},
	}
}

func (w *world) leave(team, member string) {
	GinkgoHelper()
	w.editTeam(team, func(t *v1alpha1.Team) {
		t.Spec.Members = slices.DeleteFunc(t.Spec.Members, func(m v1alpha1.TeamMember) bool { return m.Name == member })
	})
}

func (w *world) replaceSource(password string) {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(shared.secrets.Get(w.ctx, client.ObjectKey{Namespace: w.in("social"), Name: "help-source"}, secret)).To(Succeed())
	secret.Data = map[string][]byte{simulated.KeyPassword: []byte(password)}
	Expect(shared.secrets.Update(w.ctx, secret)).To(Succeed())
}

func (w *world) delete() {
	GinkgoHelper()
	Expect(shared.client.Delete(w.ctx, &v1alpha1.SocialChannel{ObjectMeta: metav1.ObjectMeta{Namespace: w.key().Namespace, Name: w.key().Name}})).To(Succeed())
}

func (w *world) deleteSecret(namespace, name string) {
	GinkgoHelper()
	Expect(shared.secrets.Delete(w.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})).To(Succeed())
}

// play plays a sequence, with the operator killed at a step, and gives the end
// state in words, with the world's own name taken out.
func play(w *world, s sequence, at int, phase simulated.Phase) string {
	GinkgoHelper()
	if s.events {
		w.offerEvents()
	}
	if !s.fresh {
		w.create(s.channel(w))
		w.settle()
		w.expectReady()
	}
	if s.prepare != nil {
		s.prepare(w)
	}
	w.killer.drift = s.drift
	s.act(w)
	w.killer.counting, w.killer.at, w.killer.phase = true, at, phase
	if s.again != nil {
		w.reconcile(w.key())
		s.again(w)
	}
	w.settle()
	w.live(s.span)
	w.killer.counting = false
	// Probes are jittered, so that a run can have a step less at its end.
	if w.killer.at != 0 {
		Expect(len(w.killer.steps)).To(BeNumerically("<", at), "the operator must have died at step %d", at)
	}
	// The next probe finds by listing what was lost on the way.
	w.live(3 * time.Hour)
	return w.endState()
}

// endState is what the world has come to, in words.
func (w *world) endState() string {
	GinkgoHelper()
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	channel := &v1alpha1.SocialChannel{}
	err := shared.cached.GetAPIReader().Get(w.ctx, w.key(), channel)
	if !apierrors.IsNotFound(err) {
		Expect(err).NotTo(HaveOccurred())
		say("owner %s", channel.Status.Owner)
		ready := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionReady)
		say("ready %s %s", ready.Status, ready.Reason)
		say("exposed to %v", channel.Status.Credential.ExposedTo)
		say("retiring %d", len(channel.Status.Retiring))
		say("hand-over under way %v", channel.Status.Handover != nil && channel.Status.Handover.CompletedAt == nil)
		say("last owner on record %s", channel.Status.History[0].To)
	}
	for _, line := range w.endOfEvents() {
		say("%s", line)
	}
	say("minted %d", len(w.server.Minted(w.account())))
	for _, team := range []string{"marketing", "care", "press"} {
		if mark := w.mark(team); mark != "" {
			say("%s finds its Secret emptied: %s", team, mark)
		}
		if secret := w.with(team); secret != "" {
			say("%s holds a credential that works: %v", team, w.server.Works(w.account(), secret))
			w.seen[secret] = true
		}
	}
	working := 0
	for secret := range maps.Keys(w.seen) {
		if w.server.Works(w.account(), secret) {
			working++
		}
	}
	say("delivered credentials that work: %d", working)
	return strings.ReplaceAll(strings.Join(lines, "\n"), w.name+"-", "")
}

var _ = Describe("A crash anywhere", Label("S22"), func() {
	for _, s := range sequences() {
		It("ends as if nothing had happened: "+s.name, func() {
			undisturbed := newWorld(s.canMint)
			want := play(undisturbed, s, 0, "")
			steps := undisturbed.killer.steps
			Expect(len(steps)).To(BeNumerically(">=", 2))
			AddReportEntry("steps", strings.Join(steps, "\n"))
			AddReportEntry("end state", want)
			for at := 1; at <= len(steps); at++ {
				for _, phase := range []simulated.Phase{simulated.Before, simulated.After} {
					By(fmt.Sprintf("dying %s step %d, %s", phase, at, steps[at-1]))
					Expect(play(newWorld(s.canMint), s, at, phase)).To(Equal(want), "died %s step %d, %s", phase, at, steps[at-1])
				}
			}
		})
	}
})
