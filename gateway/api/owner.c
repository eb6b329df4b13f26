/* SPDX-License-Identifier: Apache-2.0
 * Puts the owner together, runs its loop, takes it apart in the reverse order. */
#include "gateway/api/owner.h"

#include "base/limits.h"
#include "base/vec.h"
#include "gateway/api/api.h"
#include "gateway/api/rpc.h"
#include "gateway/api/serve.h"
#include "gateway/front/rpc.h"
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/recover.h"
#include "gateway/jobs/replace.h"
#include "gateway/jobs/request.h"
#include "gateway/jobs/snapshot.h"
#include "gateway/target/targets.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct known_target {
    struct known_target *next;
    struct target *target;
    int64_t made_ms; /* of its record; 0 = local */
};

struct owner {
    const struct owner_config *config;
    uv_loop_t loop;
    uv_timer_t idle;
    uv_async_t stop;
    uv_signal_t on_term, on_int;
    int lock_fd;
    struct store *store;
    struct ledger *ledger;
    struct res_port *results;
    struct tracker *tracker;
    struct live_hub *live;
    struct sub_env sub; /* lent to submissions */
    SL_VEC(struct sub_recovery *) recoveries;
    struct api *api;
    struct auth *auth;
    struct net_rpc *rpc;
    struct api_rpc lines;
    struct serve *serve;  /* NULL: not a server */
    pthread_mutex_t lock; /* guards targets */
    struct known_target *targets;
    char *cluster_dir;
    char *state_dir;
    int64_t needed_ms;                        /* monotonic: last time somebody was here */
    bool ending;                              /* loop thread: the API takes nothing any more */
    bool keep_clusters;                       /* told to end, but to leave what runs to the next owner */
    bool calls_ended;                         /* atomic */
    pthread_t recoverer;                      /* ends what replacements were left in the middle */
    bool recovers, recovery_stops, recovered; /* the last two atomic */
    pthread_t canceller;                      /* of `selects`; 0 = none */
    SL_VEC(const char *) selects;             /* ids of SELECTs that an owner has left behind */
};

char *owner_socket_path(struct sl_arena *a, const char *data_dir)
{
    return sys_path_join(a, data_dir, "sluice.sock");
}

