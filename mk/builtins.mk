# catalog: the built-in functions of each Flink version, and which types go together, become C tables.
# `make harvest-functions FLINK=... V=2.2` makes them anew.
BUILTINS_GEN := $(patsubst catalog/builtins/flink-%.txt,$(BUILD)/gen/catalog/builtins-%.inc,$(wildcard catalog/builtins/flink-*.txt)) \
                $(BUILD)/gen/catalog/rules.inc

$(BUILD)/gen/catalog/builtins-%.inc: catalog/builtins/flink-%.txt mk/builtins.mk
	@mkdir -p $(@D)
	@awk -F '\t' '{ printf "{\"%s\", '"'%s'"', %d, %s, \"%s\", \"%s\", \"%s\"},\n", $$1, $$2, $$3, $$4 == "-" ? -1 : $$4, $$5, $$6, $$7 }' $< > $@.tmp && mv $@.tmp $@

$(BUILD)/gen/catalog/rules.inc: catalog/builtins/rules.txt mk/builtins.mk
	@mkdir -p $(@D)
	@awk -F '\t' '{ printf "{\"%s\", \"%s\", \"%s\"},\n", $$1, $$2, $$3 }' $< > $@.tmp && mv $@.tmp $@

$(OBJ_catalog): | $(BUILTINS_GEN)

.PHONY: harvest-functions
harvest-functions:
	@test -n "$(FLINK)" -a -n "$(V)" || { echo "make harvest-functions FLINK=FOLDER V=2.2" >&2; exit 2; }
	@java tools/harvest/HarvestFunctions.java $(FLINK) > catalog/builtins/flink-$(V).txt
	@java tools/harvest/HarvestRules.java $(FLINK) > catalog/builtins/rules.txt
