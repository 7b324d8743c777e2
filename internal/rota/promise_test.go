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

// ranges are ranges as lines, in their own zone.
func ranges(all []rota.Range) []string {
	var lines []string
	for _, r := range all {
		lines = append(lines, r.From.Format(time.RFC3339)+" "+r.Until.Format(time.RFC3339))
	}
	return lines
}

func zoneOf(name string) *time.Location {
	GinkgoHelper()
	zone, err := time.LoadLocation(name)
	Expect(err).NotTo(HaveOccurred())
	return zone
}

var _ = Describe("a promise", func() {
	from, until := time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC), time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)

	It("of windows holds at their hours, in its own zone", func() {
		p, problems := rota.NewPromise(v1alpha1.ChannelCoverage{
			Mode: v1alpha1.CoverageWindows, TimeZone: "Europe/Paris",
			Windows: []v1alpha1.WeeklyWindow{hours("09:00", "18:00", workdays...), hours("22:00", "02:00", v1alpha1.Sunday)},
		}, time.UTC)
		Expect(problems).To(BeEmpty())
		Expect(p.Empty()).To(BeFalse())
		Expect(p.Location().String()).To(Equal("Europe/Paris"))
		Expect(ranges(p.Hours(from, until))).To(Equal([]string{
			"2026-11-06T13:00:00+01:00 2026-11-06T18:00:00+01:00",
			"2026-11-08T22:00:00+01:00 2026-11-09T02:00:00+01:00",
			"2026-11-09T09:00:00+01:00 2026-11-09T13:00:00+01:00",
		}))
		Expect(p.Hours(until, from)).To(BeEmpty())
	})

	It("of all hours is one range, cut nowhere", func() {
		p, problems := rota.NewPromise(v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageAlways}, zoneOf("Australia/Sydney"))
		Expect(problems).To(BeEmpty())
		Expect(p.Hours(from.Add(time.Millisecond), until)).To(Equal([]rota.Range{
			{From: from.Add(time.Millisecond).In(p.Location()), Until: until.In(p.Location())},
		}))
		Expect(rota.Always(nil).Location()).To(Equal(time.UTC))
	})

	DescribeTable("of nothing is empty",
		func(coverage v1alpha1.ChannelCoverage) {
			p, _ := rota.NewPromise(coverage, nil)
			Expect(p.Empty()).To(BeTrue())
			Expect(p.Hours(from, until)).To(BeEmpty())
			nobody, _ := newWorld("").prepare()
			Expect(rota.Assess(nobody, p, from)).To(Equal(rota.Assessment{Percent: 100, Until: time.Date(2026, 11, 7, 0, 0, 0, 0, time.UTC)}))
		},
		Entry("None", v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageNone}),
		Entry("no mode", v1alpha1.ChannelCoverage{}),
		Entry("no windows", v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageWindows}),
		Entry("None beside windows", v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageNone, Windows: []v1alpha1.WeeklyWindow{hours("09:00", "18:00")}}),
		Entry("windows that cannot be read", v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageWindows, Windows: []v1alpha1.WeeklyWindow{{}}}),
	)

	DescribeTable("that cannot be read is a problem",
		func(coverage v1alpha1.ChannelCoverage, words string) {
			_, problems := rota.NewPromise(coverage, nil)
			Expect(problems).To(Equal([]rota.Problem{{Reason: v1alpha1.ReasonInvalidPromise, Message: "spec.coverage has " + words}}))
		},
		Entry("for its mode", v1alpha1.ChannelCoverage{Mode: "Windos"}, `the mode "Windos", which is none, so nothing is promised: write Always, Windows or None`),
		Entry("for no mode", v1alpha1.ChannelCoverage{}, `the mode "", which is none, so nothing is promised: write Always, Windows or None`),
		Entry("for want of windows", v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageWindows}, `the mode "Windows" and no windows, so nothing is promised: `+
			`name them, as [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "18:00"}]`),
		Entry("for windows beside None", v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageNone, Windows: []v1alpha1.WeeklyWindow{hours("09:00", "18:00")}},
			`windows, which the mode "None" does not look at: take them out, or write the mode as Windows`),
	)

	It("of a window that ends when it begins leaves it out, and says so", func() {
		p, problems := rota.NewPromise(v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageWindows, Windows: []v1alpha1.WeeklyWindow{hours("00:00", "00:00")}}, nil)
		Expect(problems).To(HaveLen(1))
		Expect(problems[0].Message).To(HavePrefix("spec.coverage has a window that ends when it begins"))
		Expect(p.Empty()).To(BeTrue())
	})

	It("says what cannot be read, and holds in the other zone then", func() {
		p, problems := rota.NewPromise(v1alpha1.ChannelCoverage{
			Mode: v1alpha1.CoverageWindows, TimeZone: "Local",
			Windows: []v1alpha1.WeeklyWindow{hours("09:00", "18:00"), hours("17:00", "19:00", v1alpha1.Monday)},
		}, zoneOf("Asia/Kathmandu"))
		Expect(p.Location().String()).To(Equal("Asia/Kathmandu"))
		Expect(problems).To(Equal([]rota.Problem{
			{Reason: v1alpha1.ReasonUnknownTimeZone, Message: `spec.coverage.timeZone "Local" is no time zone that Rostra knows: ` +
				`write a name of the IANA database such as Europe/London, or UTC`},
			{Reason: v1alpha1.ReasonWindowsOverlap, Message: "spec.coverage has windows that overlap (09:00-18:00 and Mon 17:00-19:00): " +
				"they are read as one; change the hours of one of them"},
		}))
	})
})

