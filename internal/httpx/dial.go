// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"context"
	"net"
)

// Dial connects to address, a host and a port, for a protocol other than HTTP
// under the same rules of egress: the address that DNS gave is judged when the
// connection is made. With plain, the connection will stay unencrypted, which
// only ranges that the administrator allows may be reached by; without it, the
// caller must make it secure (TLS, STARTTLS) before anything secret crosses it.
// It takes no part in the Client's limits and breakers. Every error is an
// *Error, whose Origin is the address.
func (c *Client) Dial(ctx context.Context, address string, plain bool) (net.Conn, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, invalidRequest("the address is not a host and a port")
	}
	limited, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeLimit)
	defer cancel()
	dialer := c.dialers.secure
	if plain {
		dialer = c.dialers.plain
	}
	conn, err := dial(limited, dialer, "tcp", address)
	if err == nil {
		return conn, nil
	}
	failure := classifyEnded(ctx, limited, c.options.Timeout)
	if failure == nil {
		failure = classifyTransport(err, c.options.Timeout)
	}
	failure.Origin = address
	return nil, failure
}
