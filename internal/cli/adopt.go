// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/adopt"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// adoption is one request for manifests of accounts that no channel claims.
type adoption struct {
	source                  sourceFlags
	platform, owner, suffix string
	notes                   io.Writer
}

func newAdoptCommand() *cobra.Command {
	a := &adoption{}
	cmd := &cobra.Command{
		Use:   "adopt --namespace NAMESPACE --owner TEAM [HANDLE|ACCOUNT]...",
		Short: "Write manifests for accounts that no channel claims",
		Long: "Write a SocialChannel for each account that a SocialPlatform reports as unclaimed (status.unclaimed, with\n" +
			"spec.discovery), or for those that are named by handle or account ID. They are for review: each says in a comment\n" +
			"what is still to be done. Nothing is applied.\n\n" +
			"It reads the cluster. With -f it reads manifests, among them SocialPlatforms as the cluster gives them, with their\n" +
			"status; what further manifests declare already is left out.",
		Example: "  rostra adopt --namespace social --owner marketing > adopted.yaml\n" +
			"  rostra adopt --namespace social --owner customer-care help.acme.example\n" +
			"  kubectl get socialplatforms -o yaml | rostra adopt -f - -f manifests/ --namespace social --owner marketing",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.notes = cmd.ErrOrStderr()
			return a.run(cmd, args)
		},
	}
	a.source.add(cmd.Flags())
	cmd.Flags().Lookup("namespace").Usage = "namespace of the channels that are written; required"
	cmd.Flags().StringVar(&a.platform, "platform", "", "accounts of this SocialPlatform; default: of all")
	cmd.Flags().StringVar(&a.owner, "owner", "", "Team that is to own the channels; required, none is assumed")
	cmd.Flags().StringVar(&a.suffix, "source-secret-suffix", "-source", "what the name of a source Secret has after the channel's")
	return cmd
}

func (a *adoption) run(cmd *cobra.Command, wanted []string) error {
	if err := a.check(wanted); err != nil {
		return err
	}
	found, err := a.read(cmd)
	if err != nil {
		return err
	}
	platforms, err := a.listed(found)
	if err != nil {
		return err
	}
	candidates, err := a.candidates(found, platforms, wanted)
	if err != nil {
		return err
	}
	drafts, err := a.draft(found, candidates)
	if err != nil {
		return err
	}
	if len(drafts) == 0 {
		return nil
	}
	a.warnOfOwner(found, drafts)
	return printDrafts(cmd.OutOrStdout(), drafts)
}

// check refuses what would not make manifests.
func (a *adoption) check(wanted []string) error {
	switch {
	case a.source.namespace == "":
		return usagef("say in which namespace the channels are to be: --namespace social")
	case len(validation.IsDNS1123Label(a.source.namespace)) > 0:
		return usagef("--namespace %q is not the name of a namespace: lower-case letters, digits and -", a.source.namespace)
	case a.owner == "":
		return usagef("say which Team is to own the channels: --owner marketing")
	case len(validation.IsDNS1123Subdomain(a.owner)) > 0:
		return usagef("--owner %q is not the name of a Team: lower-case letters, digits, - and .", a.owner)
	case a.suffix == "" || len(validation.IsDNS1123Subdomain("channel"+a.suffix)) > 0:
		return usagef("--source-secret-suffix %q does not make the name of a Secret: write for example -source", a.suffix)
	}
	for _, text := range wanted {
		if strings.Trim(text, "@ ") == "" {
			return usagef("%q names no account: write a handle or an account ID", text)
		}
	}
	return nil
}

// read gives every channel, team and platform of the cluster or of the
// manifests.
func (a *adoption) read(cmd *cobra.Command) (*inventory, error) {
	if len(a.source.files) == 0 {
		objects, err := a.source.open(cmd)
		if err != nil {
			return nil, err
		}
		return objects.survey(cmd.Context(), "")
	}
	// Each is read by itself, so that a platform may be declared in a repository
	// and come with its status besides.
	whole := newInventory()
	for _, path := range a.source.files {
		one := sourceFlags{files: []string{path}}
		objects, err := one.open(cmd)
		if err != nil {
			return nil, err
		}
		found, err := objects.survey(cmd.Context(), "")
		if err != nil {
			return nil, err
		}
		whole.channels = append(whole.channels, found.channels...)
		maps.Copy(whole.teams, found.teams)
		if err := whole.mergePlatforms(found.platforms); err != nil {
			return nil, err
		}
	}
	return whole, nil
}

// mergePlatforms adds platforms; of two of a name, the one that tells of
// unclaimed accounts stays.
func (i *inventory) mergePlatforms(more []v1alpha1.SocialPlatform) error {
	for at := range more {
		next := more[at]
		known := i.platform(next.Name)
		switch {
		case known == nil:
			i.platforms = append(i.platforms, next)
		case known.Status.Unclaimed != nil && next.Status.Unclaimed != nil:
			return fmt.Errorf("SocialPlatform %s comes twice with a status: give -f one of them", next.Name)
		case next.Status.Unclaimed != nil:
			*known = next
		}
	}
	return nil
}

