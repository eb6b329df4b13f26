/* SPDX-License-Identifier: Apache-2.0
 * Tokens in the store and in memory. */
#include "gateway/auth/token.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/vec.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const char *const auth_role_names[] = {"nobody", "viewer", "analyst", "operator", "admin"};

const struct store_migration auth_migrations[] = {
    {"token", 1,
     "CREATE TABLE token("
     " id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role INTEGER NOT NULL,"
     " made_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL) STRICT;"},
    {NULL, 0, NULL},
};

struct known {
    struct auth_token t;
    char hash[65];
};

struct list {
    struct sl_arena arena;
    SL_VEC(struct known) known;
};

struct auth {
    struct store *store;
    pthread_mutex_t writing; /* held over store and list by whoever changes both; taken before `lock` */
    pthread_mutex_t lock;    /* guards the list */
    struct list list;
};

enum auth_role auth_role_of(sl_str name)
{
    for (int r = AUTH_VIEWER; r <= AUTH_ADMIN; r++) {
        if (sl_str_eqz(name, auth_role_names[r])) {
            return (enum auth_role)r;
        }
    }
    return AUTH_NOBODY;
}

static void hash_of(sl_str secret, char out[65])
{
    struct sl_sha256 h;
    sl_sha256_init(&h);
    sl_sha256_put(&h, secret.p, secret.n);
    sl_sha256_hex(&h, out);
}

static void copy_text(char *to, size_t cap, sl_str s)
{
    snprintf(to, cap, "%.*s", SL_S(s));
}

static bool read_row(const struct store_row *row, void *ctx)
{
    struct list *l = ctx;
    struct known *k = sl_vec_add(&l->arena, &l->known);
    copy_text(k->t.id, sizeof(k->t.id), store_col_borrow(row, 0));
    copy_text(k->hash, sizeof(k->hash), store_col_borrow(row, 1));
    copy_text(k->t.name, sizeof(k->t.name), store_col_borrow(row, 2));
    k->t.role = (enum auth_role)store_col_i64(row, 3);
    k->t.made_ms = store_col_i64(row, 4);
    k->t.expires_ms = store_col_i64(row, 5);
    k->t.revoked_ms = store_col_i64(row, 6);
    return true;
}

static bool read_all(struct store_tx *tx, void *ctx, struct sl_err *err)
{
    return store_query(
        tx, err,
        "SELECT id, hash, name, role, made_ms, expires_ms, revoked_ms FROM token ORDER BY made_ms, id",
        read_row, ctx, NULL, "");
}

struct auth *auth_open(struct store *s, struct sl_err *err)
{
    struct auth *a = calloc(1, sizeof(*a));
    SL_OOM_ON(!a);
    a->store = s;
    pthread_mutex_init(&a->lock, NULL);
    pthread_mutex_init(&a->writing, NULL);
    sl_arena_init(&a->list.arena, 0);
    if (!auth_reload(a, err)) {
        auth_free(a);
        return NULL;
    }
    return a;
}

bool auth_reload(struct auth *a, struct sl_err *err)
{
    struct list fresh = {0}, old;
    sl_arena_init(&fresh.arena, 0);
    pthread_mutex_lock(&a->writing); /* a token that is made meanwhile comes before or behind */
    bool ok = store_read(a->store, read_all, &fresh, err);
    if (ok) {
        pthread_mutex_lock(&a->lock);
        old = a->list;
        a->list = fresh;
        pthread_mutex_unlock(&a->lock);
    } else {
        old = fresh;
    }
    pthread_mutex_unlock(&a->writing);
    sl_arena_release(&old.arena);
    return ok;
}

void auth_free(struct auth *a)
{
    sl_arena_release(&a->list.arena);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->writing);
    free(a);
}

static bool insert(struct store_tx *tx, void *ctx, struct sl_err *err)
{
    const struct known *k = ctx;
    return store_exec(tx, err, "INSERT INTO token VALUES(?, ?, ?, ?, ?, ?, 0)", "zzziii", k->t.id, k->hash,
                      k->t.name, (int64_t)k->t.role, k->t.made_ms, k->t.expires_ms);
}

