/* SPDX-License-Identifier: Apache-2.0
 * The supervisor: one thread, one poll loop over the JVMs' output (named pipes, so that what they print can
 * be capped), their ends (SIGCHLD) and the stop signal. JVMs get SIGKILL from the kernel when it dies
 * (PR_SET_PDEATHSIG). */
#include "gateway/target/supervise.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/vec.h"
#include "gateway/target/flink_rest.h"
#include "runtime-image/flink_install.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define JVM_NICE       5 /* whoever asks Sluice is answered before a job computes */
#define SPEC_BYTES     ((size_t)1 << 20)
#define TICK_MS        250
#define START_MS       10000 /* for the supervisor to take its lock */
#define ORPHAN_POLL    2000
#define RESTARTS       5 /* of one JVM within RESTART_WINDOW */
#define RESTART_WINDOW 600000

/* ---- cluster.json ---- */

static void put_list(struct sl_jw *w, const char *key, const char *const *v)
{
    sl_jw_key(w, key);
    sl_jw_array(w);
    for (size_t i = 0; v && v[i]; i++) {
        sl_jw_strz(w, v[i]);
    }
    sl_jw_end_array(w);
}

bool sup_spec_write(const char *dir, const struct sup_spec *s, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b;
    sl_buf_init(&b, SPEC_BYTES);
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_ki64(&w, "version", 1);
    sl_jw_kstrz(&w, "id", s->id);
    sl_jw_kstrz(&w, "kind", s->kind);
    sl_jw_kstrz(&w, "flink", s->flink);
    sl_jw_kstrz(&w, "flinkRoot", s->flink_root);
    sl_jw_kstrz(&w, "rest", s->rest);
    sl_jw_kstrz(&w, "name", s->name);
    sl_jw_kstrz(&w, "jobId", s->job_id);
    sl_jw_kstrz(&w, "stateDir", s->state_dir ? s->state_dir : "");
    put_list(&w, "env", s->env);
    sl_jw_key(&w, "jvms");
    sl_jw_array(&w);
    for (size_t i = 0; i < s->n_jvm; i++) {
        sl_jw_object(&w);
        sl_jw_kstrz(&w, "role", s->jvm[i].role);
        sl_jw_ki64(&w, "restoreAt", (int64_t)s->jvm[i].restore_at);
        put_list(&w, "argv", s->jvm[i].argv);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    return sys_file_write(sys_path_join(&a, dir, "cluster.json"), sl_buf_str(&b), 0600, err);
}

static const char *z_of(struct sl_arena *a, const struct sl_json *v)
{
    return sl_arena_strdupz(a, sl_json_str(v, SL_STR("")));
}

static const char *const *list_of(struct sl_arena *a, const struct sl_json *v)
{
    const char **out = sl_new_n(a, const char *, (v ? v->n : 0) + 1);
    size_t n = 0;
    SL_JSON_EACH(e, v)
    {
        out[n++] = z_of(a, e);
    }
    return out;
}

bool sup_spec_read(struct sl_arena *a, const char *dir, struct sup_spec *ret, struct sl_err *err)
{
    sl_str text;
    if (!sys_file_read(a, sys_path_join(a, dir, "cluster.json"), SPEC_BYTES, &text, err)) {
        return false;
    }
    const struct sl_json *o = sl_json_parse(a, text, err);
    if (!o) {
        return false;
    }
    memset(ret, 0, sizeof *ret);
    ret->id = z_of(a, sl_json_get(o, "id"));
    ret->kind = z_of(a, sl_json_get(o, "kind"));
    ret->flink = z_of(a, sl_json_get(o, "flink"));
    ret->flink_root = z_of(a, sl_json_get(o, "flinkRoot"));
    ret->rest = z_of(a, sl_json_get(o, "rest"));
    ret->name = z_of(a, sl_json_get(o, "name"));
    ret->job_id = z_of(a, sl_json_get(o, "jobId"));
    ret->state_dir = z_of(a, sl_json_get(o, "stateDir"));
    ret->env = list_of(a, sl_json_get(o, "env"));
    SL_JSON_EACH(j, sl_json_get(o, "jvms"))
    {
        if (ret->n_jvm < SL_ARRAY_LEN(ret->jvm)) {
            struct sup_jvm_spec *s = &ret->jvm[ret->n_jvm++];
            s->role = z_of(a, sl_json_get(j, "role"));
            s->restore_at = (size_t)sl_json_i64(sl_json_get(j, "restoreAt"), 0);
            s->argv = list_of(a, sl_json_get(j, "argv"));
        }
    }
    return ret->n_jvm && ret->jvm[0].argv[0] ? true
                                             : sl_fail(err, SL_JSON, "%s/cluster.json names no JVM", dir);
}

/* ---- state.json ---- */

static const char *const state_words[] = {"none", "starting", "running", "restarting", "ended"};

static void read_jvm(const struct sl_json *o, struct sup_jvm_state *ret)
{
    sl_str start = sl_json_str(sl_json_get(o, "start"), SL_STR_NONE);
    snprintf(ret->start, sizeof ret->start, "%.*s", SL_S(start));
    ret->pid = (long)sl_json_i64(sl_json_get(o, "pid"), 0);
    ret->start_time = (uint64_t)sl_json_i64(sl_json_get(o, "startTime"), 0);
    ret->running = sl_json_bool(sl_json_get(o, "running"), false);
    ret->exit = (int)sl_json_i64(sl_json_get(o, "exit"), -1);
    ret->signal = (int)sl_json_i64(sl_json_get(o, "signal"), -1);
    ret->restarts = (int)sl_json_i64(sl_json_get(o, "restarts"), 0);
}

void sup_status(const char *dir, struct sup_status *ret)
{
    SL_ARENA_AUTO a = {0};
    memset(ret, 0, sizeof *ret);
    /* The lock first: a supervisor that ends after this look has written its last state. */
    ret->alive = sys_lock_is_held(sys_path_join(&a, dir, "lock"));
    struct sl_err ignored = SL_ERR_INIT;
    sl_str text;
    const struct sl_json *o = NULL;
    if (sys_file_read(&a, sys_path_join(&a, dir, "state.json"), SPEC_BYTES, &text, &ignored)) {
        o = sl_json_parse(&a, text, &ignored);
    }
    sl_str word = sl_json_str(sl_json_get(o, "state"), SL_STR("none"));
    for (size_t i = 0; i < SL_ARRAY_LEN(state_words); i++) {
        if (sl_str_eqz(word, state_words[i])) {
            ret->state = (enum sup_state)i;
        }
    }
    ret->pid = (long)sl_json_i64(sl_json_get(o, "pid"), 0);
    ret->start_time = (uint64_t)sl_json_i64(sl_json_get(o, "startTime"), 0);
    snprintf(ret->why, sizeof ret->why, "%.*s", SL_S(sl_json_str(sl_json_get(o, "why"), SL_STR_NONE)));
    read_jvm(sl_json_get(o, "jobmanager"), &ret->jobmanager);
    read_jvm(sl_json_get(o, "taskmanager"), &ret->taskmanager);
    if (!ret->alive && ret->state != SUP_NONE && ret->state != SUP_ENDED) {
        ret->state = SUP_ENDED;
        ret->jobmanager.running = ret->taskmanager.running = false;
        snprintf(ret->why, sizeof ret->why, "its supervisor was killed");
    }
}

/* ---- checkpoints ---- */

const char *sup_newest_checkpoint(struct sl_arena *a, const char *dir, const char *job_id)
{
    const char *folder = sl_arena_printf(a, "%s/checkpoints/%s", dir, job_id).p;
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    if (!sys_is_dir(folder) || !sys_dir_list(a, folder, &names, &n, &ignored)) {
        return NULL;
    }
    int64_t best = -1;
    const char *path = NULL;
    for (size_t i = 0; i < n; i++) {
        int64_t number;
        if (!sl_str_starts(names[i], SL_STR("chk-")) ||
            !sl_str_to_i64(sl_str_sub(names[i], 4, names[i].n - 4), &number) || number <= best) {
            continue;
        }
        char *chk = sys_path_join(a, folder, sl_arena_strdupz(a, names[i]));
        if (sys_exists(sys_path_join(a, chk, "_metadata"))) {
            best = number;
            path = chk;
        }
    }
    return path;
}

/* ---- the supervisor ---- */

struct jvm {
    const struct sup_jvm_spec *spec;
    struct sup_jvm_state st;
    int fifo; /* what it prints */
    char *fifo_path, *out_path;
    size_t out_bytes;
    int64_t again_at; /* monotonic; 0 = not waiting for a restart */
    int64_t window_from;
    int in_window;
};
struct sup {
    struct sl_arena a;
    const char *dir;
    struct sup_spec spec;
    struct jvm jvm[2];
    enum sup_state state;
    char why[256];
    int64_t orphan_since, orphan_asked;
};

static volatile sig_atomic_t stop_asked;
static void on_stop(int sig)
{
    (void)sig;
    stop_asked = 1;
}
static void on_child(int sig)
{
    (void)sig;
}

static void put_jvm(struct sl_jw *w, const struct jvm *j)
{
    sl_jw_key(w, j->spec->role);
    sl_jw_object(w);
    sl_jw_kstrz(w, "start", j->st.start);
    sl_jw_ki64(w, "pid", j->st.pid);
    sl_jw_ki64(w, "startTime", (int64_t)j->st.start_time);
    sl_jw_kbool(w, "running", j->st.running);
    sl_jw_ki64(w, "exit", j->st.exit);
    sl_jw_ki64(w, "signal", j->st.signal);
    sl_jw_ki64(w, "restarts", j->st.restarts);
    sl_jw_end_object(w);
}

static void record(struct sup *s)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b;
    sl_buf_init(&b, 1 << 16);
    struct sl_jw w;
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "state", state_words[s->state]);
    sl_jw_ki64(&w, "pid", (int64_t)getpid());
    sl_jw_ki64(&w, "startTime", (int64_t)sys_process_start_time(getpid()));
    sl_jw_kstrz(&w, "why", s->why);
    for (size_t i = 0; i < s->spec.n_jvm; i++) {
        put_jvm(&w, &s->jvm[i]);
    }
    sl_jw_end_object(&w);
    struct sl_err err = SL_ERR_INIT;
    if (!sys_file_write(sys_path_join(&a, s->dir, "state.json"), sl_buf_str(&b), 0600, &err)) {
        fprintf(stderr, "state.json: %s\n", err.msg); /* the lock still tells whether we live */
    }
}

