// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rostra-dev/rostra/controllers"
	"github.com/rostra-dev/rostra/test/alertmanager"
	"github.com/rostra-dev/rostra/test/cluster"
	"github.com/rostra-dev/rostra/test/pds"
	"github.com/rostra-dev/rostra/test/smtp"
)

// The operator's own, as config/manager and config/rbac name them.
const (
	systemNamespace = "rostra-system"
	serviceAccount  = "rostra-manager"
	operatorUser    = "system:serviceaccount:" + systemNamespace + ":" + serviceAccount
)

const (
	// setUpLimit bounds the chapter with everything built from nothing, on a slow machine.
	setUpLimit = 45 * time.Minute
	// tokenLife is longer than anybody leaves a demo running.
	tokenLife = 7 * 24 * time.Hour
)

// setUp builds what is missing and starts everything.
func (d *demo) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setUpLimit)
	defer cancel()
	var err error
	if d.workspace, err = newWorkspace(); err != nil {
		return err
	}
	if d.root, err = repositoryRoot(ctx); err != nil {
		return err
	}
	d.console.notef("What is missing is built first: some ten minutes the first time on two cores, seconds from then on.")
	if err := d.startServers(ctx); err != nil {
		return err
	}
	return d.install(ctx)
}

// startServers starts the servers, and builds the operator, side by side.
func (d *demo) startServers(ctx context.Context) error {
	var err error
	if d.mail, err = smtp.Start(smtp.Options{Clear: true}); err != nil {
		return fmt.Errorf("start a mail server: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		started, err := cluster.Start(ctx, cluster.Options{ControllerManager: true, Log: d.console.progress("kubernetes", "controlplane")})
		d.cluster = started
		return err
	})
	group.Go(func() error {
		began := time.Now()
		log := d.console.progress("bluesky", "pds")
		started, err := pds.Start(ctx, pds.Options{Log: log})
		if err != nil {
			return err
		}
		d.bluesky = started
		_, _ = fmt.Fprintf(log, "PDS ready after %s at %s\n", short(time.Since(began)), started.URL())
		return nil
	})
	group.Go(func() error {
		started, err := alertmanager.Start(ctx, d.console.progress("pagers", "alertmanager"))
		d.pagers = started
		return err
	})
	group.Go(func() error {
		return buildOperator(ctx, d.root, d.workspace.path(operatorProgram), d.console.progress("operator", "go"))
	})
	return group.Wait()
}

// install applies config/default and starts the operator with the rights of its service account.
func (d *demo) install(ctx context.Context) error {
	scheme, err := controllers.NewScheme()
	if err != nil {
		return fmt.Errorf("know the kinds: %w", err)
	}
	if d.admin, err = client.New(d.cluster.Config(), client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("reach the Kubernetes API: %w", err)
	}
	applied, err := d.kubectlIn(ctx, d.root, "apply", "-k", "config/default")
	if err != nil {
		return err
	}
	d.console.print(d.console.paint(dim, countLines(applied, "objects")))
	if _, err := d.cluster.Kubectl(ctx, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"); err != nil {
		return err
	}
	return d.runOperator(ctx)
}

// runOperator starts the operator as a process. There is no node to run its Deployment, but all that it may do at the API
// it may do as its service account.
func (d *demo) runOperator(ctx context.Context) error {
	token, err := d.serviceAccountToken(ctx)
	if err != nil {
		return err
	}
	d.secrets.add(token)
	kubeconfig, err := d.workspace.writeKubeconfig("operator.kubeconfig", d.cluster.Config(), serviceAccount, token)
	if err != nil {
		return err
	}
	gateway, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	if d.desk, err = freeAddress(ctx); err != nil {
		return err
	}
	d.operator, err = startOperator(d.workspace, "manager",
		"--kubeconfig="+kubeconfig,
		"--leader-elect", "--leader-election-namespace="+systemNamespace,
		"--allow-egress-cidr=127.0.0.0/8", // the Bluesky server is on this machine
		"--namespace="+systemNamespace,
		"--gateway-bind-address="+gateway, "--gateway-url=http://"+gateway, "--inbox-dir="+d.workspace.path("inbox"),
		"--inbox-bind-address="+d.desk, "--mail-from=Rostra <rostra@meridian-air.example>",
		"--metrics-bind-address=0", "--health-probe-bind-address=0")
	if err != nil {
		return err
	}
	d.console.notef("The operator runs as a process, since there is no node, with a token of its service account.")
	who, err := d.kubectl(ctx, "--kubeconfig=operator.kubeconfig", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
	if err != nil {
		return err
	}
	d.console.print(who + "\n\n")
	d.checks.expect("the operator is its service account, with the rights that config/rbac gives it", differs("its user", who, operatorUser))
	return nil
}

// freeAddress is one on this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

func (d *demo) serviceAccountToken(ctx context.Context) (string, error) {
	clientset, err := kubernetes.NewForConfig(d.cluster.Config())
	if err != nil {
		return "", fmt.Errorf("reach the Kubernetes API: %w", err)
	}
	seconds := int64(tokenLife.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	answer, err := clientset.CoreV1().ServiceAccounts(systemNamespace).CreateToken(ctx, serviceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("get a token for the operator's service account: %w", err)
	}
	return answer.Status.Token, nil
}

// giveSecret stores what is not in Git, as a secret manager would.
func (d *demo) giveSecret(ctx context.Context, namespace, name, key, value string) error {
	d.secrets.add(value)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{key: value},
	}
	if err := d.admin.Create(ctx, secret); err != nil {
		return fmt.Errorf("create Secret %s/%s: %w", namespace, name, err)
	}
	return nil
}
