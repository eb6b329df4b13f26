/* SPDX-License-Identifier: Apache-2.0
 * Names of files in repositories, and what the cache keeps of them. */
#include "catalog/maven/cache.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "sys/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_name(sl_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '/' || s.p[i] == '\\' || (unsigned char)s.p[i] < ' ') {
            return false;
        }
    }
    return s.n > 0 && s.n < 200 && !sl_str_eqz(s, ".") && !sl_str_eqz(s, "..");
}

/* "org/apache/flink", or false. */
static bool put_group(struct sl_buf *b, sl_str g)
{
    size_t from = 0;
    for (size_t i = 0; i <= g.n; i++) {
        if (i < g.n && g.p[i] != '.') {
            continue;
        }
        sl_str one = sl_str_sub(g, from, i - from);
        if (!is_name(one)) {
            return false;
        }
        sl_buf_puts(b, one);
        sl_buf_putc(b, '/');
        from = i + 1;
    }
    return true;
}

sl_str mvn_path_of_artifact(struct sl_arena *a, sl_str g, sl_str artifact, sl_str v, sl_str name_version,
                            sl_str ext, sl_str classifier)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 4096);
    if (!put_group(&b, g) || !is_name(artifact) || !is_name(v) || !is_name(name_version) || !is_name(ext) ||
        (classifier.n && !is_name(classifier))) {
        return SL_STR_NONE;
    }
    sl_buf_printf(&b, "%.*s/%.*s/%.*s-%.*s%s%.*s.%.*s", SL_S(artifact), SL_S(v), SL_S(artifact),
                  SL_S(name_version), classifier.n ? "-" : "", SL_S(classifier), SL_S(ext));
    return b.full ? SL_STR_NONE : sl_str_dup(a, sl_buf_str(&b));
}

sl_str mvn_path_of(struct sl_arena *a, const struct mvn_file *f)
{
    if (f->kind == MVN_POM) {
        return mvn_path_of_artifact(a, f->g, f->a, f->v, f->name_version, SL_STR("pom"), SL_STR(""));
    }
    SL_BUF_AUTO b;
    sl_buf_init(&b, 4096);
    bool snapshot = f->kind == MVN_SNAPSHOT_METADATA;
    if (!put_group(&b, f->g) || !is_name(f->a) || (snapshot && !is_name(f->v))) {
        return SL_STR_NONE;
    }
    sl_buf_printf(&b, "%.*s/%.*s%smaven-metadata.xml", SL_S(f->a), SL_S(snapshot ? f->v : SL_STR("")),
                  snapshot ? "/" : "");
    return b.full ? SL_STR_NONE : sl_str_dup(a, sl_buf_str(&b));
}

sl_str mvn_path_escaped(struct sl_arena *a, sl_str path)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        if (isalnum(c) || strchr("/._-+~", c)) {
            sl_buf_putc(&b, (char)c);
        } else {
            sl_buf_printf(&b, "%%%02X", c);
        }
    }
    return sl_str_dup(a, sl_buf_str(&b));
}

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

sl_str mvn_folder_of_url(struct sl_arena *a, sl_str url)
{
    sl_str p = sl_str_sub(url, 5, url.n - 5); /* behind "file:" */
    if (sl_str_starts(p, SL_STR("//localhost/"))) {
        p = sl_str_sub(p, 11, p.n - 11);
    } else if (sl_str_starts(p, SL_STR("//"))) {
        p = sl_str_sub(p, 2, p.n - 2);
    }
    char *out = sl_arena_alloc(a, p.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < p.n; i++) {
        if (p.p[i] == '%' && i + 2 < p.n && hex(p.p[i + 1]) >= 0 && hex(p.p[i + 2]) >= 0) {
            out[n++] = (char)(hex(p.p[i + 1]) * 16 + hex(p.p[i + 2]));
            i += 2;
        } else {
            out[n++] = p.p[i];
        }
    }
    out[n] = 0;
    return (sl_str){out, n};
}

/* One folder for each address: what a repository said is not believed of another one. */
char *mvn_cache_path(struct sl_arena *a, const char *cache, const struct mvn_repository *r, sl_str path)
{
    sl_str shown = mvn_url_shown(a, r->url);
    char digest[72];
    sl_sha256_digest(shown, digest);
    ptrdiff_t scheme = sl_str_find(shown, SL_STR("://"));
    char host[64];
    size_t n = 0;
    for (size_t i = scheme < 0 ? 0 : (size_t)scheme + 3;
         i < shown.n && shown.p[i] != '/' && n < sizeof(host) - 1; i++) {
        host[n++] = (char)(isalnum((unsigned char)shown.p[i]) || shown.p[i] == '.' ? shown.p[i] : '-');
    }
    host[n] = 0;
    sl_str to = sl_arena_printf(a, "%s/%s-%.8s/%.*s", cache, host, digest + 7, SL_S(path));
    return sl_arena_strdupz(a, to);
}

