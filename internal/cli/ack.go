// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/rostra-dev/rostra/internal/desk"
)

// ackCommand says that somebody has a conversation.
type ackCommand struct {
	reach reachFlags
	as    string
}

func newAckCommand() *cobra.Command {
	c := &ackCommand{}
	cmd := &cobra.Command{
		Use:   "ack ID",
		Short: "Say that you have a conversation, so that nobody else is told",
		Long: "Say that you have a conversation that waits for an answer. Nobody else is told of it then, until somebody writes\n" +
			"again after an answer. The beginning of the ID is enough, as rostra inbox shows it.\n\n" + reachHelp,
		Example: "  rostra inbox\n  rostra ack kq3v7m2a\n  rostra ack kq3v7m2a --as customer-care/dana",
		Args:    exactlyOne("conversation"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.reach.add(cmd.Flags())
	cmd.Flags().StringVar(&c.as, "as", "", "who has it, such as customer-care/dana; default: who you are to the cluster")
	return cmd
}

func (c *ackCommand) run(cmd *cobra.Command, text string) error {
	id := strings.ToLower(text)
	if !regexp.MustCompile(`^[a-z2-7]{4,64}$`).MatchString(id) {
		return usagef("%q is no conversation's ID: copy at least %d characters of one from `rostra inbox`", text, desk.MinPrefix)
	}
	if cmd.Flags().Changed("as") && strings.TrimSpace(c.as) == "" {
		return usagef("--as names nobody")
	}
	if c.as == "" && c.reach.desk != "" {
		return usagef("with --desk, say who has it: --as TEAM/MEMBER")
	}
	counter, err := c.reach.open(cmd)
	if err != nil {
		return err
	}
	defer counter.close()
	by := c.as
	if by == "" {
		if by, err = whoAmI(cmd.Context(), counter.clientset); err != nil {
			return err
		}
	}
	found := desk.Conversation{}
	if err := counter.call(cmd.Context(), http.MethodPost, desk.Path+"/"+id+"/acknowledge", desk.Acknowledgement{By: by}, &found); err != nil {
		return fmt.Errorf("acknowledge %s: %w", id, err)
	}
	harmless(&found)
	noted := by
	if found.Response != nil {
		noted = found.Response.By
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s of %s: %s has it.\n", found.ID, found.Channel, printable(noted))
	if err == nil && found.URL != "" {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Answer it at %s\n", found.URL)
	}
	return err
}

// whoAmI asks the cluster who is asking.
func whoAmI(ctx context.Context, clientset kubernetes.Interface) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	review, err := clientset.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("ask the cluster who you are: %w; say it yourself: --as TEAM/MEMBER", err)
	}
	if review.Status.UserInfo.Username == "" {
		return "", fmt.Errorf("the cluster does not know who you are; say it yourself: --as TEAM/MEMBER")
	}
	return review.Status.UserInfo.Username, nil
}
