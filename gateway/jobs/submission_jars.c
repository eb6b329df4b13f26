/* SPDX-License-Identifier: Apache-2.0
 * The jars of a submission: found, told apart by what is in them, kept for a version that is run again. */
#include "gateway/jobs/submission_internal.h"

#include "gateway/jobs/upload.h"
#include "sys/file.h"

/* An artifact by its digest; NULL: there is none. */
static const char *brought(struct sub *s, sl_str digest, struct sl_err *err)
{
    const char *path = artifact_is_digest(digest) && s->env->artifact_dir
                           ? artifact_path(s->env->artifact_dir, digest, s->arena)
                           : NULL;
    if (!path || !sys_exists(path)) {
        artifact_unknown(digest, err);
        return NULL;
    }
    return path;
}

bool sub_jars_gather(struct sub *s)
{
    size_t n = 0;
    size_t all =
        s->rq->n_kept_jars ? s->rq->n_kept_jars : s->rq->n_jars + s->rq->n_artifacts + s->plan.n_jars;
    s->jars = sl_new_n(s->arena, const char *, all + 1);
    s->jar_digests = sl_new_n(s->arena, const char *, all + 1);
    s->sent_jars = s->jars;
    for (size_t i = 0; i < all; i++) {
        size_t first_added = s->rq->n_jars + s->rq->n_artifacts;
        bool added = !s->rq->n_kept_jars && i >= first_added;
        if (!s->rq->n_kept_jars && !added && i >= s->rq->n_jars) {
            struct sl_err err = SL_ERR_INIT;
            sl_str digest = s->rq->artifacts[i - s->rq->n_jars];
            s->jars[n] = brought(s, digest, &err);
            if (!s->jars[n]) {
                sub_fail(s, &err);
                return false;
            }
            s->jar_digests[n++] = sl_arena_strdupz(s->arena, digest);
            continue;
        }
        sl_str jar = s->rq->n_kept_jars ? s->rq->kept_jars[i]
                     : added            ? s->plan.jars[i - first_added]
                                        : s->rq->jars[i];
        if (sl_str_starts(jar, SL_STR("file:"))) {
            jar = sl_str_sub(jar, 5, jar.n - 5);
            while (jar.n > 1 && jar.p[0] == '/' && jar.p[1] == '/') {
                jar = sl_str_sub(jar, 1, jar.n - 1);
            }
        }
        char *path = sl_arena_strdupz(s->arena, jar);
        if (!sys_exists(path)) {
            struct sl_err err = SL_ERR_INIT;
            sl_fail(&err, SL_FILE_NOT_FOUND, "there is no jar %s", path);
            sl_hint(&err, added ? "ADD JAR takes the path of a file on this machine"
                                : "--jar takes the path of a file");
            sub_fail(s, &err);
            return false;
        }
        char *digest = sl_arena_alloc(s->arena, 65);
        struct sl_err unread = SL_ERR_INIT;
        if (!artifact_digest(path, digest, &unread)) {
            sub_fail(s, &unread);
            return false;
        }
        s->jar_digests[n] = digest;
        s->jars[n++] = path;
    }
    return true;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool sub_jars_keep(struct sub *s)
{
    struct sl_err err = SL_ERR_INIT;
    size_t n = 0;
    if (!s->jars[0] || s->plan.jobs == s->plan.selects || !s->env->artifact_dir) {
        return true;
    }
    while (s->jars[n]) {
        n++;
    }
    struct artifact *v = sl_new_n(s->arena, struct artifact, n);
    const char **kept = sl_new_n(s->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!artifact_keep(s->env->artifact_dir, s->jars[i], s->jar_digests[i], s->arena, &kept[i], &err)) {
            sub_fail(s, &err);
            return false;
        }
        v[i] = (struct artifact){s->jar_digests[i], file_name(s->jars[i]), sys_file_size(kept[i])};
    }
    if (!artifact_note(s->env->ledger, sl_arena_strdupz(s->arena, s->rq->name), s->opened.version,
                       sl_arena_strdupz(s->arena, s->rq->owner), v, n, &err)) {
        sub_fail(s, &err);
        return false;
    }
    for (size_t i = 0; i < n; i++) { /* noted, none is removed any more; one may have been just before */
        if (!sys_exists(kept[i])) {
            artifact_unknown(sl_str_of(s->jar_digests[i]), &err);
            sub_fail(s, &err);
            return false;
        }
    }
    s->sent_jars = kept;
    return true;
}
