// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rostra-dev/rostra/test/child"
)

// The server's files travel inside the binary, so that a demonstration works
// away from the source tree.
//
//go:embed server/install.sh server/package.json server/package-lock.json server/server.mjs
var serverFiles embed.FS

// ErrUnavailable says that this machine lacks a tool the server needs: Node,
// npm, a C++ compiler, make or python3. Suites may skip on it.
var ErrUnavailable = errors.New("the Bluesky PDS cannot be installed on this machine")

const (
	// exitUnavailable is how install.sh says that a tool is missing.
	exitUnavailable = 3
	// installGrace is how long an interrupted install may take to clean up.
	installGrace = 10 * time.Second
)

// Install makes sure that the pinned PDS is installed for this machine's Node
// and returns its directory. It is idempotent and safe to call from several
// processes at once. Progress goes to the writer, which may be nil. The error is
// ErrUnavailable if a tool is missing.
func Install(ctx context.Context, progress io.Writer) (string, error) {
	scripts, err := os.MkdirTemp("", "rostra-pds-install-")
	if err != nil {
		return "", fmt.Errorf("making room for the PDS install script: %w", err)
	}
	// A leftover temporary directory harms nobody.
	defer func() { _ = os.RemoveAll(scripts) }()
	if err := unpack(scripts, "install.sh", "package.json", "package-lock.json"); err != nil {
		return "", err
	}

	output, last := new(bytes.Buffer), newTail(progress)
	cmd := exec.CommandContext(ctx, "sh", filepath.Join(scripts, "install.sh"))
	cmd.Stdout, cmd.Stderr = output, last
	cmd.SysProcAttr = child.Attributes(syscall.SIGTERM)
	cmd.Cancel = func() error { return terminateGroup(cmd.Process) }
	cmd.WaitDelay = installGrace
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitUnavailable {
			return "", fmt.Errorf("%w: %s", ErrUnavailable, last)
		}
		return "", fmt.Errorf("installing the Bluesky PDS: %w: %s", errors.Join(err, context.Cause(ctx)), last)
	}
	return strings.TrimSpace(output.String()), nil
}

// unpack writes the named embedded files into a directory.
func unpack(dir string, names ...string) error {
	for _, name := range names {
		content, err := serverFiles.ReadFile("server/" + name)
		if err != nil {
			return fmt.Errorf("reading the embedded %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("unpacking the PDS files: %w", err)
		}
	}
	return nil
}