char *owner_build_id(struct sl_arena *a, const char *self)
{
    struct stat st = {0};
    if (stat(self, &st) != 0) {
        return sl_arena_strdupz(a, SL_STR(SLUICE_VERSION));
    }
    sl_str s = sl_arena_printf(a, "%s-%lld-%lld.%09ld", SLUICE_VERSION, (long long)st.st_size,
                               (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return sl_arena_strdupz(a, s);
}

/* --- targets -----------------------------------------------------------------------------------------------
 */

/* "2.2" asks for the newest patch version known, "2.2.1" for exactly that. */
static bool same_flink(const struct target *t, sl_str flink)
{
    sl_str mine = sl_str_of(t->flink);
    return sl_str_eq(mine, flink) ||
           (sl_str_starts(mine, flink) && mine.n > flink.n && mine.p[flink.n] == '.' && flink.n <= 4);
}

/* "2.2" of "2.2.1": what decides of a foreign cluster. */
static sl_str minor_of(sl_str flink)
{
    size_t dots = 0, n = 0;
    while (n < flink.n && (flink.p[n] != '.' || ++dots < 2)) {
        n++;
    }
    return sl_str_sub(flink, 0, n);
}

/* The target of a record, for scripts of that Flink. Called with the lock held. */
static struct target *foreign_target(struct owner *o, const char *name, sl_str flink, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct target_record r;
    if (!targets_get(o->store, name, &a, &r, err)) {
        return NULL;
    }
    for (struct known_target *k = o->targets; k; k = k->next) {
        if (k->made_ms == r.made_ms && strcmp(k->target->name, name) == 0 &&
            sl_str_eqz(flink, k->target->flink)) {
            return k->target;
        }
    }
    struct tgt_session_config c = {.name = name,
                                   .flink = sl_arena_strdupz(&a, flink),
                                   .url = r.url,
                                   .ca = r.ca,
                                   .cert = r.cert,
                                   .key = r.key,
                                   .headers = r.headers,
                                   .user = r.user,
                                   .proxy = r.proxy,
                                   .self = o->config->self,
                                   .scratch_dir = sys_path_join(&a, o->config->data_dir, "targets")};
    struct target *t = tgt_session_new(&c, err);
    if (t) {
        struct known_target *k = calloc(1, sizeof(*k));
        SL_OOM_ON(!k);
        k->target = t;
        k->made_ms = r.made_ms;
        k->next = o->targets;
        o->targets = k;
    }
    return t;
}

static struct target *target_of(void *ctx, sl_str name, sl_str flink, struct sl_err *err)
{
    struct owner *o = ctx;
    char who[64];
    if (name.n > 63) {
        sl_fail(err, SL_TARGET_UNKNOWN, "there is no target '%.*s'", SL_S(name));
        return NULL;
    }
    snprintf(who, sizeof(who), "%.*s", SL_S(name));
    if (!name.n && !targets_default(o->store, who, err)) {
        return NULL;
    }
    pthread_mutex_lock(&o->lock);
    if (strcmp(who, "local") != 0) {
        struct target *f = foreign_target(o, who, minor_of(flink), err);
        pthread_mutex_unlock(&o->lock);
        return f;
    }
    struct known_target *l = o->targets;
    while (l && (l->made_ms || !same_flink(l->target, flink))) {
        l = l->next;
    }
    struct target *t = l ? l->target : NULL;
    if (!t) {
        char version[16];
        snprintf(version, sizeof(version), "%.*s", SL_S(flink));
        struct tgt_local_config c = {.flink_root = o->config->flink_dir,
                                     .flink = version,
                                     .run_dir = o->cluster_dir,
                                     .state_dir = o->state_dir,
                                     .self = o->config->self,
                                     .slots = (int)o->config->settings->local_slots};
        t = tgt_local_new(&c, err);
        if (t) {
            l = calloc(1, sizeof(*l));
            SL_OOM_ON(!l);
            l->target = t;
            l->next = o->targets;
            o->targets = l;
        }
    }
    pthread_mutex_unlock(&o->lock);
    return t;
}

static const char *results_of(void *ctx, const char *target, struct sl_arena *a)
{
    struct owner *o = ctx;
    struct target_record r;
    struct sl_err ignored = SL_ERR_INIT;
    return strcmp(target, "local") != 0 && targets_get(o->store, target, a, &r, &ignored) ? r.results_address
                                                                                          : "";
}

static struct target *tracked_target(void *ctx, const char *name, const char *flink)
{
    struct sl_err err = SL_ERR_INIT;
    return target_of(ctx, sl_str_of(name), sl_str_of(flink), &err);
}

/* --- the loop ----------------------------------------------------------------------------------------------
 */

static void on_message(void *ctx, uint64_t client, sl_str line)
{
    struct owner *o = ctx;
    o->needed_ms = sys_now_ms();
    if (!o->ending) { /* else it hears the connection close, and tries the next owner */
        api_rpc_message(&o->lines, client, AUTH_ADMIN, SL_STR_NONE, line);
    }
}

static void on_gone(void *ctx, uint64_t client)
{
    struct owner *o = ctx;
    o->needed_ms = sys_now_ms();
    if (!o->ending) { /* else its calls were told to stop already */
        api_rpc_gone(&o->lines, client);
    }
}

static bool send_line(void *ctx, uint64_t client, sl_str line, bool urgent)
{
    return net_rpc_send(((struct owner *)ctx)->rpc, client, line, urgent);
}

static void request_stop(void *ctx)
{
    uv_async_send(&((struct owner *)ctx)->stop);
}

static void begin_end(struct owner *o)
{
    o->ending = true;
    net_rpc_stop_listening(o->rpc);
    if (o->serve) {
        serve_drain(o->serve);
    }
    uv_stop(&o->loop);
}

static void on_stop(uv_async_t *h)
{
    begin_end(h->data);
}

static void on_signal(uv_signal_t *h, int number)
{
    struct owner *o = h->data;
    sys_log(SYS_LOG_INFO, "owner", "signal", "number=%d", number);
    o->keep_clusters = number == SIGTERM && o->config->settings->local_keep_on_stop;
    begin_end(o);
}

static void on_idle(uv_timer_t *h)
{
    struct owner *o = h->data;
    int64_t now = sys_now_ms();
    if (o->ending) { /* the API may be gone already */
        return;
    }
    if (o->serve || !__atomic_load_n(&o->recovered, __ATOMIC_ACQUIRE) || net_rpc_clients(o->rpc) ||
        api_calls(o->api) || tracker_active(o->tracker)) {
        o->needed_ms = now;
        return;
    }
    int64_t idle = o->config->settings->owner_idle_ms;
    pthread_mutex_lock(&o->lock);
    if (o->targets) {
        idle = SL_MAX(idle, o->config->settings->local_idle_ms);
    }
    pthread_mutex_unlock(&o->lock);
    if (now - o->needed_ms >= idle) {
        sys_log(SYS_LOG_INFO, "owner", "idle", "ms=%lld", (long long)(now - o->needed_ms));
        begin_end(o);
    }
}

/* --- start and end -----------------------------------------------------------------------------------------
 */

/* It never reached a cluster. */
static bool lose(struct owner *o, struct run *r, struct sl_err *err)
{
    snprintf(r->state, sizeof(r->state), "LOST");
    snprintf(r->error_code, sizeof(r->error_code), "%s", sl_code_slug(SL_OWNER));
    snprintf(r->error, sizeof(r->error), "the owner of the data folder ended before the job was made");
    r->sight = RUN_SIGHT_LOST;
    r->ended = true;
    r->ended_ms = sys_wall_ms();
    return ledger_run_put(o->ledger, 0, r, err);
}

/* The jobs of an application whose ids nobody has told: those of its cluster that no run has yet, in order.
 */
static void name_jobs(struct owner *o, struct run *runs, size_t n, struct run *r)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    char(*ids)[33];
    size_t n_ids;
    struct target *t = tracked_target(o, r->target, r->cluster.flink);
    if (!t || !t->ops->list(t, &r->cluster, &a, &ids, &n_ids, &err)) {
        return;
    }
    for (size_t i = 0; i < n_ids && !r->flink_job[0]; i++) {
        bool taken = false;
        for (size_t k = 0; k < n && !taken; k++) {
            taken = strcmp(runs[k].flink_job, ids[i]) == 0;
        }
        if (!taken) {
            memcpy(r->flink_job, ids[i], sizeof(r->flink_job));
        }
    }
}

/* The one job of an application has the id of its run. */
static bool is_only_run(const struct run *runs, size_t n, const struct run *r)
{
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        same += strcmp(runs[i].cluster.id, r->cluster.id) == 0;
    }
    return same == 1;
}

