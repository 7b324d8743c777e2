// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	assetsVariable = "KUBEBUILDER_ASSETS"
	mainModule     = "module github.com/rostra-dev/rostra"

	// File names in the cluster's directory, which is the working directory of every program.
	etcdSocket     = "etcd.sock" // relative, because the path of a socket may not exceed some hundred bytes
	servingCert    = "apiserver.crt"
	servingKey     = "apiserver.key"
	clientCA       = "client-ca.crt"
	tokenSigner    = "token-signer.key"
	serviceNetwork = "10.0.0.0/24" // never routed: nothing runs here
)

// programs are the paths of the executables.
type programs struct {
	etcd, apiServer, controllerManager, kubectl string
}

// findPrograms takes the executables from KUBEBUILDER_ASSETS, or else has them built.
func findPrograms(ctx context.Context, controllerManager bool, progress io.Writer) (programs, error) {
	dir := os.Getenv(assetsVariable)
	if dir == "" {
		var err error
		if dir, err = build(ctx, progress); err != nil {
			return programs{}, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return programs{}, fmt.Errorf("%s cannot be made absolute: %w", dir, err)
	}
	found := programs{
		etcd:              filepath.Join(dir, "etcd"),
		apiServer:         filepath.Join(dir, "kube-apiserver"),
		controllerManager: filepath.Join(dir, "kube-controller-manager"),
		kubectl:           filepath.Join(dir, "kubectl"),
	}
	wanted := []string{found.etcd, found.apiServer, found.kubectl}
	if controllerManager {
		wanted = append(wanted, found.controllerManager)
	}
	for _, path := range wanted {
		if _, err := exec.LookPath(path); err != nil {
			return programs{}, fmt.Errorf("%s is missing or not executable; unset %s to have it built: %w",
				path, assetsVariable, err)
		}
	}
	return found, nil
}

// build runs hack/controlplane/build.sh, which answers at once when it has built before.
func build(ctx context.Context, progress io.Writer) (string, error) {
	root, err := repositoryRoot()
	if err != nil {
		return "", err
	}
	var printed bytes.Buffer
	said := &tail{limit: tailLimit}
	cmd := exec.CommandContext(ctx, "sh", filepath.Join(root, "hack", "controlplane", "build.sh"))
	cmd.Stdout = &printed
	cmd.Stderr = said
	if progress != nil {
		cmd.Stderr = io.MultiWriter(said, progress)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it tidies up before it ends
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("hack/controlplane/build.sh failed: %w\n%s", err, said)
	}
	return strings.TrimSpace(printed.String()), nil
}

// repositoryRoot walks up from the working directory, which is the package's own under go test, to the main module.
func repositoryRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("the working directory is unknown: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		is, err := isMainModule(filepath.Join(dir, "go.mod"))
		if err != nil {
			return "", err
		}
		if is {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the Rostra repository: run this from there, or set %s to a directory "+
				"with etcd, kube-apiserver and kubectl", start, assetsVariable)
		}
	}
}

func isMainModule(path string) (bool, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot tell whose module this is: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if strings.TrimSpace(line) == mainModule {
			return true, nil
		}
	}
	return false, nil
}

func etcdArgs(durable bool) []string {
	return []string{
		"--name=rostra",
		"--data-dir=etcd",
		"--listen-client-urls=unix://" + etcdSocket,
		"--advertise-client-urls=http://127.0.0.1:0", // required, and never used
		"--listen-peer-urls=http://127.0.0.1:0",
		"--log-level=warn",
		"--quota-backend-bytes=8589934592",
		// The only member need not wait long for its own vote: this saves half a second.
		"--heartbeat-interval=10",
		"--election-timeout=100",
		"--unsafe-no-fsync=" + strconv.FormatBool(!durable),
	}
}

func apiServerArgs(port int, options Options) []string {
	args := []string{
		"--etcd-servers=unix://" + etcdSocket,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + servingCert,
		"--tls-private-key-file=" + servingKey,
		"--client-ca-file=" + clientCA,
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=" + serviceNetwork,
		"--service-account-issuer=https://127.0.0.1:" + strconv.Itoa(port),
		"--service-account-key-file=" + tokenSigner,
		"--service-account-signing-key-file=" + tokenSigner,
		// Nothing makes default service accounts unless kube-controller-manager runs, and no Pod is ever started.
		"--disable-admission-plugins=ServiceAccount",
	}
	if options.MaxInflight > 0 {
		limit := strconv.Itoa(options.MaxInflight)
		args = append(args, "--max-requests-inflight="+limit, "--max-mutating-requests-inflight="+limit)
	}
	return append(args, options.APIServerArgs...)
}

func controllerManagerArgs(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join([]string{
			"garbage-collector-controller",
			"namespace-controller",
			"serviceaccount-controller",
			"clusterrole-aggregation-controller",
			"validatingadmissionpolicy-status-controller",
		}, ","),
		"--leader-elect=false",
		"--secure-port=0", // it serves nothing
		// Its defaults are meant for a shared cluster, and would make a benchmark wait for the garbage collector.
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}

// writeAPIServerFiles writes the certificates and keys that the API server reads, and returns the authority that clients
// verify the server with.
func (c *Cluster) writeAPIServerFiles() (*authority, error) {
	serving, err := newAuthority("rostra-local-server")
	if err != nil {
		return nil, err
	}
	cert, key, err := serving.servingCertificate()
	if err != nil {
		return nil, err
	}
	signer, err := newKey()
	if err != nil {
		return nil, err
	}
	signerPEM, err := keyPEM(signer)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		servingCert: cert,
		servingKey:  key,
		clientCA:    c.clients.certificatePEM(),
		tokenSigner: signerPEM,
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("%s was not written: %w", name, err)
		}
	}
	return serving, nil
}

// freePort returns a loopback port that nobody listens on at the moment.
func freePort() (int, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("no free port on the loopback address: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("port %d was not released: %w", port, err)
	}
	return port, nil
}
