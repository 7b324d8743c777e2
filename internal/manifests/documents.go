// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// readDocuments reads what one file holds.
func (r *reader) readDocuments(name string, data []byte) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		r.mistakes.add(fmt.Errorf("%s: the file is not UTF-8 text: save it as UTF-8", name))
		return
	}
	documents, err := split(name, data)
	if err != nil {
		r.mistakes.add(fmt.Errorf("%s: %w", name, err))
		return
	}
	for i, document := range documents {
		origin := name
		if len(documents) > 1 {
			origin = fmt.Sprintf("%s (document %d)", name, i+1)
		}
		r.readDocument(document, origin)
	}
}

// readDocument takes what a document declares into the set. An object of
// another group is looked at no further than its kind, so that nothing of a
// Secret is kept or told.
func (r *reader) readDocument(document []byte, origin string) {
	converted := document
	if !json.Valid(document) {
		var err error
		if converted, err = yaml.YAMLToJSON(document); err != nil {
			r.note(origin, fmt.Errorf("this cannot be read as YAML: %w", err))
			return
		}
	}
	head := headerOf(converted)
	if !r.isList(head) {
		r.note(origin, r.readObject(head, document, origin))
		return
	}
	var items []json.RawMessage
	if err := json.Unmarshal(head.items, &items); err != nil && head.items != nil {
		r.note(origin, fmt.Errorf("items of a %s must be a list", head.kind))
		return
	}
	for i, item := range items {
		place := fmt.Sprintf("%s, items[%d]", origin, i)
		itemHead := headerOf(item)
		if r.isList(itemHead) {
			r.note(place, errors.New("this is a list in a list: put its items into the outer one"))
			continue
		}
		r.note(place, r.readObject(itemHead, item, place))
	}
}

func (r *reader) note(origin string, err error) {
	if err != nil {
		r.mistakes.add(fmt.Errorf("%s: %w", origin, err))
	}
}

// header is what tells whether a document concerns us; empty for what is no
// object.
type header struct {
	apiVersion, kind string
	items            json.RawMessage
}

func headerOf(document []byte) header {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil {
		return header{}
	}
	text := func(field string) (value string) {
		if err := json.Unmarshal(fields[field], &value); err != nil {
			return ""
		}
		return value
	}
	return header{apiVersion: text("apiVersion"), kind: text("kind"), items: fields["items"]}
}

// isList tells lists of objects: those that kubectl writes and those of our
// kinds, such as a TeamList.
func (r *reader) isList(h header) bool {
	kind, list := strings.CutSuffix(h.kind, "List")
	return list && (h.apiVersion == "v1" && kind == "" || h.apiVersion == v1alpha1.GroupVersion.String() && r.newObject(kind) != nil)
}

// concernsUs tells whether an object is one of ours, with an error if it is
// meant to be and cannot be.
func (r *reader) concernsUs(h header) (bool, error) {
	if h.apiVersion == "" {
		if r.newObject(h.kind) != nil {
			return false, fmt.Errorf("%s has no apiVersion: write apiVersion: %s", h.kind, v1alpha1.GroupVersion)
		}
		return false, nil
	}
	version, err := schema.ParseGroupVersion(h.apiVersion)
	switch {
	case err != nil || version.Group != v1alpha1.GroupVersion.Group:
		return false, nil //nolint:nilerr // another group's mistake, if it is one
	case version != v1alpha1.GroupVersion:
		return false, fmt.Errorf("apiVersion %s is not known: write %s, or use the version of rostra that knows it", h.apiVersion, v1alpha1.GroupVersion)
	case h.kind == "":
		return false, errors.New("the object has no kind: write one, for example kind: ResponderRota")
	case r.newObject(h.kind) == nil:
		return false, fmt.Errorf("%s has no kind %q: check its spelling, or use the version of rostra that knows it", v1alpha1.GroupVersion, h.kind)
	}
	return true, nil
}

// newObject makes an empty object of one of our kinds; nil for any other.
func (r *reader) newObject(kind string) client.Object {
	made, err := r.scheme.New(v1alpha1.GroupVersion.WithKind(kind))
	if err != nil {
		return nil
	}
	object, ok := made.(client.Object)
	if !ok {
		return nil // a list, or what every group has
	}
	return object
}

// isClusterScoped tells the kinds that are in no namespace.
func isClusterScoped(kind string) bool {
	return slices.Contains([]string{"Team", "SocialPlatform", "ContentPolicy", "PublishingFreeze"}, kind)
}

// readObject takes an object into the set, if it is one of ours.
func (r *reader) readObject(head header, document []byte, origin string) error {
	ours, err := r.concernsUs(head)
	if err != nil || !ours {
		return err
	}
	object := r.newObject(head.kind)
	if err := r.decode(document, object); err != nil {
		return describeMistake(head.kind, err)
	}
	if object.GetName() == "" {
		return fmt.Errorf("the %s has no metadata.name: write one", head.kind)
	}
	switch {
	case isClusterScoped(head.kind):
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(metav1.NamespaceDefault)
	}
	return r.set.add(object, origin)
}

// decode is strict: a field that the kind does not have, or that is written
// twice, is a mistake, as it is for the API server under strict validation.
func (r *reader) decode(document []byte, into client.Object) error {
	serializer := jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, r.scheme, r.scheme,
		jsonserializer.SerializerOptions{Yaml: !json.Valid(document), Strict: true})
	_, _, err := serializer.Decode(document, nil, into)
	return err
}

// describeMistake says in words what the decoder found.
func describeMistake(kind string, err error) error {
	strict, ok := runtime.AsStrictDecodingError(err)
	if !ok {
		return fmt.Errorf("this cannot be read as a %s: %w", kind, err)
	}
	var all []string
	for _, mistake := range strict.Errors() {
		field, unknown := strings.CutPrefix(mistake.Error(), "unknown field ")
		if unknown {
			all = append(all, fmt.Sprintf("%s is not a field of a %s: check its spelling and its indentation", field, kind))
			continue
		}
		all = append(all, mistake.Error())
	}
	return errors.New(strings.Join(all, "; "))
}
