// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/connect"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
)

const (
	// linkLife is how long a link to connect an account works. It gives nothing
	// to anybody who cannot sign in to the account, so it may lie in a status
	// for a day; what it starts lives for minutes.
	linkLife = 24 * time.Hour
	// linkLeft is how much of that must be left of the one that is shown.
	linkLeft = 6 * time.Hour
	// connectFor is how long a request for a link counts.
	connectFor = time.Hour
)

// bindAuthorization shows where a person connects the account, as long as that
// is what helps: there is no credential, it works no more, or somebody asks.
func (r *Reconciler) bindAuthorization(ctx context.Context, s *scope) error {
	offered, err := r.connectable(ctx, s)
	if err != nil {
		return err
	}
	if !offered || !s.needsConsent() {
		s.channel.Status.Authorization = nil
		return nil
	}
	shown := s.channel.Status.Authorization
	if shown == nil || shown.Expires == nil || shown.Expires.Sub(s.now) < linkLeft || shown.URL != r.startURL(s, shown.Expires.Time) {
		expires := s.now.Add(linkLife).Truncate(time.Second)
		shown = &v1alpha1.ChannelAuthorization{
			URL:     r.startURL(s, expires),
			Expires: new(metav1.NewTime(expires)),
		}
		s.channel.Status.Authorization = shown
	}
	s.wakeAt(shown.Expires.Add(-linkLeft))
	return nil
}

func (r *Reconciler) startURL(s *scope, expires time.Time) string {
	return connect.StartURL(r.Gateway.BaseURL, r.Gateway.Key, string(s.channel.UID), expires)
}

// connectable tells whether a person could give the credential by consent: the
// platform has one, people reach the gateway, and the source Secret is not the
// company's own, which is never overwritten.
func (r *Reconciler) connectable(ctx context.Context, s *scope) (bool, error) {
	if _, ok := s.adapter.(platform.Authorizer); !ok || r.Gateway == nil || !r.Gateway.Connects || !s.claimed {
		return false, nil
	}
	source, err := r.secret(ctx, s.channel.Namespace, s.channel.Spec.Credentials.SourceSecretRef.Name)
	return err == nil && (source == nil || secretstore.ConnectedFor(source, s.channel)), err
}

// needsConsent tells whether another source credential is what the channel
// waits for.
func (s *scope) needsConsent() bool {
	if at, err := time.Parse(time.RFC3339, s.channel.Annotations[v1alpha1.AnnotationConnectAt]); err == nil && s.now.Sub(at) < connectFor && at.Sub(s.now) < connectFor {
		s.wakeAt(at.Add(connectFor))
		return true
	}
	if s.status.Get(v1alpha1.ConditionIdentityVerified).Reason == v1alpha1.ReasonWrongAccount {
		return true
	}
	credential := s.status.Get(v1alpha1.ConditionCredentialReady)
	if credential.Status != metav1.ConditionFalse {
		return false
	}
	switch credential.Reason {
	case v1alpha1.ReasonSourceSecretMissing, v1alpha1.ReasonSourceSecretInvalid, v1alpha1.ReasonRevoked, v1alpha1.ReasonInsufficientScope,
		v1alpha1.ReasonExpired, v1alpha1.ReasonDueForRenewal:
		return true
	case v1alpha1.ReasonSeenByLeaver:
		return !s.renews() // else it is replaced in a moment
	}
	return false
}
