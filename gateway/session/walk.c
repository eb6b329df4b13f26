/* SPDX-License-Identifier: Apache-2.0
 * A statement's way through Flink: one main() in the target's session cluster, which replays what the statement can reach and
 * does it. A job has a run in the ledger, under an id of ours, before anything is sent. */
#include "gateway/session/internal.h"

#include "base/digest.h"
#include "base/limits.h"
#include "gateway/jobs/task.h"
#include "runtime-image/bundle.h"
#include "sys/clock.h"

#include <stdio.h>

#define MINE                                                                                                 \
    1 /* the statement's number in its task; what stands behind it are the next two, what in front the third */

struct walk {
    struct ses_host *h;
    struct ses_op *op;
    struct session *s;
    const struct ses_errand *e;
    struct target *target;
    struct tgt_cluster cluster;
    struct plan_config config;
    SL_VEC(struct task_step) steps;
    const char *results;
    char digest[72];
    sl_str name; /* of the job */
    bool job;
    struct run run;
    int64_t submission;
};

static bool go_on(void *ctx, const char *step, const char *text)
{
    (void)step;
    (void)text;
    return !ses_stopping(ctx);
}

struct target *ses_target(struct ses_host *h, struct ses_op *op, struct tgt_cluster *ret, struct sl_err *err)
{
    const struct session *s = op->session;
    struct target *t =
        h->env.sub.target(h->env.sub.target_ctx, sl_str_of(s->target), sl_str_of(s->flink), err);
    return t && t->ops->ready(t, TGT_SESSION, go_on, op, ret, err) ? t : NULL;
}

/* --- what the main() does ------------------------------------------------------------------------------------------ */

static const struct plan_unit *unit_of(struct walk *w, sl_str sql, enum sql_kind kind, uint32_t number)
{
    struct sql_stmt *st = sl_new(&w->op->arena, struct sql_stmt);
    st->sql = sql;
    st->kind = kind;
    st->number = number;
    struct plan_unit *u = sl_new(&w->op->arena, struct plan_unit);
    u->stmt = st;
    u->config = w->config;
    u->job_name = w->name;
    return u;
}

static void replay(struct walk *w, sl_str sql, enum sql_kind kind)
{
    struct task_step s = {.unit = unit_of(w, sql, kind, MINE + 3), .action = "replay"};
    sl_vec_push(&w->op->arena, &w->steps, s);
}

/* From one current catalog and database to another. */
static void move(struct walk *w, sl_str *catalog, sl_str *database, sl_str to_catalog, sl_str to_database)
{
    struct sl_arena *a = &w->op->arena;
    if (sl_str_eq(*catalog, to_catalog) && !sl_str_eq(*database, to_database) && to_database.n == 0) {
        replay(w, SL_STR("USE CATALOG `" SES_CATALOG "`"),
               SQL_KIND_USE_CATALOG); /* away, so that it comes to its own */
        *catalog = SL_STR(SES_CATALOG);
    }
    if (!sl_str_eq(*catalog, to_catalog)) {
        sl_str q = ses_quoted(a, to_catalog);
        replay(w, sl_arena_printf(a, "USE CATALOG %.*s", SL_S(q)), SQL_KIND_USE_CATALOG);
        *database = SL_STR("");
    }
    if (!sl_str_eq(*database, to_database) && to_database.n) {
        sl_str c = ses_quoted(a, to_catalog), d = ses_quoted(a, to_database);
        replay(w, sl_arena_printf(a, "USE %.*s.%.*s", SL_S(c), SL_S(d)), SQL_KIND_USE);
    }
    *catalog = to_catalog;
    *database = to_database;
}

static void put_replays(struct walk *w)
{
    const struct ses_log *l = &w->s->log;
    bool *in = sl_new_n(&w->op->arena, bool, l->entries.n + 1);
    const struct sql_stmt *mine[] = {w->e->stmt};
    ses_log_reach(l, mine, 1, in);
    sl_str catalog = SL_STR(SES_CATALOG), database = SL_STR(SES_DATABASE);
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct ses_entry *e = &l->entries.v[i];
        if (in[i]) {
            move(w, &catalog, &database, e->catalog, e->database);
            replay(w, e->sql, SQL_KIND_UNKNOWN);
        }
    }
    move(w, &catalog, &database, l->catalog, l->database);
}

