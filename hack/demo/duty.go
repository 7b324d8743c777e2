// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// What the chapter about duty changes, as the samples have the lines.
const (
	deskRota       = "rotas/marketing-desk.yaml"
	baggageChannel = "meridian-baggage"
	officeHours    = `  coverage: {mode: Windows, windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]}`
	allHours       = `  coverage: {mode: Always}`
	deskWindows    = `    windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "17:00"}]`
	nightLayer     = `  - name: nights
    teamRef: {name: customer-care}
    handoff: {start: "2026-11-02T17:00:00", every: 1, unit: Day}`
)

const (
	// drillLead is how far ahead the shift changes that one watches: longer than
	// a slow machine takes to apply it.
	drillLead = 15 * time.Second
	// promptly is how soon a change of shift must show.
	promptly = time.Second
)

// watchDuty shows who is on duty, the night that nobody watched, a shift that changes, and an override.
func (d *demo) watchDuty(ctx context.Context) error {
	for _, scene := range []func(context.Context) error{d.promiseTooMuch, d.fillTheNight, d.changeShift, d.override} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return nil
}

// promiseTooMuch lets the help account promise all hours, which marketing's rota cannot keep.
func (d *demo) promiseTooMuch(ctx context.Context) error {
	if err := d.rostra(ctx, "oncall", "-f", company, "care", "--for", "3d"); err != nil {
		return err
	}
	if err := d.editAndApply(ctx, "channels/"+helpChannel+".yaml", officeHours, allHours); err != nil {
		return err
	}
	if err := d.await(ctx, "the gap is told", d.covered(helpChannel, metav1.ConditionFalse)); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "socialchannel", helpChannel, "-n", socialNamespace, "-o", "wide"); err != nil {
		return err
	}
	if err := d.rostra(ctx, "coverage", "-f", company, socialNamespace+"/"+helpChannel, "--for", "7d"); err != nil {
		return err
	}
	channel, err := d.channel(ctx, helpChannel)
	if err != nil {
		return err
	}
	ready := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionReady)
	d.checks.expect("a promise that nine to five cannot keep is named before the first night, with the hours",
		errors.Join(differs("the reason", ready.Reason, v1alpha1.ReasonCoverageGap), missing("the message", ready.Message, " a week", "Europe/London")))
	return nil
}

// fillTheNight lets customer care watch when marketing sleeps, with no edit to the channel.
func (d *demo) fillTheNight(ctx context.Context) error {
	if err := d.editAndApply(ctx, deskRota, deskWindows, deskWindows+"\n"+nightLayer); err != nil {
		return err
	}
	if err := d.await(ctx, "the night is filled", d.covered(helpChannel, metav1.ConditionTrue)); err != nil {
		return err
	}
	channel, err := d.channel(ctx, helpChannel)
	if err == nil && channel.Status.OnCall == nil {
		err = errors.New("nobody is on duty")
	}
	if err == nil {
		err = differs("the coverage", *channel.Status.Coverage.Percent, 100)
	}
	d.checks.expect("with a night layer in the rota somebody answers at every hour, with no edit to the channel", err)
	return nil
}

