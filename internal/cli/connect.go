// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// answerWithin is how long the operator may take to show an address.
const answerWithin = 30 * time.Second

// connectRetry is how often the channel is looked at while a person waits.
const connectRetry = 2 * time.Second

// connectCommand leads a person to where an account is connected.
type connectCommand struct {
	source  sourceFlags
	clock   clock.PassiveClock
	timeout time.Duration
	wait    bool
}

func newConnectCommand(clk clock.PassiveClock) *cobra.Command {
	c := &connectCommand{clock: clk}
	cmd := &cobra.Command{
		Use:   "connect [NAMESPACE/]CHANNEL",
		Short: "Give Rostra an account's credential, by consenting in a browser",
		Long: "Print the address at which somebody who can sign in to the account lets Rostra act for it, and with --wait wait\n" +
			"until it is connected. Where the credential works, the operator is asked for an address all the same, by the\n" +
			"annotation " + v1alpha1.AnnotationConnectAt + ", which takes the right to patch the SocialChannel.\n\n" +
			"The credential ends up in the channel's source Secret; it is never shown.",
		Example: "  rostra connect social/acme-help\n  rostra connect social/acme-help --wait",
		Args:    exactlyOne("SocialChannel"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.source.addCluster(cmd.Flags())
	cmd.Flags().BoolVar(&c.wait, "wait", false, "wait until the account is connected")
	cmd.Flags().DurationVar(&c.timeout, "timeout", 10*time.Minute, "give up after this long")
	return cmd
}

func (c *connectCommand) run(cmd *cobra.Command, text string) error {
	name, err := parseName(text, "SocialChannel", c.source.namespace)
	if err != nil {
		return err
	}
	found, namespace, err := dial(&c.source)
	if err != nil {
		return err
	}
	cluster := &writingCluster{found, namespace}
	name = cluster.complete(name)
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), c.timeout, fmt.Errorf("nothing came of it within %s", c.timeout))
	defer cancel()
	channel, err := c.address(ctx, cluster, name)
	if err != nil {
		return err
	}
	offered := channel.Status.Authorization
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", offered.URL); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "Open this address in a browser, signed in to the account %s, before %s.\n",
		channel.Spec.Handle, offered.Expires.UTC().Format(time.RFC3339))
	if !c.wait {
		return nil
	}
	return c.connected(ctx, cmd, cluster, name, channel)
}

// address gives the channel once the operator shows where to connect it.
func (c *connectCommand) address(ctx context.Context, cluster *writingCluster, name objectName) (*v1alpha1.SocialChannel, error) {
	channel, err := cluster.channel(ctx, name)
	if err != nil {
		return nil, err
	}
	if offered(channel, c.clock.Now()) {
		return channel, nil
	}
	if err := cluster.ask(ctx, channel, c.clock.Now()); err != nil {
		return nil, err
	}
	asked, cancel := context.WithTimeoutCause(ctx, answerWithin, fmt.Errorf("it did not within %s", answerWithin))
	defer cancel()
	err = c.until(asked, func() (bool, error) {
		channel, err = cluster.channel(ctx, name)
		return err == nil && offered(channel, c.clock.Now()), err
	})
	if err != nil {
		return nil, fmt.Errorf("SocialChannel %s shows no address to connect it at: %w; it takes an operator with --gateway-url, "+
			"a platform that gives credentials by consent (see `rostra platforms`), and a source Secret that is missing or was written by an earlier connect", name, err)
	}
	return channel, nil
}

func offered(channel *v1alpha1.SocialChannel, now time.Time) bool {
	shown := channel.Status.Authorization
	return shown != nil && shown.Expires != nil && shown.Expires.After(now)
}

// connected waits until the account is verified with another source Secret.
func (c *connectCommand) connected(ctx context.Context, cmd *cobra.Command, cluster *writingCluster, name objectName, before *v1alpha1.SocialChannel) error {
	var channel *v1alpha1.SocialChannel
	err := c.until(ctx, func() (done bool, err error) {
		channel, err = cluster.channel(ctx, name)
		if err != nil {
			return false, err
		}
		return sourceVersion(channel) != sourceVersion(before) &&
			meta.IsStatusConditionTrue(channel.Status.Conditions, v1alpha1.ConditionIdentityVerified), nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is connected: %w", name, err)
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Connected: account %s, %s.\n", channel.Status.Account.ID, channel.Status.Account.Handle)
	return err
}

func sourceVersion(channel *v1alpha1.SocialChannel) string {
	if channel.Status.Account == nil || channel.Status.Account.Source == nil {
		return ""
	}
	return channel.Status.Account.Source.ResourceVersion
}

// until asks again and again, until it is done or the context is.
func (c *connectCommand) until(ctx context.Context, done func() (bool, error)) error {
	ticker := time.NewTicker(connectRetry)
	defer ticker.Stop()
	for {
		over, err := done()
		if over || err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// writingCluster is a cluster in which a channel may be annotated.
type writingCluster struct {
	client    client.Client
	namespace string
}

// complete puts in the namespace that is meant where none was given.
func (c *writingCluster) complete(name objectName) objectName {
	return (&cluster{c.client, c.namespace}).complete(name)
}

func (c *writingCluster) channel(ctx context.Context, name objectName) (*v1alpha1.SocialChannel, error) {
	channel := &v1alpha1.SocialChannel{}
	if err := c.client.Get(ctx, client.ObjectKey{Namespace: name.namespace, Name: name.name}, channel); err != nil {
		return nil, fmt.Errorf("read SocialChannel %s: %w", name, err)
	}
	return channel, nil
}

// ask asks the operator for an address.
func (c *writingCluster) ask(ctx context.Context, channel *v1alpha1.SocialChannel, now time.Time) error {
	patched := channel.DeepCopy()
	metav1.SetMetaDataAnnotation(&patched.ObjectMeta, v1alpha1.AnnotationConnectAt, now.UTC().Format(time.RFC3339))
	if err := c.client.Patch(ctx, patched, client.MergeFrom(channel)); err != nil {
		return fmt.Errorf("ask for an address by annotation: %w", err)
	}
	return nil
}
