// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rostra-dev/rostra/test/child"
)

//go:embed sender/install.sh sender/package.json sender/package-lock.json sender/send.mjs
var files embed.FS

// ErrUnavailable says that this machine lacks Node or npm. Suites may skip on
// it.
var ErrUnavailable = errors.New("the Web Push sender cannot be installed on this machine")

const (
	// exitUnavailable is how install.sh says that a tool is missing.
	exitUnavailable = 3
	// installGrace is how long an interrupted install may take to clean up.
	installGrace = 10 * time.Second
)

// Install makes sure that the pinned sender is installed and returns its
// directory. It is idempotent and safe to call from several processes at once.
// The error is ErrUnavailable if a tool is missing.
func Install(ctx context.Context) (string, error) {
	scripts, err := os.MkdirTemp("", "rostra-webpush-")
	if err != nil {
		return "", fmt.Errorf("making room for the install script: %w", err)
	}
	defer func() { _ = os.RemoveAll(scripts) }() // a leftover temporary directory harms nobody
	for _, name := range []string{"install.sh", "package.json", "package-lock.json"} {
		content, err := files.ReadFile("sender/" + name)
		if err != nil {
			return "", fmt.Errorf("reading the embedded %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(scripts, name), content, 0o600); err != nil {
			return "", fmt.Errorf("unpacking the sender's files: %w", err)
		}
	}
	var output, messages bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", filepath.Join(scripts, "install.sh"))
	cmd.Stdout, cmd.Stderr = &output, &messages
	cmd.SysProcAttr = child.Attributes(syscall.SIGTERM)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = installGrace
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitUnavailable {
			return "", fmt.Errorf("%w: %s", ErrUnavailable, strings.TrimSpace(messages.String()))
		}
		return "", fmt.Errorf("installing the Web Push sender: %w: %s", errors.Join(err, context.Cause(ctx)), strings.TrimSpace(messages.String()))
	}
	return strings.TrimSpace(output.String()), nil
}
