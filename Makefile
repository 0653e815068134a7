# Targets that are for people carry a "## " comment; `make` alone lists them.

# Recorded editing histories, for tests and benchmarks. Where there are none,
# those tests replay a history that they generate, and say so.
TRACES ?= $(wildcard ../shared/data/traces)

LISTEN ?= 127.0.0.1:8080
DATA ?= ./data

TOOL := go tool -modfile=tools.mod
UNIT = $$(go list ./... | grep -v '/e2e$$')

# Packages whose code starts nothing and locks nothing, as TestWhatRunsAtOnceIsRaced sees to: the race detector takes ten times as long, and
# finds nothing there. The engine has its own checks, which the detector turns on elsewhere.
ENGINE := crdt crdt/bench crdt/prose crdt/ysync
PLAIN := internal/ownfile server/access server/login/breached server/misread server/notekind server/signature sessions/tally \
	web web/build web/words/extract
# Those that take longest go first, so that none of them is left at the end with the machine to itself.
RACED = $$(go list ./server ./server/store ./sessions ./loadtest ./... | \
	grep -vxF "$$(printf 'github.com/clisonix/tidechart/%s\n' e2e $(ENGINE) $(PLAIN))")
# What measures time or memory, or would take too long with the race detector, has the machine to itself.
MEASURED := ^(TestApplyAllocation|TestCopiesAreBounded|TestCompareIsBounded|TestLongNote|TestIdleConnections|TestOffersAllocate|TestFoldedHistory|TestDecisionsAreCheap|TestMassReading|TestSealingAllocates|TestIdleKeysAreSmall|TestManyDataKeysAreRewrapped|TestPassword$$|TestTimeTellsNoNames|TestDamagedBurstsAreNoticed|TestFaults$$)
# What tests are run with: vet is a linter's.
TESTING := TIDECHART_REQUIRE_ALL=1 TRACES=$(abspath $(TRACES)) scripts/inmemory.sh go test -vet=off

.DEFAULT_GOAL := help
.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## install what is missing, build, and start the demo
	@scripts/deps.sh run
	@$(MAKE) --no-print-directory build
	@exec bin/tidechart demo --listen $(LISTEN) --data $(DATA)

.PHONY: dev
dev: ## the demo with live reload on http://127.0.0.1:7331
	@scripts/deps.sh test
	@LISTEN=$(LISTEN) DATA=$(DATA) $(TOOL) templ generate --watch --open-browser=false --log-level=warn \
		--watch-pattern='\.(go|templ|sql|ts|css)$$' --ignore-pattern='/(dist|node_modules|e2e)/' \
		--proxy=http://$(LISTEN) --cmd=scripts/dev.sh

.PHONY: build
build: ## build bin/tidechart
	@go build -o bin/tidechart ./cmd/tidechart

# By this name, make -n does not take it for a reason to run all of the line.
SELF := $(MAKE)

# The browser comes last. Packages are installed while Go compiles what needs none of them, and tests that wait for Postgres for a third of their
# time run beside the linters and the others, and three packages at a time on two processors.
.PHONY: test
test: ## install what tests need, then check and test everything
	@go build ./... & building=$$!; scripts/deps.sh test && wait $$building
	@scripts/unchanged.sh $(MAKE) --no-print-directory generate
	@$(SELF) --no-print-directory lint test-plain & others=$$!; \
		$(TESTING) -race -timeout 15m -p $$(($$(getconf _NPROCESSORS_ONLN) + 1)) $(RACED); raced=$$?; \
		wait $$others && exit $$raced
	$(TESTING) -count=1 -run '$(MEASURED)' \
		./crdt ./crdt/prose ./server ./server/access ./server/login ./server/store ./server/vault ./sessions ./sessions/history
	$(TESTING) -count=1 -timeout 15m ./e2e

.PHONY: test-plain
test-plain:
	@$(TESTING) -p 1 -skip '$(MEASURED)' -tags crdtcheck $(ENGINE:%=./%)
	@$(TESTING) -p 1 -skip '$(MEASURED)' $(PLAIN:%=./%)
	@$(TESTING) -run '^$$' -bench . -benchtime 1x ./crdt ./crdt/prose ./server/access ./server/store ./server/vault

.PHONY: check
check: lint ## the quick checks and tests, without browsers, in seconds
	@scripts/unchanged.sh $(MAKE) --no-print-directory generate-templ
	go test -short $(UNIT)

