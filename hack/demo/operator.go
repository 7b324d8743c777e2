// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rostra-dev/rostra/test/child"
)

const (
	// The operator's files in the workspace.
	operatorProgram = "rostra"
	operatorLog     = "operator.log"
	// operatorGrace is how long the operator may take to end by itself.
	operatorGrace = 20 * time.Second
	// logTail is how much of the operator's log is looked at, in bytes, where only its end matters.
	logTail = 8 << 10
	// logLimit bounds what is read of the operator's log, in bytes.
	logLimit = 16 << 20
)

// buildOperator builds the program, and says every now and then that it still does. It uses the same settings as the demo
// itself, so that what they have in common is compiled once.
func buildOperator(ctx context.Context, root, target string, progress io.Writer) error {
	began := time.Now()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", target, ".") //nolint:gosec // target is in the demo's own directory
	cmd.Dir = root
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = operatorGrace
	done := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		tick := time.NewTicker(15 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_, _ = fmt.Fprintf(progress, "still building after %s\n", short(time.Since(began)))
			}
		}
	}()
	said, err := cmd.CombinedOutput()
	close(done)
	<-told
	if err != nil {
		return fmt.Errorf("build the operator: %w\n%s", err, said)
	}
	_, _ = fmt.Fprintf(progress, "built after %s\n", short(time.Since(began)))
	return nil
}

// operator is the running operator.
type operator struct {
	child     *child.Process
	workspace *workspace
}

// startOperator runs the operator with its output in a file. It runs until stop, whatever becomes of a context.
func startOperator(w *workspace, args ...string) (*operator, error) {
	logFile, err := w.files.OpenFile(operatorLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the operator's log: %w", err)
	}
	// The child has its own copy of the file.
	defer func() { _ = logFile.Close() }()
	cmd := exec.Command(w.path(operatorProgram), args...) //nolint:gosec,noctx // the demo has just built it; stop asks it to end before it kills it
	cmd.Stdout, cmd.Stderr = logFile, logFile
	started, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("start the operator: %w", err)
	}
	return &operator{child: started, workspace: w}, nil
}

// failure is nil while the operator runs.
func (o *operator) failure() error {
	select {
	case <-o.child.Ended():
		return fmt.Errorf("the operator has ended by itself: %w", errors.Join(o.child.Err(), errors.New("its log says why")))
	default:
		return nil
	}
}

// stop asks the operator to end, and kills it if it does not.
func (o *operator) stop() error {
	if o == nil {
		return nil
	}
	if err := o.child.Cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the operator: %w", err)
	}
	grace := time.NewTimer(operatorGrace)
	defer grace.Stop()
	select {
	case <-o.child.Ended():
		return nil
	case <-grace.C:
	}
	_ = o.child.Cmd.Process.Kill() // fails only if it has ended in the meantime
	<-o.child.Ended()
	return fmt.Errorf("the operator did not end within %s and was killed", operatorGrace)
}

// log gives what the operator has logged.
func (o *operator) log() (string, error) { return o.readEnd(logLimit) }

// lastLines gives the end of what the operator has logged.
func (o *operator) lastLines() string {
	text, err := o.readEnd(logTail)
	if err != nil {
		return err.Error()
	}
	return text
}

// readEnd gives the end of the log, from the start of a line.
func (o *operator) readEnd(limit int64) (string, error) {
	file, err := o.workspace.files.Open(operatorLog)
	if err != nil {
		return "", fmt.Errorf("read the operator's log: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("read the operator's log: %w", err)
	}
	from := max(0, info.Size()-limit)
	content, err := io.ReadAll(io.NewSectionReader(file, from, limit))
	if err != nil {
		return "", fmt.Errorf("read the operator's log: %w", err)
	}
	text := string(content)
	if from > 0 {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text, nil
}
