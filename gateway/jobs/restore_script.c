/* SPDX-License-Identifier: Apache-2.0
 * A script's statements start from snapshots: which ones (--from, or those a replacement has just taken), and
 * whether Flink shows that they did. An answer of 200 with a job id is no proof: the tasks must run, and the
 * snapshot must be among what /checkpoints says was restored. */
#include "gateway/jobs/submission_internal.h"

#include "base/limits.h"
#include "gateway/jobs/savepoint.h"

#include <stdio.h>

/* Both names are Flink's: the old one is what 1.20 writes in its own pages. */
static const char *const path_keys[] = {"execution.state-recovery.path", "execution.savepoint.path",
                                        "execution.state-recovery.ignore-unclaimed-state",
                                        "execution.savepoint.ignore-unclaimed-state"};

static bool keeps_state(const struct plan_unit *u)
{
    return (u->action == PLAN_INSERT || u->action == PLAN_SET) && !plan_is_batch(&u->config);
}

static bool is_path_key(sl_str key)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(path_keys); i++) {
        if (sl_str_eqz(key, path_keys[i])) {
            return true;
        }
    }
    return false;
}

/* Whatever the script says of snapshots goes; path NULL: fresh. */
static void configure(struct sub *s, struct plan_unit *u, const char *path)
{
    struct plan_pair *v = sl_new_n(s->arena, struct plan_pair, u->config.n + 2);
    struct plan_pair ours[] = {
        {SL_STR("execution.state-recovery.ignore-unclaimed-state"), SL_STR("true"), SL_STR("--from")},
        {SL_STR("execution.state-recovery.path"), sl_str_of(path ? path : ""), SL_STR("--from")},
    };
    size_t n = 0, next = !path ? SL_ARRAY_LEN(ours) : s->rq->lenient ? 0 : 1;
    for (size_t i = 0; i < u->config.n; i++) {
        const struct plan_pair *p = &u->config.pairs[i];
        while (next < SL_ARRAY_LEN(ours) && sl_str_cmp(ours[next].key, p->key) < 0) {
            v[n++] = ours[next++];
        }
        if (!is_path_key(p->key)) {
            v[n++] = *p;
        }
    }
    while (next < SL_ARRAY_LEN(ours)) {
        v[n++] = ours[next++];
    }
    u->config = (struct plan_config){v, n};
}

static const char *base_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    while (n > 0 && path[n - 1] != '/') {
        n--;
    }
    return path + n;
}

static bool fail_choice(struct sub *s, const struct sl_err *err)
{
    sub_fail(s, err);
    return false;
}

/* The newest snapshots that are there, or what a path names. */
static bool find_sources(struct sub *s, size_t n_units)
{
    struct sl_err err = SL_ERR_INIT;
    const char *name = sl_arena_strdupz(s->arena, s->rq->name);
    struct store *store = ledger_store(s->env->ledger);
    if (sl_str_eqz(s->rq->from, "latest")) {
        if (!restore_sources(store, s->env->ledger, name, s->opened.submission, s->arena, &s->sources,
                             &s->n_sources, &err)) {
            return fail_choice(s, &err);
        }
        if (s->n_sources == 0) {
            sl_fail(&err, SL_SNAPSHOT_UNKNOWN, "%s has no snapshot that can be restored", name);
            sl_hint(&err,
                    "sluice job history %s      what became of its snapshots\n"
                    "sluice run FILE --from none     starts fresh",
                    name);
            return fail_choice(s, &err);
        }
        return true;
    }
    if (n_units != 1) {
        sl_fail(&err, SL_USAGE, "--from PATH is for a script with one streaming INSERT; this one has %zu",
                n_units);
        sl_hint(&err, "--from latest finds the snapshot of each");
        return fail_choice(s, &err);
    }
    s->sources = sl_new(s->arena, struct restore_source);
    s->n_sources = 1;
    snprintf(s->sources->snapshot.path, sizeof(s->sources->snapshot.path), "%.*s", SL_S(s->rq->from));
    if (s->rq->from.n >= sizeof(s->sources->snapshot.path) ||
        !savepoint_is_there(s->sources->snapshot.path)) {
        sl_fail(&err, SL_SNAPSHOT_UNKNOWN, "there is no snapshot at %.*s", (int)SL_MIN(s->rq->from.n, 300),
                s->rq->from.p);
        sl_hint(&err,
                "the folder of a savepoint or of a checkpoint chk-N, with _metadata in it; sluice job "
                "history %s lists them",
                name);
        return fail_choice(s, &err);
    }
    return true;
}

