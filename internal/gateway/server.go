// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/net/netutil"
)

const (
	// maxConnections at a time; more wait in the system's queue. A connection
	// that says nothing holds its place for no longer than the timeouts below.
	maxConnections = 1024
	maxHeaderBytes = 16 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 15 * time.Second
	idleTimeout    = 30 * time.Second
	// drainTimeout is how long requests that are being answered have when the
	// server stops: more than a delivery may take.
	drainTimeout = 5 * time.Second
)

// Server serves the gateway. It is a Runnable of a manager, on every replica.
type Server struct {
	address string
	server  *http.Server
	log     logr.Logger

	mu    sync.Mutex
	bound net.Addr
}

// NewServer makes a server that listens on the address (host:port) once it is
// started. TLS is ended in front of it.
func NewServer(address string, handler http.Handler, logger logr.Logger) *Server {
	return &Server{
		address: address,
		log:     logger,
		server: &http.Server{
			Handler:                      handler,
			DisableGeneralOptionsHandler: true,
			MaxHeaderBytes:               maxHeaderBytes,
			ReadHeaderTimeout:            headerTimeout,
			ReadTimeout:                  readTimeout,
			WriteTimeout:                 writeTimeout,
			IdleTimeout:                  idleTimeout,
			ErrorLog:                     log.New(debugLines{logger}, "", 0),
		},
	}
}

// NeedLeaderElection tells a manager that every replica serves.
func (*Server) NeedLeaderElection() bool { return false }

// Addr gives the address it listens on; nil before it does.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bound
}

// Start serves until ctx is done, and then until what is being answered is
// answered, five seconds at most. It can be started once.
func (s *Server) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("the gateway cannot listen: %w", err)
	}
	s.mu.Lock()
	s.bound = listener.Addr()
	s.mu.Unlock()
	s.log.Info("The gateway listens", "address", listener.Addr().String())
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(netutil.LimitListener(listener, maxConnections)) }()
	select {
	case err := <-served:
		return fmt.Errorf("the gateway stopped serving: %w", err)
	case <-ctx.Done():
	}
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := s.server.Shutdown(drained); err != nil {
		s.log.Info("The gateway stopped with requests unanswered; platforms will send them again", "reason", err.Error())
		if err := s.server.Close(); err != nil {
			return err
		}
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// debugLines logs what net/http has to say, which is mostly about strangers.
type debugLines struct{ log logr.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.log.V(1).Info("The gateway's server says", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}
