// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package scenarios_test

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/test/simulated"
)

type runtimeObject = runtime.Object

// death ends the operator: it is a panic that nothing but the test recovers,
// so nothing runs after it, as after kill -9.
type death struct{ at string }

// killer counts the writes and platform calls of the operator, and kills it at
// one of them.
type killer struct {
	counting bool
	steps    []string
	// at is the step to die at, from 1; 0 for never. phase says on which side.
	at    int
	phase simulated.Phase
	// drift lifts the promise of a working credential, where the test itself
	// breaks it.
	drift bool
	// faults refuse platform calls by name.
	faults map[string]error
	// refuse is a write that the API server refuses, in words as in steps.
	refuse string
	// refusal is how; default: an internal error.
	refusal error
}

func (k *killer) step(phase simulated.Phase, what string, check func()) {
	check()
	if !k.counting {
		return
	}
	if phase == simulated.Before {
		k.steps = append(k.steps, what)
	}
	if k.at == len(k.steps) && k.phase == phase {
		k.at = 0
		panic(death{fmt.Sprintf("%s %s", phase, what)})
	}
}

func (k *killer) fault(call string, phase simulated.Phase) error {
	if phase == simulated.Before {
		return k.faults[call]
	}
	return nil
}

// mortalClient is the operator's client; every write is a step.
type mortalClient struct {
	client.Client
	world *world
}

func (m *mortalClient) step(verb string, object client.Object, do func() error) error {
	what := fmt.Sprintf("%s %T", verb, object)
	m.world.killer.step(simulated.Before, what, m.world.check)
	if m.world.killer.refuse == what {
		if m.world.killer.refusal != nil {
			return m.world.killer.refusal
		}
		return apierrors.NewInternalError(errors.New("the API server is not itself"))
	}
	err := do()
	m.world.killer.step(simulated.After, what, m.world.check)
	return err
}

// Create implements client.Client.
func (m *mortalClient) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	return m.step("create", object, func() error { return m.Client.Create(ctx, object, options...) })
}

// Update implements client.Client.
func (m *mortalClient) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	return m.step("update", object, func() error { return m.Client.Update(ctx, object, options...) })
}

// Patch implements client.Client.
func (m *mortalClient) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	return m.step("patch", object, func() error { return m.Client.Patch(ctx, object, patch, options...) })
}

// Delete implements client.Client.
func (m *mortalClient) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	return m.step("delete", object, func() error { return m.Client.Delete(ctx, object, options...) })
}

// Status implements client.Client.
func (m *mortalClient) Status() client.SubResourceWriter {
	return &mortalStatus{SubResourceWriter: m.Client.Status(), client: m}
}

type mortalStatus struct {
	client.SubResourceWriter
	client *mortalClient
}

// Patch implements client.SubResourceWriter.
func (m *mortalStatus) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	return m.client.step("patch status", object, func() error { return m.SubResourceWriter.Patch(ctx, object, patch, options...) })
}
