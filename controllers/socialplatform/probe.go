// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialplatform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

const (
	defaultProbeInterval = time.Hour
	// maxCapabilities bounds what a status names; see the schema.
	maxCapabilities = 32
	// maxSoftware bounds the server's own words, in bytes; see the schema.
	maxSoftware = 128
)

// probeInputs are what the answer of a server depends on.
type probeInputs struct {
	uid        types.UID
	generation int64
}

// bindServer asks the server what it is, once a probe interval, and gives the
// time of the next probe.
func (r *Reconciler) bindServer(ctx context.Context, social *v1alpha1.SocialPlatform, writer status.Writer) time.Time {
	name, inputs := client.ObjectKeyFromObject(social), probeInputs{social.UID, social.Generation}
	if due, next := r.probes.Due(name, inputs, writer.Now); !due {
		writer.Keep(v1alpha1.ConditionReachable)
		return next
	}
	interval := ptr.Deref(social.Spec.ProbeInterval, metav1.Duration{Duration: defaultProbeInterval}).Duration
	err := r.detect(ctx, social, writer)
	if class := platform.ClassOf(err); err == nil || !class.Passing() {
		r.probes.Recovered(name)
		return r.probes.Answered(name, inputs, writer.Now, interval)
	}
	return r.probes.Failed(name, inputs, writer.Now, platform.RetryAt(err))
}

// detect says in Reachable what the server is. The error is that of a server
// that was asked in vain.
func (r *Reconciler) detect(ctx context.Context, social *v1alpha1.SocialPlatform, writer status.Writer) error {
	if _, err := metav1.LabelSelectorAsSelector(social.Spec.AllowedNamespaces); err != nil {
		writer.False(v1alpha1.ConditionReachable, v1alpha1.ReasonInvalidSelector, "spec.allowedNamespaces cannot be read, so no namespace is allowed: "+err.Error())
		return nil //nolint:nilerr // a person's mistake, which the condition tells
	}
	adapter, err := r.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	if err != nil {
		reason := v1alpha1.ReasonInvalidServer
		if errors.Is(err, platform.ErrUnsupportedType) {
			reason = v1alpha1.ReasonUnsupportedType
		}
		writer.False(v1alpha1.ConditionReachable, reason, err.Error())
		return nil
	}
	server, err := adapter.Detect(ctx)
	if err != nil {
		unanswered(writer, v1alpha1.ConditionReachable, err)
		return err
	}
	social.Status.Software = strings.ToValidUTF8(server.Software[:min(len(server.Software), maxSoftware)], "")
	social.Status.Capabilities = nil
	for _, capability := range server.Capabilities[:min(len(server.Capabilities), maxCapabilities)] {
		social.Status.Capabilities = append(social.Status.Capabilities, string(capability))
	}
	slices.Sort(social.Status.Capabilities)
	writer.True(v1alpha1.ConditionReachable, v1alpha1.ReasonAnswered, "the server answers as "+string(social.Spec.Type))
	return nil
}

// unanswered says in a condition why the server gave no good answer. While the
// trouble is the same its words stay too, so that an outage costs one write.
func unanswered(writer status.Writer, kind string, err error) {
	class := platform.ClassOf(err)
	reason := v1alpha1.ReasonPlatformUnavailable
	if class == platform.RateLimited {
		reason = v1alpha1.ReasonRateLimited
	}
	switch {
	case !class.Passing():
		writer.False(kind, v1alpha1.ReasonPlatformRefused, err.Error())
	case platform.HeldBack(err), writer.Get(kind).Reason == reason:
		writer.Keep(kind)
	default:
		writer.Unknown(kind, reason, fmt.Sprintf("the server could not be asked: %s", err))
	}
}
