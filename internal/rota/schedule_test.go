// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/rota"
)

var _ = Describe("turns", func() {
	It("go round in the order of the list", func() {
		s := newWorld("Europe/London", layerOf("care", "care", listing("maria", "dana", "chen"),
			handingOver("2026-11-02T09:00:00", 1, v1alpha1.HandoffWeek))).
			staff("care", "chen", "dana", "maria", "eve").schedule()
		Expect(told(s.Segments(instant("2026-11-01T00:00:00Z"), instant("2026-11-25T00:00:00Z")))).To(Equal([]string{
			"2026-11-01T00:00:00Z nobody",
			"2026-11-02T09:00:00Z maria care",
			"2026-11-09T09:00:00Z dana care",
			"2026-11-16T09:00:00Z chen care",
			"2026-11-23T09:00:00Z maria care",
		}))
	})

	It("are everybody's of the team where nobody is listed", func() {
		s := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 12, v1alpha1.HandoffHour))).
			staff("care", "maria", "dana").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-03T06:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-02T12:00:00Z dana care",
			"2026-11-03T00:00:00Z maria care",
		}))
	})

	It("are not without a hand-off: the first who is there answers at all times", func() {
		s := newWorld("UTC", layerOf("care", "care")).staff("care", "maria", "dana").
			away("maria", "2026-11-02T10:00:00Z", "2026-11-02T12:00:00Z").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-12-02T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-02T10:00:00Z dana care",
			"2026-11-02T12:00:00Z maria care",
		}))
	})

	It("let the next stand in for whoever is away, who does not take two turns for it", func() {
		s := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana", "chen").
			away("dana", "2026-11-03T06:00:00Z", "2026-11-03T18:00:00Z").
			away("chen", "2026-11-04T00:00:00Z", "2026-11-05T00:00:00Z").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-07T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-03T00:00:00Z dana care",
			"2026-11-03T06:00:00Z chen care",
			"2026-11-03T18:00:00Z dana care",
			"2026-11-04T00:00:00Z maria care", // for chen, and then in her own turn
			"2026-11-06T00:00:00Z dana care",
		}))
	})

	It("know unavailability by team where it says so", func() {
		w := newWorld("UTC", layerOf("care", "care"), layerOf("press", "press")).
			staff("care", "maria").staff("press", "maria").
			away("maria", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z")
		w.rota.Spec.Unavailability[0].TeamRef = &v1alpha1.ClusterReference{Name: "care"}
		Expect(w.schedule().At(instant("2026-11-02T12:00:00Z"))).To(Equal(rota.Duty{Member: "maria", Team: "press", Layer: "press"}))
		w.rota.Spec.Unavailability[0].TeamRef = nil
		Expect(w.schedule().At(instant("2026-11-02T12:00:00Z"))).To(Equal(rota.Duty{}))
	})

	It("reach a joiner in the first round that comes past the place, and move nobody before", func() {
		row := func(members ...string) []string {
			s := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
				staff("care", members...).schedule()
			return told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-09T00:00:00Z")))
		}
		Expect(row("maria", "dana from 2026-11-05T12:00:00Z", "chen")).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-03T00:00:00Z chen care",
			"2026-11-04T00:00:00Z maria care",
			"2026-11-05T00:00:00Z chen care",
			"2026-11-06T00:00:00Z maria care",
			"2026-11-07T00:00:00Z dana care",
			"2026-11-08T00:00:00Z chen care",
		}))
	})

	It("close up behind a leaver, whose turn the next one ends", func() {
		s := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana until 2026-11-03T12:00:00Z", "chen").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-07T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-03T00:00:00Z dana care",
			"2026-11-03T12:00:00Z chen care", // stands in, and has a turn next
			"2026-11-05T00:00:00Z maria care",
			"2026-11-06T00:00:00Z chen care",
		}))
	})

	It("begin with a hand-off at the very instant of joining, and end at that of leaving", func() {
		s := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria until 2026-11-04T00:00:00Z", "dana from 2026-11-03T00:00:00Z").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-07T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-03T00:00:00Z dana care",
		}))
	})

	It("go past a row that was empty for a while as if it stood still", func() {
		s := newWorld("UTC", layerOf("care", "care", listing("maria", "dana", "chen"),
			handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria until 2026-11-03T00:00:00Z", "dana from 2026-11-05T12:00:00Z", "chen from 2026-11-05T06:00:00Z").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-08T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-03T00:00:00Z nobody",
			"2026-11-05T06:00:00Z chen care", // nobody's turn: the first after maria who is there
			"2026-11-05T12:00:00Z dana care", // nearer to maria's place
			"2026-11-07T00:00:00Z chen care",
		}))
	})

	It("keep the place of a name that the team does not know", func() {
		w := newWorld("UTC", layerOf("care", "care", listing("maria", "dnaa", "chen"),
			handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana", "chen")
		s, problems := w.prepare()
		Expect(problems).To(ConsistOf(rota.Problem{
			Reason:  v1alpha1.ReasonMemberNotFound,
			Message: "layer care lists dnaa, who is not in team care: take the name off spec.layers or correct it",
		}))
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2026-11-06T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z maria care",
			"2026-11-03T00:00:00Z chen care", // stands in, then in turn
			"2026-11-05T00:00:00Z maria care",
		}))
	})

	It("of a row in which nobody is left are nobody's, and the next layer answers", func() {
		s := newWorld("UTC",
			layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffHour)),
			layerOf("below", "press")).
			staff("care").staff("press", "eve").schedule()
		Expect(told(s.Segments(instant("2026-11-02T00:00:00Z"), instant("2027-11-02T00:00:00Z")))).To(Equal([]string{
			"2026-11-02T00:00:00Z eve below",
		}))
	})

	DescribeTable("cost nothing however far away their start is",
		func(start, want string) {
			s := newWorld("Europe/London", layerOf("care", "care", handingOver(start, 1, v1alpha1.HandoffHour))).
				staff("care", "maria", "dana from 2026-11-01T00:00:00Z", "chen").schedule()
			Expect(s.At(instant("2026-11-02T12:30:00Z")).Member).To(Equal(want))
			Expect(told(s.Segments(instant("2026-11-02T12:30:00Z"), instant("2026-11-02T12:59:59Z")))).To(HaveLen(1))
		},
		// From year 1 until 00:00 on 1 November 2026 are 17,758,080 turns,
		// the last of them chen's; dana has the first of the three-person round
		// after it only when it comes past the place.
		Entry("year 1", "0001-01-01T00:00:00", "maria"),
		Entry("year 9999", "9999-12-31T23:59:59", ""),
	)

	It("of weeks are of seven days over a leap day", func() {
		s := newWorld("Europe/London", layerOf("care", "care", handingOver("2028-02-28T09:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana").schedule()
		Expect(told(s.Segments(instant("2028-02-28T09:00:00Z"), instant("2028-03-02T09:00:00Z")))).To(Equal([]string{
			"2028-02-28T09:00:00Z maria care",
			"2028-02-29T09:00:00Z dana care",
			"2028-03-01T09:00:00Z maria care",
		}))
	})
})

