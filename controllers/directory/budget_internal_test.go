// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"strconv"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/internal/platform"
)

// TestBudgetsAreForgotten: those of channels that are gone are not kept for
// ever, and those that are used or at rest are.
func TestBudgetsAreForgotten(t *testing.T) {
	g := NewWithT(t)
	var b budgets
	now := time.Date(2026, 11, 20, 0, 30, 0, 0, time.UTC)
	for i := range maxBudgets {
		g.Expect(b.take(types.UID(strconv.Itoa(i)), "mastodon", now)).To(BeTrue())
	}
	now = now.Add(budgetEvery)
	b.rest("0", now, &platform.Failure{Class: platform.Revoked})
	for range budgetBurst {
		g.Expect(b.take("1", "mastodon", now)).To(BeTrue())
	}
	g.Expect(b.take("new", "mastodon", now)).To(BeTrue())
	g.Expect(b.of).To(And(HaveLen(3), HaveKey(types.UID("0")), HaveKey(types.UID("1")), HaveKey(types.UID("new"))))
	g.Expect(b.take("0", "mastodon", now)).To(BeFalse())
	g.Expect(b.take("1", "mastodon", now)).To(BeFalse())
}

// TestBudgetsSideBySide: of many that ask at once, a burst is let through.
func TestBudgetsSideBySide(t *testing.T) {
	g := NewWithT(t)
	var b budgets
	now := time.Date(2026, 11, 20, 0, 30, 0, 0, time.UTC)
	var through [4 * budgetBurst]bool
	var wait sync.WaitGroup
	for i := range through {
		wait.Go(func() { through[i] = b.take("1", "mastodon", now) })
	}
	wait.Wait()
	count := 0
	for _, one := range through {
		if one {
			count++
		}
	}
	g.Expect(count).To(Equal(budgetBurst))
}
