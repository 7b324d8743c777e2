// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/ownership"
	"github.com/rostra-dev/rostra/internal/platform"
)

// bindCredential keeps one working credential with the owner, and none with
// anybody else: it gathers, decides, and then either replaces what the owner
// holds or takes back what nobody should hold any more. Never both in one
// reconcile, so that the switch is on record before anything is revoked.
func (r *Reconciler) bindCredential(ctx context.Context, s *scope) error {
	if held, err := r.holdBack(ctx, s); held || err != nil {
		return err
	}
	if s.adapter == nil || !s.claimed || !s.verified() {
		r.waitForIdentity(s)
		return nil
	}
	if s.observes() {
		s.sayObserved()
		return nil
	}
	if s.owner == nil {
		s.status.Unknown(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonWaiting, "waits for OwnerResolved")
		return nil
	}
	facts, err := r.gather(ctx, s)
	if err != nil {
		return r.credentialFails(s, "look at the credential", err)
	}
	halted, err := r.haltPlace(ctx, s, &facts)
	if err != nil {
		return err
	}
	if halted != "" {
		defer s.status.False(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonRemovalHalted, halted)
	}
	decision := credentials.Decide(facts, s.idPrefix())
	s.wakeAt(decision.WakeAt)
	if decision.Replace != "" {
		err = r.replace(ctx, s, facts, decision)
		if err != nil && !apierrors.IsConflict(err) {
			// What cannot be delivered must not keep what is over from ending.
			err = errors.Join(err, r.retireAll(ctx, s, decision.Revoke), r.cutLoose(ctx, s, facts))
		}
	} else {
		err = r.keep(ctx, s, facts, decision)
	}
	if err != nil {
		return r.credentialFails(s, "keep the credential in line", err)
	}
	return r.checkRotateAt(s)
}

// sayObserved says what there is where nothing may be changed. A credential
// that was delivered while something could be stays with whom it was given to.
func (s *scope) sayObserved() {
	recorded := s.channel.Status.Credential
	if recorded == nil {
		s.status.True(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonObserveOnly,
			"the management policy is Observe: the source credential works, and nothing is delivered")
		return
	}
	var present []string
	if s.owner != nil {
		present = ownership.People(s.owner, s.now)
	}
	left := fmt.Sprintf("credential %s, delivered to team %s before the management policy was Observe, is left as it is", recorded.ID, recorded.Team)
	if gone := ownership.Leavers(recorded.ExposedTo, present); len(gone) > 0 {
		s.status.False(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonSeenByLeaver, fmt.Sprintf(
			"%s, and %d who are not in the owning team have seen it: revoke it at the platform, or set the policy to Manage", left, len(gone)))
		return
	}
	s.status.True(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonObserveOnly, left)
}

// cutLoose revokes the credential on record where its Secret is gone, somebody
// who left has seen it, and no other can be delivered: it is of use to nobody
// but the one who left.
func (r *Reconciler) cutLoose(ctx context.Context, s *scope, facts credentials.Facts) error {
	recorded := s.channel.Status.Credential
	if !credentials.Loose(facts) {
		return nil
	}
	revocation, err := r.revoke(ctx, s, recorded.ID)
	if err != nil {
		return err
	}
	recorded.RevokedAt = timeOrNil(s.now)
	s.noteRevoked(v1alpha1.RetiringCredential{ID: recorded.ID, Cause: v1alpha1.CauseLeaver}, revocation)
	return nil
}

func (s *scope) idPrefix() string { return credentials.IDPrefix(string(s.channel.UID)) }

// waitForIdentity leaves what the identity binding said of the credential, and
// says that it waits where nothing was said.
func (r *Reconciler) waitForIdentity(s *scope) {
	identity := s.status.Get(v1alpha1.ConditionIdentityVerified)
	credential := s.status.Get(v1alpha1.ConditionCredentialReady)
	asked := identity.Reason == v1alpha1.ReasonNoCredential || identity.Reason == v1alpha1.ReasonPlatformUnavailable || identity.Reason == v1alpha1.ReasonRateLimited
	if asked && credential.Reason != "" && credential.Status != metav1.ConditionTrue {
		s.status.Keep(v1alpha1.ConditionCredentialReady)
		return
	}
	s.status.Unknown(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonWaiting, "waits for IdentityVerified")
}

