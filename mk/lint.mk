# `make lint`: tools/lint.py looks at the text; the compiler looks at headers alone and at every function.
# Each check of one file leaves a mark in $(BUILD)/lint, so that only what changed is looked at again.
LINT_SRC := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c))
# engine.h is the tail of grammar.y, not a header.
LINT_HDR := $(filter-out sqlparse/engine.h,$(foreach r,$(ROOMS),$(wildcard $(r)/*.h)))
LINT_OK := $(patsubst %,$(BUILD)/lint/%.ok,$(LINT_SRC) $(LINT_HDR))
CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-14 clang-format 2>/dev/null))
# gcc 12 takes whatever is handed to a container or to another thread for a leak; leaks are found by ASan.
ANALYZER_OFF := -Wno-analyzer-malloc-leak
LINT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O1 $(WARN) -iquote . -I$(BUILD)/gen $(PKG_CFLAGS) -DSLUICE_VERSION='"lint"'

# A header is a contract: it compiles alone.
$(BUILD)/lint/%.h.ok: %.h | $(SQLPARSE_GEN) $(CATALOG_GEN) $(BUILTINS_GEN)
	@mkdir -p $(@D)
	@echo " HEADER  $<"
	@echo '#include "$<"' | $(CC) $(LINT_CFLAGS) -fsyntax-only -MMD -MP -MT $@ -MF $(@:.ok=.d) -x c -
	@touch $@

$(BUILD)/lint/%.c.ok: %.c | $(SQLPARSE_GEN) $(CATALOG_GEN) $(BUILTINS_GEN)
	@mkdir -p $(@D)
	@echo " ANALYZE $<"
	@$(CC) $(LINT_CFLAGS) -fanalyzer $(ANALYZER_OFF) -MMD -MP -MT $@ -MF $(@:.ok=.d) -c -o /dev/null $<
	@touch $@

.PHONY: lint lint-text lint-files format
lint-text:
	@CLANG_FORMAT=$(CLANG_FORMAT) ROOMS="$(ROOMS)" tools/lint.py
lint-files: $(LINT_OK)
lint: lint-text
	@$(MAKE) --no-print-directory BUILD=$(BUILD) lint-files
	@echo "lint: ok"
# Lays out every C file of the tree as lint wants it.
format:
	@git ls-files '*.c' '*.h' ':!third_party' | xargs $(CLANG_FORMAT) -i

-include $(shell find $(BUILD)/lint -name '*.d' 2>/dev/null)
