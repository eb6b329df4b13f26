# Tests: the groups are a table in tests/groups.py, run by tests/run.
.PHONY: test test-all test-trixie unit-programs
unit-programs: $(UNIT_BIN)
# Tiers 1 and 2. GROUP=a,b runs only those; SAN=... runs what makes sense under a sanitizer.
test:
	@BUILD=$(BUILD) SAN=$(SAN) tests/run --tier 2
test-all:
	@BUILD=$(BUILD) SAN=$(SAN) tests/run --tier 3
# Build, unit, golden and api tests in Debian 13.
test-trixie:
	@BUILD=$(BUILD) tests/trixie

.PHONY: help
help:
	@echo "make               build/sluice and the runner"
	@echo "make run           from a bare machine to the rows of examples/quickstart.sql"
	@echo "make test          tiers 1 and 2   (GROUP=a,b: only those; SAN=address,undefined or SAN=thread: under a sanitizer)"
	@echo "make test-all      everything; figures go to tests/last-full.json   (tests/run --list: the groups)"
	@echo "make test-trixie   build, unit, golden and api tests in Debian 13"
	@echo "make lint          order of the rooms, headers, banned functions, layout, gcc -fanalyzer"
	@echo "make fuzz          every fuzz target for 10 s   (T=target SECS=n PLANT=n)"
	@echo "make agreement     our parser beside Flink's own, on Flink's test jars and mutants (FLINKS=2.2.1)"
	@echo "make fuzz-diff     generated statements for Flink's parser and ours (FUZZ_DIFF_SECS=600, FLINKS=, SEED=)"
	@echo "make bench         beside Flink's own SQL client and gateway"
	@echo "make wasm          the language room as WebAssembly"
	@echo "make dist          tarball with binary, runner, man pages, completions"
	@echo "make setup         the Debian packages of all this"
	@echo "BUILD=folder, CC=compiler, NO_INSTALL=1 work everywhere"
