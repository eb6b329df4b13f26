/* SPDX-License-Identifier: Apache-2.0
 * A part file beside the others, renamed when it is whole. Renaming and removing happen inside the write transaction that notes
 * it: there is one writer, so a row and its file come and go together for everybody. What a crash leaves half has no row, and is
 * swept at the owner's start (artifact_sweep). */
#include "gateway/jobs/upload.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NAME_BYTES 255
#define MAGIC      "PK" /* of zip files, and so of jars */

struct upload {
    struct ledger *ledger;
    const char *dir, *name;
    char *part; /* NULL: renamed */
    int fd;
    struct sl_sha256 hash;
    bool hashed;         /* its digest was taken, which frees it */
    int64_t bytes, kept; /* of this one; of those that were kept when it began */
};

static int64_t coming; /* atomic: bytes of those under way */

bool artifact_is_digest(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) {
            return false;
        }
    }
    return s.n == 64;
}

const char *artifact_path(const char *dir, sl_str digest, struct sl_arena *a)
{
    return sl_arena_printf(a, "%s/%.*s.jar", dir, SL_S(digest)).p;
}

bool artifact_unknown(sl_str digest, struct sl_err *err)
{
    sl_fail(err, SL_ARTIFACT_UNKNOWN, "there is no artifact %.*s", SL_S(digest));
    return sl_hint(err, "POST /api/v1/artifacts?name=FILE      brings one");
}

/* --- coming -------------------------------------------------------------------------------------------------------- */