// gather collects the facts for the decision. It asks the platform only if it
// was asked in this reconcile already, and the API server only if the cache
// does not show what is on record.
func (r *Reconciler) gather(ctx context.Context, s *scope) (credentials.Facts, error) {
	spec, account := s.channel.Spec.Credentials, s.channel.Status.Account
	facts := credentials.Facts{
		Now:         s.now,
		Recorded:    s.channel.Status.Credential,
		Retiring:    s.channel.Status.Retiring,
		Want:        s.holder(),
		Mintable:    account.Source.Use == v1alpha1.SourceMint,
		Renews:      s.renews(),
		Present:     ownership.People(s.owner, s.now),
		Overlap:     defaultOverlap,
		RenewBefore: defaultRenewBefore,
	}
	if facts.Recorded != nil {
		facts.SourceChanged = facts.Recorded.SourceVersion != account.Source.ResourceVersion
	}
	if account.Source.ExpiresAt != nil {
		facts.SourceExpiresAt = account.Source.ExpiresAt.Time
	}
	if spec.RenewBefore != nil {
		facts.RenewBefore = spec.RenewBefore.Duration
	}
	if rotation := spec.Rotation; rotation != nil {
		facts.Interval = rotation.Interval.Duration
		if rotation.Overlap != nil {
			facts.Overlap = rotation.Overlap.Duration
		}
	}
	if at, err := time.Parse(time.RFC3339, s.channel.Annotations[v1alpha1.AnnotationRotateAt]); err == nil {
		facts.RotateAt = at
	}
	if err := r.gatherSecret(ctx, s, &facts); err != nil {
		return facts, err
	}
	err := r.gatherFromPlatform(ctx, s, &facts)
	return facts, err
}

// holder is who is to hold the credential, and where. There must be an owner.
func (s *scope) holder() credentials.Holder {
	return credentials.Holder{Team: s.owner.Name, Namespace: s.owner.Spec.Namespace, SecretName: s.channel.Spec.Credentials.Delivery.SecretName}
}

// sessionRetry is how soon a platform session is taken up again that somebody
// else had just saved.
const sessionRetry = 100 * time.Millisecond

// What the API documents as defaults, for manifests that do not say.
const (
	defaultOverlap     = time.Hour
	defaultRenewBefore = 336 * time.Hour
)

// gatherSecret finds out what became of the recorded Secret. The cache says
// that nothing changed; anything else is looked at live, since a cache can lag.
func (r *Reconciler) gatherSecret(ctx context.Context, s *scope, facts *credentials.Facts) error {
	recorded := facts.Recorded
	if recorded == nil {
		return nil
	}
	cached, err := r.secret(ctx, recorded.Secret.Namespace, recorded.Secret.Name)
	if err != nil {
		return err
	}
	if cached != nil && cached.ResourceVersion == recorded.Secret.ResourceVersion {
		return nil
	}
	delivered, err := r.secrets.Delivered(ctx, s.channel, recorded.Secret.Namespace, recorded.Secret.Name)
	switch {
	case errors.Is(err, secretstore.ErrNotFound), errors.Is(err, secretstore.ErrTaken):
		facts.Secret = credentials.SecretMissing
		return nil
	case err != nil:
		return err
	}
	s.delivered = delivered
	switch {
	case delivered.Emptied():
		facts.Secret = credentials.SecretEmptied
		recorded.Secret.ResourceVersion = delivered.ResourceVersion
	case delivered.Intact && delivered.CredentialID == recorded.ID && recorded.WithdrawnAt == nil:
		recorded.Secret.ResourceVersion = delivered.ResourceVersion
	case delivered.Intact && delivered.CredentialID == credentials.NextID(s.idPrefix(), recorded):
		facts.Secret = credentials.SecretAhead
	default:
		facts.Secret = credentials.SecretAltered
	}
	return nil
}