/* Takes what a JVM has printed; past half the cap the file becomes .out.1. */
static void take_output(struct jvm *j)
{
    char block[65536];
    for (;;) {
        ssize_t n = read(j->fifo, block, sizeof block);
        if (n <= 0) {
            return;
        }
        if (j->out_bytes + (size_t)n > sl_limits.jvm_log_bytes / 2) {
            SL_ARENA_AUTO a = {0};
            rename(j->out_path, sl_arena_printf(&a, "%s.1", j->out_path).p);
            j->out_bytes = 0;
        }
        int fd = open(j->out_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            continue; /* a full disk loses text, not the JVM */
        }
        ssize_t w = write(fd, block, (size_t)n);
        j->out_bytes += w > 0 ? (size_t)w : 0;
        close(fd);
    }
}

static bool start_jvm(struct sup *s, struct jvm *j, const char *restore)
{
    SL_ARENA_AUTO a = {0};
    SL_VEC(const char *) argv = {0};
    for (size_t i = 0; j->spec->argv[i]; i++) {
        if (restore && j->spec->restore_at == i) {
            sl_vec_push(&a, &argv, "--fromSavepoint");
            sl_vec_push(&a, &argv, sl_arena_printf(&a, "file://%s", restore).p);
        }
        sl_vec_push(&a, &argv, j->spec->argv[i]);
    }
    sl_vec_push(&a, &argv, NULL);
    char *cwd = sys_path_join(&a, s->dir, "tmp");
    struct sys_spawn spawn = {.argv = argv.v,
                              .env = s->spec.env,
                              .cwd = cwd,
                              .out = j->fifo_path,
                              .err = j->fifo_path,
                              .nice = JVM_NICE,
                              .die_with_parent = true};
    struct sl_err err = SL_ERR_INIT;
    pid_t pid = sys_spawn(&spawn, &err);
    if (pid < 0) {
        snprintf(s->why, sizeof s->why, "the %s could not be started: %.180s", j->spec->role, err.msg);
        return false;
    }
    sl_random_hex(j->st.start, 16);
    j->st.pid = pid;
    j->st.start_time = sys_process_start_time(pid);
    j->st.running = true;
    j->st.exit = j->st.signal = -1;
    j->again_at = 0;
    return true;
}

