# What tests/fault needs: the library that lets calls fail, and small programs over the parts that write to disk.
FAULT_SHIM := $(BUILD)/fault/shim.so
FAULT_DRIVER := $(BUILD)/fault/driver
.PHONY: fault
fault: $(FAULT_SHIM) $(FAULT_DRIVER)
# Nothing is defined away and nothing hardened: it stands between a program and its C library.
$(FAULT_SHIM): tests/fault/shim.c
	@mkdir -p $(@D)
	@echo " CC      $<"
	@$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -fPIC -shared -Wall -Wextra $(WERROR) -o $@ $<
$(FAULT_DRIVER): $(BUILD)/obj/tests/fault/driver.o $(foreach r,runtime-image catalog store sqlparse sys base,$(call room_lib,$(r)))
	@mkdir -p $(@D)
	@echo " LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
