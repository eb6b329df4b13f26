# The results port in a process of its own, for the tests of tests/e2e/results.
RESULTS_DRIVER := $(BUILD)/tests/results-port
.PHONY: results-port
results-port: $(RESULTS_DRIVER)
$(RESULTS_DRIVER): $(BUILD)/obj/tests/e2e/results/port_driver.o $(foreach r,gateway/results sys base,$(call room_lib,$(r)))
	@mkdir -p $(@D)
	@echo " LD      $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
