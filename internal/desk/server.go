// Copyright 2026 The Rostra Authors.
// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rostra-dev/rostra/internal/hook"
)

const (
	maxHeaderBytes = 8 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = workLimit + 5*time.Second
	idleTimeout    = 30 * time.Second
	drainTimeout   = 5 * time.Second
)

// NewServer makes a server of the desk for a manager, on every replica. The
// address is host:port, with a host of this machine alone.
func NewServer(address string, handler http.Handler, logger logr.Logger) (*manager.Server, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	return &manager.Server{
		Name: "desk",
		Server: &http.Server{
			Addr: address, Handler: handler, DisableGeneralOptionsHandler: true, MaxHeaderBytes: maxHeaderBytes,
			ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			ErrorLog: log.New(debugLines{logger}, "", 0),
		},
		ShutdownTimeout: new(drainTimeout),
	}, nil
}

// CheckAddress tells whether the desk may listen on an address: on this
// machine's own alone.
func CheckAddress(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is no address to listen on: write 127.0.0.1:8083", address)
	}
	if !hook.IsLoopback(host) {
		return fmt.Errorf("the desk of `rostra inbox` must not listen on %q: it asks nobody who they are, so it is for 127.0.0.1 or [::1], "+
			"where the right to forward the pod's port decides", address)
	}
	return nil
}

// debugLines logs what net/http has to say.
type debugLines struct{ log logr.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.log.V(1).Info("The desk's server says", "message", strings.TrimSpace(string(line)))
	return len(line), nil
}
