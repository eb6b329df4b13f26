/* SPDX-License-Identifier: Apache-2.0
 * The target `local`: Flink JVMs of this machine under `sluice supervise`. Session mode: one JobManager and
 * one TaskManager, started together, for all jobs; application mode: a pair of their own for each submission.
 * Extra jars are pipeline.classpaths of a run in a session and stand behind the runner on an application's
 * class path. */
#include "gateway/target/archives.h"
#include "gateway/target/flink_logs.h"
#include "gateway/target/local_cluster.h"
#include "gateway/target/submit_session.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct local {
    struct target t;
    struct sl_arena a; /* configuration and base */
    const char *root, *run_dir, *state_dir, *self, *runner_jar;
    int slots;
    pthread_mutex_t start; /* one start of the session at a time; taken before `lock` */
    pthread_mutex_t lock;  /* the fields below */
    struct img_flink_base base;
    bool has_base;
    struct local_cluster *clusters; /* all we know of, newest first; freed with the target */
    struct local_cluster *session;  /* the one in use, or NULL */
    bool adopted;
};

static struct local *of(struct target *t)
{
    return (struct local *)t;
}

static struct local_cluster *keep(struct local *l, const struct local_cluster *c)
{
    struct local_cluster *one = malloc(sizeof *one);
    SL_OOM_ON(!one);
    *one = *c;
    pthread_mutex_lock(&l->lock);
    one->next = l->clusters;
    l->clusters = one;
    pthread_mutex_unlock(&l->lock);
    return one;
}

/* The cluster of that id, opened from its folder when this process has not seen it. */
static struct local_cluster *find(struct local *l, const char *id, struct sl_err *err)
{
    struct local_cluster *c;
    pthread_mutex_lock(&l->lock);
    for (c = l->clusters; c && strcmp(c->id, id) != 0; c = c->next) {
    }
    if (!c) {
        struct local_cluster opened;
        if (local_cluster_open(l->run_dir, id, &opened, err)) {
            c = malloc(sizeof *c);
            SL_OOM_ON(!c);
            *c = opened;
            c->next = l->clusters;
            l->clusters = c;
        }
    }
    pthread_mutex_unlock(&l->lock);
    return c;
}

/* local_cluster_check on a copy: other threads ask the same cluster. */
static bool check(struct local *l, struct local_cluster *c, struct sup_status *ret, struct sl_err *err)
{
    pthread_mutex_lock(&l->lock);
    struct local_cluster copy = *c;
    pthread_mutex_unlock(&l->lock);
    bool ok = local_cluster_check(&copy, ret, err);
    pthread_mutex_lock(&l->lock);
    memcpy(c->verified, copy.verified, sizeof c->verified);
    pthread_mutex_unlock(&l->lock);
    return ok;
}

/* Ends it once, whoever comes first. */
static void end_cluster(struct local *l, struct local_cluster *c)
{
    pthread_mutex_lock(&l->lock);
    struct local_cluster copy = *c;
    c->released = true;
    c->owner_fd = -1;
    pthread_mutex_unlock(&l->lock);
    local_cluster_stop(&copy);
}

static void describe(const struct local_cluster *c, struct tgt_cluster *ret)
{
    struct sup_status st;
    sup_status(c->dir, &st);
    memset(ret, 0, sizeof *ret);
    snprintf(ret->id, sizeof ret->id, "%s", c->id);
    snprintf(ret->rest, sizeof ret->rest, "%s", c->rest);
    snprintf(ret->incarnation, sizeof ret->incarnation, "%s", st.jobmanager.start);
    snprintf(ret->flink, sizeof ret->flink, "%s", c->flink);
}

/* ---- ready ---- */

struct relay {
    tgt_progress fn;
    void *ctx;
    int64_t said_ms;
};

