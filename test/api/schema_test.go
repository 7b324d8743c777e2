// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// These read the generated schemas: what no refused manifest can show.
var _ = Describe("The schemas", func() {
	definitions := func() []apiextensionsv1.CustomResourceDefinition {
		GinkgoHelper()
		paths, err := filepath.Glob(filepath.Join(crds, "*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(paths).NotTo(BeEmpty())
		all := make([]apiextensionsv1.CustomResourceDefinition, len(paths))
		for i, path := range paths {
			content, err := os.ReadFile(path)
			Expect(err).NotTo(HaveOccurred())
			Expect(yaml.UnmarshalStrict(content, &all[i])).To(Succeed())
		}
		return all
	}
	// each visits every field of every kind, but not what Kubernetes itself
	// defines.
	each := func(visit func(path string, schema *apiextensionsv1.JSONSchemaProps)) {
		GinkgoHelper()
		for _, definition := range definitions() {
			for _, version := range definition.Spec.Versions {
				walk(definition.Spec.Names.Kind, version.Schema.OpenAPIV3Schema, visit)
			}
		}
	}

	It("bound every string, list and map", Label("S25"), func() {
		each(func(path string, schema *apiextensionsv1.JSONSchemaProps) {
			switch schema.Type {
			case "string":
				Expect(schema.MaxLength != nil || len(schema.Enum) > 0 || schema.Format == "date-time").To(BeTrue(), "%s has no maxLength", path)
			case "array":
				Expect(schema.MaxItems).NotTo(BeNil(), "%s has no maxItems", path)
				Expect(schema.XListType).NotTo(BeNil(), "%s has no listType", path)
				if *schema.XListType == "map" {
					Expect(schema.XListMapKeys).NotTo(BeEmpty(), "%s has no listMapKey", path)
				}
			case "object":
				if schema.AdditionalProperties != nil {
					Expect(schema.MaxProperties).NotTo(BeNil(), "%s has no maxProperties", path)
				}
			}
			Expect(schema.XPreserveUnknownFields).To(BeNil(), "%s takes anything", path)
		})
	})

	It("explain every field", func() {
		each(func(path string, schema *apiextensionsv1.JSONSchemaProps) {
			if strings.HasSuffix(path, "[]") {
				return
			}
			Expect(schema.Description).NotTo(BeEmpty(), path)
			Expect(schema.Description).NotTo(ContainSubstring("TODO"), path)
		})
	})

	It("give every rule words that say what to do", func() {
		each(func(path string, schema *apiextensionsv1.JSONSchemaProps) {
			for _, rule := range schema.XValidations {
				Expect(rule.Message).NotTo(BeEmpty(), "%s: %s", path, rule.Rule)
				Expect(rule.MessageExpression).To(BeEmpty(), "%s: it could put a value into the message", path)
			}
			Expect(schema.Pattern).To(BeEmpty(), "%s: a pattern is no sentence, use a rule with a message", path)
		})
	})

	It("say booleans only where a third value cannot come", func() {
		var booleans []string
		each(func(path string, schema *apiextensionsv1.JSONSchemaProps) {
			if schema.Type == "boolean" {
				booleans = append(booleans, path)
			}
		})
		Expect(booleans).NotTo(BeEmpty())
		Expect([]string{"PublishingFreeze.spec.active", "SocialChannel.spec.suspend"}).To(ContainElements(booleans))
	})

	It("name kinds as the design does", func() {
		scopes := map[string]apiextensionsv1.ResourceScope{}
		for _, definition := range definitions() {
			names := definition.Spec.Names
			scopes[names.Kind] = definition.Spec.Scope
			Expect(names.ShortNames).NotTo(BeEmpty(), names.Kind)
			Expect(names.Categories).To(ConsistOf("social"), names.Kind)
			Expect(definition.Spec.Group).To(Equal("social.rostra.dev"))
			for _, version := range definition.Spec.Versions {
				Expect(version.Name).To(Equal("v1alpha1"))
				Expect(version.Subresources.Status).NotTo(BeNil(), names.Kind)
				Expect(version.Schema.OpenAPIV3Schema.Required).To(ContainElement("spec"), names.Kind)
			}
		}
		Expect(scopes).To(And(
			HaveKeyWithValue("ContentPolicy", apiextensionsv1.ClusterScoped),
			HaveKeyWithValue("EscalationRoute", apiextensionsv1.NamespaceScoped),
			HaveKeyWithValue("ResponderRota", apiextensionsv1.NamespaceScoped),
			HaveKeyWithValue("RotaOverride", apiextensionsv1.NamespaceScoped),
			HaveKeyWithValue("SocialChannel", apiextensionsv1.NamespaceScoped),
			HaveKeyWithValue("SocialPlatform", apiextensionsv1.ClusterScoped),
			HaveKeyWithValue("Team", apiextensionsv1.ClusterScoped),
		))
	})

	It("hold no namespace in a reference", Label("S25"), func() {
		each(func(path string, _ *apiextensionsv1.JSONSchemaProps) {
			for part := range strings.SplitSeq(path, ".") {
				if strings.HasSuffix(part, "Ref") {
					Expect(path).NotTo(HaveSuffix(".namespace"))
				}
			}
		})
	})
})

// walk visits a schema's fields by their paths, in order.
func walk(path string, schema *apiextensionsv1.JSONSchemaProps, visit func(string, *apiextensionsv1.JSONSchemaProps)) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		field, inner := schema.Properties[name], path+"."+name
		switch {
		case !strings.Contains(path, ".") && slices.Contains([]string{"apiVersion", "kind", "metadata"}, name):
			continue
		case slices.Contains([]string{"conditions", "allowedNamespaces", "channelSelector", "namespaceSelector"}, name):
			continue // metav1.Condition and metav1.LabelSelector
		}
		visit(inner, &field)
		walk(inner, &field, visit)
		if field.Items != nil {
			visit(inner+"[]", field.Items.Schema)
			walk(inner+"[]", field.Items.Schema, visit)
		}
	}
}
