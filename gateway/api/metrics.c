/* SPDX-License-Identifier: Apache-2.0
 * Gathers figures and writes them: a family of each name with its help and type in front, one line a value. */
#include "gateway/api/metrics.h"

#include "gateway/session/session.h"
#include "sys/log.h"

#define STATES 24

static void family(struct sl_buf *b, const char *name, const char *type, const char *help)
{
    sl_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(struct sl_buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    family(b, name, type, help);
    sl_buf_printf(b, "%s %llu\n", name, (unsigned long long)value);
}

static void put_lane(void *ctx, const char *name, size_t depth)
{
    sl_buf_printf(ctx, "sluice_lane_depth{lane=\"%s\"} %zu\n", name, depth);
}

/* --- runs ---------------------------------------------------------------------------------------------------------- */

struct runs {
    struct {
        char name[24];
        unsigned n;
    } states[STATES]; /* as they are met; there are fewer words than places */
    size_t n_states;
    unsigned health[STATE_DOWN + 1];
};

static void count_run(void *ctx, const struct run *r)
{
    struct runs *x = ctx;
    const char *state = run_shown_state(r);
    size_t at = 0;
    while (at < x->n_states && strcmp(x->states[at].name, state) != 0) {
        at++;
    }
    if (at == x->n_states && at < STATES) {
        memcpy(x->states[at].name, state, SL_MIN(strlen(state), sizeof(x->states[at].name) - 1));
        x->n_states++;
    }
    if (at < STATES) {
        x->states[at].n++;
    }
    x->health[r->vitals.health]++;
}

static void put_runs(struct sl_buf *b, struct tracker *t)
{
    struct runs x = {0};
    tracker_each(t, count_run, &x);
    put_one(b, "sluice_runs_active", "gauge", "runs that have not ended", tracker_active(t));
    family(b, "sluice_runs", "gauge", "runs that have not ended, by the state that is shown");
    for (size_t i = 0; i < x.n_states; i++) {
        sl_buf_printf(b, "sluice_runs{state=\"%s\"} %u\n", x.states[i].name, x.states[i].n);
    }
    family(b, "sluice_runs_health", "gauge", "runs that have not ended, by their health");
    for (size_t i = 0; i < SL_ARRAY_LEN(x.health); i++) {
        sl_buf_printf(b, "sluice_runs_health{health=\"%s\"} %u\n", state_level_names[i], x.health[i]);
    }
}

/* --- the store ----------------------------------------------------------------------------------------------------- */

static void put_commits(struct sl_buf *b, const struct store_figures *f)
{
    uint64_t n = 0;
    family(b, "sluice_store_commit_seconds", "histogram",
           "how long a group of writes takes until it is durable");
    for (size_t i = 0; i < STORE_COMMIT_CLASSES; i++) {
        n += f->commits[i];
        if (store_commit_ms[i] == INT64_MAX) {
            sl_buf_putz(b, "sluice_store_commit_seconds_bucket{le=\"+Inf\"}");
        } else {
            sl_buf_printf(b, "sluice_store_commit_seconds_bucket{le=\"%g\"}",
                          (double)store_commit_ms[i] / 1000);
        }
        sl_buf_printf(b, " %llu\n", (unsigned long long)n);
    }
    sl_buf_printf(b, "sluice_store_commit_seconds_sum %.6f\nsluice_store_commit_seconds_count %llu\n",
                  (double)f->commit_us / 1e6, (unsigned long long)n);
}

void metrics_put(struct sl_buf *b, const struct metrics_server *s, struct api *a)
{
    const struct api_env *env = api_env_of(a);
    struct store_figures store;
    struct ses_figures sessions;
    struct res_figures results;
    store_figures(env->store, &store);
    ses_host_figures(env->sessions, &sessions);
    res_port_figures(env->sub.results, &results);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } lines[] = {
        {"sluice_connections", "gauge", "connections to the server", s->front.connections},
        {"sluice_websockets", "gauge", "WebSockets", s->front.sockets},
        {"sluice_requests_open", "gauge", "requests that are not answered yet", s->front.requests},
        {"sluice_requests_total", "counter", "requests", s->front.requests_total},
        {"sluice_requests_refused_total", "counter", "requests without a good token, Host or Origin",
         s->refused},
        {"sluice_requests_limited_total", "counter", "requests of users who had made enough of them",
         s->limited},
        {"sluice_sent_bytes_total", "counter", "bytes of answers", s->front.bytes_out},
        {"sluice_calls", "gauge", "calls waiting or under way", api_calls(a)},
        {"sluice_sessions", "gauge", "sessions", sessions.sessions},
        {"sluice_session_operations", "gauge", "operations of sessions whose answers are kept or to come",
         sessions.operations},
        {"sluice_session_statements", "gauge", "statements of sessions under way", sessions.working},
        {"sluice_results", "gauge", "results with rows to give", results.results},
        {"sluice_spool_bytes", "gauge", "rows of results on disk", results.spool_bytes},
        {"sluice_sinks_waiting", "gauge", "sinks in Flink that wait for room for their rows", results.paused},
        {"sluice_loop_lag_milliseconds", "gauge", "how late the loop's last tick was", (uint64_t)s->lag_ms},
        {"sluice_loop_slow_turns_total", "counter", "turns of the loop of more than 5 ms", s->slow_turns},
        {"sluice_log_dropped_total", "counter", "log lines dropped", sys_log_dropped()},
    };
    for (size_t i = 0; i < SL_ARRAY_LEN(lines); i++) {
        put_one(b, lines[i].name, lines[i].type, lines[i].help, lines[i].value);
    }
    put_runs(b, env->tracker);
    family(b, "sluice_lane_depth", "gauge", "what waits for a thread");
    api_each_lane(a, put_lane, b);
    put_lane(b, "db", store.waiting);
    put_commits(b, &store);
}
