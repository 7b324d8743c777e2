// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// applyCompany creates the company's accounts, as people did years ago, applies its repository, and gives Rostra what
// opens the accounts.
func (d *demo) applyCompany(ctx context.Context) error {
	if err := d.workspace.copyCompany(filepath.Join(d.root, "config", "samples"), d.bluesky.URL()); err != nil {
		return err
	}
	channels, err := d.workspace.channels()
	if err != nil {
		return err
	}
	sources, err := d.createAccounts(ctx, channels)
	if err != nil {
		return err
	}
	d.console.notef("%s/ is config/samples; %s/ puts the address of this Bluesky server in.", company, overlay)
	if err := d.apply(ctx); err != nil {
		return err
	}
	for i, channel := range channels {
		if err := d.giveSecret(ctx, channel.Namespace, channel.Spec.Credentials.SourceSecretRef.Name, "password", sources[i]); err != nil {
			return err
		}
	}
	if err := d.givePagers(ctx); err != nil {
		return err
	}
	d.console.print("\n")
	d.console.notef("The source Secrets and the pagers are not in Git: the demo has just created them, as a secret manager would.")
	d.console.notef("The order of things does not matter: a channel waits for its team and its Secret, and says so.")
	return d.await(ctx, "everything in order", d.allInOrder)
}

// givePagers creates the Secrets that say how people are told: the manager of marketing by mail, the others by Alertmanager.
func (d *demo) givePagers(ctx context.Context) error {
	teams, err := d.workspace.teams()
	if err != nil {
		return err
	}
	for i := range teams {
		for _, member := range teams[i].Spec.Members {
			for _, target := range member.Notify {
				address := "alertmanager+" + d.pagers.URL()
				if teams[i].Name == marketing && member.Name == teams[i].Spec.Manager {
					address = "smtp://" + d.mail.Address() + "?tls=none"
				}
				if err := d.giveSecret(ctx, teams[i].Spec.Namespace, target.SecretRef.Name, target.SecretRef.Key, address); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// forgottenAccount is one that no manifest declares.
const forgottenAccount = "meridian-quiz.test"

// takeStock shows the account that nobody has declared.
func (d *demo) takeStock(ctx context.Context) error {
	social := &v1alpha1.SocialPlatform{}
	err := d.await(ctx, "counted", func(ctx context.Context) (string, error) {
		if err := d.admin.Get(ctx, client.ObjectKey{Name: "bluesky"}, social); err != nil {
			return "", err
		}
		if social.Status.Unclaimed == nil || len(social.Status.Unclaimed.Accounts) != 1 {
			return fmt.Sprintf("unclaimed: %v", social.Status.Unclaimed), nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	if err := d.rostra(ctx, "adopt", "--namespace", socialNamespace, "--owner", marketing); err != nil {
		return err
	}
	d.checks.expect("the one account that no manifest declares is found", differs("it", social.Status.Unclaimed.Accounts[0].Handle, forgottenAccount))
	return nil
}

// createAccounts makes an account for each channel and gives what opens it: the main password, or an app password where
// Rostra is only to look.
func (d *demo) createAccounts(ctx context.Context, channels []v1alpha1.SocialChannel) ([]string, error) {
	if _, err := d.bluesky.CreateAccount(ctx, forgottenAccount); err != nil {
		return nil, fmt.Errorf("create the account %s: %w", forgottenAccount, err)
	}
	sources := make([]string, len(channels))
	group, ctx := errgroup.WithContext(ctx)
	for i, channel := range channels {
		group.Go(func() error {
			account, err := d.bluesky.CreateAccount(ctx, channel.Spec.Handle)
			if err != nil {
				return fmt.Errorf("create the account %s: %w", channel.Spec.Handle, err)
			}
			d.secrets.add(account.Password)
			sources[i] = account.Password
			if channel.Spec.ManagementPolicy == v1alpha1.ManagementObserve {
				sources[i], err = d.bluesky.CreateAppPassword(ctx, account, "for-rostra")
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	d.console.notef("%d accounts created at the Bluesky server, and one more that nobody remembers.", len(channels))
	return sources, nil
}

// lookAround shows what there is, and checks that all of it is in order.
func (d *demo) lookAround(ctx context.Context) error {
	for _, args := range [][]string{
		{"get", "teams"},
		{"get", "socialplatforms"},
		{"get", "responderrotas", "-A"},
		{"get", "escalationroutes", "-A"},
		{"get", "socialchannels", "-A"},
		{"describe", "socialchannel", helpChannel, "-n", socialNamespace},
		{
			"get", "secret", helpChannel, "-n", marketing,
			"-o", `go-template={{range $key, $value := .data}}{{$key}}{{"\n"}}{{end}}`,
		},
	} {
		if err := d.show(ctx, args...); err != nil {
			return err
		}
	}
	d.console.print("\n")
	return d.checkCompany(ctx)
}

func (d *demo) checkCompany(ctx context.Context) error {
	teams, err := d.workspace.teams()
	if err != nil {
		return err
	}
	channels, err := d.workspace.channels()
	if err != nil {
		return err
	}
	lacking, err := d.allInOrder(ctx)
	if err == nil && lacking != "" {
		err = errors.New(lacking)
	}
	d.checks.expect(fmt.Sprintf("all %d teams and all %d channels are in order", len(teams), len(channels)), err)

	var wanted, found []string
	for _, channel := range channels {
		if channel.Spec.ManagementPolicy == v1alpha1.ManagementObserve {
			continue
		}
		// In the samples a team's namespace is called like the team.
		wanted = append(wanted, channel.Spec.OwnerRef.Name+"/"+channel.Spec.Credentials.Delivery.SecretName)
	}
	secretList := &corev1.SecretList{}
	if err := d.admin.List(ctx, secretList, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByRostra}); err != nil {
		return fmt.Errorf("list the delivered Secrets: %w", err)
	}
	for i := range secretList.Items {
		if secret := &secretList.Items[i]; secret.Annotations[v1alpha1.AnnotationChannel] != "" {
			found = append(found, secret.Namespace+"/"+secret.Name)
		}
	}
	d.checks.expect(fmt.Sprintf("%d owners' credentials are delivered, each in its owner's namespace, and none for the observed account", len(wanted)),
		errors.Join(missing("the delivered Secrets", strings.Join(found, " "), wanted...), differs("their number", len(found), len(wanted))))
	return nil
}
