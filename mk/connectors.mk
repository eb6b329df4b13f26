# catalog: the manifest of connectors (catalog/connectors/) becomes C tables; those of Flink's distribution come first.
# `make harvest-connectors FLINKS=... [FILES=catalog/connectors/kafka.yaml]` asks the jars for their options anew.
CONNECTORS := catalog/connectors/flink.yaml $(filter-out catalog/connectors/flink.yaml,$(addsuffix .yaml,$(sort $(basename $(wildcard catalog/connectors/*.yaml)))))
CONNECTORS_SRC := tools/mkconnectors.c catalog/connectors_read.c $(addprefix base/,arena.c buf.c bug.c err.c limits.c str.c utf8.c yaml.c)
CONNECTORS_GEN := $(BUILD)/gen/catalog/connectors.inc

$(BUILD)/tools/mkconnectors: $(CONNECTORS_SRC) catalog/connectors.h base/codes.def base/limits.def base/limits.h
	@mkdir -p $(@D)
	@echo " CC      $<"
	@$(CC) -std=gnu11 -D_GNU_SOURCE -O1 $(WARN) -iquote . -o $@ $(CONNECTORS_SRC) $(shell pkg-config --cflags --libs yaml-0.1 libutf8proc)

$(CONNECTORS_GEN): $(CONNECTORS) $(BUILD)/tools/mkconnectors
	@mkdir -p $(@D)
	@$(BUILD)/tools/mkconnectors $(CONNECTORS) > $@.tmp && mv $@.tmp $@

$(OBJ_catalog): | $(CONNECTORS_GEN)
$(BUILD)/obj/catalog/connectors.o: $(CONNECTORS_GEN)
# Whatever waits for generated files waits for these too.
CATALOG_GEN += $(CONNECTORS_GEN)

.PHONY: harvest-connectors
harvest-connectors: all
	@test -n "$(FLINKS)" || { echo "make harvest-connectors FLINKS=FOLDER (with 1.20.5/lib and the others below it)" >&2; exit 2; }
	@tools/harvest/connectors.py --sluice $(BUILD)/sluice --flink $(FLINKS) $(or $(FILES),$(CONNECTORS))