static bool is_jobmanager(const struct jvm *j)
{
    return strcmp(j->spec->role, "jobmanager") == 0;
}

static void end_all(struct sup *s)
{
    for (size_t i = 0; i < s->spec.n_jvm; i++) {
        s->jvm[i].again_at = 0;
        if (s->jvm[i].st.running) {
            kill((pid_t)s->jvm[i].st.pid, SIGTERM);
        }
    }
    bool dumps = strcmp(s->spec.kind, "dump") == 0;
    int64_t deadline = sys_now_ms() + (dumps ? sl_limits.jvm_dump_ms : sl_limits.jvm_stop_ms);
    bool killed = false;
    for (;;) {
        bool any = false;
        for (size_t i = 0; i < s->spec.n_jvm; i++) {
            struct jvm *j = &s->jvm[i];
            take_output(j); /* a full pipe must not keep it alive */
            int status;
            if (j->st.running && waitpid((pid_t)j->st.pid, &status, WNOHANG) == (pid_t)j->st.pid) {
                j->st.running = false;
                j->st.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
                j->st.signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
            }
            any = any || j->st.running;
            if (j->st.running && sys_now_ms() >= deadline && !killed) {
                kill((pid_t)j->st.pid, SIGKILL);
            }
        }
        killed = killed || sys_now_ms() >= deadline;
        if (!any) {
            return;
        }
        sys_sleep_ms(10);
    }
}

