// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package secretstore turns Kubernetes Secrets into typed credentials and back.
// It reads Secrets one by one, never through a cache, writes only Secrets that
// Rostra made, and never puts a value into an error.
package secretstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials"
	"github.com/rostra-dev/rostra/internal/platform"
)

// Errors that tell what to say to the person who can mend it.
var (
	// ErrNotFound: there is no Secret of that name.
	ErrNotFound = errors.New("the Secret does not exist")
	// ErrInvalid: the Secret lacks what it needs.
	ErrInvalid = errors.New("the Secret is not usable")
	// ErrApplicationNotFound: the Secret of the application does not exist.
	ErrApplicationNotFound = errors.New("the application's Secret does not exist")
	// ErrApplicationInvalid: the Secret of the application lacks what it needs.
	ErrApplicationInvalid = errors.New("the application's Secret is not usable")
	// ErrTaken: a Secret of that name exists and is not this channel's.
	ErrTaken = errors.New("the Secret exists and was not made for this channel")
	// ErrSourceForbidden: Rostra may not read the source Secret.
	ErrSourceForbidden = errors.New("Rostra may not read the source Secret")
	// ErrForbidden: Rostra may not read or write Secrets where it delivers.
	ErrForbidden = errors.New("Rostra may not read and write Secrets in the namespace")
	// ErrNamespace: the namespace does not exist or is being deleted.
	ErrNamespace = errors.New("the namespace does not exist or is being deleted")
)

var errVanished = errors.New("the Secret was removed at the same time")

// maxValue bounds what is accepted as one value of a source Secret, in bytes:
// far more than any platform's credential, far less than a Secret can hold.
const maxValue = 16 << 10

// Store reads and writes the Secrets of channels. The client must read Secrets
// live.
type Store struct {
	Client client.Client
}

// Source is the content of a source Secret.
type Source struct {
	Values          credentials.Values
	ResourceVersion string
}

// Source reads a channel's source Secret and checks that it holds the keys
// that the platform needs. The error says which are missing, and never what is
// in them.
func (s *Store) Source(ctx context.Context, channel *v1alpha1.SocialChannel, keys []platform.SourceKey) (*Source, error) {
	name := types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.Credentials.SourceSecretRef.Name}
	secret := &corev1.Secret{}
	if err := s.Client.Get(ctx, name, secret); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("%w: create Secret %s with the keys %s", ErrNotFound, name, describeKeys(keys))
		}
		if apierrors.IsForbidden(err) {
			return nil, fmt.Errorf("%w: bind the role that reads Secrets to it in namespace %s", ErrSourceForbidden, name.Namespace)
		}
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	values, err := pick(secret, keys, ErrInvalid)
	if err != nil {
		return nil, err
	}
	return &Source{Values: values, ResourceVersion: secret.ResourceVersion}, nil
}

// Application reads the Secret that says what Rostra is at a platform, in
// Rostra's own namespace, and checks that it holds the keys that are needed.
func (s *Store) Application(ctx context.Context, namespace, name string, keys []platform.SourceKey) (*Source, error) {
	if namespace == "" {
		return nil, fmt.Errorf("%w: Rostra was not told its own namespace: start it with --namespace", ErrApplicationNotFound)
	}
	key := types.NamespacedName{Namespace: namespace, Name: name}
	secret := &corev1.Secret{}
	switch err := s.Client.Get(ctx, key, secret); {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("%w: create Secret %s with the keys %s", ErrApplicationNotFound, key, describeKeys(keys))
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("%w: Rostra may not read Secret %s: bind its role in that namespace", ErrApplicationNotFound, key)
	case err != nil:
		return nil, fmt.Errorf("read Secret %s: %w", key, err)
	}
	values, err := pick(secret, keys, ErrApplicationInvalid)
	if err != nil {
		return nil, err
	}
	return &Source{Values: values, ResourceVersion: secret.ResourceVersion}, nil
}

// pick takes the keys that are known out of a Secret. What is wrong is told in
// the chain of the error invalid.
func pick(secret *corev1.Secret, keys []platform.SourceKey, invalid error) (credentials.Values, error) {
	name := types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}
	values := credentials.Values{}
	for _, key := range keys {
		content := strings.TrimSpace(string(secret.Data[key.Name]))
		_, present := secret.Data[key.Name]
		switch {
		case len(content) > maxValue:
			return nil, fmt.Errorf("%w: key %q of Secret %s holds more than %d bytes, which no credential does", invalid, key.Name, name, maxValue)
		case content == "" && key.Required && present:
			return nil, fmt.Errorf("%w: key %q of Secret %s is empty: it must hold %s", invalid, key.Name, name, key.Purpose)
		case content == "" && key.Required:
			return nil, fmt.Errorf("%w: Secret %s has no key %q, which must hold %s; it has %s", invalid, name, key.Name, key.Purpose, listKeys(secret.Data))
		case content != "":
			values[key.Name] = credentials.NewValue(content)
		}
	}
	if lacking := alternatives(keys, values); lacking != "" {
		return nil, fmt.Errorf("%w: Secret %s has none of the keys %s: add one; it has %s", invalid, name, lacking, listKeys(secret.Data))
	}
	return values, nil
}

