// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

var _ = Describe("The samples", func() {
	It("are accepted as they are, to the last field", func(ctx SpecContext) {
		kinds := map[string]int{}
		for _, object := range samples() {
			if object.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
				continue
			}
			kinds[object.GetKind()]++
			if object.GetNamespace() != "" {
				object.SetNamespace("social")
			}
			Expect(kube.Create(ctx, object, client.DryRunAll)).To(Succeed(), "%s %s", object.GetKind(), object.GetName())
		}
		Expect(kinds).To(And(HaveKey("SocialChannel"), HaveKey("SocialPlatform"), HaveKey("Team"), HaveKey("ResponderRota"), HaveKey("EscalationRoute"), HaveKey("ContentPolicy")))
	})
})

// samples are the objects in config/samples.
func samples() []*unstructured.Unstructured {
	GinkgoHelper()
	var objects []*unstructured.Unstructured
	Expect(filepath.WalkDir("../../config/samples", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" || entry.Name() == "kustomization.yaml" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			object := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
				return err
			}
			if len(object.Object) > 0 {
				objects = append(objects, object)
			}
		}
	})).To(Succeed())
	return objects
}
