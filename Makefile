# Copyright 2026 The Rostra Authors.
# SPDX-License-Identifier: Apache-2.0

# Two targets matter to a newcomer: `make demo` runs the main job on real parts, `make test` passes every check.
# Everything that is missing is built from pinned Go modules and npm packages into a cache that all clones share.

SHELL := /bin/sh
.DEFAULT_GOAL := help
TOOL = $(shell hack/tools/install.sh $(1))
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# Suites that start an API server run one after another: two of them would only slow each other down on two cores.
TEST_FLAGS ?= -count=1 -timeout=40m

.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## play the main job on a real Kubernetes API and a real Bluesky server (ONCE=1: check it and stop)
	@echo "demo: compiling (minutes the first time, seconds from then on)"
	@go run ./hack/demo

.PHONY: test
test: parts generated lint unit suites ## pass every check: generated files, lint, unit tests, suites on real parts

# Built before any test runs, so that its progress shows and no test waits for it.
.PHONY: parts
parts: ## build or install the real parts that the suites and the demo run on
	@hack/controlplane/build.sh --with-controller-manager >/dev/null
	@test/pds/server/install.sh >/dev/null
	@test/webpush/sender/install.sh >/dev/null
	@test/oidc/server/install.sh >/dev/null
	@test/browser/install.sh >/dev/null
	@test/alertmanager/server/build.sh >/dev/null

.PHONY: build
build: ## build bin/rostra
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/rostra .

.PHONY: generate
generate: ## write the files that are generated from the types, the markers and the adapters
	$(call TOOL,controller-gen) object:headerFile=hack/boilerplate.go.txt paths=./api/...
	$(call TOOL,controller-gen) crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	$(call TOOL,controller-gen) rbac:roleName=rostra-manager paths=./controllers/... output:rbac:artifacts:config=config/rbac
	$(call TOOL,crd-ref-docs) --config hack/crd-ref-docs/config.yaml --renderer markdown --templates-dir hack/crd-ref-docs/templates --source-path ./api/v1alpha1 --output-path docs/reference/api.md
	go run . platforms -o markdown >docs/reference/capabilities.md.new && mv docs/reference/capabilities.md.new docs/reference/capabilities.md

.PHONY: generated
generated: ## check that generated files and go.mod are current
	@hack/generated.sh

.PHONY: lint
lint: ## check style, API conventions and the house's import rules
	$(call TOOL,golangci-lint) run --allow-parallel-runners ./...
	$(call TOOL,golangci-lint) run --allow-parallel-runners -c .golangci-kal.yml ./api/...
	cd hack/tools && $(call TOOL,golangci-lint) run --allow-parallel-runners -c ../../.golangci.yml ./...
	$(call TOOL,archlint) ./...

# What needs no server beyond a local listener.
.PHONY: unit
unit: ## run the unit tests
	go test $(TEST_FLAGS) . ./api/... ./controllers/... ./internal/... ./hack/demo/...
	cd hack/tools && go test -count=1 ./...

.PHONY: suites
suites: ## run the suites on a real Kubernetes API and real social servers
	go test -p 1 $(TEST_FLAGS) ./test/...

.PHONY: fuzz
fuzz: ## fuzz every parser of outside input for FUZZTIME each
	@hack/fuzz.sh $(or $(FUZZTIME),30s)

.PHONY: faults
faults: ## kill processes under load, and print what was sent, stored and told (FAULTS_KILLS=100)
	go test -count=1 -timeout=20m -v ./test/faults

.PHONY: bench
bench: ## measure 1,000 channels against the API server's own speed
	@go run ./test/bench

.PHONY: install
install: ## apply the operator to the cluster of your kubeconfig
	kubectl apply -k config/default
