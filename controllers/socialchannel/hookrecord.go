// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialchannel

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/hook"
)

// errHookTaken is what a Secret is about that has the name of a channel's hook
// record and is not Rostra's. It is left as it is.
var errHookTaken = errors.New("the Secret bears the name that Rostra keeps for its own: remove it")

// hookPrefix begins the name of the Secret with a channel's hook record.
const hookPrefix = "rostra-hook-"

// hookRecord is the record by which the gateway verifies a channel's events.
type hookRecord struct {
	hook.Record

	// secret that it was read from; nil where there was none.
	secret *corev1.Secret
}

// hookView is what is known of a record between two reconciles: no key.
type hookView struct {
	// version of the Secret.
	version string
	// missing tells that there are no keys that can be used.
	missing bool
	// about is the record without its keys.
	about hook.Record
	// digest stands for the keys that Rostra gives the platform.
	digest string
	// learnt stands for those that the platform told; empty for none.
	learnt string
	made   time.Time
	fresh  bool
	// dropAt is when keys of before are over; zero for never.
	dropAt time.Time
}

func (r *Reconciler) hookKey(s *scope) client.ObjectKey {
	return client.ObjectKey{Namespace: r.Namespace, Name: hookPrefix + string(s.channel.UID)}
}

// viewHook gives what is known of the record. It is read only if it is not as
// this process saw it last.
func (r *Reconciler) viewHook(ctx context.Context, s *scope) (hookView, error) {
	key := r.hookKey(s)
	cached, err := r.secret(ctx, key.Namespace, key.Name)
	if err != nil {
		return hookView{}, err
	}
	name := client.ObjectKeyFromObject(s.channel)
	if view, ok := r.feeds.view(name); ok && cached != nil && view.version == cached.ResourceVersion {
		return view, nil
	}
	record, err := r.readHook(ctx, s)
	if err != nil {
		return hookView{}, err
	}
	view := record.view(r.Gateway.Key)
	r.feeds.remember(name, view)
	return view, nil
}

// readHook reads the record. One that is gone, or that somebody changed, has no
// keys.
func (r *Reconciler) readHook(ctx context.Context, s *scope) (*hookRecord, error) {
	key := r.hookKey(s)
	secret := &corev1.Secret{}
	if err := r.Secrets.Get(ctx, key, secret); err != nil {
		if apierrors.IsNotFound(err) {
			return &hookRecord{}, nil
		}
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	if !isHookRecord(secret, s.channel) {
		return nil, fmt.Errorf("Secret %s: %w", key, errHookTaken)
	}
	record := &hookRecord{secret: secret}
	if !hmac.Equal([]byte(secret.Annotations[v1alpha1.AnnotationContentDigest]), []byte(sealOf(r.Gateway.Key, secret.Data))) {
		return record, nil
	}
	decoded, err := hook.Decode(secret.Data)
	if err != nil {
		return record, nil //nolint:nilerr // what cannot be read is made anew
	}
	record.Record = decoded
	return record, nil
}

// isHookRecord tells whether a Secret is the hook record of a channel.
func isHookRecord(secret metav1.Object, channel *v1alpha1.SocialChannel) bool {
	labels := secret.GetLabels()
	return labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByRostra && labels[v1alpha1.LabelChannelUID] == string(channel.UID) && labels[v1alpha1.LabelHook] != ""
}

// writeHook stores the record, durably before it returns.
func (r *Reconciler) writeHook(ctx context.Context, s *scope, record *hookRecord) error {
	key := r.hookKey(s)
	secret := record.secret
	if secret == nil {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}, Type: corev1.SecretTypeOpaque}
	}
	secret.Data = record.Encode()
	for label, value := range map[string]string{
		v1alpha1.LabelHook: record.HookID, v1alpha1.LabelManagedBy: v1alpha1.ManagedByRostra, v1alpha1.LabelChannelUID: string(s.channel.UID),
	} {
		metav1.SetMetaDataLabel(&secret.ObjectMeta, label, value)
	}
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, v1alpha1.AnnotationChannel, record.Channel)
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, v1alpha1.AnnotationContentDigest, sealOf(r.Gateway.Key, secret.Data))
	var err error
	if record.secret == nil {
		err = r.Secrets.Create(ctx, secret)
	} else {
		err = r.Secrets.Update(ctx, secret)
	}
	switch {
	case apierrors.IsAlreadyExists(err):
		return apierrors.NewConflict(corev1.Resource("secrets"), key.Name, err)
	case apierrors.IsConflict(err):
		return err
	case err != nil:
		return fmt.Errorf("write Secret %s: %w", key, err)
	}
	record.secret = secret
	r.feeds.remember(client.ObjectKeyFromObject(s.channel), record.view(r.Gateway.Key))
	return nil
}

