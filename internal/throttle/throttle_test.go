// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package throttle_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/throttle"
)

func TestThrottle(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Throttle")
}

// from is a request over a connection with that other end.
func from(remoteAddress string) *http.Request {
	return (&http.Request{RemoteAddr: remoteAddress}).WithContext(context.Background())
}

var _ = Describe("A throttle", func() {
	var clock *clocktesting.FakePassiveClock
	var throttled *throttle.Throttle
	BeforeEach(func() {
		clock = clocktesting.NewFakePassiveClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
		throttled = throttle.New(clock, throttle.Paces{
			Overall: throttle.Pace{Every: time.Second, Burst: 5},
			Source:  throttle.Pace{Every: time.Second, Burst: 3},
			Subject: throttle.Pace{Every: time.Minute, Burst: 1},
		})
	})

	It("holds one subject back, whoever asks, and costs others nothing", func() {
		Expect(throttled.Allow(from("192.0.2.1:1"), "a")).To(BeTrue())
		for range 10 {
			Expect(throttled.Allow(from("192.0.2.2:1"), "a")).To(BeFalse())
		}
		Expect(throttled.Allow(from("192.0.2.2:1"), "b")).To(BeTrue())
		clock.SetTime(clock.Now().Add(time.Minute))
		Expect(throttled.Allow(from("192.0.2.2:1"), "a")).To(BeTrue())
	})

	DescribeTable("holds one source back", func(others string, allowed bool) {
		for _, subject := range []string{"a", "b", "c"} {
			Expect(throttled.Allow(from("[2001:db8::1]:1"), subject)).To(BeTrue())
		}
		Expect(throttled.Allow(from(others), "d")).To(Equal(allowed))
	},
		Entry("on another port", "[2001:db8::1]:2", false),
		Entry("in the same network", "[2001:db8::2]:1", false),
		Entry("but no other network", "[2001:db8:0:1::1]:1", true),
		Entry("nor an address of version 4", "192.0.2.1:1", true),
	)

	It("goes by the source that is known better, not by who is connected", func() {
		const proxy = "10.0.0.1:1"
		via := func(source string) *http.Request {
			return from(proxy).WithContext(throttle.WithSource(context.Background(), source))
		}
		for _, subject := range []string{"a", "b", "c"} {
			Expect(throttled.Allow(via("203.0.113.7"), subject)).To(BeTrue())
		}
		Expect(throttled.Allow(via("203.0.113.7"), "d")).To(BeFalse())
		Expect(throttled.Allow(via("203.0.113.8"), "e")).To(BeTrue(), "another, through the same proxy")
	})

	It("limits no source that cannot be told from others", func() {
		unknown := from("10.0.0.1:1").WithContext(throttle.WithSource(context.Background(), ""))
		for _, subject := range []string{"a", "b", "c", "d", "e"} {
			Expect(throttled.Allow(unknown, subject)).To(BeTrue())
		}
		Expect(throttled.Allow(unknown, "f")).To(BeFalse(), "all together")
	})

	It("holds all together back", func() {
		for i := range 5 {
			Expect(throttled.Allow(from("192.0.2."+string(rune('1'+i))+":1"), string(rune('a'+i)))).To(BeTrue())
		}
		Expect(throttled.Allow(from("192.0.2.9:1"), "z")).To(BeFalse())
	})
})
