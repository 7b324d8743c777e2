// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/rota"
)

func reasons(problems []rota.Problem) []string {
	var found []string
	for _, problem := range problems {
		found = append(found, problem.Reason)
	}
	return found
}

var _ = Describe("problems", func() {
	year := func(s *rota.Schedule) []string {
		return told(s.Segments(instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z")))
	}

	DescribeTable("of a zone leave the layers without anybody, and overrides answer",
		func(zone string) {
			w := newWorld(zone, layerOf("care", "care")).staff("care", "maria").
				override("swap", "care", "maria", "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z")
			s, problems := w.prepare()
			Expect(reasons(problems)).To(Equal([]string{v1alpha1.ReasonUnknownTimeZone}))
			Expect(s.Location()).To(Equal(time.UTC))
			Expect(year(s)).To(Equal([]string{
				"2026-01-01T00:00:00Z nobody", "2026-05-01T00:00:00Z maria override", "2026-07-01T00:00:00Z nobody",
			}))
			Expect(s.InForce(instant("2026-06-01T00:00:00Z"))).To(Equal([]string{"swap"}))
			Expect(s.People(instant("2026-06-01T00:00:00Z"))).To(Equal([]rota.Person{{Team: "care", Name: "maria"}}))
			Expect(s.Current(instant("2028-06-01T00:00:00Z"))).To(Equal(rota.Segment{}))
		},
		Entry("misspelt", "Europe/Londn"), Entry("none", ""), Entry("the machine's", "Local"), Entry("a path", "../../etc/passwd"),
		Entry("a folder", "Europe"), Entry("not text", "\x00\xff"), Entry("long", strings.Repeat("Europe/", 10000)),
	)

	It("of a zone are said in words", func() {
		_, problems := newWorld("Europe/Londn").prepare()
		Expect(problems).To(Equal([]rota.Problem{{Reason: v1alpha1.ReasonUnknownTimeZone, Message: `spec.timeZone "Europe/Londn" is no time zone ` +
			`that Rostra knows: write a name of the IANA database such as Europe/London, or UTC`}}))
	})

	DescribeTable("of a hand-off leave that layer nobody, and the next answers",
		func(start string, every int32, unit v1alpha1.HandoffUnit, words string) {
			s, problems := newWorld("UTC", layerOf("care", "care", handingOver(start, every, unit)), layerOf("below", "care")).
				staff("care", "maria").prepare()
			Expect(reasons(problems)).To(Equal([]string{v1alpha1.ReasonInvalidStart}))
			Expect(problems[0].Message).To(And(HavePrefix("layer care "), ContainSubstring(words), ContainSubstring("write handoff.")))
			Expect(year(s)).To(Equal([]string{"2026-01-01T00:00:00Z maria below"}))
		},
		Entry("on 30 February", "2026-02-30T09:00:00", int32(1), v1alpha1.HandoffDay, `"2026-02-30T09:00:00"`),
		Entry("on 29 February of a year without", "2026-02-29T09:00:00", int32(1), v1alpha1.HandoffDay, "no date and time"),
		Entry("with a zone", "2026-02-03T09:00:00Z", int32(1), v1alpha1.HandoffDay, "no date and time"),
		Entry("with fractions", "2026-02-03T09:00:00.5", int32(1), v1alpha1.HandoffDay, "no date and time"),
		Entry("of garbage", "\xff\x00", int32(1), v1alpha1.HandoffDay, "no date and time"),
		Entry("of nothing", "", int32(1), v1alpha1.HandoffDay, "no date and time"),
		Entry("every 0", "2026-02-03T09:00:00", int32(0), v1alpha1.HandoffDay, `every 0 "Day"`),
		Entry("every -1", "2026-02-03T09:00:00", int32(-1), v1alpha1.HandoffWeek, `every -1 "Week"`),
		Entry("of no unit", "2026-02-03T09:00:00", int32(1), v1alpha1.HandoffUnit("Month"), `every 1 "Month"`),
	)

	It("of a team leave that layer nobody", func() {
		s, problems := newWorld("UTC", layerOf("care", "care", listing("maria")), layerOf("below", "press")).staff("press", "eve").prepare()
		Expect(problems).To(Equal([]rota.Problem{{
			Reason:  v1alpha1.ReasonTeamNotFound,
			Message: "layer care is answered by team care, which does not exist: create the Team or correct the layer's teamRef",
		}}))
		Expect(year(s)).To(Equal([]string{"2026-01-01T00:00:00Z eve below"}))
	})

	It("of an absence are named where nobody can be meant", func() {
		w := newWorld("UTC", layerOf("care", "care"), layerOf("below", "press")).staff("care", "maria").staff("press", "eve").
			away("eve", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z").
			away("dnaa", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z").
			away("maria", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
		w.rota.Spec.Unavailability[2].TeamRef = &v1alpha1.ClusterReference{Name: "press"}
		_, problems := w.prepare()
		Expect(problems).To(HaveLen(2))
		Expect(problems[0]).To(Equal(rota.Problem{Reason: v1alpha1.ReasonMemberNotFound, Message: "spec.unavailability[1] names dnaa, " +
			"who is in no team of the rota's layers: correct the name or its teamRef, or take the entry out"}))
		Expect(problems[1].Message).To(HavePrefix("spec.unavailability[2] names maria, "))
		delete(w.teams, "press")
		_, problems = w.prepare()
		Expect(reasons(problems)).To(Equal([]string{v1alpha1.ReasonTeamNotFound}), "a team that is missing might know them")
	})

	DescribeTable("of windows leave them out",
		func(window v1alpha1.WeeklyWindow) {
			s, problems := newWorld("UTC", layerOf("care", "care", during(window))).staff("care", "maria").prepare()
			Expect(problems).To(HaveLen(1))
			Expect(problems[0].Message).To(And(HavePrefix("layer care has a window that cannot be read and is left out"), Not(ContainSubstring("\xff"))))
			Expect(year(s)).To(Equal([]string{"2026-01-01T00:00:00Z nobody"}))
		},
		Entry("of nothing", v1alpha1.WeeklyWindow{}), Entry("25:00", hours("09:00", "25:00")), Entry("24:01", hours("09:00", "24:01")),
		Entry("from 24:00", hours("24:00", "06:00")), Entry("09:60", hours("09:60", "18:00")), Entry("9:00", hours("9:00", "18:00")),
		Entry("signs", hours("+9:00", "-8:00")), Entry("days", hours("09:00", "18:00", "Someday")),
		Entry("garbage", hours("\xff\xff", strings.Repeat("x", 1000))),
	)

	It("of a window that ends when it begins leave it out", func() {
		s, problems := newWorld("UTC", layerOf("care", "care", during(hours("09:00", "09:00")))).staff("care", "maria").prepare()
		Expect(problems).To(Equal([]rota.Problem{{Reason: v1alpha1.ReasonWindowsOverlap, Message: "layer care has a window that ends when it begins " +
			"and is left out (09:00-09:00): for a whole day write from 00:00 to 24:00"}}))
		Expect(year(s)).To(Equal([]string{"2026-01-01T00:00:00Z nobody"}))
	})

	It("of every kind at once are all said, and slow nothing down", func() {
		w := newWorld("Australia/Lord_Howe").staff("care")
		for i := range 100 {
			w.teams["care"].Spec.Members = append(w.teams["care"].Spec.Members,
				memberOf(fmt.Sprintf("m%d from 2026-01-01T00:00:%02dZ until 2026-12-01T00:00:%02dZ", i, i%60, i%60)))
		}
		for i := range 100 {
			w.rota.Spec.Layers = append(w.rota.Spec.Layers, layerOf("same", "care", handingOver("0001-01-01T00:00:00", 1, v1alpha1.HandoffHour),
				during(hours("09:00", "18:00"), hours("09:00", "18:00"), hours("x", "y"))))
			w.rota.Spec.Layers[i].Members = []string{"", "m1", "m1", "m2", "nobody", "nobody"}
		}
		w.away("m1", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z").override("zero", "care", "", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
		w.rota.Spec.Unavailability = append(w.rota.Spec.Unavailability, v1alpha1.Unavailability{})
		w.overrides = append(w.overrides, v1alpha1.RotaOverride{})
		s, problems := w.prepare()
		Expect(len(problems)).To(BeNumerically(">=", 500))
		Expect(s.At(instant("2026-06-01T02:00:00Z")).Nobody()).To(BeFalse())
		Expect(s.Current(instant("2028-06-01T02:00:00Z")).Until).To(BeZero())
	})

	It("need no teams", func() {
		s, problems := rota.Prepare(newWorld("UTC", layerOf("care", "care")).rota, nil, nil)
		Expect(reasons(problems)).To(Equal([]string{v1alpha1.ReasonTeamNotFound}))
		Expect(s.At(time.Time{})).To(Equal(rota.Duty{}))
	})
})

var _ = Describe("a schedule", func() {
	It("keeps nothing of the objects it was made of", func() {
		w := newWorld("UTC", layerOf("care", "care", listing("maria", "dana"), handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay),
			during(hours("09:00", "18:00", workdays...)))).
			staff("care", "maria until 2027-01-01T00:00:00Z", "dana").
			away("dana", "2026-11-10T00:00:00Z", "2026-11-11T00:00:00Z").
			override("swap", "care", "dana", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")
		s := w.schedule()
		from, until := instant("2026-11-01T00:00:00Z"), instant("2027-02-01T00:00:00Z")
		before := s.Segments(from, until)
		w.rota.Spec.Layers[0].Members[0] = "x"
		w.rota.Spec.Layers[0].Windows[0].Days[0] = "x"
		w.rota.Spec.Layers[0].Handoff.Every = 7
		w.rota.Spec.Unavailability[0].Member = "x"
		*w.teams["care"].Spec.Members[0].Until = metav1.NewTime(from)
		w.teams["care"].Spec.Members[1].Name = "x"
		w.overrides[0].Spec.Member = "x"
		Expect(s.Segments(from, until)).To(Equal(before))
	})

	It("may be asked by many at once", func() {
		s := newWorld("Europe/London", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana").schedule()
		from, until := instant("2026-10-01T00:00:00Z"), instant("2026-12-01T00:00:00Z")
		want := s.Segments(from, until)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				defer GinkgoRecover()
				Expect(s.Segments(from, until)).To(Equal(want))
			})
		}
		wait.Wait()
	})

	It("has the same members as package ownership", func() {
		w := newWorld("UTC", layerOf("care", "care")).staff("care", "maria from 2026-11-02T00:00:00Z until 2026-11-03T00:00:00Z")
		s := w.schedule()
		for _, at := range []string{"2026-11-01T23:59:59Z", "2026-11-02T00:00:00Z", "2026-11-02T23:59:59Z", "2026-11-03T00:00:00Z"} {
			Expect(s.At(instant(at)).Nobody()).NotTo(Equal(ownership.Active(w.teams["care"].Spec.Members[0], instant(at))), at)
		}
	})

	It("answers without allocating", func() {
		s := newWorld("Europe/London",
			layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay), during(hours("09:00", "18:00"))), layerOf("below", "care")).
			staff("care", "maria", "dana").schedule()
		at := instant("2027-03-28T01:30:00Z")
		Expect(testing.AllocsPerRun(100, func() { s.At(at) })).To(BeZero())
	})
})
