/* SPDX-License-Identifier: Apache-2.0
 * A short list of what was uploaded, under one lock, which is also held while a jar is made and sent: two submissions
 * with the same jars send them once. */
#include "gateway/target/session_jars.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/vec.h"
#include "runtime-image/unpack.h"
#include "sys/file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MARK_HEX    8
#define LEAVE_MS    2000 /* at the end of the owner nobody waits for a cluster that does not answer */
#define MARK_FILE   "mark"
#define PIECE_BYTES ((size_t)1 << 18)
#define NAME_BYTES  96

struct sent_jar {
    char name[NAME_BYTES], id[192], incarnation[64];
    unsigned users;
    uint64_t used; /* of a clock that counts uses */
};

struct session_jars {
    struct sl_arena a;
    const char *dir;
    pthread_mutex_t lock;
    char mark[MARK_HEX + 1]; /* "" = not read yet */
    struct sent_jar *v;      /* n of them */
    size_t n, cap;
    uint64_t uses;
};

struct session_jars *session_jars_new(const char *scratch_dir)
{
    struct session_jars *j = calloc(1, sizeof *j);
    SL_OOM_ON(!j);
    sl_arena_init(&j->a, 0);
    j->dir = sl_arena_strdupz(&j->a, sl_str_of(scratch_dir));
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

/* The mark of this data folder, made once. */
static bool have_mark(struct session_jars *j, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct sl_err unread = SL_ERR_INIT;
    sl_str text;
    const char *path = sys_path_join(&a, j->dir, MARK_FILE);
    if (j->mark[0]) {
        return true;
    }
    if (sys_exists(path) && sys_file_read(&a, path, MARK_HEX + 1, &text, &unread) && text.n == MARK_HEX) {
        memcpy(j->mark, text.p, MARK_HEX);
        return true;
    }
    char mark[MARK_HEX + 1];
    sl_random_hex(mark, MARK_HEX / 2);
    if (!sys_mkdirs(j->dir, 0700, err) || !sys_file_write(path, (sl_str){mark, MARK_HEX}, 0600, err)) {
        return false;
    }
    memcpy(j->mark, mark, sizeof mark);
    return true;
}

static bool put_file(struct sl_sha256 *h, const char *file, struct sl_err *err)
{
    char *piece = malloc(PIECE_BYTES);
    SL_OOM_ON(!piece);
    size_t n = 0;
    FILE *f = fopen(file, "rbe");
    bool ok = f != NULL;
    while (ok && (n = fread(piece, 1, PIECE_BYTES, f)) > 0) {
        sl_sha256_put(h, piece, n);
    }
    ok = ok && !ferror(f);
    ok = ok || sl_fail_errno(err, SL_IO, errno, "cannot read %s", file);
    if (f) {
        (void)fclose(f);
    }
    free(piece);
    return ok;
}

/* Its name tells whose it is and what is in it. */
static bool name_of(struct session_jars *j, const char *const *jars, char ret[NAME_BYTES], struct sl_err *err)
{
    char hex[65];
    struct sl_sha256 all;
    sl_sha256_init(&all);
    for (size_t i = 0; jars[i]; i++) {
        struct sl_sha256 one;
        sl_sha256_init(&one);
        if (!put_file(&one, jars[i], err)) {
            return false;
        }
        sl_sha256_hex(&one, hex);
        sl_sha256_put(&all, hex, sizeof hex);
    }
    sl_sha256_hex(&all, hex);
    snprintf(ret, NAME_BYTES, "sluice-jars-%s-%.16s.jar", j->mark, hex);
    return true;
}

static void drop(struct session_jars *j, size_t i)
{
    j->v[i] = j->v[--j->n];
}

/* Deletes those that nobody uses, but for the one used last. Under the lock. */
static void tidy(struct session_jars *j, const struct tgt_endpoint *at, bool all, int64_t limit_ms)
{
    struct flink_rest *r = NULL;
    uint64_t newest = 0;
    for (size_t i = 0; i < j->n; i++) {
        newest = SL_MAX(newest, j->v[i].used);
    }
    for (size_t i = j->n; i-- > 0;) {
        struct sl_err ignored = SL_ERR_INIT;
        if (!all && (j->v[i].users || j->v[i].used == newest)) {
            continue;
        }
        r = r ? r : flink_rest_open(at, limit_ms);
        (void)!flink_rest_delete_jar(r, j->v[i].id, &ignored); /* else the next owner's sweep */
        drop(j, i);
    }
    flink_rest_free(r);
}

void session_jars_free(struct session_jars *j, const struct tgt_endpoint *at)
{
    tidy(j, at, true, LEAVE_MS);
    pthread_mutex_destroy(&j->lock);
    free(j->v);
    sl_arena_release(&j->a);
    free(j);
}

static bool send(struct session_jars *j, const struct tgt_endpoint *at, const char *const *jars,
                 const char *name, char *ret_id, size_t cap, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    const char *path = sys_path_join(&a, j->dir, name);
    struct flink_rest *r = flink_rest_open(at, sl_limits.http_run_ms);
    bool ok = img_write_nesting_jar(path, jars, err) && flink_rest_upload_as(r, path, name, ret_id, cap, err);
    flink_rest_free(r);
    unlink(path);
    return ok;
}

static struct sent_jar *find(struct session_jars *j, const char *name, const char *incarnation)
{
    for (size_t i = 0; i < j->n; i++) {
        if (strcmp(j->v[i].name, name) == 0 && strcmp(j->v[i].incarnation, incarnation) == 0) {
            return &j->v[i];
        }
    }
    return NULL;
}

static struct sent_jar *add(struct session_jars *j)
{
    if (j->n == j->cap) {
        j->cap = j->cap ? j->cap * 2 : 4;
        j->v = realloc(j->v, j->cap * sizeof *j->v);
        SL_OOM_ON(!j->v);
    }
    memset(&j->v[j->n], 0, sizeof *j->v);
    return &j->v[j->n++];
}

bool session_jars_take(struct session_jars *j, const struct tgt_endpoint *at,
                       const struct session_jars_wanted *w, char ret_id[192], struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    SL_VEC(const char *) all = {0};
    char name[NAME_BYTES], id[192] = "";
    if (w->runner) {
        sl_vec_push(&a, &all, w->runner);
    }
    for (size_t i = 0; w->jars[i]; i++) {
        sl_vec_push(&a, &all, w->jars[i]);
    }
    sl_vec_push(&a, &all, NULL);
    pthread_mutex_lock(&j->lock);
    for (size_t i = j->n; i-- > 0;) { /* of a JobManager that has gone, and its folder with it */
        if (strcmp(j->v[i].incarnation, w->incarnation) != 0 && !j->v[i].users) {
            drop(j, i);
        }
    }
    bool ok = have_mark(j, err) && name_of(j, all.v, name, err);
    struct sent_jar *s = ok ? find(j, name, w->incarnation) : NULL;
    if (ok && !s && (ok = send(j, at, all.v, name, id, sizeof id, err))) {
        s = add(j);
        snprintf(s->name, sizeof s->name, "%s", name);
        snprintf(s->id, sizeof s->id, "%s", id);
        snprintf(s->incarnation, sizeof s->incarnation, "%s", w->incarnation);
    }
    if (s) {
        s->users++;
        s->used = ++j->uses;
        snprintf(ret_id, 192, "%s", s->id);
        tidy(j, at, false, LEAVE_MS);
    }
    pthread_mutex_unlock(&j->lock);
    return ok;
}

void session_jars_done(struct session_jars *j, const struct tgt_endpoint *at, const char *id, bool gone)
{
    pthread_mutex_lock(&j->lock);
    for (size_t i = j->n; i-- > 0;) {
        if (strcmp(j->v[i].id, id) == 0) {
            j->v[i].users--;
            if (gone) { /* other users find out by themselves */
                drop(j, i);
            }
        }
    }
    tidy(j, at, false, LEAVE_MS);
    pthread_mutex_unlock(&j->lock);
}

void session_jars_sweep(struct session_jars *j, struct flink_rest *r, const struct sl_json *files)
{
    struct sl_err ignored = SL_ERR_INIT;
    char begin[32];
    if (pthread_mutex_trylock(&j->lock) != 0) {
        return; /* jars are on their way: it was swept before */
    }
    if (have_mark(j, &ignored)) {
        snprintf(begin, sizeof begin, "sluice-jars-%s-", j->mark);
        SL_JSON_EACH(f, files)
        {
            char id[192];
            bool used = false;
            sl_str text = sl_json_str(sl_json_get(f, "id"), SL_STR(""));
            if (text.n >= sizeof id ||
                !sl_str_starts(sl_json_str(sl_json_get(f, "name"), SL_STR("")), sl_str_of(begin))) {
                continue;
            }
            snprintf(id, sizeof id, "%.*s", SL_S(text));
            for (size_t i = 0; i < j->n; i++) {
                used = used || strcmp(j->v[i].id, id) == 0;
            }
            if (!used) {
                (void)!flink_rest_delete_jar(r, id, &ignored);
            }
        }
    }
    pthread_mutex_unlock(&j->lock);
}
