/* SPDX-License-Identifier: Apache-2.0
 * The straight way of a script: check, plan, bundle, intent, target, runs, outcome. */
#include "gateway/jobs/submission_internal.h"

#include "base/digest.h"
#include "base/limits.h"
#include "catalog/check.h"
#include "catalog/scope.h"
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/needs.h"
#include "gateway/jobs/request.h"
#include "runtime-image/bundle.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stdio.h>

#define LOOK_MS    100
#define WAITING_MS 1000 /* between two looks at the slots of a job that does not run yet */
#define FIRST_ROW_MS                                                                                         \
    250 /* a person's first row waits no longer for the number of tasks, a program's not at all */

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

/* What is said of a step is also recorded; before the submission is open it waits for that. */
static void say_step(struct sub *s, const struct event_step *e)
{
    bool ends = strcmp(e->state, "running") != 0;
    int64_t now = sys_wall_ms();
    struct ledger_step r = {.submission = s->opened.submission,
                            .statement = e->statement,
                            .start_ms = now - (e->ms > 0 ? (int64_t)e->ms : 0),
                            .end_ms = ends ? now : 0};
    snprintf(r.name, sizeof(r.name), "%s", e->step);
    snprintf(r.state, sizeof(r.state), "%s", e->state);
    snprintf(r.run, sizeof(r.run), "%s", e->run ? e->run : "");
    snprintf(r.text, sizeof(r.text), "%.*s", SL_S(e->text));
    event_step(s->sink, e);
    if (r.submission) {
        ledger_note_step(s->env->ledger, &r);
    } else {
        sl_vec_push(s->arena, &s->early, r);
    }
}

void sub_step(struct sub *s, const char *step, const char *state, int64_t since_ms, const struct plan_unit *u,
              const char *run_id, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct event_step e = {.step = step,
                           .state = state,
                           .ms = since_ms < 0 ? -1 : (double)(sys_now_ms() - since_ms),
                           .text = sl_str_of(text),
                           .job = u && u->action != PLAN_SELECT ? u->job_name : SL_STR_NONE,
                           .run = run_id,
                           .statement = u ? u->stmt->number : 0};
    say_step(s, &e);
}

sl_str sub_unit_label(struct sub *s, const struct plan_unit *u)
{
    if (u->action == PLAN_SELECT) {
        return sl_arena_printf(s->arena, "SELECT, line %u", u->stmt->pos.line);
    }
    if (s->plan.jobs - s->plan.selects == 1) {
        return s->rq->name;
    }
    return sl_arena_printf(s->arena, "%s, line %u", u->n_inserts ? "STATEMENT SET" : "INSERT",
                           u->stmt->pos.line);
}

bool sub_intend(struct sub *s, const struct plan_unit *u, const char *kind, struct run *ret)
{
    struct sl_err err = SL_ERR_INIT;
    *ret = (struct run){.version = s->opened.version,
                        .statement = u->stmt->number,
                        .mode = s->rq->mode,
                        .created_ms = sys_wall_ms()};
    sl_random_hex(ret->id, RUN_ID_HEX / 2);
    if (u->action != PLAN_SELECT) {
        snprintf(ret->job, sizeof(ret->job), "%.*s", SL_S(s->rq->name));
    }
    snprintf(ret->kind, sizeof(ret->kind), "%s", kind);
    snprintf(ret->target, sizeof(ret->target), "%s", s->target->name);
    snprintf(ret->wanted, sizeof(ret->wanted), "running");
    snprintf(ret->state, sizeof(ret->state), "SUBMITTING");
    ret->cluster = s->cluster;
    if (!sub_restore_note(s, u, ret, &err) ||
        !ledger_run_put(s->env->ledger, s->opened.submission, ret, &err)) {
        sub_fail(s, &err);
        return false;
    }
    tracker_add(s->env->tracker, s->opened.submission, ret);
    sl_vec_push(s->arena, &s->shown_runs,
                ((struct shown_run){.name = u->action == PLAN_SELECT ? SL_STR("") : s->rq->name}));
    memcpy(s->shown_runs.v[s->shown_runs.n - 1].id, ret->id, sizeof(ret->id));
    return true;
}

