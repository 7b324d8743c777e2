// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/kubernetes"

	"github.com/rostra-dev/rostra/internal/desk"
	"github.com/rostra-dev/rostra/internal/hook"
)

const (
	// deskPort is where the operator's pod answers, on its loopback.
	deskPort = 8083
	// operatorNamespace is the one of config/manager.
	operatorNamespace = "rostra-system"
	// maxAnswer bounds what is read of an answer, in bytes: what the desk has of
	// a thousand conversations is far less.
	maxAnswer = 64 << 20

	reachHelp = "It asks the operator, through a forwarded port of its pod: that takes the rights of the Role rostra-inbox-reader in the\n" +
		"operator's namespace. Or forward the port yourself, and name it with --desk http://127.0.0.1:8083."
)

// reachFlags say how the operator is reached.
type reachFlags struct {
	source            sourceFlags
	desk              string
	operatorNamespace string
}

func (f *reachFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.source.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster; default: as kubectl finds it")
	flags.StringVar(&f.source.context, "context", "", "context of the kubeconfig; default: its current one")
	flags.StringVar(&f.operatorNamespace, "operator-namespace", operatorNamespace, "namespace in which the operator runs")
	flags.StringVar(&f.desk, "desk", "", "URL on this machine where the operator's port 8083 is forwarded to already, instead of the cluster")
}

// counter is where the operator is asked.
type counter struct {
	client *http.Client
	base   string
	// explain says of a call that failed what is known of why; nil for nothing.
	explain func(ctx context.Context, err error) error
	close   func()
	// clientset of the cluster; nil with --desk.
	clientset kubernetes.Interface
}

// open reaches the operator.
func (f *reachFlags) open(cmd *cobra.Command) (*counter, error) {
	if f.desk == "" {
		return f.forward(cmd.Context())
	}
	for _, name := range []string{"kubeconfig", "context", "operator-namespace"} {
		if cmd.Flags().Changed(name) {
			return nil, usagef("--%s is for the cluster, and --desk for a port that is forwarded already: leave one of them out", name)
		}
	}
	base, err := url.Parse(f.desk)
	if err != nil || base.Scheme != "http" || !hook.IsLoopback(base.Hostname()) || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" {
		return nil, usagef("--desk %q is no URL on this machine: write http://127.0.0.1:8083", f.desk)
	}
	return &counter{
		client: &http.Client{Timeout: callTimeout, Transport: &http.Transport{}}, base: "http://" + base.Host,
		explain: func(_ context.Context, err error) error {
			return fmt.Errorf("nobody answers at %s: %w; is the port forwarded? `kubectl port-forward -n %s deploy/rostra %d`", f.desk, err, operatorNamespace, deskPort)
		},
		close: func() {},
	}, nil
}

// forward reaches the operator through a forwarded port of its pod.
func (f *reachFlags) forward(ctx context.Context) (*counter, error) {
	config, _, err := clusterConfig(&f.source)
	if err != nil {
		return nil, fmt.Errorf("%w; name one with --kubeconfig, or a forwarded port with --desk", err)
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	pod, err := operatorPod(ctx, clientset, f.operatorNamespace)
	if err != nil {
		return nil, err
	}
	forwarded, err := forwardPort(ctx, config, clientset, pod, deskPort)
	if err != nil {
		return nil, err
	}
	return &counter{
		// The desk answers requests to this machine alone, which it is for itself.
		client: &http.Client{Timeout: callTimeout, Transport: &http.Transport{DialContext: forwarded.dial}}, base: "http://127.0.0.1",
		explain: forwarded.explain, close: forwarded.close, clientset: clientset,
	}, nil
}

// call asks the desk, and reads its answer.
func (c *counter) call(ctx context.Context, method, path string, body, answer any) error {
	sent := io.Reader(http.NoBody)
	if body != nil {
		content, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(content)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // its URL is of no interest
		}
		return c.explain(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return c.explain(ctx, err)
	}
	if response.StatusCode == http.StatusOK {
		err = json.Unmarshal(content, answer)
	}
	refusal := desk.Refusal{}
	switch {
	case err != nil:
		return errors.New("the operator's answer cannot be read: is this the same version of rostra as the operator's?")
	case response.StatusCode == http.StatusOK:
		return nil
	case json.Unmarshal(content, &refusal) == nil && refusal.Problem != "":
		return errors.New(printable(refusal.Problem))
	}
	return fmt.Errorf("the operator answered %s: is it rostra that listens there, and of the same version?", printable(response.Status))
}
