// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// The account that moves, as the samples name it. A team's namespace is called like the team.
const (
	socialNamespace = "social"
	helpChannel     = "meridian-help"
	marketing       = "marketing"
	customerCare    = "customer-care"
)

// ownerLine is the one line of a channel that says whose it is.
func ownerLine(team string) string { return "  ownerRef: {name: " + team + "}" }

// handOver moves the help account to another team and checks that everything moved with it.
func (d *demo) handOver(ctx context.Context) error {
	old, err := d.credential(ctx, marketing, helpChannel)
	if err != nil {
		return err
	}
	session, err := d.logIn(ctx, old)
	d.checks.expect("marketing's tool can log in at Bluesky with what it was given", err)

	hunk, err := d.workspace.edit("channels/"+helpChannel+".yaml", ownerLine(marketing), ownerLine(customerCare))
	if err != nil {
		return err
	}
	d.console.change(hunk)
	if err := d.apply(ctx); err != nil {
		return err
	}
	if err := d.await(ctx, "handed over", d.ownedBy(customerCare)); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "socialchannel", helpChannel, "-n", socialNamespace); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "socialchannel", helpChannel, "-n", socialNamespace, "-o",
		`go-template={{with .status.handover}}{{.from}} -> {{.to}}, asked for by {{.requestedBy}}{{"\n"}}{{range .steps}}  {{.time}} {{.name}}{{"\n"}}{{end}}{{end}}`); err != nil {
		return err
	}
	if err := d.checkOwner(ctx); err != nil {
		return err
	}
	if err := d.checkMoved(ctx, old); err != nil {
		return err
	}
	d.checkDead(ctx, old, session.RefreshJWT)
	if err := d.checkTold(ctx); err != nil {
		return err
	}
	return d.rostra(ctx, "whois", "meridian-help.test")
}

// ownedBy says what is lacking until the help account is with a team for good.
func (d *demo) ownedBy(team string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, helpChannel)
		if err != nil {
			return "", err
		}
		if channel.Status.Owner != team {
			return fmt.Sprintf("the owner is %s, not %s yet", channel.Status.Owner, team), nil
		}
		return unsettled(channel), nil
	}
}

func (d *demo) checkOwner(ctx context.Context) error {
	channel, err := d.channel(ctx, helpChannel)
	if err != nil {
		return err
	}
	d.console.print("\n")
	d.checks.expect("the owner in force is customer care", differs("it", channel.Status.Owner, customerCare))
	return nil
}

// checkMoved checks that the credential is another one, in the new owner's namespace alone.
func (d *demo) checkMoved(ctx context.Context, old delivered) error {
	if err := d.show(ctx, "get", "secret", helpChannel, "-n", customerCare); err != nil {
		return err
	}
	gone, err := d.kubectl(ctx, "get", "secret", helpChannel, "-n", marketing)
	d.console.print(gone + "\n")
	if err == nil {
		err = errors.New("it is still there")
	} else {
		err = d.isGone(ctx, marketing, helpChannel)
	}
	d.checks.expect("the Secret in marketing's namespace is gone", err)

	fresh, err := d.credential(ctx, customerCare, helpChannel)
	if err != nil {
		return err
	}
	_, err = d.logIn(ctx, fresh)
	d.checks.expect("customer care's tool can log in at Bluesky with what it was given", err)
	if fresh.password == old.password {
		err = errors.New("it is the same one")
	}
	d.checks.expect("that is another credential than marketing's", err)
	return nil
}

func (d *demo) isGone(ctx context.Context, namespace, name string) error {
	err := d.admin.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &corev1.Secret{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		err = errors.New("it is still there")
	}
	return fmt.Errorf("secret %s/%s: %w", namespace, name, err)
}

// checkDead checks at the Bluesky server that what marketing had opens nothing any more.
func (d *demo) checkDead(ctx context.Context, old delivered, refreshToken string) {
	_, err := d.logIn(ctx, old)
	d.checks.expect("Bluesky refuses a login with marketing's credential", refused(err))
	_, err = d.bluesky.RefreshSession(ctx, refreshToken)
	d.checks.expect("Bluesky refuses to renew the session that marketing's tool had open", refused(err))
}

// checkTold shows the record of the hand-over.
func (d *demo) checkTold(ctx context.Context) error {
	told, err := d.kubectl(ctx, "events", "-n", socialNamespace, "--for", "socialchannel/"+helpChannel)
	d.console.print(told + "\n")
	if err != nil {
		return err
	}
	d.checks.expect("Events tell that it moved, from whom to whom, and that the old credential was revoked",
		missing("the Events", told, "HandedOver", "from team "+marketing+" to team "+customerCare, "CredentialRevoked"))
	return nil
}
