/* SPDX-License-Identifier: Apache-2.0
 * The fetcher: rounds of the resolver, and between them one batch of requests on a uv loop of its own. A file and the
 * repository's checksum of it are asked for together. */
#include "catalog/maven/fetch.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "catalog/maven/cache.h"
#include "catalog/maven/version.h"
#include "sys/file.h"
#include "sys/http_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
    PER_HOST = 8, /* connections, where HTTP/2 does not make one enough */
    TRIES = 3,
    BACK_OFF_MS = 200, /* doubled each time */
    VERSIONS_SHOWN = 8,
};

/* One file of a repository's layout, whatever repositories there are. */
struct entry {
    struct mvn_file file;
    sl_str path, name; /* name: for messages */
    enum mvn_got state;
    SL_VEC(sl_str) texts; /* what was found: one, of metadata one from each repository that has it */
    struct sl_err err;
    size_t at; /* the repository that is asked */
    int tries;
    bool retry;
    bool missed; /* offline, and not in the cache */
    struct request *request;
};
struct answer {
    struct request *of;
    bool done, ok;
    struct sys_http_answer a;
    struct sl_err err;
};
struct request { /* to one repository */
    struct mvn_fetch *f;
    struct entry *e;
    struct sl_arena a;
    struct answer file, sum;
    const char *headers[2];
};
struct mvn_fetch {
    struct mvn_fetch_options o;
    struct sl_arena a;
    struct mvn_table entries;
    SL_VEC(struct entry *) wanted;
    struct mvn_models models;
    uv_loop_t loop;
    struct sys_http_loop *http;
    struct sys_http *blocking;
    size_t running, requests;
};

static bool is_local(const struct mvn_repository *r)
{
    return sl_str_starts(r->url, SL_STR("file:"));
}

static bool changes(const struct entry *e)
{
    return e->file.kind != MVN_POM || sl_str_ends(e->file.v, SL_STR("-SNAPSHOT"));
}

static char *cache_of(struct mvn_fetch *f, struct sl_arena *a, const struct entry *e)
{
    return mvn_cache_path(a, f->o.cache, &f->o.repositories->v.v[e->at], e->path);
}

static char *absent_of(struct sl_arena *a, const char *path)
{
    return sl_arena_strdupz(a, sl_arena_printf(a, "%s.absent", path));
}

static void found(struct mvn_fetch *f, struct entry *e, sl_str text)
{
    sl_vec_push(&f->a, &e->texts, sl_str_dup(&f->a, text));
    e->at = e->file.kind == MVN_POM ? f->o.repositories->v.n : e->at + 1;
    e->tries = 0;
}

static void failed(struct mvn_fetch *f, struct entry *e)
{
    e->state = MVN_FAILED;
    e->at = f->o.repositories->v.n;
}

/* What can be said without a network: true when this repository is done with. */
static bool ask_disk(struct mvn_fetch *f, struct entry *e)
{
    const struct mvn_repository *r = &f->o.repositories->v.v[e->at];
    SL_ARENA_AUTO a = {0};
    sl_str text = SL_STR_NONE;
    if (is_local(r)) {
        sl_str folder = mvn_folder_of_url(&a, r->url);
        char *path = sys_path_join(&a, folder.p, sl_arena_strdupz(&a, e->path));
        struct sl_err err = SL_ERR_INIT;
        if (!sys_is_dir(folder.p)) {
            sl_fail(&e->err, SL_REPOSITORY_FAILED, "the repository %.*s is no folder", SL_S(r->url));
            failed(f, e);
        } else if (!sys_exists(path)) {
            e->at++;
        } else if (sys_file_read(&a, path, sl_limits.pom_bytes, &text, &err)) {
            found(f, e, text);
        } else {
            e->err = err;
            if (err.code == SL_LIMIT) {
                sl_fail(&e->err, SL_POM_TOO_LARGE, "%.*s has more than %s", SL_S(e->name),
                        SL_SIZE(sl_limits.pom_bytes));
            }
            failed(f, e);
        }
        return true;
    }
    char *path = cache_of(f, &a, e);
    bool fresh = !changes(e) || f->o.offline || mvn_cache_age_ms(path) < sl_limits.metadata_fresh_ms;
    if (fresh && mvn_cache_read(&a, path, &text)) {
        found(f, e, text);
        return true;
    }
    int64_t gone_ms = mvn_cache_age_ms(absent_of(&a, path));
    if (gone_ms < (f->o.offline ? INT64_MAX : sl_limits.metadata_fresh_ms)) {
        e->at++;
        return true;
    }
    if (f->o.offline) {
        e->missed = true;
        e->at++;
        return true;
    }
    return false;
}

