/* SPDX-License-Identifier: Apache-2.0
 * The straight way of a script: check, plan, bundle, intent, target, runs, outcome. */
#include "gateway/jobs/submission_internal.h"

#include "catalog/check.h"
#include "catalog/scope.h"
#include "gateway/jobs/needs.h"
#include "gateway/jobs/request.h"
#include "gateway/target/targets.h"

/* Warnings, as soon as all was tried; they keep nobody waiting. */
static void tell_preflight(struct sub *s)
{
    if (!s->preflight || !preflight_done(s->preflight)) {
        return;
    }
    size_t n = preflight_tell(s->preflight, &s->script);
    for (size_t i = s->script.diags.list.n - n; i < s->script.diags.list.n; i++) {
        event_diag(s->sink, &s->script, &s->script.diags.list.v[i], SL_STR_NONE);
    }
    preflight_free(s->preflight);
    s->preflight = NULL;
}

bool sub_stopping(struct sub *s)
{
    tell_preflight(s);
    if (!s->interrupted && s->sink->cancelled(s->sink->ctx)) {
        s->interrupted = true;
    }
    if (!s->interrupted && s->rq->timeout_ms && sys_now_ms() - s->start_ms >= s->rq->timeout_ms) {
        s->interrupted = s->timed_out = true;
    }
    return s->interrupted;
}

static void tell_diags(struct sub *s)
{
    sql_diags_sort(&s->script);
    for (size_t i = 0; i < s->script.diags.list.n; i++) {
        event_diag(s->sink, &s->script, &s->script.diags.list.v[i], SL_STR_NONE);
    }
}

/* May there be connectors that nobody here knows: in jars that are given, on a cluster of others? */
static bool may_have_more(const struct sub *s)
{
    struct sl_err ignored;
    char target[64];
    if (s->rq->n_jars || s->rq->n_kept_jars) {
        return true;
    }
    if (s->rq->target.n) {
        return !sl_str_eqz(s->rq->target, "local");
    }
    return !targets_default(ledger_store(s->env->ledger), target, &ignored) || strcmp(target, "local") != 0;
}

static bool check(struct sub *s)
{
    int64_t since = sys_now_us();
    struct sql_options opt = {.flink = s->rq->flink, .level = SQL_LEVEL_SYNTAX, .vars = s->rq->vars};
    struct sl_err err = SL_ERR_INIT;
    sql_script_init(&s->script, s->arena, s->rq->flink);
    for (size_t i = 0; i < s->rq->n_files; i++) {
        if (!sql_script_add(&s->script, s->rq->files[i].name, s->rq->files[i].text, &opt, &err)) {
            sub_fail(s, &err);
            return false;
        }
    }
    struct cat_session session = {.jars = may_have_more(s)};
    for (size_t i = 0; i < s->rq->n_config; i++) {
        const struct plan_pair *c = &s->rq->config[i];
        if (sl_str_eqz(c->key, "execution.runtime-mode")) {
            session.batch = !sl_str_ieqz(c->value, "streaming"); /* the last one counts */
        }
    }
    cat_check_in(&s->script, CAT_LEVEL_FULL, &session);
    struct plan_options po = {.name = s->rq->name,
                              .given = s->rq->config,
                              .n_given = s->rq->n_config,
                              .together = s->rq->together,
                              .application = s->rq->mode == TGT_APPLICATION};
    bool ok = s->script.diags.errors == 0 && plan_make(&s->script, &po, &s->plan);
    tell_diags(s);
    size_t n = s->script.stmts.n;
    size_t bad = s->script.diags.errors;
    sl_str verdict =
        ok ? SL_STR("no errors") : sl_arena_printf(s->arena, "%zu error%s", bad, bad == 1 ? "" : "s");
    struct event_counts counts = {n, bad, s->script.diags.warnings};
    struct event_step e = {.step = "check",
                           .state = ok ? "done" : "failed",
                           .counts = &counts,
                           .ms = (double)(sys_now_us() - since) / 1000,
                           .text = sl_arena_printf(s->arena, "%zu statement%s, %.*s (Flink %s)", n,
                                                   n == 1 ? "" : "s", SL_S(verdict),
                                                   sql_version_name(s->script.flink))};
    sub_say(s, &e);
    if (!ok) {
        s->exit_code = sl_code_exit(SL_SYNTAX);
    }
    return ok;
}

/* Of a cluster of others nobody has told us what its class path holds. */
static void tell_resolve(struct sub *s)
{
    int64_t since = sys_now_us();
    if (strcmp(s->target->ops->kind, "local") != 0) {
        return;
    }
    sl_str text = needs_text(&s->script, s->target->flink, s->jars, s->arena);
    if (text.n) {
        struct event_step e = {
            .step = "resolve", .state = "done", .ms = (double)(sys_now_us() - since) / 1000, .text = text};
        sub_say(s, &e);
    }
}

