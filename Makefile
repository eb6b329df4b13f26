# Sluice: build, run, test. `make help` lists the targets.
# Every room is a static library; ROOMS lists them from the top down, and `make lint` proves that includes
# go downwards only. BUILD, SAN and CC may be given: make SAN=address,undefined BUILD=build/asan test
.DEFAULT_GOAL := all
SHELL := /bin/bash

SAN ?=
COMMA := ,
# Objects made with sanitizers never meet the others.
BUILD ?= $(if $(SAN),build/san-$(subst $(COMMA),-,$(SAN)),build)
# One name for one folder, however it was given: what was noted of headers in a build holds for the next one.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
CC ?= gcc
VERSION := 0.1.0
OPT ?= -O2
WERROR ?= -Werror

ROOMS := gateway/cli gateway/flinkgw gateway/api gateway/session gateway/jobs gateway/results gateway/target gateway/auth gateway/front \
         runtime-image catalog catalog/maven store sqlparse sys base

PKGS := libuv libwebsockets libcurl libcjson yaml-0.1 sqlite3 openssl libutf8proc zlib libarchive expat
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 \
        -Wcast-qual -Wimplicit-fallthrough -Wundef $(WERROR)
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS ?=
override CFLAGS += -std=gnu11 -D_GNU_SOURCE $(OPT) -g -fno-common $(WARN) $(HARDEN) $(SANFLAGS) -iquote . -I$(BUILD)/gen $(PKG_CFLAGS) \
        -DSLUICE_VERSION='"$(VERSION)"' $(if $(PLANT),-DPLANT=$(PLANT))
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANFLAGS)
LDLIBS := $(PKG_LIBS) -lpthread -lm -ldl

# Those that name generated files come first: others depend on them.
GEN_MK := mk/sqlparse.mk mk/catalog.mk
MK := $(GEN_MK) $(filter-out $(GEN_MK),$(wildcard mk/*.mk))

room_name = $(subst /,_,$(1))
room_lib = $(BUILD)/lib/lib$(call room_name,$(1)).a
LIBS := $(foreach r,$(ROOMS),$(call room_lib,$(r)))

GEN_SRC_sqlparse := $(BUILD)/gen/sqlparse/grammar.c

define ROOM_RULES
SRC_$(1) := $$(filter-out %_main.c,$$(wildcard $(1)/*.c))
OBJ_$(1) := $$(patsubst %.c,$(BUILD)/obj/%.o,$$(SRC_$(1))) $$(patsubst $(BUILD)/gen/%.c,$(BUILD)/obj/gen/%.o,$$(GEN_SRC_$(1)))
$(call room_lib,$(1)): $$(OBJ_$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
.PHONY: lib-$(call room_name,$(1))
lib-$(call room_name,$(1)): $(call room_lib,$(1))
endef
$(foreach r,$(ROOMS),$(eval $(call ROOM_RULES,$(r))))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo " CC      $<"
	@$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Generated C is not held to every warning; it is ours only in its actions.
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	@echo " CC      $<"
	@$(CC) $(CFLAGS) -Wno-unused-parameter -Wno-unused-but-set-variable -Wno-implicit-fallthrough -MMD -MP -c -o $@ $<

.PHONY: all
all: $(BUILD)/sluice

$(BUILD)/sluice: $(BUILD)/obj/gateway/cli/sluice_main.o $(LIBS)
	@echo " LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $< $(LIBS) $(LDLIBS)

# Unit tests: tests/unit/<room>/<name>.c, one cmocka program each. Linked against all rooms; the linker takes what is used.
UNIT_SRC := $(wildcard tests/unit/*/*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))
# Room of a unit test -> the libraries it may use: that room and everything below it.
unit_rooms = $(if $(filter gateway_%,$(1)),$(ROOMS),$(if $(filter runtime-image,$(1)),runtime-image catalog catalog/maven store sqlparse sys base,$(if $(filter catalog,$(1)),catalog catalog/maven store sqlparse sys base,$(if $(filter catalog_maven,$(1)),catalog/maven sys base,$(if $(filter store,$(1)),store sqlparse sys base,$(if $(filter sqlparse,$(1)),sqlparse sys base,$(if $(filter sys,$(1)),sys base,base)))))))
# sqlparse/growth is linked with the room that counts its steps.
unit_lib = $(if $(filter sqlparse/growth:sqlparse,$(1):$(2)),$(BUILD)/lib/libsqlparse-counted.a,$(call room_lib,$(2)))
define UNIT_RULE
$(BUILD)/unit/$(1): $(BUILD)/obj/tests/unit/$(1).o $(foreach r,$(call unit_rooms,$(firstword $(subst /, ,$(1)))),$(call unit_lib,$(1),$(r)))
	@mkdir -p $$(@D)
	@$(CC) $(LDFLAGS) -o $$@ $$^ $(LDLIBS) -lcmocka
endef
$(foreach t,$(patsubst tests/unit/%.c,%,$(UNIT_SRC)),$(eval $(call UNIT_RULE,$(t))))

.PHONY: unit
unit: $(UNIT_BIN)
	@for t in $(UNIT_BIN); do $$t 2>&1 | tail -n 3 || exit 1; done

-include $(MK)
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(BUILD)
