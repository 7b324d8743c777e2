// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

var _ = Describe("overrides", func() {
	const day, noon, night = "2026-11-02T00:00:00Z", "2026-11-02T12:00:00Z", "2026-11-03T00:00:00Z"
	answered := func(w *world) []string { return told(w.schedule().Segments(instant(day), instant(night))) }
	care := func() *world {
		return newWorld("UTC", layerOf("care", "care")).staff("care", "maria", "dana").
			staff("press", "eve", "finn until 2026-11-02T06:00:00Z", "gale from 2026-11-02T18:00:00Z")
	}

	It("answer while they last", func() {
		w := care().override("swap", "press", "eve", "2026-11-02T09:00:00Z", noon)
		Expect(answered(w)).To(Equal([]string{day + " maria care", "2026-11-02T09:00:00Z eve override", noon + " maria care"}))
		Expect(w.schedule().At(instant("2026-11-02T09:00:00Z"))).To(Equal(rota.Duty{Member: "eve", Team: "press", Layer: v1alpha1.LayerOverride}))
		Expect(w.schedule().InForce(instant("2026-11-02T11:59:59Z"))).To(Equal([]string{"swap"}))
		Expect(w.schedule().InForce(instant(noon))).To(BeEmpty())
	})

	It("that begin later stand above those that begin earlier", func() {
		w := care().override("long", "press", "eve", day, night).override("late", "care", "dana", "2026-11-02T09:00:00Z", noon)
		Expect(answered(w)).To(Equal([]string{day + " eve override", "2026-11-02T09:00:00Z dana override", noon + " eve override"}))
		Expect(w.schedule().InForce(instant("2026-11-02T10:00:00Z"))).To(Equal([]string{"late", "long"}))
	})

	It("that end sooner stand above those that end later, where they begin together", func() {
		w := care().override("a-long", "press", "eve", day, night).override("b-short", "care", "dana", day, noon)
		Expect(answered(w)).To(Equal([]string{day + " dana override", noon + " eve override"}))
	})

	It("that are alike go by their names", func() {
		w := care().override("b", "care", "dana", day, noon).override("a", "press", "eve", day, noon)
		Expect(answered(w)).To(Equal([]string{day + " eve override", noon + " maria care"}))
		Expect(w.schedule().InForce(instant(day))).To(Equal([]string{"a", "b"}))
	})

	It("whose member is not in the team do nothing, and the next is looked at", func() {
		w := care().override("base", "care", "dana", day, night).
			override("finn", "press", "finn", "2026-11-02T01:00:00Z", night).
			override("gale", "press", "gale", "2026-11-02T02:00:00Z", night).
			override("nobody", "press", "maria", "2026-11-02T03:00:00Z", night).
			override("no-team", "sales", "maria", "2026-11-02T03:00:00Z", night)
		Expect(answered(w)).To(Equal([]string{
			day + " dana override", "2026-11-02T01:00:00Z finn override", "2026-11-02T06:00:00Z dana override", "2026-11-02T18:00:00Z gale override",
		}))
		Expect(w.schedule().InForce(instant(noon))).To(Equal([]string{"base"}))
	})

	It("stand above unavailability", func() {
		w := care().away("maria", day, night).override("swap", "care", "maria", noon, night)
		Expect(answered(w)).To(Equal([]string{day + " dana care", noon + " maria override"}))
	})

	It("of other rotas and namespaces are left out, as are those that end before they begin", func() {
		w := care().override("elsewhere", "press", "eve", day, night).override("other", "press", "eve", day, night).
			override("backwards", "press", "eve", night, day).override("empty", "press", "eve", noon, noon)
		w.overrides[0].Namespace = "other"
		w.overrides[1].Spec.ResponderRotaRef.Name = "other"
		Expect(answered(w)).To(Equal([]string{day + " maria care"}))
		Expect(w.schedule().InForce(instant(noon))).To(BeEmpty())
	})

	It("leave no trace outside of their time", func() {
		w := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffHour))).staff("care", "maria", "dana")
		before := answered(w)
		after := answered(w.override("swap", "care", "dana", "2026-11-02T03:30:00Z", "2026-11-02T04:30:00Z"))
		Expect(after[:4]).To(Equal(before[:4]))
		Expect(after[4:6]).To(Equal([]string{"2026-11-02T03:30:00Z dana override", "2026-11-02T04:30:00Z maria care"}))
		Expect(after[6:]).To(Equal(before[5:]))
	})
})

