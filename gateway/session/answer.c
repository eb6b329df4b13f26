/* SPDX-License-Identifier: Apache-2.0
 * Answers that Sluice makes itself, in the columns that Flink's gateway gives them. */
#include "gateway/session/internal.h"

#include "base/limits.h"
#include "gateway/jobs/savepoint.h"
#include "gateway/target/flink_rest.h"

#include <stdio.h>
#include <stdlib.h>

void ses_table_columns(struct ses_op *op, const char *const *names, size_t n)
{
    op->table.columns = sl_new_n(&op->arena, struct ses_column, n);
    op->table.n_columns = n;
    op->table.rows.n = 0;
    for (size_t i = 0; i < n; i++) {
        op->table.columns[i].name = sl_str_of(names[i]);
    }
}

static struct ses_cell *add_row(struct ses_op *op)
{
    struct ses_cell *cells = sl_new_n(&op->arena, struct ses_cell, op->table.n_columns);
    sl_vec_push(&op->arena, &op->table.rows, cells);
    return cells;
}

void ses_table_row(struct ses_op *op, const sl_str *texts)
{
    struct ses_cell *cells = add_row(op);
    for (size_t i = 0; i < op->table.n_columns; i++) {
        cells[i].text = sl_str_dup(&op->arena, texts[i]);
    }
}

void ses_answer_text(struct ses_op *op, const char *column, sl_str text)
{
    ses_table_columns(op, &column, 1);
    ses_table_row(op, &text);
    op->content = true;
}

void ses_answer_ok(struct ses_op *op)
{
    ses_answer_text(op, "result", SL_STR("OK"));
    op->content = false;
}

void ses_answer_job(struct ses_op *op, const char *job_id)
{
    snprintf(op->job_id, sizeof(op->job_id), "%s", job_id);
    ses_answer_text(op, "job id", sl_str_of(job_id));
}

void ses_answer_config(struct ses_op *op, const struct plan_config *c)
{
    static const char *const names[] = {"key", "value"};
    ses_table_columns(op, names, 2);
    op->content = true;
    for (size_t i = 0; i < c->n; i++) {
        ses_table_row(op, (sl_str[]){c->pairs[i].key, c->pairs[i].value});
    }
}

void ses_answer_jars(struct ses_op *op)
{
    static const char *const names[] = {"jars"};
    ses_table_columns(op, names, 1);
    op->content = true;
    for (size_t i = 0; i < op->session->jars.n; i++) {
        ses_table_row(op, &op->session->jars.v[i]);
    }
}

/* What the cluster itself says of its jobs. */
static bool ask_jobs(struct ses_host *h, struct ses_op *op, struct flink_job **ret, size_t *ret_n)
{
    struct sl_err err = SL_ERR_INIT;
    struct tgt_cluster cluster;
    struct tgt_endpoint at;
    struct target *t = ses_target(h, op, &cluster, &err);
    if (!t || !t->ops->endpoint(t, &cluster, &at, &err)) {
        return ses_fail(op, &err);
    }
    struct flink_rest *r = flink_rest_open(&at, 0);
    bool ok = flink_rest_jobs(r, &op->arena, ret, ret_n, &err) || ses_fail(op, &err);
    flink_rest_free(r);
    return ok;
}

bool ses_answer_jobs(struct ses_host *h, struct ses_op *op, sl_str only)
{
    static const char *const names[] = {"job id", "job name", "status", "start time"};
    struct flink_job *jobs = NULL;
    size_t n = 0;
    if (!ask_jobs(h, op, &jobs, &n)) {
        return false;
    }
    ses_table_columns(op, names, 4);
    op->table.columns[3].cell = SES_TIME;
    op->content = true;
    for (size_t i = 0; i < n; i++) {
        if (only.p && !sl_str_ieqz(only, jobs[i].id)) {
            continue;
        }
        struct ses_cell *cells = add_row(op);
        cells[0].text = sl_str_dup(&op->arena, sl_str_of(jobs[i].id));
        cells[1].text = sl_str_dup(&op->arena, sl_str_of(jobs[i].name));
        cells[2].text = sl_str_dup(&op->arena, sl_str_of(jobs[i].state));
        cells[3].number = jobs[i].start_ms;
    }
    if (only.p && op->table.rows.n == 0) {
        return ses_fail_java(op, "org.apache.flink.table.gateway.service.utils.SqlExecutionException",
                             "The job described by %.*s does not exist.", SL_S(only));
    }
    return true;
}

static bool has_word(sl_str sql, const char *word)
{
    sl_str w = sl_str_of(word);
    for (size_t i = 0; i + w.n <= sql.n; i++) {
        if (sl_str_ieq(sl_str_sub(sql, i, w.n), w)) {
            return true;
        }
    }
    return false;
}

bool ses_stop_job(struct ses_host *h, struct ses_op *op, const struct sql_stmt *st)
{
    struct sl_err err = SL_ERR_INIT;
    struct run r;
    char id[33];
    snprintf(id, sizeof(id), "%.*s", SL_S(st->object));
    if (!ledger_find(h->env.sub.ledger, id, &r, &err) || strcmp(r.flink_job, id) != 0) {
        return ses_fail_java(op, "org.apache.flink.table.gateway.service.utils.SqlExecutionException",
                             "Could not stop job %s: it is no job of Sluice's", id);
    }
    if (!has_word(st->sql, "SAVEPOINT")) {
        if (!tracker_cancel(h->env.sub.tracker, r.id, sl_limits.cancel_ms, &err)) {
            return ses_fail(op, &err);
        }
        ses_answer_ok(op);
        return true;
    }
    struct plan_config c = ses_config(op->session, op, &op->arena);
    sl_str dir = plan_config_get(&c, "execution.checkpointing.savepoint-dir");
    dir = dir.n ? dir : plan_config_get(&c, "state.savepoints.dir");
    struct snapshot got;
    struct savepoint_ask ask = {.dir = dir.n ? sl_arena_strdupz(&op->arena, dir) : NULL,
                                .stop = true,
                                .drain = has_word(st->sql, "DRAIN")};
    if (!savepoint_take(&h->env.sub, &r, &ask, &got, &err)) {
        return ses_fail(op, &err);
    }
    ses_answer_text(op, "savepoint path", sl_str_of(got.path));
    return true;
}
