/* SPDX-License-Identifier: Apache-2.0
 * The life of one local cluster. Ports are asked from the kernel and may be taken before the JVM binds them;
 * the start is then made again with others. A cluster is known by sluice.cluster.id in its own configuration:
 * an answer on its port proves nothing. */
#include "gateway/target/local_cluster.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define START_TRIES 3
#define LOG_BYTES   ((size_t)sl_limits.jvm_log_bytes)

static const char *in_dir(struct sl_arena *a, const char *dir, const char *name)
{
    return sys_path_join(a, dir, name);
}

/* ---- what is left of an ended cluster ---- */

static void drop(const char *dir, const char *name)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_rmtree(in_dir(&a, dir, name), &ignored)) {
        return; /* a leftover file does no harm and goes with the folder */
    }
}

/* Keeps logs, archive, cluster.json, state.json, and checkpoints and savepoints if there are any. */
static void tidy(const char *dir)
{
    static const char *const gone[] = {"tmp", "upload", "task.json", "owner.lock", "lock"};
    static const char *const gone_if_empty[] = {"checkpoints", "savepoints"};
    SL_ARENA_AUTO a = {0};
    for (size_t i = 0; i < SL_ARRAY_LEN(gone); i++) {
        drop(dir, gone[i]);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(gone_if_empty); i++) {
        if (sys_tree_bytes(in_dir(&a, dir, gone_if_empty[i])) == 0) {
            drop(dir, gone_if_empty[i]);
        }
    }
}

/* The text that follows the last error line of a log, up to the next line with a time. */
static sl_str last_error(sl_str log)
{
    static const char *const signs[] = {
        "Application failed unexpectedly", "Fatal error occurred", "Could not start cluster",
        "Shutting StandaloneApplicationClusterEntryPoint down with application status FAILED", " ERROR "};
    for (size_t s = 0; s < SL_ARRAY_LEN(signs); s++) {
        size_t at = 0, found = log.n;
        while (at < log.n) {
            ptrdiff_t i = sl_str_find(sl_str_sub(log, at, log.n - at), sl_str_of(signs[s]));
            if (i < 0) {
                break;
            }
            found = at + (size_t)i;
            at = found + 1;
        }
        if (found == log.n) {
            continue;
        }
        while (found < log.n && log.p[found] != '\n') {
            found++;
        }
        size_t from = SL_MIN(found + 1, log.n), end = from;
        while (end < log.n && !(log.p[end] >= '0' && log.p[end] <= '9')) { /* log lines start with the year */
            while (end < log.n && log.p[end] != '\n') {
                end++;
            }
            end = SL_MIN(end + 1, log.n);
        }
        if (end > from) {
            return sl_str_sub(log, from, end - from);
        }
    }
    return SL_STR_NONE;
}

void local_cluster_log_failure(const char *dir, struct sl_arena *a, struct tgt_failure *ret)
{
    struct sl_err ignored = SL_ERR_INIT;
    sl_str text;
    memset(ret, 0, sizeof *ret);
    if (sys_file_read(a, in_dir(a, dir, "log/jobmanager.log"), LOG_BYTES, &text, &ignored)) {
        sl_str stack = sl_str_trim(last_error(text));
        if (stack.n) {
            flink_failure_of_text(stack, a, ret);
        }
    }
    if (!ret->stack.n && sys_file_read(a, in_dir(a, dir, "log/jobmanager.out"), LOG_BYTES, &text, &ignored)) {
        text = sl_str_trim(text);
        if (text.n) {
            flink_failure_of_text(text, a, ret); /* "Error: Could not create the Java Virtual Machine." */
        }
    }
}

/* Its exit status where it did not come up (the JVM's own, too), and Flink's ApplicationStatus.FAILED. A main()
 * that threw ends with others as well: then its words count. */
#define EXIT_START 1

static bool tells_of_main(sl_str log)
{
    static const char *const words[] = {"Application failed unexpectedly", "with application status FAILED",
                                        "ProgramInvocationException", "ApplicationExecutionException"};
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (sl_str_find(log, sl_str_of(words[i])) >= 0) {
            return true;
        }
    }
    return false;
}

