# `make bench`: beside Flink's own SQL client, SQL gateway and parser, and other parsers (tests/bench). Prints, asserts nothing.
# BENCH="--parts start,run,rows,server,language,track --runs 1 --seconds 2" chooses; a whole run writes tests/bench/last.md.
BENCH_OURS := $(BUILD)/bench/language
$(BENCH_OURS): $(BUILD)/obj/tests/bench/language/ours_main.o $(foreach r,catalog store sqlparse sys base,$(call room_lib,$(r)))
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

BENCH_ONCE := $(BUILD)/bench/once
$(BENCH_ONCE): $(BUILD)/obj/tests/bench/once_main.o
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^

.PHONY: bench bench-programs
bench-programs: $(BENCH_OURS) $(BENCH_ONCE) $(BUILD)/unit/gateway_jobs/tracker_rest
bench:
	@tools/setup.sh install build run bench
	@$(MAKE) --no-print-directory BUILD=$(BUILD) all bench-programs
	@tests/bench/bench.py --bin $(BUILD)/sluice $(BENCH)
