/* SPDX-License-Identifier: Apache-2.0
 * State that a cancel would lose. Which operators keep state is told by their names on Flink's pages. */
#include "gateway/jobs/loss.h"

#include "gateway/target/flink_rest.h"

#include <stdio.h>

/* By the end of the name: LocalX comes only together with GlobalX; a LookupJoin asks and keeps nothing. */
static const char *const keepers[] = {"Aggregate", "Join",        "Deduplicate",      "Rank",
                                      "Match",     "Normalize",   "SinkMaterializer", "SortLimit",
                                      "Limit",     "TemporalSort"};

static bool keeps(sl_str operator)
{
    if (sl_str_ends(operator, SL_STR("LookupJoin"))) {
        return false;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(keepers); i++) {
        if (sl_str_ends(operator, sl_str_of(keepers[i]))) {
            return true;
        }
    }
    return false;
}

bool loss_stateful_name(sl_str vertex, char ret_what[64])
{
    for (size_t at = 0; at < vertex.n; at++) {
        size_t from = at;
        while (at < vertex.n && ((vertex.p[at] >= 'a' && vertex.p[at] <= 'z') ||
                                 (vertex.p[at] >= 'A' && vertex.p[at] <= 'Z'))) {
            at++;
        }
        bool named = from >= 2 && vertex.p[from - 1] == ' ' && vertex.p[from - 2] == ':'; /* "Source: x" */
        sl_str word = sl_str_sub(vertex, from, at - from);
        if (!named && word.n && at < vertex.n && vertex.p[at] == '[' && keeps(word)) {
            snprintf(ret_what, 64, "%.*s", (int)SL_MIN(word.n, (size_t)63), word.p);
            return true;
        }
    }
    return false;
}

/* A savepoint of this run, or a checkpoint that a cancel leaves. */
static bool is_safe(struct flink_rest *r, struct sl_arena *a, const char *job)
{
    char path[96];
    struct sl_err ignored = SL_ERR_INIT;
    snprintf(path, sizeof(path), "/jobs/%s/checkpoints", job);
    const struct sl_json *c = flink_rest_get(r, path, a, &ignored);
    snprintf(path, sizeof(path), "/jobs/%s/checkpoints/config", job);
    const struct sl_json *config = flink_rest_get(r, path, a, &ignored);
    bool stays = sl_json_bool(sl_json_path(config, "externalization.enabled"), false) &&
                 !sl_json_bool(sl_json_path(config, "externalization.delete_on_cancellation"), true);
    return sl_json_str(sl_json_path(c, "latest.savepoint.external_path"), SL_STR_NONE).n ||
           (stays && sl_json_str(sl_json_path(c, "latest.completed.external_path"), SL_STR_NONE).n);
}

bool loss_of_cancel(const struct sub_env *env, const struct run *r, char ret_what[64])
{
    SL_ARENA_AUTO a = {0};
    char path[64];
    struct tgt_endpoint at;
    struct sl_err ignored = SL_ERR_INIT;
    struct target *t =
        env->target(env->target_ctx, sl_str_of(r->target), sl_str_of(r->cluster.flink), &ignored);
    if (r->ended || !r->flink_job[0] || !t || !t->ops->endpoint(t, &r->cluster, &at, &ignored)) {
        return false;
    }
    struct flink_rest *rest = flink_rest_open(&at, 5000);
    snprintf(path, sizeof(path), "/jobs/%s", r->flink_job);
    const struct sl_json *job = flink_rest_get(rest, path, &a, &ignored);
    bool keeps_some = false;
    if (!sl_str_eqz(sl_json_str(sl_json_get(job, "job-type"), SL_STR_NONE), "BATCH")) {
        SL_JSON_EACH(v, sl_json_get(job, "vertices"))
        {
            keeps_some =
                keeps_some || loss_stateful_name(sl_json_str(sl_json_get(v, "name"), SL_STR_NONE), ret_what);
        }
    }
    bool lost = keeps_some && !is_safe(rest, &a, r->flink_job);
    flink_rest_free(rest);
    return lost;
}
