/* SPDX-License-Identifier: Apache-2.0
 * Words for what the owner tells of jobs. */
#include "gateway/cli/diag_print.h"
#include "gateway/cli/job_print.h"

#include "gateway/cli/owner_client.h"
#include "gateway/jobs/state.h"

#include <stdio.h>

const char *job_text(const struct sl_json *o, const char *key, struct sl_arena *a)
{
    return sl_arena_strdupz(a, sl_json_str(sl_json_get(o, key), SL_STR("")));
}

const char *job_age(struct sl_arena *a, int64_t ms)
{
    char age[32];
    state_age(ms, age, sizeof(age));
    return sl_arena_printf(a, "%s", age).p;
}

const char *job_age_short(struct sl_arena *a, int64_t ms)
{
    const char *age = job_age(a, ms);
    size_t digits = strcspn(age, " ");
    return sl_arena_printf(a, "%.*s%.1s", (int)digits, age, age[digits] ? age + digits + 1 : "").p;
}

const char *job_grouped(struct sl_arena *a, const char *digits)
{
    size_t n = strlen(digits), out = 0;
    char *p = sl_arena_alloc(a, n + n / 3 + 1);
    for (size_t i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) {
            p[out++] = ',';
        }
        p[out++] = digits[i];
    }
    p[out] = 0;
    return p;
}

const char *job_rate(const struct sl_json *o, const char *key, struct sl_arena *a)
{
    int64_t n = sl_json_i64(sl_json_get(o, key), 0);
    if (n <= 0) {
        return "";
    }
    return sl_arena_printf(a, " (%s/s)", job_grouped(a, sl_arena_printf(a, "%lld", (long long)n).p)).p;
}

const char *job_minute(struct sl_arena *a, const char *at)
{
    return strlen(at) < 16 ? at : sl_arena_printf(a, "%.10s %.5s UTC", at, at + 11).p;
}

const struct sl_json *job_ask(const char *method, sl_str params, struct sl_arena *a, struct sl_err *err)
{
    struct net_rpc_client *c = cli_owner_connect(true, err);
    const struct sl_json *r = c ? cli_owner_ask(c, method, params, a, err) : NULL;
    net_rpc_client_free(c);
    return r;
}

void job_print_json(const struct sl_json *v)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_value(&w, v);
    sl_buf_putc(&b, '\n');
    cli_put(stdout, sl_buf_str(&b));
}

sl_str job_param(struct sl_arena *a, const char *job)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    sl_buf_putz(&b, "{\"job\":");
    sl_json_quote(&b, sl_str_of(job));
    sl_buf_putc(&b, '}');
    return sl_str_dup(a, sl_buf_str(&b));
}
