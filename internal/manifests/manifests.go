// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package manifests reads Rostra's kinds from files, as a GitOps repository
// holds them, without a cluster.
package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// Limits of what is read.
const (
	// MaxFileBytes is how large a file may be.
	MaxFileBytes = 10 << 20
	// MaxFiles is how many files are read.
	MaxFiles = 10_000
	// MaxTotalBytes is how large all files may be together.
	MaxTotalBytes = 256 << 20
	// maxErrors is how many mistakes are told at once.
	maxErrors = 20
)

// Set is what the files hold, each kind ordered by namespace and name. Objects
// are as they are written: defaults of the API are not filled in, except that a
// namespaced object without a namespace is in "default".
type Set struct {
	Teams     []v1alpha1.Team
	Platforms []v1alpha1.SocialPlatform
	Channels  []v1alpha1.SocialChannel
	Rotas     []v1alpha1.ResponderRota
	Overrides []v1alpha1.RotaOverride
	Routes    []v1alpha1.EscalationRoute
	// Others are the objects of all further kinds of the group.
	Others []client.Object

	origins map[key]string
}

// key tells one object from another.
type key struct{ kind, namespace, name string }

// Origin says where an object of the set was read: the file, and the document
// or the item in it where there are several. It is empty for an object that is
// not in the set.
func (s *Set) Origin(object client.Object) string {
	return s.origins[keyOf(object)]
}

func keyOf(object client.Object) key {
	return key{kindOf(object), object.GetNamespace(), object.GetName()}
}

// Read reads files, folders with all that is below them, and standard input for
// "-". In folders it looks at *.yaml, *.yml and *.json, and leaves out hidden
// files and folders and kustomization files. Kinds of other API groups are
// skipped, and so is what is no Kubernetes object at all.
//
// An error names every mistake that was found, up to a limit, with its file and
// document.
func Read(paths []string, stdin io.Reader) (*Set, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	r := &reader{scheme: scheme, set: &Set{origins: map[key]string{}}, stdin: stdin, seen: map[string]bool{}}
	for _, path := range paths {
		r.readPath(path)
	}
	if err := r.mistakes.err(); err != nil {
		return nil, err
	}
	r.set.sort()
	return r.set, nil
}

func (s *Set) sort() {
	slices.SortFunc(s.Teams, func(a, b v1alpha1.Team) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Platforms, func(a, b v1alpha1.SocialPlatform) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Channels, func(a, b v1alpha1.SocialChannel) int { return compare(&a, &b) })
	slices.SortFunc(s.Rotas, func(a, b v1alpha1.ResponderRota) int { return compare(&a, &b) })
	slices.SortFunc(s.Overrides, func(a, b v1alpha1.RotaOverride) int { return compare(&a, &b) })
	slices.SortFunc(s.Routes, func(a, b v1alpha1.EscalationRoute) int { return compare(&a, &b) })
	slices.SortFunc(s.Others, func(a, b client.Object) int { return cmp.Or(cmp.Compare(kindOf(a), kindOf(b)), compare(a, b)) })
}

func compare(a, b client.Object) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}

// add takes an object into the set, unless there is one of its kind and name.
func (s *Set) add(object client.Object, origin string) error {
	name := keyOf(object)
	if before, taken := s.origins[name]; taken {
		return fmt.Errorf("%s is declared in %s already: an object has one manifest; give -f the folder of one environment, or remove one of the two",
			describe(name), before)
	}
	switch typed := object.(type) {
	case *v1alpha1.Team:
		s.Teams = append(s.Teams, *typed)
	case *v1alpha1.SocialPlatform:
		s.Platforms = append(s.Platforms, *typed)
	case *v1alpha1.SocialChannel:
		s.Channels = append(s.Channels, *typed)
	case *v1alpha1.ResponderRota:
		s.Rotas = append(s.Rotas, *typed)
	case *v1alpha1.RotaOverride:
		s.Overrides = append(s.Overrides, *typed)
	case *v1alpha1.EscalationRoute:
		s.Routes = append(s.Routes, *typed)
	default:
		s.Others = append(s.Others, object)
	}
	s.origins[name] = origin
	return nil
}

// kindOf names an object's kind by its type, so that it does not depend on what
// the object says of itself.
func kindOf(object client.Object) string {
	name := fmt.Sprintf("%T", object)
	return name[strings.LastIndexByte(name, '.')+1:]
}

func describe(k key) string {
	if k.namespace == "" {
		return k.kind + " " + k.name
	}
	return k.kind + " " + k.namespace + "/" + k.name
}

// mistakes collects what is wrong, up to a limit.
type mistakes struct {
	found []error
	more  int
}

func (m *mistakes) add(err error) {
	if len(m.found) >= maxErrors {
		m.more++
		return
	}
	m.found = append(m.found, err)
}

func (m *mistakes) err() error {
	if m.more > 0 {
		return errors.Join(append(m.found, fmt.Errorf("and %d more mistakes", m.more))...)
	}
	return errors.Join(m.found...)
}