bool local_cluster_said_failed(const char *dir, const struct sup_jvm_state *jobmanager, struct sl_arena *a,
                               struct tgt_failure *ret)
{
    struct sl_err ignored = SL_ERR_INIT;
    sl_str log = SL_STR_NONE;
    memset(ret, 0, sizeof *ret);
    bool by_itself = jobmanager->exit == EXIT_START || jobmanager->exit == TGT_EXIT_FAILED;
    bool read = sys_file_read(a, in_dir(a, dir, "log/jobmanager.log"), LOG_BYTES, &log, &ignored);
    if (!by_itself && !(read && tells_of_main(log))) {
        return false;
    }
    local_cluster_log_failure(dir, a, ret);
    if (!ret->stack.n) {
        sl_str text = sl_arena_printf(a, "The local Flink has ended with exit code %d", jobmanager->exit);
        flink_failure_of_text(text, a, ret);
    }
    return true;
}

/* The archive of a job: {"archive":[{"path":"/jobs/ID","json":"..."}]}. */
static const struct sl_json *archived_page(struct sl_arena *a, const struct sl_json *doc, const char *path)
{
    SL_JSON_EACH(e, sl_json_get(doc, "archive"))
    {
        if (sl_str_eqz(sl_json_str(sl_json_get(e, "path"), SL_STR_NONE), path)) {
            struct sl_err ignored = SL_ERR_INIT;
            return sl_json_parse(a, sl_json_str(sl_json_get(e, "json"), SL_STR_NONE), &ignored);
        }
    }
    return NULL;
}

/* Calls fn for every file of a job's archive: 2.3 puts them into folders per application. */
static const char *find_archive(struct sl_arena *a, const char *dir, const char *job_id, int depth)
{
    char *direct = sys_path_join(a, dir, job_id);
    if (sys_exists(direct) && !sys_is_dir(direct)) {
        return direct;
    }
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    if (depth == 0 || !sys_dir_list(a, dir, &names, &n, &ignored)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        char *sub = sys_path_join(a, dir, sl_arena_strdupz(a, names[i]));
        const char *found = sys_is_dir(sub) ? find_archive(a, sub, job_id, depth - 1) : NULL;
        if (found) {
            return found;
        }
    }
    return NULL;
}

bool local_cluster_archived(const char *dir, const char *job_id, struct tgt_job_status *ret,
                            struct sl_arena *a, struct tgt_failure *failure)
{
    struct sl_err ignored = SL_ERR_INIT;
    const char *file = find_archive(a, in_dir(a, dir, "archive"), job_id, 4);
    sl_str text;
    if (!file || !sys_file_read(a, file, SL_LIMIT_JSON_BYTES, &text, &ignored)) {
        return false;
    }
    const struct sl_json *doc = sl_json_parse(a, text, &ignored);
    const struct sl_json *job = archived_page(a, doc, sl_arena_printf(a, "/jobs/%s", job_id).p);
    if (!job) {
        return false;
    }
    if (ret) {
        flink_job_of_json(job, archived_page(a, doc, sl_arena_printf(a, "/jobs/%s/checkpoints", job_id).p),
                          ret);
    }
    if (failure) {
        flink_failure_of_exceptions(
            archived_page(a, doc, sl_arena_printf(a, "/jobs/%s/exceptions", job_id).p), a, failure);
    }
    return true;
}

typedef SL_VEC(char *) ids;

static void gather_ids(struct sl_arena *a, const char *dir, ids *all, int depth)
{
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_dir_list(a, dir, &names, &n, &ignored)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char *path = sys_path_join(a, dir, sl_arena_strdupz(a, names[i]));
        if (sys_is_dir(path)) {
            if (depth > 0) {
                gather_ids(a, path, all, depth - 1);
            }
        } else if (names[i].n == 32) {
            sl_vec_push(a, all, path);
        }
    }
}

static int by_time(const void *x, const void *y)
{
    struct stat a = {0}, b = {0};
    if (stat(*(char *const *)x, &a) != 0 || stat(*(char *const *)y, &b) != 0) {
        return 0;
    }
    return a.st_mtim.tv_sec != b.st_mtim.tv_sec ? (a.st_mtim.tv_sec < b.st_mtim.tv_sec ? -1 : 1)
                                                : (a.st_mtim.tv_nsec < b.st_mtim.tv_nsec ? -1 : 1);
}

size_t local_cluster_archived_ids(const char *dir, struct sl_arena *a, char (**ret)[33])
{
    ids all = {0};
    gather_ids(a, in_dir(a, dir, "archive"), &all, 4);
    if (all.n) {
        qsort(all.v, all.n, sizeof *all.v, by_time);
    }
    *ret = sl_arena_zalloc(a, 33 * (all.n + 1));
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++) {
        struct tgt_job_status st;
        const char *id = strrchr(all.v[i], '/') + 1;
        if (local_cluster_archived(dir, id, &st, a, NULL)) {
            snprintf((*ret)[n++], 33, "%s", id);
        }
    }
    return n;
}

/* ---- logs ---- */