// alternatives are the keys of which one is needed and none is there; empty for
// no such need.
func alternatives(keys []platform.SourceKey, values credentials.Values) string {
	var names []string
	for _, key := range keys {
		if !key.OneOf {
			continue
		}
		if !values[key.Name].IsEmpty() {
			return ""
		}
		names = append(names, key.Name)
	}
	return strings.Join(names, ", ")
}

func describeKeys(keys []platform.SourceKey) string {
	parts := make([]string, 0, len(keys))
	for _, key := range keys {
		part := key.Name
		if !key.Required {
			part += " (optional)"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// maxListedKeys bounds how many key names a message lists.
const maxListedKeys = 8

func listKeys(data map[string][]byte) string {
	if len(data) == 0 {
		return "no keys at all"
	}
	names := slices.Sorted(maps.Keys(data))
	if len(names) > maxListedKeys {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListedKeys], ", "), len(names)-maxListedKeys)
	}
	return strings.Join(names, ", ")
}

// SourceID names a source credential that is delivered itself. It is a keyed
// digest, cut to 80 bits: enough to tell two credentials of one channel apart,
// and nothing from which a credential could be found, since what platforms
// issue is random and long.
func SourceID(channel *v1alpha1.SocialChannel, deliverable credentials.Credential) string {
	mac := hmac.New(sha256.New, []byte(channel.UID))
	for _, key := range slices.Sorted(maps.Keys(deliverable.Values)) {
		fmt.Fprintf(mac, "%s=%d:%s\n", key, len(deliverable.Values.Get(key)), deliverable.Values.Get(key))
	}
	return "source-" + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:10]))
}

// Delivered is a Secret that was delivered for a channel.
type Delivered struct {
	// CredentialID that it says it holds.
	CredentialID string
	// IssuedAt that it says the credential was issued; zero where it says
	// nothing that can be read. The owner can write it: see IssuedBy.
	IssuedAt time.Time
	// Intact tells whether its content is what Rostra wrote.
	Intact bool
	// ResourceVersion of the Secret.
	ResourceVersion string
	// Values it holds beside the descriptive ones.
	Values credentials.Values
	// ExposedTo are the people who could see it when it was written, as
	// team/member. The owner can write it, so it is no longer than a status can
	// hold, and nothing is in it that could not be a member of a team.
	ExposedTo []string
	// ForeignUID tells that it was made for an earlier channel of this name.
	ForeignUID bool
	// Frozen is the mark of the freeze that took the credential out of it, as it
	// is in the data; empty where none did.
	Frozen string

	secret *corev1.Secret
}

// Holds tells whether the Secret holds that credential of this very channel, as
// Rostra wrote it.
func (d *Delivered) Holds(credentialID string) bool {
	return d.Intact && !d.ForeignUID && d.Frozen == "" && d.CredentialID == credentialID
}

// Delivered reads the Secret at a place where this channel delivers. It fails
// with ErrNotFound if there is none, and with ErrTaken if there is one that is
// not this channel's.
func (s *Store) Delivered(ctx context.Context, channel *v1alpha1.SocialChannel, namespace, name string) (*Delivered, error) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	secret := &corev1.Secret{}
	if err := s.Client.Get(ctx, key, secret); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		return nil, deliveryError("read", key, err)
	}
	if !Ours(secret, channel) {
		return nil, fmt.Errorf("%w: Secret %s is left as it is: remove it, or choose another spec.credentials.delivery.secretName", ErrTaken, key)
	}
	return &Delivered{
		CredentialID:    secret.Annotations[v1alpha1.AnnotationCredentialID],
		IssuedAt:        issued(secret.Annotations[v1alpha1.AnnotationIssuedAt]),
		Intact:          hmac.Equal([]byte(secret.Annotations[v1alpha1.AnnotationContentDigest]), []byte(digest(channel, secret.Data))),
		ResourceVersion: secret.ResourceVersion,
		Values:          secretValues(secret.Data),
		ExposedTo:       people(secret.Annotations[v1alpha1.AnnotationExposedTo]),
		Frozen:          string(secret.Data[keyFrozen]),
		ForeignUID:      secret.Labels[v1alpha1.LabelChannelUID] != string(channel.UID),
		secret:          secret,
	}, nil
}

