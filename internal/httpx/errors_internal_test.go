// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package httpx

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Errors", func() {
	dialled := func(errno syscall.Errno) error {
		return &stageError{stageDial, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}}
	}

	DescribeTable("class what the network says that no local server can",
		func(err error, kind Kind, wanted string) {
			failure := classifyTransport(err, 10*time.Second)
			Expect(failure.Kind).To(Equal(kind))
			Expect(failure).To(MatchError(wanted))
		},
		Entry("no host there", dialled(syscall.EHOSTUNREACH), KindConnect, "no route to the server"),
		Entry("no network there", dialled(syscall.ENETUNREACH), KindConnect, "no route to the server"),
		Entry("another failure", dialled(syscall.EADDRNOTAVAIL), KindConnect, "no connection to the server"),
		Entry("a connection that timed out", dialled(syscall.ETIMEDOUT), KindTimeout, "no complete answer within 10s"),
		Entry("a certificate for other uses", &stageError{stageTLS, x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}}, KindTLS, "the server's certificate is not valid"),
		Entry("a name that took too long", &stageError{stageDial, &net.DNSError{IsTimeout: true}}, KindDNS, "the host's name could not be looked up in DNS"),
		Entry("a connection that broke", readFailed(syscall.ECONNRESET), KindProtocol, detailProtocol),
	)

	It("can be told by kind, wrapped or not", func() {
		err := &Error{Kind: KindBusy, Origin: "https://a.example"}
		Expect(KindOf(fmt.Errorf("listing: %w", err))).To(Equal(KindBusy))
		Expect(KindOf(errors.New("other"))).To(BeEmpty())
		Expect(KindOf(nil)).To(BeEmpty())
		Expect(err).To(MatchError("https://a.example: the request failed (Busy)"))
	})
})

func readFailed(errno syscall.Errno) error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", errno)}
}
