// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster runs a real Kubernetes API on this machine, for test suites, the demo and the benchmark: etcd and
// kube-apiserver, and where asked for kube-controller-manager, as children of the calling program. There are no nodes,
// so no Pod ever runs.
//
// The programs come from KUBEBUILDER_ASSETS when that is set, and else from hack/controlplane/build.sh, which builds
// them from Go modules the first time. Everything listens on the loopback address or on a socket in a private
// directory, authorisation is RBAC, and all of it is gone after Stop.
//
// The processes are started here rather than by envtest.Environment, which can neither run kube-controller-manager nor
// tie its processes to the life of the caller, and does not say why one of them failed.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	// startTimeout bounds the start of the processes, but not the build of their programs. A busy machine with two
	// cores needs about ten seconds.
	startTimeout = 2 * time.Minute
	pollInterval = 50 * time.Millisecond
	probeTimeout = 5 * time.Second
	crdTimeout   = 30 * time.Second
)

// Options says what kind of cluster Start makes. The zero value is an empty API for tests.
type Options struct {
	// CRDPaths are files or directories with CustomResourceDefinitions. Start installs them and returns when the API
	// serves them. A path that does not exist is an error.
	CRDPaths []string

	// ControllerManager also runs kube-controller-manager, with the controllers that need no node: garbage collection
	// of owned objects, deletion of namespaces, default service accounts, aggregation of cluster roles, and type
	// checking of validating admission policies. Without it a deleted namespace stays Terminating for ever, and an
	// owned object outlives its owner.
	//
	// The garbage collector looks for new kinds every 30 seconds: of CRDs that are not in CRDPaths it knows nothing
	// until then.
	ControllerManager bool

	// Durable makes etcd wait for the disk before it confirms a write, as in production. Tests do without, which is
	// faster; a benchmark should say which it used.
	Durable bool

	// MaxInflight raises (or lowers) the number of requests that the API server handles at once, for reads and for
	// writes alike. Zero keeps its defaults: 400 reads and 200 writes.
	MaxInflight int

	// APIServerArgs are further flags of kube-apiserver, such as "--v=4". They come last, so they win.
	APIServerArgs []string

	// LogDir is an existing directory that gets the logs of the processes, one file each. When it is empty they are
	// kept beside the data, and Stop removes them.
	LogDir string

	// Log gets a line for each step, and the progress of the build if there is one. Nil is quiet. Its Write is never
	// called after Start has returned.
	Log io.Writer
}

// Cluster is a running Kubernetes API. All its methods are safe for concurrent use.
type Cluster struct {
	options  Options
	programs programs
	dir      string // private to this cluster; removed by Stop
	logDir   string

	clients   *authority // signs client certificates
	config    *rest.Config
	kube      kubernetes.Interface
	processes []*process
}

// Process is one running program of a cluster.
type Process struct {
	Name string // etcd, kube-apiserver or kube-controller-manager
	PID  int
}

// Start runs a cluster and returns when it answers. The context bounds the start alone: the cluster runs until Stop, or
// on Linux until the calling program ends, however it ends. When Start fails it has stopped whatever it started, and the
// error holds the last lines of the program that failed.
//
// A first start on a machine may have to build the programs, which takes minutes; Options.Log shows how far it is.
func Start(ctx context.Context, options Options) (_ *Cluster, err error) {
	found, err := findPrograms(ctx, options.ControllerManager, options.Log)
	if err != nil {
		return nil, err
	}
	c, err := newCluster(found, options)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		if stopErr := c.Stop(); stopErr != nil {
			err = errors.Join(err, stopErr)
		}
	}()

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	began := time.Now()
	for _, step := range []func(context.Context) error{
		c.startEtcd, c.startAPIServer, c.installCRDs, c.startControllerManager,
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("the local Kubernetes API did not start: %w", err)
		}
	}
	c.logf("cluster ready after %s at %s", time.Since(began).Round(time.Millisecond), c.config.Host)
	return c, nil
}

func newCluster(found programs, options Options) (*Cluster, error) {
	clients, err := newAuthority("rostra-local-clients")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rostra-cluster-")
	if err != nil {
		return nil, fmt.Errorf("no directory for the cluster: %w", err)
	}
	c := &Cluster{options: options, programs: found, dir: dir, logDir: options.LogDir, clients: clients}
	if c.logDir == "" {
		c.logDir = dir
	}
	return c, nil
}

// Config returns a copy of the administrator's configuration: a member of system:masters, whose requests are limited
// neither by the client nor by the server's priority and fairness.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Kubeconfig returns the path of the administrator's kubeconfig, which Stop removes.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "admin.kubeconfig") }