/* Has the job of a restartable application come to its end? Its archive tells; REST is gone with the
 * JobManager. */
static bool job_has_ended(struct sup *s)
{
    SL_ARENA_AUTO a = {0};
    return sys_exists(sl_arena_printf(&a, "%s/archive/%s", s->dir, s->spec.job_id).p);
}

static bool may_restart(struct jvm *j)
{
    int64_t now = sys_now_ms();
    if (now - j->window_from > RESTART_WINDOW) {
        j->window_from = now;
        j->in_window = 0;
    }
    return j->in_window < RESTARTS;
}

static void plan_restart(struct jvm *j)
{
    j->again_at = sys_now_ms() + (j->in_window ? 1000 * j->in_window : 100);
    j->in_window++;
    j->st.restarts++;
}

static const char *newest_checkpoint(struct sup *s)
{
    return sup_newest_checkpoint(&s->a, *s->spec.state_dir ? s->spec.state_dir : s->dir, s->spec.job_id);
}

static void jvm_ended(struct sup *s, struct jvm *j)
{
    char how[64];
    if (j->st.signal > 0) {
        snprintf(how, sizeof how, "was killed by signal %d", j->st.signal);
    } else {
        snprintf(how, sizeof how, "ended with exit code %d", j->st.exit);
    }
    bool restore = is_jobmanager(j) && *s->spec.job_id && s->state != SUP_STARTING && !job_has_ended(s) &&
                   newest_checkpoint(s);
    if (may_restart(j) && (restore || !is_jobmanager(j))) {
        if (restore) { /* the TaskManager would go on asking the dead one: both start anew */
            s->state = SUP_RESTARTING;
            for (size_t i = 0; i < s->spec.n_jvm; i++) {
                if (&s->jvm[i] != j && s->jvm[i].st.running) {
                    kill((pid_t)s->jvm[i].st.pid, SIGKILL);
                    waitpid((pid_t)s->jvm[i].st.pid, NULL, 0);
                    s->jvm[i].st.running = false;
                    s->jvm[i].st.signal = SIGKILL;
                    s->jvm[i].again_at = sys_now_ms() + 100;
                }
            }
        }
        plan_restart(j);
        snprintf(s->why, sizeof s->why, "the %s %s; it is started again", j->spec->role, how);
    } else {
        snprintf(s->why, sizeof s->why, "the %s %s", j->spec->role, how);
        end_all(s);
        s->state = SUP_ENDED;
    }
}

