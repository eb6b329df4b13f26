/* SPDX-License-Identifier: Apache-2.0
 * artifact.list, .show, .add, .read, .remove. Bytes pass through in pieces, both ways: none of them is ever whole in memory. */
#include "gateway/api/api.h"

#include "base/buf.h"
#include "gateway/jobs/upload.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)64 << 10)

static void put_artifact(struct sl_jw *w, const struct artifact_seen *x)
{
    char at[32];
    sys_time_rfc3339(x->kept_ms, at);
    sl_jw_kstrz(w, "digest", x->digest);
    sl_jw_kstrz(w, "name", x->name);
    sl_jw_ki64(w, "bytes", x->bytes);
    sl_jw_kstrz(w, "owner", x->owner);
    sl_jw_kstrz(w, "kept", at);
    sl_jw_ki64(w, "versions", x->versions);
    sl_jw_kbool(w, "brought", x->brought);
}

static bool read_digest(struct api_call *c, sl_str *ret, struct sl_err *err)
{
    if (!api_param_str(c, "digest", SL_STR_NONE, ret, err)) {
        return false;
    }
    return artifact_is_digest(*ret) ||
           sl_fail(err, SL_USAGE, "a digest is 64 hex digits, in lower case: a SHA-256");
}

/* The one that the parameter names. */
static bool find(struct api_call *c, struct artifact_seen *ret, struct sl_err *err)
{
    struct artifact_seen *v;
    size_t n;
    sl_str digest;
    if (!read_digest(c, &digest, err) ||
        !artifact_list(api_call_env(c)->ledger, digest, api_call_arena(c), &v, &n, err)) {
        return false;
    }
    if (n == 0) {
        return artifact_unknown(digest, err);
    }
    *ret = v[0];
    return true;
}

bool api_artifact_list(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct artifact_seen *v;
    size_t n;
    if (!artifact_list(api_call_env(c)->ledger, SL_STR_NONE, api_call_arena(c), &v, &n, err)) {
        return false;
    }
    sl_jw_key(result, "artifacts");
    sl_jw_array(result);
    for (size_t i = 0; i < n; i++) {
        sl_jw_object(result);
        put_artifact(result, &v[i]);
        sl_jw_end_object(result);
    }
    sl_jw_end_array(result);
    return true;
}

bool api_artifact_show(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct artifact_seen it;
    if (!find(c, &it, err)) {
        return false;
    }
    put_artifact(result, &it);
    return true;
}

static bool take_all(struct api_call *c, struct upload *u, struct sl_err *err)
{
    bool ok = true, end = false;
    while (ok && !end) {
        SL_BUF_AUTO piece;
        sl_buf_init(&piece, 0);
        ok = api_call_take(c, &piece, &end, err) && upload_put(u, sl_buf_str(&piece), err);
    }
    return ok;
}

bool api_artifact_add(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct sl_arena *a = api_call_arena(c);
    const struct api_env *env = api_call_env(c);
    sl_str name, expected = SL_STR_NONE;
    char digest[65];
    struct artifact_seen *v;
    size_t n;
    if (!api_param_str(c, "name", SL_STR_NONE, &name, err) ||
        (sl_json_get(api_call_params(c), "digest") && !read_digest(c, &expected, err))) {
        return false;
    }
    struct upload *u = upload_new(env->ledger, env->sub.artifact_dir, sl_arena_strdupz(a, name), err);
    bool ok = u && take_all(c, u, err) &&
              upload_end(u, expected, sl_arena_strdupz(a, api_call_user(c)), digest, err);
    upload_free(u);
    if (!ok || !artifact_list(env->ledger, sl_str_of(digest), a, &v, &n, err)) {
        return false;
    }
    if (n == 0) {
        return artifact_unknown(sl_str_of(digest), err); /* removed in this very moment */
    }
    put_artifact(result, &v[0]);
    return true;
}

static bool give_all(struct api_call *c, int fd, const char *path, int64_t bytes, struct sl_err *err)
{
    char *piece = malloc(PIECE_BYTES);
    SL_OOM_ON(!piece);
    bool ok = true;
    while (ok && bytes > 0) {
        ssize_t n = read(fd, piece, SL_MIN(PIECE_BYTES, (size_t)bytes));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        ok = n > 0 ? api_call_give(c, (sl_str){piece, (size_t)n}, err)
                   : sl_fail_errno(err, SL_IO, n < 0 ? errno : EIO, "cannot read %s", path);
        bytes -= n > 0 ? n : 0;
    }
    free(piece);
    return ok;
}

bool api_artifact_read(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    struct artifact_seen it;
    struct stat st;
    (void)result;
    if (!find(c, &it, err)) {
        return false;
    }
    struct sl_arena *a = api_call_arena(c);
    const char *path = artifact_path(api_call_env(c)->sub.artifact_dir, sl_str_of(it.digest), a);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        bool gone = fd < 0 && errno == ENOENT;
        if (fd >= 0) {
            close(fd);
        }
        return gone ? artifact_unknown(sl_str_of(it.digest), err)
                    : sl_fail_errno(err, SL_IO, errno, "cannot read %s", path);
    }
    const char *headers =
        sl_arena_printf(a, "etag: \"%s\"\r\ncontent-disposition: attachment; filename=\"%.12s.jar\"\r\n",
                        it.digest, it.digest)
            .p;
    bool ok = api_call_give_head(c, "application/octet-stream", headers, st.st_size, err) &&
              give_all(c, fd, path, st.st_size, err);
    close(fd);
    return ok;
}

bool api_artifact_remove(struct api_call *c, struct sl_jw *result, struct sl_err *err)
{
    const struct api_env *env = api_call_env(c);
    sl_str digest;
    if (!read_digest(c, &digest, err) || !artifact_remove(env->ledger, env->sub.artifact_dir, digest, err)) {
        return false;
    }
    sl_jw_kstr(result, "removed", digest);
    return true;
}
