// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

// candidates are accounts of one platform for which manifests are to be
// written.
type candidates struct {
	platform *v1alpha1.SocialPlatform
	accounts []v1alpha1.UnclaimedAccount
}

// candidates gives the accounts that no channel declares and that are wanted:
// all of them where nothing in particular is.
func (a *adoption) candidates(found *inventory, platforms []*v1alpha1.SocialPlatform, wanted []string) ([]candidates, error) {
	var all []candidates
	met := make([]bool, len(wanted))
	seen := map[string]bool{}
	declared, missing, total := 0, 0, 0
	for _, social := range platforms {
		missing += a.sayMissing(social)
		of := candidates{platform: social}
		for _, account := range social.Status.Unclaimed.Accounts {
			account.Handle = strings.ToLower(account.Handle)
			key := serverKey(social) + " " + account.ID
			if !isWanted(account, social, wanted, met) || seen[key] {
				continue
			}
			seen[key] = true
			if channel := found.declaring(account, social); channel != "" {
				if len(wanted) > 0 {
					return nil, fmt.Errorf("account %s is declared already, by SocialChannel %s", account.ID, channel)
				}
				declared++
				continue
			}
			of.accounts = append(of.accounts, account)
		}
		total += len(of.accounts)
		all = append(all, of)
	}
	if err := unmet(wanted, met, missing); err != nil {
		return nil, err
	}
	if declared > 0 {
		a.notef("left out, because channels declare them already: %d", declared)
	}
	if total == 0 {
		a.notef("there is no account left that no channel claims")
	}
	return all, nil
}

// isWanted tells whether an account is among those that were asked for, and
// notes which of them it meets.
func isWanted(account v1alpha1.UnclaimedAccount, on *v1alpha1.SocialPlatform, wanted []string, met []bool) bool {
	is := len(wanted) == 0
	for i, text := range wanted {
		if account.ID == text || readHandle(text).means(account.Handle, on) {
			met[i], is = true, true
		}
	}
	return is
}

// unmet is the error of accounts that were asked for and are not there.
func unmet(wanted []string, met []bool, missing int) error {
	var wrong []error
	for i, text := range wanted {
		if met[i] {
			continue
		}
		hint := "check the spelling, or ask rostra whois whether a channel has it"
		if missing > 0 {
			hint += fmt.Sprintf("; it may also be one of the %d that are not named", missing)
		}
		wrong = append(wrong, fmt.Errorf("%q is not among the unclaimed accounts: %s", text, hint))
	}
	return errors.Join(wrong...)
}

// declaring names the channel that declares an account; empty if none does. One
// whose account is known does not declare another that has its handle.
func (i *inventory) declaring(account v1alpha1.UnclaimedAccount, on *v1alpha1.SocialPlatform) string {
	at := slices.IndexFunc(i.channels, func(channel v1alpha1.SocialChannel) bool {
		id := channel.Spec.AccountID
		if known := channel.Status.Account; known != nil {
			id = known.ID
		}
		here := i.sameServer(channel.Spec.PlatformRef.Name, on)
		if id != "" {
			// A DID is the same account wherever it is declared.
			return id == account.ID && (here || strings.HasPrefix(id, "did:"))
		}
		return here && account.Handle != "" && readHandle(channel.Spec.Handle).local == readHandle(account.Handle).local
	})
	if at < 0 {
		return ""
	}
	return objectName{i.channels[at].Namespace, i.channels[at].Name}.String()
}

// sameServer tells whether a platform, by its name, is at the server of
// another.
func (i *inventory) sameServer(name string, as *v1alpha1.SocialPlatform) bool {
	if name == as.Name {
		return true
	}
	other := i.platform(name)
	return other != nil && serverKey(other) == serverKey(as)
}

// serverKey tells servers apart.
func serverKey(social *v1alpha1.SocialPlatform) string {
	return string(social.Spec.Type) + " " + strings.TrimSuffix(strings.ToLower(social.Spec.ServerURL()), "/")
}
