// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package notices_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// renamed is a channel whose account is called otherwise now.
func renamed(name string) *v1alpha1.SocialChannel {
	channel := due(name, atNight)
	channel.Status.Conditions[0].Type, channel.Status.Conditions[0].Reason = v1alpha1.ConditionIdentityVerified, v1alpha1.ReasonHandleDrift
	channel.Status.Account = &v1alpha1.ChannelAccount{Handle: "@" + name + "2"}
	return channel
}

// says has a channel's condition become another, an hour later, and looks.
func (w *world) says(ctx context.Context, name string, state metav1.ConditionStatus) {
	GinkgoHelper()
	w.clock.SetTime(w.clock.Now().Add(time.Hour))
	w.set(ctx, name, state)
}

// set does the same at once.
func (w *world) set(ctx context.Context, name string, state metav1.ConditionStatus) {
	GinkgoHelper()
	channel := &v1alpha1.SocialChannel{}
	Expect(w.Get(ctx, types.NamespacedName{Namespace: "social", Name: name}, channel)).To(Succeed())
	channel.Status.Conditions[0].Status = state
	channel.Status.Conditions[0].LastTransitionTime = metav1.NewTime(w.clock.Now())
	Expect(w.Update(ctx, channel)).To(Succeed())
	w.look(ctx)
}

var _ = Describe("What comes again", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(renamed("help"))
		w.clock.SetTime(inMorning)
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(1))
	})

	It("is told again after it was over, as another", Label("S8"), func(ctx SpecContext) {
		w.says(ctx, "help", metav1.ConditionTrue)
		Expect(w.pager.closed).To(HaveLen(1))
		w.again().says(ctx, "help", metav1.ConditionFalse)
		Expect(w.pager.told).To(HaveLen(2))
		first, second := w.pager.told[0], w.pager.told[1]
		Expect(second.Title).To(Equal(first.Title))
		Expect(second.ID).NotTo(Equal(first.ID), "receivers fold what has the same")
		Expect(second.Incident).NotTo(Equal(first.Incident))
		w.again().look(ctx)
		Expect(w.pager.told).To(HaveLen(2))
	})

	It("is told again where the channel was gone", func(ctx SpecContext) {
		Expect(w.Delete(ctx, renamed("help"))).To(Succeed())
		w.look(ctx)
		Expect(w.Create(ctx, renamed("help"))).To(Succeed())
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(2))
	})

	It("is not told again where it was not known for a while, whatever was told meanwhile", Label("S8"), func(ctx SpecContext) {
		w.says(ctx, "help", metav1.ConditionUnknown)
		w.says(ctx, "help", metav1.ConditionFalse)
		Expect(w.pager.told).To(HaveLen(1))
		w.says(ctx, "help", metav1.ConditionUnknown)
		Expect(w.Create(ctx, renamed("news"))).To(Succeed())
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(2))
		Expect(w.pager.closed).To(BeEmpty(), "and its alert stands")
		w.again().says(ctx, "help", metav1.ConditionFalse)
		Expect(w.pager.told).To(HaveLen(2))
	})

	It("is told again where its end was not known at once", func(ctx SpecContext) {
		w.says(ctx, "help", metav1.ConditionUnknown)
		w.says(ctx, "help", metav1.ConditionTrue)
		Expect(w.pager.closed).To(HaveLen(1))
		w.says(ctx, "help", metav1.ConditionFalse)
		Expect(w.pager.told).To(HaveLen(2))
	})

	It("is told with the same ID until it was told", func(ctx SpecContext) {
		w.says(ctx, "help", metav1.ConditionTrue)
		w.pager.failing = errors.New("the pager is broken")
		w.says(ctx, "help", metav1.ConditionFalse)
		w.clock.SetTime(w.clock.Now().Add(time.Hour))
		w.again().look(ctx)
		Expect(w.pager.tried).To(HaveLen(3))
		Expect(w.pager.tried[2]).To(Equal(w.pager.tried[1]))
		Expect(w.pager.tried[1]).NotTo(Equal(w.pager.tried[0]))
	})

	It("writes nothing while nothing changes", func(ctx SpecContext) {
		revisions := func() (all uint64) {
			for _, row := range w.memory {
				all += row.Revision
			}
			return all
		}
		before := revisions()
		w.look(ctx)
		w.says(ctx, "help", metav1.ConditionUnknown)
		Expect(revisions()).To(Equal(before))
		w.says(ctx, "help", metav1.ConditionTrue)
		Expect(revisions()).To(Equal(before + 1))
		w.look(ctx)
		Expect(revisions()).To(Equal(before + 1))
	})

	It("is told rather than never where the row cannot be read", func(ctx SpecContext) {
		for key, row := range w.memory {
			row.Value = []byte(`{"told": ["0123456789abcdef"], "counts": 7`)
			w.memory[key] = row
		}
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(2))
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(2))
	})
})