/* Jobs whose rows have nowhere to go. */
static void *cancel_selects(void *arg)
{
    struct owner *o = arg;
    for (size_t i = 0; i < o->selects.n; i++) {
        struct sl_err err = SL_ERR_INIT;
        tracker_note_error(o->tracker, o->selects.v[i], sl_code_slug(SL_OWNER),
                           "the owner of the data folder ended while it ran: its rows had nowhere to go", "",
                           "");
        if (!tracker_cancel(o->tracker, o->selects.v[i], sl_limits.cancel_ms, &err)) {
            sys_log(SYS_LOG_WARN, "owner", "cancel-select", "run=%s error=\"%s\"", o->selects.v[i], err.msg);
        }
    }
    return NULL;
}

/* Submissions of an owner that died go on, or get an answer. */
static bool take_left_open(struct owner *o, struct sl_arena *a, struct sl_err *err)
{
    struct ledger_open *open;
    size_t n;
    if (!ledger_open_list(o->ledger, a, &open, &n, err)) {
        return false;
    }
    const char **keys = sl_new_n(a, const char *, n + 1);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct sub_recovery *r = sub_recovery_new(&o->sub, &open[i]);
        if (r) {
            sl_vec_push(a, &o->recoveries, r);
            keys[kept++] = open[i].key;
        } else if (!ledger_close_lost(o->ledger, open[i].id, err)) {
            return false;
        }
    }
    sub_request_sweep(o->sub.open_dir, keys, kept);
    return true;
}

static bool is_recovered(const struct owner *o, const struct run *r)
{
    for (size_t i = 0; i < o->recoveries.n; i++) {
        if (sub_recovery_has(o->recoveries.v[i], r->id)) {
            return true;
        }
    }
    return false;
}