static bool on_install(void *ctx, const struct img_install_event *ev)
{
    static const char *const steps[] = {"wait", "download", "verify", "unpack", "prepare"};
    struct relay *r = ctx;
    int64_t now = sys_now_ms();
    char text[160] = "";
    if (!r->fn || (!ev->end && now - r->said_ms < 10000)) {
        return !r->fn || r->fn(r->ctx, NULL, NULL);
    }
    r->said_ms = now;
    if (ev->step == IMG_STEP_DOWNLOAD) {
        snprintf(text, sizeof text, ev->end ? "%lld MB" : "%lld/%lld MB", (long long)(ev->done / 1000000),
                 (long long)(ev->total / 1000000));
    } else if (ev->step == IMG_STEP_VERIFY) {
        snprintf(text, sizeof text, ev->end ? "sha256 ok" : "sha256");
    } else if (ev->step == IMG_STEP_UNPACK) {
        snprintf(text, sizeof text, ev->end ? "%lld jars" : "jars", (long long)ev->count);
    } else if (ev->step == IMG_STEP_PREPARE) {
        snprintf(text, sizeof text, "%s", ev->text ? ev->text : "class archives for 3 roles, once");
    } else {
        snprintf(text, sizeof text, "%s", ev->text ? ev->text : "");
    }
    return r->fn(r->ctx, steps[ev->step], text);
}

/* Is what is being made still wanted by the one who waits for it? */
static bool relay_alive(void *ctx)
{
    struct relay *r = ctx;
    return !r->fn || r->fn(r->ctx, NULL, NULL);
}

/* One start at a time; who is told to give up does not wait for another's. */
static bool enter_start(struct local *l, struct relay *r, struct sl_err *err)
{
    while (pthread_mutex_trylock(&l->start) != 0) {
        if (!relay_alive(r)) {
            return sl_fail(err, SL_CANCELLED, "stopped while Flink %s was starting", l->t.flink);
        }
        sys_sleep_ms(10);
    }
    return true;
}

/* Installs Flink on first use and opens its base. */
static bool have_base(struct local *l, struct relay *relay, struct sl_err *err)
{
    if (l->has_base) {
        return true;
    }
    /* Java first: nobody should download Flink to be told then that it cannot run. */
    struct img_java java;
    if (!img_java_find(&l->a, &java, err)) {
        return false;
    }
    if (!l->runner_jar) {
        sl_fail(err, SL_FLINK_START, "sluice-runner.jar is not beside %s", l->self);
        return sl_hint(err, "build it with make, or name it in SLUICE_RUNNER_JAR");
    }
    struct tgt_prepare p = {
        .root = l->root, .self = l->self, .runner_jar = l->runner_jar, .fn = on_install, .ctx = relay};
    bool did;
    if (!tgt_prepare_flink(&p, l->t.flink, &did, err)) {
        return false;
    }
    struct img_flink_base base;
    if (!img_flink_base_open(&l->a, l->root, l->t.flink, l->runner_jar, &base, err)) {
        return false;
    }
    pthread_mutex_lock(&l->lock);
    l->base = base;
    l->has_base = true;
    pthread_mutex_unlock(&l->lock);
    return true;
}

/* The base again, should somebody have removed or rebuilt it since. */
static bool base_is_there(struct local *l)
{
    return img_flink_is_installed(l->root, l->t.flink) && sys_exists(l->base.runner) &&
           sys_exists(l->base.java.bin);
}

static bool same_class_path(struct local *l, const char *dir)
{
    SL_ARENA_AUTO a = {0};
    struct sup_spec spec;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sup_spec_read(&a, dir, &spec, &ignored)) {
        return false;
    }
    const char *want = sl_arena_printf(&a, "%s:%s", l->base.flink_cp, l->base.runner).p;
    for (size_t i = 0; spec.jvm[0].argv[i]; i++) {
        if (strcmp(spec.jvm[0].argv[i], want) == 0) {
            return true;
        }
    }
    return false;
}

/* A cluster of this process, or NULL. */
static struct local_cluster *known(struct local *l, const char *id)
{
    pthread_mutex_lock(&l->lock);
    struct local_cluster *c = l->clusters;
    while (c && strcmp(c->id, id) != 0) {
        c = c->next;
    }
    pthread_mutex_unlock(&l->lock);
    return c;
}

/* tgt_warm on a copy, for the same reason. */
static bool warm_known(struct local *l, struct local_cluster *c)
{
    struct sl_err ignored = SL_ERR_INIT;
    pthread_mutex_lock(&l->lock);
    struct local_cluster copy = *c;
    pthread_mutex_unlock(&l->lock);
    if (copy.owner_fd < 0 || copy.released || !tgt_warm(&copy, false, &ignored)) {
        return false;
    }
    pthread_mutex_lock(&l->lock);
    memcpy(c->jar_id, copy.jar_id, sizeof c->jar_id);
    pthread_mutex_unlock(&l->lock);
    return true;
}

