/* SPDX-License-Identifier: Apache-2.0
 * A session cluster that others started, by its REST address. What is known of a JobManager (whether it takes jobs,
 * the jar there that names our runner, which results address its TaskManagers have reached) is kept for one incarnation
 * of it, which web.tmpdir names: a JobManager makes that folder anew at each start. */
#include "gateway/target/submit_session.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/vec.h"
#include "gateway/target/flink_logs.h"
#include "gateway/target/session_jars.h"
#include "runtime-image/flink_base.h"
#include "runtime-image/unpack.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNNER_BYTES ((size_t)64 << 20)
#define ASK_MS       5000
#define PROBE_CLASS  "org.sluice.runner.Probe"

struct session {
    struct target t;
    struct sl_arena a;
    struct tgt_endpoint at; /* incarnation stays empty in it */
    const char *runner_jar, *scratch_dir;
    struct session_jars *jars;
    pthread_mutex_t start; /* one look for the jar at a time; taken before `lock` */
    pthread_mutex_t lock;  /* the fields below: of this incarnation */
    char incarnation[64], flink[16], jar_id[192], reached[300];
    bool can_submit, runner_in_lib;
};

static struct session *of(struct target *t)
{
    return (struct session *)t;
}

/* ---- who answers ---- */

static bool same_version(const char *wanted, const char *there)
{
    size_t n = strlen(wanted);
    return strncmp(wanted, there, n) == 0 && (there[n] == 0 || there[n] == '.' || there[n] == '-');
}

