# What one does with this repository. `make` alone shows it.

PREFIX ?= /usr/local
RELEASE_FLAGS = --configuration release --static-swift-stdlib --product ems

.PHONY: help
help:
	@sed -n 's/^## \([a-z-]*\): \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

## setup: install what the build needs (Debian 12 with the Swift toolchain)
.PHONY: setup
setup:
	@scripts/setup

## build: build the debug binary
.PHONY: build
build: setup
	swift build --product ems
	@scripts/api-docs "$$(swift build --show-bin-path)/../share/ems/api-docs"

## release: build the release binary, .build/release/ems
.PHONY: release
release: setup
	swift build $(RELEASE_FLAGS)
	@scripts/api-docs "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/../share/ems/api-docs"

## quickstart: show the whole story on a running system
.PHONY: quickstart
quickstart: build
	@scripts/quickstart

## services: start a real MongoDB and a real RabbitMQ until Ctrl-C, and print what to export
.PHONY: services
services: setup
	@scripts/services

## test: check the format and run all tests
.PHONY: test
test: setup
	@scripts/test

## fuzz: feed made-up bytes to every parser, a minute each
.PHONY: fuzz
fuzz: setup
	scripts/fuzz

## test-extended: all tests, with many more requests of the document, then the fuzz targets
.PHONY: test-extended
test-extended: setup
	EMS_TEST_API_CASES=200 scripts/test
	scripts/fuzz

## format: format the sources
.PHONY: format
format:
	git ls-files -z '*.swift' | xargs -0 swift format --in-place --parallel

## docs: make the manual pages and completions anew from the commands
.PHONY: docs
docs: build
	rm -rf man completions
	"$$(swift build --show-bin-path)/ems" generate .

## bench: measure start-up, the idle daemon and delivery
.PHONY: bench
bench: release
	Benchmarks/run

## bench-servers: measure the MongoDB and RabbitMQ adapters beside plain C
.PHONY: bench-servers
bench-servers: release
	swift build --configuration release --static-swift-stdlib --product ServerBenchmark
	Benchmarks/servers

## bench-http: measure reading over HTTP beside a bare route of the framework; BEFORE=PATH names another binary, measured by turns
.PHONY: bench-http
bench-http: release
	swift build --configuration release --static-swift-stdlib --product BareRoute
	python3 Benchmarks/reading.py --bare "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/BareRoute" $(BEFORE) \
		"$$(swift build $(RELEASE_FLAGS) --show-bin-path)/ems"

## bench-fanout: measure notifications to WebSockets; BEFORE=PATH as above
.PHONY: bench-fanout
bench-fanout: release
	python3 Benchmarks/fanout.py $(BEFORE) "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/ems"

## bench-bulk: measure import and export beside the sqlite3 shell and plain C
.PHONY: bench-bulk
bench-bulk: release
	Benchmarks/bulk

## bench-changes: measure the way of a change; BEFORE=PATH names another binary, measured by turns
.PHONY: bench-changes
bench-changes: release
	python3 Benchmarks/changes.py $(BEFORE) "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/ems"

## bench-audience: measure what an update with very many subscribers costs others; BEFORE=PATH as above
.PHONY: bench-audience
bench-audience: release
	python3 Benchmarks/audience.py $(BEFORE) "$$(swift build $(RELEASE_FLAGS) --show-bin-path)/ems"

## install: install the release binary, manual pages and completions under PREFIX
.PHONY: install
install: release
	install -D -m 755 .build/release/ems $(DESTDIR)$(PREFIX)/bin/ems
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -d $(DESTDIR)$(PREFIX)/share/ems/api-docs
	scripts/api-docs $(DESTDIR)$(PREFIX)/share/ems/api-docs
	install -D -m 644 completions/ems.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ems
	install -D -m 644 completions/_ems $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ems
	install -D -m 644 completions/ems.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ems.fish

## clean: remove what was built
.PHONY: clean
clean:
	swift package clean
