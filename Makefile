# tokensync. `make` or `make help` lists the targets.
#
# Everything that a target needs is built by it, once, from pinned versions: the
# tools (hack/tools/go.mod) and a control plane (hack/controlplane).

# The images that the manifests name.
IMAGE := ghcr.io/tokensync/tokensync-operator
SIDECAR_IMAGE := ghcr.io/tokensync/tokensync-sidecar

# ---- What may be set from outside ----

# The version that the binaries report.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo v0.0.0)
# The image that docker-build makes and deploy runs.
IMG ?= $(IMAGE):$(VERSION)
# The same for the sidecar.
SIDECAR_IMG ?= $(SIDECAR_IMAGE):$(VERSION)
CONTAINER_TOOL ?= docker
# The cluster of install and deploy is the one that kubectl is pointed at.
KUBECTL ?= kubectl
# Other packages for a test target than all of its own, and flags for `go test`:
# make test-integration PACKAGES=./test/schema TEST_FLAGS='-v -run=TestName'
PACKAGES ?=
TEST_FLAGS ?=
TEST_TIMEOUT ?= 30m
# How many processes share the specs of test/integration, and of test/sidecar, each with
# an API server of its own. Most of their time they wait for a token to end.
PROCESSES ?= 3
# How many credentials the benchmark makes, and more flags for it.
N ?= 1000
BENCH_FLAGS ?=
# Flags for the end-to-end suite: make e2e E2E_FLAGS='-ginkgo.focus=sidecar -ginkgo.v'
E2E_FLAGS ?=

# ---- What follows from that ----

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := $(CURDIR)/bin
CONTROLPLANE := $(BIN)/controlplane
TOOLS := controller-gen crd-ref-docs golangci-lint golangci-lint-kube-api-linter helm helm-unittest kubeconform kustomize

# Where envtest looks for etcd, kube-apiserver and kubectl. Whoever sets it has
# them already; otherwise they are built.
ifeq ($(strip $(KUBEBUILDER_ASSETS)),)
KUBEBUILDER_ASSETS := $(CONTROLPLANE)
endif
export KUBEBUILDER_ASSETS

# Reproducible: no paths of this machine, no symbol table.
BUILD_FLAGS := -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

# What `make generate` writes. Nobody edits it.
GENERATED := api/v1alpha1/zz_generated.deepcopy.go \
	config/crd/bases config/rbac/role.yaml config/prometheus/prometheus_rule.yaml \
	charts/tokensync/templates/crds charts/tokensync/files docs/reference/api.md docs/catalog.md

# Modules of our own, each with dependencies of its own.
MODULES := . hack/tools hack/controlplane/etcd hack/controlplane/kubernetes hack/node/coredns hack/node/runtime

# What each test target runs. A new suite under test/ runs beside others with
# test-suites until it is named here.
UNIT_PACKAGES = $(or $(PACKAGES),$$(go list ./... | grep -vE '/tokensync/(test|docs)(/|$$)') ./test/standin/... ./test/catalog/...)
SUITE_PACKAGES = $(or $(PACKAGES),./docs $$(go list ./test/... | grep -vE '/test/((standin|catalog|chart|integration|sidecar|failures)(/|$$)|e2e$$)'))

# Never from the cache, because Go does not know that the API server or a binary
# changed.
SUITE = go test -count=1 -timeout $(TEST_TIMEOUT) $(TEST_FLAGS)

# $(call timed,TITLE,COMMAND) says what begins, and how long it took.
timed = echo ">> $(1)"; start=$$SECONDS; $(2); echo ">> $(1): ok, $$((SECONDS - start)) s"

##@ Help

.PHONY: help
help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Develop

.PHONY: build
build: ## Build the operator, the sidecar and the kubectl plugin into bin/.
	@$(call timed,build the operator $(VERSION),CGO_ENABLED=0 go build $(BUILD_FLAGS) -o $(BIN)/tokensync-operator ./cmd/tokensync-operator)
	@$(call timed,build the sidecar $(VERSION),CGO_ENABLED=0 go build $(BUILD_FLAGS) -o $(BIN)/tokensync-sidecar ./cmd/tokensync-sidecar)
	@$(call timed,build the kubectl plugin $(VERSION),CGO_ENABLED=0 go build $(BUILD_FLAGS) -o $(BIN)/kubectl-tokensync ./cmd/kubectl-tokensync)

