// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package node installs and runs the Node programs of test suites, which read
// and print a line of JSON for each message.
package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rostra-dev/rostra/test/child"
)

// ErrUnavailable says that this machine lacks what a program needs.
var ErrUnavailable = errors.New("a part of the suite cannot be installed on this machine")

const (
	// exitUnavailable is how an install script says that something is missing.
	exitUnavailable = 3
	stopGrace       = 10 * time.Second
	maxLine         = 8 << 20
	maxTail         = 8 << 10
)

// Unpack writes all files into a new temporary directory, which is the
// caller's to remove.
func Unpack(files fs.FS) (string, error) {
	dir, err := os.MkdirTemp("", "rostra-node-")
	if err != nil {
		return "", fmt.Errorf("making room for a Node program: %w", err)
	}
	if err := os.CopyFS(dir, files); err != nil {
		return "", errors.Join(fmt.Errorf("unpacking a Node program: %w", err), os.RemoveAll(dir))
	}
	return dir, nil
}

// Install runs an install script and gives the lines that it prints. Progress
// goes to log, which may be nil. The error is ErrUnavailable where the script
// says that something is missing.
func Install(ctx context.Context, script string, log io.Writer) ([]string, error) {
	var output bytes.Buffer
	said := newTail(log)
	cmd := exec.CommandContext(ctx, "sh", script)
	cmd.Stdout, cmd.Stderr = &output, said
	cmd.SysProcAttr = child.Attributes(syscall.SIGTERM)
	cmd.WaitDelay = stopGrace
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitUnavailable {
			return nil, fmt.Errorf("%w: %s", ErrUnavailable, said)
		}
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(script), errors.Join(err, context.Cause(ctx)), said)
	}
	return strings.Split(strings.TrimSpace(output.String()), "\n"), nil
}

// Program is one that runs.
type Program struct {
	child *child.Process
	stdin io.WriteCloser
	said  *tail
	lines chan []byte

	mu      sync.Mutex
	pending []byte
}

// Start runs a script. What it prints on standard error goes to log, which may
// be nil.
func Start(script string, args, environment []string, log io.Writer) (*Program, error) {
	p := &Program{said: newTail(log), lines: make(chan []byte, 64)}
	cmd := exec.Command("node", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = p, p.said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", filepath.Base(script), err)
	}
	p.stdin = stdin
	if p.child, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(script), err)
	}
	return p, nil
}

// Write takes what the program prints.
func (p *Program) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = append(p.pending, data...)
	for {
		line, rest, found := bytes.Cut(p.pending, []byte{'\n'})
		if !found {
			break
		}
		p.lines <- bytes.Clone(line)
		p.pending = rest
	}
	if len(p.pending) > maxLine {
		return 0, errors.New("the program prints a line without end")
	}
	return len(data), nil
}

// Send writes a message.
func (p *Program) Send(message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("the program takes no message: %w: %s", err, p.said)
	}
	return nil
}

// Receive reads the next message. One caller at a time.
func (p *Program) Receive(ctx context.Context, message any) error {
	select {
	case line := <-p.lines:
		if err := json.Unmarshal(line, message); err != nil {
			return fmt.Errorf("the program prints what is no message: %w: %.200q", err, line)
		}
		return nil
	case <-p.child.Ended():
		return fmt.Errorf("the program has ended: %w: %s", p.child.Err(), p.said)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the program: %w: %s", context.Cause(ctx), p.said)
	}
}

// Stop ends the program and waits until it is gone.
func (p *Program) Stop() error {
	_ = p.stdin.Close() // which asks it to end; one that has ended is no matter
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-p.child.Ended():
		return nil
	case <-grace.C:
	}
	err := errors.New("the program did not end and was killed")
	return errors.Join(err, p.child.Cmd.Process.Kill())
}

// tail passes everything on and remembers the end of it, for error messages.
type tail struct {
	log io.Writer

	mu   sync.Mutex
	kept []byte
}

func newTail(log io.Writer) *tail {
	if log == nil {
		log = io.Discard
	}
	return &tail{log: log}
}

// Write implements io.Writer.
func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, data...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = t.kept[over:]
	}
	return t.log.Write(data)
}

// String gives what was said last.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
