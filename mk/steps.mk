# The language room with its steps counted (sqlparse/steps.h), for tests/unit/sqlparse/growth.c alone.
STEPS_OBJ := $(patsubst $(BUILD)/obj/%,$(BUILD)/counted/%,$(OBJ_sqlparse))
$(BUILD)/counted/%.o: %.c | $(SQLPARSE_GEN)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -DSQL_COUNT_STEPS -MMD -MP -c -o $@ $<
$(BUILD)/counted/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -DSQL_COUNT_STEPS -DNDEBUG -Wno-missing-prototypes -Wno-type-limits -Wno-unused-variable -Wno-unused-parameter \
	    -Wno-unused-but-set-variable -Wno-implicit-fallthrough -MMD -MP -c -o $@ $<
$(BUILD)/lib/libsqlparse-counted.a: $(STEPS_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^
-include $(STEPS_OBJ:.o=.d)