static bool digest_path(const char *path, char out[4096 + 16])
{
    return snprintf(out, 4096 + 16, "%s.sha256.kept", path) < 4096 + 16;
}

bool mvn_cache_digest(const char *path, char out[65])
{
    char at[4096 + 16];
    int fd = digest_path(path, at) ? open(at, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd >= 0 ? read(fd, out, 64) : -1;
    if (fd >= 0) {
        close(fd);
    }
    out[64] = 0;
    for (size_t i = 0; n == 64 && i < 64; i++) {
        n = isxdigit((unsigned char)out[i]) ? n : -1;
    }
    return n == 64;
}

bool mvn_cache_read(struct sl_arena *a, const char *path, sl_str *ret)
{
    char kept[65], have[72];
    if (!mvn_cache_digest(path, kept) || !sys_file_read(a, path, sl_limits.pom_bytes, ret, NULL)) {
        return false;
    }
    sl_sha256_digest(*ret, have);
    return strcmp(kept, have + 7) == 0;
}

int64_t mvn_cache_age_ms(const char *path)
{
    struct stat st;
    struct timespec now;
    if (stat(path, &st) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return INT64_MAX;
    }
    int64_t age =
        ((int64_t)now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
    return age < 0 ? 0 : age;
}

/* Whole or not at all, but not synced. */
static bool put_file(const char *path, sl_str content, struct sl_err *err)
{
    SL_ARENA_AUTO a = {0};
    char *folder = sl_arena_strdupz(&a, sl_str_of(path)), *slash = strrchr(folder, '/');
    if (slash) {
        *slash = 0;
        if (!sys_mkdirs(folder, 0755, err)) {
            return false;
        }
    }
    char *at = sl_arena_strdupz(&a, sl_arena_printf(&a, "%s.XXXXXX", path));
    int fd = mkostemp(at, O_CLOEXEC);
    if (fd < 0) {
        return sl_fail_errno(err, SL_IO, errno, "cannot write %s", path);
    }
    int failed = 0;
    for (size_t done = 0; done < content.n && !failed;) {
        ssize_t w = write(fd, content.p + done, content.n - done);
        failed = w < 0 && errno != EINTR ? errno : 0;
        done += w > 0 ? (size_t)w : 0;
    }
    close(fd);
    if (!failed && rename(at, path) == 0) {
        return true;
    }
    failed = failed ? failed : errno;
    unlink(at);
    return sl_fail_errno(err, SL_IO, failed, "cannot write %s", path);
}

bool mvn_cache_keep_digest(const char *path, const char *sha256, struct sl_err *err)
{
    char at[4096 + 16];
    return digest_path(path, at) ? put_file(at, sl_str_of(sha256), err)
                                 : sl_fail(err, SL_IO, "a path in the cache is too long");
}

bool mvn_cache_write(const char *path, sl_str content, const char *sha256, struct sl_err *err)
{
    return mvn_cache_keep_digest(path, sha256, err) && put_file(path, content, err);
}

void mvn_cache_touch(const char *path)
{
    struct sl_err ignored = SL_ERR_INIT;
    (void)!put_file(path, SL_STR(""), &ignored);
}

static void to_hex(const unsigned char *in, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(out + 2 * i, 3, "%02x", in[i]);
    }
}

void mvn_text_sha1(sl_str text, char out[41])
{
    unsigned char md[20];
    SL_BUG_ON(EVP_Digest(text.p ? text.p : "", text.n, md, NULL, EVP_sha1(), NULL) != 1);
    to_hex(md, sizeof(md), out);
}

bool mvn_file_digest(const char *path, char sha256[65], char sha1[41])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    static const size_t piece = 1 << 16;
    SL_ARENA_AUTO a = {0};
    char *buf = sl_arena_alloc(&a, piece);
    struct sl_sha256 h;
    EVP_MD_CTX *one = EVP_MD_CTX_new();
    SL_OOM_ON(!one || EVP_DigestInit_ex(one, EVP_sha1(), NULL) != 1);
    sl_sha256_init(&h);
    ssize_t n;
    while ((n = read(fd, buf, piece)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0) {
            sl_sha256_put(&h, buf, (size_t)n);
            SL_BUG_ON(EVP_DigestUpdate(one, buf, (size_t)n) != 1);
        }
    }
    close(fd);
    unsigned char md[20];
    SL_BUG_ON(EVP_DigestFinal_ex(one, md, NULL) != 1);
    EVP_MD_CTX_free(one);
    sl_sha256_hex(&h, sha256);
    to_hex(md, sizeof(md), sha1);
    return n == 0;
}

bool mvn_checksum_read(sl_str text, size_t digits, char *out)
{
    size_t run = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && isxdigit((unsigned char)text.p[i])) {
            run++;
            continue;
        }
        if (run == digits) {
            for (size_t j = 0; j < digits; j++) {
                out[j] = (char)tolower((unsigned char)text.p[i - digits + j]);
            }
            out[digits] = 0;
            return true;
        }
        run = 0;
    }
    return false;
}
