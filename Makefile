# trackgate: build it, try it, prove it. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO          ?= go
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME    ?= 60s
BENCHARGS   ?=
BINARY      ?= bin/trackgate
DOCKER      ?= docker
IMAGE       ?= trackgate:$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
NFPM        := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
SUDO        := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Where install puts things. Into a DESTDIR it needs no rights.
PREFIX      ?= /usr/local
DESTDIR     ?=
DIST        ?= dist
AS_ROOT     := $(if $(DESTDIR),,$(SUDO))

# A version of a package begins with a digit, and has no hyphen.
DEB_VERSION := $(shell sed 's/^v\([0-9]\)/\1/; t hyphens; s/^/0~/; :hyphens s/-/+/g' <<<'$(VERSION)')

# What is needed beside Go, by the names of Debian's packages.
TOOLS       := bind9 chromium curl gcc iproute2 libc6-dev libnss3-tools nftables nghttp2-client openssl prometheus python3-fastapi python3-uvicorn \
               redis-server sslscan systemd testssl.sh util-linux
BENCHTOOLS  := haproxy nghttp2-client nginx-light

# The version is stamped by hand, so that a build works in any checkout.
export CGO_ENABLED ?= 0
BUILDFLAGS := -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'

# The x86-64 level to build for (see `go help environment`). v3, what servers have had since about 2015, makes a TLS handshake
# 5 to 9 % cheaper; a processor without it gets v1. Say GOAMD64=v1 to build here for an older machine elsewhere.
GOAMD64 ?= $(shell for f in avx2 bmi1 bmi2 f16c fma movbe; do grep -qw $$f /proc/cpuinfo 2>/dev/null || { echo v1; exit; }; done; echo v3)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | awk -F'\t' '{printf "  make %-20s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build bin/trackgate, one static binary
	GOAMD64=$(GOAMD64) $(GO) build $(BUILDFLAGS) -o $(BINARY) ./cmd/trackgate

.PHONY: image
image: ## Build the container image (needs docker, or DOCKER=podman)
	$(DOCKER) build --build-arg VERSION=$(VERSION) -t $(IMAGE) .

.PHONY: run
run: build ## Build and start the whole gate on https://localhost:8443 with two stand-in backends
	bin/trackgate demo

.PHONY: test
test: ## Run every test that needs nothing but Go, the wire cases among them
	$(GO) test -count=1 ./...

.PHONY: race
race: ## The same under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -count=1 -race ./...

.PHONY: wire
wire: ## Run the wire cases and floods alone: what a client or a backend may send, and what must come of it
	$(GO) test -count=1 -run TestWire ./internal/wirecheck

.PHONY: suites
suites: ## Run the tests that use real servers (see install-tools)
	$(GO) test -count=1 -p 1 -tags suites $$($(GO) list -tags suites ./internal/suites/... | grep -v /acme$$) ./tlsconf/redisstore
	$(GO) test -count=1 -parallel 6 -tags suites ./internal/suites/acme

# What is Kubernetes' own is slow to compile and not worth optimizing.
KUBERNETES := -C internal/suites/kubernetes
QUICKLY    := '-gcflags=k8s.io/...=-N -l'

.PHONY: kubernetes
kubernetes: ## Check manifests and chart for Kubernetes, field by field (needs nothing but Go; half a minute to compile)
	$(GO) mod $(KUBERNETES) tidy -diff
	$(GO) test $(KUBERNETES) -count=1 $(QUICKLY) ./...

.PHONY: soak
soak: ## The scenarios at length: about twenty minutes, with nginx and HAProxy where they are (needs root for network namespaces)
	SOAK=1 $(GO) test -count=1 -tags scenario -timeout 60m ./internal/scenario

.PHONY: scenarios
scenarios: ## Backends that die, hang and flap, full disks, set clocks, under load: the short form (needs root for network namespaces)
	$(GO) test -count=1 -tags scenario -timeout 10m ./internal/scenario

.PHONY: fuzz
fuzz: ## Fuzz every target in the tree, FUZZTIME each (60s)
	@$(GO) test -list '^Fuzz' ./... \
	| awk '/^Fuzz/ {name[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, name[i]; n = 0}' \
	| while read -r package target; do \
		echo "$$target in $$package for $(FUZZTIME)"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" </dev/null; \
	done

.PHONY: bench
bench: build ## Measure against nginx and HAProxy, side by side (BENCHARGS for trackbench)
	$(GO) run ./cmd/trackbench $(BENCHARGS)

.PHONY: lint
lint: ## gofmt, go vet, go mod tidy, staticcheck, and the rules of the house
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt these:"; echo "$$unformatted"; exit 1; }
	$(GO) vet -tags suites,scenario ./...
	$(GO) mod tidy -diff
	$(GO) run $(STATICCHECK) -tags suites,scenario ./...
	$(GO) test ./internal/house

.PHONY: check
check: lint build race test suites kubernetes scenarios ## All of the above but fuzz and bench: what CI runs

.PHONY: install
install: build ## Install the program, its settings and its systemd service (PREFIX, DESTDIR)
	$(AS_ROOT) install -D -m 755 bin/trackgate $(DESTDIR)$(PREFIX)/bin/trackgate
	sed 's|/usr/bin/|$(PREFIX)/bin/|' packaging/systemd/trackgate.service \
	| $(AS_ROOT) install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/trackgate.service
	$(AS_ROOT) install -D -m 644 packaging/systemd/before-253.conf $(DESTDIR)$(PREFIX)/share/trackgate/before-253.conf
	$(AS_ROOT) install -D -m 644 packaging/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/trackgate.conf
	$(AS_ROOT) install -D -m 644 configs/reference.yaml $(DESTDIR)$(PREFIX)/share/doc/trackgate/reference.yaml
	[ -e $(DESTDIR)/etc/trackgate/trackgate.yaml ] || \
		$(AS_ROOT) install -D -m 640 packaging/trackgate.yaml $(DESTDIR)/etc/trackgate/trackgate.yaml
	[ -n "$(DESTDIR)" ] || $(AS_ROOT) env UNITS=$(PREFIX)/lib/systemd/system SHARE=$(PREFIX)/share/trackgate packaging/scripts/postinstall.sh

.PHONY: deb
deb: ## Build dist/trackgate_VERSION_ARCH.deb, for any processor of the architecture
	GOAMD64=v1 $(GO) build $(BUILDFLAGS) -o $(DIST)/trackgate ./cmd/trackgate
	DIST='$(DIST)' DEB_VERSION='$(DEB_VERSION)' ARCH="$$($(GO) env GOARCH)" $(GO) run $(NFPM) package --config packaging/nfpm.yaml --packager deb --target $(DIST)/

.PHONY: install-tools
install-tools: ## Install what race and suites need beside Go (Debian)
	$(SUDO) apt-get update
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(TOOLS)

.PHONY: install-bench-tools
install-bench-tools: ## Install the proxies that bench measures against, and h2load (Debian)
	$(SUDO) apt-get update
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(BENCHTOOLS)

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist
