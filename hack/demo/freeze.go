// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform/bluesky"
)

// The freeze that the samples have prepared.
const (
	freezeName = "hijack-drill"
	freezeFile = "freezes/hijack-drill.yaml"
	inactive   = "  active: false"
	active     = "  active: true"
)

// freeze stops every tool that publishes, and lets them go on.
func (d *demo) freeze(ctx context.Context) error {
	old, err := d.credential(ctx, customerCare, helpChannel)
	if err != nil {
		return err
	}
	_, err = d.logIn(ctx, old)
	d.checks.expect("before, customer care's tool can log in", err)
	if err := d.editAndApply(ctx, freezeFile, inactive, active); err != nil {
		return err
	}
	if err := d.await(ctx, "frozen", d.frozen); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "publishingfreezes"); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "socialchannels", "-A"); err != nil {
		return err
	}
	d.console.print("\n")
	_, err = d.logIn(ctx, old)
	d.checks.expect("frozen, Bluesky refuses its login", refused(err))
	d.checks.expect("its Secret is still there, and the credential is not in it", d.emptied(ctx))
	return d.lift(ctx)
}

// frozen says what is lacking until the freeze holds all that it selects.
func (d *demo) frozen(ctx context.Context) (string, error) {
	object := &v1alpha1.PublishingFreeze{}
	if err := d.admin.Get(ctx, types.NamespacedName{Name: freezeName}, object); err != nil {
		return "", fmt.Errorf("read PublishingFreeze %s: %w", freezeName, err)
	}
	affected, withdrawn := ptr.Deref(object.Status.Affected, 0), ptr.Deref(object.Status.Withdrawn, 0)
	if object.Status.ObservedGeneration != object.Generation || affected == 0 || withdrawn+ptr.Deref(object.Status.Failed, 0) < affected {
		return fmt.Sprintf("%d of %d channels are withdrawn", withdrawn, affected), nil
	}
	return "", nil
}

// emptied is nil if the help account's Secret is there without its credential.
func (d *demo) emptied(ctx context.Context) error {
	secret := &corev1.Secret{}
	if err := d.admin.Get(ctx, types.NamespacedName{Namespace: customerCare, Name: helpChannel}, secret); err != nil {
		return err
	}
	if len(secret.Data[bluesky.KeyAppPassword]) > 0 {
		return errors.New("the app password is in it")
	}
	return nil
}

// lift ends the freeze, and checks that the owner has a credential again.
func (d *demo) lift(ctx context.Context) error {
	if err := d.editAndApply(ctx, freezeFile, active, inactive); err != nil {
		return err
	}
	err := d.await(ctx, "lifted", func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, helpChannel)
		if err != nil {
			return "", err
		}
		if !meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionPublishingAllowed) {
			return "publishing is not allowed yet", nil
		}
		return unsettled(channel), nil
	})
	if err != nil {
		return err
	}
	fresh, err := d.credential(ctx, customerCare, helpChannel)
	if err != nil {
		return err
	}
	_, err = d.logIn(ctx, fresh)
	d.checks.expect("lifted, its tool can log in with what now lies in the same Secret", err)
	return nil
}