// gatherFromPlatform lists what was issued, and names the source credential
// where that itself is delivered.
func (r *Reconciler) gatherFromPlatform(ctx context.Context, s *scope, facts *credentials.Facts) error {
	if !facts.Mintable {
		if s.source != nil {
			var err error
			facts.SourceID, err = r.sourceID(ctx, s)
			return err
		}
		return nil
	}
	issuer, ok := s.adapter.(platform.Issuer)
	if !ok || !s.observed {
		return nil
	}
	issued, err := issuer.Issued(ctx, r.account(s))
	if err != nil {
		return err
	}
	facts.Issued = append([]string{}, issued...)
	return nil
}

// sourceID names the source credential in the form in which it is delivered.
// It must have been read.
func (r *Reconciler) sourceID(ctx context.Context, s *scope) (string, error) {
	credential, err := s.adapter.Deliverable(ctx, r.account(s))
	if err != nil {
		return "", err
	}
	return secretstore.SourceID(s.channel, credential), nil
}

// keep leaves the owner what it has: it withdraws and revokes what nobody
// should hold any more, and records who can have seen what is there.
func (r *Reconciler) keep(ctx context.Context, s *scope, facts credentials.Facts, decision credentials.Decision) error {
	credentials.Expose(s.channel.Status.Credential, facts.Present)
	s.channel.Status.Credential.DueAt = timeOrNil(decision.DueAt)
	if !facts.Mintable {
		s.channel.Status.Credential.ExpiresAt = timeOrNil(facts.SourceExpiresAt)
		if facts.SourceID == s.channel.Status.Credential.ID {
			s.channel.Status.Credential.SourceVersion = s.channel.Status.Account.Source.ResourceVersion
		}
	}
	// One that cannot be taken back does not keep the others from being.
	err := errors.Join(r.retireAll(ctx, s, decision.Revoke), r.revokeStrays(ctx, s, decision.Strays), r.withdrawStrays(ctx, s))
	if err != nil {
		return err
	}
	s.concludeHandover()
	facts.Retiring = s.channel.Status.Retiring
	s.say(credentials.Decide(facts, s.idPrefix()).Verdict)
	return nil
}

// retireAll takes back all that was replaced and whose time has come.
func (r *Reconciler) retireAll(ctx context.Context, s *scope, due []v1alpha1.RetiringCredential) error {
	var errs []error
	for _, retiring := range due {
		errs = append(errs, r.retire(ctx, s, retiring))
	}
	return errors.Join(errs...)
}

// say puts a verdict on the credential into its condition.
func (s *scope) say(verdict credentials.Verdict) {
	if verdict.OK {
		s.status.True(v1alpha1.ConditionCredentialReady, verdict.Reason, verdict.Message)
		return
	}
	s.status.False(v1alpha1.ConditionCredentialReady, verdict.Reason, verdict.Message)
}

// lastYear is the last that a status can hold.
const lastYear = 9999

// timeOrNil is a time as a status holds it. One so far off that it cannot be
// written is none.
func timeOrNil(at time.Time) *metav1.Time {
	if at.IsZero() || at.UTC().Year() >= lastYear {
		return nil
	}
	return new(metav1.NewTime(at.Truncate(time.Second)))
}