/* Goes through the repositories as far as the disk leads. */
static void advance(struct mvn_fetch *f, struct entry *e)
{
    while (e->state == MVN_LATER && e->at < f->o.repositories->v.n) {
        if (!ask_disk(f, e)) {
            return;
        }
    }
    if (e->state != MVN_LATER) {
        return;
    }
    e->state = e->texts.n ? MVN_GOT : MVN_ABSENT;
    if (e->missed && !e->texts.n && e->file.kind == MVN_POM) {
        sl_fail(&e->err, SL_ARTIFACT_OFFLINE, "%.*s is not in the cache", SL_S(e->name));
        sl_hint(&e->err, "resolve it once without --offline");
        e->state = MVN_FAILED;
    }
}

static void put_escaped(struct sl_buf *b, sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '<' || s.p[i] == '&') {
            sl_buf_putz(b, s.p[i] == '<' ? "&lt;" : "&amp;");
        } else {
            sl_buf_putc(b, s.p[i]);
        }
    }
}

/* Metadata of several repositories: the versions of all. */
static sl_str united(struct mvn_fetch *f, const struct entry *e)
{
    SL_ARENA_AUTO a = {0};
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    struct mvn_table seen = {0};
    sl_buf_putz(&b, "<metadata><versioning><versions>");
    for (size_t i = 0; i < e->texts.n; i++) {
        struct mvn_metadata m;
        if (mvn_metadata_parse(&a, e->texts.v[i], &m, NULL) != MVN_READ_OK) {
            continue;
        }
        for (size_t j = 0; j < m.versions.n; j++) {
            if (!mvn_table_get(&seen, m.versions.v[j])) {
                mvn_table_put(&seen, &a, m.versions.v[j], f);
                sl_buf_putz(&b, "<version>");
                put_escaped(&b, m.versions.v[j]);
                sl_buf_putz(&b, "</version>");
            }
        }
    }
    sl_buf_putz(&b, "</versions></versioning></metadata>");
    return sl_str_dup(&f->a, sl_buf_str(&b));
}

static enum mvn_got on_get(void *ctx, const struct mvn_file *file, struct sl_arena *a, sl_str *ret,
                           struct sl_err *err)
{
    struct mvn_fetch *f = ctx;
    sl_str path = mvn_path_of(a, file);
    if (!path.p) {
        return MVN_ABSENT; /* no repository can have it */
    }
    struct entry *e = mvn_table_get(&f->entries, path);
    if (!e) {
        e = sl_new(&f->a, struct entry);
        e->file = *file;
        e->file.v = sl_str_dup(&f->a, file->v);
        e->path = sl_str_dup(&f->a, path);
        e->name = file->kind == MVN_POM ? sl_arena_printf(&f->a, "the POM of %.*s:%.*s:%.*s", SL_S(file->g),
                                                          SL_S(file->a), SL_S(file->v))
                                        : sl_arena_printf(&f->a, "the list of versions of %.*s:%.*s",
                                                          SL_S(file->g), SL_S(file->a));
        e->err = SL_ERR_INIT;
        e->state = MVN_LATER;
        mvn_table_put(&f->entries, &f->a, e->path, e);
        advance(f, e);
        if (e->state == MVN_LATER) {
            sl_vec_push(&f->a, &f->wanted, e);
        }
    }
    if (e->state == MVN_GOT) {
        *ret = e->texts.n == 1 || file->kind == MVN_POM ? e->texts.v[0] : united(f, e);
    } else if (e->state == MVN_FAILED) {
        *err = e->err;
    }
    return e->state;
}

/* ---- one batch of requests ---- */

static bool transient(const struct answer *x)
{
    return x->ok ? x->a.status == 429 || x->a.status >= 500 : x->err.code == SL_TARGET_UNREACHABLE;
}