/* Clusters of runs that have not ended are not swept: something may be under way there. */
static bool sweep_clusters(struct owner *o, struct sl_arena *a, struct sl_err *err)
{
    struct run *runs;
    size_t n;
    if (!ledger_runs(o->ledger, NULL, true, true, 100000, a, &runs, &n, err)) {
        return false;
    }
    const char **spared = sl_new_n(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        spared[i] = runs[i].cluster.id;
    }
    tgt_local_sweep(o->cluster_dir, spared, n);
    return true;
}

/* Runs of an owner that died. Where their cluster lives, they are followed again; a cluster that has ended
 * tells what it archived; a SELECT lived for its reader only and is ended. Oldest first: the order in which
 * an application made its jobs. */
static bool adopt_runs(struct owner *o, struct sl_arena *a, struct sl_err *err)
{
    struct run *runs;
    size_t n;
    if (!take_left_open(o, a, err) || !ledger_runs(o->ledger, NULL, true, true, 100000, a, &runs, &n, err)) {
        return false;
    }
    for (size_t i = n; i-- > 0;) {
        struct run *r = &runs[i];
        if (is_recovered(o, r)) {
            continue;
        }
        if (!r->flink_job[0] && r->cluster.id[0] && r->mode == TGT_SESSION) {
            memcpy(r->flink_job, r->id, sizeof(r->flink_job)); /* the id it was submitted under, if it was */
        } else if (!r->flink_job[0] && r->cluster.id[0]) {
            name_jobs(o, runs, n, r);
            if (!r->flink_job[0] && is_only_run(runs, n, r)) { /* it may still be coming up */
                memcpy(r->flink_job, r->id, sizeof(r->flink_job));
            }
        }
        if (!r->flink_job[0]) {
            if (!lose(o, r, err)) {
                return false;
            }
            continue;
        }
        sys_log(SYS_LOG_INFO, "owner", "adopted", "run=%s cluster=%s", r->id, r->cluster.id);
        tracker_add(o->tracker, 0, r);
        if (!r->job[0]) {
            sl_vec_push(a, &o->selects, r->id);
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool mine = true;
        for (size_t k = 0; k < n && mine; k++) { /* else whoever goes on with it says when it is done */
            mine = strcmp(runs[k].cluster.id, runs[i].cluster.id) != 0 || !is_recovered(o, &runs[k]);
        }
        if (mine && runs[i].flink_job[0] && runs[i].mode == TGT_APPLICATION) {
            tracker_application_done(o->tracker, runs[i].cluster.id);
        }
    }
    if (o->selects.n) {
        SL_BUG_ON(pthread_create(&o->canceller, NULL, cancel_selects, o) != 0);
    }
    return true;
}

static void *recover(void *arg)
{
    struct owner *o = arg;
    replace_recover(&o->sub, &o->recovery_stops);
    __atomic_store_n(&o->recovered, true, __ATOMIC_RELEASE);
    return NULL;
}

static bool listen_http(struct owner *o, struct sl_err *err)
{
    o->serve =
        serve_start(&o->loop, o->config->settings, o->config->no_auth, o->api, o->auth, o->tracker, err);
    if (!o->serve) {
        return false;
    }
    serve_ready(o->serve, true);
    if (o->config->listening) {
        o->config->listening(o->config->ctx, serve_port(o->serve));
    }
    return true;
}

const struct store_migration *const owner_migrations[] = {
    ledger_migrations,  submission_migrations, snapshot_migrations, artifact_migrations,
    restore_migrations, targets_migrations,    auth_migrations,     NULL};

static bool start(struct owner *o, struct sl_arena *a, struct sl_err *err)
{
    const char *data = o->config->data_dir;
    bool held = false;
    if (!sys_mkdirs(data, 0700, err)) {
        return false;
    }
    o->lock_fd = sys_lock(sys_path_join(a, data, "owner.lock"), &held, err);
    if (o->lock_fd < 0) {
        if (held) {
            sl_fail(err, SL_BUSY, "another process owns %s", data);
            return sl_hint(err, "sluice owner status      tells which\nsluice owner stop        ends it");
        }
        return false;
    }
    char who[64];
    int n = snprintf(who, sizeof(who), "%d %lld\n", (int)getpid(), (long long)sys_wall_ms());
    if (ftruncate(o->lock_fd, 0) != 0 || pwrite(o->lock_fd, who, (size_t)n, 0) != n) {
        return sl_fail(err, SL_IO, "cannot write %s/owner.lock", data);
    }
    const struct sys_config *set = o->config->settings;
    sys_log_open(set->log_file.n ? set->log_file.p : sys_path_join(a, data, "owner.log"),
                 (enum sys_log_level)set->log_level, (size_t)set->log_bytes);
    sys_log_set_json(set->log_json);
    o->cluster_dir = sys_path_join(a, data, "clusters");
    o->state_dir = sys_path_join(a, data, "state");
    char *spool = sys_path_join(a, data, "spool");
    if (!sys_mkdirs(o->cluster_dir, 0700, err) || !sys_mkdirs(spool, 0700, err)) {
        return false;
    }
    o->store = store_open(sys_path_join(a, data, "sluice.db"), owner_migrations, err);
    if (!o->store) {
        return false;
    }
    o->auth = auth_open(o->store, err);
    if (!o->auth || (o->config->serve && !o->config->no_auth &&
                     !auth_token_file(o->auth, sys_path_join(a, data, "token"), err))) {
        return false;
    }
    o->ledger = ledger_new(o->store);
    if (!sweep_clusters(o, a, err) || !artifact_sweep(o->ledger, sys_path_join(a, data, "artifacts"), err)) {
        return false;
    }
    struct res_config rc = {.spool_dir = spool,
                            .lost_ms = (uint32_t)set->limit_heartbeat_lost_ms,
                            .cell_bytes = (size_t)set->limit_cell_bytes,
                            .row_bytes = (size_t)set->limit_row_bytes,
                            .memory_bytes = (size_t)set->limit_result_memory_bytes,
                            .spool_bytes = (size_t)set->limit_result_spool_bytes,
                            .spool_total_bytes = (size_t)set->limit_spool_total_bytes,
                            .connections = (unsigned)set->limit_results_connections};
    sl_str host = SL_STR("");
    int64_t port = 0;
    SL_BUG_ON(
        !sys_config_address(set->results_bind, &host, &port)); /* the table of settings has checked it */
    rc.bind_host = sl_arena_strdupz(a, host);
    rc.bind_port = (int)port;
    o->results = res_port_start(&rc, err);
    if (!o->results) {
        return false;
    }
    o->live = live_hub_new();
    o->tracker = tracker_start(o->ledger, tracked_target, o);
    tracker_keep_in(o->tracker, sys_path_join(a, data, "runs"));
    o->sub = (struct sub_env){.results = o->results,
                              .ledger = o->ledger,
                              .tracker = o->tracker,
                              .live = o->live,
                              .artifact_dir = sys_path_join(a, data, "artifacts"),
                              .open_dir = sys_path_join(a, data, "open"),
                              .target = target_of,
                              .target_ctx = o,
                              .results_of = results_of,
                              .results_host = "127.0.0.1"};
    if (!adopt_runs(o, a, err)) {
        return false;
    }
    struct api_env env = {.sub = o->sub,
                          .ledger = o->ledger,
                          .tracker = o->tracker,
                          .store = o->store,
                          .data_dir = data,
                          .build = o->config->build,
                          .warm_ms = SL_MAX(set->owner_idle_ms, set->local_idle_ms),
                          .auth = o->auth,
                          .stop = request_stop,
                          .ctx = o};
    SL_BUG_ON(pthread_create(&o->recoverer, NULL, recover, o) != 0);
    o->recovers = true;
    o->api = api_new(&env);
    api_rpc_init(&o->lines, o->api, send_line, o);
    for (size_t i = 0; i < o->recoveries.n; i++) {
        sub_recovery_start(o->recoveries.v[i]);
    }
    static const struct net_rpc_ops ops = {on_message, on_gone};
    o->rpc = net_rpc_listen(&o->loop, owner_socket_path(a, data), &ops, o, err);
    return o->rpc != NULL && (!o->config->serve || listen_http(o, err));
}

static void drain(struct owner *o)
{
    for (int i = 0; i < 100 && uv_run(&o->loop, UV_RUN_NOWAIT); i++) {
        sys_sleep_ms(1);
    }
}

/* The loop goes on while calls end, so that their answers get out. */
static void *end_calls(void *arg)
{
    struct owner *o = arg;
    api_free(o->api);
    __atomic_store_n(&o->calls_ended, true, __ATOMIC_RELEASE);
    uv_async_send(&o->stop);
    return NULL;
}

/* What was detached ends with the local Flink, and is to be known as canceled, not as lost. */
static void cancel_runs(struct owner *o)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct run *runs;
    size_t n;
    struct sl_err err = SL_ERR_INIT;
    if (!ledger_runs(o->ledger, NULL, true, true, 100000, &a, &runs, &n, &err)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (run_ends_with_owner(&runs[i]) &&
            !tracker_cancel(o->tracker, runs[i].id, sl_limits.stop_cancel_ms, &err)) {
            sys_log(SYS_LOG_WARN, "owner", "cancel", "run=%s error=\"%s\"", runs[i].id, err.msg);
        }
    }
}