/* The part of a version that decides whether our plans fit: "2.2" of "2.2.1". */
static int minor_length(const char *version)
{
    const char *dot = strchr(version, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
    return (int)(second ? (size_t)(second - version) : strlen(version));
}

/* A new incarnation makes all that was known of the old one void. */
static bool identify(struct session *s, struct flink_rest *r, struct flink_overview *ret, struct sl_err *err)
{
    char incarnation[64] = "";
    if (!flink_rest_overview(r, ret, err) ||
        !flink_rest_config(r, "web.tmpdir", incarnation, sizeof incarnation, err)) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    if (strcmp(s->incarnation, incarnation) != 0) {
        memcpy(s->incarnation, incarnation, sizeof incarnation);
        s->jar_id[0] = s->reached[0] = 0;
        s->can_submit = false;
    }
    snprintf(s->flink, sizeof s->flink, "%s", ret->version);
    pthread_mutex_unlock(&s->lock);
    return true;
}

static void describe(struct session *s, struct tgt_cluster *ret)
{
    memset(ret, 0, sizeof *ret);
    snprintf(ret->id, sizeof ret->id, "%s", s->t.name);
    snprintf(ret->rest, sizeof ret->rest, "%s", s->at.rest);
    pthread_mutex_lock(&s->lock);
    memcpy(ret->incarnation, s->incarnation, sizeof ret->incarnation);
    memcpy(ret->flink, s->flink, sizeof ret->flink);
    pthread_mutex_unlock(&s->lock);
}

static bool started_anew(struct session *s, struct sl_err *err)
{
    sl_fail(err, SL_TARGET_UNREACHABLE, "the JobManager of '%s' has started anew meanwhile; nothing was sent",
            s->t.name);
    return sl_hint(err, "run it again");
}

/* ---- the runner's jar ---- */

/* Does the JobManager's class path hold the runner? Flink before 1.15 does not tell: then it is uploaded. */
static bool runner_in_lib(struct flink_rest *r, struct sl_arena *a)
{
    struct sl_err ignored = SL_ERR_INIT;
    const struct sl_json *doc = NULL;
    if (!(doc = flink_rest_get(r, "/jobmanager/environment", a, &ignored))) {
        return false;
    }
    SL_JSON_EACH(e, sl_json_get(doc, "classpath"))
    {
        if (sl_str_find(sl_json_str(e, SL_STR("")), SL_STR("sluice-runner")) >= 0) {
            return true;
        }
    }
    return false;
}

/* Its id when a jar of that name was uploaded before, by us or by another Sluice. What we had sent for one submission and
 * is not in use goes. */
static bool find_jar(struct session *s, struct flink_rest *r, const char *name, struct sl_arena *a, char *ret,
                     size_t cap, struct sl_err *err)
{
    const struct sl_json *doc = NULL;
    if (!(doc = flink_rest_get(r, "/jars", a, err))) {
        return false;
    }
    SL_JSON_EACH(f, sl_json_get(doc, "files"))
    {
        sl_str id = sl_json_str(sl_json_get(f, "id"), SL_STR(""));
        if (sl_str_eqz(sl_json_str(sl_json_get(f, "name"), SL_STR("")), name) && id.n < cap) {
            snprintf(ret, cap, "%.*s", SL_S(id));
        }
    }
    session_jars_sweep(s->jars, r, sl_json_get(doc, "files"));
    return true;
}

/* The jar of this Sluice's runner under a name that tells its content; a tiny one where lib/ holds the runner. */
static bool local_jar(struct session *s, bool tiny, struct sl_arena *a, const char **ret_path,
                      const char **ret_name, struct sl_err *err)
{
    char digest[72];
    sl_str bytes;
    const char *path = s->runner_jar;
    if (tiny) {
        path = sys_path_join(a, s->scratch_dir, "sluice-tiny.jar");
        if (!sys_mkdirs(s->scratch_dir, 0700, err) || !img_write_tiny_jar(path, err)) {
            return false;
        }
    } else if (!path) {
        sl_fail(err, SL_FLINK_START, "sluice-runner.jar is not beside sluice");
        return sl_hint(err, "build it with make, or name it in SLUICE_RUNNER_JAR");
    }
    if (!sys_file_read(a, path, RUNNER_BYTES, &bytes, err)) {
        return false;
    }
    sl_sha256_digest(bytes, digest); /* "sha256:..." */
    *ret_path = path;
    *ret_name = sl_arena_printf(a, "%s-%.16s.jar", tiny ? "sluice-tiny" : "sluice-runner", digest + 7).p;
    return true;
}

static bool look_for_jar(struct session *s, struct flink_rest *r, bool upload, bool *ret_lib,
                         struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char id[192] = "", incarnation[64];
    const char *path = NULL, *name = NULL;
    bool can = false;
    pthread_mutex_lock(&s->lock);
    bool known = s->jar_id[0] && s->can_submit;
    memcpy(incarnation, s->incarnation, sizeof incarnation);
    pthread_mutex_unlock(&s->lock);
    if (known) {
        return true;
    }
    if (!flink_rest_can_submit(r, &can, err)) {
        return false;
    }
    if (!can) {
        sl_fail(err, SL_SUBMIT_DISABLED, "'%s' takes no jobs over REST: its web.submit.enable is false",
                s->t.name);
        return sl_hint(
            err, "set web.submit.enable: true on that cluster, or choose another target: sluice target ls");
    }
    bool lib = runner_in_lib(r, &a);
    if (ret_lib) {
        *ret_lib = lib;
    }
    if (!local_jar(s, lib, &a, &path, &name, err) || !find_jar(s, r, name, &a, id, sizeof id, err) ||
        (!id[0] && upload && !flink_rest_upload_as(r, path, name, id, sizeof id, err))) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    bool same = strcmp(s->incarnation, incarnation) == 0;
    if (same) {
        s->can_submit = true;
        s->runner_in_lib = lib;
        memcpy(s->jar_id, id, sizeof id);
    }
    pthread_mutex_unlock(&s->lock);
    return same || started_anew(s, err);
}

/* Once per incarnation, by one thread at a time: asks whether jobs are taken, finds or uploads the jar. Who asks
 * a JobManager that hangs who it is has not come here yet, and makes nobody wait. */
static bool have_jar(struct session *s, struct flink_rest *r, bool upload, bool *ret_lib, struct sl_err *err)
{
    pthread_mutex_lock(&s->start);
    bool ok = look_for_jar(s, r, upload, ret_lib, err);
    pthread_mutex_unlock(&s->start);
    return ok;
}

static bool session_ready(struct target *t, enum tgt_mode mode, tgt_progress progress, void *ctx,
                          struct tgt_cluster *ret, struct sl_err *err)
{
    struct session *s = of(t);
    struct flink_overview o;
    (void)progress;
    (void)ctx;
    memset(ret, 0, sizeof *ret);
    if (mode == TGT_APPLICATION) {
        sl_fail(err, SL_MODE_NOT_SUPPORTED,
                "'%s' is a session cluster that runs already: it has no application mode", t->name);
        return sl_hint(err, "run without --mode application, or with --target local");
    }
    struct flink_rest *r = flink_rest_open(&s->at, ASK_MS);
    bool ok = identify(s, r, &o, err);
    if (ok && !same_version(t->flink, o.version)) {
        ok = sl_fail(err, SL_FLINK_VERSION_MISMATCH, "'%s' runs Flink %s, and the script is for Flink %s",
                     t->name, o.version, t->flink);
        sl_hint(err, "sluice run FILE --flink %.*s --target %s", minor_length(o.version), o.version, t->name);
    }
    ok = ok && have_jar(s, r, true, NULL, err);
    flink_rest_free(r);
    if (ok) {
        describe(s, ret);
    }
    return ok;
}

/* ---- submit ---- */

/* What was intended for one JobManager is not sent to another. before: its incarnation, "" = not known. */
static bool same_life(struct session *s, struct flink_rest *r, const char *before, struct sl_err *err)
{
    struct flink_overview o;
    if (!identify(s, r, &o, err)) {
        return false;
    }
    pthread_mutex_lock(&s->lock);
    bool same = !before[0] || strcmp(before, s->incarnation) == 0;
    pthread_mutex_unlock(&s->lock);
    return same || started_anew(s, err);
}

/* Somebody has deleted the jar since: found again or uploaded, when the JobManager is still the same. */
static bool jar_again(struct session *s, const char *gone_id, struct sl_err *err)
{
    char before[64];
    pthread_mutex_lock(&s->lock);
    memcpy(before, s->incarnation, sizeof before);
    if (strcmp(s->jar_id, gone_id) == 0) {
        s->jar_id[0] = 0;
    }
    pthread_mutex_unlock(&s->lock);
    struct flink_rest *r = flink_rest_open(&s->at, ASK_MS);
    bool ok = same_life(s, r, before, err) && have_jar(s, r, true, NULL, err);
    flink_rest_free(r);
    return ok;
}

static void copy_jar_id(struct session *s, char ret[192])
{
    pthread_mutex_lock(&s->lock);
    memcpy(ret, s->jar_id, sizeof s->jar_id);
    pthread_mutex_unlock(&s->lock);
}

/* Flink's words for a jar id that it does not know: main() has not run. */
static bool jar_is_gone(const struct tgt_failure *f, const char *jar_id)
{
    return jar_id[0] && sl_str_find(f->stack, sl_str_of(jar_id)) >= 0 &&
           sl_str_find(f->stack, SL_STR("does not exist")) >= 0;
}

/* The jar that is run: the runner's, or one that holds those of the submission. */
static bool choose_jar(struct session *s, const struct tgt_submit *sub, bool jars, char ret[192],
                       struct sl_err *err)
{
    char incarnation[64];
    pthread_mutex_lock(&s->lock);
    struct session_jars_wanted w = {
        .jars = sub->jars, .runner = s->runner_in_lib ? NULL : s->runner_jar, .incarnation = incarnation};
    memcpy(incarnation, s->incarnation, sizeof incarnation);
    pthread_mutex_unlock(&s->lock);
    if (!jars) {
        copy_jar_id(s, ret);
        return true;
    }
    if (!session_jars_take(s->jars, &s->at, &w, ret, err)) {
        return false;
    }
    struct flink_rest *r = flink_rest_open(&s->at, ASK_MS); /* sending them may have taken its time */
    bool same = same_life(s, r, incarnation, err);
    flink_rest_free(r);
    if (!same) {
        session_jars_done(s->jars, &s->at, ret, true);
    }
    return same;
}

static bool session_submit(struct target *t, const struct tgt_submit *sub, struct sl_arena *a,
                           struct tgt_cluster *ret, struct tgt_failure *failure, struct sl_err *err)
{
    struct session *s = of(t);
    struct tgt_submit plain = *sub;
    bool jars = sub->jars && sub->jars[0];
    char jar[192];
    plain.jars = NULL; /* they are in what is run */
    memset(failure, 0, sizeof *failure);
    describe(s, ret);
    copy_jar_id(s, jar);
    if (!jar[0] && !jar_again(s, jar, err)) { /* not made ready by this owner */
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (!choose_jar(s, sub, jars, jar, err)) {
            return false;
        }
        describe(s, ret);
        bool ok = tgt_submit_session(&s->at, jar, &plain, a, failure, err);
        bool gone = !ok && jar_is_gone(failure, jar);
        if (jars) {
            session_jars_done(s->jars, &s->at, jar, gone);
        }
        if (ok) {
            return true;
        }
        if (i > 0 || !gone) {
            return false;
        }
        *err = (struct sl_err)SL_ERR_INIT;
        memset(failure, 0, sizeof *failure);
        if (!jar_again(s, jar, err)) {
            return false;
        }
    }
    return false;
}

/* ---- asking ---- */

static bool session_list(struct target *t, const struct tgt_cluster *c, struct sl_arena *a,
                         char (**ret_ids)[33], size_t *ret_n, struct sl_err *err)
{
    struct flink_rest *r = flink_rest_open(&of(t)->at, ASK_MS);
    (void)c;
    bool ok = flink_rest_job_ids(r, a, ret_ids, ret_n, err);
    flink_rest_free(r);
    return ok;
}

static bool session_status(struct target *t, const struct tgt_cluster *c, const char *job_id,
                           struct tgt_job_status *ret, struct sl_err *err)
{
    struct flink_rest *r = flink_rest_open(&of(t)->at, ASK_MS);
    (void)c;
    bool ok = flink_rest_job(r, job_id, ret, err);
    flink_rest_free(r);
    return ok;
}

static bool session_failure(struct target *t, const struct tgt_cluster *c, const char *job_id,
                            struct sl_arena *a, struct tgt_failure *ret, struct sl_err *err)
{
    struct flink_rest *r = flink_rest_open(&of(t)->at, ASK_MS);
    (void)c;
    memset(ret, 0, sizeof *ret);
    bool ok = flink_rest_exceptions(r, job_id, a, ret, err);
    flink_rest_free(r);
    return ok && (ret->stack.n || sl_fail(err, SL_NOT_FOUND, "no failure is known"));
}

static bool session_cancel(struct target *t, const struct tgt_cluster *c, const char *job_id,
                           struct sl_err *err)
{
    struct flink_rest *r = flink_rest_open(&of(t)->at, 0);
    (void)c;
    bool ok = flink_rest_cancel(r, job_id, err);
    flink_rest_free(r);
    return ok;
}

static bool session_release(struct target *t, const struct tgt_cluster *c, struct sl_err *err)
{
    (void)t;
    (void)c;
    (void)err;
    return true; /* it is not ours to end */
}

static bool session_logs(struct target *t, const struct tgt_cluster *c, const char *which, size_t tail,
                         struct sl_arena *a, sl_str *ret, struct sl_err *err)
{
    struct flink_rest *r = flink_rest_open(&of(t)->at, 0);
    (void)c;
    bool ok = flink_logs(r, which, tail, a, ret, err);
    flink_rest_free(r);
    return ok;
}

static bool session_endpoint(struct target *t, const struct tgt_cluster *c, struct tgt_endpoint *ret,
                             struct sl_err *err)
{
    (void)err;
    *ret = of(t)->at;
    snprintf(ret->incarnation, sizeof ret->incarnation, "%s", c->incarnation);
    return true;
}

static bool session_look(struct target *t, struct tgt_look *ret, struct sl_err *err)
{
    struct session *s = of(t);
    struct flink_overview o;
    bool lib = false;
    struct sl_err why = SL_ERR_INIT;
    memset(ret, 0, sizeof *ret);
    struct flink_rest *r = flink_rest_open(&s->at, ASK_MS);
    bool ok = identify(s, r, &o, err);
    bool there = ok && have_jar(s, r, false, &lib, &why);
    flink_rest_free(r);
    if (!ok || (!there && why.code != SL_SUBMIT_DISABLED)) {
        if (ok && err) {
            *err = why;
        }
        return false;
    }
    snprintf(ret->flink, sizeof ret->flink, "%s", o.version);
    ret->taskmanagers = o.taskmanagers;
    ret->slots = o.slots;
    ret->slots_free = o.slots_free;
    ret->can_submit = there;
    pthread_mutex_lock(&s->lock);
    memcpy(ret->incarnation, s->incarnation, sizeof ret->incarnation);
    ret->runner_there = lib || s->jar_id[0];
    pthread_mutex_unlock(&s->lock);
    return true;
}

static bool session_slots(struct target *t, const struct tgt_cluster *c, const char *job_id, int *ret_needed,
                          int *ret_free, int *ret_all)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err ignored = SL_ERR_INIT;
    struct flink_overview o;
    const struct sl_json *job = NULL;
    char path[64];
    int64_t most = 0;
    (void)c;
    snprintf(path, sizeof path, "/jobs/%s", job_id);
    struct flink_rest *r = flink_rest_open(&of(t)->at, ASK_MS);
    bool ok = flink_rest_overview(r, &o, &ignored) && (job = flink_rest_get(r, path, &a, &ignored));
    flink_rest_free(r);
    if (!ok) {
        return false;
    }
    SL_JSON_EACH(v, sl_json_get(job, "vertices"))
    {
        most = SL_MAX(most, sl_json_i64(sl_json_get(v, "parallelism"), 0)); /* vertices share slots */
    }
    *ret_needed = (int)most;
    *ret_free = o.slots_free;
    *ret_all = o.slots;
    return most > 0;
}