// IssuedBy is when the credential was issued, and at the latest now: a time
// that cannot be read, or lies ahead, would keep it from ever being replaced.
func (d *Delivered) IssuedBy(now time.Time) time.Time {
	if d.IssuedAt.IsZero() || d.IssuedAt.After(now) {
		return now.Truncate(time.Second)
	}
	return d.IssuedAt
}

// issued reads a time, or gives zero for what is none or is before there were
// such times.
func issued(stamp string) time.Time {
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil || at.Before(time.Unix(0, 0)) {
		return time.Time{}
	}
	return at.UTC()
}

// What bounds the people of an annotation; see the schema of the status.
const (
	maxPeople = 512
	maxTeam   = 253
	maxMember = 63
)

// people reads a list of people, as team/member. What is none is left out, and
// so is what is more than a status can hold.
func people(list string) []string {
	var found []string
	for person := range strings.SplitSeq(list, ",") {
		if isPerson(person) {
			found = append(found, person)
		}
		if len(found) == maxPeople {
			break
		}
	}
	return found
}

func isPerson(person string) bool {
	team, member, _ := strings.Cut(person, "/")
	return isName(team, maxTeam, "-.") && isName(member, maxMember, "-")
}

// isName tells whether a name is of lower-case letters and digits, with these
// signs between them.
func isName(name string, longest int, signs string) bool {
	if name == "" || len(name) > longest || strings.ContainsAny(name[:1]+name[len(name)-1:], signs) {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789"+signs) == ""
}

// Ours tells whether a Secret was made by Rostra for this channel, or for an
// earlier one of the same namespace and name.
func Ours(secret metav1.Object, channel *v1alpha1.SocialChannel) bool {
	return secret.GetLabels()[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByRostra &&
		secret.GetAnnotations()[v1alpha1.AnnotationChannel] == channel.Namespace+"/"+channel.Name
}

// Keys that describe the account in a delivered Secret. All keys of it are
// names of environment variables, so that a tool can take the whole Secret
// with envFrom.
const (
	keyPlatform     = "SOCIAL_PLATFORM"
	keyServer       = "SOCIAL_SERVER"
	keyHandle       = "SOCIAL_HANDLE"
	keyAccountID    = "SOCIAL_ACCOUNT_ID"
	keyCredentialID = "SOCIAL_CREDENTIAL_ID"
	// keyFrozen says, in a Secret that a freeze has emptied, which, and why.
	keyFrozen = "SOCIAL_FROZEN"
)

// Delivery is what is written for the owner.
type Delivery struct {
	Namespace, Name  string
	Platform, Server string
	Identity         platform.Identity
	Credential       credentials.Credential
	IssuedAt         time.Time
	// ExposedTo are the people who can see it from now on, as team/member.
	ExposedTo []string
}

// Deliver writes a credential into the owner's namespace and gives the
// Secret's resource version. It creates the Secret, or overwrites one that is
// this channel's; it fails with ErrTaken otherwise.
func (s *Store) Deliver(ctx context.Context, channel *v1alpha1.SocialChannel, delivery Delivery) (string, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: delivery.Namespace, Name: delivery.Name}, Type: corev1.SecretTypeOpaque}
	fill(secret, channel, delivery)
	err := s.Client.Create(ctx, secret)
	switch {
	case err == nil:
		return secret.ResourceVersion, nil
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return "", fmt.Errorf("%w: %s", ErrNamespace, delivery.Namespace)
	case !apierrors.IsAlreadyExists(err):
		return "", deliveryError("create", client.ObjectKeyFromObject(secret), err)
	}
	existing, err := s.Delivered(ctx, channel, delivery.Namespace, delivery.Name)
	if errors.Is(err, ErrNotFound) {
		// It went between the two requests: the next try creates it.
		return "", apierrors.NewConflict(corev1.Resource("secrets"), delivery.Name, errVanished)
	}
	if err != nil {
		return "", err
	}
	if ptr.Deref(existing.secret.Immutable, false) {
		return s.redeliver(ctx, channel, existing, secret)
	}
	fill(existing.secret, channel, delivery)
	if err := s.Client.Update(ctx, existing.secret); err != nil {
		return "", deliveryError("update", client.ObjectKeyFromObject(secret), err)
	}
	return existing.secret.ResourceVersion, nil
}

