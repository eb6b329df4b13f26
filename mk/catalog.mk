# catalog: the option lists of each Flink version become C tables. `make harvest-options FLINK=... V=2.2` makes such a list anew.
CATALOG_GEN := $(patsubst catalog/options/flink-%.txt,$(BUILD)/gen/catalog/options-%.inc,$(wildcard catalog/options/flink-*.txt))

$(BUILD)/gen/catalog/options-%.inc: catalog/options/flink-%.txt mk/catalog.mk
	@mkdir -p $(@D)
	@awk -F '\t' '{ printf "{\"%s\", %d, \"%s\", \"%s\"},\n", $$1, $$2 == "Map", $$2, $$3 }' $< > $@.tmp && mv $@.tmp $@

$(OBJ_catalog): | $(CATALOG_GEN) $(SQLPARSE_GEN)

.PHONY: harvest-options
harvest-options:
	@test -n "$(FLINK)" -a -n "$(V)" || { echo "make harvest-options FLINK=FOLDER V=2.2" >&2; exit 2; }
	@java tools/harvest/HarvestOptions.java $(FLINK) > catalog/options/flink-$(V).txt
