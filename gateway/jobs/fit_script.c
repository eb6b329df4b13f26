/* SPDX-License-Identifier: Apache-2.0
 * Before a running version is stopped: is there a place in the new script for the state of each of its
 * statements? Both versions are explained by the target's session cluster, also those of an application, whose own
 * cluster answers no questions. What cannot be told that way (a script with effects outside, a key of another type) is
 * found out by starting it. */
#include "gateway/jobs/submission_internal.h"

#include "gateway/jobs/fit.h"

#include <stdio.h>

struct capture {
    struct sl_arena *arena;
    sl_str text;
};

/* Of the events of an answer only the one cell of its one row counts. */
static bool take_row(void *ctx, sl_str json)
{
    struct capture *c = ctx;
    struct sl_err ignored = SL_ERR_INIT;
    const struct sl_json *e = sl_json_parse(c->arena, json, &ignored);
    if (sl_str_eqz(sl_json_str(sl_json_get(e, "event"), SL_STR_NONE), "rows") && !c->text.n) {
        const struct sl_json *row = sl_json_at(sl_json_get(e, "rows"), 0); /* its kind, then its cells */
        c->text = sl_json_str(sl_json_at(row, 1), SL_STR_NONE);
    }
    return true;
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

/* EXPLAIN of a unit, in front of which everything is as it is for the unit. Empty: cannot be told. */
static sl_str explain(const struct sub *like, const struct sub_request *rq, struct sql_script *script,
                      struct plan *plan, const struct plan_unit *u)
{
    struct capture c = {.arena = like->arena};
    struct event_sink sink = {.ctx = &c, .emit = take_row, .cancelled = never};
    struct sub_request mine = *rq;
    SL_BUF_AUTO sql;
    sl_buf_init(&sql, 0);
    if (u->n_inserts) {
        sl_buf_putz(&sql, "EXPLAIN STATEMENT SET BEGIN\n");
        for (size_t i = 0; i < u->n_inserts; i++) {
            sl_buf_puts(&sql, u->inserts[i]->sql);
            sl_buf_putz(&sql, ";\n");
        }
        sl_buf_putz(&sql, "END");
    } else {
        sl_buf_putz(&sql, "EXPLAIN ");
        sl_buf_puts(&sql, u->stmt->sql);
    }
    struct sql_stmt stmt = *u->stmt;
    stmt.sql = sl_str_dup(like->arena, sl_buf_str(&sql));
    struct plan_unit asked = *u;
    asked.action = PLAN_ANSWER;
    asked.stmt = &stmt;
    mine.form = RES_FORM_API;
    mine.mode = TGT_SESSION;
    struct sub s = {.env = like->env,
                    .rq = &mine,
                    .sink = &sink,
                    .arena = like->arena,
                    .script = *script,
                    .plan = *plan,
                    .target = like->target,
                    .cluster = like->cluster,
                    .results_address = like->results_address,
                    .jars = like->jars,
                    .jar_digests = like->jar_digests,
                    .sent_jars = like->sent_jars,
                    .start_ms = sys_now_ms()};
    memcpy(s.digest, like->digest, sizeof(s.digest));
    return sub_session_explain(&s, u, &asked) ? c.text : SL_STR_NONE;
}

static bool plan_of(const struct sub *s, const struct sub_request *rq, struct sql_script *script,
                    struct plan *ret)
{
    struct sql_options opt = {.flink = rq->flink, .level = SQL_LEVEL_SYNTAX, .vars = rq->vars};
    struct plan_options po = {.name = rq->name,
                              .given = rq->config,
                              .n_given = rq->n_config,
                              .together = rq->together,
                              .application = rq->mode == TGT_APPLICATION};
    struct sl_err ignored = SL_ERR_INIT;
    sql_script_init(script, s->arena, rq->flink);
    for (size_t i = 0; i < rq->n_files; i++) {
        if (!sql_script_add(script, rq->files[i].name, rq->files[i].text, &opt, &ignored)) {
            return false;
        }
    }
    return script->diags.errors == 0 && plan_make(script, &po, ret);
}

static bool keeps_state(const struct plan_unit *u)
{
    return (u->action == PLAN_INSERT || u->action == PLAN_SET) && !plan_is_batch(&u->config);
}

static bool refuse(struct sub *s, const struct run *old, const char *what)
{
    struct sl_err err = SL_ERR_INIT;
    sub_step(s, "fit", "failed", -1, NULL, old->id, "state of v%lld", (long long)old->version);
    sl_fail(&err, SL_STATE_DOES_NOT_FIT,
            "the state of %s (v%lld) does not fit the changed script: %s has no "
            "counterpart; nothing was stopped",
            old->job, (long long)old->version, what);
    sl_hint(&err,
            "sluice run FILE --replace --allow-non-restored-state   leaves that state behind\n"
            "sluice job stop %s, then sluice run FILE --from none   starts fresh",
            old->job);
    sub_fail(s, &err);
    return false;
}

bool sub_replace_fits(struct sub *s)
{
    struct sub_request rq;
    struct sql_script script;
    struct plan plan;
    struct sl_err ignored = SL_ERR_INIT;
    const char *name = sl_arena_strdupz(s->arena, s->rq->name);
    if (s->rq->lenient || s->rq->from.n || s->n_old_runs == 0 ||
        !sub_version_request(s->env, name, s->old_version, s->rq->vars, s->arena, &rq, &ignored) ||
        !plan_of(s, &rq, &script, &plan)) {
        return true;
    }
    int64_t since = sys_now_ms();
    if (s->rq->mode == TGT_APPLICATION) { /* a session cluster may have to come up for it */
        sub_step(s, "fit", "running", -1, NULL, NULL, "state of v%lld", (long long)s->old_version);
    }
    bool told = false;
    for (size_t i = 0; i < s->n_old_runs; i++) {
        const struct plan_unit *was = NULL, *is = NULL;
        struct restore_identity what;
        size_t n = 0;
        for (size_t k = 0; k < plan.n && !was; k++) {
            was = keeps_state(&plan.units[k]) && plan.units[k].stmt->number == s->old_runs[i].statement
                      ? &plan.units[k]
                      : NULL;
        }
        if (!was) {
            continue;
        }
        restore_identity_of(was, &what);
        for (size_t k = 0; k < s->plan.n; k++) {
            const struct plan_unit *u = &s->plan.units[k];
            struct restore_identity mine;
            if (keeps_state(u)) {
                restore_identity_of(u, &mine);
                n++;
                is = strcmp(mine.digest, what.digest) == 0 || (!is && strcmp(mine.sinks, what.sinks) == 0)
                         ? u
                         : is;
            }
        }
        for (size_t k = 0; k < s->plan.n && !is && n == 1 && s->n_old_runs == 1; k++) {
            is = keeps_state(&s->plan.units[k]) ? &s->plan.units[k] : NULL;
        }
        if (!is) {
            continue; /* its state is left behind, which is said when it is */
        }
        char missing[160];
        sl_str old_plan = explain(s, &rq, &script, &plan, was);
        sl_str new_plan = explain(s, s->rq, &s->script, &s->plan, is);
        told = told || (old_plan.n && new_plan.n);
        if (!fit_plans(old_plan, new_plan, missing)) {
            return refuse(s, &s->old_runs[i], missing);
        }
    }
    if (told) {
        sub_step(s, "fit", "done", since, NULL, NULL, "state of v%lld", (long long)s->old_version);
    }
    return !sub_stopping(s);
}
