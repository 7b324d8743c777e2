// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/hook"
)

// madeAt gives a record whose newest secret was first seen at an instant.
func madeAt(made time.Time, uid string, secrets ...string) hook.Record {
	record := recordOf(uidA, uid, "account-"+uid, secrets...)
	record.Made = made
	return record
}

func callbackOf(records ...hook.Record) *hook.Callback {
	book := hook.NewBook()
	for _, record := range records {
		book.Put(record.ChannelUID, record)
	}
	return book.Callback(uidA)
}

var _ = Describe("An application's secret that was replaced", Label("S13"), func() {
	const day = 24 * time.Hour
	overlap := noon.Add(time.Hour)
	// rotated is a channel that has seen the new secret, and registered it.
	rotated := func() hook.Record {
		record := madeAt(noon, "1", "new", "old")
		record.Keys[1].Until = overlap
		return record
	}
	dropped := func() hook.Record { return madeAt(noon, "1", "new") }
	asleep := func() hook.Record { return madeAt(noon.Add(-30*day), "2", "old") }

	It("is refused after the overlap, also for a channel that is suspended with it", func() {
		callback := callbackOf(rotated(), asleep())
		Expect(secretsOf(callback, overlap.Add(-time.Second))).To(Equal([]string{"new", "old"}))
		Expect(secretsOf(callback, overlap)).To(Equal([]string{"new"}))
		Expect(secretsOf(callbackOf(dropped(), asleep()), overlap)).To(Equal([]string{"new"}))
	})

	It("leaves the channel that is suspended its events", func() {
		callback := callbackOf(dropped(), asleep())
		record, ok := callback.OfAccount("account-2")
		Expect(ok).To(BeTrue())
		Expect(record.ChannelUID).To(Equal("2"))
		Expect(record.Digest(key)).To(Equal(asleep().Digest(key)), "it is asked for what it has")
		Expect(record.Keys[0].Until).To(BeZero())
	})

	It("stays refused when the channel wakes up, and sees that it was replaced", func() {
		woken := madeAt(noon.Add(9*day), "2", "new", "old")
		Expect(secretsOf(callbackOf(dropped(), woken), noon.Add(9*day))).To(Equal([]string{"new"}))
		woken.Keys[1].Until = noon.Add(9*day + time.Hour)
		Expect(secretsOf(callbackOf(dropped(), woken), noon.Add(9*day))).To(Equal([]string{"new"}))
	})

	It("stays in force while no channel has registered the new one", func() {
		waiting := madeAt(noon, "1", "new", "old")
		Expect(secretsOf(callbackOf(waiting, asleep()), noon.Add(day))).To(Equal([]string{"new", "old"}))
	})

	It("ends with the channel that registered the new one, though the one that saw it first cannot", func() {
		dead := madeAt(noon.Add(-time.Minute), "3", "new", "old")
		callback := callbackOf(dead, rotated(), asleep())
		Expect(secretsOf(callback, overlap.Add(-time.Second))).To(ContainElement("old"))
		Expect(secretsOf(callback, overlap)).To(Equal([]string{"new"}))
	})

	It("has its whole overlap though a channel is added meanwhile", func() {
		added := madeAt(noon.Add(10*time.Minute), "0", "new")
		callback := callbackOf(added, rotated(), asleep())
		Expect(secretsOf(callback, overlap.Add(-time.Second))).To(ContainElement("old"))
		Expect(secretsOf(callback, overlap)).To(Equal([]string{"new"}))
	})

	It("ends shortly after a channel is added that never had it, where no other is awake", func() {
		callback := callbackOf(madeAt(noon, "1", "new"), asleep())
		Expect(secretsOf(callback, noon.Add(time.Minute))).To(Equal([]string{"new", "old"}))
		Expect(secretsOf(callback, noon.Add(5*time.Minute))).To(Equal([]string{"new"}))
	})

	It("that is two replacements old is refused too", func() {
		first, second := madeAt(noon.Add(-60*day), "3", "oldest"), asleep()
		Expect(secretsOf(callbackOf(rotated(), second, first), noon.Add(day))).To(Equal([]string{"new"}))
	})

	It("may be taken back into use", func() {
		back := madeAt(noon, "1", "old", "wrong")
		back.Keys[1].Until = overlap
		Expect(secretsOf(callbackOf(back, asleep()), noon.Add(day))).To(Equal([]string{"old"}))
	})

	It("is not judged by records that were made at once: clocks differ", func() {
		late := madeAt(noon.Add(time.Minute), "2", "old")
		Expect(secretsOf(callbackOf(dropped(), late), noon.Add(day))).To(ConsistOf("new", "old"))
	})

	DescribeTable("is not judged by or for a record", func(change func(*hook.Record)) {
		for _, changed := range []int{0, 1} {
			records := []hook.Record{dropped(), asleep()}
			change(&records[changed])
			Expect(secretsOf(callbackOf(records...), noon.Add(day))).To(ConsistOf("new", "old"))
		}
	},
		Entry("that does not say when it was made", func(r *hook.Record) { r.Made = time.Time{} }),
		Entry("whose keys are Rostra's own", func(r *hook.Record) { r.Fresh = true }),
		Entry("of whose keys the platform told one", func(r *hook.Record) { r.Learnt = []string{"secret"} }),
	)

	It("leaves always something in force", func() {
		Expect(secretsOf(callbackOf(asleep(), madeAt(noon.Add(-30*day), "3", "old")), noon.Add(day))).To(Equal([]string{"old"}))
		Expect(secretsOf(callbackOf(asleep()), noon.Add(day))).To(Equal([]string{"old"}))
	})
})

var _ = Describe("Two channels that say to hold one account", func() {
	It("leave its events to the one whose keys were made last", func() {
		for _, later := range []string{"1", "2"} {
			one, other := madeAt(noon, "1", "s"), madeAt(noon, "2", "s")
			one.AccountID, other.AccountID = "both", "both"
			if later == "1" {
				one.Made = noon.Add(time.Hour)
			} else {
				other.Made = noon.Add(time.Hour)
			}
			record, ok := callbackOf(one, other).OfAccount("both")
			Expect(ok).To(BeTrue())
			Expect(record.ChannelUID).To(Equal(later))
		}
	})
})

var _ = Describe("The callback of an application", func() {
	It("is one, whoever uses it, and another for another application", func() {
		id := hook.ApplicationID("Meta", "https://graph.example", "acme")
		Expect(hook.ApplicationID("Meta", "https://graph.example", "acme")).To(Equal(id))
		Expect(hook.ApplicationID("Meta", "https://Graph.example:443/", "acme")).To(Equal(id), "however the server is written")
		for _, other := range []string{
			hook.ApplicationID("X", "https://graph.example", "acme"),
			hook.ApplicationID("Meta", "https://graph.example2", "acme"),
			hook.ApplicationID("Meta", "https://graph.example", "acme2"),
			hook.ApplicationID("Meta", "https://graph.examplea", "cme"),
		} {
			Expect(other).NotTo(Equal(id))
		}
	})

	It("has a token like a UID's, and can be none that the API server gives", func() {
		id := hook.ApplicationID("Meta", "https://graph.example", "acme")
		Expect(id).To(MatchRegexp(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`))
		parsed, ok := hook.ParseToken(key, hook.Token(key, id))
		Expect(ok).To(BeTrue())
		Expect(parsed).To(Equal(id))
	})
})