// replace gives the owner another credential: mint, prove, deliver, and put it
// on record. The old one is taken back in a later reconcile, when the record
// is stored.
func (r *Reconciler) replace(ctx context.Context, s *scope, facts credentials.Facts, decision credentials.Decision) error {
	if err := r.checkDestination(ctx, s, facts.Want); err != nil {
		return err
	}
	if err := r.loadSource(ctx, s); err != nil {
		return err
	}
	credential, issuedAt, err := r.obtain(ctx, s, facts)
	if err != nil {
		return err
	}
	if credentials.SameAgain(facts, credential.ID) {
		r.waitForRenewal(s)
		return nil
	}
	if err := r.keepReplaced(ctx, s, credential.ID); err != nil {
		return err
	}
	var version string
	if s.delivered != nil && s.delivered.Emptied() && s.delivered.CredentialID == credential.ID {
		facts.Seen = s.delivered.ExposedTo // before a freeze took it out
	}
	if s.delivered != nil && s.delivered.Holds(credential.ID) {
		version, facts.Seen = s.delivered.ResourceVersion, s.delivered.ExposedTo
	} else {
		version, err = r.secrets.Deliver(ctx, s.channel, s.delivery(facts, credential, issuedAt))
	}
	if err != nil {
		return err
	}
	s.succeed(facts, decision, credential, issuedAt, version)
	return nil
}

// renewalPatience is how soon the platform is asked again for another
// credential than the one that must not be delivered.
const renewalPatience = time.Minute

// waitForRenewal delivers nothing: what there is, is what somebody has who must
// not, and the platform gives another in a moment.
func (r *Reconciler) waitForRenewal(s *scope) {
	r.pace.Expire(client.ObjectKeyFromObject(s.channel))
	s.wakeAt(s.now.Add(renewalPatience))
	s.status.Unknown(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonProgressing,
		"waits until the platform has renewed the credential: the one there is was revoked, or is known to people who are not in the team that gets it")
}

// succeed puts the new credential on record, and the owner with it.
func (s *scope) succeed(facts credentials.Facts, decision credentials.Decision, credential credentials.Credential, issuedAt time.Time, version string) {
	record := v1alpha1.DeliveredCredential{
		ID: credential.ID, Team: facts.Want.Team,
		Secret:    v1alpha1.DeliveredSecret{Namespace: facts.Want.Namespace, Name: facts.Want.SecretName, ResourceVersion: version},
		IssuedAt:  metav1.NewTime(issuedAt),
		ExpiresAt: timeOrNil(credential.ExpiresAt),
	}
	if !facts.Mintable {
		record.SourceVersion = s.channel.Status.Account.Source.ResourceVersion
	}
	status := &s.channel.Status
	status.Credential, status.Retiring = credentials.Succeed(facts, decision.Replace, record)
	facts.Recorded, facts.Retiring, facts.Secret, facts.SourceID, facts.Issued = status.Credential, status.Retiring, credentials.SecretAsWritten, credential.ID, nil
	after := credentials.Decide(facts, s.idPrefix())
	status.Credential.DueAt = timeOrNil(after.DueAt)
	s.wakeAt(after.WakeAt)
	if len(after.Revoke) > 0 || decision.Replace == v1alpha1.CauseHandover {
		s.wakeAt(s.now)
	}
	if decision.Replace != credentials.CauseFirst {
		s.event("CredentialReplaced", "Deliver", fmt.Sprintf("delivered credential %s to team %s: %s", credential.ID, facts.Want.Team, decision.Why))
	}
	s.movedCredential(credential.ID)
	s.takeOver()
	s.say(after.Verdict)
}

func (s *scope) delivery(facts credentials.Facts, credential credentials.Credential, issuedAt time.Time) secretstore.Delivery {
	account := s.channel.Status.Account
	return secretstore.Delivery{
		Namespace: facts.Want.Namespace, Name: facts.Want.SecretName,
		Platform: string(s.social.Spec.Type), Server: s.social.Spec.ServerURL(),
		Identity:   platform.Identity{AccountID: account.ID, Handle: account.Handle},
		Credential: credential, IssuedAt: issuedAt, ExposedTo: facts.Present,
	}
}

