// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package alertmanager runs a real Alertmanager on 127.0.0.1 for test suites. It
// is built from its Go module the first time, by server/build.sh.
package alertmanager

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rostra-dev/rostra/test/child"
)

//go:embed server
var embedded embed.FS

// ErrUnavailable says that this machine cannot build Alertmanager.
var ErrUnavailable = errors.New("the real Alertmanager cannot be built on this machine")

const (
	exitUnavailable = 3
	startLimit      = 30 * time.Second
	stopGrace       = 10 * time.Second
	requestLimit    = 10 * time.Second
	maxAnswer       = 4 << 20
	maxLine         = 1 << 20

	// config groups by incident, as the documentation advises, and tells nobody.
	config = "route: {receiver: nobody, group_by: [incident], group_wait: 1s}\nreceivers: [{name: nobody}]\n"
)

// Server is an Alertmanager that runs.
type Server struct {
	process *child.Process
	dir     string
	url     string
	client  *http.Client
}

// Alert is one that Alertmanager holds.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Status       struct {
		// State is active, suppressed or unprocessed.
		State      string   `json:"state"`
		SilencedBy []string `json:"silencedBy"`
	} `json:"status"`
}

// Build makes sure that the program is there, and gives its path. What it says
// goes to log, which may be nil.
func Build(ctx context.Context, log io.Writer) (path string, err error) {
	dir, err := os.MkdirTemp("", "rostra-alertmanager-")
	if err != nil {
		return "", fmt.Errorf("making room to build Alertmanager: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(dir, embedded); err != nil {
		return "", fmt.Errorf("unpacking what builds Alertmanager: %w", err)
	}
	var output, said bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", filepath.Join(dir, "server", "build.sh"))
	cmd.Stdout, cmd.Stderr = &output, &said
	if log != nil {
		cmd.Stderr = io.MultiWriter(&said, log)
	}
	cmd.SysProcAttr = child.Attributes(syscall.SIGTERM)
	cmd.WaitDelay = stopGrace
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitUnavailable {
			return "", fmt.Errorf("%w: %s", ErrUnavailable, said.String())
		}
		return "", fmt.Errorf("building Alertmanager: %w: %s", errors.Join(err, context.Cause(ctx)), said.String())
	}
	return strings.TrimSpace(output.String()), nil
}

// Start builds the program where it is missing, and runs it. Its log goes to log,
// which may be nil.
func Start(ctx context.Context, log io.Writer) (*Server, error) {
	program, err := Build(ctx, log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "rostra-alertmanager-")
	if err != nil {
		return nil, fmt.Errorf("making room for Alertmanager: %w", err)
	}
	s := &Server{dir: dir, client: &http.Client{Timeout: requestLimit, Transport: &http.Transport{}}}
	if err := s.run(ctx, program, log); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, program string, log io.Writer) error {
	file := filepath.Join(s.dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return fmt.Errorf("configuring Alertmanager: %w", err)
	}
	reader, writer := io.Pipe()
	cmd := exec.Command(program, "--config.file="+file, "--storage.path="+filepath.Join(s.dir, "data"), "--log.format=json",
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	cmd.Stderr = writer
	if log != nil {
		cmd.Stderr = io.MultiWriter(writer, log)
	}
	var err error
	if s.process, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		s.process = nil
		return fmt.Errorf("starting Alertmanager: %w", err)
	}
	go func() {
		<-s.process.Ended()
		_ = writer.Close()
	}()
	listening := make(chan string, 1)
	go findAddress(reader, listening)
	select {
	case address, found := <-listening:
		if !found {
			return errors.New("the program ended before it listened")
		}
		s.url = "http://" + address
	case <-ctx.Done():
		return fmt.Errorf("waiting for Alertmanager to listen: %w", ctx.Err())
	}
	return s.ready(ctx)
}

// findAddress reads the log to its end, and gives the address that it names.
func findAddress(reader *io.PipeReader, listening chan<- string) {
	defer close(listening)
	lines := bufio.NewScanner(reader)
	lines.Buffer(nil, maxLine)
	var once sync.Once
	for lines.Scan() {
		var entry struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "Listening on" {
			once.Do(func() { listening <- entry.Address })
		}
	}
	_, _ = io.Copy(io.Discard, reader)
}

func (s *Server) ready(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.call(ctx, http.MethodGet, "/api/v2/status", nil, nil)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.process.Ended():
			return fmt.Errorf("the program ended at its start: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for Alertmanager: %w", err)
		}
	}
}

// URL is the server's root.
func (s *Server) URL() string { return s.url }

// Alerts that are not over.
func (s *Server) Alerts(ctx context.Context) ([]Alert, error) {
	var alerts []Alert
	err := s.call(ctx, http.MethodGet, "/api/v2/alerts", nil, &alerts)
	return alerts, err
}

// Silence holds all alerts that have the label until the time given.
func (s *Server) Silence(ctx context.Context, label, value string, from, until time.Time) error {
	return s.call(ctx, http.MethodPost, "/api/v2/silences", map[string]any{
		"matchers": []map[string]any{{"name": label, "value": value, "isRegex": false, "isEqual": true}},
		"startsAt": from, "endsAt": until, "createdBy": "a test", "comment": "a test",
	}, nil)
}

func (s *Server) call(ctx context.Context, method, path string, send, into any) error {
	var body bytes.Buffer
	if send != nil {
		if err := json.NewEncoder(&body).Encode(send); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, &body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// Stop ends the program and removes what it left.
func (s *Server) Stop() error {
	s.client.CloseIdleConnections()
	var err error
	if s.process != nil {
		if err = s.process.Cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		select {
		case <-s.process.Ended():
		case <-time.After(stopGrace):
			err = errors.Join(err, s.process.Cmd.Process.Kill())
			<-s.process.Ended()
		}
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