static void finish(struct owner *o)
{
    __atomic_store_n(&o->recovery_stops, true, __ATOMIC_RELEASE);
    if (o->rpc && o->api) {
        pthread_t t;
        o->ending = true;
        net_rpc_hurry(o->rpc);
        SL_BUG_ON(pthread_create(&t, NULL, end_calls, o) != 0);
        while (!__atomic_load_n(&o->calls_ended, __ATOMIC_ACQUIRE)) {
            uv_run(&o->loop, UV_RUN_DEFAULT); /* a second signal ends it too early */
        }
        pthread_join(t, NULL);
        drain(o);
    } else if (o->api) {
        api_free(o->api);
    }
    if (o->serve) {
        serve_close(o->serve);
        drain(o);
        serve_free(o->serve);
    }
    if (o->rpc) {
        net_rpc_close(o->rpc);
        drain(o);
        net_rpc_free(o->rpc);
    }
    if (o->canceller) {
        pthread_join(o->canceller, NULL);
    }
    if (o->live) {
        live_hub_stop(o->live);
    }
    if (o->recovers) {
        pthread_join(o->recoverer, NULL);
    }
    for (size_t i = 0; i < o->recoveries.n; i++) {
        sub_recovery_join(o->recoveries.v[i]);
    }
    if (o->tracker) {
        if (o->rpc && !o->keep_clusters) {
            cancel_runs(o);
        }
        tracker_stop(o->tracker);
    }
    for (struct known_target *l = o->targets, *next; l; l = next) {
        next = l->next;
        if (o->rpc && !o->keep_clusters) { /* an owner that could not start leaves what runs, too */
            l->target->ops->stop(l->target);
        }
        l->target->ops->free(l->target);
        free(l);
    }
    if (o->results) {
        res_port_stop(o->results);
    }
    live_hub_free(o->live);
    if (o->ledger) {
        ledger_free(o->ledger);
    }
    if (o->auth) {
        auth_free(o->auth);
    }
    if (o->store) {
        store_close(o->store);
    }
    sys_log_close();
}

