// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/rostra-dev/rostra/internal/hook"
)

func recordOf(hookID, uid, account string, secrets ...string) hook.Record {
	record := hook.Record{Platform: "Meta", Server: "https://graph.example", HookID: hookID, Channel: "social/" + uid, ChannelUID: uid, AccountID: account}
	for _, secret := range secrets {
		record.Keys = append(record.Keys, hook.KeySet{Values: values("secret", secret)})
	}
	return record
}

func secretsOf(callback *hook.Callback, now time.Time) []string {
	var secrets []string
	for _, keys := range callback.InForce(now) {
		secrets = append(secrets, keys.Get("secret"))
	}
	return secrets
}

var _ = Describe("A book", func() {
	It("finds the records of a callback in the order of the channels' UIDs", func() {
		book := hook.NewBook()
		book.Put("z", recordOf(uidA, "1", "one", "s"))
		book.Put("a", recordOf(uidA, "2", "two", "s"))
		book.Put("m", recordOf(uidB, uidB, "three", "s"))
		Expect(uidsOf(book.Find(uidA))).To(Equal([]string{"1", "2"}))
		Expect(uidsOf(book.Find(uidB))).To(Equal([]string{uidB}))
		Expect(book.Find("")).To(BeEmpty())
		Expect(book.Callback("")).To(BeNil())
	})

	It("moves a record that changes its callback", func() {
		book := hook.NewBook()
		book.Put("a", recordOf(uidA, "1", "one", "s"))
		Expect(book.Find(uidA)).To(HaveLen(1))
		book.Put("a", recordOf(uidB, "1", "one", "s"))
		Expect(book.Find(uidA)).To(BeEmpty())
		Expect(book.Callback(uidA)).To(BeNil())
		Expect(book.Find(uidB)).To(HaveLen(1))
		book.Remove("a")
		book.Remove("a")
		Expect(book.Callback(uidB)).To(BeNil())
	})

	It("knows whose callback it is", func() {
		book := hook.NewBook()
		book.Put("own", recordOf(uidB, uidB, "three", "s"))
		book.Put("a", recordOf(uidA, "1", "one", "s"))
		book.Put("b", recordOf(uidA, "2", "", "s"))
		own, shared := book.Callback(uidB), book.Callback(uidA)
		Expect(own.Segment).To(Equal("meta"))
		owner, ok := own.Owner()
		Expect(ok).To(BeTrue())
		Expect(owner.ChannelUID).To(Equal(uidB))
		_, ok = shared.Owner()
		Expect(ok).To(BeFalse())
		record, ok := shared.OfAccount("one")
		Expect(ok).To(BeTrue())
		Expect(record.ChannelUID).To(Equal("1"))
		_, ok = shared.OfAccount("")
		Expect(ok).To(BeFalse(), "a channel whose account is not known yet gets nobody's events")
		_, ok = shared.OfAccount("three")
		Expect(ok).To(BeFalse())
		record, ok = shared.OfChannel("2")
		Expect(ok).To(BeTrue())
		Expect(record.ChannelUID).To(Equal("2"))
		_, ok = shared.OfChannel("3")
		Expect(ok).To(BeFalse())
	})

	It("joins the keys of a callback: each once, newest first, as long as any record has them", func() {
		book := hook.NewBook()
		first, second := recordOf(uidA, "1", "one", "new", "old"), recordOf(uidA, "2", "two", "old", "older", "oldest")
		first.Keys[1].Until = noon
		second.Keys[1].Until, second.Keys[2].Until = noon.Add(time.Minute), noon
		third := recordOf(uidA, "3", "three", "new", "older")
		third.Keys[1].Until = noon.Add(time.Hour)
		book.Put("1", first)
		book.Put("2", second)
		book.Put("3", third)
		callback := book.Callback(uidA)
		Expect(secretsOf(callback, noon.Add(-time.Second))).To(Equal([]string{"new", "old", "older", "oldest"}))
		Expect(secretsOf(callback, noon.Add(time.Minute))).To(Equal([]string{"new", "old", "older"}), "the longest counts")
		Expect(secretsOf(callback, noon.Add(time.Hour))).To(Equal([]string{"new", "old"}), "without end counts most")
		Expect(first.Keys[1].Until).To(Equal(noon), "records stay as they are")
	})

	It("gives a callback that never changes", func() {
		book := hook.NewBook()
		book.Put("a", recordOf(uidA, "1", "one", "s"))
		before := book.Callback(uidA)
		Expect(book.Callback(uidA)).To(BeIdenticalTo(before))
		book.Put("b", recordOf(uidA, "2", "two", "s"))
		_, ok := before.OfAccount("two")
		Expect(ok).To(BeFalse())
		Expect(book.Find(uidA)).To(HaveLen(2))
	})

	It("may be read and written at once", func() {
		book := hook.NewBook()
		var group sync.WaitGroup
		for worker := range 4 {
			group.Go(func() {
				for i := range 200 {
					name := fmt.Sprint((i + worker) % 7)
					book.Put(name, recordOf(uidA, name, name, "s"))
					book.Find(uidA)
					book.Remove(name)
				}
			})
		}
		group.Wait()
		Expect(book.Find(uidA)).To(BeEmpty())
	})
})

