/* SPDX-License-Identifier: Apache-2.0
 * Flink's JSON to what a look tells. Counters of a vertex see only what crosses vertices; where a source or a
 * sink is chained, the metrics of its operators are read instead, as long as they live. */
#include "gateway/target/flink_look_json.h"

#include "base/buf.h"
#include "base/vec.h"

#include <stdio.h>

#define QUERY_BYTES 900 /* of a `get=`: longer addresses are refused by some proxies */

static void copy(char *out, size_t cap, const struct sl_json *v)
{
    snprintf(out, cap, "%.*s", SL_S(sl_json_str(v, SL_STR_NONE)));
}

/* What stays when a JobManager is started again at its place, and differs from that of another Flink. */
static bool is_of_site(sl_str key)
{
    static const char *const keys[] = {
        "jobmanager.rpc.address",       "jobmanager.rpc.port",   "rest.address",        "rest.port",
        "high-availability.cluster-id", "kubernetes.cluster-id", "kubernetes.namespace"};
    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        if (sl_str_eqz(key, keys[i])) {
            return true;
        }
    }
    return false;
}

bool look_who_of_json(const struct sl_json *doc, struct flink_look_who *ret)
{
    memset(ret, 0, sizeof *ret);
    if (!sl_json_is(doc, SL_JSON_ARRAY)) {
        return false;
    }
    SL_JSON_EACH(e, doc)
    {
        sl_str key = sl_json_str(sl_json_get(e, "key"), SL_STR_NONE);
        if (sl_str_eqz(key, "sluice.cluster.id")) {
            copy(ret->cluster_id, sizeof ret->cluster_id, sl_json_get(e, "value"));
        } else if (sl_str_eqz(key, "web.tmpdir")) {
            copy(ret->life, sizeof ret->life, sl_json_get(e, "value"));
        } else if (is_of_site(key)) { /* in any order */
            ret->site +=
                sl_str_hash(key) ^ (3 * sl_str_hash(sl_json_str(sl_json_get(e, "value"), SL_STR_NONE)));
        }
    }
    return true;
}

bool look_states_of_json(const struct sl_json *doc, struct sl_arena *a, struct look_states *ret)
{
    const struct sl_json *jobs = sl_json_get(doc, "jobs");
    *ret = (struct look_states){0};
    if (!sl_json_is(jobs, SL_JSON_ARRAY)) {
        return false;
    }
    ret->v = sl_new_n(a, struct look_state, jobs->n + 1);
    SL_JSON_EACH(j, jobs)
    {
        struct look_state *s = &ret->v[ret->n++];
        const struct sl_json *tasks = sl_json_get(j, "tasks");
        copy(s->id, sizeof s->id, sl_json_get(j, "jid"));
        copy(s->state, sizeof s->state, sl_json_get(j, "state"));
        s->tasks = (int)sl_json_i64(sl_json_get(tasks, "total"), 0);
        s->running = (int)sl_json_i64(sl_json_get(tasks, "running"), 0);
        s->finished = (int)sl_json_i64(sl_json_get(tasks, "finished"), 0);
    }
    return true;
}

const struct look_state *look_states_find(const struct look_states *s, const char *id)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->v[i].id, id) == 0) {
            return &s->v[i];
        }
    }
    return NULL;
}

void look_apply_state(const struct look_state *now, struct tgt_job_status *ret)
{
    memcpy(ret->state, now->state, sizeof ret->state);
    ret->terminal = flink_state_is_terminal(ret->state);
    if (now->tasks > 0) {
        ret->tasks = now->tasks;
        ret->tasks_running = now->running;
        ret->tasks_finished = now->finished;
    }
}