var _ = Describe("windows", func() {
	It("change to the layer below, and a hand-off within one changes the person", func() {
		s := newWorld("Europe/London",
			layerOf("weekdays", "care", handingOver("2026-11-02T12:00:00", 1, v1alpha1.HandoffDay), during(hours("09:00", "18:00", workdays...))),
			layerOf("out-of-hours", "press")).
			staff("care", "maria", "dana").staff("press", "eve").schedule()
		Expect(told(s.Segments(instant("2026-11-05T00:00:00Z"), instant("2026-11-10T00:00:00Z")))).To(Equal([]string{
			"2026-11-05T00:00:00Z eve out-of-hours",
			"2026-11-05T09:00:00Z maria weekdays",
			"2026-11-05T12:00:00Z dana weekdays",
			"2026-11-05T18:00:00Z eve out-of-hours",
			"2026-11-06T09:00:00Z dana weekdays",
			"2026-11-06T12:00:00Z maria weekdays",
			"2026-11-06T18:00:00Z eve out-of-hours",
			"2026-11-09T09:00:00Z maria weekdays",
			"2026-11-09T12:00:00Z dana weekdays",
			"2026-11-09T18:00:00Z eve out-of-hours",
		}))
	})

	DescribeTable("hold from the hour at which they begin to that at which they end",
		func(window v1alpha1.WeeklyWindow, want ...string) {
			s := newWorld("UTC", layerOf("care", "care", during(window))).staff("care", "maria").schedule()
			Expect(told(s.Segments(instant("2026-11-05T12:00:00Z"), instant("2026-11-10T12:00:00Z")))).To(Equal(want))
		},
		Entry("over midnight, on the day on which it begins", hours("22:00", "06:00", v1alpha1.Friday),
			"2026-11-05T12:00:00Z nobody", "2026-11-06T22:00:00Z maria care", "2026-11-07T06:00:00Z nobody"),
		Entry("over the end of the week", hours("22:00", "06:00", v1alpha1.Sunday),
			"2026-11-05T12:00:00Z nobody", "2026-11-08T22:00:00Z maria care", "2026-11-09T06:00:00Z nobody"),
		Entry("to midnight", hours("22:00", "24:00", v1alpha1.Sunday),
			"2026-11-05T12:00:00Z nobody", "2026-11-08T22:00:00Z maria care", "2026-11-09T00:00:00Z nobody"),
		Entry("days that touch", hours("00:00", "24:00", v1alpha1.Sunday, v1alpha1.Monday, v1alpha1.Saturday),
			"2026-11-05T12:00:00Z nobody", "2026-11-07T00:00:00Z maria care", "2026-11-10T00:00:00Z nobody"),
		Entry("every day", hours("00:00", "24:00"), "2026-11-05T12:00:00Z maria care"),
		Entry("to midnight as 00:00", hours("22:00", "00:00", v1alpha1.Sunday),
			"2026-11-05T12:00:00Z nobody", "2026-11-08T22:00:00Z maria care", "2026-11-09T00:00:00Z nobody"),
	)

	DescribeTable("that overlap are read as one and named",
		func(message string, windows ...v1alpha1.WeeklyWindow) {
			w := newWorld("UTC", layerOf("care", "care", during(windows...))).staff("care", "maria")
			_, problems := w.prepare()
			if message == "" {
				Expect(problems).To(BeEmpty())
				return
			}
			Expect(problems).To(HaveExactElements(rota.Problem{Reason: v1alpha1.ReasonWindowsOverlap, Message: "layer care has windows " +
				"that overlap (" + message + "): they are read as one; change the hours of one of them"}))
		},
		Entry("not where they touch", "", hours("09:00", "12:00"), hours("12:00", "18:00")),
		Entry("not on other days", "", hours("09:00", "12:00", v1alpha1.Monday), hours("09:00", "12:00", v1alpha1.Tuesday)),
		Entry("not where they touch at the end of the week", "",
			hours("22:00", "06:00", v1alpha1.Sunday), hours("06:00", "07:00", v1alpha1.Monday)),
		Entry("in an hour", "Mon, Tue 09:00-12:00 and 11:59-18:00",
			hours("09:00", "12:00", v1alpha1.Monday, v1alpha1.Tuesday), hours("11:59", "18:00")),
		Entry("over midnight", "22:00-06:00 and Tue 05:00-07:00", hours("22:00", "06:00"), hours("05:00", "07:00", v1alpha1.Tuesday)),
		Entry("over the end of the week", "Mon 05:00-07:00 and Sun 22:00-06:00",
			hours("05:00", "07:00", v1alpha1.Monday), hours("22:00", "06:00", v1alpha1.Sunday)),
		Entry("one within another, and a third in that", "00:00-24:00 and 01:00-02:00; 00:00-24:00 and 03:00-04:00",
			hours("00:00", "24:00"), hours("01:00", "02:00"), hours("03:00", "04:00")),
		Entry("alike", "Mon 09:00-12:00 and Mon 09:00-12:00",
			hours("09:00", "12:00", v1alpha1.Monday), hours("09:00", "12:00", v1alpha1.Monday)),
	)

	It("that overlap are read as one", func() {
		w := newWorld("UTC", layerOf("care", "care", during(
			hours("05:00", "07:00", v1alpha1.Monday), hours("22:00", "06:00", v1alpha1.Sunday), hours("08:00", "09:00", v1alpha1.Monday)))).
			staff("care", "maria")
		s, _ := w.prepare()
		Expect(told(s.Segments(instant("2026-11-08T12:00:00Z"), instant("2026-11-09T12:00:00Z")))).To(Equal([]string{
			"2026-11-08T12:00:00Z nobody", "2026-11-08T22:00:00Z maria care", "2026-11-09T07:00:00Z nobody",
			"2026-11-09T08:00:00Z maria care", "2026-11-09T09:00:00Z nobody",
		}))
		Expect(s.Current(instant("2026-11-09T03:00:00Z"))).To(Equal(rota.Segment{
			From: instant("2026-11-08T22:00:00Z"), Until: instant("2026-11-09T07:00:00Z"),
			Duty: rota.Duty{Member: "maria", Team: "care", Layer: "care"},
		}))
	})
})

