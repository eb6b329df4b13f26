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
$(foreach r,$(filter-out sys base,$(ROOMS)),$(OBJ_$(r))) $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/unit/*/*.c tests/fuzz/*.c tests/bench/language/*.c gateway/cli/*_main.c)): | $(SQLPARSE_GEN)

$(BUILD)/obj/gen/sqlparse/%.o: override CFLAGS += -DNDEBUG -Wno-missing-prototypes -Wno-type-limits -Wno-unused-variable