var _ = Describe("gaps", func() {
	It("are what is promised while nobody is on duty", func() {
		s := newWorld("Europe/London", layerOf("care", "care", during(hours("09:00", "18:00", workdays...)))).staff("care", "maria").schedule()
		p, _ := rota.NewPromise(v1alpha1.ChannelCoverage{Mode: v1alpha1.CoverageWindows, Windows: []v1alpha1.WeeklyWindow{hours("08:00", "20:00")}}, s.Location())
		from, until := instant("2026-11-05T10:00:00Z"), instant("2026-11-07T12:00:00Z")
		want := []string{
			"2026-11-05T18:00:00Z 2026-11-05T20:00:00Z",
			"2026-11-06T08:00:00Z 2026-11-06T09:00:00Z",
			"2026-11-06T18:00:00Z 2026-11-06T20:00:00Z",
			"2026-11-07T08:00:00Z 2026-11-07T12:00:00Z",
		}
		Expect(ranges(rota.Gaps(s, p, from, until))).To(Equal(want))
		segments := append(s.Segments(from, from.Add(9*time.Hour)), s.Segments(from.Add(9*time.Hour), until)...)
		Expect(ranges(rota.GapsIn(segments, p))).To(Equal(want), "segments that touch make one gap")
	})
})

var _ = Describe("an assessment", func() {
	sydney := func() *world {
		return newWorld("Australia/Sydney", layerOf("day", "care", during(hours("09:00", "17:00")))).staff("care", "maria").staff("press", "eve")
	}
	assess := func(w *world, now string) rota.Assessment {
		s := w.schedule()
		return rota.Assess(s, rota.Always(s.Location()), instant(now))
	}

	It("names the night that nobody watches, and does not move while it lasts", Label("S1"), func() {
		// 22 November in Sydney begins at 13:00 on the 21st in UTC.
		assessment := assess(sydney(), "2026-11-22T00:30:00+11:00")
		Expect(assessment.Percent).To(Equal(int32(33)))
		Expect(assessment.UncoveredPerWeek).To(Equal(112 * time.Hour))
		Expect(assessment.Gaps).To(HaveLen(15))
		Expect(ranges(assessment.Gaps[:2])).To(Equal([]string{
			"2026-11-21T17:00:00+11:00 2026-11-22T09:00:00+11:00", "2026-11-22T17:00:00+11:00 2026-11-23T09:00:00+11:00",
		}))
		Expect(ranges(assessment.Gaps[14:])).To(Equal([]string{"2026-12-05T17:00:00+11:00 2026-12-06T09:00:00+11:00"}))
		Expect(assessment.Until).To(BeTemporally("==", instant("2026-11-22T09:00:00+11:00")))
		Expect(assess(sydney(), "2026-11-22T08:59:59+11:00")).To(Equal(assessment))
	})

	It("lists a gap no longer that is over, and says the same of the 14 days", Label("S1"), func() {
		assessment := assess(sydney(), "2026-11-22T09:00:00+11:00")
		Expect(assessment.UncoveredPerWeek).To(Equal(112 * time.Hour))
		Expect(assessment.Percent).To(Equal(int32(33)))
		Expect(assessment.Gaps).To(HaveLen(14))
		Expect(assessment.Until).To(BeTemporally("==", instant("2026-11-23T00:00:00+11:00")))
	})

	It("finds no gap once another layer fills it", Label("S2"), func() {
		w := sydney()
		w.rota.Spec.Layers = append(w.rota.Spec.Layers, layerOf("night", "press", during(hours("17:00", "09:00"))))
		Expect(assess(w, "2026-11-22T00:30:00+11:00")).To(Equal(rota.Assessment{
			Percent: 100, Until: instant("2026-11-23T00:00:00+11:00").In(zoneOf("Australia/Sydney")),
		}))
		Expect(w.schedule().At(instant("2026-11-22T00:30:00+11:00"))).To(Equal(rota.Duty{Member: "eve", Team: "press", Layer: "night"}))
	})

	It("is not 100 for a gap of a second", func() {
		w := sydney().staff("care", "maria until 2026-11-25T00:00:00Z").
			override("until", "press", "eve", "2026-11-25T00:00:01Z", "2027-11-22T00:00:00Z")
		w.rota.Spec.Layers[0].Windows = nil
		assessment := assess(w, "2026-11-22T00:30:00+11:00")
		Expect(assessment.Percent).To(Equal(int32(99)))
		Expect(assessment.UncoveredPerWeek).To(BeZero())
		Expect(ranges(assessment.Gaps)).To(Equal([]string{"2026-11-25T11:00:00+11:00 2026-11-25T11:00:01+11:00"}))
	})

	It("looks no further than 14 days to either side of the 14 days", func() {
		w := sydney().staff("care", "maria until 2000-01-01T00:00:00Z")
		assessment := assess(w, "2026-11-22T00:30:00+11:00")
		Expect(assessment.Percent).To(BeZero())
		Expect(assessment.UncoveredPerWeek).To(Equal(7 * 24 * time.Hour))
		Expect(ranges(assessment.Gaps)).To(Equal([]string{"2026-11-08T00:00:00+11:00 2026-12-20T00:00:00+11:00"}))
		Expect(assessment.Until).To(BeTemporally("==", instant("2026-11-23T00:00:00+11:00")))
	})

	It("leaves out what begins when the 14 days end, and takes days of 23 and 25 hours as they are", func() {
		w := newWorld("Europe/London", layerOf("care", "care", during(hours("00:00", "24:00", workdays...)))).staff("care", "maria")
		// Monday 19 October, with the last day of summer time on the 25th.
		assessment := assess(w, "2026-10-19T00:00:00+01:00")
		Expect(ranges(assessment.Gaps)).To(Equal([]string{
			"2026-10-24T00:00:00+01:00 2026-10-26T00:00:00Z", "2026-10-31T00:00:00Z 2026-11-02T00:00:00Z",
		}))
		Expect(assessment.UncoveredPerWeek).To(Equal((49 + 48) * time.Hour / 2))
		Expect(assessment.Percent).To(Equal(int32(100 * (337 - 97) / 337)))
	})
})