/* ---- what TaskManagers reach ---- */

/* Waits until the probe has ended: it takes two seconds at most, but a cold or busy cluster may first have to come to it.
 * One that is late is cancelled, and nothing is known. */
static bool await_probe(struct flink_rest *r, const char *job_id, struct sl_err *err)
{
    char path[80];
    int64_t begun = sys_now_ms();
    snprintf(path, sizeof path, "/jobs/%s/status", job_id);
    while (sys_now_ms() - begun < SL_LIMIT_PROBE_MS) {
        SL_ARENA_AUTO a = {0};
        char state[24];
        const struct sl_json *doc = flink_rest_get(r, path, &a, err);
        if (!doc) {
            return false;
        }
        snprintf(state, sizeof state, "%.*s", SL_S(sl_json_str(sl_json_get(doc, "status"), SL_STR(""))));
        if (flink_state_is_terminal(state)) {
            return strcmp(state, "FINISHED") == 0 ||
                   sl_fail(err, SL_FLINK_JOB_FAILED, "the probe is %s", state);
        }
        sys_sleep_ms(20);
    }
    return flink_rest_cancel(r, job_id, err) &&
           sl_fail(err, SL_TIMEOUT, "the probe was not over within %d s", SL_LIMIT_PROBE_MS / 1000);
}

