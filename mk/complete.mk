# catalog: what editors say of functions becomes a C table.
COMPLETE_GEN := $(BUILD)/gen/catalog/functions-help.inc
$(BUILD)/gen/catalog/functions-help.inc: catalog/functions/help.txt mk/complete.mk
	@mkdir -p $(@D)
	@awk -F '\t' '!/^#/ && NF { split($$2, v, "."); printf "{\"%s\", %d, \"%s\", \"%s\"},\n", $$1, v[1] * 100 + v[2], $$3, $$4 }' $< > $@.tmp && mv $@.tmp $@
$(OBJ_catalog): | $(COMPLETE_GEN)
# Whatever waits for generated files waits for these too.
CATALOG_GEN += $(COMPLETE_GEN)