/* "6 rows in"; nothing where Flink could not tell. */
static sl_str counted(struct sub *s, uint64_t n, bool hidden, const char *way)
{
    return hidden ? SL_STR("")
                  : sl_arena_printf(s->arena, "%llu row%s %s", (unsigned long long)n, n == 1 ? "" : "s", way);
}

bool sub_tell_end(struct sub *s, const struct run *r, const struct plan_unit *u, int64_t since_ms)
{
    sl_str label = sub_unit_label(s, u);
    if (strcmp(r->state, "FINISHED") == 0) {
        sl_str in = counted(s, r->last.records_in, r->last.in_hidden, "in");
        sl_str out = counted(s, r->last.records_out, r->last.out_hidden, "out");
        sub_step(s, "finished", "done", since_ms, u, r->id, "%.*s\t%.*s%s%.*s", SL_S(label), SL_S(in),
                 in.n && out.n ? ", " : "", SL_S(out));
        return true;
    }
    if (strcmp(r->state, "CANCELED") == 0) {
        sub_step(s, "canceled", "done", since_ms, u, r->id, "%.*s\trun %.8s", SL_S(label), r->id);
        if (!sub_stopping(s) && s->exit_code == 0) {
            s->exit_code = 1;
        }
        return false;
    }
    sub_step(s, "failed", "failed", -1, u, r->id, "%.*s after %.1f s", SL_S(label),
             (double)(r->ended_ms - r->created_ms) / 1000);
    struct tgt_failure f = {0};
    struct sl_err err = SL_ERR_INIT;
    if (tracker_failure(s->env->tracker, r->id, s->arena, &f)) {
        sub_fail_unit(s, u, r->id, &f);
    } else {
        sl_fail(&err, SL_FLINK_JOB_FAILED, "job %.*s is %s and Flink did not say why", SL_S(label), r->state);
        sub_fail(s, &err);
    }
    return false;
}

void sub_tell_first_row(struct sub *s, const struct plan_unit *u, const char *run_id, int64_t since_ms)
{
    struct run r = {0};
    if (plan_is_batch(&u->config)) {
        return;
    }
    double ms = (double)(sys_now_ms() - since_ms);
    bool person = s->rq->form == RES_FORM_TEXT;
    bool seen = tracker_wait_running(s->env->tracker, run_id, person ? FIRST_ROW_MS : 0, &r);
    bool all = (seen || person) && r.last.tasks;
    struct event_step e = {.step = "running",
                           .state = "done",
                           .ms = ms,
                           .text = all ? sl_arena_printf(s->arena, "all %d task%s\tfirst row after",
                                                         r.last.tasks, r.last.tasks == 1 ? "" : "s")
                                       : SL_STR("its tasks\tfirst row after"),
                           .run = run_id,
                           .statement = u->stmt->number};
    say_step(s, &e);
}

void sub_tell_stopped(struct sub *s, const struct plan_unit *u, const char *run_id, uint64_t rows,
                      bool by_person)
{
    sub_step(s, "stopped", "done", -1, u, run_id, "run %.8s, %llu row%s shown, job ended%s", run_id,
             (unsigned long long)rows, rows == 1 ? "" : "s",
             by_person ? " (it lived only for this terminal)" : "");
}

