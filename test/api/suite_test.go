// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package api_test applies manifests to a real API server and checks what it
// accepts, what it refuses, in which words, and what it makes of what is left
// out. Nothing of the operator runs: all of this is in the schemas and the CEL
// rules of config/crd.
package api_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/test/cluster"
)

// crds are the manifests under test.
const crds = "../../config/crd/bases"

var (
	api    *cluster.Cluster
	scheme = runtime.NewScheme()
	// kube writes as a strict kubectl does: a field that does not exist is
	// refused.
	kube client.Client
	// lenient writes as older clients do: a field that does not exist is left
	// out.
	lenient client.Client
)

func TestAPI(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "API")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	Expect(corev1.AddToScheme(scheme)).To(Succeed())
	Expect(rbacv1.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var err error
	// The controller manager deletes namespaces and what has lost its owner.
	// Admission as hardened clusters have it: an owner reference must be one
	// that its writer may set.
	api, err = cluster.Start(ctx, cluster.Options{
		CRDPaths: []string{crds}, ControllerManager: true, Log: GinkgoWriter,
		APIServerArgs: []string{"--enable-admission-plugins=OwnerReferencesPermissionEnforcement"},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(api.Stop)
	bare, err := client.New(api.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	kube = client.WithFieldValidation(bare, metav1.FieldValidationStrict)
	lenient = client.WithFieldValidation(bare, metav1.FieldValidationIgnore)
	Expect(kube.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "social"}})).To(Succeed())
}, NodeTimeout(30*time.Minute))

// The least that is a good manifest of each kind, apart from what is optional
// and often refused.
const (
	goodChannel = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata: {namespace: social, name: acme-help}
spec:
  platformRef: {name: bluesky}
  handle: help.acme.example
  ownerRef: {name: customer-care}
  credentials:
    sourceSecretRef: {name: acme-help-source}
    delivery: {secretName: acme-help}
`
	goodBluesky = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: bluesky}
spec:
  type: Bluesky
  bluesky: {service: "https://bsky.social"}
  allowedNamespaces: {}
`
	goodMastodon = `
apiVersion: social.rostra.dev/v1alpha1
kind: SocialPlatform
metadata: {name: mastodon}
spec:
  type: Mastodon
  mastodon: {server: "https://mastodon.social"}
  allowedNamespaces: {matchLabels: {social.rostra.dev/channels: allowed}}
`
	goodTeam = `
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: customer-care}
spec:
  namespace: customer-care
  manager: maria
  members:
  - {name: maria, email: maria@acme.example}
  - {name: dana, email: dana@acme.example}
`
)

// edit changes one thing in a manifest.
type edit func(object map[string]any)

// manifest is a good one with some changes.
func manifest(good string, edits ...edit) *unstructured.Unstructured {
	GinkgoHelper()
	object := map[string]any{}
	Expect(yaml.Unmarshal([]byte(good), &object)).To(Succeed())
	for _, edit := range edits {
		edit(object)
	}
	return &unstructured.Unstructured{Object: object}
}

// set gives a field another value. The path is its names with dots between.
func set(path string, value any) edit {
	return func(object map[string]any) {
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := object[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				object[name] = inner
			}
			object = inner
		}
		object[names[len(names)-1]] = value
	}
}

// unset leaves a field out.
func unset(path string) edit {
	names := strings.Split(path, ".")
	return func(object map[string]any) { unstructured.RemoveNestedField(object, names...) }
}

// refuse is a refusal with these words, for a mistake in the manifest, and not
// for a mistake in a rule.
func refuse(words ...string) types.GomegaMatcher {
	matchers := []types.GomegaMatcher{
		MatchError(apierrors.IsInvalid, "is an answer of 422"),
		WithTransform(error.Error, And(
			Not(ContainSubstring("evaluation error")),
			Not(ContainSubstring("evaluating rule")),
			Not(ContainSubstring("conversion error")),
			Not(ContainSubstring("no such key")),
			Not(ContainSubstring("no such overload")),
			Not(ContainSubstring("failed rule")), // a rule without a message
			Not(ContainSubstring("call cost limit")),
		)),
	}
	for _, word := range words {
		matchers = append(matchers, MatchError(ContainSubstring(word)))
	}
	return And(matchers...)
}

// tryCreate asks whether an object would be created.
func tryCreate(ctx SpecContext, object client.Object) error {
	return kube.Create(ctx, object, client.DryRunAll)
}

// created is an object that is there until the spec is over.
func created(ctx SpecContext, object client.Object) {
	GinkgoHelper()
	Expect(kube.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(kube.Delete(ctx, object))).To(Succeed()) })
}

// tryUpdate asks whether the object would be changed.
func tryUpdate(ctx SpecContext, object *unstructured.Unstructured, edits ...edit) error {
	GinkgoHelper()
	changed := object.DeepCopy()
	for _, edit := range edits {
		edit(changed.Object)
	}
	return kube.Update(ctx, changed, client.DryRunAll)
}