.PHONY: lint
lint:
	@bad=$$($(TOOL) gofumpt -l cmd crdt e2e internal loadtest migrations server sessions web); \
		test -z "$$bad" || { echo "Not formatted (run: make fmt):" $$bad >&2; exit 1; }
	@$(TOOL) templ fmt -fail -log-level warn web
	go vet ./...
	$(TOOL) staticcheck ./...

.PHONY: fmt
fmt: ## format Go and templ
	@$(TOOL) gofumpt -l -w cmd crdt e2e internal loadtest migrations server sessions web
	@$(TOOL) templ fmt -log-level warn web

.PHONY: generate generate-templ
generate: generate-templ ## make all generated files anew: templ, sqlc, the catalogue of words, web/dist
	@scripts/sqlc.sh
	@go run ./web/words/extract
	@go run ./web/build
# From the root: errors name templates by their path there, as under make dev.
generate-templ:
	@$(TOOL) templ generate -log-level warn

.PHONY: deps
deps: ## install what running and testing need
	@scripts/deps.sh test

.PHONY: bench
bench: ## this CRDT engine beside yjs and ywasm, on the same data (ONLY=load: some of it; ROUNDS=5: in turns)
	@TRACES=$(abspath $(TRACES)) go run ./crdt/bench -rounds $(or $(ROUNDS),1) -only "$(ONLY)"

# Those of NIST come with circl; tests have some of Wycheproof's, and this all.
WYCHEPROOF := github.com/c2sp/wycheproof@v0.0.0-20260902155932-3fa63dd0344a

