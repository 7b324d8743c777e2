// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package calendar_test

import (
	"testing"
	_ "time/tzdata"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestCalendar(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Duties as iCalendar")
}