// removeHook deletes the record. One that is gone is a success, and so is a
// Secret of its name that is not Rostra's.
func (r *Reconciler) removeHook(ctx context.Context, s *scope) error {
	if r.Namespace == "" {
		return nil
	}
	key := r.hookKey(s)
	r.feeds.forgetView(client.ObjectKeyFromObject(s.channel))
	secret := &corev1.Secret{}
	if err := r.Secrets.Get(ctx, key, secret); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !isHookRecord(secret, s.channel) {
		return nil
	}
	precondition := client.Preconditions{UID: &secret.UID, ResourceVersion: &secret.ResourceVersion}
	return client.IgnoreNotFound(r.Secrets.Delete(ctx, secret, precondition))
}

// sealOf stands for the data as Rostra wrote it, so that a change by others is
// noticed.
func sealOf(key []byte, data map[string][]byte) string {
	mac := hmac.New(sha256.New, key)
	for _, name := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(mac, "%d:%s%d:", len(name), name, len(data[name]))
		mac.Write(data[name])
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// seal stands for the whole record.
func (h *hookRecord) seal(key []byte) string { return sealOf(key, h.Encode()) }

// own are the newest keys without those that the platform told.
func (h *hookRecord) own() credentials.Values {
	if len(h.Keys) == 0 {
		return nil
	}
	values := maps.Clone(h.Keys[0].Values)
	for _, name := range h.Learnt {
		delete(values, name)
	}
	return values
}

// told are those of the newest keys that the platform told.
func (h *hookRecord) told() credentials.Values {
	values := credentials.Values{}
	for _, name := range h.Learnt {
		values[name] = h.Keys[0].Values[name]
	}
	return values
}

// learn sets what the platform told beside the newest keys. Where it had told
// something else, that is a key of before now.
func (h *hookRecord) learn(learnt credentials.Values) {
	if len(learnt) == 0 || sameValues(h.told(), learnt) {
		return
	}
	values := h.own()
	maps.Copy(values, learnt)
	if len(h.Learnt) > 0 {
		h.Keys = append([]hook.KeySet{{}}, h.Keys...)
	}
	h.Keys[0].Values, h.Learnt = values, slices.Sorted(maps.Keys(learnt))
}

func sameValues(a, b credentials.Values) bool {
	return maps.EqualFunc(a, b, func(a, b credentials.Value) bool { return hmac.Equal([]byte(a.Reveal()), []byte(b.Reveal())) })
}

// succeed puts keys before those that the record has. The keys of before stay
// in force without end until these are registered.
func (h *hookRecord) succeed(keys credentials.Values, fresh bool, now time.Time) {
	h.Keys = append([]hook.KeySet{{Values: keys}}, h.Keys...)
	h.Fresh, h.Learnt, h.Made = fresh, nil, now.Truncate(time.Second)
}

// end lets the keys of before be in force for an overlap, once the newest are
// registered.
func (h *hookRecord) end(now time.Time, overlap time.Duration) {
	for i := 1; i < len(h.Keys); i++ {
		if h.Keys[i].Until.IsZero() {
			h.Keys[i].Until = now.Add(overlap).Truncate(time.Second)
		}
	}
}

// drop takes out keys that are over.
func (h *hookRecord) drop(now time.Time) {
	h.Keys = slices.DeleteFunc(h.Keys, func(set hook.KeySet) bool { return !set.Until.IsZero() && !now.Before(set.Until) })
}

func (h *hookRecord) view(key []byte) hookView {
	view := hookView{missing: len(h.Keys) == 0, about: h.Record, made: h.Made, fresh: h.Fresh}
	view.about.Keys = nil
	if h.secret != nil {
		view.version = h.secret.ResourceVersion
	}
	if view.missing {
		return view
	}
	view.digest = hook.Digest(key, h.own())
	if len(h.Learnt) > 0 {
		view.learnt = hook.Digest(key, h.told())
	}
	for _, set := range h.Keys[1:] {
		if !set.Until.IsZero() && (view.dropAt.IsZero() || set.Until.Before(view.dropAt)) {
			view.dropAt = set.Until
		}
	}
	return view
}

// sameAs tells whether the record says the same of the channel, whatever its
// keys.
func (v hookView) sameAs(about hook.Record) bool {
	mine := v.about
	return mine.Platform == about.Platform && mine.Server == about.Server && mine.HookID == about.HookID &&
		mine.Channel == about.Channel && mine.ChannelUID == about.ChannelUID && mine.AccountID == about.AccountID
}
