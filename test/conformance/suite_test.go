// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package conformance_test runs the conformance rules against every platform
// adapter and the servers that it is for.
package conformance_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestConformance(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "platform conformance")
}
