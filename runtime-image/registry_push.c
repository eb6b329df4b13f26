/* SPDX-License-Identifier: Apache-2.0
 * Pushing an image: blobs first, each looked for, mounted or sent in pieces; then the manifest. */
#include "base/digest.h"
#include "base/limits.h"
#include "catalog/connectors.h"
#include "runtime-image/registry_impl.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OCTETS "application/octet-stream"
#define WHOLE_BYTES                                                                                          \
    ((size_t)1 << 20) /* what goes with the last request; of a larger one a part may be kept */
#define ANEW 6

/* ---- one blob ---- */

struct upload {
    struct img_registry *r;
    const char *digest, *path;
    const char *bytes; /* of the whole file, mapped */
    size_t n;
    char *location; /* of the upload under way; NULL: none */
    size_t at;      /* bytes the registry has */
    size_t piece;
    unsigned faults; /* since something went on */
    unsigned anew;   /* how often it was begun again because what the registry has is something else */
    struct sl_arena *a;
    struct sl_err *err;
};

static bool is_there(struct upload *u, bool *ret)
{
    struct sys_http_answer x;
    struct reg_request rq = {
        .method = "HEAD",
        .url = sl_arena_printf(u->a, "/v2/%.*s/blobs/%s", SL_S(u->r->ref.repository), u->digest).p};
    if (!reg_ask(u->r, u->a, &rq, &x, u->err)) {
        return false;
    }
    int64_t bytes;
    bool length = x.kept[REG_LENGTH] && sl_str_to_i64(sl_str_of(x.kept[REG_LENGTH]), &bytes);
    *ret = x.status == 200 && (!length || bytes == (int64_t)u->n);
    return x.status == 200 || x.status == 404 || reg_fail(u->r, u->a, &x, "whether it has a blob", u->err);
}

static bool take_location(struct upload *u, const struct sys_http_answer *x)
{
    const char *l = x->kept[REG_LOCATION];
    if (!l || !*l) {
        return sl_fail(u->err, SL_REGISTRY_FAILED, "%.*s does not say where to send a blob",
                       SL_S(u->r->ref.host));
    }
    u->location = sl_arena_strdupz(u->a, sl_str_of(l));
    return true;
}

/* Begins an upload, by a mount of the blob where another repository may have it. */
static bool begin(struct upload *u, const char *from, bool *ret_mounted)
{
    struct sys_http_answer x;
    sl_str url = sl_arena_printf(u->a, "/v2/%.*s/blobs/uploads/", SL_S(u->r->ref.repository));
    if (from) {
        url = sl_arena_printf(u->a, "%.*s?mount=%s&from=%s", SL_S(url), u->digest, from);
    }
    struct reg_request rq = {.method = "POST", .url = url.p};
    if (!reg_ask(u->r, u->a, &rq, &x, u->err)) {
        return false;
    }
    *ret_mounted = from && x.status == 201;
    u->at = 0;
    return *ret_mounted ||
           (x.status == 202 ? take_location(u, &x) : reg_fail(u->r, u->a, &x, "a blob's upload", u->err));
}

/* "0-1023", also behind "bytes=": how many bytes there are. Of none a registry says 0-0, too. */
static bool read_range(const char *range, size_t *ret)
{
    sl_str s = sl_str_of(range);
    ptrdiff_t dash = sl_str_find_char(s, '-');
    int64_t last;
    if (dash < 0 || !sl_str_to_i64(sl_str_sub(s, (size_t)dash + 1, s.n - (size_t)dash - 1), &last) ||
        last < 0) {
        return false;
    }
    *ret = last ? (size_t)last + 1 : 0;
    return true;
}

/* What the registry has of the upload under way; without an answer it is begun anew. */
static void look_where(struct upload *u)
{
    struct sys_http_answer x;
    struct reg_request rq = {.method = "GET", .url = u->location};
    size_t at;
    if (reg_ask(u->r, u->a, &rq, &x, NULL) && (x.status == 204 || x.status == 202) && x.kept[REG_RANGE] &&
        read_range(x.kept[REG_RANGE], &at) && at <= u->n) {
        u->faults -= at > u->at && u->faults; /* it goes on */
        u->at = at;
        u->location =
            x.kept[REG_LOCATION] ? sl_arena_strdupz(u->a, sl_str_of(x.kept[REG_LOCATION])) : u->location;
    } else {
        u->location = NULL;
        u->at = 0;
    }
}