/* Children that have ended, JVMs that are to start again. */
static void look_after(struct sup *s)
{
    bool changed = false;
    for (size_t i = 0; i < s->spec.n_jvm && s->state != SUP_ENDED; i++) {
        struct jvm *j = &s->jvm[i];
        int status;
        if (j->st.running && waitpid((pid_t)j->st.pid, &status, WNOHANG) == (pid_t)j->st.pid) {
            take_output(j);
            j->st.running = false;
            j->st.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            j->st.signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
            jvm_ended(s, j);
            changed = true;
        }
    }
    bool waiting = false;
    for (size_t i = 0; i < s->spec.n_jvm && s->state != SUP_ENDED; i++) {
        struct jvm *j = &s->jvm[i];
        if (j->again_at && sys_now_ms() >= j->again_at) {
            const char *restore = j->spec->restore_at && *s->spec.job_id ? newest_checkpoint(s) : NULL;
            if (!start_jvm(s, j, restore)) {
                end_all(s);
                s->state = SUP_ENDED;
            }
            changed = true;
        }
        waiting = waiting || j->again_at;
    }
    if (s->state == SUP_RESTARTING && !waiting) {
        s->state = SUP_RUNNING;
        changed = true;
    }
    if (changed) {
        record(s);
    }
}

static bool any_job_runs(struct sup *s)
{
    SL_ARENA_AUTO a = {0};
    struct flink_rest *r = flink_rest_new(s->spec.rest, 5000);
    struct flink_job *jobs;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    bool any = false;
    if (flink_rest_jobs(r, &a, &jobs, &n, &ignored)) {
        for (size_t i = 0; i < n; i++) {
            any = any || !flink_state_is_terminal(jobs[i].state);
        }
    } else {
        any = s->jvm[0].st.running && s->orphan_since &&
              sys_now_ms() - s->orphan_since < sl_limits.jvm_start_ms;
    }
    flink_rest_free(r);
    return any;
}

/* Ends a cluster that nobody owns and nobody uses. */
static void look_for_owner(struct sup *s)
{
    int64_t now = sys_now_ms();
    if (now - s->orphan_asked < ORPHAN_POLL) {
        return;
    }
    s->orphan_asked = now;
    SL_ARENA_AUTO a = {0};
    if (sys_lock_is_held(sys_path_join(&a, s->dir, "owner.lock"))) {
        s->orphan_since = 0;
    } else if (!s->orphan_since) {
        s->orphan_since = now;
    } else if (any_job_runs(s)) {
        s->orphan_since = now;
    } else if (now - s->orphan_since > sl_limits.local_orphan_ms) {
        snprintf(s->why, sizeof s->why, "it had no owner and no job");
        stop_asked = 1;
    }
}

static bool prepare(struct sup *s, struct sl_err *err)
{
    if (!sup_spec_read(&s->a, s->dir, &s->spec, err)) {
        return false;
    }
    for (size_t i = 0; i < s->spec.n_jvm; i++) {
        struct jvm *j = &s->jvm[i];
        j->spec = &s->spec.jvm[i];
        j->st.exit = j->st.signal = -1;
        j->fifo_path =
            sl_arena_strdupz(&s->a, sl_arena_printf(&s->a, "%s/tmp/%s.fifo", s->dir, j->spec->role));
        j->out_path = sl_arena_strdupz(&s->a, sl_arena_printf(&s->a, "%s/log/%s.out", s->dir, j->spec->role));
        unlink(j->fifo_path);
        if (mkfifo(j->fifo_path, 0600) != 0) {
            return sl_fail_errno(err, SL_IO, errno, "cannot make %s", j->fifo_path);
        }
        j->fifo =
            open(j->fifo_path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* RDWR: no end of file between two lives */
        if (j->fifo < 0) {
            return sl_fail_errno(err, SL_IO, errno, "cannot open %s", j->fifo_path);
        }
    }
    return true;
}

static void watch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop}, child = {.sa_handler = on_child};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGCHLD, &child, NULL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

/* A folder that was removed and made again while we came up has another lock: it is not ours. */
static bool is_lock_of(int fd, const char *path)
{
    struct stat mine, there;
    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
           mine.st_ino == there.st_ino;
}