void look_job_of_json(const struct sl_json *doc, struct sl_arena *a, struct tgt_job_status *ret,
                      struct look_vertex **ret_v, size_t *ret_n)
{
    const struct sl_json *vertices = sl_json_get(doc, "vertices");
    flink_job_of_json(doc, NULL, ret);
    *ret_n = 0;
    *ret_v = sl_new_n(a, struct look_vertex, (vertices ? vertices->n : 0) + 1);
    SL_JSON_EACH(e, vertices)
    {
        struct look_vertex *v = &(*ret_v)[(*ret_n)++];
        const struct sl_json *m = sl_json_get(e, "metrics");
        sl_str id = sl_json_str(sl_json_get(e, "id"), SL_STR_NONE);
        copy(v->id, sizeof v->id, sl_json_get(e, "id"));
        v->read = (uint64_t)SL_MAX(sl_json_i64(sl_json_get(m, "read-records"), 0), INT64_C(0));
        v->written = (uint64_t)SL_MAX(sl_json_i64(sl_json_get(m, "write-records"), 0), INT64_C(0));
        v->held_ms = sl_json_i64(sl_json_get(m, "accumulated-backpressured-time"), -1);
        v->parallelism = (int)sl_json_i64(sl_json_get(e, "parallelism"), 1);
        v->roles = (flink_vertex_has_inputs(doc, id) ? 0U : LOOK_SOURCE) |
                   (flink_vertex_feeds(doc, id) ? 0U : LOOK_SINK);
        v->asks = (v->roles & LOOK_SOURCE) | (flink_vertex_is_chain(e) ? v->roles & LOOK_SINK : 0U);
    }
}

struct flink_held *look_held(const struct look_vertex *v, size_t n, struct sl_arena *a, size_t *ret_n)
{
    struct flink_held *held = sl_new_n(a, struct flink_held, n + 1);
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].held_ms >= 0) {
            held[(*ret_n)++] = (struct flink_held){sl_str_hash(sl_str_of(v[i].id)), v[i].held_ms,
                                                   SL_MAX(v[i].parallelism, 1)};
        }
    }
    return held;
}

size_t look_checkpoints_of_json(const struct sl_json *doc, struct sl_arena *a, struct flink_checkpoint **ret)
{
    const struct sl_json *history = sl_json_get(doc, "history");
    size_t n = sl_json_is(history, SL_JSON_ARRAY) ? history->n : 0, at = n;
    *ret = sl_new_n(a, struct flink_checkpoint, n + 1);
    if (n == 0) {
        return 0;
    }
    SL_JSON_EACH(e, history)
    {
        struct flink_checkpoint *c = &(*ret)[--at]; /* Flink's are newest first */
        c->id = sl_json_i64(sl_json_get(e, "id"), 0);
        c->savepoint = sl_json_bool(sl_json_get(e, "is_savepoint"), false);
        c->discarded = sl_json_bool(sl_json_get(e, "discarded"), false);
        copy(c->status, sizeof c->status, sl_json_get(e, "status"));
        c->trigger_ms = sl_json_i64(sl_json_get(e, "trigger_timestamp"), 0);
        c->duration_ms = sl_json_i64(sl_json_get(e, "end_to_end_duration"), 0);
        c->bytes = sl_json_i64(sl_json_get(e, "state_size"), 0);
        c->path = sl_str_dup(a, sl_json_str(sl_json_get(e, "external_path"), SL_STR("")));
        c->failure = sl_str_dup(a, sl_json_str(sl_json_get(e, "failure_message"), SL_STR("")));
    }
    return n;
}

int64_t look_interval_of_json(const struct sl_json *doc)
{
    int64_t ms = sl_json_i64(sl_json_get(doc, "interval"), 0);
    return ms > 0 && ms < INT64_MAX / 1000 ? ms : 0; /* Flink says "never" with its largest number */
}

int look_restarts_of_json(const struct sl_json *doc)
{
    int64_t n;
    sl_str value = sl_json_str(sl_json_get(sl_json_at(doc, 0), "value"), SL_STR_NONE);
    return sl_str_to_i64(value, &n) && n > 0 && n < INT32_MAX ? (int)n : 0;
}

void look_watermark_of_json(const struct sl_json *doc, struct tgt_job_status *ret)
{
    int64_t lowest = 0;
    if (!sl_json_is(doc, SL_JSON_ARRAY)) {
        return;
    }
    SL_JSON_EACH(e, doc)
    {
        int64_t ms;
        if (!sl_str_to_i64(sl_json_str(sl_json_get(e, "value"), SL_STR_NONE), &ms) || ms <= 0) {
            return; /* a task that has seen none yet */
        }
        if (ms < INT64_MAX / 2) { /* the largest is said at the end of the input */
            lowest = lowest ? SL_MIN(lowest, ms) : ms;
        }
    }
    if (lowest) {
        ret->watermark_ms = ret->watermark_ms ? SL_MIN(ret->watermark_ms, lowest) : lowest;
    }
}

