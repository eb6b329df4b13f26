# `make bench`: beside Flink's own SQL client and SQL gateway (tests/bench/bench.py). Prints, asserts nothing.
.PHONY: bench
bench: all
	@tools/setup.sh install run bench
	@tests/bench/bench.py --bin $(BUILD)/sluice $(BENCH)