var _ = Describe("What is on record", func() {
	// limit is a row's; see noticesValue of package controllers.
	const limit = 256 << 10

	largest := func(w *world) (size int) {
		for _, row := range w.memory {
			size = max(size, len(row.Value))
		}
		return size
	}

	It("is small enough for the manager of 5,000 channels, however many tellings came before", func(ctx SpecContext) {
		w := newWorld(renamed("first"))
		for range 70 {
			w.clock.SetTime(inMorning.Add(time.Duration(len(w.pager.told)) * time.Second))
			w.set(ctx, "first", metav1.ConditionFalse)
			w.pager.notClosing = errors.New("the pager is broken")
			w.set(ctx, "first", metav1.ConditionTrue)
		}
		Expect(w.pager.told).To(HaveLen(70))
		for i := range 5_000 {
			Expect(w.Create(ctx, renamed(fmt.Sprintf("help-%04d", i)))).To(Succeed())
		}
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(71))
		Expect(largest(w)).To(BeNumerically("<", 216<<10))
		AddReportEntry("bytes of a row of 5,000 channels", largest(w))
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(71))
	})

	It("is bounded, and nothing is told twice beyond that", func(ctx SpecContext) {
		var channels []client.Object
		for i := range 6_010 {
			channels = append(channels, renamed(fmt.Sprintf("help-%04d", i)))
		}
		w := newWorld(channels...)
		w.clock.SetTime(inMorning)
		w.look(ctx)
		w.look(ctx)
		Expect(w.pager.told).To(HaveLen(1))
		Expect(w.pager.told[0].Title).To(HavePrefix("6000 accounts"))
		Expect(largest(w)).To(BeNumerically("<", limit))
		AddReportEntry("bytes of a row at the bound", largest(w))
		w.says(ctx, "help-0000", metav1.ConditionTrue)
		Expect(w.pager.told).To(HaveLen(2), "one has room now")
	})
})

// TestOccurrences: nothing is told twice without a known end in between, and
// everything is told that comes, at first and after a known end.
func TestOccurrences(t *testing.T) {
	names := []string{"help", "news", "jobs"}
	rapid.Check(t, func(t *rapid.T) {
		RegisterTestingT(t)
		ctx := t.Context()
		var channels []client.Object
		for _, name := range names {
			channel := renamed(name)
			channel.Status.Conditions[0].Status = metav1.ConditionTrue
			channels = append(channels, channel)
		}
		w := newWorld(channels...)
		w.clock.SetTime(inMorning)
		told := map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			name := rapid.SampledFrom(names).Draw(t, "channel")
			state := rapid.SampledFrom([]metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}).Draw(t, "state")
			if rapid.Bool().Draw(t, "restarts") {
				w = w.again()
			}
			w.pager.told = nil
			w.clock.SetTime(w.clock.Now().Add(time.Minute))
			w.set(ctx, name, state)
			heard := strings.Count(fmt.Sprint(w.pager.told), "social/"+name)
			expected := 0
			if state == metav1.ConditionFalse && !told[name] {
				expected = 1
			}
			if heard != expected || len(w.pager.told) != expected {
				t.Fatalf("%s says %s, and is told %d times in %d messages, not %d", name, state, heard, len(w.pager.told), expected)
			}
			told[name] = state == metav1.ConditionFalse || told[name] && state == metav1.ConditionUnknown
		}
	})
}
