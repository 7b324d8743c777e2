// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package bluesky

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxTokenLife is how long a token may be good for.
	maxTokenLife = 5 * time.Minute
	// legacyKeyType is the form in which older directories give keys, that of
	// @did-plc/server 0.0.1 among them.
	legacyKeyType = "EcdsaSecp256k1VerificationKey2019"
	// maxDocument bounds a DID document, in bytes.
	maxDocument = 64 << 10
)

// refused is why a token is not taken, by the names of @atproto/xrpc-server.
type refused struct{ name, message string }

// claims of a token between services.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Method   string `json:"lxm"`
	Expires  int64  `json:"exp"`
	Issued   int64  `json:"iat"`
	Nonce    string `json:"jti"`
}

// authenticate gives the DID of the account that the request is for.
func (v *AppView) authenticate(r *http.Request, method string) (string, *refused) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", &refused{"AuthMissing", "Authentication Required"}
	}
	parts := strings.Split(token, ".")
	const parties = 3
	if len(parts) != parties {
		return "", &refused{"BadJwt", "poorly formatted jwt"}
	}
	var header struct{ Typ, Alg string }
	var said claims
	if err := errors.Join(decode(parts[0], &header), decode(parts[1], &said)); err != nil {
		return "", &refused{"BadJwt", "poorly formatted jwt"}
	}
	if header.Typ != "JWT" || header.Alg != "ES256K" {
		return "", &refused{"BadJwtType", "not a JWT that is signed with ES256K"}
	}
	if refusal := said.check(time.Now(), method); refusal != nil {
		return "", refusal
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return "", &refused{"BadJwtSignature", "the signature is not base64url"}
	}
	key, err := v.keyOf(r.Context(), said.Issuer)
	if err != nil {
		return "", &refused{"BadJwtSignature", "could not verify jwt signature: " + err.Error()}
	}
	if !key.verifies(sha256.Sum256([]byte(parts[0]+"."+parts[1])), signature) {
		return "", &refused{"BadJwtSignature", "jwt signature does not match jwt issuer"}
	}
	return said.Issuer, nil
}

func decode(part string, into any) error {
	content, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

func (c claims) check(now time.Time, method string) *refused {
	expires := time.Unix(c.Expires, 0)
	switch {
	case !now.Before(expires):
		return &refused{"JwtExpired", "jwt expired"}
	case expires.After(now.Add(maxTokenLife)):
		return &refused{"BadJwt", "the token lives too long"}
	case c.Audience != ServiceDID && !strings.HasPrefix(c.Audience, ServiceDID+"#"):
		return &refused{"BadJwtAudience", "jwt audience does not match service did"}
	case c.Method != method:
		return &refused{"BadJwtLexiconMethod", "bad jwt lexicon method"}
	case !strings.HasPrefix(c.Issuer, "did:"):
		return &refused{"BadJwtIss", "jwt iss is not a valid did"}
	case c.Nonce == "":
		return &refused{"BadJwt", "the token has no jti"}
	}
	return nil
}

// keyOf asks the directory for the key with which an account's server signs.
func (v *AppView) keyOf(ctx context.Context, did string) (publicKey, error) {
	v.mu.Lock()
	directory := v.directory
	v.mu.Unlock()
	if directory == "" {
		return publicKey{}, errors.New("no directory is known")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, directory+"/"+did, http.NoBody)
	if err != nil {
		return publicKey{}, err
	}
	response, err := v.http.Client().Do(request)
	if err != nil {
		return publicKey{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var document struct {
		VerificationMethod []struct {
			ID                 string `json:"id"`
			Type               string `json:"type"`
			PublicKeyMultibase string `json:"publicKeyMultibase"`
		} `json:"verificationMethod"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxDocument)).Decode(&document); err != nil {
		return publicKey{}, fmt.Errorf("the DID document cannot be read: %w", err)
	}
	for _, method := range document.VerificationMethod {
		switch {
		case method.ID != "#atproto" && method.ID != did+"#atproto":
		case method.Type == legacyKeyType:
			return readLegacyKey(method.PublicKeyMultibase)
		default:
			return readMultikey(method.PublicKeyMultibase)
		}
	}
	return publicKey{}, errors.New("the DID document has no key #atproto")
}
