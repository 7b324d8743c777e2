// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Command controlplane is four programs in one file: etcd, kube-apiserver, kube-controller-manager and kubectl.
//
// It runs the program that it is called by (a symbolic link named kubectl runs kubectl), or else the one named by its
// first argument. All of them share most of their code, so one binary is far smaller and faster to link than four.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // kube-apiserver and kube-controller-manager check the time zones of CronJobs, with or without the system's files

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl: the credential plugins that a kubeconfig may name
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go's metrics on /metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info on /metrics
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// program runs with os.Args already reduced to its own name and arguments, and returns its exit status.
type program func() int

func programs() map[string]program {
	return map[string]program{
		"etcd":                    runEtcd,
		"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
		"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
		"kubectl":                 runKubectl,
	}
}

func main() {
	known := programs()
	run, args := choose(known, os.Args)
	if run == nil {
		fmt.Fprintf(os.Stderr, "controlplane: call this file by the name of a program, or name the program first: %s\n",
			strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		os.Exit(2)
	}
	os.Args = args
	os.Exit(run())
}

// choose picks the program by the base name of args[0], or else by args[1], and returns it with its own arguments. It
// returns nil when neither names a program.
func choose(known map[string]program, args []string) (program, []string) {
	for i := range min(2, len(args)) {
		name := strings.TrimSuffix(filepath.Base(args[i]), ".exe")
		if run, ok := known[name]; ok {
			return run, args[i:]
		}
	}
	return nil, nil
}

func runEtcd() int {
	etcdmain.Main(os.Args) // exits by itself when it fails
	return 0
}

func runKubectl() int {
	// kubectl logs while it builds its commands, before it parses flags, so the level is read from the arguments.
	if _, err := logs.GlogSetter(cmd.GetLogVerbosity(os.Args)); err != nil {
		fmt.Fprintln(os.Stderr, "kubectl: the log level was not set:", err)
	}
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		cmdutil.CheckErr(err) // prints the error as kubectl does, and exits
	}
	return 0
}