/* [{"address","ok","ms","from","ip","cause"}], as the probe's accumulator shows its list. */
static void read_findings(const struct sl_json *doc, struct sl_arena *a, struct tgt_reach *v, size_t n)
{
    struct sl_err ignored = SL_ERR_INIT;
    SL_JSON_EACH(acc, sl_json_get(doc, "user-task-accumulators"))
    {
        const struct sl_json *list =
            sl_json_parse(a, sl_json_str(sl_json_get(acc, "value"), SL_STR("")), &ignored);
        SL_JSON_EACH(f, list)
        {
            int64_t i = sl_json_i64(sl_json_get(f, "n"), -1);
            if (i < 0 || (size_t)i >= n) {
                continue;
            }
            v[i].reached = sl_json_bool(sl_json_get(f, "ok"), false);
            v[i].ms = (int)sl_json_i64(sl_json_get(f, "ms"), 0);
            snprintf(v[i].from, sizeof v[i].from, "%.*s",
                     SL_S(sl_json_str(sl_json_get(f, "from"), SL_STR(""))));
            snprintf(v[i].ip, sizeof v[i].ip, "%.*s", SL_S(sl_json_str(sl_json_get(f, "ip"), SL_STR(""))));
            snprintf(v[i].cause, sizeof v[i].cause, "%.*s",
                     SL_S(sl_json_str(sl_json_get(f, "cause"), SL_STR(""))));
        }
    }
}