static bool check_name(const char *name, struct sl_err *err)
{
    sl_str s = sl_str_of(name);
    bool ok = s.n > 0 && s.n <= NAME_BYTES && sl_utf8_valid_prefix(s) == s.n;
    for (size_t i = 0; i < s.n && ok; i++) {
        ok = s.p[i] != '/' && s.p[i] != '\\' && (unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f;
    }
    return ok ||
           sl_fail(err, SL_USAGE, "'name' is the name of a file, 1 to %d bytes without slashes", NAME_BYTES);
}

static bool fail_write(struct upload *u, struct sl_err *err)
{
    return sl_fail_errno(err, errno == ENOSPC || errno == EDQUOT ? SL_DISK_FULL : SL_IO, errno,
                         "cannot write %s", u->part);
}

static bool count_kept(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_query_i64(tx, err, "SELECT coalesce(sum(bytes), 0) FROM artifact", arg, "");
}

struct upload *upload_new(struct ledger *l, const char *dir, const char *name, struct sl_err *err)
{
    char unique[17];
    int64_t kept = 0;
    if (!check_name(name, err) || !store_read(ledger_store(l), count_kept, &kept, err) ||
        !sys_mkdirs(dir, 0700, err)) {
        return NULL;
    }
    struct upload *u = calloc(1, sizeof(*u));
    SL_OOM_ON(!u);
    u->ledger = l;
    u->dir = dir;
    u->name = name;
    u->kept = kept;
    sl_random_hex(unique, 8);
    SL_OOM_ON(asprintf(&u->part, "%s/upload.%s.part", dir, unique) < 0);
    u->fd = open(u->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (u->fd < 0) {
        fail_write(u, err);
        free(u->part);
        free(u);
        return NULL;
    }
    sl_sha256_init(&u->hash);
    return u;
}

static bool check_limits(const struct upload *u, struct sl_err *err)
{
    if ((uint64_t)u->bytes > sl_limits.artifact_bytes) {
        sl_fail(err, SL_LIMIT, "an artifact has at most %s", SL_SIZE((uint64_t)sl_limits.artifact_bytes));
        return sl_hint(err, "limit.artifact-bytes");
    }
    if ((uint64_t)(u->kept + __atomic_load_n(&coming, __ATOMIC_RELAXED)) > sl_limits.artifacts_total) {
        sl_fail(err, SL_LIMIT, "all artifacts together have at most %s",
                SL_SIZE((uint64_t)sl_limits.artifacts_total));
        return sl_hint(err, "limit.artifacts-total");
    }
    return true;
}

bool upload_put(struct upload *u, sl_str piece, struct sl_err *err)
{
    for (size_t i = 0; i < piece.n && u->bytes + (int64_t)i < (int64_t)sizeof(MAGIC) - 1; i++) {
        if (piece.p[i] != MAGIC[u->bytes + (int64_t)i]) {
            return sl_fail(err, SL_ARTIFACT_FORMAT, "'%s' is no jar: it does not begin as a zip file does",
                           u->name);
        }
    }
    u->bytes += (int64_t)piece.n;
    __atomic_add_fetch(&coming, (int64_t)piece.n, __ATOMIC_RELAXED);
    if (!check_limits(u, err)) {
        return false;
    }
    sl_sha256_put(&u->hash, piece.p, piece.n);
    for (size_t done = 0; done < piece.n;) {
        ssize_t n = write(u->fd, piece.p + done, piece.n - done);
        if (n < 0 && errno != EINTR) {
            return fail_write(u, err);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

struct ending {
    struct upload *u;
    const char *owner, *digest, *to;
};

static bool end_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct ending *e = arg;
    int64_t now = sys_wall_ms();
    if (!store_exec(
            tx, err,
            "INSERT INTO artifact(digest, name, bytes, owner, kept_ms, brought_ms) VALUES(?,?,?,?,?,?)"
            " ON CONFLICT(digest) DO UPDATE SET brought_ms = coalesce(brought_ms, excluded.brought_ms)",
            "zzizii", e->digest, e->u->name, e->u->bytes, e->owner, now, now)) {
        return false;
    }
    return rename(e->u->part, e->to) == 0 || fail_write(e->u, err);
}

bool upload_end(struct upload *u, sl_str expected, const char *owner, char ret_digest[65], struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    sl_sha256_hex(&u->hash, ret_digest);
    u->hashed = true;
    if (u->bytes < (int64_t)sizeof(MAGIC) - 1) {
        return sl_fail(err, SL_ARTIFACT_FORMAT, "'%s' is no jar: nothing of one came", u->name);
    }
    if (expected.p && !sl_str_eqz(expected, ret_digest)) {
        sl_fail(err, SL_ARTIFACT_DIGEST, "what came of '%s' has the SHA-256 %s, not %.*s", u->name,
                ret_digest, SL_S(expected));
        return sl_hint(err, "nothing was kept; send it again");
    }
    struct ending e = {u, owner, ret_digest, artifact_path(u->dir, sl_str_of(ret_digest), &a)};
    if (fsync(u->fd) != 0) {
        return fail_write(u, err);
    }
    if (!store_write(ledger_store(u->ledger), end_tx, &e, err)) {
        return false;
    }
    free(u->part);
    u->part = NULL;
    return artifact_sync_dir(u->dir, err);
}

void upload_free(struct upload *u)
{
    if (!u) {
        return;
    }
    char unused[65];
    __atomic_sub_fetch(&coming, u->bytes, __ATOMIC_RELAXED);
    close(u->fd);
    if (!u->hashed) {
        sl_sha256_hex(&u->hash, unused);
    }
    if (u->part) {
        unlink(u->part); /* what stays is swept at the next start */
    }
    free(u->part);
    free(u);
}

/* --- kept ---------------------------------------------------------------------------------------------------------- */

struct listing {
    sl_str digest;
    struct sl_arena *arena;
    SL_VEC(struct artifact_seen) v;
};

static bool on_row(const struct store_row *row, void *ctx)
{
    struct listing *x = ctx;
    sl_vec_push(x->arena, &x->v,
                ((struct artifact_seen){.digest = store_col_strz(row, 0, x->arena),
                                        .name = store_col_strz(row, 1, x->arena),
                                        .bytes = store_col_i64(row, 2),
                                        .owner = store_col_strz(row, 3, x->arena),
                                        .kept_ms = store_col_i64(row, 4),
                                        .brought = !store_col_null(row, 5),
                                        .versions = store_col_i64(row, 6)}));
    return true;
}

static bool list_fn(struct store_tx *tx, void *arg, struct sl_err *err)
{
    struct listing *x = arg;
    return store_query(tx, err,
                       "SELECT digest, name, bytes, owner, kept_ms, brought_ms,"
                       " (SELECT count(*) FROM version_artifact WHERE artifact = digest)"
                       " FROM artifact WHERE digest = ?1 OR ?1 IS NULL ORDER BY kept_ms DESC, digest",
                       on_row, x, NULL, "S", x->digest);
}

bool artifact_list(struct ledger *l, sl_str digest, struct sl_arena *a, struct artifact_seen **ret,
                   size_t *ret_n, struct sl_err *err)
{
    struct listing x = {.digest = digest, .arena = a};
    if (!store_read(ledger_store(l), list_fn, &x, err)) {
        return false;
    }
    *ret = x.v.v;
    *ret_n = x.v.n;
    return true;
}

struct removal {
    sl_str digest;
    const char *file;
};

static bool remove_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct removal *x = arg;
    int64_t versions = 0;
    if (!store_query_i64(tx, err, "SELECT count(*) FROM version_artifact WHERE artifact = ?", &versions, "s",
                         x->digest)) {
        return false;
    }
    if (versions) {
        sl_fail(err, SL_ARTIFACT_IN_USE, "%lld versions of jobs need the artifact %.12s", (long long)versions,
                x->digest.p);
        return sl_hint(err, "sluice job rm JOB      forgets a job with its versions");
    }
    if (!store_exec(tx, err, "DELETE FROM artifact WHERE digest = ?", "s", x->digest)) {
        return false;
    }
    if (store_changes(tx) == 0) {
        return artifact_unknown(x->digest, err);
    }
    return unlink(x->file) == 0 || errno == ENOENT ||
           sl_fail_errno(err, SL_IO, errno, "cannot remove %s", x->file);
}

bool artifact_remove(struct ledger *l, const char *dir, sl_str digest, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct removal x = {digest, artifact_path(dir, digest, &a)};
    return store_write(ledger_store(l), remove_tx, &x, err);
}
