// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rostra-dev/rostra/test/child"
)

const (
	// stopGrace is how long a server may take to end by itself before it is killed.
	stopGrace = 10 * time.Second
	// syncTimeout bounds the wait for a running server to repeat a mark.
	syncTimeout = 5 * time.Second
)

// hello is what server.mjs prints when it is ready.
type hello struct {
	URL         string `json:"url"`
	PLCURL      string `json:"plcUrl"`
	SecretsFile string `json:"secretsFile"`
}

// message is one line of server.mjs: exactly one part is set.
type message struct {
	hello
	Request *struct {
		ID     int    `json:"id"`
		Method string `json:"method"`
		At     int64  `json:"at"` // milliseconds since 1970
		Agent  string `json:"agent"`
	} `json:"request"`
	Answer *struct {
		ID     int `json:"id"`
		Status int `json:"status"`
	} `json:"answer"`
	Sync string `json:"sync"`
}

// process is one run of server.mjs.
type process struct {
	child  *child.Process
	stdin  io.WriteCloser
	errors *tail

	ready chan hello // receives once

	mu     sync.Mutex
	paused bool
	marks  int
	synced map[string]chan struct{}
}

// launch starts the command and returns as soon as it runs. Every line it
// prints, except the greeting and repeated marks, goes to the journal.
func launch(cmd *exec.Cmd, log io.Writer, journal *journal) (*process, error) {
	p := &process{
		errors: newTail(log),
		ready:  make(chan hello, 1),
		synced: map[string]chan struct{}{},
	}
	run := journal.newRun()
	cmd.Stdout = &lines{handle: func(line []byte) { p.receive(line, run) }}
	cmd.Stderr = p.errors
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("connecting to the PDS process: %w", err)
	}
	p.stdin = stdin

	// A server that is paused when its parent ends must be woken to see that its
	// standard input was closed.
	p.child, err = child.Start(cmd, syscall.SIGCONT)
	if err != nil {
		return nil, fmt.Errorf("starting the PDS process: %w", err)
	}
	return p, nil
}

func (p *process) receive(line []byte, run *run) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		// Not of the protocol: a library that prints. It belongs in the log.
		_, _ = fmt.Fprintf(p.errors, "%s\n", line)
		return
	}
	switch {
	case m.Request != nil:
		run.arrived(m.Request.ID, Request{NSID: m.Request.Method, At: time.UnixMilli(m.Request.At), UserAgent: m.Request.Agent})
	case m.Answer != nil:
		run.answered(m.Answer.ID, m.Answer.Status)
	case m.Sync != "":
		p.mu.Lock()
		defer p.mu.Unlock()
		if done, ok := p.synced[m.Sync]; ok {
			delete(p.synced, m.Sync)
			close(done)
		}
	case m.URL != "":
		p.ready <- m.hello
	}
}

// sync returns when every request that the server saw before the call has
// reached the journal. A paused or ended server sees none, so there is no wait.
func (p *process) sync() error {
	p.mu.Lock()
	if p.paused {
		p.mu.Unlock()
		return nil
	}
	p.marks++
	mark, done := strconv.Itoa(p.marks), make(chan struct{})
	p.synced[mark] = done
	p.mu.Unlock()

	// The write fails only if the process ended, which the select then sees.
	_, writeErr := io.WriteString(p.stdin, mark+"\n")
	timeout := time.NewTimer(syncTimeout)
	defer timeout.Stop()
	select {
	case <-done:
		return nil
	case <-p.child.Ended():
		return nil
	case <-timeout.C:
		return errors.Join(fmt.Errorf("the PDS process did not answer within %s; is it paused?", syncTimeout), writeErr)
	}
}

func (p *process) pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused {
		return nil
	}
	if err := p.child.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pausing the PDS process: %w", err)
	}
	p.paused = true
	return waitStopped(p.child.Cmd.Process)
}

func (p *process) resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.paused {
		return nil
	}
	if err := p.child.Cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("resuming the PDS process: %w", err)
	}
	p.paused = false
	return nil
}

// stop ends the process, paused or not, and waits until it is gone.
func (p *process) stop() error {
	if err := p.resume(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.child.Cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the PDS process: %w", err)
	}
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-p.child.Ended():
	case <-grace.C:
		err := fmt.Errorf("the PDS process did not end within %s and was killed: %s", stopGrace, p.errors)
		return errors.Join(err, p.kill())
	}
	if p.child.Err() != nil {
		return fmt.Errorf("the PDS process ended badly: %w: %s", p.child.Err(), p.errors)
	}
	return nil
}

// kill ends the process at once and waits until it is gone.
func (p *process) kill() error {
	if err := p.child.Cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing the PDS process: %w", err)
	}
	<-p.child.Ended()
	return nil
}

// greet waits for the server to be ready.
func (p *process) greet(ctx context.Context) (hello, error) {
	select {
	case h := <-p.ready:
		return h, nil
	case <-p.child.Ended():
		return hello{}, fmt.Errorf("the PDS process ended before it was ready: %w: %s", p.child.Err(), p.errors)
	case <-ctx.Done():
		err := fmt.Errorf("the PDS was not ready in time: %w: %s", context.Cause(ctx), p.errors)
		return hello{}, errors.Join(err, p.kill())
	}
}

// terminateGroup asks a process that leads its group, and its children, to end.
func terminateGroup(process *os.Process) error {
	err := syscall.Kill(-process.Pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// lines calls handle for each whole line written to it. A line longer than
// maxLine is dropped: the protocol has none.
type lines struct {
	handle  func([]byte)
	pending []byte
}

const maxLine = 1 << 20

func (l *lines) Write(data []byte) (int, error) {
	l.pending = append(l.pending, data...)
	for {
		line, rest, found := bytes.Cut(l.pending, []byte{'\n'})
		if !found {
			break
		}
		l.handle(line)
		l.pending = rest
	}
	if len(l.pending) > maxLine {
		l.pending = nil
	}
	return len(data), nil
}

// tail passes everything on and remembers the end of it, for error messages.
type tail struct {
	mu   sync.Mutex
	next io.Writer
	kept []byte
}

const tailSize = 4 << 10

func newTail(next io.Writer) *tail {
	if next == nil {
		next = io.Discard
	}
	return &tail{next: next}
}

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, data...)
	if excess := len(t.kept) - tailSize; excess > 0 {
		t.kept = append(t.kept[:0], t.kept[excess:]...)
	}
	// A log that cannot be written must not stop the server.
	_, _ = t.next.Write(data)
	return len(data), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}