static bool probe(struct session *s, struct flink_rest *r, const char *const *args, struct sl_arena *a,
                  struct tgt_reach *v, size_t n, struct sl_err *err)
{
    char job_id[33], ret_id[33], path[96], jar[192];
    bool no_jobs;
    struct tgt_failure failure = {0};
    const struct sl_json *doc = NULL;
    sl_random_hex(job_id, 16);
    copy_jar_id(s, jar);
    struct flink_run run = {.entry_class = PROBE_CLASS, .args = args, .job_id = job_id};
    snprintf(path, sizeof path, "/jobs/%s/accumulators", job_id);
    if (!flink_rest_run(r, jar, &run, a, ret_id, &no_jobs, &failure, err) || !await_probe(r, job_id, err) ||
        !(doc = flink_rest_get(r, path, a, err))) {
        return false;
    }
    read_findings(doc, a, v, n);
    return true;
}

static bool session_reach(struct target *t, const char *results, const char *const *connect, size_t n_connect,
                          struct sl_arena *a, struct tgt_reach **ret, struct sl_err *err)
{
    struct session *s = of(t);
    struct flink_overview o;
    size_t n = n_connect + (results ? 1 : 0);
    struct tgt_reach *v = sl_new_n(a, struct tgt_reach, n + 1);
    SL_VEC(const char *) args = {0};
    memset(v, 0, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        const char *address = results && i == 0 ? results : connect[i - (results ? 1 : 0)];
        snprintf(v[i].address, sizeof v[i].address, "%s", address);
        sl_vec_push(a, &args, results && i == 0 ? "--results" : "--connect");
        sl_vec_push(a, &args, address);
    }
    sl_vec_push(a, &args, NULL);
    pthread_mutex_lock(&s->lock);
    bool known = results && n == 1 && strcmp(s->reached, results) == 0;
    pthread_mutex_unlock(&s->lock);
    if (known) {
        v[0].reached = true;
        *ret = v;
        return true;
    }
    struct flink_rest *r = flink_rest_open(&s->at, ASK_MS);
    bool ok = identify(s, r, &o, err) && have_jar(s, r, true, NULL, err);
    if (ok && o.slots_free == 0) {
        ok = sl_fail(err, SL_SLOTS_MISSING,
                     "'%s' has no free slot to try it from (%d TaskManager%s, %d slot%s)", t->name,
                     o.taskmanagers, o.taskmanagers == 1 ? "" : "s", o.slots, o.slots == 1 ? "" : "s");
    }
    ok = ok && probe(s, r, args.v, a, v, n, err);
    flink_rest_free(r);
    if (ok && results && v[0].reached) {
        pthread_mutex_lock(&s->lock);
        snprintf(s->reached, sizeof s->reached, "%s", results);
        pthread_mutex_unlock(&s->lock);
    }
    *ret = v;
    return ok;
}

