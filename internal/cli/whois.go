// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/manifests"
)

const formatText = "text"

// whois is one question of whose an account is.
type whois struct {
	source sourceFlags
	now    time.Time
	at     string
	format *choice
}

func newWhoisCommand(clk clock.PassiveClock) *cobra.Command {
	w := &whois{}
	cmd := &cobra.Command{
		Use:   "whois HANDLE|ACCOUNT|[NAMESPACE/]CHANNEL",
		Short: "Say whose an account is, and who answers for it",
		Long: "Say whose an account is: its owner, the manager and the teams above, who is on duty now, the next hours at which\n" +
			"nobody is, the credential's age and who has seen it, and the owners that were. The account is named by its\n" +
			"handle, by its ID at the platform, or by its SocialChannel.\n\n" +
			"It reads the cluster, in all namespaces unless one is named. With -f it reads manifests, without a cluster, and\n" +
			"says what they declare, which need not be in force. No Secret is read.",
		Example: "  rostra whois @help.acme.example\n" +
			"  rostra whois did:plc:ewvi7nxzyoun6zhxrhs64oiz -o json\n" +
			"  rostra whois -f manifests/ social/acme-help --at 2026-12-24T20:00",
		Args: exactlyOne("handle, account or SocialChannel"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w.now = clk.Now()
			return w.run(cmd, args[0])
		},
	}
	w.source.add(cmd.Flags())
	cmd.Flags().Lookup("namespace").Usage = "look in this namespace; default: in all"
	cmd.Flags().StringVar(&w.at, "at", "now", "say who is on duty, and who is in the teams, at this time")
	w.format = addChoice(cmd, "output", "o", "format of the output", formatText, formatJSON)
	return cmd
}

func (w *whois) run(cmd *cobra.Command, text string) error {
	name, err := w.parse(text)
	if err != nil {
		return err
	}
	objects, err := w.source.open(cmd)
	if err != nil {
		return err
	}
	found, err := objects.survey(cmd.Context(), name.namespace)
	if err != nil {
		return err
	}
	set := declared(objects)
	if set != nil {
		forgetStatus(found)
	}
	channel, err := find(text, name, found)
	if err != nil {
		return err
	}
	if err := objects.answering(cmd.Context(), channel, found); err != nil {
		return err
	}
	p, err := w.portray(found, channel, set, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	if w.format.value == formatJSON {
		return printJSON(cmd.OutOrStdout(), p.answer())
	}
	_, err = io.WriteString(cmd.OutOrStdout(), p.text())
	return err
}

// parse reads what is asked for: with a slash it names a channel, else its name
// is left empty.
func (w *whois) parse(text string) (objectName, error) {
	// A time by the clock on the wall is read again in the rota's zone.
	if _, err := parseTime(w.at, "at", time.UTC, w.now); err != nil {
		return objectName{}, err
	}
	if strings.Contains(text, "/") {
		return parseName(text, "SocialChannel", w.source.namespace)
	}
	if strings.Trim(text, "@ ") == "" {
		return objectName{}, usagef("%q names no account: write a handle, an account ID, or a SocialChannel", text)
	}
	return objectName{namespace: w.source.namespace}, nil
}

// declared gives the manifests where objects are read from them, else nil.
func declared(objects source) *manifests.Set {
	if read, ok := objects.(files); ok {
		return read.set
	}
	return nil
}

// forgetStatus drops what a dump of a cluster says besides its manifests: it was
// so at some time, and is not known to be so.
func forgetStatus(found *inventory) {
	for i := range found.channels {
		found.channels[i].Status = v1alpha1.SocialChannelStatus{}
	}
}
