// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/controllers/metadata"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

// withdrawalRetry is how soon the withdrawal is tried again after trouble with
// the API server.
const withdrawalRetry = 5 * time.Second

// keepPatience is how long a freeze waits, at the most, for a vault that may
// answer in a moment before it takes out of a Secret what it cannot keep.
const keepPatience = 30 * time.Second

// withdrawal takes back, for a freeze, what was delivered for one channel.
// Every step of it can be repeated, and none keeps the others from being done.
type withdrawal struct {
	*Reconciler
	*scope

	// pending is what could not be done this time, and is tried again.
	pending []string
	// refused is what a person must do.
	refused []string
	// byItself tells that the credential on record was revoked with its own
	// value, which must not be lost before that is stored.
	byItself bool
	// silent tells that the platform gave no usable answer this time.
	silent bool
}

// gather collects what is known without asking anybody but the cache.
func (w *withdrawal) gather(ctx context.Context) (credentials.Facts, error) {
	status := &w.channel.Status
	facts := credentials.Facts{
		Now: w.now, Frozen: true, Recorded: status.Credential, Retiring: slices.Clone(status.Retiring), Mintable: w.mints(), Renews: w.renewsWhatItRevokes(),
	}
	token := func(retiring v1alpha1.RetiringCredential) bool { return !credentials.Minted(retiring.ID) }
	if w.adapter == nil || facts.Mintable || !slices.ContainsFunc(facts.Retiring, token) {
		return facts, nil
	}
	// One of the company's own may be in use again.
	err := w.loadSource(ctx, w.scope)
	if err == nil {
		facts.SourceID, err = w.sourceID(ctx, w.scope)
	}
	if sourceReason(err) != "" {
		err = nil
	}
	return facts, err
}

// cut revokes the credential on record.
func (w *withdrawal) cut(ctx context.Context) {
	recorded, held := w.channel.Status.Credential, w.channel.Status.Freeze
	if held.Refused != "" && !w.observed {
		w.refused = append(w.refused, held.Refused)
		return
	}
	revocation, done := w.revokeNow(ctx, recorded.ID)
	if !done {
		held.Refused = ""
		if len(w.refused) > 0 {
			held.Refused = status.Note(w.refused[len(w.refused)-1])
		}
		return
	}
	held.Refused = ""
	recorded.RevokedAt = timeOrNil(w.now)
	w.accessEnds(revocation.EffectiveBy)
	w.noteRevoked(v1alpha1.RetiringCredential{ID: recorded.ID, Cause: v1alpha1.CauseFreeze}, revocation)
}

// retire revokes a replaced credential, and withdraws it where it lies in a
// Secret of its own. Neither waits for the other.
func (w *withdrawal) retire(ctx context.Context, retiring v1alpha1.RetiringCredential) {
	done := retiring.RevokedAt != nil || w.endedByItself(ctx, w.scope, retiring) == nil || w.revokeRetiring(ctx, retiring)
	if retiring.Secret != nil {
		if err := w.withdrawRetiring(ctx, retiring, done); err != nil {
			w.hinder("withdraw credential "+retiring.ID, err)
			return
		}
	}
	if done {
		w.dropRevoked(retiring.ID)
	}
}

func (w *withdrawal) revokeRetiring(ctx context.Context, retiring v1alpha1.RetiringCredential) bool {
	if retiring.Message != "" && !w.observed {
		w.refused = append(w.refused, "the replaced credential "+retiring.ID+" still works: "+retiring.Message)
		return false
	}
	before := len(w.refused)
	revocation, done := w.revokeNow(ctx, retiring.ID)
	if len(w.refused) > before {
		w.markUnrevoked(retiring.ID, errors.New(w.refused[before]))
	}
	if done {
		w.noteRevoked(retiring, revocation)
		w.markRevoked(retiring.ID)
		w.accessEnds(revocation.EffectiveBy)
	}
	return done
}

func (w *withdrawal) withdrawRetiring(ctx context.Context, retiring v1alpha1.RetiringCredential, revoked bool) error {
	if !revoked {
		if err := w.keepValue(ctx, retiring.ID, *retiring.Secret); err != nil {
			return err
		}
	}
	return w.secrets.Withdraw(ctx, w.channel, retiring.Secret.Namespace, retiring.Secret.Name, retiring.ID)
}

// sweep revokes what was minted for the channel and is nowhere on record: a
// replacement that was under way when the freeze came. It is done once, and
// again at each probe.
func (w *withdrawal) sweep(ctx context.Context, facts credentials.Facts) {
	issuer, ok := w.adapter.(platform.Issuer)
	if !ok || !facts.Mintable || !w.verified() || w.channel.Status.Freeze.CompletedAt != nil && !w.observed || w.waits() != "" {
		return
	}
	if err := w.loadSource(ctx, w.scope); err != nil {
		w.hinder("read the source credential", err)
		return
	}
	issued, err := issuer.Issued(ctx, w.account(w.scope))
	if err != nil {
		w.hinder("list credentials", err)
		return
	}
	facts.Issued = issued
	strays := credentials.Strays(facts, w.idPrefix())
	if len(strays) == 0 {
		return
	}
	if err := w.refuseStale(ctx, w.scope); err != nil {
		w.hinder("make sure that nobody is faster", err)
		return
	}
	for _, id := range strays {
		if revocation, done := w.revokeNow(ctx, id); done {
			w.accessEnds(revocation.EffectiveBy)
			w.event("StrayRevoked", "Revoke", fmt.Sprintf("revoked credential %s, which was not on record", id))
		}
	}
}