/* ---- made and freed ---- */

static void session_stop(struct target *t)
{
    (void)t; /* it was here before us */
}

static void session_free(struct target *t)
{
    struct session *s = of(t);
    session_jars_free(s->jars, &s->at);
    pthread_mutex_destroy(&s->start);
    pthread_mutex_destroy(&s->lock);
    sl_arena_release(&s->a);
    free(s);
}

static const struct target_ops session_ops = {
    .kind = "session",
    .ready = session_ready,
    .submit = session_submit,
    .list = session_list,
    .status = session_status,
    .failure = session_failure,
    .cancel = session_cancel,
    .release = session_release,
    .logs = session_logs,
    .endpoint = session_endpoint,
    .look = session_look,
    .reach = session_reach,
    .slots = session_slots,
    .stop = session_stop,
    .free = session_free,
};

static const char *kept(struct sl_arena *a, const char *text)
{
    return text && *text ? sl_arena_strdupz(a, sl_str_of(text)) : NULL;
}

/* "Authorization: Basic ..." and the lines of `headers`. */
static const char *const *header_list(struct sl_arena *a, const char *headers, const char *user)
{
    SL_VEC(const char *) v = {0};
    if (user && *user) {
        size_t n = strlen(user);
        unsigned char *text = sl_arena_zalloc(a, n / 3 * 4 + 8);
        EVP_EncodeBlock(text, (const unsigned char *)user, (int)n);
        sl_vec_push(a, &v, sl_arena_printf(a, "Authorization: Basic %s", (const char *)text).p);
    }
    sl_str rest = sl_str_of(headers ? headers : "");
    while (rest.n) {
        ptrdiff_t end = sl_str_find_char(rest, '\n');
        sl_vec_push(a, &v, sl_arena_strdupz(a, sl_str_sub(rest, 0, end < 0 ? rest.n : (size_t)end)));
        rest = end < 0 ? SL_STR_NONE : sl_str_sub(rest, (size_t)end + 1, rest.n - (size_t)end - 1);
    }
    sl_vec_push(a, &v, NULL);
    return v.v;
}

