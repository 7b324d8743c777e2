// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership

import (
	"fmt"
	"time"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Objection is why a team cannot own a channel, in a condition's terms.
type Objection struct {
	// Reason and Message of the condition; empty for no objection.
	Reason, Message string
}

// Object says what speaks against the declared owner of a channel; nil for
// nothing. team is that team, or nil if there is none of that name.
func Object(channel *v1alpha1.SocialChannel, team *v1alpha1.Team, now time.Time) *Objection {
	name := channel.Spec.OwnerRef.Name
	switch {
	case team == nil:
		return &Objection{v1alpha1.ReasonOwnerNotFound, fmt.Sprintf("Team %s does not exist: create it, or name another in spec.ownerRef", name)}
	case !team.DeletionTimestamp.IsZero():
		return &Objection{v1alpha1.ReasonOwnerDeleting, fmt.Sprintf("Team %s is being deleted: name another in spec.ownerRef", name)}
	case !Accepts(team, channel.Namespace, channel.Name):
		return &Objection{v1alpha1.ReasonNotAccepted, fmt.Sprintf("Team %s does not accept the channel: add {namespace: %s, channels: [%s]} to its spec.accepts",
			name, channel.Namespace, channel.Name)}
	case !HasManager(team, now):
		return &Objection{v1alpha1.ReasonNoManager, fmt.Sprintf("Team %s has no manager: %s is not a member now", name, team.Spec.Manager)}
	}
	return nil
}
