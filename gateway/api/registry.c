/* SPDX-License-Identifier: Apache-2.0
 * codes and limits: the registries that a client's author reads, made from the tables that the product itself is made from. */
#include "gateway/api/api.h"

#include "base/limits.h"

bool api_registry_codes(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    (void)c;
    (void)err;
    sl_jw_key(result, "codes");
    sl_jw_array(result);
    for (int i = SL_OK + 1; i < SL_CODE_MAX_; i++) {
        enum sl_code code = (enum sl_code)i;
        sl_jw_object(result);
        sl_jw_kstrz(result, "code", sl_code_slug(code));
        sl_jw_ki64(result, "status", sl_code_http(code));
        sl_jw_kstrz(result, "sqlState", sl_code_sqlstate(code));
        sl_jw_ki64(result, "exit", sl_code_exit(code));
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    return true;
}

static void put_limit(struct api_call *c, struct sl_jw *w, const char *name, const char *unit, int64_t value,
                      const char *of)
{
    sl_jw_object(w);
    sl_jw_kstrz(w, "limit", name);
    sl_jw_kstrz(w, "unit", unit);
    sl_jw_kstr(w, "value", sl_arena_printf(api_call_arena(c), "%lld", (long long)value));
    sl_jw_kstrz(w, "of", of);
    sl_jw_end_object(w);
}

#define UNIT_BYTES "bytes"
#define UNIT_COUNT "count"
#define UNIT_TIME  "ms"

bool api_registry_limits(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    (void)err;
    sl_jw_key(result, "limits");
    sl_jw_array(result);
#define SL_LIMIT_LINE(name, type, key, number, low, high, help)                                              \
    put_limit(c, result, "limit." key, UNIT_##type, (int64_t)sl_limits.name, help);
#include "base/limits.def"
#undef SL_LIMIT_LINE
    sl_jw_end_array(result);
    return true;
}
