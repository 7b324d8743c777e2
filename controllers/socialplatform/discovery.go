// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package socialplatform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/credentials/secretstore"
	"github.com/rostra-dev/rostra/internal/platform"
	"github.com/rostra-dev/rostra/internal/status"
)

const (
	defaultListInterval = time.Hour
	// turnRequests, turnTime and turnPause pace the requests of one platform: a
	// list is gathered in turns, so that it holds up no worker for long and
	// takes no more than a third of what the strictest platform grants an
	// address (3,000 requests in five minutes).
	turnRequests = 50
	turnTime     = 20 * time.Second
	turnPause    = 15 * time.Second
)

// listInputs are what a list depends on.
type listInputs struct {
	uid      types.UID
	server   string
	interval time.Duration
}

func listInputsOf(social *v1alpha1.SocialPlatform) listInputs {
	interval := ptr.Deref(social.Spec.Discovery.Interval, metav1.Duration{Duration: defaultListInterval}).Duration
	return listInputs{social.UID, social.Spec.ServerURL(), interval}
}

// bindDiscovery reports the accounts at the server that no channel claims, and
// gives the time at which it has more to ask; zero for never. The server is
// asked once an interval; which of its accounts are claimed is looked at each
// time.
func (r *Reconciler) bindDiscovery(ctx context.Context, social *v1alpha1.SocialPlatform, writer status.Writer) (time.Time, error) {
	if social.Spec.Discovery == nil {
		r.noDiscovery(social)
		meta.RemoveStatusCondition(writer.Conditions, v1alpha1.ConditionAccountsDiscovered)
		return time.Time{}, nil
	}
	adapter, err := r.Platforms.Get(string(social.Spec.Type), social.Spec.ServerURL())
	if err != nil {
		r.noDiscovery(social)
		writer.Unknown(v1alpha1.ConditionAccountsDiscovered, v1alpha1.ReasonWaiting, "waits for Reachable")
		return time.Time{}, nil //nolint:nilerr // Reachable tells what is wrong
	}
	lister, err := r.lister(ctx, social, adapter)
	if reason := listerReason(err); reason != "" {
		r.noDiscovery(social)
		writer.False(v1alpha1.ConditionAccountsDiscovered, reason, err.Error())
		return writer.Now.Add(defaultListInterval), nil
	}
	if err != nil {
		return time.Time{}, err
	}
	held, err := r.holds(ctx, social, adapter)
	if err != nil {
		return time.Time{}, err
	}
	return r.discover(ctx, social, writer, lister, held), nil
}

// lister gives what lists the accounts: the server itself, or the application
// that Rostra is there.
func (r *Reconciler) lister(ctx context.Context, social *v1alpha1.SocialPlatform, adapter platform.Platform) (platform.AccountLister, error) {
	if lister, ok := adapter.(platform.AccountLister); ok {
		return lister, nil
	}
	listing, ok := adapter.(platform.ApplicationLister)
	user, known := adapter.(platform.ApplicationUser)
	if !ok || !known {
		return nil, fmt.Errorf("%w: accounts of type %s cannot be listed: declare them by hand, and remove spec.discovery", errCannotList, social.Spec.Type)
	}
	application, err := r.Secrets.Application(ctx, r.Namespace, social.Spec.ApplicationSecretName(), user.ApplicationKeys())
	if err != nil {
		return nil, err
	}
	lister, err := listing.Lister(application.Values)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", secretstore.ErrApplicationInvalid, err)
	}
	return lister, nil
}

var errCannotList = errors.New("nothing lists the accounts")

// listerReason is why there is nothing to list accounts with, in a condition's
// terms; empty where that is the API server's trouble.
func listerReason(err error) string {
	switch {
	case errors.Is(err, errCannotList):
		return v1alpha1.ReasonCannotList
	case errors.Is(err, secretstore.ErrApplicationNotFound):
		return v1alpha1.ReasonApplicationSecretMissing
	case errors.Is(err, secretstore.ErrApplicationInvalid):
		return v1alpha1.ReasonApplicationSecretInvalid
	}
	return ""
}

// noDiscovery drops all that is known of the server's accounts.
func (r *Reconciler) noDiscovery(social *v1alpha1.SocialPlatform) {
	r.lists.Forget(client.ObjectKeyFromObject(social))
	r.surveys.forget(social.Name)
	social.Status.Unclaimed = nil
}