/* ---- metrics of operators ---- */

enum { SOURCE_OUT, SINK_IN, WRITER_IN, PENDING, KAFKA_LAG, N_WHAT };
static const struct pick {
    unsigned ask;
    const char *starts, *ends;
} picks[N_WHAT] = {
    [SOURCE_OUT] = {LOOK_SOURCE, "Source__", ".numRecordsOut"},
    [SINK_IN] = {LOOK_SINK, "Sink__", ".numRecordsIn"},
    [WRITER_IN] = {LOOK_SINK, "", "__Writer.numRecordsIn"},
    [PENDING] = {LOOK_SOURCE, "", ".pendingRecords"},
    [KAFKA_LAG] = {LOOK_SOURCE, "", ".records-lag-max"},
};

static int what_of(sl_str id, unsigned asks)
{
    for (int i = 0; i < N_WHAT; i++) {
        if ((picks[i].ask & asks) && sl_str_starts(id, sl_str_of(picks[i].starts)) &&
            sl_str_ends(id, sl_str_of(picks[i].ends))) {
            return i;
        }
    }
    return -1;
}

static void put_escaped(struct sl_buf *b, sl_str id)
{
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '.' || c == '-';
        if (plain) {
            sl_buf_putc(b, (char)c);
        } else {
            sl_buf_printf(b, "%%%02X", c);
        }
    }
}

const char *look_pick_metrics(const struct sl_json *doc, unsigned asks, struct sl_arena *a,
                              struct look_metric **ret, size_t *ret_n)
{
    SL_VEC(struct look_metric) v = {0};
    SL_BUF_AUTO q;
    sl_buf_init(&q, 0);
    if (sl_json_is(doc, SL_JSON_ARRAY)) {
        SL_JSON_EACH(e, doc)
        {
            sl_str id = sl_json_str(sl_json_get(e, "id"), SL_STR_NONE);
            int what = what_of(id, asks);
            if (what >= 0 && q.n + id.n * 3 < QUERY_BYTES) {
                sl_buf_putz(&q, v.n ? "," : "");
                put_escaped(&q, id);
                sl_vec_push(a, &v, ((struct look_metric){sl_str_dup(a, id), what}));
            }
        }
    }
    *ret = v.v;
    *ret_n = v.n;
    return v.n ? sl_arena_strdupz(a, sl_buf_str(&q)) : NULL;
}

void look_metrics_of_json(const struct sl_json *doc, const struct look_vertex *v, const struct look_metric *m,
                          size_t n, struct tgt_job_status *ret)
{
    double sum[N_WHAT] = {0};
    bool told[N_WHAT] = {0};
    if (!sl_json_is(doc, SL_JSON_ARRAY)) {
        return;
    }
    SL_JSON_EACH(e, doc)
    {
        sl_str id = sl_json_str(sl_json_get(e, "id"), SL_STR_NONE);
        for (size_t i = 0; i < n; i++) {
            if (sl_str_eq(id, m[i].id)) {
                const char *key = m[i].what == KAFKA_LAG ? "max" : "sum";
                double value = sl_json_f64(sl_json_get(e, key), 0);
                sum[m[i].what] += value > 0 ? value : 0;
                told[m[i].what] = true;
            }
        }
    }
    if ((v->roles & LOOK_SOURCE) && v->read == 0 && sum[SOURCE_OUT] > (double)v->written) {
        ret->records_in += (uint64_t)sum[SOURCE_OUT] - v->written;
    }
    double out = sum[SINK_IN] > 0 ? sum[SINK_IN] : sum[WRITER_IN];
    if ((v->asks & LOOK_SINK) && out > 0) {
        ret->records_out = ret->records_out - v->read + (uint64_t)out;
    }
    if (told[PENDING] || told[KAFKA_LAG]) {
        ret->lag_told = true;
        ret->lag += (int64_t)(told[PENDING] ? sum[PENDING] : sum[KAFKA_LAG]);
    }
}
