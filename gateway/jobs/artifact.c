/* SPDX-License-Identifier: Apache-2.0
 * Keeps jars: written beside, read back by digest, renamed when whole. */
#include "gateway/jobs/artifact.h"

#include "base/digest.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)1 << 18)

const struct store_migration artifact_migrations[] = {
    {"artifact", 1,
     "CREATE TABLE artifact("
     " digest TEXT PRIMARY KEY, name TEXT NOT NULL, bytes INTEGER NOT NULL, owner TEXT NOT NULL,"
     " labels TEXT NOT NULL DEFAULT '{}', description TEXT NOT NULL DEFAULT '', kept_ms INTEGER NOT NULL) "
     "STRICT;"
     "CREATE TABLE version_artifact("
     " job TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,"
     " artifact TEXT NOT NULL REFERENCES artifact(digest), PRIMARY KEY(job, version, position)) STRICT,"
     " WITHOUT ROWID;"
     "CREATE INDEX version_artifact_by_digest ON version_artifact(artifact);"},
    {"artifact", 2, "ALTER TABLE artifact ADD COLUMN brought_ms INTEGER;"}, /* NULL: goes with its versions */
    {NULL, 0, NULL},
};

static bool fail_write(const char *path, struct sl_err *err)
{
    return sl_fail_errno(err, errno == ENOSPC ? SL_DISK_FULL : SL_IO, errno, "cannot write %s", path);
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t got = write(fd, p, n);
        if (got < 0 && errno != EINTR) {
            return false;
        }
        p += got > 0 ? got : 0;
        n -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Reads the file once; writes what it reads to `to` (-1: nowhere). */
static bool read_through(const char *file, int to, const char *to_name, char ret[65], struct sl_err *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot read %s", file);
    }
    char *piece = malloc(PIECE_BYTES);
    SL_OOM_ON(!piece);
    struct sl_sha256 h;
    bool ok = true;
    sl_sha256_init(&h);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            ok = sl_fail_errno(err, SL_IO, errno, "cannot read %s", file);
        } else if (n > 0) {
            sl_sha256_put(&h, piece, (size_t)n);
            ok = to < 0 || write_all(to, piece, (size_t)n) || fail_write(to_name, err);
        }
        if (n <= 0 || !ok) {
            break;
        }
    }
    sl_sha256_hex(&h, ret);
    free(piece);
    close(fd);
    return ok;
}

bool artifact_digest(const char *file, char ret[65], struct sl_err *err)
{
    return read_through(file, -1, NULL, ret, err);
}

bool artifact_sync_dir(const char *dir, struct sl_err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    ok = ok || fail_write(dir, err);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool artifact_keep(const char *dir, const char *file, const char digest[65], struct sl_arena *a,
                   const char **ret, struct sl_err *err)
{
    char unique[17], found[65];
    const char *to = sl_arena_printf(a, "%s/%s.jar", dir, digest).p;
    *ret = to;
    if (sys_exists(to)) {
        return true;
    }
    if (!sys_mkdirs(dir, 0700, err)) {
        return false;
    }
    sl_random_hex(unique, 8);
    const char *part = sl_arena_printf(a, "%s/%s.%s.part", dir, digest, unique).p;
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_write(part, err);
    }
    bool ok = read_through(file, fd, part, found, err);
    if (ok && strcmp(found, digest) != 0) {
        ok = sl_fail(err, SL_IO, "%s was changed while it was read", file);
    }
    if (ok && (fsync(fd) != 0 || rename(part, to) != 0)) {
        ok = fail_write(to, err);
    }
    close(fd);
    if (!ok) {
        unlink(part);
        return false;
    }
    return artifact_sync_dir(dir, err);
}

struct note {
    const char *job, *owner;
    int64_t version;
    const struct artifact *v;
    size_t n;
};

static bool note_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    const struct note *x = arg;
    for (size_t i = 0; i < x->n; i++) {
        if (!store_exec(tx, err,
                        "INSERT INTO artifact(digest, name, bytes, owner, kept_ms) VALUES(?,?,?,?,?)"
                        " ON CONFLICT(digest) DO NOTHING",
                        "zzizi", x->v[i].digest, x->v[i].name, x->v[i].bytes, x->owner, sys_wall_ms()) ||
            !store_exec(
                tx, err,
                "INSERT OR REPLACE INTO version_artifact(job, version, position, artifact) VALUES(?,?,?,?)",
                "ziiz", x->job, x->version, (int64_t)i, x->v[i].digest)) {
            return false;
        }
    }
    return true;
}

bool artifact_note(struct ledger *l, const char *job, int64_t version, const char *owner,
                   const struct artifact *v, size_t n, struct sl_err *err)
{
    struct note x = {.job = job, .owner = owner, .version = version, .v = v, .n = n};
    return n == 0 || store_write(ledger_store(l), note_tx, &x, err);
}

bool artifact_forget(struct store_tx *tx, const char *job, struct sl_err *err)
{
    return store_exec(tx, err, "DELETE FROM version_artifact WHERE job = ?", "z", job);
}

struct kept {
    struct sl_arena *arena;
    SL_VEC(const char *) names;
};

static bool kept_row(const struct store_row *row, void *ctx)
{
    struct kept *k = ctx;
    sl_vec_push(k->arena, &k->names, sl_arena_printf(k->arena, "%s.jar", store_col_strz(row, 0, k->arena)).p);
    return true;
}

static bool sweep_tx(struct store_tx *tx, void *arg, struct sl_err *err)
{
    return store_exec(tx, err,
                      "DELETE FROM artifact WHERE brought_ms IS NULL AND digest NOT IN (SELECT artifact FROM "
                      "version_artifact)",
                      "") &&
           store_query(tx, err, "SELECT digest FROM artifact", kept_row, arg, NULL, "");
}

bool artifact_sweep(struct ledger *l, const char *dir, struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct kept k = {.arena = &a};
    sl_str *names;
    size_t n;
    if (!store_write(ledger_store(l), sweep_tx, &k, err)) {
        return false;
    }
    if (!sys_is_dir(dir)) {
        return true;
    }
    if (!sys_dir_list(&a, dir, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool wanted = false;
        for (size_t j = 0; j < k.names.n && !wanted; j++) {
            wanted = sl_str_eqz(names[i], k.names.v[j]);
        }
        if (!wanted) {
            unlink(sys_path_join(&a, dir, sl_arena_strdupz(&a, names[i])));
        }
    }
    return true;
}