// empty takes the credential out of its Secret, and out of those that are
// nowhere on record: a delivery that was under way when the freeze came. Those
// stay until it is lifted, as witnesses of who could see what was in them.
func (w *withdrawal) empty(ctx context.Context, facts credentials.Facts) {
	if err := w.emptyStrays(ctx); err != nil {
		w.hinder("find what is not on record", err)
	}
	recorded := w.channel.Status.Credential
	if recorded == nil {
		return
	}
	if w.byItself && recorded.WithdrawnAt == nil {
		w.pending = append(w.pending, "the Secret is emptied next")
		w.wakeAt(w.now)
		return
	}
	err := w.emptyRecorded(ctx, facts)
	if err != nil {
		w.hinder(fmt.Sprintf("empty Secret %s/%s", recorded.Secret.Namespace, recorded.Secret.Name), err)
		return
	}
	if recorded.WithdrawnAt == nil {
		recorded.WithdrawnAt, recorded.DueAt = timeOrNil(w.now), nil
	}
}

func (w *withdrawal) emptyStrays(ctx context.Context) error {
	secrets := metadata.Secrets()
	if err := w.Metadata.List(ctx, secrets, client.MatchingFields{deliveredIndex: string(w.channel.UID)}); err != nil {
		return err
	}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		if w.onRecord(secret.Namespace, secret.Name) || !secretstore.Ours(secret, w.channel) {
			continue
		}
		// What is on it does not tell what is in it: that is looked at live.
		if _, err := w.secrets.Empty(ctx, w.channel, secret.Namespace, secret.Name, w.hold.Mark()); err != nil {
			w.hinder(fmt.Sprintf("empty Secret %s/%s, which is not on record", secret.Namespace, secret.Name), err)
		}
	}
	return nil
}

func (w *withdrawal) emptyRecorded(ctx context.Context, facts credentials.Facts) error {
	if err := w.gatherSecret(ctx, w.scope, &facts); err != nil {
		return err
	}
	recorded := facts.Recorded
	if !credentials.Decide(facts, w.idPrefix()).Empty {
		if marked, err := w.marked(ctx, w.scope, recorded.Secret); err != nil || marked {
			return err
		}
	}
	if recorded.RevokedAt == nil {
		if err := w.keepValue(ctx, recorded.ID, recorded.Secret); err != nil {
			return err
		}
	}
	version, err := w.secrets.Empty(ctx, w.channel, recorded.Secret.Namespace, recorded.Secret.Name, w.hold.Mark())
	if version != "" {
		recorded.Secret.ResourceVersion = version
	}
	return err
}

// keepValue remembers the value of a credential that still works before it is
// taken out of its Secret: it may take the value to revoke it. Where it cannot
// be kept, it is lost: nobody is left a credential for that.
func (w *withdrawal) keepValue(ctx context.Context, id string, place v1alpha1.DeliveredSecret) error {
	if _, ok := w.adapter.(platform.Revoker); !ok {
		return nil
	}
	delivered, err := w.secrets.Delivered(ctx, w.channel, place.Namespace, place.Name)
	if errors.Is(err, secretstore.ErrNotFound) || errors.Is(err, secretstore.ErrTaken) {
		return nil
	}
	if err != nil || !delivered.Holds(id) {
		return err
	}
	err = w.secrets.Vault(w.channel, nil).Keep(ctx, id, delivered.Values)
	if err == nil || w.mayStillKeep(err) {
		return err
	}
	w.warn("ValueLost", "Freeze", fmt.Sprintf("if credential %s cannot be revoked by its name, revoke it by hand at the platform: "+
		"the freeze takes it out of Secret %s/%s, and its value could not be kept: %s", id, place.Namespace, place.Name, err))
	return nil
}

// mayStillKeep tells whether the vault is worth waiting for.
func (w *withdrawal) mayStillKeep(err error) bool {
	final := errors.Is(err, secretstore.ErrTaken) || apierrors.IsForbidden(err)
	return !final && w.now.Sub(w.channel.Status.Freeze.StartedAt.Time) < keepPatience
}

