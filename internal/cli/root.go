// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line: what a person types and what is printed. It
// decides nothing about rotas or channels itself, and knows no concrete
// platform.
package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"github.com/rostra-dev/rostra/internal/platform"
)

// Exit codes of the program.
const (
	ExitOK = 0
	// ExitFailure: what was asked for could not be done.
	ExitFailure = 1
	// ExitUsage: the command line itself cannot be understood.
	ExitUsage = 2
	// ExitGap: there are gaps, and --fail-on-gap was given.
	ExitGap = 3
)

// Config is what the program hands to its command line.
type Config struct {
	// Version of this build, for people.
	Version string
	// Clock says when now is.
	Clock clock.PassiveClock
	// Operate runs the operator until ctx is done.
	Operate func(ctx context.Context, options ManagerOptions) error
	// Serve runs a gateway without the operator until ctx is done.
	Serve func(ctx context.Context, options StandaloneOptions) error
	// Platforms gives the platform types that this build knows.
	Platforms func() (platform.Registry, error)
}

// New makes the command line.
func New(config Config) *cobra.Command {
	root := &cobra.Command{
		Use:   "rostra",
		Short: "Keep the ownership of social-media accounts as config",
		Long: "Rostra keeps the ownership of a company's social-media accounts as config: who owns each account,\n" +
			"who is on duty for it, and at which hours nobody is.",
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		// How far a command may be from what was typed to be suggested.
		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		newAckCommand(),
		newAdoptCommand(),
		newConnectCommand(config.Clock),
		newCoverageCommand(config.Clock),
		newGatewayCommand(config.Serve),
		newInboxCommand(),
		newManagerCommand(config.Operate),
		newOnCallCommand(config.Clock),
		newPlatformsCommand(config.Platforms),
		newRouteCommand(config.Clock),
		newVersionCommand(config.Version),
		newWhoisCommand(config.Clock),
	)
	return root
}

func newVersionCommand(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "rostra", version)
			return err
		},
	}
}

// Run executes the command line, says on standard error what went wrong, and
// returns the exit code.
func Run(ctx context.Context, root *cobra.Command) int {
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return ExitOK
	}
	stderr := root.ErrOrStderr()
	_, _ = fmt.Fprintln(stderr, "rostra:", err) // nobody is left to tell
	var usage usageError
	var gap gapError
	switch {
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(stderr, "See %q.\n", cmd.CommandPath()+" --help")
		return ExitUsage
	case errors.As(err, &gap):
		return ExitGap
	default:
		return ExitFailure
	}
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// Unwrap gives what is wrong with it.
func (e usageError) Unwrap() error { return e.error }

// usagef is fmt.Errorf for a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// gapError is a gap in the coverage, where that is to be a failure.
type gapError struct{ error }

// noArguments refuses arguments; on a command that has others below it, an
// argument is a command that does not exist.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasAvailableSubCommands() {
		return usagef("unexpected argument %q: %s takes flags only", args[0], cmd.CommandPath())
	}
	hint := ""
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		hint = "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return usagef("there is no command %q%s", args[0], hint)
}

// exactlyOne asks for one argument, called what.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("name a %s: %s", what, cmd.UseLine())
		}
		return atMostOne(what)(cmd, args)
	}
}

// atMostOne allows one argument, called what.
func atMostOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("unexpected argument %q: give one %s", args[1], what)
		}
		return nil
	}
}
