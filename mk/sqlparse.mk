# sqlparse: lemon and the keyword table are built and run here; the generated files live in $(BUILD)/gen.
SQLPARSE_GEN := $(BUILD)/gen/sqlparse/grammar.c $(BUILD)/gen/sqlparse/grammar.h $(BUILD)/gen/sqlparse/words.h \
                $(BUILD)/gen/sqlparse/keyword_table.h

$(BUILD)/tools/lemon: third_party/lemon/lemon.c
	@mkdir -p $(@D)
	@echo " CC      $<"
	@$(CC) -O1 -w -o $@ $<

$(BUILD)/tools/mkkeywords: tools/mkkeywords.c
	@mkdir -p $(@D)
	@echo " CC      $<"
	@$(CC) -std=gnu11 -O1 $(WARN) -o $@ $<

# -c: tables are not compressed, which keeps soft keywords exact. Lemon fails on any conflict.
$(BUILD)/gen/sqlparse/grammar.c: sqlparse/grammar.y third_party/lemon/lempar.c $(BUILD)/tools/lemon
	@mkdir -p $(@D)
	@echo " LEMON   $<"
	@$(BUILD)/tools/lemon -c -l -q -d$(@D) -Tthird_party/lemon/lempar.c sqlparse/grammar.y || { rm -f $@; exit 1; }
# lemon leaves an unchanged header alone; what depends on it must see that it was looked at.
$(BUILD)/gen/sqlparse/grammar.h: $(BUILD)/gen/sqlparse/grammar.c
	@touch -c $@

$(BUILD)/gen/sqlparse/words.h: sqlparse/keywords.txt $(BUILD)/tools/mkkeywords
	@mkdir -p $(@D)
	@$(BUILD)/tools/mkkeywords words sqlparse/keywords.txt > $@.tmp && mv $@.tmp $@

$(BUILD)/gen/sqlparse/keyword_table.h: sqlparse/keywords.txt $(BUILD)/gen/sqlparse/grammar.h $(BUILD)/tools/mkkeywords
	@mkdir -p $(@D)
	@$(BUILD)/tools/mkkeywords table sqlparse/keywords.txt $(BUILD)/gen/sqlparse/grammar.h > $@.tmp && mv $@.tmp $@

# Every room above may include sqlparse's headers, and those the generated token codes.
$(foreach r,$(filter-out sys base,$(ROOMS)),$(OBJ_$(r))) $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/unit/*/*.c tests/fuzz/*.c gateway/cli/*_main.c)): | $(SQLPARSE_GEN)

$(BUILD)/obj/gen/sqlparse/%.o: override CFLAGS += -DNDEBUG -Wno-missing-prototypes -Wno-type-limits -Wno-unused-variable

# The language room as WebAssembly: the same sources and a few libc functions of our own, no imports, no host.
WASM_CC ?= clang-14
WASM_LD ?= wasm-ld-14
WASM_SRC := $(filter-out sqlparse/project.c,$(SRC_sqlparse)) $(wildcard sqlparse/wasm/*.c) \
            base/arena.c base/limits.c base/str.c base/err.c base/buf.c base/bug.c base/utf8.c base/json_write.c
WASM_OBJ := $(patsubst %.c,$(BUILD)/wasm/%.o,$(WASM_SRC)) $(BUILD)/wasm/grammar.o
WASM_FLAGS := --target=wasm32 -nostdlib -ffreestanding -O2 -std=gnu11 -DNDEBUG -fvisibility=hidden -Isqlparse/wasm/include -I. \
              -I$(BUILD)/gen -Wall -Wextra -Wno-unused-parameter -Wno-unused-variable $(WERROR)
$(BUILD)/wasm/%.o: %.c | $(SQLPARSE_GEN)
	@mkdir -p $(@D)
	@echo " WASM    $<"
	@$(WASM_CC) $(WASM_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/wasm/grammar.o: $(BUILD)/gen/sqlparse/grammar.c
	@mkdir -p $(@D)
	@$(WASM_CC) $(WASM_FLAGS) -Wno-missing-prototypes -MMD -MP -c -o $@ $<
$(BUILD)/wasm/sluice.wasm: $(WASM_OBJ)
	@$(WASM_LD) --no-entry --strip-all -z stack-size=1048576 --export=wasm_alloc --export=wasm_check \
	    --export=wasm_answer_length --export=wasm_reset -o $@ $^
-include $(WASM_OBJ:.o=.d)

.PHONY: wasm wasm-check
wasm: $(BUILD)/wasm/sluice.wasm
# wasm-ld fails on anything undefined, so a module that links has no imports; its size is printed as the web has it.
wasm-check: $(BUILD)/wasm/sluice.wasm
	@tests/unit/sqlparse/wasm-imports $<
