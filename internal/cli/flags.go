// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choice is a flag that takes one of several words.
type choice struct {
	value   string
	allowed []string
}

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Set implements pflag.Value.
func (c *choice) Set(text string) error {
	if !slices.Contains(c.allowed, text) {
		return fmt.Errorf("write one of %s", strings.Join(c.allowed, ", "))
	}
	c.value = text
	return nil
}

// Type implements pflag.Value.
func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

// addChoice adds a flag that takes one of several words, of which the first is
// the default, and completes it in shells.
func addChoice(cmd *cobra.Command, name, shorthand, usage string, allowed ...string) *choice {
	c := &choice{value: allowed[0], allowed: allowed}
	cmd.Flags().VarP(c, name, shorthand, usage)
	// It fails only for a flag that does not exist, or that is completed twice.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// objectName names a namespaced object; without a namespace where none was
// given.
type objectName struct{ namespace, name string }

// String writes the name as a person would type it.
func (n objectName) String() string {
	if n.namespace == "" {
		return n.name
	}
	return n.namespace + "/" + n.name
}

// parseName reads [NAMESPACE/]NAME. The namespace may also come from
// --namespace, but not two different ones.
func parseName(text, what, namespace string) (objectName, error) {
	given, name, found := strings.Cut(text, "/")
	if !found {
		given, name = namespace, text
	}
	switch {
	case name == "" || found && given == "" || strings.Contains(name, "/"):
		return objectName{}, usagef("%q does not name a %s: write NAME or NAMESPACE/NAME", text, what)
	case namespace != "" && given != namespace:
		return objectName{}, usagef("%q is in another namespace than --namespace %s: leave one of them out", text, namespace)
	}
	return objectName{given, name}, nil
}

// sourceFlags say where objects are read.
type sourceFlags struct {
	files                          []string
	namespace, kubeconfig, context string
}

func (f *sourceFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.files, "filename", "f", nil, "read manifests from this file or folder, or - for standard input, instead of the cluster; may be given several times")
	f.addCluster(flags)
	flags.Lookup("namespace").Usage = "namespace; default: with -f any, else the kubeconfig's"
}

// addCluster adds the flags of a command that works on a cluster alone.
func (f *sourceFlags) addCluster(flags *pflag.FlagSet) {
	flags.StringVarP(&f.namespace, "namespace", "n", "", "namespace; default: the kubeconfig's")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster; default: as kubectl finds it")
	flags.StringVar(&f.context, "context", "", "context of the kubeconfig; default: its current one")
}

// open gives what the flags point at.
func (f *sourceFlags) open(cmd *cobra.Command) (source, error) {
	if len(f.files) == 0 {
		return connect(f)
	}
	for _, name := range []string{"kubeconfig", "context"} {
		if cmd.Flags().Changed(name) {
			return nil, usagef("--%s is for a cluster, and -f for manifests: leave one of them out", name)
		}
	}
	return readFiles(f.files, cmd.InOrStdin())
}
