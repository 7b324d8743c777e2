// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/controllers/pace"
)

func TestPace(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "pace")
}

var _ = Describe("Pacer", func() {
	const interval = time.Hour
	var (
		pacer = pace.New[string]()
		now   time.Time
		help  = types.NamespacedName{Namespace: "social", Name: "help"}
		news  = types.NamespacedName{Namespace: "social", Name: "news"}
	)

	BeforeEach(func() {
		pacer = pace.New[string]()
		now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	})

	isDue := func(object types.NamespacedName, inputs string, at time.Time) bool {
		GinkgoHelper()
		due, next := pacer.Due(object, inputs, at)
		if due {
			Expect(next).To(BeZero())
		} else {
			Expect(next).To(BeTemporally(">", at))
		}
		return due
	}

	It("asks at once about what it does not know", func() {
		Expect(isDue(help, "a", now)).To(BeTrue())
	})

	It("asks again after the interval and up to a tenth more, each at its own time", func() {
		for range 100 {
			next := pacer.Answered(help, "a", now, interval)
			Expect(next).To(And(BeTemporally(">=", now.Add(interval)), BeTemporally("<=", now.Add(interval+interval/10))))
			Expect(isDue(help, "a", next.Add(-time.Nanosecond))).To(BeFalse())
			Expect(isDue(help, "a", next)).To(BeTrue())
			Expect(isDue(news, "a", now)).To(BeTrue(), "another object")
		}
	})

	It("asks at once when the inputs change", func() {
		pacer.Answered(help, "a", now, interval)
		Expect(isDue(help, "b", now)).To(BeTrue())
	})

	It("backs off, and no further than minutes", func() {
		waits := make([]time.Duration, 0, 12)
		for range 12 {
			next := pacer.Failed(help, "a", now, time.Time{})
			waits = append(waits, next.Sub(now))
			now = next
		}
		Expect(waits[0]).To(BeNumerically("<=", 2*time.Second))
		Expect(waits[11]).To(And(BeNumerically(">=", 2*time.Minute), BeNumerically("<=", 8*time.Minute)))
		Expect(waits[6]).To(BeNumerically(">", 4*waits[0]))
		pacer.Recovered(help)
		Expect(pacer.Failed(help, "a", now, time.Time{}).Sub(now)).To(BeNumerically("<=", 2*time.Second))
	})

	It("does not ask before the platform said, whatever changes", func() {
		at := now.Add(20 * time.Minute)
		next := pacer.Failed(help, "a", now, at)
		Expect(next).To(And(BeTemporally(">=", at), BeTemporally("<", at.Add(time.Second))))
		Expect(isDue(help, "b", at.Add(-time.Second))).To(BeFalse())
		Expect(isDue(help, "b", next)).To(BeTrue())
	})

	It("asks at once when the inputs change while it backs off by itself", func() {
		pacer.Failed(help, "a", now, time.Time{})
		Expect(isDue(help, "b", now)).To(BeTrue())
	})

	It("spreads what was in order before a restart", func() {
		var latest time.Time
		for range 100 {
			pacer.Forget(help)
			pacer.Resume(help, "a", now, interval)
			_, next := pacer.Due(help, "a", now.Add(-time.Second))
			Expect(next).To(And(BeTemporally(">=", now), BeTemporally("<", now.Add(5*time.Minute))))
			if next.After(latest) {
				latest = next
			}
		}
		Expect(latest).To(BeTemporally(">", now.Add(time.Minute)))
		next := pacer.Answered(help, "a", now, interval)
		pacer.Resume(help, "a", now, time.Minute)
		_, planned := pacer.Due(help, "a", now)
		Expect(planned).To(Equal(next), "what this process has seen counts")
	})

	It("forgets", func() {
		pacer.Failed(help, "a", now, now.Add(time.Hour))
		pacer.Forget(help)
		Expect(isDue(help, "a", now)).To(BeTrue())
	})
})