// discover takes the turn that is due, and reports what is known then.
func (r *Reconciler) discover(ctx context.Context, social *v1alpha1.SocialPlatform, writer status.Writer, lister platform.AccountLister, held holds) time.Time {
	name, inputs := client.ObjectKeyFromObject(social), listInputsOf(social)
	survey, moved := r.surveys.of(social)
	if moved {
		social.Status.Unclaimed = nil // of another server
	}
	due, next := r.lists.Due(name, inputs, writer.Now)
	if due && survey.listing == nil {
		survey.listing = &platform.Listing{}
	}
	if !writer.Now.Before(survey.resumeAt) {
		listed, err := r.turn(ctx, survey, lister, held)
		if err != nil {
			return r.listFails(social, writer, survey, err)
		}
		if listed {
			r.lists.Recovered(name)
			next = r.lists.Answered(name, inputs, writer.Now, inputs.interval)
		}
		survey.resumeAt = time.Time{}
		survey.failing = survey.failing && survey.listing != nil
	}
	report(social, writer, survey, lister, held)
	if survey.busy(lister, held, writer.Now) {
		if survey.resumeAt.IsZero() {
			survey.resumeAt = writer.Now.Add(turnPause)
		}
		return survey.resumeAt
	}
	return next
}

// turn asks some of what there is to ask. It tells whether it read the last page
// of a list.
func (r *Reconciler) turn(ctx context.Context, survey *survey, lister platform.AccountLister, held holds) (listed bool, err error) {
	began := r.Clock.Now()
	for range turnRequests {
		if r.Clock.Since(began) > turnTime {
			break
		}
		switch step, err := survey.step(ctx, lister, held, began); {
		case err != nil:
			return listed, err
		case step == stepListed:
			listed = true
		case step == stepNone:
			return listed, nil
		}
	}
	return listed, nil
}

// listFails says why the server could not be listed, and gives the time of the
// next try. The last list is kept, and channels that appear are taken out of it.
func (r *Reconciler) listFails(social *v1alpha1.SocialPlatform, writer status.Writer, survey *survey, err error) time.Time {
	name, inputs := client.ObjectKeyFromObject(social), listInputsOf(social)
	class := platform.ClassOf(err)
	if class != platform.RateLimited && !platform.HeldBack(err) {
		survey.listing = nil // begun anew: a cursor may have gone stale
	}
	if !platform.HeldBack(err) {
		survey.failing = true
	}
	if errors.Is(err, platform.ErrTooManyAccounts) {
		survey.accounts, social.Status.Unclaimed = nil, nil
		writer.False(v1alpha1.ConditionAccountsDiscovered, v1alpha1.ReasonTooManyAccounts, err.Error())
	} else {
		unanswered(writer, v1alpha1.ConditionAccountsDiscovered, err)
	}
	if class.Passing() {
		survey.resumeAt = r.lists.Failed(name, inputs, writer.Now, platform.RetryAt(err))
	} else {
		r.lists.Recovered(name)
		survey.resumeAt = r.lists.Answered(name, inputs, writer.Now, inputs.interval)
	}
	return survey.resumeAt
}

// report says what is known: which accounts are unclaimed, once everything that
// takes is known, and in the condition whether that is current.
func report(social *v1alpha1.SocialPlatform, writer status.Writer, survey *survey, lister platform.AccountLister, held holds) {
	const kind = v1alpha1.ConditionAccountsDiscovered
	if survey.accounts != nil && survey.unnamed(lister, held, writer.Now) == "" {
		unclaimed := survey.unclaimed(held)
		social.Status.Unclaimed = unclaimedStatus(unclaimed, social.Status.Unclaimed, writer.Now)
		if !survey.failing {
			writer.True(kind, v1alpha1.ReasonAccountsListed, listedMessage(len(survey.accounts), len(unclaimed), lister.Unlisted()))
			return
		}
	}
	if known := writer.Get(kind); known.Reason != "" && (survey.failing || known.ObservedGeneration == writer.Generation) {
		writer.Keep(kind)
		return
	}
	writer.Unknown(kind, v1alpha1.ReasonProgressing, "the server is being asked for its accounts")
}

func listedMessage(listed, unclaimed int, unlisted string) string {
	message := fmt.Sprintf("accounts that the server lists: %d; of them no channel claims: %d", listed, unclaimed)
	if unlisted != "" {
		message += "; the list leaves out " + unlisted
	}
	return message
}

// maxReported is how many accounts a status names; see the schema.
const maxReported = 100

// unclaimedStatus is the report of accounts in the order of survey.unclaimed.
// Accounts that were reported before keep their time, so that nothing changes
// while nothing happens.
func unclaimedStatus(accounts []platform.ListedAccount, before *v1alpha1.UnclaimedAccounts, now time.Time) *v1alpha1.UnclaimedAccounts {
	since := map[string]*metav1.Time{}
	if before != nil {
		for i := range before.Accounts {
			since[before.Accounts[i].ID] = before.Accounts[i].Since
		}
	}
	//nolint:gosec // platform.MaxListed bounds it
	told := &v1alpha1.UnclaimedAccounts{Count: new(int32(len(accounts)))}
	for _, account := range accounts[:min(len(accounts), maxReported)] {
		first := since[account.ID]
		if first == nil {
			first = new(metav1.NewTime(now.Truncate(time.Second)))
		}
		told.Accounts = append(told.Accounts, v1alpha1.UnclaimedAccount{
			ID: account.ID, Handle: account.Handle, DisplayName: account.DisplayName,
			State: v1alpha1.UnclaimedAccountState(account.State), Since: first,
		})
	}
	return told
}