static void fail_answer(struct mvn_fetch *f, struct entry *e, const struct answer *x)
{
    sl_str url = mvn_url_shown(&f->a, f->o.repositories->v.v[e->at].url);
    if (!x->ok && x->err.code == SL_LIMIT) {
        sl_fail(&e->err, SL_POM_TOO_LARGE, "%.*s has more than %s", SL_S(e->name),
                SL_SIZE(sl_limits.pom_bytes));
    } else if (!x->ok) {
        sl_fail(&e->err, SL_REPOSITORY_FAILED, "the repository %.*s: %s", SL_S(url), x->err.msg);
    } else if (x->a.status == 401 || x->a.status == 403 || x->a.status == 407) {
        sl_fail(&e->err, SL_REPOSITORY_DENIED, "the repository %.*s answers %d for %.*s", SL_S(url),
                x->a.status, SL_S(e->name));
        sl_hint(&e->err, "write user and password as a <server> with the id %.*s into Maven's settings.xml",
                SL_S(f->o.repositories->v.v[e->at].id));
    } else {
        sl_fail(&e->err, SL_REPOSITORY_FAILED, "the repository %.*s answers %d for %.*s", SL_S(url),
                x->a.status, SL_S(e->name));
    }
    failed(f, e);
}

/* Whole, and what the repository and we know of it? Then it is kept. */
static void take_text(struct mvn_fetch *f, struct request *q)
{
    struct entry *e = q->e;
    sl_str text = q->file.a.body;
    char have[72], want[65];
    if (q->sum.ok && q->sum.a.status == 200 && mvn_checksum_read(q->sum.a.body, 40, want)) {
        mvn_text_sha1(text, have);
        if (strcmp(have, want) != 0) {
            e->retry = ++e->tries < TRIES;
            if (!e->retry) {
                sl_fail(&e->err, SL_ARTIFACT_CHECKSUM, "%.*s: the repository's own sha1 is another one",
                        SL_S(e->name));
                failed(f, e);
            }
            return;
        }
    }
    sl_sha256_digest(text, have);
    char *path = cache_of(f, &q->a, e);
    if (!changes(e) && mvn_cache_digest(path, want) && strcmp(have + 7, want) != 0) {
        sl_fail(&e->err, SL_ARTIFACT_CHANGED, "%.*s has changed since it was first fetched", SL_S(e->name));
        sl_hint(&e->err, "what is known of it: %s.sha256.kept", path);
        failed(f, e);
        return;
    }
    if (!mvn_cache_write(path, text, have + 7, &e->err)) {
        failed(f, e);
        return;
    }
    found(f, e, text);
}

static void settle(struct request *q)
{
    struct mvn_fetch *f = q->f;
    struct entry *e = q->e;
    const struct answer *bad = transient(&q->file)                                           ? &q->file
                               : q->file.ok && q->file.a.status == 200 && transient(&q->sum) ? &q->sum
                                                                                             : NULL;
    if (bad) {
        e->retry = ++e->tries < TRIES;
        if (!e->retry) {
            fail_answer(f, e, bad);
        }
    } else if (q->file.ok && q->file.a.status == 200) {
        take_text(f, q);
    } else if (q->file.ok && (q->file.a.status == 404 || q->file.a.status == 410)) {
        mvn_cache_touch(
            absent_of(&q->a, cache_of(f, &q->a, e))); /* best effort: else it is asked for again */
        e->at++;
        e->tries = 0;
    } else {
        fail_answer(f, e, &q->file);
    }
    e->request = NULL;
    sl_arena_release(&q->a);
}

static void start_request(struct mvn_fetch *f, struct entry *e);

static void on_done(void *ctx, bool ok, const struct sys_http_answer *answer, const struct sl_err *err)
{
    struct answer *x = ctx;
    struct request *q = x->of;
    struct mvn_fetch *f = q->f;
    x->done = true;
    x->ok = ok;
    if (ok) {
        x->a = *answer;
    } else {
        x->err = *err;
    }
    if (!q->file.done || !q->sum.done) {
        return;
    }
    struct entry *e = q->e;
    settle(q);
    if (!e->retry) {
        advance(f, e);
        if (e->state == MVN_LATER) {
            start_request(f, e);
        }
    }
    if (--f->running == 0) {
        uv_stop(&f->loop);
    }
}