// changeShift puts an account on a rota whose shift changes within seconds, and watches.
func (d *demo) changeShift(ctx context.Context) error {
	handoff := time.Now().UTC().Add(drillLead).Truncate(time.Second)
	manifest := fmt.Sprintf(`apiVersion: social.rostra.dev/v1alpha1
kind: ResponderRota
metadata: {name: drill, namespace: social}
spec:
  timeZone: UTC
  layers:
  - name: drill
    teamRef: {name: customer-care}
    members: [maria, sam]
    handoff: {start: %q, every: 1, unit: Hour}
`, handoff.Add(-time.Hour).Format("2006-01-02T15:04:05"))
	if err := d.workspace.write("rotas/drill.yaml", manifest); err != nil {
		return err
	}
	if _, err := d.workspace.edit("kustomization.yaml", "- rotas/care.yaml", "- rotas/care.yaml\n- rotas/drill.yaml"); err != nil {
		return err
	}
	if err := d.editAndApply(ctx, "channels/"+baggageChannel+".yaml", "  responderRotaRef: {name: care}", "  responderRotaRef: {name: drill}"); err != nil {
		return err
	}
	if err := d.await(ctx, "maria is on duty", d.onDuty("maria")); err != nil {
		return err
	}
	d.console.notef("the shift changes at %s", handoff.Format(time.TimeOnly))
	if err := d.await(ctx, "sam is on duty", d.onDuty("sam")); err != nil {
		return err
	}
	late := time.Since(handoff)
	if late > promptly {
		d.checks.expect("a shift that changes shows on the account within a second", fmt.Errorf("after %s", late))
		return nil
	}
	d.checks.expect(fmt.Sprintf("a shift that changes shows on the account within a second (%d ms)", late.Milliseconds()), nil)
	return nil
}

// override lets somebody take over at once.
func (d *demo) override(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Second)
	manifest := fmt.Sprintf(`apiVersion: social.rostra.dev/v1alpha1
kind: RotaOverride
metadata: {name: yusuf-helps-out, namespace: social}
spec:
  responderRotaRef: {name: drill}
  teamRef: {name: customer-care}
  member: yusuf
  from: %q
  until: %q
  reason: sam is in a meeting
`, now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	if err := d.workspace.write("rotas/yusuf-helps-out.yaml", manifest); err != nil {
		return err
	}
	if err := d.show(ctx, "apply", "-f", company+"/rotas/yusuf-helps-out.yaml"); err != nil {
		return err
	}
	if err := d.await(ctx, "yusuf is on duty", d.onDuty("yusuf")); err != nil {
		return err
	}
	if err := d.show(ctx, "get", "responderrotas,rotaoverrides", "-n", socialNamespace); err != nil {
		return err
	}
	channel, err := d.channel(ctx, baggageChannel)
	if err == nil {
		err = differs("the layer", channel.Status.OnCall.Layer, v1alpha1.LayerOverride)
	}
	d.console.print("\n")
	d.checks.expect("an override takes effect at once", err)
	return nil
}

// editAndApply changes a line in the company's repository, shows the change, and applies it.
func (d *demo) editAndApply(ctx context.Context, file, oldLine, newLine string) error {
	hunk, err := d.workspace.edit(file, oldLine, newLine)
	if err != nil {
		return err
	}
	d.console.change(hunk)
	return d.apply(ctx)
}

// covered says what is lacking until a channel's promise of coverage is judged so.
func (d *demo) covered(name string, wanted metav1.ConditionStatus) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, name)
		if err != nil {
			return "", err
		}
		covered := meta.FindStatusCondition(channel.Status.Conditions, v1alpha1.ConditionCovered)
		if covered == nil || covered.Status != wanted || covered.ObservedGeneration != channel.Generation {
			return fmt.Sprintf("Covered is not %s yet: %v", wanted, covered), nil
		}
		return "", nil
	}
}

// onDuty says what is lacking until somebody answers for the baggage account.
func (d *demo) onDuty(member string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		channel, err := d.channel(ctx, baggageChannel)
		if err != nil {
			return "", err
		}
		if onCall := channel.Status.OnCall; onCall == nil || onCall.Member != member {
			return fmt.Sprintf("%s is not on duty yet: %v", member, onCall), nil
		}
		return "", nil
	}
}

// rostra runs the program as a user would type it in the demo's directory, and prints its output below the command line.
func (d *demo) rostra(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, kubectlLimit)
	defer cancel()
	d.console.command("rostra " + strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, d.workspace.path(operatorProgram), args...) //nolint:gosec // the demo has just built it
	cmd.Dir = d.workspace.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+d.cluster.Kubeconfig(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	d.console.print(string(out))
	if err != nil {
		return fmt.Errorf("rostra %s: %w", args[0], err)
	}
	return nil
}
