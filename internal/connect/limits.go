// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"time"

	"github.com/rostra-dev/rostra/internal/throttle"
)

// paces say how often a consent can be begun. One costs a write, a record kept
// for ten minutes and, at some platforms, the registration of an application.
func paces() throttle.Paces {
	return throttle.Paces{
		Overall: throttle.Pace{Every: time.Second, Burst: 60},
		Source:  throttle.Pace{Every: 3 * time.Second, Burst: 20},
		Subject: throttle.Pace{Every: 30 * time.Second, Burst: 6},
	}
}
