// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func judged(addr string, plain bool, allowed ...string) error {
	GinkgoHelper()
	e, err := newEgress(prefixes(allowed...))
	Expect(err).NotTo(HaveOccurred())
	return e.judge(netip.MustParseAddr(addr), plain)
}

var _ = Describe("Address judgement", Label("S25"), func() {
	DescribeTable("refuses special addresses",
		func(addr, wanted string) {
			for _, plain := range []bool{true, false} {
				Expect(judged(addr, plain)).To(MatchError(ContainSubstring(wanted)))
			}
		},
		Entry(nil, "0.0.0.0", "unspecified"),
		Entry(nil, "0.1.2.3", "special use"),
		Entry(nil, "10.0.0.1", "private"),
		Entry(nil, "10.255.255.255", "private"),
		Entry(nil, "100.64.0.1", "carrier-grade NAT"),
		Entry(nil, "100.127.255.254", "carrier-grade NAT"),
		Entry(nil, "100.100.100.200", "metadata"),
		Entry(nil, "127.0.0.1", "loopback"),
		Entry(nil, "127.255.255.254", "loopback"),
		Entry(nil, "168.63.129.16", "metadata"),
		Entry(nil, "169.254.0.1", "link-local"),
		Entry(nil, "169.254.169.254", "metadata"),
		Entry(nil, "169.254.170.2", "metadata"),
		Entry(nil, "172.16.0.1", "private"),
		Entry(nil, "172.31.255.255", "private"),
		Entry(nil, "192.0.0.1", "special use"),
		Entry(nil, "192.0.0.192", "metadata"),
		Entry(nil, "192.0.2.1", "special use"),
		Entry(nil, "192.88.99.1", "special use"),
		Entry(nil, "192.168.0.1", "private"),
		Entry(nil, "198.18.0.1", "special use"),
		Entry(nil, "198.19.255.255", "special use"),
		Entry(nil, "198.51.100.1", "special use"),
		Entry(nil, "203.0.113.1", "special use"),
		Entry(nil, "224.0.0.1", "multicast"),
		Entry(nil, "239.255.255.255", "multicast"),
		Entry(nil, "240.0.0.1", "special use"),
		Entry(nil, "255.255.255.255", "special use"),
		Entry(nil, "::", "unspecified"),
		Entry(nil, "::1", "loopback"),
		Entry(nil, "::ffff:127.0.0.1", "IPv4 written as IPv6"),
		Entry(nil, "::ffff:10.0.0.1", "IPv4 written as IPv6"),
		Entry(nil, "::ffff:8.8.8.8", "IPv4 written as IPv6"),
		Entry(nil, "::ffff:169.254.169.254", "metadata"),
		Entry(nil, "::127.0.0.1", "special use"),
		Entry(nil, "64:ff9b::7f00:1", "NAT64"),
		Entry(nil, "64:ff9b::808:808", "NAT64"),
		Entry(nil, "64:ff9b::a9fe:a9fe", "metadata"),
		Entry(nil, "64:ff9b:1::a00:1", "special use"),
		Entry(nil, "100::1", "special use"),
		Entry(nil, "2001::1", "special use"),
		Entry(nil, "2001:db8::1", "special use"),
		Entry(nil, "2002:7f00:1::1", "special use"),
		Entry(nil, "3fff::1", "special use"),
		Entry(nil, "5f00::1", "special use"),
		Entry(nil, "fc00::1", "private"),
		Entry(nil, "fd12:3456::1", "private"),
		Entry(nil, "fd00:ec2::254", "metadata"),
		Entry(nil, "fd20:ce::254", "metadata"),
		Entry(nil, "fe80::1", "link-local"),
		Entry(nil, "fe80::1%eth0", "link-local"),
		Entry(nil, "fe80::a9fe:a9fe%eth0", "metadata"),
		Entry(nil, "fec0::1", "special use"),
		Entry(nil, "ff02::1", "multicast"),
	)

	DescribeTable("accepts public addresses over TLS, and not in clear",
		func(addr string) {
			Expect(judged(addr, false)).To(Succeed())
			Expect(judged(addr, true)).To(MatchError(ContainSubstring("use https")))
		},
		Entry(nil, "1.1.1.1"),
		Entry(nil, "9.255.255.255"),
		Entry(nil, "11.0.0.1"),
		Entry(nil, "100.63.255.255"),
		Entry(nil, "100.128.0.1"),
		Entry(nil, "126.255.255.255"),
		Entry(nil, "128.0.0.1"),
		Entry(nil, "169.253.255.255"),
		Entry(nil, "172.15.255.255"),
		Entry(nil, "172.32.0.1"),
		Entry(nil, "192.169.0.1"),
		Entry(nil, "223.255.255.255"),
		Entry(nil, "2606:4700:4700::1111"),
		Entry(nil, "2a00:1450:4009::200e"),
	)

	DescribeTable("accepts allowed ranges, in clear too",
		func(addr string, allowed ...string) {
			Expect(judged(addr, true, allowed...)).To(Succeed())
			Expect(judged(addr, false, allowed...)).To(Succeed())
		},
		Entry("private", "10.1.2.3", "10.0.0.0/8"),
		Entry("written with host bits", "10.1.2.3", "10.9.9.9/8"),
		Entry("IPv4 written as IPv6", "::ffff:10.1.2.3", "10.0.0.0/8"),
		Entry("unique local", "fd12::1", "fd12::/16"),
		Entry("link-local with a zone", "fe80::1%eth0", "fe80::/10"),
		Entry("a public one named", "93.184.216.34", "93.184.216.0/24"),
		Entry("metadata by its own name", "169.254.169.254", "169.254.169.254/32"),
		Entry("metadata by its own name, IPv6", "fd00:ec2::254", "fd00:ec2::254/128"),
		Entry("NAT64 with both", "64:ff9b::a01:203", "64:ff9b::/96", "10.0.0.0/8"),
	)

	DescribeTable("keeps to what was allowed",
		func(addr, wanted string, allowed ...string) {
			Expect(judged(addr, false, allowed...)).To(MatchError(ContainSubstring(wanted)))
		},
		Entry("a neighbour", "10.2.0.1", "private", "10.1.0.0/16"),
		Entry("metadata in a broad range", "169.254.169.254", "metadata", "169.254.0.0/16"),
		Entry("metadata in a range of two", "169.254.169.254", "metadata", "169.254.169.254/31"),
		Entry("metadata in a broad range, IPv6", "fd00:ec2::254", "metadata", "fd00::/8"),
		Entry("metadata as IPv6", "::ffff:169.254.169.254", "metadata", "169.254.0.0/16"),
		Entry("a private address behind NAT64", "64:ff9b::a00:1", "private", "64:ff9b::/96"),
		Entry("a private address behind NAT64 that is not allowed", "64:ff9b::a00:1", "NAT64", "10.0.0.0/8"),
		Entry("another metadata service than the one named", "169.254.170.2", "metadata", "169.254.169.254/32"),
	)

	It("accepts public IPv4 behind an allowed NAT64, over TLS alone", func() {
		Expect(judged("64:ff9b::808:808", false, "64:ff9b::/96")).To(Succeed())
		Expect(judged("64:ff9b::808:808", true, "64:ff9b::/96")).To(MatchError(ContainSubstring("use https")))
	})

	It("takes no proxy from the environment", func() {
		e, err := newEgress(nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(newTransport(Options{}, newDialers(e, nil, nil, 0)).Proxy).To(BeNil())
	})
})