/* The upload is lost: another one, if it was not lost too often. */
static bool begin_anew(struct upload *u, const struct sys_http_answer *x, const struct sl_err *fault)
{
    u->location = NULL;
    u->at = 0;
    if (++u->anew < SL_LIMIT_REGISTRY_TRIES) {
        return true;
    }
    if (x) {
        reg_fail(u->r, u->a, x, "a part of a blob", u->err);
    } else {
        sl_fail(u->err, SL_REGISTRY_FAILED, "%s", fault->msg);
    }
    return sl_hint(u->err, "layers that have arrived whole are kept; push again");
}

/* After a fault: a pause, smaller pieces, each on a connection of its own (the one there is may have been cut for what it had
 * carried), and where are we? Registry 2.8 forgets an upload that was broken off within a piece. */
static bool go_on(struct upload *u, const struct sys_http_answer *x, const struct sl_err *fault)
{
    if (!x || x->status == 404) {
        u->piece = SL_MAX(SL_MIN(u->piece, u->n) / 2, SL_LIMIT_REGISTRY_PIECE_MIN);
        u->r->own_connections = true;
    }
    u->faults++;
    reg_wait(u->faults - 1, x ? x->kept[REG_RETRY] : NULL);
    if (u->location && u->faults < SL_LIMIT_REGISTRY_TRIES) {
        look_where(u);
    }
    return (u->location && u->faults < SL_LIMIT_REGISTRY_TRIES) || begin_anew(u, x, fault);
}

/* One piece more. */
static bool send_piece(struct upload *u)
{
    struct sys_http_answer x;
    struct sl_err fault = SL_ERR_INIT;
    size_t n = SL_MIN(u->piece, u->n - u->at), at;
    struct reg_request rq = {.method = "PATCH",
                             .url = u->location,
                             .type = OCTETS,
                             .range = sl_arena_printf(u->a, "%zu-%zu", u->at, u->at + n - 1).p,
                             .body = {u->bytes + u->at, n},
                             .once = true};
    if (!reg_ask(u->r, u->a, &rq, &x, &fault)) {
        return fault.code == SL_REGISTRY_FAILED ? go_on(u, NULL, &fault) : (*u->err = fault, false);
    }
    if (x.status == 202) {
        u->at += n;
        u->faults = 0;
        bool told = x.kept[REG_RANGE] && read_range(x.kept[REG_RANGE], &at);
        return told && at != u->at ? begin_anew(u, &x, NULL)
                                   : take_location(u, &x); /* it was put behind something else */
    }
    if (x.status == 404) { /* the upload is forgotten */
        u->location = NULL;
    }
    return reg_is_passing(x.status) || x.status == 404 || x.status == 416
               ? go_on(u, &x, NULL)
               : reg_fail(u->r, u->a, &x, "a part of a blob", u->err);
}

/* Is the file what its name says? Only asked when the registry found something else. */
static bool check_blob(const struct upload *u)
{
    char hex[65];
    int64_t bytes;
    return (img_file_digest(u->path, -1, hex, &bytes, u->err) && strcmp(hex, u->digest + 7) == 0) ||
           sl_fail(u->err, SL_IMAGE_BROKEN, "the blob %.19s has other bytes", u->digest);
}

