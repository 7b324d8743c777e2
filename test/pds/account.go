// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package pds

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Account is an account of the PDS with its main password.
type Account struct {
	DID      string
	Handle   string
	Password string
	Email    string
}

// String names the account without its password.
func (a Account) String() string { return a.Handle + " (" + a.DID + ")" }

// Session is an answer to a login or a refresh.
type Session struct {
	DID        string `json:"did"`
	Handle     string `json:"handle"`
	Email      string `json:"email"`
	AccessJWT  string `json:"accessJwt"`  // good for two hours, whatever is revoked meanwhile
	RefreshJWT string `json:"refreshJwt"` // good for 90 days or until revoked
	Active     bool   `json:"active"`
	Status     string `json:"status"` // why the account is not active: deactivated, takendown
}

// String names the session's account without its tokens.
func (s Session) String() string { return s.Handle + " (" + s.DID + ")" }

// AppPassword is an app password as the PDS lists it.
type AppPassword struct {
	Name       string    `json:"name"`
	CreatedAt  time.Time `json:"createdAt"`
	Privileged bool      `json:"privileged"`
}

// CreateAccount makes an account with a random main password. The handle must
// end in .test, have at least three characters before it and not be reserved
// (help.test and the like are).
func (s *Server) CreateAccount(ctx context.Context, handle string) (Account, error) {
	account := Account{
		Handle:   handle,
		Password: rand.Text(),
		Email:    "owner-" + strings.ToLower(rand.Text()) + "@acme.example",
	}
	call := Call{
		NSID:      "com.atproto.server.createAccount",
		Procedure: true,
		Body:      map[string]string{"handle": handle, "email": account.Email, "password": account.Password},
	}
	var made Session
	if err := s.send(ctx, call, "", &made); err != nil {
		return Account{}, err
	}
	account.DID, account.Handle = made.DID, made.Handle
	return account, nil
}

// CreateSession logs in. The identifier is a DID, a handle without "@", or an
// e-mail address. The error is ErrRefused if the login is.
func (s *Server) CreateSession(ctx context.Context, identifier, password string) (Session, error) {
	call := Call{
		NSID:      "com.atproto.server.createSession",
		Procedure: true,
		Body:      map[string]string{"identifier": identifier, "password": password},
	}
	var session Session
	err := s.send(ctx, call, "", &session)
	return session, err
}

// RefreshSession trades a refresh token for a new session. The error is
// ErrRefused if the token was revoked or has expired.
func (s *Server) RefreshSession(ctx context.Context, refreshJWT string) (Session, error) {
	call := Call{NSID: "com.atproto.server.refreshSession", Procedure: true}
	var session Session
	err := s.send(ctx, call, "Bearer "+refreshJWT, &session)
	return session, err
}

// asOwner sends the call with a new session of the main password.
func (s *Server) asOwner(ctx context.Context, account Account, call Call, out any) error {
	session, err := s.CreateSession(ctx, account.DID, account.Password)
	if err != nil {
		return err
	}
	return s.send(ctx, call, "Bearer "+session.AccessJWT, out)
}

// CreateAppPassword makes an app password and returns it. A name that exists is
// an Error with status 500: so does the PDS answer.
func (s *Server) CreateAppPassword(ctx context.Context, account Account, name string) (string, error) {
	call := Call{
		NSID:      "com.atproto.server.createAppPassword",
		Procedure: true,
		Body:      map[string]string{"name": name},
	}
	var made struct{ Password string }
	err := s.asOwner(ctx, account, call, &made)
	return made.Password, err
}

// AppPasswords lists the account's app passwords, newest first.
func (s *Server) AppPasswords(ctx context.Context, account Account) ([]AppPassword, error) {
	var list struct{ Passwords []AppPassword }
	err := s.asOwner(ctx, account, Call{NSID: "com.atproto.server.listAppPasswords"}, &list)
	return list.Passwords, err
}

// ListAppPasswords lists the names of the account's app passwords, newest first.
func (s *Server) ListAppPasswords(ctx context.Context, account Account) ([]string, error) {
	passwords, err := s.AppPasswords(ctx, account)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(passwords))
	for _, password := range passwords {
		names = append(names, password.Name)
	}
	return names, nil
}

// RevokeAppPassword revokes the app password of that name, as the account's
// owner does behind Rostra's back. An absent name is no error.
func (s *Server) RevokeAppPassword(ctx context.Context, account Account, name string) error {
	call := Call{
		NSID:      "com.atproto.server.revokeAppPassword",
		Procedure: true,
		Body:      map[string]string{"name": name},
	}
	return s.asOwner(ctx, account, call, nil)
}

// Post publishes a text as the account and returns the post's AT URI.
func (s *Server) Post(ctx context.Context, account Account, text string) (string, error) {
	return s.publish(ctx, account, map[string]any{"text": text})
}