void sub_tell_waiting(struct sub *s, const struct plan_unit *u, const char *run_id, int64_t since_ms)
{
    int needed, unused, all;
    int64_t now = sys_now_ms();
    struct run r;
    if (!s->target->ops->slots || now - since_ms < WAITING_MS || now - s->waiting_ms < WAITING_MS ||
        !tracker_get(s->env->tracker, run_id, &r) || !r.flink_job[0]) {
        return;
    }
    s->waiting_ms = now;
    if (!s->target->ops->slots(s->target, &r.cluster, r.flink_job, &needed, &unused, &all) ||
        needed <= unused) {
        return;
    }
    int missing = needed - unused;
    if (missing != s->waiting_slots) { /* a line each time the number changes */
        s->waiting_slots = missing;
        sub_step(s, "starting", "done", since_ms, u, run_id, "waiting for %d slot%s: %d of %d free on %s",
                 missing, missing == 1 ? "" : "s", unused, all, s->target->name);
    }
}

static void cancel_started(struct sub *s)
{
    for (size_t i = 0; i < s->started.n; i++) {
        struct sl_err err = SL_ERR_INIT;
        struct run r;
        if (!tracker_get(s->env->tracker, s->started.v[i].id, &r) || r.ended) {
            continue;
        }
        if (s->interrupted && !s->timed_out && !s->exit_code && !run_ends_with_owner(&r)) {
            sub_step(s, "left", "done", -1, s->started.v[i].unit, r.id,
                     "running: %s\tsluice job show %s   |   sluice job stop %s", r.job, r.job, r.job);
        } else {
            if (!tracker_cancel(s->env->tracker, r.id, sl_limits.cancel_ms, &err)) {
                event_error(s->sink, &err);
            } else {
                sub_step(s, "stopped", "done", -1, s->started.v[i].unit, r.id, "%.*s\trun %.8s, job ended",
                         SL_S(sub_unit_label(s, s->started.v[i].unit)), r.id);
            }
        }
    }
    s->started.n = 0;
}

void sub_wait_started(struct sub *s)
{
    struct tracker *tr = s->env->tracker;
    for (size_t i = 0; i < s->started.n && !sub_stopping(s);) {
        struct started_run *st = &s->started.v[i];
        struct run r = {0};
        bool leave = s->rq->detach && !(st->unit->await && st->unit + 1 < s->plan.units + s->plan.n);
        bool there = st->told ? tracker_wait_ended(tr, st->id, LOOK_MS, &r)
                              : tracker_wait_running(tr, st->id, LOOK_MS, &r);
        if (r.ended) {
            sub_tell_end(s, &r, st->unit, st->since_ms);
            i++;
        } else if (!st->told && (sub_restores(s, st->unit) || s->replaces)) {
            if (there) {
                sys_sleep_ms(LOOK_MS);
            }
            there = sub_restore_look(s, st, &r) == SUB_WELL;
        }
        if (there && !st->told && !r.ended) {
            st->told = true;
            sub_step(s, "running", "done", st->since_ms, st->unit, st->id, "all %d task%s\t%.*s",
                     r.last.tasks, r.last.tasks == 1 ? "" : "s", SL_S(sub_unit_label(s, st->unit)));
        }
        if (!there && !r.ended) {
            sub_tell_waiting(s, st->unit, st->id, st->since_ms);
        }
        if (leave && (st->told || sys_now_ms() - st->since_ms > sl_limits.running_ms) && i < s->started.n &&
            !r.ended) {
            i++;
        }
        if (s->exit_code) {
            break;
        }
    }
    bool passed_on = s->past && live_is_stopping(s->live); /* to the next owner */
    if ((sub_stopping(s) || s->exit_code) && !passed_on) {
        cancel_started(s);
    }
    s->started.n = 0;
}

static void tell_diags(struct sub *s)
{
    sql_diags_sort(&s->script);
    for (size_t i = 0; i < s->script.diags.list.n; i++) {
        event_diag(s->sink, &s->script, &s->script.diags.list.v[i], SL_STR_NONE);
    }
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
    struct cat_session session = {0};
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
    say_step(s, &e);
    if (!ok) {
        s->exit_code = sl_code_exit(SL_SYNTAX);
    }
    return ok;
}

