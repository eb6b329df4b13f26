/* SPDX-License-Identifier: Apache-2.0
 * job.events: what is kept of a run's life, by number, and what comes. The store is where they are read from, so a number is the
 * same for every client, after a restart too. */
#include "gateway/api/api.h"

#include "base/limits.h"
#include "gateway/jobs/history.h"
#include "sys/clock.h"

#define AT_ONCE 200 /* read from the store */
#define LOOK_MS 100

static void put_event(struct sl_jw *w, const struct run *r, const struct history_event *e)
{
    sl_jw_object(w);
    sl_jw_kstrz(w, "event", e->kind);
    sl_jw_key(w, "number");
    sl_jw_i64(w, e->number);
    sl_jw_kstrz(w, "run", r->id);
    char at[32];
    sys_time_rfc3339(e->at_ms, at);
    sl_jw_kstrz(w, "at", at);
    sl_jw_key(w, "of");
    sl_jw_raw(w, e->body);
    sl_jw_end_object(w);
}

/* What was asked for and is kept no longer. */
static void put_lost(struct sl_jw *w, const struct run *r, int64_t from, int64_t to)
{
    sl_jw_object(w);
    sl_jw_kstrz(w, "event", "forgotten");
    sl_jw_kstrz(w, "run", r->id);
    sl_jw_ki64(w, "from", from);
    sl_jw_ki64(w, "to", to);
    sl_jw_end_object(w);
}

static bool send(struct api_call *c, const struct run *r, int64_t since, const struct history_event *e)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    if (e->number > since + 1) {
        sl_jw_init(&w, &b);
        put_lost(&w, r, since + 1, e->number - 1);
        if (!api_call_event(c, (uint64_t)e->number - 1, sl_buf_str(&b))) {
            return false;
        }
        sl_buf_clear(&b);
    }
    sl_jw_init(&w, &b);
    put_event(&w, r, e);
    return api_call_event(c, (uint64_t)e->number, sl_buf_str(&b));
}

bool api_job_events(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct sl_json *p = api_call_params(c);
    struct ledger *ledger = api_call_env(c)->ledger;
    int64_t since = sl_json_i64(sl_json_get(p, "since"), 0);
    int64_t until_ms = sys_later_ms(SL_MAX(sl_json_i64(sl_json_get(p, "waitMs"), 0), INT64_C(0)));
    bool follow = sl_json_bool(sl_json_get(p, "follow"), false);
    sl_str what;
    struct run r;
    if (!api_param_str(c, "job", SL_STR_NONE, &what, err) ||
        !ledger_find(ledger, sl_arena_strdupz(api_call_arena(c), what), &r, err)) {
        return false;
    }
    if (since < 0) {
        return sl_fail(err, SL_USAGE, "parameter 'since' is the number of an event");
    }
    bool ended = false, sent = false,
         taken = !follow || api_call_event(c, 0, SL_STR("")); /* its head goes out */
    while (taken) {
        SL_ARENA_AUTO a;
        sl_arena_init(&a, 0);
        struct history_event *e;
        size_t n;
        if (!history_events(ledger_store(ledger), r.id, since, AT_ONCE, &a, &e, &n, &ended, err)) {
            return false;
        }
        for (size_t i = 0; i < n && taken; i++) {
            taken = send(c, &r, since, &e[i]);
            since = taken ? e[i].number : since;
            sent |= taken;
        }
        bool enough = n == 0 && (ended || (!follow && (sent || sys_now_ms() >= until_ms)));
        if (enough || api_call_cancelled(c)) {
            break;
        }
        if (n == 0) {
            sys_sleep_ms(LOOK_MS);
        }
    }
    sl_jw_kstrz(result, "run", r.id);
    sl_jw_ki64(result, "next", since);
    sl_jw_kbool(result, "ended", ended);
    return true;
}
