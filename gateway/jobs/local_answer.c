/* SPDX-License-Identifier: Apache-2.0
 * Statements that Sluice answers itself: SET (the list), SHOW JARS, SHOW JOBS. Their rows are text, sent as
 * events. */
#include "gateway/jobs/submission_internal.h"

struct table {
    struct sl_buf b;
    struct sl_jw w;
    int result;
    uint64_t rows;
};

static void table_columns(struct sub *s, const struct plan_unit *u, struct table *t, const char *const *names,
                          size_t n)
{
    struct res_column *cols = sl_new_n(s->arena, struct res_column, n);
    for (size_t i = 0; i < n; i++) {
        cols[i].name = sl_str_of(names[i]);
        cols[i].type = SL_STR("STRING");
    }
    t->result = ++s->results;
    event_columns(s->sink, t->result, u->stmt->number, cols, n, true);
    sl_buf_init(&t->b, 0);
    sl_jw_init(&t->w, &t->b);
    sl_jw_object(&t->w);
    sl_jw_kstrz(&t->w, "event", "rows");
    sl_jw_ki64(&t->w, "result", t->result);
    sl_jw_key(&t->w, "rows");
    sl_jw_array(&t->w);
}

static void table_row(struct table *t, const sl_str *cells, size_t n)
{
    sl_jw_array(&t->w);
    sl_jw_strz(&t->w, "+I");
    for (size_t i = 0; i < n; i++) {
        sl_jw_str(&t->w, cells[i]);
    }
    sl_jw_end_array(&t->w);
    t->rows++;
}

static void table_end(struct sub *s, struct table *t)
{
    sl_jw_end_array(&t->w);
    sl_jw_end_object(&t->w);
    if (t->rows) {
        s->sink->emit(s->sink->ctx, sl_buf_str(&t->b));
    }
    sl_buf_release(&t->b);
    sl_vec_push(s->arena, &s->shown_results, ((struct shown_result){t->result, t->rows, "complete"}));
    event_end(s->sink, t->result, t->rows, "complete");
}

void sub_local_answer(struct sub *s, const struct plan_unit *u)
{
    static const char *const set_names[] = {"key", "value"}, *const jar_names[] = {"jars"},
                             *const job_names[] = {"job id", "job name", "status", "start time"};
    struct table t = {0};
    if (u->stmt->kind == SQL_KIND_SET) {
        table_columns(s, u, &t, set_names, 2);
        for (size_t i = 0; i < u->config.n; i++) {
            table_row(&t, (sl_str[]){u->config.pairs[i].key, u->config.pairs[i].value}, 2);
        }
    } else if (u->stmt->kind == SQL_KIND_SHOW_JARS) {
        table_columns(s, u, &t, jar_names, 1);
        for (size_t i = 0; s->jars[i]; i++) {
            table_row(&t, (sl_str[]){sl_str_of(s->jars[i])}, 1);
        }
    } else {
        struct run *runs = NULL;
        size_t n = 0;
        struct sl_err err = SL_ERR_INIT;
        table_columns(s, u, &t, job_names, 4);
        if (!ledger_runs(s->env->ledger, NULL, true, false, 1000, s->arena, &runs, &n, &err)) {
            sub_fail(s, &err);
        }
        for (size_t i = 0; i < n; i++) {
            char at[32];
            sys_time_rfc3339(runs[i].created_ms, at);
            table_row(&t,
                      (sl_str[]){sl_str_of(runs[i].flink_job), sl_str_of(runs[i].job),
                                 sl_str_of(run_shown_state(&runs[i])), sl_str_of(at)},
                      4);
        }
    }
    table_end(s, &t);
}