/* What the version was asked for with, before anything of it runs: it may have to be run again. */
static bool keep_request(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    if (!sub_jars_keep(s)) {
        return false;
    }
    if (s->plan.jobs == s->plan.selects || s->rq->version || !s->rq->params ||
        restore_request_put(ledger_store(s->env->ledger), sl_arena_strdupz(s->arena, s->rq->name),
                            s->opened.version, s->rq->params, s->sent_jars, &err)) {
        return true;
    }
    sub_fail(s, &err);
    return false;
}

static bool progress(void *ctx, const char *step, const char *text)
{
    if (step) {
        sub_step(ctx, step, "running", -1, NULL, NULL, "%s", text);
    }
    return !sub_stopping(ctx);
}

static bool make_ready(struct sub *s)
{
    int64_t since = sys_now_ms();
    struct sl_err err = SL_ERR_INIT;
    if (!s->target->ops->ready(s->target, s->rq->mode, progress, s, &s->cluster, &err)) {
        if (err.code == SL_CANCELLED && sub_stopping(s)) {
            event_note(s->sink, "%s", err.msg);
            return false;
        }
        sub_step(s, "start", "failed", since, NULL, NULL, "%s Flink %s", s->target->name, s->target->flink);
        sub_fail(s, &err);
        return false;
    }
    if (s->rq->mode == TGT_SESSION && sys_now_ms() - since > 500) {
        sub_step(s, "start", "done", since, NULL, NULL, "%s Flink %s, session mode", s->target->name,
                 s->cluster.flink);
    }
    return !sub_stopping(s);
}

static void dry_run(struct sub *s)
{
    SL_BUF_AUTO b, line;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_buf_init(&line, 0);
    sub_bundle(s, &b);
    sl_jw_init(&w, &line);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", "bundle");
    sl_jw_kstrz(&w, "digest", s->digest);
    sl_jw_key(&w, "bundle");
    sl_jw_raw(&w, sl_buf_str(&b));
    sl_jw_end_object(&w);
    s->sink->emit(s->sink->ctx, sl_buf_str(&line));
}

static sl_str outcome_json(struct sub *s)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "event", "result");
    sl_jw_kbool(&w, "ok", s->exit_code == 0);
    sl_jw_ki64(&w, "exit", s->exit_code);
    sl_jw_ki64(&w, "ms", sys_now_ms() - s->start_ms);
    sl_jw_key(&w, "jobs");
    sl_jw_array(&w);
    for (size_t i = 0; i < s->shown_runs.n; i++) {
        struct run r;
        if (s->shown_runs.v[i].name.n && tracker_get(s->env->tracker, s->shown_runs.v[i].id, &r)) {
            sl_jw_object(&w);
            sl_jw_kstr(&w, "job", s->shown_runs.v[i].name);
            sl_jw_kstrz(&w, "run", r.id);
            sl_jw_kstrz(&w, "state", run_shown_state(&r));
            sl_jw_end_object(&w);
        }
    }
    sl_jw_end_array(&w);
    sl_jw_key(&w, "results");
    sl_jw_array(&w);
    for (size_t i = 0; i < s->shown_results.n; i++) {
        sl_jw_object(&w);
        sl_jw_ki64(&w, "result", s->shown_results.v[i].number);
        sl_jw_ki64(&w, "rows", (int64_t)s->shown_results.v[i].rows);
        sl_jw_kstrz(&w, "state", s->shown_results.v[i].state);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    return sl_str_dup(s->arena, sl_buf_str(&b));
}

const char *sub_results_dial(const struct sub_env *env, const char *asked, const char *target,
                             struct sl_arena *a, struct sl_err *err)
{
    const char *own = asked[0] || !env->results_of ? asked : env->results_of(env->target_ctx, target, a);
    if (!own[0]) {
        own = sl_arena_printf(a, "%s:%d", env->results_host, res_port_number(env->results)).p;
    }
    return res_port_dial(env->results, own, a, err);
}

/* May who brings it have all of that run there? */
static bool check_rules(struct sub *s)
{
    static const int deeds[PLAN_ACTION_MAX_] = {
        [PLAN_SESSION] = -1,   [PLAN_EXTERNAL] = AUTH_CHANGE, [PLAN_ANSWER] = -1, [PLAN_INSERT] = AUTH_JOB,
        [PLAN_SET] = AUTH_JOB, [PLAN_SELECT] = AUTH_QUERY,    [PLAN_LOCAL] = -1};
    sl_str target = sl_str_of(s->target->name);
    struct sl_err err = SL_ERR_INIT;
    bool jars = s->plan.n_jars || s->rq->n_jars || s->rq->n_artifacts;
    bool ok = !jars || auth_rules_allow(s->env->rules, s->rq->role, target, AUTH_JAR, "a jar", &err);
    for (size_t i = 0; ok && i < s->plan.n; i++) {
        const struct plan_unit *u = &s->plan.units[i];
        ok = deeds[u->action] < 0 ||
             auth_rules_allow(s->env->rules, s->rq->role, target, (enum auth_deed)deeds[u->action],
                              sql_kind_name(u->stmt->kind), &err);
    }
    if (!ok) {
        sub_fail(s, &err);
    }
    return ok;
}