var _ = Describe("Words", func() {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	DescribeTable("say when a gap is",
		func(from, until, zone, want string) {
			Expect(rota.Words(rota.Range{From: instant(from), Until: instant(until)}, zoneOf(zone), now)).To(Equal(want))
		},
		Entry("over days", "2026-11-28T18:00:00Z", "2026-11-30T09:00:00Z", "Europe/London", "Sat 28 Nov 18:00 – Mon 30 Nov 09:00 Europe/London"),
		Entry("within a day", "2026-11-28T18:00:00Z", "2026-11-28T21:00:00Z", "Europe/London", "Sat 28 Nov 18:00 – 21:00 Europe/London"),
		Entry("to midnight", "2026-11-28T18:00:00Z", "2026-11-29T00:00:00Z", "Europe/London", "Sat 28 Nov 18:00 – Sun 29 Nov 00:00 Europe/London"),
		Entry("in the zone", "2026-11-28T18:00:00Z", "2026-11-28T21:00:00Z", "Australia/Sydney", "Sun 29 Nov 05:00 – 08:00 Australia/Sydney"),
		Entry("into another year", "2026-12-31T18:00:00Z", "2027-01-01T09:00:00Z", "UTC", "Thu 31 Dec 18:00 – Fri 1 Jan 2027 09:00 UTC"),
		Entry("in another year", "2027-12-31T18:00:00Z", "2027-12-31T21:00:00Z", "UTC", "Fri 31 Dec 2027 18:00 – 21:00 UTC"),
		Entry("the same day of two years", "2026-11-28T18:00:00Z", "2027-11-28T18:00:00Z", "UTC", "Sat 28 Nov 18:00 – Sun 28 Nov 2027 18:00 UTC"),
		Entry("over a repeated hour", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "Europe/London", "Sun 25 Oct 01:30 BST – 01:30 GMT Europe/London"),
		Entry("over days between which clocks change", "2026-10-23T17:00:00Z", "2026-10-26T09:00:00Z", "Europe/London", "Fri 23 Oct 18:00 BST – Mon 26 Oct 09:00 GMT Europe/London"),
		Entry("to the second", "2026-11-28T18:00:30Z", "2026-11-28T21:00:00Z", "UTC", "Sat 28 Nov 18:00:30 – 21:00 UTC"),
	)

	It("are in UTC without a zone", func() {
		Expect(rota.Words(rota.Range{From: now, Until: now.Add(time.Hour)}, nil, now)).To(Equal("Sun 22 Nov 00:00 – 01:00 UTC"))
	})
})
