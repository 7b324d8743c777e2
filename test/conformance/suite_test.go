// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance_test runs the conformance rules against every platform
// adapter and the servers that it is for.
package conformance_test

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

func TestConformance(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "platform conformance")
}

// deliverable gives what an adapter would deliver for an account.
func deliverable(adapter platform.Platform, account platform.Account) credentials.Credential {
	GinkgoHelper()
	credential, err := adapter.Deliverable(context.Background(), account)
	Expect(err).NotTo(HaveOccurred())
	return credential
}
