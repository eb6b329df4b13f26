# The language room as WebAssembly: the same sources and a few libc functions of our own, no imports, no host.
WASM_CC ?= clang-14
WASM_LD ?= wasm-ld-14
WASM_SRC := $(filter-out sqlparse/project.c,$(SRC_sqlparse)) $(wildcard sqlparse/wasm/*.c) \
            base/arena.c base/limits.c base/str.c base/err.c base/buf.c base/bug.c base/utf8.c base/json_write.c
WASM_OBJ := $(patsubst %.c,$(BUILD)/wasm/%.o,$(WASM_SRC)) $(BUILD)/wasm/grammar.o
WASM_FLAGS := --target=wasm32 -nostdlib -ffreestanding -Os -std=gnu11 -DNDEBUG -fvisibility=hidden -Isqlparse/wasm/include -I. \
              -I$(BUILD)/gen -Wall -Wextra -Wno-unused-parameter -Wno-unused-variable $(WERROR)
WASM_EXPORTS := alloc answer_length reset colour split check

$(BUILD)/wasm/%.o: %.c | $(SQLPARSE_GEN)
	@mkdir -p $(@D)
	@echo " WASM    $<"
	@$(WASM_CC) $(WASM_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/wasm/grammar.o: $(BUILD)/gen/sqlparse/grammar.c
	@mkdir -p $(@D)
	@$(WASM_CC) $(WASM_FLAGS) -Wno-missing-prototypes -MMD -MP -c -o $@ $<
# wasm-ld fails on anything undefined, so a module that links has no imports.
$(BUILD)/wasm/sluice.wasm: $(WASM_OBJ) mk/wasm.mk
	@$(WASM_LD) --no-entry --strip-all --gc-sections -z stack-size=1048576 $(patsubst %,--export=wasm_%,$(WASM_EXPORTS)) -o $@ $(WASM_OBJ)
-include $(WASM_OBJ:.o=.d)

# The module's entry compiled for this machine, for the test that compares both.
$(BUILD)/wasm/native: $(BUILD)/obj/tests/wasm/native.o $(BUILD)/obj/sqlparse/wasm/entry.o $(call room_lib,sqlparse) $(call room_lib,base)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lm
$(BUILD)/obj/tests/wasm/native.o $(BUILD)/obj/sqlparse/wasm/entry.o: | $(SQLPARSE_GEN)

.PHONY: wasm wasm-check wasm-native
wasm: $(BUILD)/wasm/sluice.wasm
wasm-native: $(BUILD)/wasm/native
# What it exports and imports, and its size as the web has it.
wasm-check: $(BUILD)/wasm/sluice.wasm
	@tests/wasm/module $<
