// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package meta

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/httpx"
)

func TestMeta(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "meta")
}

var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// at gives an adapter for a server, at noon.
func at(server string) *Adapter {
	parsed, err := httpx.ParseServerURL(server)
	if err != nil {
		panic(err)
	}
	return &Adapter{server: parsed, clock: clocktesting.NewFakePassiveClock(noon)}
}
