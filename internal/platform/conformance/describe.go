// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
)

// ruleTimeout bounds one rule on one subject.
const ruleTimeout = 2 * time.Minute

// Describe adds a container of specs to the suite: every rule on an adapter.
// subject makes a fresh subject for each spec, inside it, so that it may use
// DeferCleanup and fail. Rules about a port that the adapter does not have are
// skipped, and so are those about events or consent where the subject's Server
// does not say how they come about.
func Describe(name string, subject func(ctx ginkgo.SpecContext) Subject, labels ...string) bool {
	return ginkgo.Describe(name+" meets the conformance rules", ginkgo.Label(append(labels, "conformance")...), func() {
		for _, rule := range Rules() {
			ginkgo.It(rule.Name, func(ctx ginkgo.SpecContext) {
				made := subject(ctx)
				if adapter := made.New(); !rule.AppliesTo(adapter) {
					ginkgo.Skip("the adapter does not have this port")
				}
				if !rule.CanTry(made.Server) {
					ginkgo.Skip("the subject does not say how events happen, or how a person consents, at its server")
				}
				rule.Check(ctx, gomega.Default, made)
			}, ginkgo.SpecTimeout(ruleTimeout))
		}
	})
}