.PHONY: generate
generate: bin/controller-gen bin/crd-ref-docs bin/golangci-lint ## Write deepcopy code, CRDs, RBAC and the API reference.
	@echo ">> generate code"
	@bin/controller-gen object paths=./api/...
	@echo ">> generate manifests"
	@bin/controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	@bin/controller-gen rbac:roleName=tokensync-operator paths=./controllers/... output:rbac:artifacts:config=config/rbac
	@hack/chart-crds.sh
	@hack/chart-rbac.sh
	@hack/chart-injection.sh
	@hack/chart-catalog.sh
	@hack/prometheus/rule.sh
	@go run ./hack/catalog
	@echo ">> generate the API reference"
	@mkdir -p docs/reference
	@bin/crd-ref-docs --source-path=api/v1alpha1 --config=hack/crd-ref-docs.yaml \
		--renderer=markdown --output-path=docs/reference/api.md --log-level=ERROR
	@sed -i 's/ *<nil>\\}/\\}/g' docs/reference/api.md # What it prints of a rule that has no reason.

.PHONY: fmt
fmt: bin/golangci-lint ## Format all Go code.
	@bin/golangci-lint fmt

.PHONY: tidy
tidy: ## Tidy every go.mod.
	@for module in $(MODULES); do echo ">> go mod tidy in $$module"; (cd $$module && go mod tidy); done

.PHONY: demo
demo: controlplane build ## See it at work: control plane, operator, providers with short lifetimes. DEMO_KEEP=1 leaves it up.
	@go build -o $(BIN)/tokensync-demo ./hack/demo
	@$(BIN)/tokensync-demo

.PHONY: bench
bench: controlplane build ## Measure N credentials (default 1000) on a real API server.
	@go run ./hack/bench -n $(N) $(BENCH_FLAGS)

##@ Check

# In the order in which they fail fastest.
.PHONY: test
test: ## Everything that must hold before a change lands.
	@[[ -n "$${E2E_KUBECONFIG:-}" ]] || hack/node/up.sh --check
	@start=$$SECONDS; \
	for target in verify lint test-unit test-chart test-integration test-sidecar test-suites test-failures test-storms e2e; do \
		echo; echo "==== make $$target"; $(MAKE) $$target; \
	done; \
	echo; echo "==== all passed in $$((SECONDS - start)) s"

.PHONY: verify
verify: verify-generated verify-tidy verify-fmt verify-clean ## Fail when generated files, go.mod or formatting are stale.

# Content before and after, so that it works with uncommitted edits too.
.PHONY: verify-generated
verify-generated:
	@mkdir -p $(BIN)
	@hashes() { find $(GENERATED) -type f -print0 2>/dev/null | sort -z | xargs -0r sha256sum; }; \
	hashes >$(BIN)/.generated-before || true; \
	$(MAKE) generate; \
	hashes >$(BIN)/.generated-after || true; \
	stale=$$(sort $(BIN)/.generated-before $(BIN)/.generated-after | uniq -u | awk '{ print $$2 }' | sort -u); \
	if [ -n "$$stale" ]; then \
		echo "These were stale, and \"make generate\" has now written them anew:" >&2; \
		sed 's/^/  /' <<<"$$stale" >&2; exit 1; \
	fi; \
	echo ">> generated files are fresh"

.PHONY: verify-tidy
verify-tidy:
	@for module in $(MODULES); do \
		(cd $$module && go mod tidy -diff >/dev/null) || { echo "$$module/go.mod is not tidy: run \"make tidy\"" >&2; exit 1; }; \
	done; \
	echo ">> every go.mod is tidy"

.PHONY: verify-fmt
verify-fmt: bin/golangci-lint
	@bin/golangci-lint fmt --diff || { echo "Some Go code is not formatted: run \"make fmt\"" >&2; exit 1; }; \
	echo ">> all Go code is formatted"

# A developer may have edits; CI starts from a commit.
.PHONY: verify-clean
verify-clean:
	@if [ "$${CI:-}" = true ]; then \
		dirty=$$(git status --porcelain); \
		if [ -n "$$dirty" ]; then echo "The tree differs from the commit:" >&2; echo "$$dirty" >&2; exit 1; fi; \
		echo ">> the tree is clean"; \
	fi

.PHONY: lint
lint: bin/golangci-lint bin/golangci-lint-kube-api-linter ## Run golangci-lint, and the Kubernetes API linter on api/.
	@$(call timed,golangci-lint,bin/golangci-lint run --allow-parallel-runners)
	@$(call timed,go vet in hack/tools,cd hack/tools; go vet ./...)
	@$(call timed,kube-api-linter,bin/golangci-lint-kube-api-linter run --allow-parallel-runners --config .golangci-kal.yaml ./api/...)

.PHONY: test-unit
test-unit: ## Unit tests, with the race detector.
	@$(call timed,unit tests,go test -race $(TEST_FLAGS) $(UNIT_PACKAGES))

