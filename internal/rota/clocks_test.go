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

// onTheWall are segments as lines, with their beginning in UTC.
func onTheWall(w *world, from, until string) []string {
	GinkgoHelper()
	segments := w.schedule().Segments(instant(from), instant(until))
	for i := range segments {
		segments[i].From = segments[i].From.UTC()
	}
	return told(segments)
}

var _ = Describe("clocks that change", func() {
	// The tables of docs/rotas.md.
	DescribeTable("lengthen and shorten a night",
		func(from, until, begins, ends string) {
			w := newWorld("Europe/London", layerOf("care", "care", during(hours("22:00", "06:00")))).staff("care", "maria")
			Expect(onTheWall(w, from, until)).To(Equal([]string{from + " nobody", begins + " maria care", ends + " nobody"}))
		},
		Entry("Fri 27 March 2026: stand", "2026-03-27T12:00:00Z", "2026-03-28T12:00:00Z",
			"2026-03-27T22:00:00Z", "2026-03-28T06:00:00Z"),
		Entry("Sat 28 March 2026: go forward at 01:00", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z",
			"2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"),
		Entry("Sat 24 October 2026: go back at 02:00", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z",
			"2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"),
	)

	DescribeTable("make an instant of each hour",
		func(hour, spring, autumn string) {
			for day, want := range map[string]string{"2026-03-29": spring, "2026-10-25": autumn} {
				w := newWorld("Europe/London", layerOf("care", "care", handingOver(day+"T"+hour+":00", 1, v1alpha1.HandoffWeek))).
					staff("care", "maria")
				Expect(w.schedule().NextChange(instant(day+"T00:00:00Z").AddDate(0, 0, -1))).To(BeTemporally("==", instant(want)))
			}
		},
		Entry("00:30", "00:30", "2026-03-29T00:30:00Z", "2026-10-24T23:30:00Z"),
		Entry("01:00", "01:00", "2026-03-29T01:00:00Z", "2026-10-25T00:00:00Z"),
		Entry("01:30", "01:30", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z"),
		Entry("02:00", "02:00", "2026-03-29T01:00:00Z", "2026-10-25T02:00:00Z"),
	)

	It("leave nothing of a window within the hour that does not come, and more of one that comes twice", func() {
		w := newWorld("Europe/London", layerOf("care", "care", during(hours("01:30", "02:00")))).staff("care", "maria")
		Expect(onTheWall(w, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z")).To(Equal([]string{"2026-03-29T00:00:00Z nobody"}))
		Expect(onTheWall(w, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z")).To(Equal([]string{
			"2026-10-25T00:00:00Z nobody", "2026-10-25T00:30:00Z maria care", "2026-10-25T02:00:00Z nobody",
		}))
	})

	It("by half an hour are exact on Lord Howe Island", func() {
		w := newWorld("Australia/Lord_Howe", layerOf("care", "care", handingOver("2026-04-04T00:00:00", 1, v1alpha1.HandoffHour))).
			staff("care", "maria", "dana")
		// At 02:00 on 5 April (+11:00) clocks go back to 01:30 (+10:30).
		Expect(onTheWall(w, "2026-04-04T14:00:00Z", "2026-04-04T17:30:00Z")).To(Equal([]string{
			"2026-04-04T14:00:00Z dana care",
			"2026-04-04T15:30:00Z maria care", // 02:00, which comes once: an hour and a half after 01:00
			"2026-04-04T16:30:00Z dana care",
		}))
		// At 02:00 on 4 October (+10:30) they go forward to 02:30 (+11:00).
		Expect(onTheWall(w, "2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z")).To(Equal([]string{
			"2026-10-03T14:30:00Z dana care",
			"2026-10-03T15:30:00Z maria care",
			"2026-10-03T16:00:00Z dana care", // 03:00, half an hour after 02:00
		}))
	})

	It("over a day that is left out give that day's shift no time, in Apia", func() {
		w := newWorld("Pacific/Apia", layerOf("care", "care", handingOver("2011-12-28T09:00:00", 1, v1alpha1.HandoffDay))).
			staff("care", "maria", "dana", "chen", "eve")
		// 30 December did not come: at the end of the 29th it was the 31st.
		Expect(onTheWall(w, "2011-12-28T19:00:00Z", "2012-01-01T19:00:00Z")).To(Equal([]string{
			"2011-12-28T19:00:00Z maria care",
			"2011-12-29T19:00:00Z dana care",
			"2011-12-30T10:00:00Z chen care", // 09:00 on the 30th is the instant at which it is left out
			"2011-12-30T19:00:00Z eve care",
			"2011-12-31T19:00:00Z maria care",
		}))
	})

	It("are nothing in Kathmandu, which is 5:45 ahead", func() {
		w := newWorld("Asia/Kathmandu", layerOf("care", "care", during(hours("09:00", "18:00")))).staff("care", "maria")
		Expect(onTheWall(w, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z")).To(Equal([]string{
			"2026-03-29T00:00:00Z nobody", "2026-03-29T03:15:00Z maria care", "2026-03-29T12:15:00Z nobody",
		}))
	})

	It("keep a hand-off at the same hour on the wall", func() {
		w := newWorld("Europe/London", layerOf("care", "care", handingOver("2026-10-19T09:00:00", 1, v1alpha1.HandoffWeek))).
			staff("care", "maria", "dana")
		Expect(onTheWall(w, "2026-10-19T08:00:00Z", "2026-11-02T10:00:00Z")).To(Equal([]string{
			"2026-10-19T08:00:00Z maria care", "2026-10-26T09:00:00Z dana care", "2026-11-02T09:00:00Z maria care",
		}))
	})

	It("make two hand-offs of an hour that comes twice one", func() {
		w := newWorld("Europe/London", layerOf("care", "care", handingOver("2026-10-25T00:00:00", 1, v1alpha1.HandoffHour))).
			staff("care", "maria", "dana", "chen")
		Expect(onTheWall(w, "2026-10-24T23:00:00Z", "2026-10-25T03:30:00Z")).To(Equal([]string{
			"2026-10-24T23:00:00Z maria care",
			"2026-10-25T00:00:00Z dana care", // 01:00 to 02:00, two hours
			"2026-10-25T02:00:00Z chen care",
			"2026-10-25T03:00:00Z maria care",
		}))
	})
})

// The last day of a leap year after the end of the table of a zone, of which
// time.Time.ZoneBounds says that it ends before it begins.
var _ = Describe("31 December 2040", func() {
	DescribeTable("is read as any other day",
		func(name string, offset time.Duration) {
			zone := zoneOf(name)
			for hour := range 48 {
				wall := time.Date(2040, 12, 31, hour, 0, 0, 0, time.UTC)
				at := rota.Instant(zone, wall)
				Expect(at).To(BeTemporally("==", wall.Add(-offset)))
				standing := rota.Standing(zone, at)
				Expect(standing.From).NotTo(BeTemporally(">", at))
				Expect(standing.Until).To(BeTemporally(">", at))
			}
		},
		Entry("in London", "Europe/London", time.Duration(0)),
		Entry("in Dublin", "Europe/Dublin", time.Duration(0)),
		Entry("in Santiago", "America/Santiago", -3*time.Hour),
	)

	It("stands for ever where clocks do", func() {
		Expect(rota.Standing(time.UTC, instant("2040-12-31T12:00:00Z"))).To(Equal(rota.Range{}))
	})
})