/* The last request: what is left, and the digest. */
static bool finish(struct upload *u, bool *ret_done)
{
    struct sys_http_answer x;
    struct sl_err fault = SL_ERR_INIT;
    const char *join = strchr(u->location, '?') ? "&" : "?";
    struct reg_request rq = {.method = "PUT",
                             .url = sl_arena_printf(u->a, "%s%sdigest=%s", u->location, join, u->digest).p,
                             .type = OCTETS,
                             .body = {u->n ? u->bytes + u->at : NULL, u->n - u->at},
                             .once = true};
    if (!reg_ask(u->r, u->a, &rq, &x, &fault)) {
        return fault.code == SL_REGISTRY_FAILED ? go_on(u, NULL, &fault) : (*u->err = fault, false);
    }
    if (x.status == 201) {
        const char *digest = x.kept[REG_DIGEST];
        *ret_done = true;
        return !digest || strcmp(digest, u->digest) == 0 ||
               sl_fail(u->err, SL_REGISTRY_FAILED, "%.*s says that %.19s has arrived as %.19s",
                       SL_S(u->r->ref.host), u->digest, digest);
    }
    if (x.status == 400) { /* another digest: something was lost on the way, or here */
        return begin_anew(u, &x, NULL) && check_blob(u);
    }
    if (x.status == 404) {
        u->location = NULL;
    }
    return reg_is_passing(x.status) || x.status == 404 || x.status == 416
               ? go_on(u, &x, NULL)
               : reg_fail(u->r, u->a, &x, "the end of a blob", u->err);
}

static bool send_blob(struct upload *u, const char *from, struct img_pushed *ret)
{
    bool there, mounted = false, done = false;
    if (!is_there(u, &there)) {
        return false;
    }
    ret->there += there;
    while (!there && !done) {
        if (!u->location) {
            if (!begin(u, from, &mounted)) {
                return false;
            }
            from = NULL;
            if (mounted) {
                ret->mounted++;
                return true;
            }
        }
        if (u->n - u->at > (u->n > WHOLE_BYTES ? 0 : u->piece) ? !send_piece(u) : !finish(u, &done)) {
            return false;
        }
    }
    ret->sent += done;
    return true;
}

/* ---- where blobs have gone before ---- */

static const char *note_path(struct sl_arena *a, const char *oci, const char *digest)
{
    return sys_path_join(a, oci, sl_arena_printf(a, "pushed/%s", digest + 7).p);
}

/* Another repository of this host that was given the blob; NULL: none is known. */
static const char *other_repository(const struct img_registry *r, struct sl_arena *a, const char *oci,
                                    const char *digest)
{
    sl_str text, line;
    const char *path = note_path(a, oci, digest), *found = r->more ? r->more[0] : NULL;
    if (!sys_exists(path) || !sys_file_read(a, path, SL_LIMIT_MANIFEST_BYTES, &text, NULL)) {
        return found;
    }
    sl_str own = sl_arena_printf(a, "%.*s/", SL_S(r->ref.host));
    for (size_t at = 0; cat_next_word(text, '\n', &at, &line);) {
        sl_str repository = sl_str_starts(line, own) ? sl_str_sub(line, own.n, line.n - own.n) : SL_STR_NONE;
        if (repository.n && !sl_str_eq(repository, r->ref.repository)) {
            return sl_arena_strdupz(a, repository);
        }
    }
    return found;
}

/* Best effort: without it a blob is sent and not mounted. */
static void note_repository(const struct img_registry *r, struct sl_arena *a, const char *oci,
                            const char *digest)
{
    sl_str text = SL_STR_NONE;
    const char *path = note_path(a, oci, digest);
    sl_str line = sl_arena_printf(a, "%.*s/%.*s\n", SL_S(r->ref.host), SL_S(r->ref.repository));
    bool known = sys_exists(path) && sys_file_read(a, path, SL_LIMIT_MANIFEST_BYTES, &text, NULL);
    if ((known && sl_str_find(text, line) >= 0) || !sys_mkdirs(sys_path_join(a, oci, "pushed"), 0755, NULL)) {
        return;
    }
    if (!sys_file_write(path, sl_arena_printf(a, "%.*s%.*s", SL_S(text), SL_S(line)), 0644, NULL)) {
        return;
    }
}

/* ---- an image ---- */

