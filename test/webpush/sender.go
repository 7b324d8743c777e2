// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package webpush

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/rostra-dev/rostra/test/child"
)

// maxResult bounds one line of the sender's output, in bytes.
const maxResult = 1 << 20

// Job is a message to a subscription.
type Job struct {
	// Endpoint of the subscription.
	Endpoint string `json:"endpoint"`
	// P256dh and Auth are the subscription's keys in base64url.
	P256dh string `json:"p256dh"`
	Auth   string `json:"auth"`
	// Standard asks for RFC 8291; else it is the draft.
	Standard bool `json:"standard"`
	// Payload in plain.
	Payload []byte `json:"payload"`
	// VapidPublic and VapidPrivate are the sender's keys in base64url.
	VapidPublic  string `json:"vapidPublic"`
	VapidPrivate string `json:"vapidPrivate"`
}

// result is one line of the sender's output.
type result struct {
	ID      int                        `json:"id"`
	Status  int                        `json:"status"`
	Headers map[string]json.RawMessage `json:"headers"` // texts, and numbers
	Body    []byte                     `json:"body"`
	Error   string                     `json:"error"`
}

// Sender is a running sender. It is safe for concurrent use.
type Sender struct {
	dir    string
	child  *child.Process
	stdin  io.WriteCloser
	stderr bytes.Buffer

	mu      sync.Mutex
	serial  int
	waiting map[int]chan<- result
}

// Start installs the sender if need be, and starts it. Stop it. The error is
// ErrUnavailable if a tool is missing.
func Start(ctx context.Context) (*Sender, error) {
	installed, err := Install(ctx)
	if err != nil {
		return nil, err
	}
	program, err := files.ReadFile("sender/send.mjs")
	if err != nil {
		return nil, fmt.Errorf("reading the embedded send.mjs: %w", err)
	}
	s := &Sender{waiting: map[int]chan<- result{}}
	if s.dir, err = os.MkdirTemp("", "rostra-webpush-"); err != nil {
		return nil, fmt.Errorf("making room for the sender: %w", err)
	}
	if err := s.start(installed, program); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *Sender) start(installed string, program []byte) error {
	script := filepath.Join(s.dir, "send.mjs")
	if err := os.WriteFile(script, program, 0o600); err != nil {
		return fmt.Errorf("unpacking the sender: %w", err)
	}
	cmd := exec.Command("node", script, installed) // it outlives the context of its start
	cmd.Stderr = &s.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting the sender: %w", err)
	}
	// Not a StdoutPipe, which is closed under its reader when the process ends.
	output, writer := io.Pipe()
	cmd.Stdout = writer
	if s.child, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		return fmt.Errorf("starting the sender: %w", err)
	}
	s.stdin = stdin
	go func() {
		<-s.child.Ended()
		_ = writer.Close() // never fails
	}()
	go s.read(output)
	return nil
}

// read hands results to those who wait for them, until the sender ends.
func (s *Sender) read(output io.Reader) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, maxResult)
	for lines.Scan() {
		var got result
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			got = result{Error: "the sender printed something that is no result"}
		}
		s.mu.Lock()
		waiting := s.waiting[got.ID]
		delete(s.waiting, got.ID)
		s.mu.Unlock()
		if waiting != nil {
			waiting <- got
		}
	}
}

// Stop ends the sender and waits until it has.
func (s *Sender) Stop() error {
	err := s.stdin.Close()
	<-s.child.Ended()
	return errors.Join(err, s.child.Err(), os.RemoveAll(s.dir))
}

// Encrypt gives the headers and the body that are sent for a job.
func (s *Sender) Encrypt(ctx context.Context, job Job) (http.Header, []byte, error) {
	got, err := s.do(ctx, job, false)
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	for name, raw := range got.Headers {
		text := string(raw)
		if bytes.HasPrefix(raw, []byte(`"`)) {
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, nil, fmt.Errorf("reading the header %s: %w", name, err)
			}
		}
		header.Set(name, text)
	}
	return header, got.Body, nil
}

// Send encrypts a job, sends it, and gives the status of the answer.
func (s *Sender) Send(ctx context.Context, job Job) (int, error) {
	got, err := s.do(ctx, job, true)
	return got.Status, err
}

func (s *Sender) do(ctx context.Context, job Job, send bool) (result, error) {
	answer := make(chan result, 1)
	if err := s.ask(job, send, answer); err != nil {
		return result{}, err
	}
	select {
	case got := <-answer:
		if got.Error != "" {
			return result{}, errors.New("the Web Push sender: " + got.Error)
		}
		return got, nil
	case <-s.child.Ended():
		return result{}, fmt.Errorf("the Web Push sender has ended: %w: %s", s.child.Err(), s.stderr.String())
	case <-ctx.Done():
		return result{}, context.Cause(ctx)
	}
}

func (s *Sender) ask(job Job, send bool, answer chan<- result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	line, err := json.Marshal(struct {
		Job
		ID   int  `json:"id"`
		Send bool `json:"send"`
	}{job, s.serial, send})
	if err != nil {
		return fmt.Errorf("asking the Web Push sender: %w", err)
	}
	s.waiting[s.serial] = answer
	if _, err := s.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("asking the Web Push sender: %w", err)
	}
	return nil
}
