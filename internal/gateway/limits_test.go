// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/gateway"
)

// from says which address a proxy in front saw.
func from(address string) []string { return []string{"X-Forwarded-For", address} }

var _ = Describe("A flood", func() {
	bad := func(w *world, headers ...string) answered {
		return w.deliver(helpUID, "secret-guessed", eventsOf(""), headers...)
	}
	good := func(w *world, headers ...string) answered {
		return w.deliver(helpUID, "secret-help", eventsOf(""), headers...)
	}
	tight := func(o *gateway.Options) {
		o.Limits.UnverifiedPerSecond, o.Limits.UnverifiedBurst = 0.5, 3
		o.Limits.EventsPerSecond, o.Limits.EventsBurst = 0.1, 4
	}

	It("of bad signatures ends for its source, and takes nothing from the good", func() {
		w := newWorld(tight)
		for range 3 {
			Expect(bad(w, from("203.0.113.7")...).status).To(Equal(http.StatusUnauthorized))
		}
		got := bad(w, from("203.0.113.7")...)
		Expect(got.status).To(Equal(http.StatusTooManyRequests))
		Expect(got.header.Get("Retry-After")).To(Equal("2"))
		for range 4 {
			Expect(good(w, from("198.51.100.1")...).status).To(Equal(http.StatusAccepted))
		}
		Expect(bad(w, from("198.51.100.1")...).status).To(Equal(http.StatusUnauthorized), "another source")
		w.SetTime(start.Add(2 * time.Second))
		Expect(bad(w, from("203.0.113.7")...).status).To(Equal(http.StatusUnauthorized), "after a while")
	})

	It("of handshakes ends as well", func() {
		w := newWorld(tight)
		statuses := map[int]int{}
		for range 10 {
			statuses[w.send(http.MethodGet, path(helpUID)+"?challenge=abc", "", from("203.0.113.7")...).status]++
		}
		Expect(statuses).To(Equal(map[int]int{http.StatusOK: 3, http.StatusTooManyRequests: 7}))
	})

	It("is told from the good by the source, where a proxy says it, and else not ended", func() {
		w := newWorld(tight)
		for range 20 {
			Expect(bad(w).status).To(Equal(http.StatusUnauthorized))
		}
		Expect(good(w).status).To(Equal(http.StatusAccepted))
	})

	It("is not ended for another callback", func() {
		w := newWorld(tight)
		for range 5 {
			bad(w, from("203.0.113.7")...)
		}
		Expect(w.deliver(newsUID, "secret-guessed", eventsOf(""), from("203.0.113.7")...).status).To(Equal(http.StatusUnauthorized))
	})

	It("of good deliveries is put off, so that the platform sends them later", func() {
		w := newWorld(tight)
		for range 4 {
			Expect(good(w).status).To(Equal(http.StatusAccepted))
		}
		got := good(w)
		Expect(got.status).To(Equal(http.StatusTooManyRequests))
		Expect(got.header.Get("Retry-After")).To(Equal("10"))
		Expect(w.sink.events).To(HaveLen(4))
		Expect(w.deliver(newsUID, "secret-news", eventsOf("")).status).To(Equal(http.StatusAccepted), "another callback")
		w.SetTime(start.Add(10 * time.Second))
		Expect(good(w).status).To(Equal(http.StatusAccepted))
	})

	It("counts events, and lets a delivery of more than the limit through when nothing else came", func() {
		w := newWorld(tight)
		accounts := strings.Split(strings.Repeat("account-shop,", 9), ",")[:9]
		Expect(w.deliver(pagesUID, "secret-app", eventsOf(accounts...)).status).To(Equal(http.StatusAccepted))
		Expect(w.deliver(pagesUID, "secret-app", eventsOf("account-shop")).status).To(Equal(http.StatusTooManyRequests))
	})

	It("from ever new sources is counted in bounded room", func() {
		w := newWorld(func(o *gateway.Options) {
			tight(o)
			o.Limits.Remembered = 2
		})
		for i := range 50 {
			Expect(bad(w, from(fmt.Sprintf("203.0.113.%d", i))...).status).To(Equal(http.StatusUnauthorized))
		}
	})
})

var _ = DescribeTable("Two requests with X-Forwarded-For", func(alike bool, first, second []string) {
	w := newWorld(func(o *gateway.Options) {
		o.Limits.UnverifiedPerSecond, o.Limits.UnverifiedBurst = 0.001, 1
		o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")}
	})
	send := func(headers []string) int {
		var list []string
		for _, value := range headers {
			list = append(list, from(value)...)
		}
		return w.deliver(helpUID, "secret-guessed", eventsOf(""), list...).status
	}
	Expect(send(first)).To(Equal(http.StatusUnauthorized))
	expected := http.StatusUnauthorized
	if alike {
		expected = http.StatusTooManyRequests
	}
	Expect(send(second)).To(Equal(expected))
},
	Entry("of one source", true, []string{"203.0.113.7"}, []string{"203.0.113.7"}),
	Entry("of two sources", false, []string{"203.0.113.7"}, []string{"203.0.113.8"}),
	Entry("whose sender puts something before", true, []string{"203.0.113.7"}, []string{"192.0.2.1, 203.0.113.7"}),
	Entry("whose sender puts a header before", true, []string{"203.0.113.7"}, []string{"192.0.2.1", "203.0.113.7"}),
	Entry("through a private proxy", true, []string{"203.0.113.7"}, []string{"203.0.113.7, 10.0.0.1,fd00::1"}),
	Entry("through a proxy of the cluster", true, []string{"203.0.113.7"}, []string{"203.0.113.7, 100.64.3.4"}),
	Entry("through a proxy that is named", true, []string{"203.0.113.7"}, []string{"203.0.113.7, 198.18.5.5"}),
	Entry("through two proxies that are not", false, []string{"203.0.113.7, 192.0.2.1"}, []string{"203.0.113.7, 192.0.2.2"}),
	Entry("of one network of IPv6", true, []string{"2001:db8:1:2::1"}, []string{"2001:db8:1:2:ffff::9"}),
	Entry("of two networks of IPv6", false, []string{"2001:db8:1:2::1"}, []string{"2001:db8:1:3::1"}),
	Entry("in the two ways to write IPv4", true, []string{"203.0.113.7"}, []string{"::ffff:203.0.113.7"}),
	Entry("of proxies alone", false, []string{"10.0.0.1"}, []string{"10.0.0.1"}),
	Entry("that are no addresses", false, []string{"nobody"}, []string{"nobody"}),
	Entry("that are empty", false, []string{""}, []string{","}),
)
