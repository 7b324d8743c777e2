// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package oidc runs a real OAuth 2.0 authorisation server on 127.0.0.1 for test
// suites: the npm package oidc-provider, a certified implementation, in a Node
// process. PKCE is required, refresh tokens rotate, and people sign in and
// consent on pages of HTML without a script. Its endpoints can be put where a
// platform has them.
package oidc

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rostra-dev/rostra/test/oidc/node"
)

//go:embed server/install.sh server/package.json server/package-lock.json server/server.mjs
var embedded embed.FS

const (
	startLimit   = 30 * time.Second
	requestLimit = 10 * time.Second
	maxAnswer    = 1 << 20

	introspectionPath = "/introspect"
	suiteClient       = "suite"
)

// Client is the application that asks for access.
type Client struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret"`
	RedirectURIs []string `json:"redirectUris"`
}

// Account is one that a person can sign in to.
type Account struct {
	// ID is the subject of its tokens.
	ID       string `json:"id"`
	Login    string `json:"login"`
	Password string `json:"password"`
}

// Options of a server.
type Options struct {
	Client   Client
	Accounts []Account
	// Scopes that can be asked for.
	Scopes []string
	// OfflineScope is the one for which there is a refresh token.
	OfflineScope string
	// Paths of the endpoints.
	AuthorizationPath, TokenPath, RevocationPath string
	// Log takes what the server says; may be nil.
	Log io.Writer
}

// Server is one that runs.
type Server struct {
	program *node.Program
	dir     string
	url     string
	secret  string
	client  *http.Client
}

// Start installs the server where it is missing, and runs it. The error is
// node.ErrUnavailable where this machine lacks Node or npm.
func Start(ctx context.Context, options Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	files, err := fs.Sub(embedded, "server")
	if err != nil {
		return nil, err
	}
	dir, err := node.Unpack(files)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, secret: rand.Text(), client: &http.Client{Timeout: requestLimit, Transport: &http.Transport{}}}
	if err := s.run(ctx, options); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) run(ctx context.Context, options Options) error {
	lines, err := node.Install(ctx, filepath.Join(s.dir, "install.sh"), options.Log)
	if err != nil {
		return err
	}
	if s.program, err = node.Start(filepath.Join(s.dir, "server.mjs"), nil, nil, options.Log); err != nil {
		return err
	}
	config := map[string]any{
		"modules": lines[0], "client": options.Client, "accounts": options.Accounts,
		"scopes": options.Scopes, "offlineScope": options.OfflineScope,
		"suite": Client{ID: suiteClient, Secret: s.secret},
		"routes": map[string]string{
			"authorization": options.AuthorizationPath, "token": options.TokenPath,
			"revocation": options.RevocationPath, "introspection": introspectionPath,
		},
	}
	if err := s.program.Send(config); err != nil {
		return err
	}
	var ready struct {
		URL string `json:"url"`
	}
	if err := s.program.Receive(ctx, &ready); err != nil {
		return err
	}
	s.url = ready.URL
	return nil
}

// URL is the server's root.
func (s *Server) URL() string { return s.url }

// Token is what the server says of one (RFC 7662).
type Token struct {
	Active    bool   `json:"active"`
	AccountID string `json:"sub"`
	Scope     string `json:"scope"`
	Type      string `json:"token_type"`
}

// Scopes of the token.
func (t Token) Scopes() []string { return strings.Fields(t.Scope) }

// Introspect asks of a token, access or refresh.
func (s *Server) Introspect(ctx context.Context, token string) (Token, error) {
	form := url.Values{"token": {token}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+introspectionPath, strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, fmt.Errorf("asking of a token: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(suiteClient, s.secret)
	response, err := s.client.Do(request)
	if err != nil {
		return Token{}, fmt.Errorf("asking of a token: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return Token{}, fmt.Errorf("asking of a token: the server answered %s", response.Status)
	}
	var said Token
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&said); err != nil {
		return Token{}, fmt.Errorf("asking of a token: %w", err)
	}
	return said, nil
}

// Stop ends the server and removes what it left.
func (s *Server) Stop() error {
	s.client.CloseIdleConnections()
	var err error
	if s.program != nil {
		err = s.program.Stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