.PHONY: test-integration
test-integration: controlplane build ## The operator on a real API server: what each field and each event leads to.
	@$(call timed,integration tests,go tool ginkgo run --procs=$(PROCESSES) --timeout=$(TEST_TIMEOUT) $(TEST_FLAGS) ./test/integration)

.PHONY: test-suites
test-suites: controlplane build bin/helm ## The other suites: API schema, docs, plugin, GitOps tools, alerts, a browser, a certified authorization server. Needs node and npm.
	@$(call timed,suites,$(SUITE) -p 2 $(SUITE_PACKAGES))

.PHONY: test-sidecar
test-sidecar: controlplane ## The sidecar as a process, on a real API server and beside the operator.
	@$(call timed,sidecar,go tool ginkgo run --procs=$(PROCESSES) --timeout=$(TEST_TIMEOUT) $(TEST_FLAGS) ./test/sidecar)

.PHONY: test-failures
test-failures: controlplane build ## Operators that are killed, replicas, outages; wants a quiet machine.
	@$(call timed,failures,$(SUITE) ./test/failures)

.PHONY: test-storms
test-storms: controlplane ## Hundreds of credentials against providers that hang, throttle and fail; wants a quiet machine.
	@$(call timed,storms,STORMS=1 $(SUITE) ./test/failures -ginkgo.focus 'A provider of many' -ginkgo.v)

.PHONY: e2e
e2e: ## On a real node: the chart installed, real pods, a real kubelet. Needs root, or E2E_KUBECONFIG.
	@$(call timed,end to end,test/e2e/run.sh $(E2E_FLAGS))

.PHONY: test-chart
test-chart: bin/helm bin/helm-unittest bin/kubeconform bin/kustomize controlplane ## The chart and the manifests of config/: lint, unit tests, schemas, a real API server.
	@$(call timed,chart and manifests,BIN=$(BIN) hack/test-chart.sh $(TEST_FLAGS))

##@ Install

.PHONY: install
install: bin/kustomize ## Install the CRDs into the current cluster.
	@bin/kustomize build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: bin/kustomize ## Delete the CRDs, and with them every credential.
	@bin/kustomize build config/crd | $(KUBECTL) delete --ignore-not-found -f -

# An overlay under bin/ sets the image, so that no file of the repository changes.
.PHONY: overlay
overlay: bin/kustomize
	@mkdir -p $(BIN)/deploy; image=$(IMG); \
	[[ $${image##*/} == *:* ]] || { echo "IMG is $$image: give it a tag, as in registry.example.com/tokensync-operator:dev" >&2; exit 1; }; \
	printf '%s\n' 'resources: [../../config/default]' 'images:' \
		"- {name: $(IMAGE), newName: $${image%:*}, newTag: \"$${image##*:}\"}" >$(BIN)/deploy/kustomization.yaml

.PHONY: deploy
deploy: overlay ## Install CRDs and operator with the image IMG (name:tag).
	@bin/kustomize build bin/deploy | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: overlay ## Delete the operator and the CRDs, and with them every credential.
	@bin/kustomize build bin/deploy | $(KUBECTL) delete --ignore-not-found -f -

.PHONY: docker-build
docker-build: ## Build the images IMG and SIDECAR_IMG.
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) --target sidecar -t $(SIDECAR_IMG) .
	$(CONTAINER_TOOL) build --build-arg VERSION=$(VERSION) -t $(IMG) .

##@ Tools

# The script knows whether a tool is fresh, so it is asked every time.
.PHONY: $(TOOLS:%=bin/%)
$(TOOLS:%=bin/%):
	@hack/tools/build.sh $(@F)

.PHONY: tools
tools: $(TOOLS:%=bin/%) ## Build every tool now, instead of when it is first needed.

.PHONY: controlplane
controlplane: ## Build etcd, kube-apiserver and kubectl, unless KUBEBUILDER_ASSETS is set.
ifeq ($(KUBEBUILDER_ASSETS),$(CONTROLPLANE))
	@hack/controlplane/build.sh $(CONTROLPLANE)
else
	@echo ">> the control plane is the one in KUBEBUILDER_ASSETS=$(KUBEBUILDER_ASSETS)"
endif

.PHONY: clean
clean: ## Delete what was built, but for the tools and the control plane.
	@rm -rf $(BIN)/tokensync-* $(BIN)/kubectl-tokensync $(BIN)/.generated-* $(BIN)/schemas $(BIN)/deploy dist coverage*

.PHONY: clean-all
clean-all: ## Delete everything that was built, and end a node that is up.
	@hack/node/down.sh
	@rm -rf $(BIN) dist coverage*