/* A session that an owner has left behind (it was killed): ours now, when nobody else has it. */
static struct local_cluster *adopt(struct local *l)
{
    SL_ARENA_AUTO a = {0};
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_is_dir(l->run_dir) || !sys_dir_list(&a, l->run_dir, &names, &n, &ignored)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        struct local_cluster c;
        struct sup_status st;
        char *id = sl_arena_strdupz(&a, names[i]);
        if (!sl_str_starts(names[i], SL_STR("session-"))) {
            continue;
        }
        struct local_cluster *mine = known(l, id); /* opened already to ask after a job of it */
        if (mine) {
            if (same_class_path(l, mine->dir) && check(l, mine, &st, &ignored) && warm_known(l, mine)) {
                return mine;
            }
            continue;
        }
        if (!local_cluster_open(l->run_dir, id, &c, &ignored) || c.released) {
            continue;
        }
        if (c.owner_fd >= 0 && strcmp(c.flink, l->t.flink) == 0 && same_class_path(l, c.dir) &&
            local_cluster_check(&c, &st, &ignored) && tgt_warm(&c, false, &ignored)) {
            return keep(l, &c);
        }
        if (c.owner_fd >= 0) {
            close(c.owner_fd);
        }
    }
    return NULL;
}

static struct local_cluster *start_session(struct local *l, struct relay *relay, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct local_make m = {.base = &l->base,
                           .run_dir = l->run_dir,
                           .state_dir = l->state_dir,
                           .self = l->self,
                           .name = "session",
                           .slots = l->slots,
                           .alive = relay_alive,
                           .ctx = relay};
    struct local_cluster c;
    struct tgt_failure failure;
    if (!local_cluster_start(&m, &a, &c, &failure, err)) {
        return NULL;
    }
    struct sl_err cold = SL_ERR_INIT;
    if (!tgt_warm(&c, false, &cold)) { /* the TaskManager registers meanwhile */
        struct sup_status st;
        if (!c.jar_id[0] || !local_cluster_check(&c, &st, err)) {
            if (!err->code) {
                *err = cold;
            }
            local_cluster_stop(&c);
            return NULL;
        }
    }
    if (!local_cluster_wait_slots(&c, &m, err)) {
        local_cluster_stop(&c);
        return NULL;
    }
    return keep(l, &c);
}

