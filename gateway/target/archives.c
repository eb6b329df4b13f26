/* SPDX-License-Identifier: Apache-2.0
 * Class-data archives. The runner's jar is loaded as a job's jar while dumping, never from the class path, so
 * that the archives depend on Java and on Flink's jars only. */
#include "gateway/target/archives.h"

#include "base/digest.h"
#include "base/limits.h"
#include "gateway/target/local_cluster.h"
#include "runtime-image/unpack.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdio.h>
#include <unistd.h>

#define JOB_MS 240000 /* a machine under load, classes from jars, planned for the first time */

static void step(struct sl_jw *w, int n, const char *action, const char *sql)
{
    sl_jw_object(w);
    sl_jw_ki64(w, "statement", n);
    sl_jw_kstrz(w, "action", action);
    sl_jw_kstrz(w, "sql", sql);
    sl_jw_end_object(w);
}

sl_str tgt_warm_task(struct sl_arena *a, bool thorough)
{
    static const char *const queries[] = {
        "INSERT INTO snk SELECT MOD(g.id, 7), COUNT(*), CAST(MAX(g.p) AS STRING) FROM gen g JOIN gen2 h ON "
        "g.id = h.id "
        "WHERE g.p > 0.5 GROUP BY MOD(g.id, 7)",
        "INSERT INTO snk SELECT id, ROW_NUMBER() OVER (PARTITION BY s ORDER BY ts), UPPER(s) FROM gen",
        "INSERT INTO snk SELECT COUNT(DISTINCT id), SUM(id), DATE_FORMAT(window_end, 'yyyy') FROM "
        "TABLE(TUMBLE(TABLE gen, "
        "DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end",
    };
    SL_BUF_AUTO b;
    sl_buf_init(&b, 1 << 16);
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "version", 1);
    sl_jw_kstrz(&w, "mode", "session");
    sl_jw_kstrz(&w, "script", "warm");
    sl_jw_key(&w, "config");
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "pipeline.name", "sluice warm");
    sl_jw_end_object(&w);
    sl_jw_key(&w, "steps");
    sl_jw_array(&w);
    static const char *const gens[] = {"gen", "gen2"};
    for (size_t i = 0; i < SL_ARRAY_LEN(gens); i++) {
        step(&w, 1, "replay",
             sl_arena_printf(
                 a,
                 "CREATE TABLE %s (id BIGINT, s STRING, p DECIMAL(10, 2), ts AS LOCALTIMESTAMP, WATERMARK "
                 "FOR ts "
                 "AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'datagen', 'number-of-rows' = '100', "
                 "'fields.s.length' = '3')",
                 gens[i])
                 .p);
    }
    step(&w, 1, "replay", "CREATE TABLE snk (a BIGINT, b BIGINT, c STRING) WITH ('connector' = 'blackhole')");
    if (thorough) {
        sl_jw_object(&w);
        sl_jw_ki64(&w, "statement", 2);
        sl_jw_kstrz(&w, "action", "set");
        sl_jw_key(&w, "inserts");
        sl_jw_array(&w);
        for (size_t i = 0; i < SL_ARRAY_LEN(queries); i++) {
            sl_jw_strz(&w, queries[i]);
        }
        sl_jw_end_array(&w);
        sl_jw_end_object(&w);
    } else {
        step(&w, 2, "insert", "INSERT INTO snk SELECT id, COUNT(*), MAX(s) FROM gen GROUP BY id");
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    return sl_str_dup(a, sl_buf_str(&b));
}

/* Uploads the jar: the tiny one, or while dumping the runner's own. */
static bool upload(struct local_cluster *c, const char *jar, struct flink_rest *r, struct sl_arena *a,
                   struct sl_err *err)
{
    if (c->jar_id[0]) {
        return true;
    }
    const char *path = jar;
    if (!path) {
        path = sys_path_join(a, c->dir, "tmp/sluice.jar");
        if (!img_write_tiny_jar(path, err)) {
            return false;
        }
    }
    return flink_rest_upload(r, path, c->jar_id, sizeof c->jar_id, err);
}