func uidsOf(records []hook.Record) []string {
	var uids []string
	for _, record := range records {
		uids = append(uids, record.ChannelUID)
	}
	return uids
}

// TestBookAgainstAList compares the index with a walk over all records.
func TestBookAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book, list := hook.NewBook(), map[string]hook.Record{}
		small := rapid.SampledFrom([]string{"1", "2", "3", "4"})
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				name, record := small.Draw(t, "name"), recordOf(small.Draw(t, "hook"), small.Draw(t, "uid"), "x", "s")
				record.Channel += name
				book.Put(name, record)
				list[name] = record
			},
			"remove": func(t *rapid.T) {
				name := small.Draw(t, "name")
				book.Remove(name)
				delete(list, name)
			},
			"retain": func(t *rapid.T) {
				kept := map[string]struct{}{small.Draw(t, "one"): {}, small.Draw(t, "other"): {}}
				book.Retain(kept)
				for name := range list {
					if _, ok := kept[name]; !ok {
						delete(list, name)
					}
				}
			},
			"": func(t *rapid.T) {
				for _, hookID := range []string{"1", "2", "3", "4", "5"} {
					var expected, got []string
					for _, record := range list {
						if record.HookID == hookID {
							expected = append(expected, record.ChannelUID+" "+record.Channel)
						}
					}
					slices.Sort(expected)
					for _, record := range book.Find(hookID) {
						got = append(got, record.ChannelUID+" "+record.Channel)
					}
					if !slices.Equal(expected, got) {
						t.Fatalf("callback %s: expected %v, got %v", hookID, expected, got)
					}
				}
			},
		})
	})
}

// BenchmarkPut puts records of one callback, as when a gateway starts, and
// finds it once at the end.
//
//	go test -run '^$' -bench . ./internal/hook
func BenchmarkPut(b *testing.B) {
	for _, count := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("records=%d", count), func(b *testing.B) {
			var records []hook.Record
			for i := range count {
				records = append(records, recordOf(uidA, fmt.Sprint(i), fmt.Sprint(i), "s"))
			}
			for b.Loop() {
				book := hook.NewBook()
				for i := range records {
					book.Put(records[i].ChannelUID, records[i])
				}
				if len(book.Find(uidA)) != count {
					b.Fatal("records are missing")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/record")
		})
	}
}

func BenchmarkParseToken(b *testing.B) {
	token := hook.Token(key, uidA)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := hook.ParseToken(key, token); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkCallback(b *testing.B) {
	book := hook.NewBook()
	for i := range 10_000 {
		book.Put(fmt.Sprint(i), recordOf(uidA, fmt.Sprint(i), fmt.Sprint(i), "s"))
	}
	b.ReportAllocs()
	for b.Loop() {
		book.Callback(uidA).InForce(noon)
	}
}
