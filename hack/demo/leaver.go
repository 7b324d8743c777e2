// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// leaver is the member of customer care who leaves, as the sample has the line.
const (
	leaver     = "dana"
	leaverLine = "  - {name: dana, email: dana@meridian-air.example, notify: [{secretRef: {name: dana-pager, key: url}}]}"
)

// careChannels are the accounts of customer care by then: the one it got in the hand-over, and the one it had.
func careChannels() []string { return []string{helpChannel, "meridian-baggage"} }

// leave takes a member out of a team, and checks that whatever she can have seen is replaced without anybody asking.
func (d *demo) leave(ctx context.Context) error {
	seen := map[string]delivered{}
	for _, name := range careChannels() {
		credential, err := d.credential(ctx, customerCare, name)
		if err != nil {
			return err
		}
		_, err = d.logIn(ctx, credential)
		d.checks.expect("before, Dana can log in to "+name, err)
		seen[name] = credential
	}
	hunk, err := d.workspace.edit("teams/"+customerCare+".yaml", leaverLine, "")
	if err != nil {
		return err
	}
	d.console.change(hunk)
	if err := d.apply(ctx); err != nil {
		return err
	}
	if err := d.await(ctx, "replaced", d.replaced(seen)); err != nil {
		return err
	}
	if err := d.checkOffDuty(ctx); err != nil {
		return err
	}
	if err := d.show(ctx, "events", "-n", socialNamespace, "--for", "socialchannel/meridian-baggage"); err != nil {
		return err
	}
	d.console.print("\n")
	return d.checkReplaced(ctx, seen)
}

// checkOffDuty checks that the rota has gone on without the leaver, and says that it still lists her.
func (d *demo) checkOffDuty(ctx context.Context) error {
	rota := &v1alpha1.ResponderRota{}
	err := d.await(ctx, "the rota has seen it", func(ctx context.Context) (string, error) {
		if err := d.admin.Get(ctx, types.NamespacedName{Namespace: socialNamespace, Name: "care"}, rota); err != nil {
			return "", err
		}
		if resolved := meta.FindStatusCondition(rota.Status.Conditions, v1alpha1.ConditionMembersResolved); resolved == nil || resolved.Reason != v1alpha1.ReasonMemberNotFound {
			return "the rota does not miss her yet", nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	if rota.Status.OnCall == nil || rota.Status.OnCall.Member == leaver {
		err = errors.New("nobody, or she, is on duty")
	}
	d.checks.expect("customer care's rota goes on without her, and asks to take her off the list", err)
	return nil
}

// replaced says what is lacking until every credential that was seen is revoked.
func (d *demo) replaced(seen map[string]delivered) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		for name, old := range seen {
			channel, err := d.channel(ctx, name)
			if err != nil {
				return "", err
			}
			if revoked := channel.Status.LastRevoked; revoked == nil || revoked.ID != old.id {
				return fmt.Sprintf("SocialChannel %s: credential %s is not revoked yet", name, old.id), nil
			}
			if lacking := unsettled(channel); lacking != "" {
				return lacking, nil
			}
		}
		return "", nil
	}
}

func (d *demo) checkReplaced(ctx context.Context, seen map[string]delivered) error {
	for _, name := range careChannels() {
		channel, err := d.channel(ctx, name)
		if err != nil {
			return err
		}
		d.checks.expect("the credential of "+name+" was replaced because somebody left who had seen it", checkLeaver(channel))
		_, err = d.logIn(ctx, seen[name])
		d.checks.expect("Bluesky refuses Dana's login to "+name, refused(err))
		fresh, err := d.credential(ctx, customerCare, name)
		if err != nil {
			return err
		}
		_, err = d.logIn(ctx, fresh)
		d.checks.expect("those who stay can log in to "+name+" with the new one, in the same Secret", err)
	}
	return nil
}

// checkLeaver checks why the last credential was revoked, and that the leaver is not among those who can have seen the new.
func checkLeaver(channel *v1alpha1.SocialChannel) error {
	if channel.Status.Credential == nil || channel.Status.LastRevoked == nil {
		return errors.New("the status names no credential")
	}
	err := differs("the cause", channel.Status.LastRevoked.Cause, v1alpha1.CauseLeaver)
	if slices.Contains(channel.Status.Credential.ExposedTo, customerCare+"/"+leaver) {
		err = errors.Join(err, errors.New("the status still names her among those who can have seen the new one"))
	}
	return err
}
