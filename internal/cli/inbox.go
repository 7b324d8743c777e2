// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/rostra-dev/rostra/internal/desk"
)

// formatWide is a table that shows everything.
const formatWide = "wide"

// inboxLimit is how many conversations are shown; the desk has no more.
const inboxLimit = "1000"

// inboxCommand shows what waits for an answer.
type inboxCommand struct {
	reach  reachFlags
	all    bool
	format *choice
}

func newInboxCommand() *cobra.Command {
	c := &inboxCommand{}
	cmd := &cobra.Command{
		Use:   "inbox [[NAMESPACE/]CHANNEL]",
		Short: "Show which conversations wait for an answer, and who was told",
		Long: "Show which conversations wait for an answer, oldest first: of all channels, or of one. Of each, how long it waits,\n" +
			"which step of its route was told, who that was, and when the next one is. Nothing of what was written is shown.\n" +
			"It shows " + inboxLimit + " at most. With --all, those that wait come before the others.\n\n" + reachHelp,
		Example: "  rostra inbox\n  rostra inbox social/acme-help -o wide\n  rostra inbox --all -o json",
		Args:    atMostOne("SocialChannel"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.reach.add(cmd.Flags())
	cmd.Flags().StringVarP(&c.reach.source.namespace, "namespace", "n", "", "namespace of the channel; default: the kubeconfig's")
	cmd.Flags().BoolVar(&c.all, "all", false, "show those too that somebody has, or that were answered or given up in the last week")
	c.format = addChoice(cmd, "output", "o", "format of the output", formatTable, formatWide, formatJSON)
	return cmd
}

func (c *inboxCommand) run(cmd *cobra.Command, args []string) error {
	query := url.Values{"state": {"waiting"}, "limit": {inboxLimit}}
	if c.all {
		query.Set("state", "all")
	}
	switch {
	case len(args) == 1:
		name, err := c.channel(args[0])
		if err != nil {
			return err
		}
		query.Set("channel", name.String())
	case c.reach.source.namespace != "":
		return usagef("-n goes with a channel: name one, or leave it out to see those of all namespaces")
	}
	counter, err := c.reach.open(cmd)
	if err != nil {
		return err
	}
	defer counter.close()
	found := desk.Conversations{}
	if err := counter.call(cmd.Context(), http.MethodGet, desk.Path+"?"+query.Encode(), nil, &found); err != nil {
		return fmt.Errorf("read the inbox: %w", err)
	}
	for i := range found.Conversations {
		harmless(&found.Conversations[i])
	}
	if c.format.value == formatJSON {
		return printJSON(cmd.OutOrStdout(), found)
	}
	if more := found.Total - len(found.Conversations); more > 0 {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%d %s.\n", more, c.cutWords(len(args) == 1))
	}
	if len(found.Conversations) == 0 {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "Nobody waits for an answer.")
		return nil
	}
	return printInbox(cmd.OutOrStdout(), found, c.format.value == formatWide)
}

// cutWords say what is not shown, and what helps to see it.
func (c *inboxCommand) cutWords(ofChannel bool) string {
	switch {
	case c.all && ofChannel:
		return "more are not shown, those that wait come first"
	case c.all:
		return "more are not shown, those that wait come first: name a channel"
	case ofChannel:
		return "younger ones are not shown: they move up as these are answered"
	}
	return "younger ones are not shown: name a channel"
}

// channel reads the name of one, with the namespace that is meant.
func (c *inboxCommand) channel(text string) (objectName, error) {
	name, err := parseName(text, "SocialChannel", c.reach.source.namespace)
	if err != nil || name.namespace != "" {
		return name, err
	}
	if c.reach.desk != "" {
		return name, usagef("with --desk, name the namespace too: NAMESPACE/%s", name.name)
	}
	_, name.namespace, err = clusterConfig(&c.reach.source)
	return name, err
}
