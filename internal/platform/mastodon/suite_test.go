// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package mastodon

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestMastodon(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "mastodon")
}