/* Nobody asked for it; it is worth knowing that there is something. */
static void mention_latest(struct sub *s)
{
    struct sl_err ignored = SL_ERR_INIT;
    struct snapshot v;
    const char *name = sl_arena_strdupz(s->arena, s->rq->name);
    if (snapshot_latest(ledger_store(s->env->ledger), name, NULL, &v, &ignored) &&
        savepoint_is_there(v.path)) {
        event_note(s->sink, "starts fresh; %s of v%lld is there: --from latest goes on from it",
                   base_of(v.path), (long long)v.version);
    }
}

static void match(struct sub *s, size_t n_units)
{
    struct restore_identity *units = sl_new_n(s->arena, struct restore_identity, n_units + 1);
    size_t *at = sl_new_n(s->arena, size_t, n_units + 1);
    int *found = sl_new_n(s->arena, int, n_units + 1);
    size_t n = 0;
    for (size_t i = 0; i < s->plan.n; i++) {
        if (keeps_state(&s->plan.units[i])) {
            restore_identity_of(&s->plan.units[i], &units[n]);
            at[n++] = i;
        }
    }
    restore_match(units, n, s->sources, s->n_sources, found);
    for (size_t i = 0; i < n; i++) {
        struct plan_unit *u = &s->plan.units[at[i]];
        struct restore_source *from = found[i] < 0 ? NULL : &s->sources[found[i]];
        configure(s, u, from ? from->snapshot.path : NULL);
        s->starts[at[i]] = from;
        if (!from) {
            event_note(s->sink, "line %u starts fresh: no snapshot is of this statement", u->stmt->pos.line);
        }
    }
    for (size_t k = 0; k < s->n_sources; k++) {
        bool used = false;
        for (size_t i = 0; i < n; i++) {
            used = used || found[i] == (int)k;
        }
        if (!used) {
            event_note(s->sink, "the state of INSERT INTO %s is left behind: no statement is that one",
                       s->sources[k].what.sinks[0] ? s->sources[k].what.sinks : "(not known)");
        }
    }
}

/* On the way back only what was stopped is started: what could not be stopped goes on. */
static void drop_others(struct sub *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->plan.n; i++) {
        bool job = s->plan.units[i].action == PLAN_INSERT || s->plan.units[i].action == PLAN_SET;
        if (job && !s->starts[i]) {
            s->plan.jobs--;
            continue;
        }
        s->plan.units[n] = s->plan.units[i];
        s->starts[n++] = s->starts[i];
    }
    s->plan.n = n;
}

bool sub_restore_choose(struct sub *s)
{
    size_t n = 0;
    s->starts = sl_new_n(s->arena, const struct restore_source *, s->plan.n + 1);
    for (size_t i = 0; i < s->plan.n; i++) {
        n += keeps_state(&s->plan.units[i]);
    }
    bool asked = s->rq->from.n && !sl_str_eqz(s->rq->from, "none");
    if (s->n_sources == 0 && !asked) {
        if (s->rq->from.n) {
            for (size_t i = 0; i < s->plan.n; i++) {
                configure(s, &s->plan.units[i], NULL);
            }
        } else if (n && !s->replaces) {
            mention_latest(s);
        }
        return true;
    }
    if (n == 0) {
        struct sl_err err = SL_ERR_INIT;
        sl_fail(&err, SL_USAGE, "there is no streaming INSERT that could start from a snapshot");
        return fail_choice(s, &err);
    }
    if (s->n_sources == 0 && !find_sources(s, n)) {
        return false;
    }
    match(s, n);
    if (s->rq->n_sources) {
        drop_others(s);
    }
    return true;
}

