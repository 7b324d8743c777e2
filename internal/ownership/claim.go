// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"cmp"
	"slices"
	"time"
)

// Claim is one channel's hold, or wish to hold, an account.
type Claim struct {
	// Namespace and Name of the channel.
	Namespace, Name string
	// Since is when the channel was created.
	Since time.Time
	// Incumbent tells whether the channel holds the account already: the
	// platform has confirmed it for this channel.
	Incumbent bool
}

// Holder is the claim that holds: the incumbent, then the oldest, then the
// first by namespace and name. The order does not depend on the order of the
// claims, so that every reader comes to the same answer. There must be at
// least one claim.
func Holder(claims []Claim) Claim {
	return slices.MinFunc(claims, func(a, b Claim) int {
		if a.Incumbent != b.Incumbent {
			if a.Incumbent {
				return -1
			}
			return 1
		}
		return cmp.Or(
			a.Since.Compare(b.Since),
			cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(a.Name, b.Name),
		)
	})
}