static void append_file(struct sl_arena *a, const char *path, struct sl_buf *b)
{
    sl_str text;
    struct sl_err ignored = SL_ERR_INIT;
    if (sys_exists(path) && sys_file_read(a, path, LOG_BYTES + (1 << 20), &text, &ignored)) {
        sl_buf_puts(b, text);
    }
}

bool local_cluster_logs(const char *dir, const char *which, size_t tail, struct sl_arena *a, sl_str *ret,
                        struct sl_err *err)
{
    if (strcmp(which, "jobmanager") != 0 && strcmp(which, "taskmanager") != 0) {
        return sl_fail(err, SL_USAGE, "there are logs of 'jobmanager' and 'taskmanager', not of '%.40s'",
                       which);
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, LOG_BYTES * 3);
    /* What it printed comes first: it is little and of its start, and the end of the log is what one looks
     * for. */
    static const char *const forms[] = {"%s/log/%s.out.1", "%s/log/%s.out", "%s/log/%s.log.1",
                                        "%s/log/%s.log"};
    for (size_t i = 0; i < SL_ARRAY_LEN(forms); i++) {
        char path[640];
        const char *suffix = forms[i] + strlen("%s/log/%s");
        snprintf(path, sizeof path, "%s/log/%s%s", dir, which, suffix);
        append_file(a, path, &b);
    }
    sl_str text = sl_buf_str(&b);
    if (tail) {
        size_t at = text.n, lines = 0;
        while (at > 0) {
            if (text.p[at - 1] == '\n' && at != text.n && ++lines == tail) {
                break;
            }
            at--;
        }
        text = sl_str_sub(text, at, text.n - at);
    }
    *ret = sl_str_dup(a, text);
    return true;
}

/* ---- start ---- */

static bool take_owner_lock(struct local_cluster *c)
{
    SL_ARENA_AUTO a = {0};
    bool held = false;
    struct sl_err ignored = SL_ERR_INIT;
    c->owner_fd = sys_lock(in_dir(&a, c->dir, "owner.lock"), &held, &ignored);
    return c->owner_fd >= 0;
}

static void give_owner_lock(struct local_cluster *c)
{
    if (c->owner_fd >= 0) {
        close(c->owner_fd);
        c->owner_fd = -1;
    }
}

/* Is what answers there our cluster? One look; false with target-unreachable while it is not up yet. */
static bool is_ours(struct local_cluster *c, struct sl_err *err)
{
    struct flink_rest *r = flink_rest_new(c->rest, 5000);
    char id[64] = "";
    struct flink_overview o;
    bool ok =
        flink_rest_config(r, "sluice.cluster.id", id, sizeof id, err) && flink_rest_overview(r, &o, err);
    flink_rest_free(r);
    if (!ok) {
        return false;
    }
    if (strcmp(id, c->id) != 0) {
        sl_fail(err, SL_TARGET_ANSWER, "%s is another Flink, not ours", c->rest);
        return sl_hint(err, "another cluster has taken the port; run the command again");
    }
    if (strcmp(o.version, c->flink) != 0) {
        return sl_fail(err, SL_FLINK_VERSION_MISMATCH, "%s runs Flink %s; Flink %s was started there",
                       c->rest, o.version, c->flink);
    }
    return true;
}

static void say_ended(const struct sup_status *st, struct sl_err *err)
{
    sl_fail(err, SL_TARGET_UNREACHABLE, "the local Flink is not running: %s",
            st->why[0] ? st->why : "it has ended");
}

bool local_cluster_check(struct local_cluster *c, struct sup_status *ret, struct sl_err *err)
{
    sup_status(c->dir, ret);
    if (ret->state == SUP_ENDED || ret->state == SUP_NONE) {
        say_ended(ret, err);
        return false;
    }
    if (!ret->jobmanager.running) {
        return sl_fail(err, SL_TARGET_UNREACHABLE, "the local Flink is being started again: %s", ret->why);
    }
    if (strcmp(c->verified, ret->jobmanager.start) != 0) {
        if (!is_ours(c, err)) {
            if (err && err->code == SL_TARGET_UNREACHABLE && ret->why[0]) {
                sl_fail(err, SL_TARGET_UNREACHABLE, "the local Flink is being started again: %s", ret->why);
            }
            return false;
        }
        memcpy(c->verified, ret->jobmanager.start, sizeof c->verified);
    }
    return true;
}

static bool is_wanted(const struct local_make *m, const struct local_cluster *c, struct sl_err *err)
{
    return !m->alive || m->alive(m->ctx) ||
           sl_fail(err, SL_CANCELLED, "stopped while Flink %s was starting", c->flink);
}