/* The jars of --jar and ADD JAR as absolute paths of files that are there. */
static bool gather_jars(struct sub *s)
{
    size_t n = 0;
    size_t all = s->rq->n_kept_jars ? s->rq->n_kept_jars : s->rq->n_jars + s->plan.n_jars;
    s->jars = sl_new_n(s->arena, const char *, all + 1);
    s->jar_digests = sl_new_n(s->arena, const char *, all + 1);
    s->sent_jars = s->jars;
    for (size_t i = 0; i < all; i++) {
        bool added = !s->rq->n_kept_jars && i >= s->rq->n_jars;
        sl_str jar = s->rq->n_kept_jars ? s->rq->kept_jars[i]
                     : added            ? s->plan.jars[i - s->rq->n_jars]
                                        : s->rq->jars[i];
        if (sl_str_starts(jar, SL_STR("file:"))) {
            jar = sl_str_sub(jar, 5, jar.n - 5);
            while (jar.n > 1 && jar.p[0] == '/' && jar.p[1] == '/') {
                jar = sl_str_sub(jar, 1, jar.n - 1);
            }
        }
        char *path = sl_arena_strdupz(s->arena, jar);
        if (!sys_exists(path)) {
            struct sl_err err = SL_ERR_INIT;
            sl_fail(&err, SL_FILE_NOT_FOUND, "there is no jar %s", path);
            sl_hint(&err, added ? "ADD JAR takes the path of a file on this machine"
                                : "--jar takes the path of a file");
            sub_fail(s, &err);
            return false;
        }
        char *digest = sl_arena_alloc(s->arena, 65);
        struct sl_err unread = SL_ERR_INIT;
        if (!artifact_digest(path, digest, &unread)) {
            sub_fail(s, &unread);
            return false;
        }
        s->jar_digests[n] = digest;
        s->jars[n++] = path;
    }
    return true;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Jars of a version are kept before it is run: it may have to be run again. */
static bool keep_jars(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    size_t n = 0;
    if (!s->jars[0] || s->plan.jobs == s->plan.selects || !s->env->artifact_dir) {
        return true;
    }
    while (s->jars[n]) {
        n++;
    }
    struct artifact *v = sl_new_n(s->arena, struct artifact, n);
    const char **kept = sl_new_n(s->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!artifact_keep(s->env->artifact_dir, s->jars[i], s->jar_digests[i], s->arena, &kept[i], &err)) {
            sub_fail(s, &err);
            return false;
        }
        v[i] = (struct artifact){s->jar_digests[i], file_name(s->jars[i]), sys_file_size(kept[i])};
    }
    if (!artifact_note(s->env->ledger, sl_arena_strdupz(s->arena, s->rq->name), s->opened.version,
                       sl_arena_strdupz(s->arena, s->rq->owner), v, n, &err)) {
        sub_fail(s, &err);
        return false;
    }
    s->sent_jars = kept;
    return true;
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
        say_step(s, &e);
    }
}

static void write_bundle(struct sub *s, struct sl_buf *b)
{
    struct img_bundle_pair *pairs = sl_new_n(s->arena, struct img_bundle_pair, s->rq->n_config + 1);
    for (size_t i = 0; i < s->rq->n_config; i++) {
        pairs[i] = (struct img_bundle_pair){s->rq->config[i].key, s->rq->config[i].value};
    }
    size_t n_jars = 0;
    while (s->jars[n_jars]) {
        n_jars++;
    }
    sl_str *lock = sl_new_n(s->arena, sl_str, n_jars + 1);
    for (size_t i = 0; i < n_jars; i++) {
        lock[i] =
            sl_arena_printf(s->arena, "sha256:%s", s->jar_digests[i]); /* the same bytes, wherever they lie */
    }
    struct img_bundle_input in = {.script = &s->script,
                                  .vars = s->rq->vars,
                                  .config = pairs,
                                  .n_config = s->rq->n_config,
                                  .lock = lock,
                                  .n_lock = n_jars,
                                  .job = s->rq->name,
                                  .mode =
                                      s->rq->mode == TGT_SESSION ? SL_STR("session") : SL_STR("application")};
    img_bundle_write(&in, b, s->digest);
}

