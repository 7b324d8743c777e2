// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

func TestOwnership(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "ownership")
}

// noon is when everything happens.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func timeAt(at time.Time) *metav1.Time {
	wrapped := metav1.NewTime(at)
	return &wrapped
}

// member is somebody without an end or a beginning, unless changed.
func member(name string, changes ...func(*v1alpha1.TeamMember)) v1alpha1.TeamMember {
	made := v1alpha1.TeamMember{Name: name, Email: name + "@acme.example"}
	for _, change := range changes {
		change(&made)
	}
	return made
}

func from(at time.Time) func(*v1alpha1.TeamMember) {
	return func(m *v1alpha1.TeamMember) { m.From = timeAt(at) }
}

func until(at time.Time) func(*v1alpha1.TeamMember) {
	return func(m *v1alpha1.TeamMember) { m.Until = timeAt(at) }
}

func team(name string, members ...v1alpha1.TeamMember) *v1alpha1.Team {
	made := &v1alpha1.Team{Spec: v1alpha1.TeamSpec{Namespace: name, Manager: "maria", Members: members}}
	made.Name = name
	return made
}
