// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/onsi/gomega"

	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/platform/conformance/faults"
)

// What a person's way through the consent page is bound to (RFC 7636, section
// 4.1, asks for 43 characters at least).
const (
	consentState    = "st4te-of-the-conformance-suite-0123456789"
	consentVerifier = "v3rifier-of-the-conformance-suite-0123456789abcdef"
	otherVerifier   = "v3rifier-of-somebody-else-9876543210-fedcba-98765"
)

func isAuthorizer(p platform.Platform) bool { _, ok := p.(platform.Authorizer); return ok }
func hasConsent(server Server) bool         { return server.Consent != nil }

func authorizerRules() []Rule {
	rules := []Rule{
		{Name: "sends a person to a consent page, and tells it no secret", check: checkAuthorizationURL},
		{Name: "names a missing key of its application", check: checkMissingApplication},
		{Name: "gets a working source credential from a person's consent", check: checkConsent},
		{Name: "redeems a code once", check: checkRedeemTwice},
		{Name: "redeems no code that another asked for", check: checkRedeemForeign},
		{Name: "takes an outage for one when it redeems a code", check: checkRedeemOutages},
		{Name: "takes no nonsense for a source credential", check: checkRedeemNonsense},
		{Name: "shows neither code nor secret when it fails to redeem", check: checkRedeemSecrets},
	}
	for i := range rules {
		rules[i].applies, rules[i].needs = isAuthorizer, hasConsent
	}
	return rules
}

func (t *trial) authorizer() platform.Authorizer {
	authorizer, ok := t.adapter.(platform.Authorizer)
	t.Expect(ok).To(gomega.BeTrue())
	return authorizer
}

// application is Good's. Its keys are secret, but for its name.
func (t *trial) application() credentials.Values {
	application := t.Good.Declared.Application
	t.secrets = append(t.secrets, secretsOf(application, append(t.public(), application.Get(platform.ApplicationID))...)...)
	return application
}

func (t *trial) authorizationRequest() platform.AuthorizationRequest {
	challenge := sha256.Sum256([]byte(consentVerifier))
	return platform.AuthorizationRequest{
		RedirectURL: t.Server.Consent.RedirectURL, State: consentState,
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]),
	}
}

// authorizationURL gives where a person is sent, of this request.
func (t *trial) authorizationURL() *url.URL {
	text, err := t.authorizer().AuthorizationURL(t.application(), t.authorizationRequest())
	t.clean(err, text)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	parsed, err := url.Parse(text)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	return parsed
}

// consents sends a person through the consent page and gives what they come
// back with. The code is a secret.
func (t *trial) consents(ctx context.Context) platform.Grant {
	redirected, err := t.Server.Consent.Give(ctx, t.authorizationURL().String())
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(redirected).To(gomega.HavePrefix(t.Server.Consent.RedirectURL))
	back, err := url.Parse(redirected)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(back.Query().Get("state")).To(gomega.Equal(consentState), "the state must come back with the person")
	code := back.Query().Get("code")
	t.Expect(code).NotTo(gomega.BeEmpty(), "the person must come back with a code")
	t.secrets = append(t.secrets, code, consentVerifier)
	return platform.Grant{Code: code, Verifier: consentVerifier, RedirectURL: t.Server.Consent.RedirectURL}
}

// redeems expects a source credential for a grant.
func (t *trial) redeems(ctx context.Context, grant platform.Grant) platform.Granted {
	granted, err := t.authorizer().Redeem(ctx, t.application(), grant)
	t.clean(err)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	public := append(t.public(), t.Good.Declared.Application.Get(platform.ApplicationID))
	t.secrets = append(t.secrets, secretsOf(granted.Source, public...)...)
	t.clean(granted)
	return granted
}

// isGoods expects that a source credential opens Good, as a new channel's does.
func (t *trial) isGoods(ctx context.Context, source credentials.Values) {
	t.sessions["granted"] = nil
	account := t.account("granted", t.Good)
	account.Source = source
	identity, err := t.verify(ctx, account)
	t.Expect(err).NotTo(gomega.HaveOccurred())
	t.Expect(identity.AccountID).To(gomega.Equal(t.Good.Identity.AccountID))
	t.Expect(identity.Handle).To(gomega.Equal(t.Good.Identity.Handle))
}