bool auth_token_make(struct auth *a, sl_str name, enum auth_role role, int64_t ttl_ms, struct auth_token *ret,
                     char ret_secret[AUTH_SECRET_LEN + 1], struct sl_err *err)
{
    if (ttl_ms > SL_LIMIT_TOKEN_MS) {
        return sl_fail(err, SL_LIMIT, "a token is good for at most 100 years, or without an end");
    }
    struct known k = {.t = {.role = role, .made_ms = sys_wall_ms()}};
    if (name.n == 0 || name.n >= sizeof(k.t.name)) {
        return sl_fail(err, SL_USAGE, "a token's name has 1 to %zu bytes", sizeof(k.t.name) - 1);
    }
    if (role == AUTH_NOBODY) {
        sl_fail(err, SL_USAGE, "a token needs a role");
        return sl_hint(err, "viewer, analyst, operator or admin");
    }
    char random[65];
    sl_random_hex(random, 32);
    snprintf(ret_secret, AUTH_SECRET_LEN + 1, AUTH_SECRET_PREFIX "%s", random);
    hash_of(sl_str_of(ret_secret), k.hash);
    sl_random_hex(k.t.id, 6);
    copy_text(k.t.name, sizeof(k.t.name), name);
    k.t.expires_ms = ttl_ms ? k.t.made_ms + ttl_ms : 0;
    pthread_mutex_lock(&a->writing);
    bool ok = store_write(a->store, insert, &k, err);
    if (ok) {
        pthread_mutex_lock(&a->lock);
        sl_vec_push(&a->list.arena, &a->list.known, k);
        pthread_mutex_unlock(&a->lock);
        *ret = k.t;
    }
    pthread_mutex_unlock(&a->writing);
    return ok;
}

static bool revoke(struct store_tx *tx, void *ctx, struct sl_err *err)
{
    const struct auth_token *t = ctx;
    return store_exec(tx, err, "UPDATE token SET revoked_ms = ? WHERE id = ?", "iz", t->revoked_ms, t->id);
}

static bool lives(const struct auth_token *t, int64_t now)
{
    return !t->revoked_ms && (!t->expires_ms || now < t->expires_ms);
}

bool auth_token_revoke(struct auth *a, sl_str id_or_name, struct sl_err *err)
{
    struct auth_token t = {{0}, {0}, AUTH_NOBODY, 0, 0, 0};
    pthread_mutex_lock(&a->lock);
    for (size_t i = a->list.known.n; i-- > 0;) { /* the newest of a name */
        struct auth_token *k = &a->list.known.v[i].t;
        if (!k->revoked_ms && (sl_str_eqz(id_or_name, k->id) || sl_str_eqz(id_or_name, k->name))) {
            t = *k;
            break;
        }
    }
    pthread_mutex_unlock(&a->lock);
    if (!t.id[0]) {
        return sl_fail(err, SL_NOT_FOUND, "there is no token '%.*s' that could be revoked", SL_S(id_or_name));
    }
    t.revoked_ms = sys_wall_ms();
    pthread_mutex_lock(&a->writing);
    bool ok = store_write(a->store, revoke, &t, err);
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->list.known.n && ok; i++) {
        if (strcmp(a->list.known.v[i].t.id, t.id) == 0) {
            a->list.known.v[i].t.revoked_ms = t.revoked_ms;
        }
    }
    pthread_mutex_unlock(&a->lock);
    pthread_mutex_unlock(&a->writing);
    return ok;
}

size_t auth_tokens(struct auth *a, struct sl_arena *arena, struct auth_token **ret)
{
    pthread_mutex_lock(&a->lock);
    size_t n = a->list.known.n;
    *ret = sl_new_n(arena, struct auth_token, n + 1);
    for (size_t i = 0; i < n; i++) {
        (*ret)[i] = a->list.known.v[n - 1 - i].t;
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

/* Every hash is looked at, so that the time taken tells nothing. */
bool auth_token_check(struct auth *a, sl_str secret, struct auth_token *ret)
{
    if (secret.n != AUTH_SECRET_LEN || !sl_str_starts(secret, SL_STR(AUTH_SECRET_PREFIX))) {
        return false;
    }
    char hash[65];
    hash_of(secret, hash);
    int64_t now = sys_wall_ms();
    bool found = false;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->list.known.n; i++) {
        const struct known *k = &a->list.known.v[i];
        if (sl_secret_eq(sl_str_of(hash), sl_str_of(k->hash)) && lives(&k->t, now)) {
            *ret = k->t;
            found = true;
        }
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

bool auth_token_lives(struct auth *a, const char *id)
{
    int64_t now = sys_wall_ms();
    bool found = false;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->list.known.n && !found; i++) {
        const struct auth_token *t = &a->list.known.v[i].t;
        found = strcmp(t->id, id) == 0 && lives(t, now);
    }
    pthread_mutex_unlock(&a->lock);
    return found;
}

bool auth_token_file(struct auth *a, const char *path, struct sl_err *err)
{
    SL_ARENA_AUTO arena;
    sl_arena_init(&arena, 0);
    sl_str text;
    struct sl_err ignored = SL_ERR_INIT;
    struct auth_token t;
    if (sys_file_read(&arena, path, 4096, &text, &ignored) && auth_token_check(a, sl_str_trim(text), &t)) {
        return true;
    }
    char secret[AUTH_SECRET_LEN + 1];
    return auth_token_make(a, SL_STR("command line of this machine"), AUTH_ADMIN, 0, &t, secret, err) &&
           sys_file_write(path, sl_str_of(secret), 0600, err);
}