.PHONY: vectors
vectors: ## all of Wycheproof's vectors for ML-KEM-768 and ML-DSA-65: downloads 15 MB once
	dir=$$(cd / && go mod download -json $(WYCHEPROOF) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p') && test -n "$$dir" && \
		TIDECHART_WYCHEPROOF=$$dir go test -count=1 -v -run '^(TestVectors|TestSecondImplementation|TestMLKEM)' ./server/vault ./server/audit

# OpenBao is a module of its own: only this target needs it.
.PHONY: test-kms
test-kms: ## the tests of key services, against a real OpenBao, which takes minutes to build the first time
	cd server/vault/transit/transittest/testdata/openbao && go vet . && go build -o $(CURDIR)/bin/openbao .
	TIDECHART_OPENBAO=$(CURDIR)/bin/openbao go test -count=1 ./server/vault/transit
	TIDECHART_OPENBAO=$(CURDIR)/bin/openbao go test -count=1 -run '^TestKeysOfAService$$' ./cmd/tidechart
	TIDECHART_OPENBAO=$(CURDIR)/bin/openbao TIDECHART_REQUIRE_ALL=1 go test -count=1 -run '^TestKeyService$$' -v ./e2e

.PHONY: bench-audit
bench-audit: ## how many acts a second are recorded, and how soon they have their place in the log
	go test ./server/store -run '^$$' -bench '^BenchmarkAuditLog$$' -benchtime 1x -audit.for 20s -audit.rate 5000 -audit.lag 1s

.PHONY: bench-sign
bench-sign: ## how long sealing takes: 200 notes in each of which three people type
	go test ./server/store -count=1 -v -run '^TestSealing$$' -sign.notes 200 -sign.keys 500ms -sign.in 100ms

.PHONY: test-signing
test-signing: ## many schedules of edits, signatures, freezes, crashes and offline returns on two servers, from seed FIRST=1000
	go test ./server/store -count=1 -timeout 0 -v -run '^TestAnyScheduleOfSignatures$$' -sign.first $(FIRST) -sign.schedules $(or $(SCHEDULES),500)

.PHONY: bench-pages
bench-pages: ## from a key to another's screen among twenty who write, typing in a note of 50 pages, and how soon a note is there
	@scripts/deps.sh test
	E2E_SPEED=1 TIDECHART_REQUIRE_ALL=1 go test ./e2e -count=1 -v -run '^TestPagesAreQuick$$'

.PHONY: bench-servers
bench-servers: ## this server beside Hocuspocus and y-websocket's, under the same loads; ARGS=-quick is shorter
	@scripts/deps.sh bench
	@$(MAKE) --no-print-directory build
	@go run ./loadtest/bench $(ARGS)

.PHONY: bench-keys
bench-keys: ## what sealing costs, a worklist of 500 sealed patients, and 100,000 data keys that are wrapped anew
	go test -count=1 -run '^$$' -bench . ./server/vault -vault.update 2us -vault.note 1ms
	go test ./server/store -count=1 -run '^TestManyDataKeysAreRewrapped$$' -v -bench Worklist -datakeys 100000 -datakeys.in 3m

.PHONY: bench-security
bench-security: bench-keys bench-audit bench-sealed bench-rotation ## what secrecy and the log of acts cost: the four one after the other

.PHONY: bench-sealed
bench-sealed: ## what sealing and recording cost a keystroke: beside the last version that did neither
	@scripts/deps.sh run
	@$(MAKE) --no-print-directory build
	@scripts/bench-sealed.sh bin/tidechart $(ROUNDS)

.PHONY: bench-reviews
bench-reviews: ## how soon a page of the review of sessions is there, of 100,000 sessions with a million edits
	go test ./server/store -count=1 -v -run '^TestReviewOfManySessions$$' -reviews.sessions 100000

.PHONY: bench-board
bench-board: ## how soon a change of a board of 60 beds is with 200 people who look at it
	go test ./server -count=1 -v -run '^TestBoardForManyViewers$$' -board.viewers 200 -board.changes 20 -board.within 1s

.PHONY: bench-rotation
bench-rotation: ## what changing the key while people type does to keystrokes: 1,000 data keys are wrapped anew under load
	go test ./loadtest -count=1 -v -run '^TestRotationUnderLoad$$' -rotation.for 15s -rotation.keys 1000

# How long each search runs. The seeds of make test come first; FIRST skips them.
FOR ?= 1h
FIRST ?= 1000

.PHONY: fuzz-yjs
fuzz-yjs: ## compare random histories with yjs for FOR=1h from seed FIRST=1000
	@for t in TestYjsLocalEdits TestYjsHistories TestYjsPast; do \
		TIDECHART_REQUIRE_ALL=1 go test ./crdt -count=1 -timeout 0 -v -run "^$$t$$" -yjs.first=$(FIRST) -yjs.for=$(FOR) || exit 1; done

# go test fuzzes one target at a time.
FUZZ_FOR ?= 10m

.PHONY: fuzz
fuzz: ## fuzz each decoder of the CRDT engine, and the vault, for FUZZ_FOR=10m
	@for p in crdt crdt/ysync crdt/prose server/vault; do \
		for t in $$(grep -ho 'func Fuzz[A-Za-z0-9]*' $$p/*_test.go | cut -c6-); do \
			go test ./$$p -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZ_FOR) || exit 1; done; done

# The long form of what make test does in a minute.
SEEDS ?= 2000
KILLS ?= 200

.PHONY: faults
faults: ## lose servers, databases and lines for long: SEEDS=2000 simulated runs, KILLS=200 of real processes
	go test ./sessions -count=1 -timeout 0 -run '^TestFaults$$' -seeds $(SEEDS)
	E2E_KILLS=$(KILLS) go test ./e2e -count=1 -timeout 0 -v -run '^(TestNoAcknowledgedEditIsLost|TestBadLines|TestDatabaseRestarts|TestFullDisk)$$'

.PHONY: authors
authors: ## of SEEDS=2000 crowds of editors, how many characters are said to be another's, or of another time
	go test ./sessions/history -count=1 -timeout 0 -v -run '^TestEveryCharacterIsItsAuthors$$' -authors.first $(FIRST) -authors.seeds $(SEEDS) -authors.rows 250

# How long people come and go.
SOAK ?= 30m

.PHONY: soak
soak: ## people come, type and leave for SOAK=30m: memory, goroutines and latencies stay as they were
	go test ./loadtest -count=1 -timeout 0 -v -run '^TestSoak$$' -soak $(SOAK)

# Where the pictures go; ONLY=board makes those whose name has it.
SHOTS ?= shots

.PHONY: shots
shots: ## pictures of every page as each role sees it, light and dark, on a desk and a phone, in SHOTS=shots
	@E2E_PLACES=$(abspath $(SHOTS)) E2E_ONLY=$(ONLY) TIDECHART_REQUIRE_ALL=1 go test ./e2e -count=1 -timeout 30m -v -run '^TestPlaces$$'

.PHONY: clean
clean: ## remove what was built; the demo's data stays
	@rm -rf bin e2e/artifacts