struct target *tgt_session_new(const struct tgt_session_config *c, struct sl_err *err)
{
    if (strlen(c->url) >= sizeof(((struct tgt_endpoint *)0)->rest)) {
        sl_fail(err, SL_USAGE, "the address of '%s' is too long", c->name);
        return NULL;
    }
    struct session *s = calloc(1, sizeof *s);
    SL_OOM_ON(!s);
    sl_arena_init(&s->a, 0);
    s->t.ops = &session_ops;
    snprintf(s->t.name, sizeof s->t.name, "%s", c->name);
    snprintf(s->t.flink, sizeof s->t.flink, "%s", c->flink);
    snprintf(s->at.rest, sizeof s->at.rest, "%s", c->url);
    s->at.headers = header_list(&s->a, c->headers, c->user);
    s->at.ca_file = kept(&s->a, c->ca);
    s->at.client_cert = kept(&s->a, c->cert);
    s->at.client_key = kept(&s->a, c->key);
    s->at.proxy = kept(&s->a, c->proxy);
    s->runner_jar = img_runner_jar(&s->a, c->self);
    s->scratch_dir = sl_arena_strdupz(&s->a, sl_str_of(c->scratch_dir));
    s->jars = session_jars_new(s->scratch_dir);
    pthread_mutex_init(&s->start, NULL);
    pthread_mutex_init(&s->lock, NULL);
    return &s->t;
}