static bool warm(struct local_cluster *c, bool thorough, const char *jar, bool run, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct flink_rest *r = flink_rest_new(c->rest, sl_limits.jvm_start_ms);
    char *task = sys_path_join(&a, c->dir, "tmp/warm.json");
    const char *args[] = {"--task", task, NULL};
    struct flink_run fr = {.entry_class = "org.sluice.runner.Runner", .args = args};
    struct tgt_failure failure = {0};
    char job_id[33];
    bool no_jobs;
    bool ok = upload(c, jar, r, &a, err) && sys_file_write(task, tgt_warm_task(&a, thorough), 0600, err);
    if (ok && !run) {
        ok = flink_rest_plan(r, c->jar_id, &fr, &a, &failure, err);
    } else if (ok) {
        ok = flink_rest_run(r, c->jar_id, &fr, &a, job_id, &no_jobs, &failure, err);
        struct tgt_job_status st = {0};
        for (int64_t until = sys_now_ms() + JOB_MS; ok && !st.terminal && !st.gone && sys_now_ms() < until;) {
            sys_sleep_ms(50);
            ok = flink_rest_job(r, job_id, &st, err);
        }
    }
    flink_rest_free(r);
    return ok;
}

bool tgt_warm(struct local_cluster *c, bool thorough, struct sl_err *err)
{
    return warm(c, thorough, NULL, false, err);
}

/* ---- dumping ---- */

struct dump {
    const struct tgt_prepare *p;
    struct sl_arena *a;
    struct img_flink_base base;
    const char *runner_jar, *work, *out;
    bool stopped;
};

static bool tell(struct dump *d)
{
    struct img_install_event ev = {.step = IMG_STEP_PREPARE};
    if (d->p->fn && !d->p->fn(d->p->ctx, &ev)) {
        d->stopped = true;
    }
    return !d->stopped;
}

static bool cancelled(struct sl_err *err)
{
    return sl_fail(err, SL_CANCELLED, "stopped while preparing; the Flink itself is installed");
}

static bool dump_alive(void *ctx)
{
    return tell(ctx);
}

/* A session: plans, runs a bounded job (for the TaskManager), ends. */
static bool dump_session(struct dump *d, struct sl_err *err)
{
    struct local_make m = {.base = &d->base,
                           .run_dir = d->work,
                           .self = d->p->self,
                           .name = "class archives",
                           .dump_dir = d->out,
                           .runner_jar = d->runner_jar,
                           .alive = dump_alive,
                           .ctx = d};
    struct local_cluster c;
    struct tgt_failure failure;
    if (!local_cluster_start(&m, d->a, &c, &failure, err)) {
        return false;
    }
    bool ok = tell(d) ? local_cluster_wait_slots(&c, &m, err) && warm(&c, true, d->runner_jar, false, err)
                      : cancelled(err);
    ok = ok && (tell(d) ? warm(&c, false, d->runner_jar, true, err) : cancelled(err));
    local_cluster_stop(&c); /* the JVMs write their archives as they end */
    return ok && (tell(d) || cancelled(err));
}

static bool dump_application(struct dump *d, struct sl_err *err)
{
    struct local_make m = {.base = &d->base,
                           .run_dir = d->work,
                           .self = d->p->self,
                           .name = "class archives",
                           .application = true,
                           .task = tgt_warm_task(d->a, true),
                           .dump_dir = d->out,
                           .runner_jar = d->runner_jar,
                           .alive = dump_alive,
                           .ctx = d};
    struct local_cluster c;
    struct tgt_failure failure;
    if (!local_cluster_start(&m, d->a, &c, &failure, err)) {
        return false;
    }
    struct flink_rest *r = flink_rest_new(c.rest, 5000);
    struct sup_status st;
    bool ok = false;
    for (int64_t until = sys_now_ms() + JOB_MS; sys_now_ms() < until && tell(d);) {
        struct flink_job *jobs;
        size_t n;
        if (flink_rest_jobs(r, d->a, &jobs, &n, err) && n && flink_state_is_terminal(jobs[n - 1].state)) {
            ok = true;
            break;
        }
        sup_status(c.dir, &st);
        if (st.state == SUP_ENDED) {
            break;
        }
        sys_sleep_ms(100);
    }
    flink_rest_free(r);
    local_cluster_stop(&c);
    if (d->stopped) {
        return cancelled(err);
    }
    return ok || sl_fail(err, SL_FLINK_START, "the small application did not come to its end");
}

