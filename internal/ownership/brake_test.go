// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/ownership"
)

var _ = Describe("The brake", func() {
	quarter := ownership.Brake{Percent: 25, Floor: 5}

	DescribeTable("bounds how many lose theirs at once",
		func(brake ownership.Brake, total, limit int) { Expect(brake.Limit(total)).To(Equal(limit)) },
		Entry("a few", quarter, 8, 5),
		Entry("just as many as the floor", quarter, 20, 5),
		Entry("many", quarter, 178, 44),
		Entry("none at all", quarter, 0, 5),
		Entry("not set", ownership.Brake{}, 100, -1),
		Entry("set to everything", ownership.Brake{Percent: 100, Floor: 5}, 100, -1),
	)

	DescribeTable("stops what is too much",
		func(r ownership.Removals, halts bool) { Expect(quarter.Halts(r)).To(Equal(halts)) },
		Entry("as many as may", ownership.Removals{Total: 100, Pending: 25}, false),
		Entry("one more", ownership.Removals{Total: 100, Pending: 26}, true),
		Entry("one more, some of which are gone already", ownership.Removals{Total: 100, Pending: 6, Recent: 20}, true),
		Entry("what was stopped before, however few are left", ownership.Removals{Total: 100, Pending: 1, Halted: 1}, true),
		Entry("nothing", ownership.Removals{Total: 100, Recent: 90}, false),
	)

	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	DescribeTable("is released by a time that is not long ago",
		func(annotation string, confirmed bool) {
			Expect(ownership.Confirmed(annotation, now)).To(Equal(confirmed))
		},
		Entry("now", "2026-11-22T09:00:00Z", true),
		Entry("a moment ahead, by another clock", "2026-11-22T09:00:30Z", true),
		Entry("in this hour, in another zone", "2026-11-22T09:30:00+01:00", true),
		Entry("an hour ago", "2026-11-22T08:00:00Z", false),
		Entry("next year", "2027-11-22T09:00:00Z", false),
		Entry("not a time", "yes", false),
		Entry("not there", "", false),
	)
})