// Reply answers a post, in the thread that begins with root, and returns the
// answer's AT URI. The server does not look for either post.
func (s *Server) Reply(ctx context.Context, account Account, text, root, parent string) (string, error) {
	reference := func(uri string) map[string]string {
		return map[string]string{"uri": uri, "cid": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"}
	}
	return s.publish(ctx, account, map[string]any{
		"text": text, "reply": map[string]any{"root": reference(root), "parent": reference(parent)},
	})
}

func (s *Server) publish(ctx context.Context, account Account, post map[string]any) (string, error) {
	const collection = "app.bsky.feed.post"
	post["$type"], post["createdAt"] = collection, time.Now().UTC().Format(time.RFC3339Nano)
	call := Call{
		NSID:      "com.atproto.repo.createRecord",
		Procedure: true,
		Body:      map[string]any{"repo": account.DID, "collection": collection, "record": post},
	}
	var made struct{ URI string }
	err := s.asOwner(ctx, account, call, &made)
	return made.URI, err
}

// admin sends the call with the PDS's administrator password.
func (s *Server) admin(ctx context.Context, call Call) error {
	s.mu.Lock()
	password := s.secrets.Admin
	s.mu.Unlock()
	call.Procedure = true
	return s.send(ctx, call, "Basic "+base64.StdEncoding.EncodeToString([]byte("admin:"+password)), nil)
}

// ChangePassword gives the account a new main password. Every refresh token of
// the account ends with the old one, those of app-password sessions too; app
// passwords themselves still log in.
func (s *Server) ChangePassword(ctx context.Context, account Account, password string) error {
	return s.admin(ctx, Call{
		NSID: "com.atproto.admin.updateAccountPassword",
		Body: map[string]string{"did": account.DID, "password": password},
	})
}

// ChangeHandle renames the account, in the PLC directory too, as its owner does
// behind Rostra's back. The DID stays; logins with the old handle are refused
// from now on.
func (s *Server) ChangeHandle(ctx context.Context, account Account, handle string) error {
	call := Call{
		NSID:      "com.atproto.identity.updateHandle",
		Procedure: true,
		Body:      map[string]string{"handle": handle},
	}
	return s.asOwner(ctx, account, call, nil)
}

// TakeDown blocks the account, as moderators of the platform do.
func (s *Server) TakeDown(ctx context.Context, account Account) error {
	return s.setTakedown(ctx, account, true)
}

// LiftTakedown ends a TakeDown.
func (s *Server) LiftTakedown(ctx context.Context, account Account) error {
	return s.setTakedown(ctx, account, false)
}

func (s *Server) setTakedown(ctx context.Context, account Account, applied bool) error {
	return s.admin(ctx, Call{
		NSID: "com.atproto.admin.updateSubjectStatus",
		Body: map[string]any{
			"subject":  map[string]string{"$type": "com.atproto.admin.defs#repoRef", "did": account.DID},
			"takedown": map[string]any{"applied": applied, "ref": "test"},
		},
	})
}

// Deactivate hides the account, as its owner can. Logins still work.
func (s *Server) Deactivate(ctx context.Context, account Account) error {
	call := Call{NSID: "com.atproto.server.deactivateAccount", Procedure: true, Body: map[string]string{}}
	return s.asOwner(ctx, account, call, nil)
}

// Activate ends a Deactivate.
func (s *Server) Activate(ctx context.Context, account Account) error {
	return s.asOwner(ctx, account, Call{NSID: "com.atproto.server.activateAccount", Procedure: true}, nil)
}

// DeleteAccount deletes the account for good.
func (s *Server) DeleteAccount(ctx context.Context, account Account) error {
	return s.admin(ctx, Call{
		NSID: "com.atproto.admin.deleteAccount",
		Body: map[string]string{"did": account.DID},
	})
}

// ExpiredToken returns the same access or refresh token as the PDS would have
// made it so long ago that it has just expired. Nothing else can show within a
// test what an expired token does.
func (s *Server) ExpiredToken(token string) (string, error) {
	header, rest, _ := strings.Cut(token, ".")
	payload, _, found := strings.Cut(rest, ".")
	if !found {
		return "", errors.New("not a token: it must have three parts")
	}
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", fmt.Errorf("not a token: %w", err)
	}
	var claims map[string]any
	if err := json.Unmarshal(decoded, &claims); err != nil {
		return "", fmt.Errorf("not a token: %w", err)
	}
	claims["exp"] = time.Now().Add(-time.Second).Unix()
	encoded, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding the token: %w", err)
	}
	s.mu.Lock()
	key := s.secrets.JWT
	s.mu.Unlock()
	signed := header + "." + base64.RawURLEncoding.EncodeToString(encoded)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}
