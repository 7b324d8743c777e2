// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/rostra-dev/rostra/internal/cli"
)

func TestCLI(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The command line")
}

// noon is what the clock says: noon on a Sunday in London.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// result is what a command did.
type result struct {
	code           int
	stdout, stderr string
}

// rostra runs a command at noon.
func rostra(args ...string) result {
	GinkgoHelper()
	return rostraAt(noon, "", args...)
}

// rostraAt runs a command at a time, with something on standard input.
func rostraAt(now time.Time, stdin string, args ...string) result {
	GinkgoHelper()
	return execute(cli.Config{Version: "v0.0.0-test", Clock: clocktesting.NewFakePassiveClock(now)}, stdin, args...)
}

func execute(config cli.Config, stdin string, args ...string) result {
	GinkgoHelper()
	var stdout, stderr bytes.Buffer
	root := cli.New(config)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	code := cli.Run(context.Background(), root)
	return result{code, stdout.String(), stderr.String()}
}

// succeed runs a command that says nothing on standard error.
func succeed(args ...string) string {
	GinkgoHelper()
	r := rostra(args...)
	Expect(r.stderr).To(BeEmpty())
	Expect(r.code).To(Equal(cli.ExitOK))
	return r.stdout
}

// folder writes manifests, and returns their folder.
func folder(documents ...string) string {
	GinkgoHelper()
	root := GinkgoT().TempDir()
	Expect(os.WriteFile(filepath.Join(root, "manifests.yaml"), []byte(strings.Join(documents, "\n---\n")), 0o600)).To(Succeed())
	return root
}

const (
	teams = `apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: customer-care}
spec:
  namespace: customer-care
  manager: maria
  members: [{name: maria, email: maria@acme.example}, {name: dana, email: dana@acme.example}]
---
apiVersion: social.rostra.dev/v1alpha1
kind: Team
metadata: {name: public-relations}
spec:
  namespace: public-relations
  manager: otto
  members: [{name: otto, email: otto@acme.example}, {name: ines, email: ines@acme.example}]
`
	careRota = `apiVersion: social.rostra.dev/v1alpha1
kind: ResponderRota
metadata: {name: care, namespace: social}
spec:
  timeZone: Europe/London
  layers:
  - name: weekdays
    teamRef: {name: customer-care}
    members: [maria, dana]
    handoff: {start: "2026-11-02T09:00:00", every: 1, unit: Week}
    windows: [{days: [Mon, Tue, Wed, Thu, Fri], from: "09:00", to: "18:00"}]
`
	swap = `apiVersion: social.rostra.dev/v1alpha1
kind: RotaOverride
metadata: {name: otto-helps, namespace: social}
spec: {responderRotaRef: {name: care}, teamRef: {name: public-relations}, member: otto, from: "2026-11-24T12:00:00Z", until: "2026-11-24T20:00:00Z"}
`
)

// channel that promises what coverage says, on a rota.
func channel(name, coverage, rota string) string {
	text := `apiVersion: social.rostra.dev/v1alpha1
kind: SocialChannel
metadata: {name: ` + name + `, namespace: social}
spec:
  platformRef: {name: bluesky}
  handle: ` + name + `.acme.example
  ownerRef: {name: customer-care}
  credentials: {sourceSecretRef: {name: source}, delivery: {secretName: delivered}}
`
	if coverage != "" {
		text += "  coverage: " + coverage + "\n"
	}
	if rota != "" {
		text += "  responderRotaRef: {name: " + rota + "}\n"
	}
	return text
}

// inNamespace moves a manifest that is in "social".
func inNamespace(manifest, namespace string) string {
	return strings.ReplaceAll(manifest, "namespace: social}", "namespace: "+namespace+"}")
}