static void run_script(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    if (!check(s)) {
        return;
    }
    if (s->rq->detach && s->plan.selects) {
        sl_fail(&err, SL_USAGE, "--detach with a SELECT: its rows would go nowhere");
        sl_hint(&err, "INSERT INTO a table, or run without --detach");
        sub_fail(s, &err);
        return;
    }
    sl_str flink = s->rq->flink_patch.n ? s->rq->flink_patch : sl_str_of(sql_version_name(s->script.flink));
    s->target = s->env->target(s->env->target_ctx, s->rq->target, flink, &err);
    if (!s->target) {
        sub_fail(s, &err);
        return;
    }
    if (!check_rules(s) || !sub_jars_gather(s)) {
        return;
    }
    s->results_address = sub_results_dial(s->env, sl_arena_strdupz(s->arena, s->rq->results_address),
                                          s->target->name, s->arena, &err);
    if (!s->results_address) {
        sub_fail(s, &err);
        return;
    }
    tell_resolve(s);
    if (s->rq->dry_run) {
        dry_run(s);
        return;
    }
    s->sources = s->rq->sources;
    s->n_sources = s->rq->n_sources;
    if (s->plan.n == 0 || !(s->past ? sub_reopen(s) : sub_open(s)) || !keep_request(s) ||
        (s->rq->replace && !sub_replace_begin(s))) {
        return;
    }
    if (s->plan.jobs) {
        s->preflight = preflight_start(&s->script, s->target->name);
    }
    if (make_ready(s) && (!s->replaces || (sub_replace_fits(s) && sub_replace_stop(s))) &&
        sub_restore_choose(s)) {
        if (s->rq->mode == TGT_SESSION) {
            sub_session(s);
        } else if (sub_session_effects(s)) {
            sub_application(s);
        }
    }
    if (s->replaces) {
        sub_replace_end(s);
    }
}

static void go(struct sub *s)
{
    run_script(s);
    /* It was quicker than the answers: they are still told, within the time that the preflight has. */
    while (s->preflight && !preflight_done(s->preflight) && !sub_stopping(s)) {
        sys_sleep_ms(20);
    }
    tell_preflight(s);
    preflight_free(s->preflight);
    s->preflight = NULL;
}

static void end_code(struct sub *s)
{
    if (s->timed_out) {
        s->exit_code = sl_code_exit(SL_TIMEOUT);
    } else if (s->interrupted) {
        s->exit_code = sl_code_exit(SL_CANCELLED);
    }
}

/* The answer is stored, then told. */
static void close_it(struct sub *s, sl_str answer)
{
    struct sl_err err = SL_ERR_INIT;
    if (s->opened.submission &&
        !ledger_close(s->env->ledger, s->opened.submission, s->exit_code == 0, answer, &err)) {
        event_error(s->sink, &err);
    } else if (s->live && (s->opened.submission || s->answer.n)) {
        sub_request_drop(s->env->open_dir, s->rq->key);
    }
    if (s->live) {
        live_end(s->live, s->exit_code, answer);
    }
}

void sub_continue(const struct sub_env *env, const struct sub_request *rq, const struct sub_past *past,
                  struct live *live, struct sl_arena *a)
{
    struct sub s = {.env = env,
                    .rq = rq,
                    .sink = live_sink(live),
                    .arena = a,
                    .start_ms = sys_now_ms(),
                    .live = live,
                    .past = past,
                    .opened = {.submission = past->submission, .version = past->version}};
    for (size_t i = 0; i < past->n_runs; i++) {
        struct shown_run *one = sl_vec_add(a, &s.shown_runs);
        memcpy(one->id, past->runs[i].id, sizeof(one->id));
        one->name = sl_str_of(past->runs[i].job);
    }
    go(&s);
    if (live_is_stopping(live)) { /* this owner ends, too: the next one goes on */
        live_end(live, sl_code_exit(SL_OWNER), SL_STR("{}"));
        return;
    }
    end_code(&s);
    close_it(&s, outcome_json(&s));
}

void sub_run(const struct sub_env *env, const struct sub_request *rq, const struct event_sink *sink,
             struct sl_arena *a, struct sub_outcome *ret)
{
    struct sub s = {.env = env, .rq = rq, .sink = sink, .arena = a, .start_ms = sys_now_ms()};
    go(&s);
    end_code(&s);
    ret->exit_code = s.exit_code;
    if (s.target && strcmp(s.target->ops->kind, "local") == 0) {
        memcpy(ret->warm, s.cluster.flink, sizeof(ret->warm)); /* only `ready` of a session fills it */
    }
    ret->result_json = s.answer.n ? s.answer : outcome_json(&s);
    close_it(&s, ret->result_json);
    sink->emit(sink->ctx, ret->result_json);
}