// revokeNow revokes a credential if the platform can be asked: with the source
// credential, or with its own value where that is of no use any more, as when
// somebody has changed the account's password.
func (w *withdrawal) revokeNow(ctx context.Context, id string) (platform.Revocation, bool) {
	if waits := w.waits(); waits != "" {
		w.pending = append(w.pending, "credential "+id+" is not revoked: "+waits)
		return platform.Revocation{}, false
	}
	revocation, err := w.revokeAnyhow(ctx, id)
	if err != nil {
		w.hinder("revoke credential "+id, err)
	}
	return revocation, err == nil
}

func (w *withdrawal) revokeAnyhow(ctx context.Context, id string) (platform.Revocation, error) {
	identity := w.status.Get(v1alpha1.ConditionIdentityVerified).Message
	if w.adapter == nil {
		return platform.Revocation{}, &platform.Failure{Class: platform.Permanent, Message: "the platform cannot be reached: " + identity}
	}
	var cause error = &platform.Failure{Class: platform.Permanent, Message: "the source credential cannot be used: " + identity + ": revoke it by hand at the platform"}
	if w.verified() {
		revocation, err := w.revoke(ctx, w.scope, id)
		if err == nil || !lastWord(err) {
			return revocation, err
		}
		cause = err
	}
	revoker, ok := w.adapter.(platform.Revoker)
	if !ok {
		return platform.Revocation{}, cause
	}
	values, recorded, err := w.valuesOf(ctx, id)
	if err != nil {
		return platform.Revocation{}, err
	}
	vault := w.secrets.Vault(w.channel, nil)
	if values == nil {
		effectiveBy, done, err := vault.Forgotten(ctx, id)
		if err == nil && !done {
			err = cause
		}
		return platform.Revocation{EffectiveBy: effectiveBy}, err
	}
	revocation, err := revoker.Revoke(ctx, platform.Account{Handle: w.handle, ID: w.pinned()}, credentials.Credential{ID: id, Values: values})
	if err != nil {
		return platform.Revocation{}, err
	}
	if recorded {
		w.byItself = true
		return revocation, nil
	}
	if err := vault.Forget(ctx, id, revocation.EffectiveBy); err != nil && !errors.Is(err, secretstore.ErrTaken) {
		return platform.Revocation{}, err
	}
	return revocation, nil
}

// valuesOf finds the value of a credential: in its Secret, or where it was
// kept. It tells whether that is the Secret of the credential on record.
func (w *withdrawal) valuesOf(ctx context.Context, id string) (values credentials.Values, recorded bool, err error) {
	var place *v1alpha1.DeliveredSecret
	if onRecord := w.channel.Status.Credential; onRecord != nil && onRecord.ID == id {
		place, recorded = &onRecord.Secret, true
	}
	for _, retiring := range w.channel.Status.Retiring {
		if retiring.ID == id && place == nil {
			place = retiring.Secret
		}
	}
	if place != nil {
		delivered, err := w.secrets.Delivered(ctx, w.channel, place.Namespace, place.Name)
		if err == nil && delivered.Holds(id) {
			return delivered.Values, recorded, nil
		}
	}
	values, err = w.secrets.Vault(w.channel, nil).Kept(ctx, id)
	return values, false, err
}

// waits says why the platform is not asked now, or nothing: it gave no usable
// answer a moment ago, or it asked to be left alone for a while.
func (w *withdrawal) waits() string {
	identity := w.status.Get(v1alpha1.ConditionIdentityVerified)
	switch {
	case w.adapter == nil:
		return ""
	case identity.Reason == v1alpha1.ReasonPlatformUnavailable, identity.Reason == v1alpha1.ReasonRateLimited:
		return identity.Message
	case w.silent, w.failed && w.verified():
		return "the platform gives no usable answer"
	}
	// No inputs are like these: it is not due only if the platform asked for it.
	if due, next := w.pace.Due(client.ObjectKeyFromObject(w.channel), probeInputs{}, w.now); !due {
		w.wakeAt(next)
		return "the platform asked to come back later"
	}
	return ""
}

// hinder notes what stood in the way of a step, and when it is tried again.
func (w *withdrawal) hinder(doing string, err error) {
	failure, ok := errors.AsType[*platform.Failure](err)
	said := fmt.Sprintf("could not %s: %s", doing, strings.TrimSpace(err.Error()))
	switch {
	case ok && (failure.HeldBack || failure.Class.Passing()):
		w.failed, w.silent = true, true
		if !failure.HeldBack {
			w.count(w.scope, failure.Class)
		}
		w.wakeAt(w.pace.Failed(client.ObjectKeyFromObject(w.channel), w.inputs(), w.now, failure.RetryAt))
	case ok, sourceReason(err) != "":
		w.refused = append(w.refused, said)
		return
	case errors.Is(err, secretstore.ErrForbidden):
		w.refused = append(w.refused, said)
		w.wakeAt(w.now.Add(defaultProbeInterval))
		return
	case errors.Is(err, platform.ErrSessionConflict), apierrors.IsConflict(err):
		w.wakeAt(w.now.Add(sessionRetry))
	default:
		w.wakeAt(w.now.Add(withdrawalRetry))
	}
	w.pending = append(w.pending, said)
}
