// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// refusedError says which rule an address breaks. It does not name the address,
// which may differ from try to try where DNS gives several.
type refusedError struct{ what string }

func (e *refusedError) Error() string {
	return "refused to connect: the host's address is " + e.what
}

// egress judges addresses. Its base is the IANA special-purpose registries, as
// kept by the ssrf module; what that module leaves open is decided here:
// metadata outranks an allowed range, IPv4 inside IPv6 is judged as IPv4, and
// plain http needs an allowed range.
type egress struct {
	special  *ssrf.Guardian
	allowed  []netip.Prefix
	metadata map[netip.Addr]struct{}
	nat64    netip.Prefix
}

func newEgress(allowed []netip.Prefix) (*egress, error) {
	e := &egress{
		special:  ssrf.New(ssrf.WithAnyPort()),
		metadata: metadataAddresses(),
		nat64:    netip.MustParsePrefix("64:ff9b::/96"), // RFC 6052, section 2.1
	}
	for _, prefix := range allowed {
		switch {
		case !prefix.IsValid():
			return nil, errors.New("an allowed address range is not valid: write it like 10.20.0.0/16")
		case prefix.Bits() == 0:
			return nil, fmt.Errorf("the allowed address range %s covers every address: name the ranges that are needed", prefix)
		case prefix.Addr().Is4In6():
			return nil, fmt.Errorf("the allowed address range %s is IPv4 written as IPv6: write it as IPv4", prefix)
		}
		e.allowed = append(e.allowed, prefix.Masked())
	}
	return e, nil
}

// metadataAddresses are those at which clouds hand credentials to whoever asks
// from inside: each vendor's documentation names its own.
func metadataAddresses() map[netip.Addr]struct{} {
	addresses := make(map[netip.Addr]struct{})
	for _, text := range []string{
		"169.254.169.254", // AWS, Azure, Google Cloud, DigitalOcean, Hetzner, OpenStack, Oracle
		"169.254.170.2",   // AWS ECS task credentials
		"169.254.170.23",  // AWS EKS pod identity
		"169.254.42.42",   // Scaleway
		"169.254.0.23",    // Tencent Cloud
		"100.100.100.200", // Alibaba Cloud
		"192.0.0.192",     // Oracle Cloud Classic
		"168.63.129.16",   // Azure host agent; a public address by registry
		"fd00:ec2::254",   // AWS
		"fd00:ec2::23",    // AWS EKS pod identity
		"fd20:ce::254",    // Google Cloud
		"fd00:42::42",     // Scaleway
		"fe80::a9fe:a9fe", // OpenStack
	} {
		addresses[netip.MustParseAddr(text)] = struct{}{}
	}
	return addresses
}

// judge gives nil where addr may be dialled, and the refusal otherwise. plain
// says that the connection will not be encrypted.
func (e *egress) judge(addr netip.Addr, plain bool) error {
	addr = addr.WithZone("")
	target := addr.Unmap()
	translated := e.nat64.Contains(addr)
	if translated {
		bits := addr.As16()
		target = netip.AddrFrom4([4]byte(bits[12:]))
	}
	if _, found := e.metadata[target]; found && !e.names(target) {
		return &refusedError{"a cloud metadata service, which hands out credentials"}
	}
	if translated && !e.allows(addr) {
		return &refusedError{"IPv4 behind NAT64, which the administrator has not allowed"}
	}
	switch {
	case e.allows(target):
		return nil
	case addr.Is4In6():
		return &refusedError{"IPv4 written as IPv6"}
	case e.special.SafeAddr(target) != nil:
		return &refusedError{describeAddr(target) + "; an administrator can allow its range"}
	case plain:
		return &refusedError{"public and the URL is plain http: use https, so that credentials do not travel in clear"}
	}
	return nil
}

func (e *egress) allows(addr netip.Addr) bool {
	return slices.ContainsFunc(e.allowed, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// names tells whether addr is allowed by itself, as a /32 or a /128.
func (e *egress) names(addr netip.Addr) bool {
	return slices.ContainsFunc(e.allowed, func(p netip.Prefix) bool { return p.IsSingleIP() && p.Addr() == addr })
}

func describeAddr(addr netip.Addr) string {
	switch {
	case addr.IsUnspecified():
		return "unspecified"
	case addr.IsLoopback():
		return "loopback"
	case addr.IsPrivate():
		return "private"
	case addr.IsLinkLocalUnicast():
		return "link-local"
	case addr.IsMulticast():
		return "multicast"
	case netip.MustParsePrefix("100.64.0.0/10").Contains(addr):
		return "carrier-grade NAT (RFC 6598)"
	default:
		return "set aside for special use (IANA)"
	}
}

// dialers makes connections whose address was judged. The judgement sits
// between the choice of an address and connect(2), so no later DNS answer can
// change it.
type dialers struct {
	plain, secure *net.Dialer
	tls           *tls.Config
	limit         time.Duration
}

func newDialers(e *egress, resolver *net.Resolver, config *tls.Config, limit time.Duration) *dialers {
	dialer := func(plain bool) *net.Dialer {
		return &net.Dialer{
			Timeout:  limit,
			Resolver: resolver,
			ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
				target, err := netip.ParseAddrPort(address)
				if err != nil {
					return &refusedError{"not an IP address"}
				}
				return e.judge(target.Addr(), plain)
			},
		}
	}
	return &dialers{plain: dialer(true), secure: dialer(false), tls: config, limit: limit}
}

// dialPlain is the transport's way to http servers.
func (d *dialers) dialPlain(ctx context.Context, network, address string) (net.Conn, error) {
	return dial(ctx, d.plain, network, address)
}

// dialTLS is the transport's way to https servers. The handshake is made here
// and not in the transport so that its failure can be told from others.
func (d *dialers) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	conn, err := dial(ctx, d.secure, network, address)
	if err != nil {
		return nil, err
	}
	config := d.tls.Clone()
	config.ServerName, _, err = net.SplitHostPort(address)
	if err != nil {
		return nil, errors.Join(&stageError{stageDial, err}, conn.Close())
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(&stageError{stageTLS, err}, conn.Close())
	}
	return secure, nil
}

func dial(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, &stageError{stageDial, err}
	}
	return conn, nil
}
