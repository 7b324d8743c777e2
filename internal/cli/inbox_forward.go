// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

const (
	// operatorLabels are those of config/manager.
	operatorLabels = "app.kubernetes.io/name=rostra,app.kubernetes.io/component=manager"
	// readerRole is that of config/rbac/inbox_reader_role.yaml.
	readerRole = "rostra-inbox-reader"
	// maxProblem bounds what is read of why a port cannot be forwarded, in bytes.
	maxProblem = 4 << 10
	// problemWithin is how long that may take to arrive.
	problemWithin = 2 * time.Second
)

// operatorPod finds a pod of the operator that works.
func operatorPod(ctx context.Context, clientset kubernetes.Interface, namespace string) (*corev1.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	pods, err := clientset.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: operatorLabels})
	switch {
	case apierrors.IsForbidden(err):
		return nil, missingRight("list pods", namespace, err)
	case err != nil:
		return nil, fmt.Errorf("look for the operator's pod in namespace %s: %w", namespace, err)
	}
	var seen []string
	for i := range pods.Items {
		pod := &pods.Items[i]
		if works(pod) {
			return pod, nil
		}
		seen = append(seen, pod.Name+" is "+podWords(pod))
	}
	if len(seen) == 0 {
		return nil, fmt.Errorf("no pod of the operator is in namespace %s (with the labels %s): is it scaled to 0, or does it run elsewhere? See `kubectl get deploy -A -l app.kubernetes.io/name=rostra`, and name its namespace with --operator-namespace",
			namespace, operatorLabels)
	}
	return nil, fmt.Errorf("no pod of the operator is ready in namespace %s: %s; see `kubectl describe pod -n %s %s`", namespace, strings.Join(seen, ", "), namespace, pods.Items[0].Name)
}

func works(pod *corev1.Pod) bool {
	if pod.Status.Phase != corev1.PodRunning || pod.DeletionTimestamp != nil {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func podWords(pod *corev1.Pod) string {
	switch {
	case pod.DeletionTimestamp != nil:
		return "being deleted"
	case pod.Status.Phase == corev1.PodRunning:
		return "running, but not ready"
	}
	return strings.ToLower(printable(string(pod.Status.Phase)))
}

// missingRight says which right somebody lacks, and how they get it.
func missingRight(what, namespace string, err error) error {
	return fmt.Errorf("you may not %s in namespace %s: ask for the Role %s there to be bound to you; the API server says: %s", what, namespace, readerRole, printable(err.Error()))
}

// forwarded is a port of a pod. Nothing listens for it on this machine, so that
// nobody else who works on it can use it.
type forwarded struct {
	connection httpstream.Connection
	pod        *corev1.Pod
	port       int
	requests   atomic.Int64

	mu      sync.Mutex
	problem string
}

// forwardPort opens the way to a pod, as kubectl does: by WebSocket, or where
// the API server or a proxy before it knows none, by SPDY.
func forwardPort(ctx context.Context, config *rest.Config, clientset kubernetes.Interface, pod *corev1.Pod, port int) (*forwarded, error) {
	target := clientset.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	newer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(target, config)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)

	connection, err := dialWithin(ctx, newer)
	if httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err) {
		refused, _ := errors.AsType[*httpstream.UpgradeFailureError](err)
		if connection, err = dialWithin(ctx, older); err != nil && refused != nil && apierrors.IsForbidden(refused.Cause) {
			err = refused.Cause
		}
	}
	switch {
	case apierrors.IsForbidden(err):
		return nil, missingRight("forward ports of pods (get and create pods/portforward)", pod.Namespace, err)
	case err != nil:
		return nil, fmt.Errorf("forward port %d of pod %s/%s: %s", port, pod.Namespace, pod.Name, printable(err.Error()))
	}
	return &forwarded{connection: connection, pod: pod, port: port}, nil
}

// dialWithin gives up where dialling takes too long: a dialer knows no context.
func dialWithin(ctx context.Context, dialer httpstream.Dialer) (httpstream.Connection, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, fmt.Errorf("the API server did not answer within %s", callTimeout))
	defer cancel()
	type dialled struct {
		connection httpstream.Connection
		err        error
	}
	result := make(chan dialled, 1)
	go func() {
		connection, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		if err == nil && protocol != portforward.PortForwardProtocolV1Name {
			_ = connection.Close()
			err = fmt.Errorf("the API server speaks %q, and not %q", protocol, portforward.PortForwardProtocolV1Name)
		}
		result <- dialled{connection, err}
	}()
	select {
	case got := <-result:
		return got.connection, got.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (f *forwarded) close() { _ = f.connection.Close() }

// dial opens a connection to the port.
func (f *forwarded) dial(context.Context, string, string) (net.Conn, error) {
	header := http.Header{}
	header.Set(corev1.PortHeader, strconv.Itoa(f.port))
	header.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(f.requests.Add(1), 10))
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	problems, err := f.connection.CreateStream(header)
	if err != nil {
		return nil, fmt.Errorf("open a stream for errors: %w", err)
	}
	_ = problems.Close() // nothing is written to it
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		text, _ := io.ReadAll(io.LimitReader(problems, maxProblem)) // it ends with the connection
		f.mu.Lock()
		defer f.mu.Unlock()
		f.problem = strings.TrimSpace(f.problem + " " + string(text))
	}()
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := f.connection.CreateStream(header)
	if err != nil {
		return nil, fmt.Errorf("open a stream for data: %w", err)
	}
	return &forwardedConn{Stream: data, heard: heard}, nil
}

// explain says why a call failed, where the pod's machine told.
func (f *forwarded) explain(_ context.Context, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.problem == "" {
		return fmt.Errorf("pod %s/%s does not answer on port %d: %s", f.pod.Namespace, f.pod.Name, f.port, printable(err.Error()))
	}
	if strings.Contains(f.problem, "refused") {
		return fmt.Errorf("nothing listens on port %d of pod %s/%s: the operator keeps no inbox (it has neither --inbox-dir nor --nats-url), was started with --inbox-bind-address=0, or is older than this command",
			f.port, f.pod.Namespace, f.pod.Name)
	}
	return fmt.Errorf("pod %s/%s cannot be reached on port %d: %s", f.pod.Namespace, f.pod.Name, f.port, printable(f.problem))
}

// forwardedConn is a stream as a connection.
type forwardedConn struct {
	httpstream.Stream
	// heard is closed once it is known whether there is a problem.
	heard chan struct{}
	some  bool
}

// Read implements net.Conn. Where the stream ends before anything came, it waits
// for why.
func (c *forwardedConn) Read(into []byte) (int, error) {
	n, err := c.Stream.Read(into)
	if c.some = c.some || n > 0; err != nil && !c.some {
		timer := time.NewTimer(problemWithin)
		defer timer.Stop()
		select {
		case <-c.heard:
		case <-timer.C:
		}
	}
	return n, err
}

// Close implements net.Conn.
func (c *forwardedConn) Close() error { return c.Reset() }

// LocalAddr implements net.Conn.
func (*forwardedConn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn.
func (*forwardedConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline implements net.Conn. A stream has no deadlines; the client that
// uses it has one for all of a call.
func (*forwardedConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn, as SetDeadline.
func (*forwardedConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn, as SetDeadline.
func (*forwardedConn) SetWriteDeadline(time.Time) error { return nil }