/* The running session, or NULL; one that has ended is tidied away. */
static struct local_cluster *running_session(struct local *l)
{
    pthread_mutex_lock(&l->lock);
    struct local_cluster *c = l->session;
    pthread_mutex_unlock(&l->lock);
    if (!c) {
        return NULL;
    }
    struct sup_status st;
    sup_status(c->dir, &st);
    if (st.alive && st.jobmanager.running) {
        return c;
    }
    end_cluster(l, c);
    pthread_mutex_lock(&l->lock);
    l->session = NULL;
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static bool have_session(struct local *l, tgt_progress progress, void *ctx, struct local_cluster **ret,
                         struct sl_err *err)
{
    struct relay relay = {progress, ctx, 0};
    if (!enter_start(l, &relay, err)) {
        return false;
    }
    struct local_cluster *c = running_session(l);
    if (!c) {
        if (l->has_base && !base_is_there(l)) {
            l->has_base = false;
        }
        if (have_base(l, &relay, err)) {
            c = l->adopted ? NULL : adopt(l);
            l->adopted = true;
            c = c ? c : start_session(l, &relay, err);
        }
        pthread_mutex_lock(&l->lock);
        l->session = c;
        pthread_mutex_unlock(&l->lock);
    }
    pthread_mutex_unlock(&l->start);
    *ret = c;
    return c != NULL;
}

static bool local_ready(struct target *t, enum tgt_mode mode, tgt_progress progress, void *ctx,
                        struct tgt_cluster *ret, struct sl_err *err)
{
    struct local *l = of(t);
    memset(ret, 0, sizeof *ret);
    if (mode == TGT_SESSION) {
        struct local_cluster *c;
        if (!have_session(l, progress, ctx, &c, err)) {
            return false;
        }
        describe(c, ret);
        return true;
    }
    struct relay relay = {progress, ctx, 0};
    if (!enter_start(l, &relay, err)) {
        return false;
    }
    if (l->has_base && !base_is_there(l)) {
        l->has_base = false;
    }
    bool ok = have_base(l, &relay, err);
    pthread_mutex_unlock(&l->start);
    return ok;
}

/* ---- submit ---- */

static bool submit_session(struct local *l, const struct tgt_submit *s, struct sl_arena *a,
                           struct tgt_cluster *ret, struct tgt_failure *failure, struct sl_err *err)
{
    struct local_cluster *c;
    if (!have_session(l, NULL, NULL, &c, err)) {
        return false;
    }
    describe(c, ret);
    struct tgt_endpoint at = {0};
    snprintf(at.rest, sizeof at.rest, "%s", c->rest);
    if (tgt_submit_session(&at, c->jar_id, s, a, failure, err)) {
        return true;
    }
    if (err && err->code == SL_TARGET_UNREACHABLE) { /* say what became of it, not what the socket saw */
        struct sup_status st;
        struct sl_err why = SL_ERR_INIT;
        for (int i = 0; i < 100; i++) { /* the socket may know before the supervisor has waited */
            if (!check(l, c, &st, &why)) {
                *err = why;
                break;
            }
            sys_sleep_ms(10);
        }
    }
    return false;
}

/* How many jobs a task starts, and whether it may be started again when Sluice is away (rows have nowhere to
 * go then). */
static bool is_restartable(sl_str task, size_t *ret_jobs)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err ignored = SL_ERR_INIT;
    size_t jobs = 0, selects = 0;
    SL_JSON_EACH(s, sl_json_get(sl_json_parse(&a, task, &ignored), "steps"))
    {
        sl_str action = sl_json_str(sl_json_get(s, "action"), SL_STR_NONE);
        selects += sl_str_eqz(action, "select");
        jobs += sl_str_eqz(action, "select") || sl_str_eqz(action, "insert") || sl_str_eqz(action, "set");
    }
    *ret_jobs = jobs;
    return jobs == 1 && !selects;
}

static bool is_wanted(void *ctx)
{
    return !__atomic_load_n((const bool *)ctx, __ATOMIC_ACQUIRE);
}

static bool submit_application(struct local *l, const struct tgt_submit *s, struct sl_arena *a,
                               struct tgt_cluster *ret, struct tgt_failure *failure, struct sl_err *err)
{
    struct tgt_cluster none;
    if (!local_ready(&l->t, TGT_APPLICATION, NULL, NULL, &none, err)) {
        return false;
    }
    size_t jobs = 0;
    bool restartable = is_restartable(s->task, &jobs);
    struct local_make m = {.base = &l->base,
                           .run_dir = l->run_dir,
                           .state_dir = l->state_dir,
                           .self = l->self,
                           .application = true,
                           .id = s->cluster_id,
                           .name = s->name,
                           .job_id = jobs == 1 ? s->job_id : NULL, /* a fixed id allows one job */
                           .restartable = restartable,
                           .task = s->task,
                           .jars = s->jars,
                           .slots = l->slots,
                           .alive = s->stop ? is_wanted : NULL,
                           .ctx = (void *)(uintptr_t)s->stop};
    struct local_cluster c;
    bool ok = local_cluster_start(&m, a, &c, failure, err);
    if (c.id[0]) {
        describe(keep(l, &c), ret);
    }
    return ok;
}

static bool local_submit(struct target *t, const struct tgt_submit *s, struct sl_arena *a,
                         struct tgt_cluster *ret, struct tgt_failure *failure, struct sl_err *err)
{
    memset(ret, 0, sizeof *ret);
    memset(failure, 0, sizeof *failure);
    return s->mode == TGT_SESSION ? submit_session(of(t), s, a, ret, failure, err)
                                  : submit_application(of(t), s, a, ret, failure, err);
}

/* ---- asking ---- */