static bool wait_jobmanager(struct local_cluster *c, const struct local_make *m, struct sl_err *err)
{
    int64_t until = sys_now_ms() + sl_limits.jvm_start_ms;
    for (;;) {
        struct sup_status st;
        sup_status(c->dir, &st);
        if (st.state == SUP_ENDED || !st.alive) {
            return sl_fail(err, SL_FLINK_START, "Flink %s did not start: %s", c->flink,
                           st.why[0] ? st.why : "it ended at once");
        }
        struct sl_err why = SL_ERR_INIT;
        if (is_ours(c, &why)) {
            memcpy(c->verified, st.jobmanager.start, sizeof c->verified);
            return true;
        }
        if (!is_wanted(m, c, err)) {
            return false;
        }
        if (sys_now_ms() > until) {
            return sl_fail(err, SL_FLINK_START, "Flink %s did not answer within %lld s: %.200s", c->flink,
                           (long long)sl_limits.jvm_start_ms / 1000, why.msg);
        }
        sys_sleep_ms(20);
    }
}

bool local_cluster_wait_slots(struct local_cluster *c, const struct local_make *m, struct sl_err *err)
{
    int64_t until = sys_now_ms() + sl_limits.jvm_start_ms;
    struct flink_rest *r = flink_rest_new(c->rest, 5000);
    bool ok = false;
    for (;;) {
        struct flink_overview o = {0};
        struct sup_status st;
        if (flink_rest_overview(r, &o, err) && o.slots > 0) {
            ok = true;
            break;
        }
        sup_status(c->dir, &st);
        if (st.state == SUP_ENDED) {
            sl_fail(err, SL_FLINK_START, "Flink %s did not start: %s", c->flink, st.why);
            break;
        }
        if (!is_wanted(m, c, err)) {
            break;
        }
        if (sys_now_ms() > until) {
            sl_fail(err, SL_FLINK_START, "no TaskManager of Flink %s came up within %lld s%s%s", c->flink,
                    (long long)sl_limits.jvm_start_ms / 1000, st.why[0] ? ": " : "", st.why);
            break;
        }
        sys_sleep_ms(20);
    }
    flink_rest_free(r);
    return ok;
}

static bool write_spec(const struct local_make *m, struct jvm_cluster *j, const struct local_cluster *c,
                       struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct sup_spec spec = {.id = c->id,
                            .kind = m->dump_dir      ? "dump"
                                    : m->application ? "application"
                                                     : "session",
                            .flink = c->flink,
                            .flink_root = m->base->root,
                            .rest = c->rest,
                            .name = m->name ? m->name : "",
                            .job_id = m->restartable && m->job_id ? m->job_id : "",
                            .state_dir = m->state_dir,
                            .env = jvm_env(&a, j),
                            .n_jvm = 2};
    size_t none;
    spec.jvm[0].role = "jobmanager";
    spec.jvm[0].argv = jvm_argv(&a, j, j->jm, &spec.jvm[0].restore_at);
    spec.jvm[1].role = "taskmanager";
    spec.jvm[1].argv = jvm_argv(&a, j, IMG_ROLE_TASKMANAGER, &none);
    return sup_spec_write(c->dir, &spec, err);
}

static bool start_once(const struct local_make *m, struct local_cluster *c, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct jvm_cluster j = {.base = m->base,
                            .dir = c->dir,
                            .state_dir = m->state_dir,
                            .id = c->id,
                            .jm = m->application ? IMG_ROLE_APPLICATION : IMG_ROLE_SESSION,
                            .rest_port = sys_free_port(),
                            .rpc_port = sys_free_port(),
                            .slots = m->slots ? m->slots : 8,
                            .job_id = m->job_id,
                            .jars = m->jars,
                            .dump_dir = m->dump_dir,
                            .runner_jar = m->runner_jar};
    if (j.rest_port <= 0 || j.rpc_port <= 0) {
        return sl_fail(err, SL_PORT_TAKEN, "no port of 127.0.0.1 is free");
    }
    snprintf(c->rest, sizeof c->rest, "http://127.0.0.1:%d", j.rest_port);
    j.task = in_dir(&a, c->dir, "task.json");
    drop(c->dir, "state.json");
    return jvm_write_conf(&j, err) && (!m->application || sys_file_write(j.task, m->task, 0600, err)) &&
           write_spec(m, &j, c, err) && sup_start(m->self, c->dir, err) && wait_jobmanager(c, m, err);
}

