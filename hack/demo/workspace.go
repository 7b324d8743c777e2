// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/rostra-dev/rostra/api/v1alpha1"
)

const (
	modulePath = "github.com/rostra-dev/rostra"
	// company is the folder that stands for the company's Git repository: a copy of config/samples.
	company = "meridian-air"
	// overlay is the folder that puts the local Bluesky server's address in.
	overlay = "local"
)

// workspace is the directory in which the demo keeps what it makes. It is removed in the end.
type workspace struct {
	dir   string
	files *os.Root // the same, for reading and writing nowhere else
}

func newWorkspace() (*workspace, error) {
	dir, err := os.MkdirTemp("", "rostra-demo-")
	if err != nil {
		return nil, fmt.Errorf("no directory for the demo: %w", err)
	}
	files, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("no directory for the demo: %w", err), os.RemoveAll(dir))
	}
	return &workspace{dir: dir, files: files}, nil
}

func (w *workspace) path(name string) string { return filepath.Join(w.dir, name) }

func (w *workspace) remove() error {
	if w == nil {
		return nil
	}
	if err := errors.Join(w.files.Close(), os.RemoveAll(w.dir)); err != nil {
		return fmt.Errorf("the demo's directory is left behind: %w", err)
	}
	return nil
}

// repositoryRoot asks Go where the module is, from wherever in it the demo was started.
func repositoryRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("ask Go where the repository is: %w; run the demo inside it, with Go in the PATH", err)
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if path != modulePath || dir == "" {
		return "", fmt.Errorf("this is module %s, not %s: run the demo at the root of the repository", path, modulePath)
	}
	return dir, nil
}

// copyCompany copies the samples, which the demo edits, and writes the overlay with the address of the Bluesky server.
func (w *workspace) copyCompany(samples, serverURL string) error {
	if err := os.CopyFS(w.path(company), os.DirFS(samples)); err != nil {
		return fmt.Errorf("copy the samples: %w", err)
	}
	if err := w.files.Mkdir(overlay, 0o700); err != nil {
		return fmt.Errorf("write the overlay: %w", err)
	}
	content := fmt.Sprintf(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../%s]
patches:
- target: {kind: SocialPlatform, name: bluesky}
  patch: |-
    - {op: replace, path: /spec/bluesky/service, value: %q}
`, company, serverURL)
	if err := w.files.WriteFile(overlay+"/kustomization.yaml", []byte(content), 0o600); err != nil {
		return fmt.Errorf("write the overlay: %w", err)
	}
	return nil
}

// channels reads the company's channels.
func (w *workspace) channels() ([]v1alpha1.SocialChannel, error) {
	return readAll[v1alpha1.SocialChannel](w.files.FS(), company+"/channels")
}

// teams reads the company's teams.
func (w *workspace) teams() ([]v1alpha1.Team, error) {
	return readAll[v1alpha1.Team](w.files.FS(), company+"/teams")
}

// readAll reads every manifest of a folder; each holds one object.
func readAll[T any](in fs.FS, folder string) ([]T, error) {
	names, err := fs.Glob(in, folder+"/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the samples: %w", err)
	}
	objects := make([]T, len(names))
	for i, name := range names {
		content, err := fs.ReadFile(in, name)
		if err != nil {
			return nil, fmt.Errorf("read the samples: %w", err)
		}
		if err := yaml.UnmarshalStrict(content, &objects[i]); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return objects, nil
}

// writeKubeconfig lets a program be the user of a token at the API server.
func (w *workspace) writeKubeconfig(name string, server *rest.Config, user, token string) (string, error) {
	path := w.path(name)
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			"demo": {Server: server.Host, CertificateAuthorityData: server.CAData},
		},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{user: {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"demo": {Cluster: "demo", AuthInfo: user}},
		CurrentContext: "demo",
	}, path)
	if err != nil {
		return "", fmt.Errorf("write the kubeconfig of %s: %w", user, err)
	}
	return path, nil
}