static void start_one(struct mvn_fetch *f, struct request *q, struct answer *x, const char *suffix)
{
    const struct mvn_repository *r = &f->o.repositories->v.v[q->e->at];
    sl_str path = mvn_path_escaped(&q->a, q->e->path);
    struct sys_http_request rq = {
        .url = sl_arena_printf(&q->a, "%.*s/%.*s%s", SL_S(r->url), SL_S(path), suffix).p,
        .headers = q->headers,
        .max_bytes = sl_limits.pom_bytes,
        .ca_file = f->o.ca_file,
        .proxy = r->proxy.p,
        .follow = true,
        .share = true};
    x->of = q;
    f->requests++;
    if (!sys_http_loop_start(f->http, &rq, &q->a, on_done, x, &x->err)) {
        x->done = true;
    }
}

static void start_request(struct mvn_fetch *f, struct entry *e)
{
    struct request *q = sl_new(&f->a, struct request);
    q->f = f;
    q->e = e;
    e->request = q;
    e->retry = false;
    q->headers[0] = f->o.repositories->v.v[e->at].authorization.p;
    f->running++;
    start_one(f, q, &q->file, "");
    start_one(f, q, &q->sum, ".sha1");
    if (q->file.done && q->sum.done) { /* no address at all */
        settle(q);
        advance(f, e);
        f->running--;
    }
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Everything that is wanted, until it is there or known not to come. */
static void run_batch(struct mvn_fetch *f)
{
    int64_t wait = BACK_OFF_MS;
    for (size_t left = f->wanted.n; left;) {
        left = 0;
        for (size_t i = 0; i < f->wanted.n; i++) {
            struct entry *e = f->wanted.v[i];
            if (e->state == MVN_LATER && !e->request) {
                start_request(f, e);
            }
        }
        while (f->running) {
            uv_run(&f->loop, UV_RUN_DEFAULT);
        }
        for (size_t i = 0; i < f->wanted.n; i++) {
            left += f->wanted.v[i]->state == MVN_LATER;
        }
        if (left) {
            sleep_ms(wait);
            wait *= 2;
        }
    }
    f->wanted.n = 0;
}

/* ---- */

struct mvn_fetch *mvn_fetch_new(const struct mvn_fetch_options *o)
{
    struct mvn_fetch *f = calloc(1, sizeof(*f));
    SL_OOM_ON(!f);
    f->o = *o;
    SL_BUG_ON(uv_loop_init(&f->loop) != 0);
    f->http = sys_http_loop_new(&f->loop, PER_HOST);
    f->blocking = sys_http_new();
    struct mvn_source s = {.get = on_get, .ctx = f, .java_version = o->java_version, .os_arch = o->os_arch};
    mvn_models_init(&f->models, &f->a, &s);
    return f;
}

void mvn_fetch_free(struct mvn_fetch *f)
{
    if (!f) {
        return;
    }
    sys_http_loop_free(f->http);
    uv_run(&f->loop, UV_RUN_DEFAULT); /* closes the handles */
    SL_BUG_ON(uv_loop_close(&f->loop) != 0);
    sys_http_free(f->blocking);
    sl_arena_release(&f->a);
    free(f);
}

size_t mvn_fetch_requests(const struct mvn_fetch *f)
{
    return f->requests;
}

bool mvn_fetch_resolve(struct mvn_fetch *f, const struct mvn_request *rq, struct mvn_resolution *ret,
                       struct sl_err *err)
{
    for (;;) {
        enum mvn_outcome o = mvn_resolve(&f->models, rq, ret, err);
        if (o != MVN_NEEDS_MORE) {
            return o == MVN_RESOLVED;
        }
        SL_BUG_ON(!f->wanted.n);
        run_batch(f);
    }
}

sl_str mvn_fetch_versions_hint(struct mvn_fetch *f, sl_str g, sl_str a)
{
    enum mvn_state state = MVN_WAITS;
    const struct mvn_metadata *m = NULL;
    while (state == MVN_WAITS) {
        m = mvn_models_versions(&f->models, g, a, &state, NULL);
        if (state == MVN_WAITS) {
            run_batch(f);
        }
    }
    if (!m || !m->versions.n) {
        return SL_STR("");
    }
    SL_ARENA_AUTO scratch = {0};
    sl_str *v = sl_new_n(&scratch, sl_str, m->versions.n);
    for (size_t i = 0; i < m->versions.n; i++) {
        v[i] = m->versions.v[i];
        for (size_t j = i; j > 0 && mvn_comparable_cmp(&scratch, v[j - 1], v[j]) > 0; j--) {
            sl_str t = v[j];
            v[j] = v[j - 1];
            v[j - 1] = t;
        }
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    size_t from = m->versions.n > VERSIONS_SHOWN ? m->versions.n - VERSIONS_SHOWN : 0;
    sl_buf_putz(&b, from ? "versions there are: ..., " : "versions there are: ");
    for (size_t i = from; i < m->versions.n; i++) {
        sl_buf_printf(&b, "%s%.*s", i > from ? ", " : "", SL_S(v[i]));
    }
    return sl_str_dup(&f->a, sl_buf_str(&b));
}

/* ---- the files of artifacts ---- */

static bool get_small(struct mvn_fetch *f, struct sl_arena *a, const struct mvn_repository *r,
                      const char *url, sl_str *ret, struct sl_err *err)
{
    const char *headers[] = {r->authorization.p, NULL};
    struct sys_http_request rq = {.url = url,
                                  .headers = headers,
                                  .max_bytes = 4096,
                                  .ca_file = f->o.ca_file,
                                  .proxy = r->proxy.p,
                                  .follow = true};
    struct sys_http_answer answer;
    f->requests++;
    *ret = SL_STR_NONE;
    if (!sys_http_do(f->blocking, &rq, a, &answer, err)) {
        return false;
    }
    if (answer.status == 200) {
        *ret = answer.body;
    }
    return answer.status < 500 && answer.status != 429;
}

/* Is the file what the repository says? True also where it says nothing. */
static bool sums_fit(struct mvn_fetch *f, struct sl_arena *a, const struct mvn_repository *r, const char *url,
                     const char *sha256, const char *sha1, struct sl_err *err)
{
    for (int i = 0; i < 2; i++) {
        sl_str text = SL_STR_NONE;
        char want[65];
        const char *at = sl_arena_printf(a, "%s%s", url, i ? ".sha1" : ".sha256").p;
        if (!get_small(f, a, r, at, &text, err)) {
            return false;
        }
        if (mvn_checksum_read(text, i ? 40 : 64, want)) {
            return strcmp(want, i ? sha1 : sha256) == 0 ||
                   sl_fail(err, SL_ARTIFACT_CHECKSUM, "the repository's own %s is another one",
                           i ? "sha1" : "sha256");
        }
    }
    return true;
}

enum took { TOOK, GONE, AGAIN, NEVER };

static enum took download(struct mvn_fetch *f, struct sl_arena *a, const struct mvn_repository *r,
                          const char *url, const char *path, const char *part, struct mvn_fetched *ret,
                          struct sl_err *err)
{
    const char *headers[] = {r->authorization.p, NULL};
    struct sys_http_request rq = {.url = url,
                                  .headers = headers,
                                  .ca_file = f->o.ca_file,
                                  .proxy = r->proxy.p,
                                  .follow = true,
                                  .save_path = part,
                                  .resume = true};
    struct sys_http_answer answer;
    char sha1[41], kept[65];
    f->requests++;
    if (!sys_http_do(f->blocking, &rq, a, &answer, err)) {
        return err->code == SL_TARGET_UNREACHABLE || err->code == SL_TARGET_ANSWER ? AGAIN : NEVER;
    }
    if (answer.status != 200 && answer.status != 206) {
        sl_str shown = mvn_url_shown(a, r->url);
        bool denied = answer.status == 401 || answer.status == 403 || answer.status == 407;
        sl_fail(err, denied ? SL_REPOSITORY_DENIED : SL_REPOSITORY_FAILED, "the repository %.*s answers %d",
                SL_S(shown), answer.status);
        return answer.status == 404 || answer.status == 410   ? GONE
               : answer.status == 429 || answer.status >= 500 ? AGAIN
                                                              : NEVER;
    }
    if (!mvn_file_digest(part, ret->sha256, sha1)) {
        sl_fail(err, SL_IO, "cannot read %s", part);
        return NEVER;
    }
    if (!sums_fit(f, a, r, url, ret->sha256, sha1, err)) {
        unlink(part);
        return AGAIN;
    }
    if (mvn_cache_digest(path, kept) && strcmp(kept, ret->sha256) != 0) {
        unlink(part);
        sl_fail(err, SL_ARTIFACT_CHANGED, "it has changed since it was first fetched");
        return NEVER;
    }
    if (!mvn_cache_keep_digest(path, ret->sha256, err)) {
        return NEVER;
    }
    if (rename(part, path) != 0) {
        sl_fail(err, SL_IO, "cannot write %s", path);
        return NEVER;
    }
    return TOOK;
}

static enum took file_of(struct mvn_fetch *f, struct sl_arena *a, const struct mvn_repository *r, sl_str rel,
                         struct mvn_fetched *ret, struct sl_err *err)
{
    char sha1[41], kept[65];
    if (is_local(r)) {
        char *path = sys_path_join(a, mvn_folder_of_url(a, r->url).p, sl_arena_strdupz(a, rel));
        if (!sys_exists(path)) {
            return GONE;
        }
        ret->path = sl_arena_strdupz(&f->a, sl_str_of(path));
        return mvn_file_digest(path, ret->sha256, sha1) ? TOOK : NEVER;
    }
    char *path = mvn_cache_path(a, f->o.cache, r, rel);
    ret->path = sl_arena_strdupz(&f->a, sl_str_of(path));
    if (sys_exists(path) && mvn_cache_digest(path, kept) && mvn_file_digest(path, ret->sha256, sha1) &&
        strcmp(kept, ret->sha256) == 0) {
        return TOOK;
    }
    if (f->o.offline) {
        sl_fail(err, SL_ARTIFACT_OFFLINE, "it is not in the cache");
        return GONE;
    }
    char *folder = sl_arena_strdupz(a, sl_str_of(path));
    *strrchr(folder, '/') = 0;
    if (!sys_mkdirs(folder, 0755, err)) {
        return NEVER;
    }
    sl_str escaped = mvn_path_escaped(a, rel);
    const char *url = sl_arena_printf(a, "%.*s/%.*s", SL_S(r->url), SL_S(escaped)).p;
    const char *part = sl_arena_printf(a, "%s.part", path).p;
    enum took how = AGAIN;
    for (int i = 0; i < TRIES && how == AGAIN; i++) {
        if (i) {
            sleep_ms(BACK_OFF_MS << i);
        }
        how = download(f, a, r, url, path, part, ret, err);
    }
    return how;
}

bool mvn_fetch_file(struct mvn_fetch *f, const struct mvn_artifact *x, struct mvn_fetched *ret,
                    struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    sl_str rel = mvn_path_of_artifact(&a, x->g, x->a, x->v, x->v, x->ext, x->classifier);
    struct sl_err last = SL_ERR_INIT;
    for (size_t i = 0; rel.p && i < f->o.repositories->v.n; i++) {
        enum took how = file_of(f, &a, &f->o.repositories->v.v[i], rel, ret, &last);
        if (how == TOOK) {
            ret->bytes = sys_file_size(ret->path);
            return true;
        }
        if (how != GONE) {
            *err = last;
            if (err->code == SL_TARGET_UNREACHABLE || err->code == SL_TARGET_ANSWER) {
                err->code = SL_REPOSITORY_FAILED;
            }
            return sl_wrap(err, "%.*s:%.*s:%.*s (%.*s)", SL_S(x->g), SL_S(x->a), SL_S(x->v), SL_S(x->ext));
        }
    }
    if (last.code == SL_ARTIFACT_OFFLINE) {
        return sl_fail(err, SL_ARTIFACT_OFFLINE, "%.*s:%.*s:%.*s (%.*s) is not in the cache", SL_S(x->g),
                       SL_S(x->a), SL_S(x->v), SL_S(x->ext));
    }
    sl_fail(err, SL_ARTIFACT_NOT_FOUND, "%.*s:%.*s:%.*s (%.*s) is in no repository", SL_S(x->g), SL_S(x->a),
            SL_S(x->v), SL_S(x->ext));
    sl_str hint = mvn_fetch_versions_hint(f, x->g, x->a);
    return hint.n ? sl_hint(err, "%.*s", SL_S(hint)) : false;
}
