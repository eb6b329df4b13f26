/* SPDX-License-Identifier: Apache-2.0
 * What owners that were killed have left below the clusters' folder. A cluster in which a job runs is left
 * alone, to be adopted; of those that have ended the newest sl_limits.clusters_kept keep their logs. */
#include "gateway/target/local_cluster.h"

#include "base/limits.h"
#include "base/vec.h"
#include "sys/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct ended {
    char *dir;
    int64_t at;
};

static int newest_first(const void *x, const void *y)
{
    int64_t a = ((const struct ended *)x)->at, b = ((const struct ended *)y)->at;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* An application comes up: its owner was killed while it waited for it, and its job may come yet. */
static bool comes_up(const struct local_cluster *c, bool knows_jobs)
{
    SL_ARENA_AUTO a = {0};
    struct stat made;
    return c->application && !knows_jobs && stat(sys_path_join(&a, c->dir, "cluster.json"), &made) == 0 &&
           time(NULL) - made.st_mtim.tv_sec < sl_limits.jvm_start_ms / 1000;
}

static bool runs_a_job(const struct local_cluster *c)
{
    SL_ARENA_AUTO a = {0};
    struct flink_rest *r = flink_rest_new(c->rest, 3000);
    struct flink_job *jobs;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    bool any = false;
    if (flink_rest_jobs(r, &a, &jobs, &n, &ignored)) {
        for (size_t i = 0; i < n; i++) {
            any = any || !flink_state_is_terminal(jobs[i].state);
        }
        any = any || comes_up(c, n > 0);
    } else {
        struct sup_status st; /* being started again: its job is to go on */
        sup_status(c->dir, &st);
        any = st.state == SUP_RESTARTING || (st.alive && comes_up(c, false));
    }
    flink_rest_free(r);
    return any;
}

static bool is_spared(const char *id, const char *const *spared, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(id, spared[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Its owner was killed before a supervisor had come to it: nothing of it ever ran. The lock keeps one that is
 * just coming from starting in a folder that goes. */
static bool never_began(struct sl_arena *a, const char *dir, int *ret_lock)
{
    bool held = false;
    struct sl_err ignored = SL_ERR_INIT;
    *ret_lock = -1;
    if (sys_exists(sys_path_join(a, dir, "state.json"))) {
        return false;
    }
    *ret_lock = sys_lock(sys_path_join(a, dir, "lock"), &held, &ignored);
    return *ret_lock >= 0;
}

void tgt_local_sweep(const char *run_dir, const char *const *spared, size_t n_spared)
{
    SL_ARENA_AUTO a = {0};
    sl_str *names;
    size_t n;
    struct sl_err ignored = SL_ERR_INIT;
    SL_VEC(struct ended) ended = {0};
    if (!sys_is_dir(run_dir) || !sys_dir_list(&a, run_dir, &names, &n, &ignored)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct local_cluster c;
        char *dir = sys_path_join(&a, run_dir, sl_arena_strdupz(&a, names[i]));
        struct stat state = {0};
        if (!local_cluster_open(run_dir, sl_arena_strdupz(&a, names[i]), &c, &ignored)) {
            if (!sys_lock_is_held(sys_path_join(&a, dir, "owner.lock"))) { /* a start that did not get far */
                sl_vec_push(&a, &ended, ((struct ended){dir, 0}));
            }
            continue;
        }
        if (!c.released && c.owner_fd < 0) {
            continue; /* another Sluice has it */
        }
        int lock = -1;
        if (c.released && never_began(&a, dir, &lock)) {
            if (!sys_rmtree(dir, &ignored)) {
                sl_vec_push(&a, &ended, ((struct ended){dir, 0}));
            }
            close(lock);
            continue;
        }
        if (!c.released && is_spared(c.id, spared, n_spared)) {
            close(c.owner_fd);
            continue;
        }
        if (!c.released && runs_a_job(&c)) {
            close(c.owner_fd);
            continue;
        }
        c.released = false;
        local_cluster_stop(&c);
        int64_t at =
            stat(sys_path_join(&a, dir, "state.json"), &state) == 0 ? (int64_t)state.st_mtim.tv_sec : 1;
        sl_vec_push(&a, &ended, ((struct ended){dir, at}));
    }
    if (ended.n) {
        qsort(ended.v, ended.n, sizeof *ended.v, newest_first);
    }
    for (size_t i = 0; i < ended.n; i++) {
        if ((i >= sl_limits.clusters_kept || ended.v[i].at == 0) && !sys_rmtree(ended.v[i].dir, &ignored)) {
            return;
        }
    }
}
