// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rostra-dev/rostra/internal/event"
	"github.com/rostra-dev/rostra/internal/platform"
)

const formatMarkdown = "markdown"

// platformAbilities is what Rostra can do on a platform of one type, as the
// adapter's own code says.
type platformAbilities struct {
	Type        string   `json:"type"`
	Mint        bool     `json:"mint"`
	Revoke      bool     `json:"revoke"`
	Discover    bool     `json:"discover"`
	Connect     bool     `json:"connect"`
	Application bool     `json:"application"`
	Push        []string `json:"push"`
	Poll        []string `json:"poll"`
	SourceKeys  []string `json:"sourceKeys"`
}

// newPlatformsCommand makes the command that lists what Rostra can do where.
func newPlatformsCommand(registry func() (platform.Registry, error)) *cobra.Command {
	var format *choice
	cmd := &cobra.Command{
		Use:   "platforms",
		Short: "List the platform types, and what Rostra can do on each",
		Long: "List the platform types, and what Rostra can do on each. It says what this program can do at all; a server may\n" +
			"offer less, which its SocialPlatform's status.capabilities tells.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			types, err := registry()
			if err != nil {
				return err
			}
			all, err := abilities(types)
			if err != nil {
				return err
			}
			return printAbilities(cmd.OutOrStdout(), format.value, all)
		},
	}
	format = addChoice(cmd, "output", "o", "format of the output", "table", formatMarkdown, formatJSON)
	return cmd
}

// sampleServer is a server that nobody calls: an adapter's abilities do not
// depend on it.
const sampleServer = "https://social.example"

func abilities(types platform.Registry) ([]platformAbilities, error) {
	var all []platformAbilities
	for _, name := range slices.Sorted(maps.Keys(types)) {
		adapter, err := types[name](sampleServer)
		if err != nil {
			return nil, fmt.Errorf("platform type %s: %w", name, err)
		}
		all = append(all, abilitiesOf(name, adapter))
	}
	return all, nil
}

func abilitiesOf(name string, adapter platform.Platform) platformAbilities {
	found := platformAbilities{Type: name, Push: []string{}, Poll: []string{}}
	_, found.Mint = adapter.(platform.Issuer)
	_, found.Revoke = adapter.(platform.Revoker)
	found.Revoke = found.Revoke || found.Mint
	_, lists := adapter.(platform.AccountLister)
	_, listsAsApplication := adapter.(platform.ApplicationLister)
	found.Discover = lists || listsAsApplication
	_, found.Connect = adapter.(platform.Authorizer)
	_, found.Application = adapter.(platform.ApplicationUser)
	if subscriber, ok := adapter.(platform.Subscriber); ok {
		found.Push = words(subscriber.Pushes())
	}
	if poller, ok := adapter.(platform.Poller); ok {
		found.Poll = words(poller.Polls())
	}
	for _, key := range adapter.SourceKeys() {
		found.SourceKeys = append(found.SourceKeys, key.Name)
	}
	return found
}

// words are kinds of events in the order of event.Kinds. What Rostra has no
// name for is not promised.
func words(kinds []event.Kind) []string {
	named := []string{}
	for _, kind := range event.Kinds() {
		if kind != event.Other && slices.Contains(kinds, kind) {
			named = append(named, string(kind))
		}
	}
	return named
}

// abilityRows are the rows of the table, a column a platform.
func abilityRows(all []platformAbilities) [][]string {
	rows := []struct {
		name string
		tell func(platformAbilities) string
	}{
		{"a credential of the owner's own is minted, rotated and revoked", func(a platformAbilities) string { return yes(a.Mint) }},
		{"a credential that was replaced is revoked", func(a platformAbilities) string { return yes(a.Revoke) }},
		{"a person connects the account in a browser", func(a platformAbilities) string { return yes(a.Connect) }},
		{"an application must be registered at the platform", func(a platformAbilities) string { return yes(a.Application) }},
		{"accounts that no channel claims are found", func(a platformAbilities) string { return yes(a.Discover) }},
		{"events that are pushed", func(a platformAbilities) string { return listed(a.Push) }},
		{"events that are polled", func(a platformAbilities) string { return listed(a.Poll) }},
		{"keys of a source Secret", func(a platformAbilities) string { return listed(a.SourceKeys) }},
	}
	header := []string{"what"}
	for _, a := range all {
		header = append(header, a.Type)
	}
	table := [][]string{header}
	for _, row := range rows {
		line := []string{row.name}
		for _, a := range all {
			line = append(line, row.tell(a))
		}
		table = append(table, line)
	}
	return table
}

func yes(can bool) string {
	if can {
		return "yes"
	}
	return "no"
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func printAbilities(out io.Writer, format string, all []platformAbilities) error {
	switch format {
	case formatJSON:
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	case formatMarkdown:
		return printMarkdown(out, abilityRows(all))
	}
	// A column each would be too wide for a terminal.
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	rows := abilityRows(all)
	for column := 1; column < len(rows[0]); column++ {
		if _, err := fmt.Fprintln(table, strings.ToUpper(rows[0][column])); err != nil {
			return err
		}
		for _, row := range rows[1:] {
			if _, err := fmt.Fprintf(table, "  %s\t%s\n", row[0], row[column]); err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

func printMarkdown(out io.Writer, rows [][]string) error {
	var text strings.Builder
	text.WriteString("<!-- Written by `rostra platforms -o markdown`; `make generate` keeps it current. -->\n\n# What Rostra can do on each platform\n\n")
	for i, row := range rows {
		text.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			text.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}
