/* SPDX-License-Identifier: Apache-2.0
 * Puts the owner together, runs its loop, takes it apart in the reverse order. */
#include "gateway/api/owner.h"

#include "base/limits.h"
#include "gateway/api/api.h"
#include "gateway/api/operate.h"
#include "gateway/api/owner_recovery.h"
#include "gateway/api/owner_targets.h"
#include "gateway/api/prepare.h"
#include "gateway/api/rpc.h"
#include "gateway/api/serve.h"
#include "gateway/front/rpc.h"
#include "gateway/jobs/artifact.h"
#include "gateway/jobs/replace.h"
#include "gateway/jobs/snapshot.h"
#include "gateway/session/session.h"
#include "gateway/target/targets.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/file.h"
#include "sys/log.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE_BLOCK_BYTES (128 << 10) /* given back to the system when it is freed */

struct owner {
    const struct owner_config *config;
    uv_loop_t loop;
    uv_timer_t idle;
    uv_async_t stop;
    uv_signal_t on_term, on_int;
    uv_timer_t draining; /* between SIGTERM and the end, while calls end by themselves */
    int64_t drain_until_ms;
    struct operate *operate;
    int lock_fd;
    struct store *store;
    struct ledger *ledger;
    struct res_port *results;
    struct tracker *tracker;
    struct live_hub *live;
    struct sub_env sub; /* lent to submissions */
    struct ses_host *sessions;
    struct api *api;
    struct auth *auth;
    struct auth_rules *rules;
    struct net_rpc *rpc;
    struct api_rpc lines;
    struct serve *serve; /* NULL: not a server */
    struct owner_targets *targets;
    struct owner_recovery *recovery;
    struct prepare *prepare; /* NULL: nothing is prepared */
    char *cluster_dir;
    char *state_dir;
    int64_t needed_ms;  /* monotonic: last time somebody was here */
    bool ending;        /* loop thread: the API takes nothing any more */
    bool keep_clusters; /* told to end, but to leave what runs to the next owner */
    bool calls_ended;   /* atomic */
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

/* --- the loop ----------------------------------------------------------------------------------------------
 */

static void on_message(void *ctx, uint64_t client, sl_str line)
{
    struct owner *o = ctx;
    o->needed_ms = sys_now_ms();
    if (!o->ending) { /* else it hears the connection close, and tries the next owner */
        api_rpc_message(&o->lines, client, AUTH_ADMIN, SL_STR_NONE, line, NULL);
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
    if (!o->ending) { /* else they may be gone already */
        o->ending = true;
        net_rpc_stop_listening(o->rpc);
        if (o->serve) {
            serve_drain(o->serve);
        }
    }
    uv_stop(&o->loop);
}

static void on_stop(uv_async_t *h)
{
    begin_end(h->data);
}

static void on_draining(uv_timer_t *h)
{
    struct owner *o = h->data;
    if (!o->ending && (api_calls(o->api) == 0 || sys_now_ms() >= o->drain_until_ms)) {
        begin_end(o);
    }
    if (o->ending) {
        uv_timer_stop(h);
    }
}

static void on_signal(uv_signal_t *h, int number)
{
    struct owner *o = h->data;
    sys_log(SYS_LOG_INFO, "owner", "signal", "number=%d", number);
    o->keep_clusters = number == SIGTERM && o->config->settings->local_keep_on_stop;
    operate_notify("STOPPING=1");
    if (number == SIGTERM && o->serve && !o->ending && !o->drain_until_ms && api_calls(o->api)) {
        o->drain_until_ms = sys_now_ms() + sl_limits.drain_ms;
        serve_refuse(o->serve);
        uv_timer_start(&o->draining, on_draining, 20, 20);
        return;
    }
    begin_end(o); /* also by a second signal, which does not wait */
}

static void on_idle(uv_timer_t *h)
{
    struct owner *o = h->data;
    int64_t now = sys_now_ms();
    if (o->ending) { /* the API may be gone already */
        return;
    }
    if (o->serve || !owner_recovery_done(o->recovery) || net_rpc_clients(o->rpc) || api_calls(o->api) ||
        tracker_active(o->tracker)) {
        o->needed_ms = now;
        return;
    }
    int64_t idle = o->config->settings->owner_idle_ms;
    if (owner_targets_any(o->targets)) {
        idle = SL_MAX(idle, o->config->settings->local_idle_ms);
    }
    if (now - o->needed_ms >= idle) {
        sys_log(SYS_LOG_INFO, "owner", "idle", "ms=%lld", (long long)(now - o->needed_ms));
        begin_end(o);
    }
}

/* --- start and end -----------------------------------------------------------------------------------------
 */

static void say_ready(void *ctx, const char *why_not)
{
    serve_ready(((struct owner *)ctx)->serve, why_not);
}

static bool listen_http(struct owner *o, struct sl_err *err)
{
    o->serve =
        serve_start(&o->loop, o->config->settings, o->config->no_auth, o->api, o->auth, o->tracker, err);
    if (!o->serve) {
        return false;
    }
    if (o->config->settings->prepare) {
        o->prepare = prepare_start(&(struct prepare_env){.target = owner_targets_get,
                                                         .target_ctx = o->targets,
                                                         .flink = o->config->settings->flink,
                                                         .say = say_ready,
                                                         .ctx = o});
    } else {
        serve_ready(o->serve, NULL);
    }
    if (o->config->listening) {
        o->config->listening(o->config->ctx, serve_port(o->serve));
    }
    return true;
}

const struct store_migration *const owner_migrations[] = {
    ledger_migrations,   submission_migrations, snapshot_migrations,
    artifact_migrations, restore_migrations,    targets_migrations,
    auth_migrations,     session_migrations,    NULL};

/* How Flink on this machine calls the host that the results port listens on. */
static const char *results_host(struct sl_arena *a, const char *bind)
{
    if (strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "localhost") == 0) {
        return "127.0.0.1";
    }
    if (strcmp(bind, "::") == 0) {
        return "[::1]";
    }
    return strchr(bind, ':') ? sl_arena_printf(a, "[%s]", bind).p : bind;
}

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
    sys_crash_watch(data, o->config->build);
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
    o->rules = auth_rules_new();
    if (!auth_rules_set(o->rules, o->config->settings->rules, err)) {
        return false;
    }
    o->auth = auth_open(o->store, err);
    if (!o->auth || (o->config->serve && !o->config->no_auth &&
                     !auth_token_file(o->auth, sys_path_join(a, data, "token"), err))) {
        return false;
    }
    o->ledger = ledger_new(o->store);
    if (!owner_recovery_sweep(o->ledger, o->cluster_dir, a, err) ||
        !artifact_sweep(o->ledger, sys_path_join(a, data, "artifacts"), err)) {
        return false;
    }
    struct res_config rc = {.spool_dir = spool,
                            .lost_ms = (uint32_t)set->limit_heartbeat_lost_ms,
                            .cell_bytes = (size_t)set->limit_cell_bytes,
                            .row_bytes = (size_t)set->limit_row_bytes,
                            .memory_bytes = (size_t)set->limit_result_memory_bytes,
                            .spool_bytes = (size_t)set->limit_result_spool_bytes,
                            .spool_total_bytes = (size_t)set->limit_spool_total_bytes,
                            .connections = (unsigned)set->limit_results_connections,
                            .no_tls = !set->results_tls};
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
    struct owner_targets_config tc = {.store = o->store,
                                      .data_dir = data,
                                      .cluster_dir = o->cluster_dir,
                                      .state_dir = o->state_dir,
                                      .flink_dir = o->config->flink_dir,
                                      .self = o->config->self,
                                      .local_slots = (int)set->local_slots};
    o->targets = owner_targets_new(&tc);
    o->tracker = tracker_start(o->ledger, owner_targets_tracked, o->targets);
    tracker_keep_in(o->tracker, sys_path_join(a, data, "runs"));
    o->sub = (struct sub_env){.results = o->results,
                              .ledger = o->ledger,
                              .tracker = o->tracker,
                              .live = o->live,
                              .artifact_dir = sys_path_join(a, data, "artifacts"),
                              .open_dir = sys_path_join(a, data, "open"),
                              .target = owner_targets_get,
                              .target_ctx = o->targets,
                              .results_of = owner_targets_results,
                              .results_host = results_host(a, rc.bind_host),
                              .rules = o->rules};
    o->recovery = owner_recovery_new(&o->sub, a);
    if (!owner_recovery_adopt(o->recovery, a, err)) {
        return false;
    }
    const struct ses_env sessions = {.sub = o->sub, .store = o->store, .flink = set->flink};
    o->sessions = ses_host_new(&sessions, err);
    if (!o->sessions) {
        return false;
    }
    struct api_env env = {.sub = o->sub,
                          .sessions = o->sessions,
                          .dialects = o->config->dialects,
                          .ledger = o->ledger,
                          .tracker = o->tracker,
                          .store = o->store,
                          .data_dir = data,
                          .build = o->config->build,
                          .warm_ms = SL_MAX(set->owner_idle_ms, set->local_idle_ms),
                          .flink = set->flink,
                          .flink_protocol = set->flink_protocol,
                          .auth = o->auth,
                          .stop = request_stop,
                          .ctx = o};
    o->api = api_new(&env);
    api_rpc_init(&o->lines, o->api, send_line, o);
    owner_recovery_start(o->recovery);
    static const struct net_rpc_ops ops = {on_message, on_gone};
    uv_signal_start(&o->on_term, on_signal, SIGTERM); /* who knows that we listen may end us */
    uv_signal_start(&o->on_int, on_signal, SIGINT);
    o->rpc = net_rpc_listen(&o->loop, owner_socket_path(a, data), &ops, o, err);
    if (!o->rpc || (o->config->serve && !listen_http(o, err))) {
        return false;
    }
    bool tokens = o->config->serve && !o->config->no_auth;
    o->operate =
        operate_start(&(struct operate_env){.loop = &o->loop,
                                            .settings = set,
                                            .api = o->api,
                                            .auth = o->auth,
                                            .rules = o->rules,
                                            .tracker = o->tracker,
                                            .serve = o->serve,
                                            .token_file = tokens ? sys_path_join(a, data, "token") : NULL});
    operate_notify("READY=1");
    return true;
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
    if (o->prepare) {
        prepare_stop(o->prepare);
    }
    if (o->recovery) {
        owner_recovery_stop(o->recovery);
    }
    if (o->operate) {
        operate_close(o->operate);
        while (!operate_closed(o->operate)) {
            uv_run(&o->loop, UV_RUN_ONCE);
        }
        operate_free(o->operate);
    }
    if (o->sessions) {
        ses_host_stop(o->sessions);
    }
    if (o->rpc && o->api) {
        pthread_t t;
        o->ending = true;
        net_rpc_hurry(o->rpc);
        api_rpc_hurry(&o->lines);
        SL_OOM_ON(pthread_create(&t, NULL, end_calls, o) != 0);
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
    api_rpc_release(&o->lines);
    if (o->rpc) {
        net_rpc_close(o->rpc);
        drain(o);
        net_rpc_free(o->rpc);
    }
    if (o->sessions) {
        ses_host_free(o->sessions);
    }
    if (o->live) {
        live_hub_stop(o->live);
    }
    if (o->recovery) {
        owner_recovery_join(o->recovery);
    }
    if (o->tracker) {
        if (o->rpc && !o->keep_clusters) {
            cancel_runs(o);
        }
        tracker_stop(o->tracker);
    }
    /* An owner that could not start leaves what runs, too. */
    owner_targets_free(o->targets, o->rpc && !o->keep_clusters);
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
    auth_rules_free(o->rules);
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
    /* Left to itself malloc keeps large blocks after the first one was freed: what one large request took would stay. */
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, LARGE_BLOCK_BYTES);
    signal(SIGPIPE, SIG_IGN);
    SL_BUG_ON(uv_loop_init(&o.loop) != 0);
    uv_async_init(&o.loop, &o.stop, on_stop);
    uv_timer_init(&o.loop, &o.idle);
    uv_timer_init(&o.loop, &o.draining);
    uv_signal_init(&o.loop, &o.on_term);
    uv_signal_init(&o.loop, &o.on_int);
    o.stop.data = o.idle.data = o.draining.data = o.on_term.data = o.on_int.data = &o;
    bool ok = start(&o, &a, err);
    if (ok) {
        uv_timer_start(&o.idle, on_idle, 1000, 1000);
        sys_log(SYS_LOG_INFO, "owner", "started", "pid=%d results=%d", (int)getpid(),
                res_port_number(o.results));
        uv_run(&o.loop, UV_RUN_DEFAULT);
        sys_log(SYS_LOG_INFO, "owner", "ending", "pid=%d", (int)getpid());
    }
    o.ending = true; /* for signals that come yet, or came to one that could not start */
    finish(&o);
    uv_close((uv_handle_t *)&o.stop, NULL);
    uv_close((uv_handle_t *)&o.idle, NULL);
    uv_close((uv_handle_t *)&o.draining, NULL);
    uv_close((uv_handle_t *)&o.on_term, NULL);
    uv_close((uv_handle_t *)&o.on_int, NULL);
    while (uv_run(&o.loop, UV_RUN_NOWAIT)) {
    }
    uv_loop_close(&o.loop);
    if (o.lock_fd >= 0) {
        close(o.lock_fd);
    }
    return ok;
}
