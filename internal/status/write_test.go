// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rostra-dev/rostra/internal/status"
)

var _ = Describe("Another look", func() {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

	It("is at its time", func() {
		Expect(status.LookAgain(now.Add(time.Hour), now)).To(Equal(reconcile.Result{RequeueAfter: time.Hour}))
	})

	It("is at once when its time has passed meanwhile, and not never", func() {
		Expect(status.LookAgain(now, now).RequeueAfter).To(BeNumerically(">", 0))
		Expect(status.LookAgain(now.Add(-time.Second), now).RequeueAfter).To(BeNumerically(">", 0))
	})

	It("is never without a time", func() {
		Expect(status.LookAgain(time.Time{}, now)).To(BeZero())
	})
})