static bool port_was_taken(const struct tgt_failure *f)
{
    return sl_str_find(f->stack, SL_STR("Address already in use")) >= 0 ||
           sl_str_find(f->stack, SL_STR("Could not start rest endpoint on any port")) >= 0;
}

/* A JVM that has no room ends in many ways, a supervisor without a word: the disk itself is asked. */
static bool disk_is_full(const char *dir, const struct tgt_failure *f)
{
    struct statvfs vfs;
    bool full = statvfs(dir, &vfs) == 0 && (uint64_t)vfs.f_bavail * vfs.f_frsize < SL_LIMIT_DISK_FULL_BYTES;
    return full || sl_str_find(f->stack, SL_STR("No space left on device")) >= 0;
}

bool local_cluster_start(const struct local_make *m, struct sl_arena *a, struct local_cluster *ret,
                         struct tgt_failure *failure, struct sl_err *err)
{
    char random[17];
    memset(ret, 0, sizeof *ret);
    memset(failure, 0, sizeof *failure);
    ret->owner_fd = -1;
    ret->application = m->application;
    ret->dumps = m->dump_dir != NULL;
    sl_random_hex(random, 6);
    if (m->id) {
        snprintf(ret->id, sizeof ret->id, "%s", m->id);
    } else {
        snprintf(ret->id, sizeof ret->id, "%s-%s", m->application ? "app" : "session", random);
    }
    snprintf(ret->flink, sizeof ret->flink, "%s", m->base->version);
    if (snprintf(ret->dir, sizeof ret->dir, "%s/%s", m->run_dir, ret->id) >= (int)sizeof ret->dir - 40) {
        return sl_fail(err, SL_LIMIT, "the path %s is too long", m->run_dir);
    }
    if (!sys_mkdirs(ret->dir, 0700, err)) {
        ret->id[0] = 0;
        return false;
    }
    bool full;
    for (int tries = 1;; tries++) {
        if (ret->owner_fd < 0) {
            take_owner_lock(ret);
        }
        if (start_once(m, ret, err)) {
            return true;
        }
        full = disk_is_full(ret->dir, failure); /* before what ends gives its room back */
        sup_stop(ret->dir, sl_limits.jvm_stop_ms);
        local_cluster_log_failure(ret->dir, a, failure);
        full = full || disk_is_full(ret->dir, failure);
        if (!port_was_taken(failure) || tries == START_TRIES) {
            break;
        }
        drop(ret->dir, "log");
    }
    if (full) {
        sl_fail(err, SL_DISK_FULL, "Flink %s did not start: the disk of %s is full", ret->flink, m->run_dir);
        sl_hint(err, "a local Flink needs about 100 MB there; --data or SLUICE_DATA names another folder");
    } else if (port_was_taken(failure)) {
        sl_fail(err, SL_PORT_TAKEN,
                "Flink %s did not start: its port was taken by another program (%d tries)", ret->flink,
                START_TRIES);
        sl_hint(err, "run the command again; sluice doctor tells what else listens");
    } else if (err && err->code == SL_FLINK_START && !err->hint[0]) {
        sl_hint(err, "its log: %s/log/jobmanager.log", ret->dir);
    }
    local_cluster_stop(ret);
    return false;
}

bool local_cluster_open(const char *run_dir, const char *id, struct local_cluster *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct sup_spec spec;
    memset(ret, 0, sizeof *ret);
    ret->owner_fd = -1;
    if (!*id || strchr(id, '/') ||
        snprintf(ret->dir, sizeof ret->dir, "%s/%s", run_dir, id) >= (int)sizeof ret->dir) {
        return sl_fail(err, SL_NOT_FOUND, "there is no local cluster '%.60s'", id);
    }
    if (!sup_spec_read(&a, ret->dir, &spec, err)) {
        return sl_fail(err, SL_NOT_FOUND, "there is no local cluster '%.60s'", id);
    }
    snprintf(ret->id, sizeof ret->id, "%s", spec.id);
    snprintf(ret->rest, sizeof ret->rest, "%s", spec.rest);
    snprintf(ret->flink, sizeof ret->flink, "%s", spec.flink);
    ret->application = strcmp(spec.kind, "application") == 0;
    struct sup_status st;
    sup_status(ret->dir, &st);
    if (st.alive) {
        take_owner_lock(ret);
    } else {
        ret->released = true;
    }
    return true;
}

void local_cluster_stop(struct local_cluster *c)
{
    if (c->released) {
        return;
    }
    sup_stop(c->dir, (c->dumps ? sl_limits.jvm_dump_ms : sl_limits.jvm_stop_ms) + 2000);
    give_owner_lock(c);
    tidy(c->dir);
    c->released = true;
}