bool reg_push_blob(struct img_registry *r, const char *oci, sl_str digest, int64_t bytes,
                   struct img_pushed *ret, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    if (!reg_digest_ok(digest)) {
        return sl_fail(err, SL_IMAGE_BROKEN, "the manifest names a blob without a digest");
    }
    struct upload u = {.r = r, .a = &a, .err = err, .piece = sl_limits.registry_piece_bytes};
    u.digest = sl_arena_strdupz(&a, digest);
    u.path = img_blob_path(&a, oci, u.digest);
    int fd = open(u.path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size != bytes) {
        if (fd >= 0) {
            close(fd);
        }
        return sl_fail(err, SL_IMAGE_BROKEN, "the blob %.19s is missing or cut", u.digest);
    }
    u.n = (size_t)bytes;
    void *map = u.n ? mmap(NULL, u.n, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (map == MAP_FAILED) {
        return sl_fail_errno(err, SL_IO, errno, "cannot read %s", u.path);
    }
    u.bytes = map;
    bool ok = send_blob(&u, other_repository(r, &a, oci, u.digest), ret);
    if (map) {
        munmap(map, u.n);
    }
    if (ok) {
        note_repository(r, &a, oci, u.digest);
    }
    return ok;
}

static bool push_named(struct img_registry *r, const char *oci, const struct sl_json *descriptor,
                       struct img_pushed *ret, struct sl_err *err)
{
    return reg_push_blob(r, oci, sl_json_str(sl_json_get(descriptor, "digest"), SL_STR_NONE),
                         sl_json_i64(sl_json_get(descriptor, "size"), -1), ret, err);
}

/* What the tag stands for now; "" when it is new. */
static bool look_at_tag(struct img_registry *r, struct sl_arena *a, const char *url, char ret[72],
                        struct sl_err *err)
{
    struct sys_http_answer x;
    struct reg_request rq = {.method = "HEAD", .url = url, .accept = IMG_OCI_MANIFEST ", " IMG_OCI_INDEX};
    if (!reg_ask(r, a, &rq, &x, err)) {
        return false;
    }
    ret[0] = 0;
    if (x.status == 200 && x.kept[REG_DIGEST]) {
        snprintf(ret, 72, "%s", x.kept[REG_DIGEST]);
    }
    return true;
}

bool reg_put_manifest(struct img_registry *r, struct sl_arena *a, const char *url, sl_str text, sl_str type,
                      const char *digest, bool *ret_subject, struct sl_err *err)
{
    struct sys_http_answer x;
    struct reg_request rq = {.method = "PUT", .url = url, .type = sl_arena_strdupz(a, type), .body = text};
    if (!reg_ask(r, a, &rq, &x, err)) {
        return false;
    }
    if (x.status != 201 && x.status != 200) {
        return reg_fail(r, a, &x, "the manifest", err);
    }
    const char *is = x.kept[REG_DIGEST];
    if (ret_subject) {
        *ret_subject = x.kept[REG_SUBJECT] != NULL;
    }
    return !is || strcmp(is, digest) == 0 ||
           sl_fail(err, SL_REGISTRY_FAILED, "%.*s keeps the manifest %.19s as %.19s", SL_S(r->ref.host),
                   digest, is);
}

bool img_push(struct img_registry *r, const char *root, sl_str name, struct img_pushed *ret,
              struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    struct img_oci image;
    sl_str text;
    const struct sl_json *manifest;
    const char *oci = img_oci_root(&a, root);
    *ret = (struct img_pushed){0};
    r->push = true;
    if (!img_oci_find(&a, root, name, &image, err) ||
        !img_oci_read(&a, root, image.digest, &text, &manifest, err)) {
        return false;
    }
    if (r->ref.digest[0] && strcmp(r->ref.digest, image.digest) != 0) {
        return sl_fail(err, SL_USAGE, "%.*s is %.19s, not %.19s", SL_S(name), image.digest, r->ref.digest);
    }
    const char *url = sl_arena_printf(&a, "/v2/%.*s/manifests/%.*s", SL_S(r->ref.repository),
                                      SL_S(r->ref.tag.n ? r->ref.tag : sl_str_of(image.digest)))
                          .p;
    bool ok = push_named(r, oci, sl_json_get(manifest, "config"), ret, err);
    SL_JSON_EACH(l, sl_json_get(manifest, "layers"))
    {
        ok = ok && push_named(r, oci, l, ret, err);
    }
    ok = ok && look_at_tag(r, &a, url, ret->previous, err) &&
         reg_put_manifest(r, &a, url, text, image.type, image.digest, NULL, err);
    memcpy(ret->digest, image.digest, sizeof ret->digest);
    ret->bytes = r->sent;
    ret->requests = r->requests;
    return ok;
}