// checkDestination makes sure, before anything is minted, that it can be
// delivered: the namespace is there, and the name is not another's.
func (r *Reconciler) checkDestination(ctx context.Context, s *scope, want credentials.Holder) error {
	namespace, err := r.namespace(ctx, want.Namespace)
	if err != nil {
		return err
	}
	if namespace == nil || !namespace.DeletionTimestamp.IsZero() {
		return fmt.Errorf("%w: %s, where team %s gets its credentials", secretstore.ErrNamespace, want.Namespace, want.Team)
	}
	cached, err := r.secret(ctx, want.Namespace, want.SecretName)
	if err != nil || cached == nil {
		s.delivered = nil
		return err
	}
	s.delivered, err = r.secrets.Delivered(ctx, s.channel, want.Namespace, want.SecretName)
	if errors.Is(err, secretstore.ErrNotFound) {
		return nil
	}
	if err == nil && s.delivered.ForeignUID && credentials.Minted(s.delivered.CredentialID) {
		// It may be in use by a copy of this manifest in another cluster, so it is
		// for a person to revoke.
		s.warn("LeftBehind", "Deliver", fmt.Sprintf(
			"Secret %s/%s held credential %s of an earlier SocialChannel of this name: the owner gets another, revoke that one at the platform if nobody uses it",
			want.Namespace, want.SecretName, s.delivered.CredentialID))
	}
	return err
}

// obtain gives the credential that is to be delivered: one that was minted
// before and already lies at its destination, a new one, or the source
// credential itself where none can be minted.
func (r *Reconciler) obtain(ctx context.Context, s *scope, facts credentials.Facts) (credentials.Credential, time.Time, error) {
	account := r.account(s)
	issuer, ok := s.adapter.(platform.Issuer)
	if !facts.Mintable || !ok {
		credential, err := s.adapter.Deliverable(ctx, account)
		if err != nil {
			return credentials.Credential{}, time.Time{}, err
		}
		credential.ID = secretstore.SourceID(s.channel, credential)
		credential.ExpiresAt = facts.SourceExpiresAt
		return credential, s.now.Truncate(time.Second), nil
	}
	id := credentials.NextID(s.idPrefix(), facts.Recorded)
	if facts.Issued == nil {
		issued, err := issuer.Issued(ctx, account)
		if err != nil {
			return credentials.Credential{}, time.Time{}, err
		}
		facts.Issued = issued
	}
	lost := credentials.Strays(facts, s.idPrefix())
	if err := r.findDelivered(ctx, s, facts.Want, slices.Contains(lost, id)); err != nil {
		return credentials.Credential{}, time.Time{}, err
	}
	if s.delivered != nil && s.delivered.Holds(id) && slices.Contains(lost, id) {
		adopted := credentials.Credential{ID: id, Values: s.delivered.Values}
		err := r.prove(ctx, s, issuer, adopted)
		if err == nil || platform.ClassOf(err).Passing() {
			return adopted, s.delivered.IssuedBy(s.now), err
		}
	}
	// What lies at the destination is not what is about to be minted, even if it
	// bears its name.
	s.delivered = nil
	if err := r.revokeStrays(ctx, s, lost); err != nil {
		return credentials.Credential{}, time.Time{}, err
	}
	credential, err := issuer.Mint(ctx, account, id)
	if err != nil {
		return credentials.Credential{}, time.Time{}, err
	}
	return credential, s.now.Truncate(time.Second), r.prove(ctx, s, issuer, credential)
}

// findDelivered looks live at the destination if something may lie there that
// the cache does not show yet.
func (r *Reconciler) findDelivered(ctx context.Context, s *scope, want credentials.Holder, maybe bool) error {
	if s.delivered != nil || !maybe {
		return nil
	}
	delivered, err := r.secrets.Delivered(ctx, s.channel, want.Namespace, want.SecretName)
	if errors.Is(err, secretstore.ErrNotFound) {
		return nil
	}
	s.delivered = delivered
	return err
}

// prove makes sure that a credential opens the right account before anybody
// gets it. One that does not is left for the next list to find and revoke.
func (r *Reconciler) prove(ctx context.Context, s *scope, issuer platform.Issuer, credential credentials.Credential) error {
	identity, err := issuer.Prove(ctx, r.account(s), credential)
	if err != nil {
		return err
	}
	if identity.AccountID != s.channel.Status.Account.ID {
		return &platform.Failure{Class: platform.Permanent, Message: fmt.Sprintf(
			"the platform minted a credential for account %s instead of %s; it was not delivered", identity.AccountID, s.channel.Status.Account.ID)}
	}
	return nil
}