static bool local_list(struct target *t, const struct tgt_cluster *tc, struct sl_arena *a,
                       char (**ret_ids)[33], size_t *ret_n, struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    struct sup_status st;
    if (!c) {
        return false;
    }
    if (!check(of(t), c, &st, err)) {
        if (st.state != SUP_ENDED) {
            return false;
        }
        *ret_n = local_cluster_archived_ids(c->dir, a, ret_ids);
        return true;
    }
    struct flink_rest *r = flink_rest_new(c->rest, 0);
    bool ok = flink_rest_job_ids(r, a, ret_ids, ret_n, err);
    flink_rest_free(r);
    return ok;
}

static bool local_status(struct target *t, const struct tgt_cluster *tc, const char *job_id,
                         struct tgt_job_status *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct local_cluster *c = find(of(t), tc->id, err);
    struct sup_status st;
    memset(ret, 0, sizeof *ret);
    if (!c) {
        if (err && err->code == SL_NOT_FOUND) { /* its folder is gone: nothing of it runs */
            ret->gone = true;
            return true;
        }
        return false;
    }
    bool ok = false;
    if (check(of(t), c, &st, err)) {
        struct flink_rest *r = flink_rest_new(c->rest, 5000);
        ok = flink_rest_job(r, job_id, ret, err);
        flink_rest_free(r);
        if (ok && c->application &&
            ret->gone) { /* main() has not come to it yet, or Flink has forgotten it */
            ret->gone = false;
        } else if (ok && !ret->gone) {
            ret->restarts += st.jobmanager.restarts;
            return true;
        }
    }
    /* It knows nothing (any more), or has ended: what it archived is the truth; a cluster that has ended has
     * no job. */
    struct tgt_job_status archived;
    if ((ok || st.state == SUP_ENDED) && local_cluster_archived(c->dir, job_id, &archived, &a, NULL)) {
        *ret = archived;
        return true;
    }
    if (!ok && st.state == SUP_ENDED) {
        memset(ret, 0, sizeof *ret);
        ret->gone = true;
        return true;
    }
    return ok;
}

static bool local_failure(struct target *t, const struct tgt_cluster *tc, const char *job_id,
                          struct sl_arena *a, struct tgt_failure *ret, struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    struct sup_status st;
    memset(ret, 0, sizeof *ret);
    if (!c) {
        return false;
    }
    bool named = job_id && *job_id;
    if (check(of(t), c, &st, err)) {
        struct flink_rest *r = flink_rest_new(c->rest, 5000);
        bool ok = named ? flink_rest_exceptions(r, job_id, a, ret, err)
                        : flink_rest_application_failure(r, a, ret, err);
        flink_rest_free(r);
        if (ok && ret->stack.n) {
            return true;
        }
    }
    if (named && local_cluster_archived(c->dir, job_id, NULL, a, ret) && ret->stack.n) {
        return true;
    }
    if (st.state == SUP_ENDED && local_cluster_said_failed(c->dir, &st.jobmanager, a, ret)) {
        return true;
    }
    return sl_fail(err, SL_NOT_FOUND, "no failure is known");
}

static bool local_cancel(struct target *t, const struct tgt_cluster *tc, const char *job_id,
                         struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    struct sup_status st;
    if (!c) {
        return false;
    }
    if (!check(of(t), c, &st, err)) {
        return st.state == SUP_ENDED; /* nothing is left that could run */
    }
    struct flink_rest *r = flink_rest_new(c->rest, 0);
    bool ok = flink_rest_cancel(r, job_id, err);
    flink_rest_free(r);
    return ok;
}

static bool local_release(struct target *t, const struct tgt_cluster *tc, struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    if (!c) {
        return err && err->code == SL_NOT_FOUND; /* released long ago */
    }
    if (c->application) {
        end_cluster(of(t), c);
    }
    return true;
}

static bool local_logs(struct target *t, const struct tgt_cluster *tc, const char *which, size_t tail,
                       struct sl_arena *a, sl_str *ret, struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    if (c && strcmp(which, "jobmanager") != 0 && strcmp(which, "taskmanager") != 0) {
        struct sup_status st;
        const char *id;
        if (!check(of(t), c, &st, err)) {
            return false;
        }
        struct flink_rest *r = flink_rest_new(c->rest, 0);
        bool ok = flink_taskmanager_find(r, which, a, &id, err);
        flink_rest_free(r);
        if (!ok) {
            return false;
        }
        which = "taskmanager"; /* it has one */
    }
    return c && local_cluster_logs(c->dir, which, tail, a, ret, err);
}

