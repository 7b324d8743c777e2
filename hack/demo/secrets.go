// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rostra-dev/rostra/internal/platform/bluesky"
	"github.com/rostra-dev/rostra/test/pds"
)

// secrets are those that the demo has made or seen, so that it can look for them where they must not be. They print as
// nothing.
type secrets struct {
	mu     sync.Mutex
	values map[string]bool
}

func (s *secrets) add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]bool{}
	}
	s.values[value] = true
}

// count is how many there are.
func (s *secrets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

// String hides the secrets.
func (s *secrets) String() string { return fmt.Sprintf("%d secrets", s.count()) }

// in is an error if any of the secrets is in a text. It does not say which.
func (s *secrets) in(where, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for value := range s.values {
		if strings.Contains(text, value) {
			return fmt.Errorf("a secret is in %s", where)
		}
	}
	return nil
}

// delivered is the credential in a Secret that Rostra delivered. It does not print.
type delivered struct {
	id, identifier, password string
}

// String hides the password.
func (c delivered) String() string { return "credential " + c.id }

// credential reads what was delivered.
func (d *demo) credential(ctx context.Context, namespace, name string) (delivered, error) {
	secret := &corev1.Secret{}
	if err := d.admin.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret); err != nil {
		return delivered{}, fmt.Errorf("read the delivered Secret: %w", err)
	}
	found := delivered{
		id:         string(secret.Data["SOCIAL_CREDENTIAL_ID"]),
		identifier: string(secret.Data[bluesky.KeyIdentifier]),
		password:   string(secret.Data[bluesky.KeyAppPassword]),
	}
	if found.identifier == "" || found.password == "" {
		return delivered{}, fmt.Errorf("secret %s/%s lacks %s or %s", namespace, name, bluesky.KeyIdentifier, bluesky.KeyAppPassword)
	}
	d.secrets.add(found.password)
	return found, nil
}

// logIn opens a session at the Bluesky server, as the owner's tool does.
func (d *demo) logIn(ctx context.Context, with delivered) (pds.Session, error) {
	session, err := d.bluesky.CreateSession(ctx, with.identifier, with.password)
	if err != nil {
		return pds.Session{}, fmt.Errorf("log in with %s: %w", with, err)
	}
	d.secrets.add(session.AccessJWT)
	d.secrets.add(session.RefreshJWT)
	return session, nil
}

// refused is nil if the Bluesky server refused what was tried, and said so; any other error is one.
func refused(tried error) error {
	switch {
	case tried == nil:
		return errors.New("the Bluesky server accepted it")
	case !errors.Is(tried, pds.ErrRefused):
		return tried
	}
	return nil
}

// checkRights looks for a refusal of the API server in the operator's log: what config/rbac grants was enough.
func (d *demo) checkRights() {
	log, err := d.operator.log()
	if err == nil && strings.Contains(strings.ToLower(log), "forbidden") {
		err = errors.New(`the operator's log has the word "forbidden"`)
	}
	d.checks.expect("what config/rbac grants was enough: the API server refused the operator nothing", err)
}

// checkSecrets looks for every secret of the demo where none must be.
func (d *demo) checkSecrets(ctx context.Context) {
	log, err := d.operator.log()
	objects, listErr := d.quietly(ctx, d.workspace.dir, "get", "social,events", "-A", "-o", "yaml")
	d.checks.expect(fmt.Sprintf("none of %d passwords and tokens is in this output, the operator's log, a status or an Event", d.secrets.count()),
		errors.Join(err, listErr,
			d.secrets.in("this output", d.console.transcript()),
			d.secrets.in("the operator's log", log),
			d.secrets.in("a status or an Event", objects)))
}