// Processes returns the programs of the cluster, in the order in which they were started.
func (c *Cluster) Processes() []Process {
	all := make([]Process, 0, len(c.processes))
	for _, p := range c.processes {
		all = append(all, Process{Name: p.name, PID: p.pid()})
	}
	return all
}

// Stop kills the processes, waits until they are gone, and removes their data. There is nothing to finish, since nothing
// is kept. A second call does nothing.
func (c *Cluster) Stop() error {
	for _, p := range slices.Backward(c.processes) {
		p.stop()
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("the cluster is stopped, but its directory is left: %w", err)
	}
	return nil
}

func (c *Cluster) startEtcd(context.Context) error {
	// The API server waits for etcd by itself, so both start at the same time.
	return c.start("etcd", c.programs.etcd, etcdArgs(c.options.Durable))
}

func (c *Cluster) startAPIServer(ctx context.Context) error {
	serving, err := c.writeAPIServerFiles()
	if err != nil {
		return err
	}
	const attempts = 3
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		if err := c.setAdmin(serving, port); err != nil {
			return err
		}
		if err := c.start("kube-apiserver", c.programs.apiServer, apiServerArgs(port, c.options)); err != nil {
			return err
		}
		err = c.await(ctx, "the API server", c.apiServerReady)
		if errors.Is(err, errAddressInUse) && attempt < attempts {
			// Another program took the port between our look and the server's.
			last := len(c.processes) - 1
			c.processes[last].stop()
			c.processes = c.processes[:last]
			continue
		}
		return err
	}
}

// setAdmin points the administrator's configuration and kubeconfig at the API server.
func (c *Cluster) setAdmin(serving *authority, port int) error {
	cert, key, err := c.clients.clientCertificate("admin", []string{"system:masters"})
	if err != nil {
		return err
	}
	c.config = &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", port),
		TLSClientConfig: rest.TLSClientConfig{CAData: serving.certificatePEM(), CertData: cert, KeyData: key},
		QPS:             -1, // no limit in the client
	}
	if c.kube, err = kubernetes.NewForConfig(c.config); err != nil {
		return fmt.Errorf("no client for the API server: %w", err)
	}
	return writeKubeconfig(c.Kubeconfig(), "admin", c.config)
}

func (c *Cluster) apiServerReady(ctx context.Context) error {
	var status int
	answer := c.kube.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
	if err := answer.Error(); err != nil {
		return fmt.Errorf("/readyz answers %d: %w", status, err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("/readyz answers %d", status)
	}
	_, err := c.kube.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
	return err
}

func (c *Cluster) installCRDs(context.Context) error {
	if len(c.options.CRDPaths) == 0 {
		return nil
	}
	crds, err := envtest.InstallCRDs(c.Config(), envtest.CRDInstallOptions{
		Paths:              c.options.CRDPaths,
		ErrorIfPathMissing: true,
		MaxTime:            crdTimeout,
		PollInterval:       pollInterval,
	})
	if err != nil {
		return fmt.Errorf("the CRDs in %v were not installed: %w", c.options.CRDPaths, err)
	}
	c.logf("%d CRDs installed", len(crds))
	return nil
}

func (c *Cluster) startControllerManager(ctx context.Context) error {
	if !c.options.ControllerManager {
		return nil
	}
	if err := c.start("kube-controller-manager", c.programs.controllerManager, controllerManagerArgs(c.Kubeconfig())); err != nil {
		return err
	}
	// It serves nothing that could be asked, so its first piece of work tells that it is up.
	return c.await(ctx, "the controller manager", func(ctx context.Context) error {
		_, err := c.kube.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return errors.New("it has not made the default service account yet")
		}
		return err
	})
}

// start runs one program as a child with the cluster's directory as its working directory.
func (c *Cluster) start(name, path string, args []string) error {
	c.logf("starting %s", name)
	p, err := startProcess(name, path, args, c.dir, filepath.Join(c.logDir, name+".log"))
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	return nil
}

// await asks again and again until what it waits for is ready, a process has ended, or the context is done.
func (c *Cluster) await(ctx context.Context, what string, ready func(context.Context) error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		probe, cancel := context.WithTimeout(ctx, probeTimeout)
		last := ready(probe)
		cancel()
		if last == nil {
			return nil
		}
		for _, p := range c.processes {
			if err := p.failure(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w)", what, context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

func (c *Cluster) logf(format string, args ...any) {
	if c.options.Log != nil {
		_, _ = fmt.Fprintf(c.options.Log, format+"\n", args...) // progress only: there is nobody to tell that it failed
	}
}
