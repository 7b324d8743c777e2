// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
	"github.com/rostra-dev/rostra/internal/ownership"
)

// draft is a manifest to be reviewed, and where it comes from.
type draft struct {
	channel  *v1alpha1.SocialChannel
	platform *v1alpha1.SocialPlatform
	account  *v1alpha1.UnclaimedAccount
	// owner is nil if the team is not known.
	owner *v1alpha1.Team
}

// printDrafts writes manifests as YAML documents.
func printDrafts(out io.Writer, drafts []draft) error {
	var text strings.Builder
	for i, each := range drafts {
		if i > 0 {
			text.WriteString("---\n")
		}
		manifest, err := yaml.Marshal(each.channel)
		if err != nil {
			return fmt.Errorf("write a manifest for account %s: %w", each.channel.Spec.AccountID, err)
		}
		for _, line := range each.remarks() {
			// A name is the account holder's own words, and must not end the comment.
			text.WriteString("# " + printable(line) + "\n")
		}
		text.Write(manifest)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// remarks say where a manifest comes from and what is still to be done.
func (d draft) remarks() []string {
	channel := d.channel
	origin := fmt.Sprintf("%s%s: an account at %s that no channel claimed", cmp.Or(d.account.Handle, d.account.ID),
		bracketed(d.account.DisplayName), d.platform.Spec.ServerURL())
	if d.account.Since != nil {
		origin += " since " + recordWords(d.account.Since.Time)
	}
	lines := []string{origin + "."}
	if d.account.State != v1alpha1.UnclaimedActive && d.account.State != "" {
		lines = append(lines, fmt.Sprintf("It is %s at the server: find out why before it is adopted.", strings.ToLower(string(d.account.State))))
	}
	lines = append(lines, "Still to be done:",
		fmt.Sprintf("- put the account's credential into Secret %s/%s", channel.Namespace, channel.Spec.Credentials.SourceSecretRef.Name),
		"- say in one word what the account is for: spec.purpose",
		"- see whether Team "+channel.Spec.OwnerRef.Name+" is the one to own it")
	if d.owner == nil || !ownership.Accepts(d.owner, channel.Namespace, channel.Name) {
		lines = append(lines, fmt.Sprintf("- let that team accept it: {namespace: %s, channels: [%s]} in its spec.accepts", channel.Namespace, channel.Name))
	}
	return lines
}
