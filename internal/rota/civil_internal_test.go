// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package rota

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// walk compares the clock with the zone's own, from one year until another, at
// every step: it shows the highest reading so far, and reaches each reading at
// the first instant at which it is shown or leapt over.
func walk(zone *time.Location, from, until int, step int64) {
	GinkgoHelper()
	begin := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	end := time.Date(until, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	asked, reached := clock{zone: zone}, clock{zone: zone}
	highest := asked.read(begin)
	for at := begin + step; at < end; at += step {
		// The last second before the step is looked at too: clocks go back
		// after it.
		for _, second := range []int64{at - 1, at} {
			_, offset := time.Unix(second, 0).In(zone).Zone()
			previous := highest
			highest = max(highest, second+int64(offset))
			if asked.read(second) != highest {
				Fail(zone.String() + " is misread at " + time.Unix(second, 0).UTC().String())
			}
			if highest > previous && second == at && reached.reach(highest) != at {
				Fail(zone.String() + " is not reached at " + time.Unix(second, 0).UTC().String())
			}
			if highest > previous+1 && second == at && reached.reach(previous+1) != at {
				Fail(zone.String() + " is not leapt at " + time.Unix(second, 0).UTC().String())
			}
		}
	}
}

var _ = Describe("the monotone clock", func() {
	DescribeTable("goes as the zone's own, and never back",
		func(name string, from, until int) {
			zone, err := time.LoadLocation(name)
			Expect(err).NotTo(HaveOccurred())
			walk(zone, from, until, 15*60)
		},
		Entry("Europe/London", "Europe/London", 2023, 2030),
		Entry("America/New_York", "America/New_York", 2023, 2030),
		Entry("beyond the table of a zone", "America/New_York", 2095, 2101),
		Entry("a half hour", "Australia/Lord_Howe", 2023, 2030),
		Entry("summer over the new year", "Australia/Sydney", 2023, 2030),
		Entry("a day left out", "Pacific/Apia", 2009, 2014),
		Entry("a day twice", "Pacific/Kwajalein", 1969, 1970),
		Entry("clocks that go back at midnight", "America/Sao_Paulo", 2015, 2021),
		Entry("clocks that go back at one", "America/Havana", 2023, 2030),
		Entry("summer time less than standard time", "Africa/Casablanca", 2023, 2030),
		Entry("Irish winter", "Europe/Dublin", 2023, 2030),
		Entry("no change", "Asia/Kathmandu", 2023, 2026),
		Entry("many changes", "Antarctica/Troll", 2010, 2030),
		Entry("changes within days", "Africa/Cairo", 2009, 2030),
		Entry("a change of the offset for good", "America/Nuuk", 2020, 2030),
		Entry("UTC", "UTC", 2023, 2026),
	)

	It("answers at the ends of time", func() {
		zone, err := time.LoadLocation("Europe/London")
		Expect(err).NotTo(HaveOccurred())
		k := clock{zone: zone}
		Expect(k.read(earliest)).To(Equal(earliest - 75))
		Expect(k.reach(always)).To(Equal(always))
		Expect(k.reach(forever)).To(Equal(forever))
		Expect(k.reach(k.read(latest))).To(BeNumerically("~", latest, secondsPerHour))
	})
})