/* The files as given, for the positions of errors that come when nobody looks. */
static void write_source(struct sub *s, struct sl_buf *b)
{
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_array(&w);
    for (size_t i = 0; i < s->rq->n_files; i++) {
        sl_jw_object(&w);
        sl_jw_kstr(&w, "name", s->rq->files[i].name);
        sl_jw_kstr(&w, "text", s->rq->files[i].text);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
}

/* What the key stands for: the same key with anything else is refused. */
static void digest_body(struct sub *s)
{
    const struct sub_request *rq = s->rq;
    sl_str all =
        sl_arena_printf(s->arena, "%s %.*s %d %llu %lld %lld %.*s %d %d", s->digest, SL_S(rq->target),
                        rq->together, (unsigned long long)rq->max_rows, (long long)rq->max_duration_ms,
                        (long long)rq->timeout_ms, SL_S(rq->from), rq->replace, rq->lenient);
    sl_sha256_digest(all, s->body);
}

static void refuse_key(struct sub *s, const char *job)
{
    struct sl_err err = SL_ERR_INIT;
    sl_fail(&err, SL_KEY_REUSED, "key %.*s was used before%s%s, for something else", SL_S(s->rq->key),
            job[0] ? " for job " : "", job);
    sl_hint(&err, "another --id; or the script, options and values of variables as they were then");
    sub_fail(s, &err);
}

/* The key is taken, or who has it is followed. False: there is nothing left to do. */
static bool take_key(struct sub *s)
{
    const struct sub_request *rq = s->rq;
    const struct event_sink *k = s->sink;
    for (;;) {
        s->live = live_begin(s->env->live, rq->key, s->body, k, rq->detach, s->plan.selects > 0);
        if (s->live) {
            s->sink = live_sink(s->live);
            return true;
        }
        switch (live_follow(s->env->live, rq->key, s->body, k, rq->resumed, s->arena, &s->exit_code,
                            &s->answer)) {
        case LIVE_OTHER_BODY:
            refuse_key(s, "");
            return false;
        case LIVE_LEFT:
            s->interrupted = true;
            return false;
        case LIVE_ENDED:
            return false;
        default:
            break; /* it has ended in between */
        }
    }
}

/* A key that was used before: its answer is given again, and nothing runs. */
static void answered_before(struct sub *s, const struct ledger_opened *o)
{
    struct sl_err err = SL_ERR_INIT;
    if (o->other_body) {
        refuse_key(s, o->job);
        return;
    }
    if (!ledger_answer(s->env->ledger, sl_arena_strdupz(s->arena, s->rq->key), s->arena, &s->answer)) {
        sl_fail(&err, SL_BUSY, "the submission with key %.*s has no answer yet", SL_S(s->rq->key));
        sub_fail(s, &err);
        return;
    }
    if (!s->rq->resumed) {
        event_note(s->sink, "key %.*s was used before: nothing was run", SL_S(s->rq->key));
    }
    const struct sl_json *old = sl_json_parse(s->arena, s->answer, &err);
    if (sl_str_eqz(sl_json_str(sl_json_get(old, "code"), SL_STR("")), sl_code_slug(SL_OWNER))) {
        sl_fail(&err, SL_OWNER, "the owner of the data folder ended while it ran, and it could not go on");
        sl_hint(&err, "sluice job ls");
        event_error(s->sink, &err);
    }
    s->exit_code = (int)sl_json_i64(sl_json_get(old, "exit"), 1);
}

/* What is left of it is still what the script asks for? */
static bool reopen_ledger(struct sub *s)
{
    SL_BUF_AUTO bundle;
    sl_buf_init(&bundle, 0);
    write_bundle(s, &bundle);
    digest_body(s);
    if (strcmp(s->body, s->past->body) != 0) {
        sub_lose(s, NULL,
                 "another Sluice reads the script in another way: what was left of it does not go on");
        return false;
    }
    return true;
}

static bool open_ledger(struct sub *s)
{
    SL_BUF_AUTO bundle, source;
    struct sl_err err = SL_ERR_INIT;
    bool names_job = s->plan.jobs > s->plan.selects;
    sl_buf_init(&bundle, 0);
    sl_buf_init(&source, 0);
    write_bundle(s, &bundle);
    write_source(s, &source);
    digest_body(s);
    if (!take_key(s)) {
        return false;
    }
    struct ledger_submission ls = {.key = sl_arena_strdupz(s->arena, s->rq->key),
                                   .job = names_job ? sl_arena_strdupz(s->arena, s->rq->name) : "",
                                   .owner = sl_arena_strdupz(s->arena, s->rq->owner),
                                   .digest = s->digest,
                                   .body = s->body,
                                   .bundle = sl_buf_str(&bundle),
                                   .source = sl_buf_str(&source),
                                   .target = s->target->name,
                                   .version = s->rq->version,
                                   .beside = s->rq->replace || s->rq->beside,
                                   .mode = s->rq->mode};
    struct ledger_opened opened;
    /* A replacement that is left in the middle is ended by its own record, not by going on with the request. */
    bool goes_on = names_job && !s->rq->replace && !s->rq->beside;
    if (goes_on && !sub_request_keep(s->env->open_dir, s->rq, &err)) {
        sub_fail(s, &err);
        return false;
    }
    if (!ledger_open(s->env->ledger, &ls, &opened, &err)) {
        sub_fail(s, &err);
        return false;
    }
    if (opened.known) {
        answered_before(s, &opened);
        return false;
    }
    if (opened.taken) {
        sub_request_drop(s->env->open_dir, s->rq->key);
        sub_refuse_name(s, opened.taken_by);
        return false;
    }
    s->opened = opened;
    for (size_t i = 0; i < s->early.n; i++) {
        s->early.v[i].submission = opened.submission;
        ledger_note_step(s->env->ledger, &s->early.v[i]);
    }
    return true;
}

/* What the version was asked for with, before anything of it runs: it may have to be run again. */
static bool keep_request(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    if (!keep_jars(s)) {
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
    write_bundle(s, &b);
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

/* What was asked for, else the target's own, else where the port is. */
static const char *results_address(struct sub *s)
{
    const char *own = s->rq->results_address.n ? sl_arena_strdupz(s->arena, s->rq->results_address)
                      : s->env->results_of ? s->env->results_of(s->env->target_ctx, s->target->name, s->arena)
                                           : "";
    return own[0]
               ? own
               : sl_arena_printf(s->arena, "%s:%d", s->env->results_host, res_port_number(s->env->results)).p;
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
    if (!gather_jars(s)) {
        return;
    }
    sl_str flink = s->rq->flink_patch.n ? s->rq->flink_patch : sl_str_of(sql_version_name(s->script.flink));
    s->target = s->env->target(s->env->target_ctx, s->rq->target, flink, &err);
    if (!s->target) {
        sub_fail(s, &err);
        return;
    }
    s->results_address = results_address(s);
    tell_resolve(s);
    if (s->rq->dry_run) {
        dry_run(s);
        return;
    }
    if (s->plan.n == 0 || !(s->past ? reopen_ledger(s) : open_ledger(s)) || !keep_request(s) ||
        (s->rq->replace && !sub_replace_begin(s))) {
        return;
    }
    if (s->plan.jobs) {
        s->preflight = preflight_start(&s->script, s->target->name);
    }
    s->sources = s->rq->sources;
    s->n_sources = s->rq->n_sources;
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