static const struct restore_source *start_of(const struct sub *s, const struct plan_unit *u)
{
    return s->starts ? s->starts[u - s->plan.units] : NULL;
}

bool sub_restores(const struct sub *s, const struct plan_unit *u)
{
    return start_of(s, u) != NULL;
}

bool sub_restore_note(struct sub *s, const struct plan_unit *u, const struct run *r, struct sl_err *err)
{
    const struct restore_source *from = start_of(s, u);
    struct restore_start v = {.lenient = s->rq->lenient};
    if (u->action == PLAN_SELECT) {
        return true;
    }
    restore_identity_of(u, &v.what);
    if (from) {
        memcpy(v.path, from->snapshot.path, sizeof(v.path));
    }
    return restore_note(ledger_store(s->env->ledger), r, &v, err);
}

/* "file:/x/y", "file:///x/y/" and "/x/y" are one place. */
static bool same_place(const char *x, const char *y)
{
    const char *local_x = savepoint_local_path(sl_str_of(x)), *local_y = savepoint_local_path(sl_str_of(y));
    x = local_x ? local_x : x;
    y = local_y ? local_y : y;
    size_t n = strlen(x), m = strlen(y);
    while (n > 1 && x[n - 1] == '/') {
        n--;
    }
    while (m > 1 && y[m - 1] == '/') {
        m--;
    }
    return n == m && memcmp(x, y, n) == 0;
}

static bool all_run(const struct run *r)
{
    return strcmp(r->state, "RUNNING") == 0 && r->last.tasks > 0 &&
           r->last.tasks_running + r->last.tasks_finished == r->last.tasks;
}

enum sub_well sub_restore_look(struct sub *s, struct started_run *st, const struct run *r)
{
    const struct restore_source *from = start_of(s, st->unit);
    struct sl_err err = SL_ERR_INIT;
    int64_t now = sys_now_ms();
    sl_str label = sub_unit_label(s, st->unit);
    if (!all_run(r)) {
        st->well_ms = 0;
    } else if (!st->well_ms || st->restarts != r->last.restarts) {
        st->well_ms = now;
        st->restarts = r->last.restarts;
    }
    bool settled = st->well_ms && now - st->well_ms >= sl_limits.settle_ms;
    /* A run that restarted goes on from a checkpoint of its own: that it took one shows that it had been well. */
    bool seen = !from || same_place(r->last.restored_from, from->snapshot.path) ||
                (r->last.restarts && strstr(r->last.restored_from, r->flink_job));
    if (settled && seen) {
        if (from) {
            sub_step(s, "restored", "done", st->since_ms, st->unit, r->id, "%.*s\tfrom %s%s", SL_S(label),
                     base_of(from->snapshot.path),
                     from->run.version
                         ? sl_arena_printf(s->arena, " of v%lld", (long long)from->run.version).p
                         : "");
        }
        return SUB_WELL;
    }
    if (now - st->since_ms < (s->rq->well_ms ? s->rq->well_ms : sl_limits.well_ms)) {
        return SUB_NOT_YET;
    }
    if (settled) {
        sl_fail(&err, SL_RESTORE_NOT_SEEN, "%.*s runs, but Flink shows no restore from %s", SL_S(label),
                base_of(from->snapshot.path));
        sl_hint(&err, "it was ended: it would have begun anew");
    } else {
        sl_fail(&err, SL_NOT_WELL,
                "%.*s v%lld does not run well after %lld s: %s, %d of %d tasks, %d restart%s", SL_S(label),
                (long long)r->version, (long long)(now - st->since_ms) / 1000, run_shown_state(r),
                r->last.tasks_running, r->last.tasks, r->last.restarts, r->last.restarts == 1 ? "" : "s");
        sl_hint(&err, "sluice job logs %.8s --tm      why", r->id);
    }
    tracker_note_error(s->env->tracker, r->id, sl_code_slug(err.code), err.msg, err.hint, "");
    sub_fail(s, &err);
    return SUB_NOT_WELL;
}
