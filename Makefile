# Waypost. `make help` explains the targets.
# A fresh machine needs Go, Node with npm, git and make; everything else is
# fetched as packages into build/, and never installed on the machine.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN       := bin/waypost
TOOLS     := build/bin
NPM_TOOLS := build/tools/node_modules/.package-lock.json
PROTOS    := build/protos/.done
VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_TOOL   := cd tools && go build -trimpath -o ../$(TOOLS)/

export WAYPOST_TOOLS := $(CURDIR)/build/tools

.PHONY: help build portal dev run test test-go test-portal test-e2e shots bench bench-portal fuzz lint breaking generate check-generated check-migrations protos clean

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

NODE_MODULES := frontend/node_modules/.package-lock.json
PORTAL       := frontend/dist/index.html

$(NODE_MODULES): frontend/package-lock.json
	npm ci --prefix frontend --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(PORTAL): $(NODE_MODULES) frontend/index.html frontend/vite.config.ts frontend/font.ts $(shell find frontend/src frontend/public -type f)
	npm run --silent --prefix frontend build

portal: $(PORTAL) ## Build the web UI into frontend/dist

dev: $(NODE_MODULES) ## Serve the web UI with hot reload in front of a running server (WAYPOST_SERVER, default http://127.0.0.1:8080)
	npm run --prefix frontend dev

build: $(PORTAL) ## Build the one binary, bin/waypost, with the web UI inside
	CGO_ENABLED=0 go build -tags ui -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./server/cmd/waypost

run: build ## Build and start Waypost with the bundled sample organisation
	@mkdir -p build
	$(BIN) serve --sample --db sqlite:build/sample.db

SAMPLE_TS := sample/plugins/license-ts/dist/main.js

$(SAMPLE_TS): sample/plugins/license-ts/package-lock.json sample/plugins/license-ts/main.ts
	npm ci --prefix sample/plugins/license-ts --ignore-scripts --no-audit --no-fund --silent
	npm run --silent --prefix sample/plugins/license-ts build

BACKSTAGE_CLIENT := server/backstage/testdata/client/node_modules/.package-lock.json

$(BACKSTAGE_CLIENT): server/backstage/testdata/client/package-lock.json
	npm ci --prefix server/backstage/testdata/client --ignore-scripts --no-audit --no-fund --silent

test: $(NPM_TOOLS) $(SAMPLE_TS) $(BACKSTAGE_CLIENT) test-portal test-e2e ## Run every test: Go on SQLite and PostgreSQL with the race detector, the portal, and the portal in a real browser
	go vet ./...
	go test -race -timeout 20m ./...

test-portal: $(NODE_MODULES) ## Check the portal's types and style and run its unit tests
	npm run --silent --prefix frontend check
	npm run --silent --prefix frontend test

test-e2e: build ## Run the portal's tests in a real browser, against the real binary
	cd frontend && npx playwright test --project portal

shots: build ## Take pictures of every page (light, dark, phone) into build/shots
	cd frontend && npx playwright test --project shots

test-go: ## Run the Go tests without the race detector: the quick round while working
	go test ./...

bench-portal: build ## Tell how fast the portal is in a real browser, with 15,500 entities and by Lighthouse
	cd frontend && npx playwright test --project measure --workers 1

bench: ## Run the benchmarks; compare two runs with `go tool -modfile=tools/go.mod benchstat`
	go test -run '^$$' -bench . -benchmem ./server/... ./plugins/...

fuzz: ## Fuzz every fuzz target for FUZZTIME (default 30s) each
	@for pkg in $$(go list ./server/... ./plugins/...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime "$${FUZZTIME:-30s}" $$pkg; \
	  done; \
	done

lint: $(TOOLS)/buf $(PROTOS) ## Lint Go (import rules included) and the protos
	@test -x $(TOOLS)/golangci-lint || (cd tools/lint && go build -trimpath -o ../../$(TOOLS)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
	$(TOOLS)/golangci-lint run ./...
	$(TOOLS)/buf lint
	$(TOOLS)/buf format --diff --exit-code proto

# The commit whose protos others may rely on; a release moves it.
PROTO_BASELINE := d28ca7a

breaking: $(TOOLS)/buf $(PROTOS) ## Refuse protos that break those that others may rely on
	@git cat-file -e $(PROTO_BASELINE) 2>/dev/null || { echo "NOT CHECKED: this clone has no commit $(PROTO_BASELINE) to compare the protos with"; [ -z "$$WAYPOST_REQUIRE_ALL" ] || [ -f .git/shallow ]; exit; }; \
	rm -rf build/baseline && mkdir -p build/baseline/build && \
	git archive $(PROTO_BASELINE) proto buf.yaml | tar -x -C build/baseline && cp -r build/protos build/baseline/build/ && \
	$(TOOLS)/buf breaking --against build/baseline

generate: $(TOOLS)/buf $(PROTOS) $(TOOLS)/protoc-gen-go $(NODE_MODULES) ## Generate code from the protos and the ent schema
	$(TOOLS)/buf generate
	go generate ./ent
	gofmt -w ent proto
	@mkdir -p build && go run ./server/cmd/waypost openapi > build/openapi.json
	cd frontend && npx openapi-typescript ../build/openapi.json -o src/api/schema.gen.ts

check-generated: generate ## Fail if generated code is stale
	@git diff --exit-code --stat -- ent proto server/api/openapi frontend/src/api && test -z "$$(git status --porcelain -- ent proto server/api/openapi frontend/src/api)" || { echo 'generated code is stale: run `make generate` and commit the result' >&2; exit 1; }

check-migrations: ## Fail if a migration was changed after it was committed
	@for f in server/store/migrations/*/*.sql; do \
	  n=$$(git log --format=%h --diff-filter=M -- "$$f" | wc -l); \
	  if [ "$$n" -gt 0 ] || ! git diff --quiet HEAD -- "$$f"; then \
	    echo "$$f was changed after it was committed; databases that have it would differ: write another migration (go run ./server/store/migrations/migratediff NAME)" >&2; exit 1; \
	  fi; \
	done

protos: $(PROTOS) ## Fetch the protos that ours import

$(NPM_TOOLS): tools/package.json
	@mkdir -p build/tools
	cp tools/package.json build/tools/
	npm install --prefix build/tools --no-audit --no-fund --silent
	@touch $@

$(PROTOS): $(NPM_TOOLS) tools/go.mod
	@mkdir -p build/protos/google/api build/protos/buf/validate
	cd build/tools/node_modules/google-proto-files/google/api && cp annotations.proto http.proto client.proto field_behavior.proto resource.proto launch_stage.proto $(CURDIR)/build/protos/google/api/
	cp "$$(cd tools && go mod download -json github.com/bufbuild/protovalidate | sed -n 's/.*"Dir": "\(.*\)",/\1/p')/proto/protovalidate/buf/validate/validate.proto" build/protos/buf/validate/
	@chmod -R u+w build/protos && touch $@

$(TOOLS)/buf: tools/go.mod
	$(GO_TOOL) github.com/bufbuild/buf/cmd/buf

$(TOOLS)/protoc-gen-go: tools/go.mod
	$(GO_TOOL) google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv3

clean: ## Remove what was built
	rm -rf bin build
