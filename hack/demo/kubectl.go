// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// kubectlLimit bounds one command.
const kubectlLimit = time.Minute

// kubectl prints a command line as a user would type it in the demo's directory, runs it, and gives what it printed, on
// standard error too.
func (d *demo) kubectl(ctx context.Context, args ...string) (string, error) {
	return d.kubectlIn(ctx, d.workspace.dir, args...)
}

func (d *demo) kubectlIn(ctx context.Context, dir string, args ...string) (string, error) {
	d.console.command(commandLine(args))
	return d.quietly(ctx, dir, args...)
}

// show runs kubectl and prints its output below the command line.
func (d *demo) show(ctx context.Context, args ...string) error {
	out, err := d.kubectl(ctx, args...)
	d.console.print(out)
	return err
}

// quietly runs kubectl without printing anything.
func (d *demo) quietly(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, kubectlLimit)
	defer cancel()
	var out bytes.Buffer
	cmd := d.cluster.KubectlCommand(ctx, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	if err := cmd.Run(); err != nil {
		if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
			return out.String(), fmt.Errorf("kubectl failed: %s", strings.TrimSpace(out.String()))
		}
		return out.String(), fmt.Errorf("run kubectl: %w", errors.Join(err, context.Cause(ctx)))
	}
	return out.String(), nil
}

// apply applies the company's repository and prints what that changed.
func (d *demo) apply(ctx context.Context) error {
	args := []string{"apply", "-k", overlay}
	d.console.command(commandLine(args) + " | grep -v unchanged")
	out, err := d.quietly(ctx, d.workspace.dir, args...)
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "unchanged") {
			d.console.print(line)
		}
	}
	return err
}

// commandLine quotes the arguments for a shell, where that is needed.
func commandLine(args []string) string {
	words := []string{"kubectl"}
	for _, arg := range args {
		if strings.ContainsAny(arg, " {}$\"'*|&;<>()\\\n") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// countLines says how many lines kubectl printed, where what they say is of no interest.
func countLines(out, what string) string {
	return fmt.Sprintf("   (%d %s)\n", strings.Count(strings.TrimSpace(out), "\n")+1, what)
}
