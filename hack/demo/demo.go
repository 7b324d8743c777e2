// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/test/alertmanager"
	"github.com/rostra-dev/rostra/test/cluster"
	mastodonfake "github.com/rostra-dev/rostra/test/fakes/mastodon"
	"github.com/rostra-dev/rostra/test/pds"
	"github.com/rostra-dev/rostra/test/smtp"
)

// demo is one performance. What is nil has not been started yet.
type demo struct {
	console *console
	checks  *checks
	secrets *secrets

	root      string // of the repository
	workspace *workspace
	cluster   *cluster.Cluster
	bluesky   *pds.Server
	mastodon  *mastodonfake.Server
	account   mastodonfake.Account // the one that a person connects
	suitcase  mastodonfake.Notification
	pagers    *alertmanager.Server
	mail      *smtp.Server
	desk      string // where the command line is answered
	operator  *operator
	admin     client.Client
}

func newDemo(c *console) *demo {
	return &demo{console: c, checks: &checks{console: c}, secrets: &secrets{}}
}

// perform plays the demo, prints what held, and puts everything away. It gives the exit code.
func (d *demo) perform(ctx context.Context, once bool) int {
	err := d.play(ctx)
	interrupted := ctx.Err() != nil
	switch {
	case interrupted:
		d.console.sayf("Interrupted.")
	case err != nil:
		d.console.print("\n")
		d.checks.expect("the demo plays to its end", err)
		d.explain(ctx)
	}
	if !interrupted {
		d.conclude(ctx)
	}
	if err == nil && !once {
		d.stay(ctx)
	}
	if stopErr := d.putAway(); stopErr != nil {
		err = errors.Join(err, stopErr)
		d.console.print("\n" + d.console.paint(red, "Not everything could be put away: "+stopErr.Error()) + "\n")
	}
	switch {
	case interrupted:
		return exitInterrupted
	case err != nil || !d.checks.held():
		return exitFailed
	}
	return 0
}

// play runs the chapters. An error means that the rest made no sense; an expectation that does not hold is no error.
func (d *demo) play(ctx context.Context) error {
	d.console.print(d.console.paint(bold, "Rostra: who owns each of Meridian Air's accounts, kept as config") + "\n")
	for _, chapter := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"A Kubernetes API, a Bluesky server and the operator, on this machine", d.setUp},
		{"The company's repository is applied", d.applyCompany},
		{"Whose is this account, and is it in order?", d.lookAround},
		{"Which accounts has nobody declared?", d.takeStock},
		{"Who is on duty, and who watches at night?", d.watchDuty},
		{"The help account moves from marketing to customer care, by one line", d.handOver},
		{"Dana leaves the company", d.leave},
		{"A hijack is stopped, and everything goes on afterwards", d.freeze},
		{"An account is connected by consent, and its events arrive", d.receiveEvents},
		{"Half past midnight: a troll, and somebody who answers", d.nightShift},
	} {
		d.console.begin(chapter.title)
		if err := chapter.play(ctx); err != nil {
			return err
		}
	}
	return nil
}

// conclude makes the checks that span the whole demo and prints what held.
func (d *demo) conclude(ctx context.Context) {
	d.console.begin("What was expected, and what held")
	d.console.print("\n")
	if d.operator != nil {
		d.checkRights()
		d.checkSecrets(ctx)
		d.console.print("\n")
	}
	d.checks.table()
	if memory := d.memory(); memory != "" {
		d.console.notef("the operator: %s", memory)
	}
}

func (d *demo) memory() string {
	if d.operator == nil || d.operator.failure() != nil {
		return ""
	}
	return d.operator.memory()
}

// stay leaves everything running until the demo is told to stop.
func (d *demo) stay(ctx context.Context) {
	program := d.cluster.KubectlCommand(ctx).Path
	d.console.sayf(`Everything stays up until you press Ctrl-C. In another terminal:

   export KUBECONFIG=%s PATH=%s:%s:$PATH
   cd %s

   kubectl get social -A
   kubectl get socialchannels -A -o wide
   rostra whois meridian-help; rostra oncall care -n social
   rostra inbox --desk http://%s --all
   kubectl annotate socialchannel meridian-fares -n social social.rostra.dev/rotate-at=$(date -u +%%FT%%TZ)
   kubectl delete secret meridian-club -n marketing; kubectl get secret meridian-club -n marketing

The company's repository is in %s/ there: change a file and type kubectl apply -k %s.
The operator logs to %s.`,
		d.cluster.Kubeconfig(), filepath.Dir(program), d.workspace.dir, d.workspace.dir, d.desk, company, overlay, d.workspace.path(operatorLog))
	select {
	case <-ctx.Done():
	case <-d.operator.child.Ended():
		d.console.sayf("The operator has ended by itself. It said last:\n%s", d.operator.lastLines())
	}
	d.console.sayf("Putting everything away.")
}

// putAway stops what runs, in the reverse order of its start, and removes what the demo wrote.
func (d *demo) putAway() error {
	errs := []error{d.operator.stop()}
	if d.mastodon != nil {
		d.mastodon.Close()
	}
	if d.pagers != nil {
		errs = append(errs, d.pagers.Stop())
	}
	if d.mail != nil {
		errs = append(errs, d.mail.Stop())
	}
	if d.bluesky != nil {
		errs = append(errs, d.bluesky.Stop())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Stop())
	}
	if err := errors.Join(append(errs, d.workspace.remove())...); err != nil {
		return fmt.Errorf("put away: %w", err)
	}
	return nil
}
