// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package hook_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/rostra-dev/rostra/internal/hook"
)

func complete() hook.Record {
	return hook.Record{
		Platform: "Mastodon", Server: "https://social.example", HookID: uidA, Channel: "social/help", ChannelUID: uidA, AccountID: "109",
		Keys: []hook.KeySet{
			{Values: values("private-key", "new\x00\xff", "auth", "b")},
			{Values: values("private-key", "old"), Until: noon},
		},
		Made: noon, Fresh: true, Learnt: []string{"auth"},
	}
}

// shown writes a record with its secrets, to compare.
func shown(record hook.Record) string {
	text := fmt.Sprintf("%q %q %q %q %q %q", record.Platform, record.Server, record.HookID, record.Channel, record.ChannelUID, record.AccountID)
	text += fmt.Sprintf(" made %d, fresh %t, learnt %q", record.Made.Unix(), record.Fresh, record.Learnt)
	for _, set := range record.Keys {
		text += fmt.Sprintf(" until %d:", set.Until.Unix())
		for _, name := range slices.Sorted(maps.Keys(set.Values)) {
			text += fmt.Sprintf(" %q=%q", name, set.Values.Get(name))
		}
	}
	return text
}

var _ = Describe("A record", func() {
	It("is the same after it was in a Secret", func() {
		decoded, err := hook.Decode(complete().Encode())
		Expect(err).NotTo(HaveOccurred())
		Expect(shown(decoded)).To(Equal(shown(complete())))
	})

	It("makes fields that a Secret takes", func() {
		for field := range complete().Encode() {
			Expect(validation.IsConfigMapKey(field)).To(BeEmpty())
		}
	})

	It("keeps the newest four keys", func() {
		record := complete()
		for i := range 6 {
			record.Keys = append(record.Keys, hook.KeySet{Values: values("private-key", fmt.Sprint(i)), Until: noon})
		}
		decoded, err := hook.Decode(record.Encode())
		Expect(err).NotTo(HaveOccurred())
		Expect(decoded.Keys).To(HaveLen(4))
		Expect(decoded.Keys[0].Values.Get("auth")).To(Equal("b"))
		Expect(decoded.Keys[3].Values.Get("private-key")).To(Equal("1"))
	})

	It("keeps those that the platform has, though many have come since that were never registered", func() {
		record := complete()
		record.Keys = []hook.KeySet{
			{Values: values("secret", "6")},
			{Values: values("secret", "5")},
			{Values: values("secret", "4")},
			{Values: values("secret", "3")},
			{Values: values("secret", "registered")},
			{Values: values("secret", "0"), Until: noon},
		}
		decoded, err := hook.Decode(record.Encode())
		Expect(err).NotTo(HaveOccurred())
		var left []string
		for _, set := range decoded.Keys {
			left = append(left, set.Values.Get("secret"))
		}
		Expect(left).To(Equal([]string{"6", "5", "registered", "0"}))
	})

	It("may be without what older ones do not have", func() {
		data := complete().Encode()
		for _, field := range []string{"made", "fresh", "learnt"} {
			delete(data, field)
		}
		decoded, err := hook.Decode(data)
		Expect(err).NotTo(HaveOccurred())
		Expect(decoded.Made).To(BeZero())
		data["made"] = []byte("sesame")
		decoded, err = hook.Decode(data)
		Expect(err).NotTo(HaveOccurred())
		Expect(decoded.Made).To(BeZero())
	})

	It("leaves out what is empty, and keeps what comes after it", func() {
		record := complete()
		record.Keys[0].Values = values("private-key", "")
		decoded, err := hook.Decode(record.Encode())
		Expect(err).NotTo(HaveOccurred())
		Expect(decoded.Keys).To(HaveLen(1))
		Expect(decoded.Keys[0].Values.Get("private-key")).To(Equal("old"))
		Expect(decoded.Keys[0].Until).To(Equal(noon))
	})

	It("tells which keys are in force", func() {
		record := complete()
		Expect(record.InForce(noon.Add(-time.Second))).To(HaveLen(2))
		Expect(record.InForce(noon)).To(HaveLen(1))
		Expect(record.InForce(noon)[0].Get("auth")).To(Equal("b"))
	})

	DescribeTable("is refused", func(change func(map[string][]byte), message string) {
		data := complete().Encode()
		change(data)
		_, err := hook.Decode(data)
		Expect(err).To(MatchError(And(ContainSubstring(message), Not(ContainSubstring("sesame")))))
	},
		Entry("without a platform", func(d map[string][]byte) { delete(d, "platform") }, "lacks the field platform"),
		Entry("without a hook", func(d map[string][]byte) { delete(d, "hook") }, "lacks the field hook"),
		Entry("without a channel", func(d map[string][]byte) { d["channel-uid"] = nil }, "lacks the field channel-uid"),
		Entry("without keys", func(d map[string][]byte) {
			maps.DeleteFunc(d, func(field string, _ []byte) bool { return strings.HasPrefix(field, "keys.") })
		}, "holds no keys"),
		Entry("with an empty key, with which anybody could sign", func(d map[string][]byte) { d["keys.0.value.auth"] = nil }, "an empty key in the field keys.0.value.auth"),
		Entry("with a time that is none", func(d map[string][]byte) { d["keys.1.until"] = []byte("sesame") }, "keys.1.until that is not a time"),
		Entry("empty", func(d map[string][]byte) { clear(d) }, "lacks the field platform"),
	)
})

// FuzzDecode reads fields as "name=content" lines. What is accepted can be
// written and read again, and has keys that are not empty.
func FuzzDecode(f *testing.F) {
	join := func(data map[string][]byte) []byte {
		var lines [][]byte
		for _, field := range slices.Sorted(maps.Keys(data)) {
			lines = append(lines, []byte(field+"="+strings.ReplaceAll(string(data[field]), "\n", "")))
		}
		return bytes.Join(lines, []byte("\n"))
	}
	f.Add(join(complete().Encode()))
	f.Add([]byte("platform=X\nhook=1\nchannel-uid=2\nkeys.0.value.=x\nkeys.00.value.a=b\nkeys.1.until=2026-01-01T00:00:00+14:00\nkeys.1.value.a=c"))
	f.Add([]byte("platform=X\nhook=1\nchannel-uid=2\nkeys.0.value.a=x\nkeys.0.until=9999-12-31T23:59:60Z"))
	f.Add([]byte("platform=X\nhook=1\nchannel-uid=2\nkeys.0.value.a=x\nmade=9999-12-31T23:59:59-01:00\nlearnt=a,,b"))
	f.Add([]byte("platform=X\nhook=1\nchannel-uid=2\nkeys.0.value.a=x\nkeys.0.until=0001-01-01T00:00:00Z"))
	f.Fuzz(func(t *testing.T, text []byte) {
		data := map[string][]byte{}
		for line := range bytes.Lines(text) {
			field, content, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("="))
			data[string(field)] = content
		}
		record, err := hook.Decode(data)
		if err != nil {
			return
		}
		if len(record.Keys) == 0 || len(record.Keys) > 4 {
			t.Fatalf("%d keys", len(record.Keys))
		}
		for _, set := range record.Keys {
			if len(set.Values) == 0 {
				t.Fatal("keys without a value")
			}
			for name, value := range set.Values {
				if value.IsEmpty() {
					t.Fatalf("%q is empty", name)
				}
			}
		}
		again, err := hook.Decode(record.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if shown(again) != shown(record) {
			t.Fatalf("%s became %s", shown(record), shown(again))
		}
	})
}
