// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/escalation"
)

// TestCompileOnce: however many channels ask for a version of a route at the
// same time, it is compiled once, and they all get it.
func TestCompileOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var made atomic.Int32
		finish := make(chan struct{})
		book := NewBook(nil, nil, nil)
		book.compiler = func(object *v1alpha1.EscalationRoute) *escalation.Route {
			made.Add(1)
			<-finish
			return escalation.Compile(object)
		}
		route := &v1alpha1.EscalationRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "social", Name: "care", UID: "u", Generation: 1}}
		other := route.DeepCopy()
		other.Name, other.UID = "press", "v"

		const askers = 8
		got := make(chan *escalation.Route, askers)
		for range askers {
			go func() { got <- book.compile(client.ObjectKeyFromObject(route), route) }()
		}
		apart := make(chan *escalation.Route, 1)
		go func() { apart <- book.compile(client.ObjectKeyFromObject(other), other) }()
		synctest.Wait()
		g.Expect(made.Load()).To(BeEquivalentTo(2), "one a route: neither waits for the other")
		close(finish)
		first := <-got
		for range askers - 1 {
			g.Expect(<-got).To(BeIdenticalTo(first))
		}
		g.Expect(<-apart).NotTo(BeIdenticalTo(first))
		g.Expect(book.compile(client.ObjectKeyFromObject(route), route)).To(BeIdenticalTo(first))
		g.Expect(made.Load()).To(BeEquivalentTo(2))

		route.Generation = 2
		g.Expect(book.compile(client.ObjectKeyFromObject(route), route)).NotTo(BeIdenticalTo(first))
		g.Expect(made.Load()).To(BeEquivalentTo(3), "a change is another version")
	})
}

// TestSteps: a status holds all steps of a rule that takes everything, those of
// the route that follow, and the fallback.
func TestSteps(t *testing.T) {
	g := NewWithT(t)
	round := escalation.Round{Fallback: escalation.Step{Targets: []string{"manager of office"}, After: time.Hour}}
	for i := range 16 {
		round.Steps = append(round.Steps, escalation.Step{Targets: []string{fmt.Sprint("rota ", i)}, People: []escalation.Hearer{{}}})
	}
	steps := Steps(round)
	g.Expect(steps).To(HaveLen(17))
	g.Expect(steps[15].Targets).To(Equal([]string{"rota 15"}))
	g.Expect(steps[16].Targets).To(Equal([]string{"fallback: manager of office"}))
	g.Expect(round.Fallback.Targets).To(Equal([]string{"manager of office"}), "what was given is not changed")
}

// TestBrief: the first, and how many more there are.
func TestBrief(t *testing.T) {
	g := NewWithT(t)
	problems := []escalation.Problem{{Message: "a"}, {Message: "b"}, {Message: "c"}}
	g.Expect(Brief(problems[:1])).To(Equal("a"))
	g.Expect(Brief(problems)).To(Equal("a (and 2 more: see the route's status.problems)"))
}