static void put_steps(struct walk *w)
{
    static const char *const actions[] = {"execute", "answer", "insert", "set", "select"};
    struct sql_stmt *st = sl_new(&w->op->arena, struct sql_stmt);
    *st = *w->e->stmt;
    st->number = MINE;
    struct plan_unit *u = sl_new(&w->op->arena, struct plan_unit);
    *u = (struct plan_unit){.stmt = st,
                            .inserts = w->e->inserts,
                            .n_inserts = w->e->n_inserts,
                            .config = w->config,
                            .job_name = w->name};
    struct task_step s = {.unit = u,
                          .action = actions[w->e->how],
                          .token = w->e->how == SES_WALK_SELECT ? res_result_token(w->op->result) : NULL};
    sl_vec_push(&w->op->arena, &w->steps, s);
    for (uint32_t i = 0; i < SL_ARRAY_LEN(w->e->then) && w->e->then[i].n; i++) {
        struct task_step t = {.unit = unit_of(w, w->e->then[i], SQL_KIND_SHOW, MINE + 1 + i),
                              .action = "answer"};
        sl_vec_push(&w->op->arena, &w->steps, t);
    }
}

/* The job's name as Flink would give it. */
static sl_str job_name(struct walk *w)
{
    struct sl_arena *a = &w->op->arena;
    sl_str given = plan_config_get(&w->config, "pipeline.name");
    if (given.n || w->e->how == SES_WALK_SELECT) {
        return given;
    }
    sl_str p[3];
    sl_str object = w->e->n_inserts ? w->e->inserts[0]->object : w->e->stmt->object;
    size_t n = ses_name_parts(a, object, p);
    sl_str catalog = n == 3 ? p[0] : w->s->log.catalog;
    sl_str database = n == 3 ? p[1] : n == 2 ? p[0] : w->s->log.database;
    if (n == 0 || database.n == 0) {
        return sl_arena_printf(a, "session-%.8s", w->s->id);
    }
    sl_str name =
        sl_arena_printf(a, "insert-into_%.*s.%.*s.%.*s", SL_S(catalog), SL_S(database), SL_S(p[n - 1]));
    return name.n > 128 ? sl_str_sub(name, 0, 128) : name;
}

/* --- the run of a job ---------------------------------------------------------------------------------------------- */