// keepReplaced remembers a source credential that was delivered and is about to
// be overwritten, since it takes its value to revoke it.
func (r *Reconciler) keepReplaced(ctx context.Context, s *scope, nextID string) error {
	old := s.channel.Status.Credential
	if _, ok := s.adapter.(platform.Revoker); !ok || old == nil || old.ID == nextID || credentials.Minted(old.ID) {
		return nil
	}
	delivered, err := r.secrets.Delivered(ctx, s.channel, old.Secret.Namespace, old.Secret.Name)
	if errors.Is(err, secretstore.ErrNotFound) || errors.Is(err, secretstore.ErrTaken) {
		return nil
	}
	if err != nil || !delivered.Holds(old.ID) {
		return err
	}
	return r.secrets.Vault(s.channel, s.source.Values).Keep(ctx, old.ID, delivered.Values)
}

// checkRotateAt says that a rotation was asked for in a way that cannot be
// read. The credential stays as it is.
func (r *Reconciler) checkRotateAt(s *scope) error {
	value, ok := s.channel.Annotations[v1alpha1.AnnotationRotateAt]
	if !ok {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, value); err != nil {
		s.status.False(v1alpha1.ConditionCredentialReady, v1alpha1.ReasonInvalidRotateAt, fmt.Sprintf(
			"annotation %s is not a time such as 2026-01-31T09:00:00Z: correct or remove it; nothing was rotated", v1alpha1.AnnotationRotateAt))
	}
	return nil
}

// credentialFails turns what went wrong into the condition: a person's
// mistake, a platform's refusal, or a doubt. Trouble with the API server is
// given back.
func (r *Reconciler) credentialFails(s *scope, doing string, err error) error {
	if failure, ok := errors.AsType[*platform.Failure](err); ok {
		r.platformFails(s, doing, failure)
		return nil
	}
	reason := sourceReason(err)
	switch {
	case errors.Is(err, platform.ErrSessionConflict):
		s.wakeAt(s.now.Add(sessionRetry))
		s.status.Keep(v1alpha1.ConditionCredentialReady)
		return nil
	case destinationReason(err) != "":
		reason = destinationReason(err)
	case reason == "":
		return err
	}
	s.status.False(v1alpha1.ConditionCredentialReady, reason, err.Error())
	s.wakeAt(s.now.Add(s.probeInterval()))
	return nil
}

// destinationReason says what is wrong with the place of delivery, in a
// condition's terms; empty for nothing.
func destinationReason(err error) string {
	switch {
	case errors.Is(err, secretstore.ErrTaken):
		return v1alpha1.ReasonSecretNameTaken
	case errors.Is(err, secretstore.ErrNamespace):
		return v1alpha1.ReasonNamespaceNotFound
	case errors.Is(err, secretstore.ErrForbidden):
		return v1alpha1.ReasonDeliveryFailed
	}
	return ""
}

func (r *Reconciler) platformFails(s *scope, doing string, failure *platform.Failure) {
	name := client.ObjectKeyFromObject(s.channel)
	inputs := s.inputs()
	s.failed = true
	if failure.HeldBack {
		s.status.Keep(v1alpha1.ConditionCredentialReady)
		s.wakeAt(r.pace.Failed(name, inputs, s.now, failure.RetryAt))
		return
	}
	r.count(s, failure.Class)
	if failure.Class.Passing() {
		s.doubt(v1alpha1.ConditionCredentialReady, failure)
		s.wakeAt(r.pace.Failed(name, inputs, s.now, failure.RetryAt))
		return
	}
	s.status.False(v1alpha1.ConditionCredentialReady, refusalReason(failure.Class), fmt.Sprintf("the platform refuses to %s: %s", doing, failure))
	s.wakeAt(s.now.Add(s.probeInterval()))
}