bool owner_run(const struct owner_config *c, struct sl_err *err)
{
    struct owner o = {.config = c, .lock_fd = -1, .needed_ms = sys_now_ms()};
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&o.lock, NULL);
    SL_BUG_ON(uv_loop_init(&o.loop) != 0);
    uv_async_init(&o.loop, &o.stop, on_stop);
    uv_timer_init(&o.loop, &o.idle);
    uv_signal_init(&o.loop, &o.on_term);
    uv_signal_init(&o.loop, &o.on_int);
    o.stop.data = o.idle.data = o.on_term.data = o.on_int.data = &o;
    bool ok = start(&o, &a, err);
    if (ok) {
        uv_signal_start(&o.on_term, on_signal, SIGTERM);
        uv_signal_start(&o.on_int, on_signal, SIGINT);
        uv_timer_start(&o.idle, on_idle, 1000, 1000);
        sys_log(SYS_LOG_INFO, "owner", "started", "pid=%d results=%d", (int)getpid(),
                res_port_number(o.results));
        uv_run(&o.loop, UV_RUN_DEFAULT);
        sys_log(SYS_LOG_INFO, "owner", "ending", "pid=%d", (int)getpid());
    }
    finish(&o);
    uv_close((uv_handle_t *)&o.stop, NULL);
    uv_close((uv_handle_t *)&o.idle, NULL);
    uv_close((uv_handle_t *)&o.on_term, NULL);
    uv_close((uv_handle_t *)&o.on_int, NULL);
    while (uv_run(&o.loop, UV_RUN_NOWAIT)) {
    }
    uv_loop_close(&o.loop);
    pthread_mutex_destroy(&o.lock);
    if (o.lock_fd >= 0) {
        close(o.lock_fd);
    }
    return ok;
}