var _ = Describe("An override that does nothing", func() {
	const begins, ends = "2026-11-24T12:00:00Z", "2026-11-24T20:00:00Z"
	DescribeTable("says so",
		func(team, member, from, until, now, reason, words string) {
			w := newWorld("UTC").staff("press", "eve", "finn until 2026-11-24T18:00:00Z", "gale from 2026-11-24T18:00:00Z").
				override("swap", team, member, from, until)
			problem := rota.OverrideProblem(&w.overrides[0], func(name string) *v1alpha1.Team { return w.teams[name] }, instant(now))
			if reason == "" {
				Expect(problem).To(BeNil())
				return
			}
			Expect(problem).To(HaveValue(Equal(rota.Problem{Reason: reason, Message: words})))
		},
		Entry("not where it works", "press", "eve", begins, ends, begins, "", ""),
		Entry("not where it will", "press", "gale", "2026-11-24T18:00:00Z", ends, begins, "", ""),
		Entry("not where it is over", "press", "dnaa", begins, ends, ends, "", ""),
		Entry("for its team", "sales", "eve", begins, ends, "2026-11-22T12:00:00Z", v1alpha1.ReasonTeamNotFound,
			"Team sales does not exist: correct spec.teamRef"),
		Entry("for its member", "press", "evee", begins, ends, "2026-11-22T12:00:00Z", v1alpha1.ReasonMemberNotFound,
			"evee is not a member of team press at 2026-11-24T12:00:00Z, so the rota answers as if this override were not there: name a member"),
		Entry("for a member who has left", "press", "finn", begins, ends, "2026-11-24T19:00:00Z", v1alpha1.ReasonMemberNotFound,
			"finn is not a member of team press at 2026-11-24T19:00:00Z, so the rota answers as if this override were not there: name a member"),
		Entry("for its range", "press", "eve", ends, begins, "2026-11-22T12:00:00Z", v1alpha1.ReasonExpired,
			"it ends at 2026-11-24T12:00:00Z, which is not after it begins at 2026-11-24T20:00:00Z, so it is in force at no time: correct spec.from or spec.until"),
	)
})

var _ = Describe("People", func() {
	It("are those of layers and of overrides that are not over, each once", func() {
		w := newWorld("UTC", layerOf("care", "care", listing("dana", "maria", "dnaa", "left")), layerOf("all", "care"), layerOf("gone", "nobody")).
			staff("care", "maria", "dana", "left until 2026-11-01T00:00:00Z", "soon from 2027-01-01T00:00:00Z").
			staff("press", "eve", "finn", "maria", "gale").
			override("now", "press", "eve", "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z").
			override("over", "press", "finn", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z").
			override("later", "press", "maria", "2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z").
			override("stranger", "press", "dnaa", "2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z")
		s, _ := w.prepare()
		Expect(s.People(instant("2026-11-02T00:00:00Z"))).To(Equal([]rota.Person{
			{Team: "care", Name: "dana"},
			{Team: "care", Name: "maria"},
			{Team: "care", Name: "left", Left: true},
			{Team: "care", Name: "soon"},
			{Team: "press", Name: "maria"},
			{Team: "press", Name: "eve"},
		}))
		Expect(s.People(instant("2026-10-31T23:59:59Z"))).To(ContainElement(rota.Person{Team: "care", Name: "left"}))
	})
})