static bool local_endpoint(struct target *t, const struct tgt_cluster *tc, struct tgt_endpoint *ret,
                           struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    if (!c) {
        return false;
    }
    struct sup_status st;
    sup_status(c->dir, &st);
    if (st.state == SUP_ENDED) {
        return sl_fail(err, SL_TARGET_UNREACHABLE, "the local Flink %s has ended", c->id);
    }
    *ret = (struct tgt_endpoint){0};
    snprintf(ret->rest, sizeof ret->rest, "%s", c->rest);
    snprintf(ret->incarnation, sizeof ret->incarnation, "%s", st.jobmanager.start);
    return true;
}

static bool local_process(struct target *t, const struct tgt_cluster *tc, struct tgt_process *ret,
                          struct sl_err *err)
{
    struct local_cluster *c = find(of(t), tc->id, err);
    if (!c) {
        return false;
    }
    struct sup_status st;
    sup_status(c->dir, &st);
    *ret = (struct tgt_process){.exit = st.jobmanager.exit,
                                .signal = st.jobmanager.signal,
                                .restarts = st.jobmanager.restarts,
                                .taskmanagers = 1,
                                .application = c->application};
    snprintf(ret->life, sizeof ret->life, "%s", st.jobmanager.start);
    snprintf(ret->why, sizeof ret->why, "%s", st.why);
    ret->state = st.state == SUP_ENDED || st.state == SUP_NONE ? TGT_PROCESS_ENDED
                 : st.jobmanager.running                       ? TGT_PROCESS_UP
                                                               : TGT_PROCESS_COMING;
    return true;
}

/* ---- end ---- */

static void local_stop(struct target *t)
{
    struct local *l = of(t);
    pthread_mutex_lock(&l->start);
    pthread_mutex_lock(&l->lock);
    struct local_cluster *c = l->clusters;
    l->session = NULL;
    pthread_mutex_unlock(&l->lock);
    for (; c; c = c->next) {
        if (c->owner_fd >= 0) {
            end_cluster(l, c);
        }
    }
    pthread_mutex_unlock(&l->start);
}

static void local_free(struct target *t)
{
    struct local *l = of(t);
    while (l->clusters) {
        struct local_cluster *c = l->clusters;
        l->clusters = c->next;
        if (c->owner_fd >= 0) {
            close(c->owner_fd);
        }
        free(c);
    }
    pthread_mutex_destroy(&l->start);
    pthread_mutex_destroy(&l->lock);
    sl_arena_release(&l->a);
    free(l);
}

static const struct target_ops local_ops = {
    .kind = "local",
    .ready = local_ready,
    .submit = local_submit,
    .list = local_list,
    .status = local_status,
    .failure = local_failure,
    .cancel = local_cancel,
    .release = local_release,
    .logs = local_logs,
    .endpoint = local_endpoint,
    .process = local_process,
    .stop = local_stop,
    .free = local_free,
};

struct target *tgt_local_new(const struct tgt_local_config *c, struct sl_err *err)
{
    char version[16];
    if (!img_flink_resolve(c->flink, version, err) || !sys_mkdirs(c->run_dir, 0700, err)) {
        return NULL;
    }
    struct local *l = calloc(1, sizeof *l);
    SL_OOM_ON(!l);
    sl_arena_init(&l->a, 0);
    l->t.ops = &local_ops;
    snprintf(l->t.name, sizeof l->t.name, "local");
    snprintf(l->t.flink, sizeof l->t.flink, "%s", version);
    l->root = sys_path_abs(&l->a, c->flink_root);
    l->run_dir = sys_path_abs(&l->a, c->run_dir);
    l->state_dir = c->state_dir ? sys_path_abs(&l->a, c->state_dir) : NULL;
    l->self = sys_path_abs(&l->a, c->self);
    l->runner_jar = c->runner_jar ? sys_path_abs(&l->a, c->runner_jar) : img_runner_jar(&l->a, l->self);
    l->slots = c->slots;
    pthread_mutex_init(&l->start, NULL);
    pthread_mutex_init(&l->lock, NULL);
    return &l->t;
}
