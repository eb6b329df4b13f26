# `make fuzz`: clang's libFuzzer with ASan and UBSan over every tests/fuzz/fuzz_*.c. T=lexer: only that target;
# SECS=60: how long each; PLANT=n: with the planted bug n (tests/fuzz/README.md); MERGE=1: what reaches new edges joins
# the committed corpus. `make plants`: every target must find its planted bug.
FUZZ_CC ?= $(firstword $(shell command -v clang-14 clang 2>/dev/null) clang)
SECS ?= 10
T ?=
FUZZ_BUILD := $(BUILD)/fuzz$(if $(PLANT),-plant$(PLANT))
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_WANTED := $(if $(T),$(T),$(FUZZ_TARGETS))
# Rooms a target may use, by what it is linked with; a target that needs no gateway is not linked with one.
fuzz_rooms = $(if $(filter frames,$(1)),gateway/results sys base,$(if $(filter json yaml,$(1)),base,sqlparse sys base))

# Inner half: runs with FUZZ_BUILD as BUILD and the fuzzer's flags.
define FUZZ_RULE
$(BUILD)/bin/fuzz_$(1): $(BUILD)/obj/tests/fuzz/fuzz_$(1).o $(foreach r,$(call fuzz_rooms,$(1)),$(call room_lib,$(r)))
	@mkdir -p $$(@D)
	@$(CC) -fsanitize=fuzzer $(LDFLAGS) -o $$@ $$^ $(LDLIBS)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call FUZZ_RULE,$(t))))

.PHONY: fuzz fuzz-build plants
fuzz-build:
	@$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=$(FUZZ_CC) SAN=address,undefined WERROR= OPT=-O1 \
	    CFLAGS="-fsanitize=fuzzer-no-link -DSL_FUZZING=1" PLANT=$(PLANT) $(foreach t,$(FUZZ_WANTED),$(FUZZ_BUILD)/bin/fuzz_$(t)) >&2
fuzz: fuzz-build
	@tests/fuzz/drive $(if $(PLANT),--plant $(PLANT)) $(if $(MERGE),--merge) --secs $(SECS) --bin $(FUZZ_BUILD)/bin $(FUZZ_WANTED)
plants:
	@BUILD=$(BUILD) tests/fuzz/plants
