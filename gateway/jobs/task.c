/* SPDX-License-Identifier: Apache-2.0
 * The task document: canonical (fixed key order, sorted configuration), so that equal work gives equal bytes.
 */
#include "gateway/jobs/task.h"

#include "base/json.h"

/* A SELECT's job is named by the first words of its SQL, so that it can be told apart on the cluster's own
 * pages. */
static sl_str select_name(const struct sql_stmt *st, char buf[80])
{
    size_t n = 0;
    bool blank = false;
    for (size_t i = 0; i < st->sql.n && n < 60; i++) {
        char c = st->sql.p[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = n > 0;
            continue;
        }
        if (blank) {
            buf[n++] = ' ';
            blank = false;
        }
        buf[n++] = c;
    }
    while (n && ((unsigned char)buf[n - 1] & 0xC0) == 0x80) {
        n--; /* not half a character at the end */
    }
    if (n && (unsigned char)buf[n - 1] >= 0xC0) {
        n--;
    }
    return (sl_str){buf, n};
}

/* Where a step starts from is its own affair: in the configuration of the whole it would be that of every step,
 * and of a main() that runs again after its JobManager died. */
static bool is_of_one_step(sl_str key)
{
    return sl_str_starts(key, SL_STR("execution.state-recovery.")) ||
           sl_str_starts(key, SL_STR("execution.savepoint."));
}

static void put_config(struct sl_jw *w, const struct plan_unit *u, bool select, bool whole)
{
    char buf[80];
    sl_str name = select ? select_name(u->stmt, buf) : u->job_name;
    bool named = false;
    sl_jw_key(w, "config");
    sl_jw_object(w);
    for (size_t i = 0; i < u->config.n; i++) {
        const struct plan_pair *p = &u->config.pairs[i];
        if (plan_key_is_ours(p->key) || (whole && is_of_one_step(p->key))) {
            continue;
        }
        int order = sl_str_cmp(p->key, SL_STR("pipeline.name"));
        if (!named && order >= 0) {
            sl_jw_kstr(w, "pipeline.name", name);
            named = true;
        }
        if (order != 0) {
            sl_jw_keys(w, p->key);
            sl_jw_str(w, p->value);
        }
    }
    if (!named) {
        sl_jw_kstr(w, "pipeline.name", name);
    }
    sl_jw_end_object(w);
}

/* What Flink is asked: of EXECUTE <query> only the query, since sqlQuery() takes no more. */
static sl_str step_sql(const struct sql_stmt *st)
{
    sl_str sql = st->sql;
    if (st->kind == SQL_KIND_EXECUTE_QUERY && sql.n > 7) {
        sql = sl_str_trim(sl_str_sub(sql, 7, sql.n - 7));
    }
    return sql;
}

static void put_step(struct sl_jw *w, const struct task_step *s)
{
    const struct plan_unit *u = s->unit;
    bool select = strcmp(s->action, "select") == 0;
    sl_jw_object(w);
    sl_jw_ki64(w, "statement", u->stmt->number);
    sl_jw_kstrz(w, "action", s->action);
    if (strcmp(s->action, "set") == 0) {
        sl_jw_key(w, "inserts");
        sl_jw_array(w);
        for (size_t i = 0; i < u->n_inserts; i++) {
            sl_jw_str(w, u->inserts[i]->sql);
        }
        sl_jw_end_array(w);
    } else {
        sl_jw_kstr(w, "sql", step_sql(u->stmt));
    }
    put_config(w, u, select, false);
    if (s->token) {
        sl_jw_kstrz(w, "token", s->token);
    }
    if (s->job_id) {
        sl_jw_kstrz(w, "jobId", s->job_id);
    }
    sl_jw_kbool(w, "await", u->await);
    sl_jw_end_object(w);
}

void task_write(struct sl_buf *b, const struct task_head *head, const struct task_step *steps, size_t n)
{
    SL_BUG_ON(n == 0);
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "version", 1);
    sl_jw_kstrz(&w, "digest", head->digest);
    sl_jw_kstrz(&w, "mode", head->mode);
    sl_jw_kstr(&w, "script", head->script);
    put_config(&w, steps[n - 1].unit, strcmp(steps[n - 1].action, "select") == 0, true);
    sl_jw_key(&w, "results");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "address", head->results);
    if (head->token) {
        sl_jw_kstrz(&w, "token", head->token);
    }
    sl_jw_end_object(&w);
    sl_jw_key(&w, "steps");
    sl_jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        put_step(&w, &steps[i]);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
}
