// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// UserConfig makes a user with the name and groups, and returns its client configuration and the path of a kubeconfig,
// which Stop removes. A new user may do what RBAC grants to system:authenticated and no more, until a binding names it or
// one of its groups. A name such as system:serviceaccount:social:rostra stands for that service account.
func (c *Cluster) UserConfig(name string, groups ...string) (*rest.Config, string, error) {
	cert, key, err := c.clients.clientCertificate(name, groups)
	if err != nil {
		return nil, "", err
	}
	config := c.Config()
	config.CertData, config.KeyData = cert, key
	file, err := os.CreateTemp(c.dir, "user-*.kubeconfig") // names such as system:node:a are no good for files
	if err != nil {
		return nil, "", fmt.Errorf("no kubeconfig for %s: %w", name, err)
	}
	if err := file.Close(); err != nil {
		return nil, "", fmt.Errorf("no kubeconfig for %s: %w", name, err)
	}
	return config, file.Name(), writeKubeconfig(file.Name(), name, config)
}

// Kubectl runs kubectl as the administrator and returns what it printed, also when it fails; the error then holds what it
// said on standard error. To be another user, pass --kubeconfig with the path that UserConfig returned.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	var stdout bytes.Buffer
	stderr := &tail{limit: tailLimit}
	cmd := c.KubectlCommand(ctx, args...)
	cmd.Stdout = &stdout
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		// The arguments are left out: they may hold the value of a secret.
		return stdout.String(), fmt.Errorf("kubectl failed: %w: %s", err, bytes.TrimSpace(stderr.kept))
	}
	return stdout.String(), nil
}

// KubectlCommand returns a kubectl of the administrator that is ready to run, for callers that feed or watch it.
func (c *Cluster) KubectlCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.programs.kubectl, args...)
	// The preferences and the cache of whoever runs this are left alone.
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+c.Kubeconfig(),
		"KUBECACHEDIR="+filepath.Join(c.dir, "kubectl-cache"),
		"KUBERC=off",
	)
	cmd.WaitDelay = time.Second
	return cmd
}

func writeKubeconfig(path, user string, config *rest.Config) error {
	const name = "rostra-local"
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			name: {Server: config.Host, CertificateAuthorityData: config.CAData},
		},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			user: {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData},
		},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: user}},
		CurrentContext: name,
	}, path)
	if err != nil {
		return fmt.Errorf("the kubeconfig of %s was not written: %w", user, err)
	}
	return nil
}