/* What it takes to run the job again: all that was replayed, and the statement. */
static bool write_source(struct walk *w, struct sl_buf *bundle, struct sl_buf *source, struct sl_err *err)
{
    struct sl_arena *a = &w->op->arena;
    SL_BUF_AUTO text;
    sl_buf_init(&text, 0);
    for (size_t i = 0; i < w->steps.n; i++) {
        if (strcmp(w->steps.v[i].action, "replay") == 0) {
            sl_buf_puts(&text, w->steps.v[i].unit->stmt->sql);
            sl_buf_putz(&text, ";\n");
        }
    }
    sl_buf_puts(&text, w->e->stmt->sql);
    sl_buf_putz(&text, ";\n");
    struct sql_script *script = sl_new(a, struct sql_script);
    sql_version flink;
    if (!sql_version_parse(sl_str_of(w->s->flink), &flink, err)) {
        return false;
    }
    struct sql_options opt = {.flink = flink, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(script, a, flink);
    sl_str all = sl_str_dup(a, sl_buf_str(&text));
    if (!sql_script_add(script, SL_STR("session.sql"), all, &opt, err)) {
        return false;
    }
    struct img_bundle_pair *pairs = sl_new_n(a, struct img_bundle_pair, w->config.n + 1);
    for (size_t i = 0; i < w->config.n; i++) {
        pairs[i] = (struct img_bundle_pair){w->config.pairs[i].key, w->config.pairs[i].value};
    }
    struct img_bundle_input in = {.script = script,
                                  .config = pairs,
                                  .n_config = w->config.n,
                                  .lock = w->s->jars.v,
                                  .n_lock = w->s->jars.n,
                                  .job = w->name,
                                  .mode = SL_STR("session")};
    img_bundle_write(&in, bundle, w->digest);
    struct sl_jw j;
    sl_jw_init(&j, source);
    sl_jw_array(&j);
    sl_jw_object(&j);
    sl_jw_kstrz(&j, "name", "session.sql");
    sl_jw_kstr(&j, "text", all);
    sl_jw_end_object(&j);
    sl_jw_end_array(&j);
    return true;
}

static bool intend(struct walk *w, struct sl_err *err)
{
    bool select = w->e->how == SES_WALK_SELECT;
    SL_BUF_AUTO bundle, source;
    sl_buf_init(&bundle, 0);
    sl_buf_init(&source, 0);
    if (!write_source(w, &bundle, &source, err)) {
        return false;
    }
    struct ledger_opened opened;
    struct ledger_submission sub = {
        .key = sl_arena_printf(&w->op->arena, "session-%s", w->op->id).p,
        .job = select ? "" : sl_arena_strdupz(&w->op->arena, w->name),
        .owner = w->s->user,
        .digest = w->digest,
        .bundle = sl_buf_str(&bundle),
        .source = sl_buf_str(&source),
        .target = w->target->name,
        .beside = true, /* a session may run the same INSERT twice at once, as Flink may */
        .mode = TGT_SESSION};
    if (!ledger_open(w->h->env.sub.ledger, &sub, &opened, err)) {
        return false;
    }
    w->submission = opened.submission;
    w->run = (struct run){
        .version = opened.version, .statement = MINE, .mode = TGT_SESSION, .created_ms = sys_wall_ms()};
    sl_random_hex(w->run.id, RUN_ID_HEX / 2);
    snprintf(w->run.job, sizeof(w->run.job), "%s", sub.job);
    snprintf(w->run.kind, sizeof(w->run.kind), "%s",
             select                      ? "SELECT"
             : w->e->how == SES_WALK_SET ? "STATEMENT SET"
                                         : "INSERT");
    snprintf(w->run.target, sizeof(w->run.target), "%s", w->target->name);
    snprintf(w->run.wanted, sizeof(w->run.wanted), "running");
    snprintf(w->run.state, sizeof(w->run.state), "SUBMITTING");
    w->run.cluster = w->cluster;
    if (!ledger_run_put(w->h->env.sub.ledger, w->submission, &w->run, err)) {
        return false;
    }
    tracker_add(w->h->env.sub.tracker, w->submission, &w->run);
    return true;
}

static void settle(struct walk *w, bool ok)
{
    struct sl_err err = SL_ERR_INIT;
    if (w->submission && !ledger_close(w->h->env.sub.ledger, w->submission, ok,
                                       ok ? SL_STR("{\"event\":\"result\",\"ok\":true,\"exit\":0}")
                                          : SL_STR("{\"event\":\"result\",\"ok\":false,\"exit\":1}"),
                                       &err)) {
        ses_fail(w->op, &err);
    }
}

/* --- what became of it --------------------------------------------------------------------------------------------- */

bool ses_fail_chain(struct ses_op *op, const struct tgt_failure *f)
{
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *chain = f->chain_json.n ? sl_json_parse(&op->arena, f->chain_json, &err) : NULL;
    chain = sl_json_is(chain, SL_JSON_OBJECT) ? sl_json_get(chain, "chain") : chain;
    struct ses_cause *c = sl_new_n(&op->arena, struct ses_cause, chain ? chain->n + 1 : 1);
    size_t n = 0;
    SL_JSON_EACH(v, chain)
    {
        c[n].type = sl_json_str(sl_json_get(v, "class"), SL_STR("java.lang.Exception"));
        c[n++].message = sl_json_str(sl_json_get(v, "message"), SL_STR(""));
    }
    if (n == 0) {
        return ses_fail_java(op, "org.apache.flink.table.api.TableException", "%.*s",
                             SL_S(f->stack.n ? f->stack : SL_STR("Flink failed and did not say why")));
    }
    op->failure = (struct ses_failure){c, n, SL_FLINK};
    return false;
}

/* Takes what the runner answered to the statement. */
static void take_answer(struct walk *w, struct res_task *task, struct ses_table *ret_then)
{
    struct res_statement_report rep;
    if (w->e->how == SES_WALK_ANSWER && res_task_report(task, MINE, &w->op->arena, &rep)) {
        if (rep.job_id[0]) {
            ses_answer_job(w->op, rep.job_id);
        } else if (rep.answer) {
            w->op->keeper = res_reader_new(rep.answer, 0, false);
            w->op->result = rep.answer;
            ses_own_learn(w->op, w->e->stmt, rep.answer);
        } else {
            ses_answer_ok(w->op);
        }
    }
    for (uint32_t i = 0; i < SL_ARRAY_LEN(w->e->then) && w->e->then[i].n; i++) {
        if (!res_task_report(task, MINE + 1 + i, &w->op->arena, &rep) || !rep.answer ||
            !ses_table_of(rep.answer, &w->op->arena, &ret_then[i])) {
            break;
        }
    }
}

/* The truth is what the runner said; where it said nothing, the REST answer. */
static bool verdict(struct walk *w, struct res_task *task, bool sent, const struct tgt_failure *f,
                    struct sl_err *err)
{
    struct res_statement_report rep;
    if (res_task_report(task, MINE, &w->op->arena, &rep) && rep.done) {
        return true;
    }
    if (res_task_failure(task, &w->op->arena, &rep)) {
        return ses_fail_chain(w->op, &(struct tgt_failure){.chain_json = rep.chain_json, .stack = rep.stack});
    }
    if (f->chain_json.n || f->stack.n) {
        return ses_fail_chain(w->op, f);
    }
    if (sent) {
        sl_fail(err, SL_TARGET_ANSWER, "the runner ended without saying how");
    }
    return ses_fail(w->op, err);
}

static bool send(struct walk *w, struct ses_table *ret_then)
{
    struct sl_arena *a = &w->op->arena;
    struct sl_err err = SL_ERR_INIT;
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    struct task_head head = {
        .mode = "session", .digest = w->digest, .script = SL_STR("session"), .results = w->results};
    task_write(&b, &head, w->steps.v, w->steps.n);
    struct res_task *task = res_task_new(w->h->env.sub.results, sl_buf_str(&b), &err);
    if (!task) {
        return ses_fail(w->op, &err);
    }
    const char **jars = sl_new_n(a, const char *, w->s->jars.n + 1);
    for (size_t i = 0; i < w->s->jars.n; i++) {
        jars[i] = sl_arena_strdupz(a, w->s->jars.v[i]);
    }
    struct tgt_submit submit = {.mode = TGT_SESSION,
                                .name = "session",
                                .job_id = w->job ? w->run.id : NULL,
                                .task = sl_str_dup(a, sl_buf_str(&b)),
                                .token = res_task_token(task),
                                .results_address = w->results,
                                .digest = w->digest,
                                .jars = jars,
                                .expects_job = w->job,
                                /* A cluster of others may not reach us; it needs to for rows only. */
                                .inline_task = w->target->ops->reach && !w->op->result,
                                .stop = &w->op->stop};
    struct tgt_failure f = {0};
    struct tracker *tr = w->h->env.sub.tracker;
    bool sent = w->target->ops->submit(w->target, &submit, a, &w->cluster, &f, &err);
    bool open = !sent && !f.chain_json.n && !f.stack.n; /* nobody has said that there is no job */
    enum ses_inline by_text =
        submit.inline_task ? ses_inline_answer(w->op, &f, MINE, ret_then) : SES_INLINE_NONE;
    /* A job that was taken without a word from the runner is that of one who could not reach us. */
    bool unheard = submit.inline_task && w->job && sent && res_task_wait(task, 0) == RES_TASK_UNCLAIMED;
    bool ok = by_text == SES_INLINE_ANSWERED || unheard ||
              (by_text == SES_INLINE_NONE && verdict(w, task, sent, &f, &err));
    if (ok && by_text == SES_INLINE_NONE && !unheard) {
        take_answer(w, task, ret_then);
    }
    if (w->job && (ok || sent || open)) {
        tracker_started(tr, w->run.id, &w->cluster, w->run.id);
    } else if (w->job) {
        tracker_finish(tr, w->run.id, "FAILED");
    }
    if (w->job && open && !ok) {
        ses_fail_java(w->op, "org.apache.flink.table.api.TableException",
                      "%s; whether job %s runs is not known yet: SHOW JOBS tells", err.msg, w->run.id);
    }
    res_task_free(task);
    return ok;
}

static enum ses_lasting job_lasts(const struct walk *w)
{
    return w->e->then[0].n                                                      ? SES_JOB_MAKES
           : sl_str_ieqz(plan_config_get(&w->config, "table.dml-sync"), "true") ? SES_JOB_AWAITED
                                                                                : SES_JOB;
}

static bool go(struct walk *w, struct ses_table *ret_then)
{
    struct sl_err err = SL_ERR_INIT;
    struct ses_op *op = w->op;
    w->target = ses_target(w->h, op, &w->cluster, &err);
    if (!w->target) {
        return ses_fail(op, &err);
    }
    w->config = ses_config(w->s, op, &op->arena);
    w->name = job_name(w);
    w->results = sub_results_dial(&w->h->env.sub, "", w->target->name, &op->arena, &err);
    if (!w->results) {
        return ses_fail(op, &err);
    }
    if (w->e->how == SES_WALK_SELECT) {
        op->result = res_result_new(w->h->env.sub.results, MINE, &err);
        if (!op->result) {
            return ses_fail(op, &err);
        }
        op->keeper = res_reader_new(op->result, 0, false);
    }
    put_replays(w);
    put_steps(w);
    sl_sha256_digest(w->e->stmt->sql, w->digest);
    if (w->job && !intend(w, &err)) {
        return ses_fail(op, &err);
    }
    if (w->e->how == SES_WALK_SELECT) {
        memcpy(op->run, w->run.id, sizeof(op->run));
    } else if (w->job && !ses_keep_begun(w->h, op, job_lasts(w), w->run.id, &err)) {
        tracker_finish(w->h->env.sub.tracker, w->run.id, "FAILED");
        settle(w, false);
        return ses_fail(op, &err);
    }
    bool ok = send(w, ret_then);
    settle(w, ok);
    return ok;
}

/* The session waits for the job's end (table.dml-sync). */
static bool wait_end(struct walk *w)
{
    struct run r = w->run;
    struct tgt_failure f = {0};
    while (!tracker_wait_ended(w->h->env.sub.tracker, w->run.id, 200, &r)) {
        if (ses_stopping(w->op)) {
            return ses_fail_java(w->op, "java.lang.InterruptedException",
                                 "the statement was given up; its job goes on");
        }
    }
    if (strcmp(r.state, "FINISHED") == 0) {
        return true;
    }
    if (tracker_failure(w->h->env.sub.tracker, w->run.id, &w->op->arena, &f)) {
        return ses_fail_chain(w->op, &f);
    }
    return ses_fail_java(w->op, "org.apache.flink.table.api.TableException", "job %s is %s", w->run.id,
                         r.state);
}

bool ses_walk(struct ses_host *h, struct ses_op *op, const struct ses_errand *e, struct ses_table ret_then[2])
{
    struct walk w = {.h = h, .op = op, .s = op->session, .e = e, .job = e->how >= SES_WALK_INSERT};
    memset(ret_then, 0, 2 * sizeof(*ret_then));
    if (!ses_place_take(h, op)) {
        return ses_fail_java(op, "java.util.concurrent.CancellationException", "the statement was given up");
    }
    bool ok = go(&w, ret_then);
    ses_place_leave(h, op);
    if (!ok || !w.job) {
        return ok;
    }
    if (e->how == SES_WALK_SELECT) {
        op->is_query = op->content = true;
        memcpy(op->job_id, w.run.id, sizeof(op->job_id));
        return true;
    }
    ses_answer_job(op, w.run.id);
    bool sync = sl_str_ieqz(plan_config_get(&w.config, "table.dml-sync"), "true");
    return !sync || wait_end(&w);
}
