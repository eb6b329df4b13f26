# Flink's own parser beside ours (tests/oracle): `make agreement` labels corpora and compares, `make fuzz-diff` generates
# and mutates statements for FUZZ_DIFF_SECS a version. FLINKS="2.2.1": only those versions; SEED=n.
FLINKS ?= 1.20.5 2.2.1 2.3.0
FUZZ_DIFF_SECS ?= 600
$(BUILD)/oracle/ours: $(BUILD)/obj/tests/oracle/ours.o $(foreach r,sqlparse sys base,$(call room_lib,$(r)))
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/obj/tests/oracle/ours.o: | $(SQLPARSE_GEN)
.PHONY: agreement fuzz-diff
agreement: $(BUILD)/oracle/ours
	@BUILD=$(abspath $(BUILD)) tests/oracle/agreement $(FLINKS)
fuzz-diff: $(BUILD)/oracle/ours
	@BUILD=$(abspath $(BUILD)) tests/oracle/fuzz-diff --secs $(FUZZ_DIFF_SECS) $(if $(SEED),--seed $(SEED)) $(FLINKS)
