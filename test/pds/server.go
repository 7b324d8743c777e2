// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
)

// Options say how a server is started. The zero value is good for most tests.
type Options struct {
	// Dir keeps accounts, keys and the server's log (pds.log). It is made if
	// absent and left in place by Stop. Default: a temporary directory that Stop
	// removes.
	Dir string
	// RateLimits turns on the limits of the public service, such as 30 logins in
	// five minutes for one identifier and address. Default: none.
	RateLimits bool
	// AppViewURL is the base URL of whatever answers app.bsky.* requests, which
	// the PDS passes on. Default: none, and the PDS answers them with 400.
	AppViewURL string
	// Port is the port of the PDS on 127.0.0.1. Default: chosen by the system.
	Port int
	// Log receives what the install and the server process print. Default: nowhere.
	Log io.Writer
}

// Server is a running Bluesky PDS. Its methods may be called from several
// goroutines at once.
type Server struct {
	options   Options
	modules   string
	dir       string
	temporary bool
	client    *http.Client
	journal   journal

	mu      sync.Mutex
	process *process // nil when stopped
	address hello
	secrets secrets
}

// secrets are the keys that server.mjs made for the data directory.
type secrets struct {
	JWT   string `json:"jwt"`
	Admin string `json:"admin"`
}

// errStopped is what a stopped server answers.
var errStopped = errors.New("the PDS is stopped; call Restart first")

// Start installs the PDS if needed, starts it and returns when it serves. The
// context bounds the install and the start, not the life of the server: call
// Stop when done. The error is ErrUnavailable if the machine lacks a tool.
func Start(ctx context.Context, options Options) (*Server, error) {
	modules, err := Install(ctx, options.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, modules: modules, dir: options.Dir, client: newClient()}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "rostra-pds-"); err != nil {
			return nil, fmt.Errorf("making the PDS data directory: %w", err)
		}
		s.temporary = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(ctx, options.Port, 0); err != nil {
		return nil, errors.Join(err, s.removeData())
	}
	return s, nil
}

// start runs the server on the ports; 0 lets the system choose. The caller holds
// the lock.
func (s *Server) start(ctx context.Context, port, plcPort int) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the PDS data directory: %w", err)
	}
	if err := unpack(s.dir, "server.mjs"); err != nil {
		return err
	}
	process, err := launch(s.command(port, plcPort), s.options.Log, &s.journal)
	if err != nil {
		return err
	}
	address, err := process.greet(ctx)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(address.SecretsFile)
	if err == nil {
		err = json.Unmarshal(content, &s.secrets)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("reading the PDS keys: %w", err), process.stop())
	}
	s.process, s.address = process, address
	return nil
}

func (s *Server) command(port, plcPort int) *exec.Cmd {
	args := []string{
		filepath.Join(s.dir, "server.mjs"),
		"--modules", s.modules,
		"--data", s.dir,
		"--port", strconv.Itoa(port),
		"--plc-port", strconv.Itoa(plcPort),
	}
	if s.options.RateLimits {
		args = append(args, "--rate-limits")
	}
	if s.options.AppViewURL != "" {
		args = append(args, "--app-view", s.options.AppViewURL)
	}
	if s.temporary {
		args = append(args, "--ephemeral")
	}
	return exec.Command("node", args...)
}

// URL is the base URL of the PDS, such as http://127.0.0.1:2583. It stays the
// same over restarts.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address.URL
}

// PLCURL is the base URL of the PLC directory that holds the accounts' DIDs.
func (s *Server) PLCURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address.PLCURL
}

// Dir is the data directory. Its pds.log holds a line for every request, without
// credentials.
func (s *Server) Dir() string { return s.dir }

// running returns the process, or an error if the server is stopped.
func (s *Server) running() (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil, errStopped
	}
	return s.process, nil
}

// Pause freezes the server, as an outage does: connections are accepted and
// nothing is ever answered, until Resume. It returns when the server has stopped.
func (s *Server) Pause() error {
	process, err := s.running()
	if err != nil {
		return err
	}
	return process.pause()
}

// Resume ends a Pause. Requests that came in the meantime and whose client still
// waits are then answered.
func (s *Server) Resume() error {
	process, err := s.running()
	if err != nil {
		return err
	}
	return process.resume()
}

// Halt ends the server's process and keeps its data: connections are refused
// until Restart. Halting a halted server does nothing.
func (s *Server) Halt() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halt()
}

func (s *Server) halt() error {
	if s.process == nil {
		return nil
	}
	process := s.process
	s.process = nil
	s.client.CloseIdleConnections()
	return process.stop()
}

// Restart ends the server if it runs and starts it again at the same address
// with the same accounts, keys and sessions. Counts of rate limits start afresh.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.halt(); err != nil {
		return err
	}
	port, err := portOf(s.address.URL)
	if err != nil {
		return err
	}
	plcPort, err := portOf(s.address.PLCURL)
	if err != nil {
		return err
	}
	return s.start(ctx, port, plcPort)
}

// Stop ends the server and removes its data if Options.Dir was empty. Stopping a
// stopped server does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.halt(), s.removeData())
}

func (s *Server) removeData() error {
	if !s.temporary {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("removing the PDS data directory: %w", err)
	}
	return nil
}

// Requests lists the XRPC requests seen since Start in order of arrival, over
// restarts too, without those of this package. It is exact: a request that was
// answered before the call is in it.
func (s *Server) Requests() ([]Request, error) {
	if process, err := s.running(); err == nil {
		if err := process.sync(); err != nil {
			return nil, err
		}
	}
	return s.journal.list(), nil
}

// RequestCount returns how many of Requests call the method. AnyMethod counts all.
func (s *Server) RequestCount(nsid string) (int, error) {
	requests, err := s.Requests()
	return count(requests, nsid), err
}

func portOf(base string) (int, error) {
	parsed, err := url.Parse(base)
	if err != nil {
		return 0, fmt.Errorf("reading the port of %q: %w", base, err)
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return 0, fmt.Errorf("reading the port of %q: %w", base, err)
	}
	return port, nil
}