int sup_main(const char *dir)
{
    struct sup s = {.dir = dir, .state = SUP_STARTING};
    struct sl_err err = SL_ERR_INIT;
    sl_arena_init(&s.a, 0);
    bool held = false;
    int lock = sys_lock(sys_path_join(&s.a, dir, "lock"), &held, &err);
    if (lock < 0) {
        fprintf(stderr, "%s\n", held ? "another supervisor holds this cluster" : err.msg);
        sl_arena_release(&s.a);
        return 6;
    }
    if (!is_lock_of(lock, sys_path_join(&s.a, dir, "lock"))) {
        fprintf(stderr, "the folder of this cluster was removed\n");
        close(lock);
        sl_arena_release(&s.a);
        return 6;
    }
    watch_signals();
    bool ok = prepare(&s, &err);
    int use = ok ? img_flink_use(s.spec.flink_root, s.spec.flink) : -1;
    if (!ok) {
        snprintf(s.why, sizeof s.why, "%.250s", err.msg);
    }
    for (size_t i = 0; ok && i < s.spec.n_jvm; i++) {
        ok = start_jvm(&s, &s.jvm[i], NULL);
    }
    s.state = ok ? SUP_RUNNING : SUP_ENDED;
    record(&s);
    while (s.state != SUP_ENDED && !stop_asked) {
        struct pollfd p[2];
        for (size_t i = 0; i < s.spec.n_jvm; i++) {
            p[i] = (struct pollfd){.fd = s.jvm[i].fifo, .events = POLLIN};
        }
        poll(p, s.spec.n_jvm, TICK_MS);
        for (size_t i = 0; i < s.spec.n_jvm; i++) {
            take_output(&s.jvm[i]);
        }
        look_after(&s);
        look_for_owner(&s);
    }
    end_all(&s);
    if (s.state != SUP_ENDED && !s.why[0]) {
        snprintf(s.why, sizeof s.why, "it was stopped");
    }
    s.state = SUP_ENDED;
    record(&s);
    for (size_t i = 0; i < s.spec.n_jvm; i++) {
        unlink(s.jvm[i].fifo_path);
    }
    if (use >= 0) {
        close(use);
    }
    sl_arena_release(&s.a);
    return 0; /* the kernel gives the lock back */
}

/* ---- for the target ---- */

bool sup_start(const char *self, const char *dir, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    /* A binary that was replaced since we started is still ours to run. */
    const char *argv[] = {access(self, X_OK) == 0 ? self : "/proc/self/exe", "supervise", dir, NULL};
    char *out = sys_path_join(&a, dir, "log/supervise.out");
    struct sys_spawn spawn = {.argv = argv, .cwd = "/", .out = out, .err = out, .new_session = true};
    char *lock = sys_path_join(&a, dir, "lock");
    pid_t pid = sys_spawn(&spawn, err);
    if (pid < 0) {
        return false;
    }
    uint64_t start_time = sys_process_start_time(pid);
    for (int64_t until = sys_now_ms() + START_MS; sys_now_ms() < until; sys_sleep_ms(5)) {
        struct sup_status st;
        sup_status(dir, &st);
        if (st.state != SUP_NONE) {
            return true;
        }
        if (!sys_process_alive(pid, start_time)) {
            waitpid(pid, NULL, WNOHANG);
            sl_str text = SL_STR_NONE;
            struct sl_err ignored = SL_ERR_INIT;
            if (!sys_file_read(&a, out, 1 << 16, &text, &ignored)) {
                text = SL_STR_NONE;
            }
            text = sl_str_trim(text);
            return sl_fail(err, SL_FLINK_START, "the supervisor of Flink ended at once: %.*s", SL_S(text));
        }
    }
    sys_process_stop(pid, start_time, 0);
    return sl_fail(err, SL_FLINK_START, "the supervisor of Flink did not take %s", lock);
}

void sup_stop(const char *dir, int64_t grace_ms)
{
    struct sup_status st;
    sup_status(dir, &st);
    if (!st.alive || st.pid <= 0) {
        return;
    }
    sys_process_stop((pid_t)st.pid, st.start_time, grace_ms);
    for (int i = 0; i < 2; i++) { /* after KILL the kernel ends the JVMs; wait until they are gone */
        const struct sup_jvm_state *j = i ? &st.taskmanager : &st.jobmanager;
        if (j->pid > 0 && j->running) {
            sys_process_stop((pid_t)j->pid, j->start_time, grace_ms);
        }
    }
}