// listed gives the platforms whose accounts are known, and says of others why
// theirs are not.
func (a *adoption) listed(found *inventory) ([]*v1alpha1.SocialPlatform, error) {
	if a.platform != "" && found.platform(a.platform) == nil {
		return nil, fmt.Errorf("there is no SocialPlatform %s here", a.platform)
	}
	var platforms []*v1alpha1.SocialPlatform
	for i := range found.platforms {
		social := &found.platforms[i]
		if a.platform != "" && social.Name != a.platform {
			continue
		}
		if social.Status.Unclaimed == nil {
			if a.platform != "" || social.Spec.Discovery != nil {
				a.notef("SocialPlatform %s has not reported its accounts: %s", social.Name, whyUnlisted(social))
			}
			continue
		}
		if current := discovered(social); current != nil && current.Status != string(metav1.ConditionTrue) {
			a.notef("the accounts of SocialPlatform %s may not be those of now: %s", social.Name, current.Message)
		}
		platforms = append(platforms, social)
	}
	if len(platforms) == 0 {
		return nil, errors.New("no SocialPlatform reports accounts that no channel claims (status.unclaimed): set spec.discovery on one whose server is the company's own")
	}
	return platforms, nil
}

func discovered(social *v1alpha1.SocialPlatform) *reasonJSON {
	condition := meta.FindStatusCondition(social.Status.Conditions, v1alpha1.ConditionAccountsDiscovered)
	if condition == nil {
		return nil
	}
	return &reasonJSON{string(condition.Status), condition.Reason, condition.Message}
}

func whyUnlisted(social *v1alpha1.SocialPlatform) string {
	condition := discovered(social)
	switch {
	case condition != nil:
		return condition.Message
	case social.Spec.Discovery == nil:
		return "spec.discovery is not set"
	}
	return "it has no status yet"
}

// notef tells something beside the manifests.
func (a *adoption) notef(format string, args ...any) {
	_, _ = fmt.Fprintln(a.notes, printable("note: "+fmt.Sprintf(format, args...))) // the manifests do not depend on it
}

// draft writes a manifest for each candidate that can have one.
func (a *adoption) draft(found *inventory, candidates []candidates) ([]draft, error) {
	taken := map[string]bool{}
	for i := range found.channels {
		if found.channels[i].Namespace == a.source.namespace {
			taken[found.channels[i].Name] = true
		}
	}
	var drafts []draft
	for _, of := range candidates {
		channels, left, err := adopt.Channels(of.accounts, adopt.Plan{
			Platform: of.platform.Name, Namespace: a.source.namespace, Owner: a.owner,
			SourceSecret:   func(channel string) string { return channel + a.suffix },
			DeliverySecret: func(channel string) string { return channel },
			Taken:          func(channel string) bool { return taken[channel] },
		})
		if err != nil {
			return nil, err
		}
		if len(left) > 0 {
			a.notef("SocialPlatform %s tells no handle of %s, so that no channel can be declared for it yet", of.platform.Name, accountIDs(left))
		}
		accounts := map[string]*v1alpha1.UnclaimedAccount{}
		for i := range of.accounts {
			accounts[of.accounts[i].ID] = &of.accounts[i]
		}
		for _, channel := range channels {
			taken[channel.Name] = true
			drafts = append(drafts, draft{channel, of.platform, accounts[channel.Spec.AccountID], found.teams[a.owner]})
		}
	}
	return drafts, nil
}

// accountIDs names a few accounts.
func accountIDs(accounts []v1alpha1.UnclaimedAccount) string {
	const limit = 5
	var ids []string
	for _, account := range accounts[:min(len(accounts), limit)] {
		ids = append(ids, account.ID)
	}
	if more := len(accounts) - limit; more > 0 {
		ids = append(ids, fmt.Sprintf("%d more", more))
	}
	return strings.Join(ids, ", ")
}

// warnOfOwner says what keeps the team from owning the channels.
func (a *adoption) warnOfOwner(found *inventory, drafts []draft) {
	team := found.teams[a.owner]
	if team == nil {
		a.notef("Team %s is not here: declare it, or name another with --owner", a.owner)
		return
	}
	var refused []string
	for _, each := range drafts {
		if !ownership.Accepts(team, each.channel.Namespace, each.channel.Name) {
			refused = append(refused, each.channel.Name)
		}
	}
	if len(refused) > 0 {
		a.notef("Team %s does not accept %d of %d channels yet: add {namespace: %s, channels: [%s]} to its spec.accepts", a.owner, len(refused),
			len(drafts), a.source.namespace, strings.Join(refused, ", "))
	}
}

// sayMissing says how many accounts a status does not name.
func (a *adoption) sayMissing(social *v1alpha1.SocialPlatform) int {
	missing := int(ptr.Deref(social.Status.Unclaimed.Count, 0)) - len(social.Status.Unclaimed.Accounts)
	if missing > 0 {
		a.notef("SocialPlatform %s reports %d unclaimed accounts and names %d of them: %d are missing here; ask again once channels claim these",
			social.Name, *social.Status.Unclaimed.Count, len(social.Status.Unclaimed.Accounts), missing)
	}
	return max(missing, 0)
}