func checkAuthorizationURL(_ context.Context, t *trial) {
	before := t.Server.Faults.Total()
	sent, request := t.authorizationURL(), t.authorizationRequest()
	t.Expect(sent.Scheme == "https" || sent.Scheme == "http" && isLoopback(sent.Hostname())).To(gomega.BeTrue(), "a consent page is read over TLS")
	t.Expect(sent.User).To(gomega.BeNil())
	t.Expect(sent.Fragment).To(gomega.BeEmpty())
	query := sent.Query()
	t.Expect(query["state"]).To(gomega.Equal([]string{request.State}))
	t.Expect(query["redirect_uri"]).To(gomega.Equal([]string{request.RedirectURL}))
	t.Expect(query["response_type"]).To(gomega.Equal([]string{"code"}))
	t.Expect(query["code_challenge"]).To(gomega.Equal([]string{request.Challenge}))
	t.Expect(query["code_challenge_method"]).To(gomega.Equal([]string{"S256"}))
	t.Expect(t.Server.Faults.Total()).To(gomega.Equal(before), "the server must not be asked")
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func checkMissingApplication(_ context.Context, t *trial) {
	user, ok := t.adapter.(platform.ApplicationUser)
	if !ok {
		return // it needs none
	}
	for _, key := range user.ApplicationKeys() {
		if !key.Required {
			continue
		}
		rest := credentials.Values{}
		for name, value := range t.application() {
			if name != key.Name {
				rest[name] = value
			}
		}
		_, err := t.authorizer().AuthorizationURL(rest, t.authorizationRequest())
		t.clean(err)
		t.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(key.Name)))
	}
}

func checkConsent(ctx context.Context, t *trial) {
	granted := t.redeems(ctx, t.consents(ctx))
	t.Expect(granted.Missing).To(gomega.BeEmpty())
	if !granted.ExpiresAt.IsZero() {
		t.Expect(granted.ExpiresAt).To(gomega.BeTemporally(">", t.Clock.Now()))
	}
	known := map[string]bool{}
	for _, key := range t.adapter.SourceKeys() {
		known[key.Name] = true
		if key.Required {
			t.Expect(granted.Source.Get(key.Name)).NotTo(gomega.BeEmpty(), "the source credential needs %s", key.Name)
		}
	}
	for name := range granted.Source {
		t.Expect(known).To(gomega.HaveKey(name))
	}
	t.restart()
	t.isGoods(ctx, granted.Source)
}

// refuses expects that a grant is refused in a way that a person must mend.
func (t *trial) refuses(ctx context.Context, grant platform.Grant) {
	granted, err := t.authorizer().Redeem(ctx, t.application(), grant)
	t.Expect(granted.Source).To(gomega.BeEmpty())
	failure := t.failure(err)
	t.Expect(failure.Class.Passing()).To(gomega.BeFalse(), "a code that is refused stays refused; the class is %s", failure.Class)
}

func checkRedeemTwice(ctx context.Context, t *trial) {
	grant := t.consents(ctx)
	t.redeems(ctx, grant)
	t.refuses(ctx, grant)
	t.restart()
	t.refuses(ctx, grant)
	t.isGoods(ctx, t.redeems(ctx, t.consents(ctx)).Source)
}

func checkRedeemForeign(ctx context.Context, t *trial) {
	for _, spoil := range []func(*platform.Grant){
		func(grant *platform.Grant) { grant.Verifier = otherVerifier },
		func(grant *platform.Grant) { grant.Verifier = "" },
		func(grant *platform.Grant) { grant.RedirectURL += "/elsewhere" },
		func(grant *platform.Grant) { grant.Code = another(grant.Code) },
		func(grant *platform.Grant) { grant.Code = "" },
	} {
		grant := t.consents(ctx)
		spoil(&grant)
		t.refuses(ctx, grant)
	}
	t.isGoods(ctx, t.redeems(ctx, t.consents(ctx)).Source)
}

// redeemFails redeems a code while every request meets the fault.
func (t *trial) redeemFails(ctx context.Context, fault faults.Fault) *platform.Failure {
	grant := t.consents(ctx)
	t.Server.Faults.Inject("", fault)
	granted, err := t.authorizer().Redeem(ctx, t.application(), grant)
	t.Expect(granted.Source).To(gomega.BeEmpty(), "%s", fault)
	failure := t.failure(err)
	t.Server.Faults.Heal()
	return failure
}

func checkRedeemOutages(ctx context.Context, t *trial) {
	for _, fault := range outages() {
		t.Expect(t.redeemFails(ctx, fault).Class).To(gomega.Equal(platform.Transient), "%s", fault)
	}
}

func checkRedeemNonsense(ctx context.Context, t *trial) {
	for _, fault := range nonsense() {
		blamesNoCredential(t, t.redeemFails(ctx, fault))
	}
}

// checkRedeemSecrets relies on failure, which looks for the secrets.
func checkRedeemSecrets(ctx context.Context, t *trial) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError} {
		failure := t.redeemFails(ctx, faults.Echo(status))
		t.Expect(strings.Contains(failure.Error(), consentState)).To(gomega.BeFalse())
	}
}