var _ = Describe("Current and NextChange", func() {
	It("give the whole segment", func() {
		s := newWorld("Europe/London", layerOf("care", "care", listing("maria", "dana", "chen"),
			handingOver("2026-11-02T09:00:00", 1, v1alpha1.HandoffWeek))).
			staff("care", "maria", "dana", "chen").away("dana", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z").schedule()
		current := s.Current(instant("2026-11-12T00:00:00Z"))
		Expect(told([]rota.Segment{current})).To(Equal([]string{"2026-11-09T09:00:00Z chen care"}))
		Expect(current.Until).To(Equal(instant("2026-11-23T09:00:00Z").In(s.Location())))
		Expect(s.NextChange(instant("2026-11-12T00:00:00Z"))).To(Equal(current.Until))
		Expect(s.Current(current.Until).Member).To(Equal("maria"))
		Expect(s.Current(current.Until.Add(-time.Nanosecond))).To(Equal(current))
	})

	It("give no bound that is more than a year away", func() {
		s := newWorld("UTC", layerOf("care", "care", handingOver("2026-11-02T00:00:00", 1, v1alpha1.HandoffHour))).
			staff("care", "maria", "dana until 2026-11-02T00:00:00Z").schedule()
		start := instant("2026-11-02T00:00:00Z")
		Expect(s.Current(start)).To(Equal(rota.Segment{From: start, Duty: rota.Duty{Member: "maria", Team: "care", Layer: "care"}}))
		Expect(s.Current(start.Add(rota.Horizon)).From).To(Equal(start))
		Expect(s.Current(start.Add(rota.Horizon + time.Second)).From).To(BeZero())
		Expect(s.NextChange(start.Add(-rota.Horizon))).To(Equal(start))
		Expect(s.NextChange(start.Add(-rota.Horizon - time.Second))).To(BeZero())
		Expect(s.Current(start.Add(-rota.Horizon - time.Second))).To(Equal(rota.Segment{}))
	})
})

var _ = Describe("Segments", func() {
	It("begin and end exactly where asked, and cut nothing but fractions of their bounds", func() {
		s := newWorld("Europe/London", layerOf("care", "care", handingOver("2026-11-02T09:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana").schedule()
		from, until := instant("2026-11-03T08:59:59.5Z"), instant("2026-11-03T09:00:00.25Z")
		segments := s.Segments(from, until)
		Expect(segments).To(HaveLen(2))
		Expect(segments[0].From).To(BeTemporally("==", from))
		Expect(segments[0].Until).To(BeTemporally("==", instant("2026-11-03T09:00:00Z")))
		Expect(segments[1].From).To(BeTemporally("==", segments[0].Until))
		Expect(segments[1].Until).To(BeTemporally("==", until))
		Expect(segments[1].From.Location()).To(Equal(s.Location()))
		Expect(s.Segments(from, from)).To(BeNil())
		Expect(s.Segments(until, from)).To(BeNil())
	})

	It("end at the ends of time", func() {
		s := newWorld("Europe/London", layerOf("care", "care", during(hours("09:00", "18:00")))).staff("care", "maria").schedule()
		far := time.Unix(1<<50, 0)
		Expect(s.Segments(far, far.Add(time.Hour))).To(HaveLen(1))
		Expect(s.Segments(time.Unix(-1<<50, 0), time.Unix(-1<<50+3600, 0))).To(HaveLen(1))
		Expect(s.Current(far).Until).To(BeZero())
	})
})