static bool make_archives(struct dump *d, struct sl_err *err)
{
    d->work = sl_arena_printf(d->a, "%s/.cds-%d", d->base.dir, (int)getpid()).p;
    d->out = sys_path_join(d->a, d->work, "out");
    bool ok = sys_mkdirs(d->out, 0755, err) && dump_session(d, err) && dump_application(d, err);
    for (int r = 0; ok && r < IMG_ROLE_MAX_; r++) {
        if (!sys_exists(sys_path_join(d->a, d->out, img_role_archive(r)))) {
            ok = sl_fail(err, SL_FLINK_START, "this Java wrote no %s", img_role_archive(r));
        }
    }
    ok = ok && img_flink_base_set_archives(d->a, &d->base, d->out, err);
    struct sl_err ignored = SL_ERR_INIT;
    return sys_rmtree(d->work, &ignored) && ok;
}

static void tell_end(struct dump *d, int64_t from_ms, int64_t count, const char *text)
{
    struct img_install_event ev = {
        .step = IMG_STEP_PREPARE, .end = true, .ms = sys_now_ms() - from_ms, .count = count, .text = text};
    if (d->p->fn) {
        d->p->fn(d->p->ctx, &ev);
    }
}

bool tgt_prepare_flink(const struct tgt_prepare *p, const char *version, bool *ret_did, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct dump d = {.p = p, .a = &a};
    struct img_install in = {.root = p->root, .fn = p->fn, .ctx = p->ctx};
    bool there;
    *ret_did = false;
    if (!img_flink_install(&in, version, &there, err)) {
        return false;
    }
    *ret_did = !there;
    d.runner_jar = p->runner_jar ? p->runner_jar : img_runner_jar(&a, p->self);
    if (!img_flink_base_open(&a, p->root, version, NULL, &d.base, err)) {
        return false;
    }
    bool complete = true;
    for (int r = 0; r < IMG_ROLE_MAX_; r++) {
        complete = complete && d.base.archive[r];
    }
    if (complete) {
        return true;
    }
    int64_t from_ms = sys_now_ms();
    char *failed = d.base.archive_dir
                       ? sl_arena_strdupz(&a, sl_arena_printf(&a, "%s.failed", d.base.archive_dir))
                       : NULL;
    if (failed && !p->again && sys_exists(failed)) {
        return true; /* it was tried with this Java and class path; sluice flink install tries again */
    }
    if (!d.base.archive_dir) {
        if (!there) {
            tell_end(&d, from_ms, 0, "this Java is too old for class archives (13 and later make them)");
        }
        return true;
    }
    if (!d.runner_jar) {
        if (!there) {
            tell_end(&d, from_ms, 0, "no class archives: sluice-runner.jar is not beside the binary");
        }
        return true;
    }
    char *lock_path = sys_path_join(&a, p->root, ".prepare.lock");
    bool held = false;
    int lock = sys_lock(lock_path, &held, err);
    if (lock < 0) {
        return held; /* somebody else makes them; we can start without */
    }
    if (access(d.base.dir, W_OK) != 0) {
        close(lock);
        return true; /* somebody else's installation */
    }
    *ret_did = true;
    struct sl_err why = SL_ERR_INIT;
    bool ok = make_archives(&d, &why);
    if (!ok && why.code != SL_CANCELLED) {
        struct sl_err ignored = SL_ERR_INIT;
        if (!sys_mkdirs(sys_path_join(&a, d.base.dir, "cds"), 0755, &ignored) ||
            !sys_file_write(failed, sl_str_of(why.msg), 0644, &ignored)) {
            sl_wrap(&why, "%s", ignored.msg);
        }
    }
    close(lock);
    if (!ok && why.code == SL_CANCELLED) {
        *err = why;
        return false;
    }
    tell_end(&d, from_ms, ok ? IMG_ROLE_MAX_ : 0, ok ? NULL : why.msg);
    return true;
}