// redeliver puts another Secret in the place of one that its owners made
// immutable, since its content cannot change.
func (s *Store) redeliver(ctx context.Context, channel *v1alpha1.SocialChannel, old *Delivered, secret *corev1.Secret) (string, error) {
	if err := s.Withdraw(ctx, channel, secret.Namespace, secret.Name, old.CredentialID); err != nil {
		return "", err
	}
	secret.ResourceVersion = ""
	secret.Labels = inherit(old.secret.Labels, secret.Labels)
	secret.Annotations = inherit(old.secret.Annotations, secret.Annotations)
	if _, frozen := secret.Data[keyFrozen]; !frozen {
		delete(secret.Annotations, v1alpha1.AnnotationFrozen)
	}
	if err := s.Client.Create(ctx, secret); err != nil {
		return "", deliveryError("create", client.ObjectKeyFromObject(secret), err)
	}
	return secret.ResourceVersion, nil
}

// inherit keeps what others put on the old Secret, under what is Rostra's own.
func inherit(theirs, ours map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, theirs)
	maps.Copy(all, ours)
	return all
}

func fill(secret *corev1.Secret, channel *v1alpha1.SocialChannel, delivery Delivery) {
	data := map[string][]byte{
		keyPlatform:     []byte(delivery.Platform),
		keyServer:       []byte(delivery.Server),
		keyHandle:       []byte(delivery.Identity.Handle),
		keyAccountID:    []byte(delivery.Identity.AccountID),
		keyCredentialID: []byte(delivery.Credential.ID),
	}
	for key, value := range delivery.Credential.Values {
		data[key] = []byte(value.Reveal())
	}
	secret.Data = data
	delete(secret.Annotations, v1alpha1.AnnotationFrozen)
	metav1.SetMetaDataLabel(&secret.ObjectMeta, v1alpha1.LabelManagedBy, v1alpha1.ManagedByRostra)
	metav1.SetMetaDataLabel(&secret.ObjectMeta, v1alpha1.LabelChannelUID, string(channel.UID))
	for key, value := range map[string]string{
		v1alpha1.AnnotationChannel:       channel.Namespace + "/" + channel.Name,
		v1alpha1.AnnotationCredentialID:  delivery.Credential.ID,
		v1alpha1.AnnotationIssuedAt:      delivery.IssuedAt.UTC().Format(time.RFC3339),
		v1alpha1.AnnotationExposedTo:     strings.Join(delivery.ExposedTo, ","),
		v1alpha1.AnnotationContentDigest: digest(channel, data),
	} {
		metav1.SetMetaDataAnnotation(&secret.ObjectMeta, key, value)
	}
}

// digest is over the data as written, bound to the channel's name so that a
// Secret copied from another channel is not taken for intact.
func digest(channel *v1alpha1.SocialChannel, data map[string][]byte) string {
	mac := hmac.New(sha256.New, []byte(channel.Namespace+"/"+channel.Name))
	for _, key := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(mac, "%s=%d:", key, len(data[key]))
		mac.Write(data[key])
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func secretValues(data map[string][]byte) credentials.Values {
	values := credentials.Values{}
	for key, content := range data {
		switch key {
		case keyPlatform, keyServer, keyHandle, keyAccountID, keyCredentialID, keyFrozen:
		default:
			values[key] = credentials.NewValue(string(content))
		}
	}
	return values
}

// Withdraw deletes a delivered Secret, if it still holds that credential and
// is this channel's. One that is gone, or holds another by now, is a success.
func (s *Store) Withdraw(ctx context.Context, channel *v1alpha1.SocialChannel, namespace, name, credentialID string) error {
	delivered, err := s.Delivered(ctx, channel, namespace, name)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrTaken) {
		return nil
	}
	if err != nil {
		return err
	}
	if delivered.CredentialID != credentialID {
		return nil
	}
	precondition := client.Preconditions{UID: &delivered.secret.UID, ResourceVersion: &delivered.secret.ResourceVersion}
	if err := s.Client.Delete(ctx, delivered.secret, precondition); err != nil && !apierrors.IsNotFound(err) {
		return deliveryError("delete", client.ObjectKeyFromObject(delivered.secret), err)
	}
	return nil
}

// deliveryError tells a right that is missing from other trouble of the API
// server.
func deliveryError(verb string, key types.NamespacedName, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w %s: bind the role that does to it (%s Secret %s)", ErrForbidden, key.Namespace, verb, key.Name)
	}
	return fmt.Errorf("%s Secret %s: %w", verb, key, err)
}
