/* SPDX-License-Identifier: Apache-2.0
 * Finds, starts and asks the owner. */
#include "gateway/cli/owner_client.h"

#include "gateway/cli/settings.h"

#include "gateway/api/owner.h"
#include "gateway/jobs/artifact.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/http.h"
#include "sys/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define UP_MS    10000
#define FLAGS    64      /* settings handed on */
#define BRING_MS 3600000 /* for a jar to be sent to a server */
#define AGAIN_MS 100     /* between tries, while one that is ending still has the folder */

bool cli_owner_error(const struct sl_json *error, struct sl_err *err)
{
    const struct sl_json *data = sl_json_get(error, "data");
    data = data ? data : error; /* of an answer, or an error event */
    sl_str hint = sl_json_str(sl_json_get(data, "hint"), SL_STR(""));
    enum sl_code code = sl_code_of_slug(sl_json_str(sl_json_get(data, "code"), SL_STR("internal")));
    sl_fail(err, code == SL_OK ? SL_INTERNAL : code, "%.*s",
            SL_S(sl_json_str(sl_json_get(error, "message"), SL_STR("the owner failed"))));
    return hint.n ? sl_hint(err, "%.*s", SL_S(hint)) : false;
}

const struct sl_json *cli_owner_ask(struct net_rpc_client *c, const char *method, sl_str params,
                                    struct sl_arena *a, struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "jsonrpc", "2.0");
    sl_jw_ki64(&w, "id", 1);
    sl_jw_kstrz(&w, "method", method);
    sl_jw_key(&w, "params");
    sl_jw_raw(&w, params.n ? params : SL_STR("{}"));
    sl_jw_end_object(&w);
    if (!net_rpc_client_send(c, sl_buf_str(&b), err)) {
        return NULL;
    }
    for (;;) {
        sl_str line;
        enum net_rpc_next next = net_rpc_client_next(c, -1, &line);
        if (next == NET_RPC_INTERRUPTED) {
            sl_fail(err, SL_CANCELLED, "interrupted");
            return NULL;
        }
        if (next != NET_RPC_LINE) {
            sl_fail(err, SL_OWNER, "the owner of the data folder has gone");
            return NULL;
        }
        const struct sl_json *m = sl_json_parse(a, line, err);
        if (!m) {
            return NULL;
        }
        if (sl_json_get(m, "error")) {
            cli_owner_error(sl_json_get(m, "error"), err);
            return NULL;
        }
        if (sl_json_get(m, "result")) {
            return sl_json_get(m, "result");
        }
    }
}

/* An owner on its way up: what it says when it cannot is kept in memory, since the disk may be what is full.
 */
struct coming {
    pid_t pid;
    int said; /* memfd; -1 = none */
    int64_t since_ms;
};

static bool spawn_owner(struct coming *o, const char *self, struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    char out[64];
    if (o->said < 0) {
        o->said = memfd_create("owner", MFD_CLOEXEC);
    }
    snprintf(out, sizeof(out), "/proc/%d/fd/%d", (int)getpid(), o->said);
    const char *argv[2 * FLAGS + 5] = {self}, *flags[FLAGS];
    size_t n = 1, n_flags = sys_config_flags(cli_settings(), &a, flags, FLAGS);
    for (size_t i = 0; i < n_flags; i++) {
        argv[n++] = "--config";
        argv[n++] = flags[i];
    }
    argv[n++] = "owner";
    argv[n++] = "run";
    argv[n++] = "--json";
    struct sys_spawn sp = {.argv = argv, .cwd = "/", .out = o->said >= 0 ? out : NULL, .new_session = true};
    o->since_ms = sys_now_ms();
    o->pid = sys_spawn(&sp, err);
    return o->pid > 0;
}

/* It has ended before it listened. True when that is the last word; false when another one has the folder,
 * which may be just going or just coming. */
static bool owner_failed(struct coming *o, struct sl_err *err)
{
    int status;
    if (o->pid <= 0 || waitpid(o->pid, &status, WNOHANG) != o->pid) {
        return false;
    }
    o->pid = 0;
    char text[2048];
    ssize_t n = o->said < 0 ? 0 : pread(o->said, text, sizeof(text), 0);
    if (n <= 0 || ftruncate(o->said, 0) != 0) {
        return false;
    }
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err ignored = SL_ERR_INIT;
    const struct sl_json *said = sl_json_parse(&a, sl_str_trim((sl_str){text, (size_t)n}), &ignored);
    struct sl_err why = SL_ERR_INIT;
    if (!said) {
        return false;
    }
    cli_owner_error(said, &why);
    if (why.code == SL_BUSY) {
        return false;
    }
    *err = why;
    return true;
}

static struct net_rpc_client *connect_up(const char *path, const char *self, bool start, struct sl_err *err)
{
    struct net_rpc_client *c = net_rpc_connect(path, err);
    if (c || !start) {
        return c;
    }
    struct coming o = {.said = -1};
    int64_t until = sys_now_ms() + UP_MS;
    bool failed = false;
    while (!c && !failed && sys_now_ms() < until) {
        if (o.pid == 0 && sys_now_ms() - o.since_ms > AGAIN_MS && !spawn_owner(&o, self, err)) {
            failed = true;
            break;
        }
        sys_sleep_ms(5);
        c = net_rpc_connect(path, err);
        failed = !c && owner_failed(&o, err);
    }
    if (!c && !failed) {
        sl_fail(err, SL_OWNER, "no owner came up for %s within %d s", path, UP_MS / 1000);
        sl_hint(err, "sluice owner run      runs it in the foreground and says why");
    }
    if (o.said >= 0) {
        close(o.said);
    }
    return c;
}

/* The token of the settings; on the server's own machine, that of the data folder's file. */
static const char *token_of(struct sl_arena *a, const struct sys_config *set)
{
    struct sl_err none = SL_ERR_INIT;
    sl_str text;
    if (set->token.n) {
        return set->token.p;
    }
    return sys_file_read(a, sys_path_join(a, set->data.p, "token"), 4096, &text, &none)
               ? sl_arena_strdupz(a, sl_str_trim(text))
               : NULL;
}

/* The error of an answer that is problem details. */
static void read_problem(const struct sys_http_answer *x, struct sl_arena *a, struct sl_err *err)
{
    struct sl_err unread = SL_ERR_INIT;
    const struct sl_json *p = sl_json_parse(a, x->body, &unread);
    enum sl_code code = sl_code_of_slug(sl_json_str(sl_json_get(p, "code"), SL_STR("")));
    sl_str hint = sl_json_str(sl_json_get(p, "hint"), SL_STR(""));
    if (code == SL_OK) {
        sl_fail(err, SL_HTTP, "the server answers %d to an upload", x->status);
        return;
    }
    sl_fail(err, code, "%.*s", SL_S(sl_json_str(sl_json_get(p, "title"), SL_STR("the server refuses"))));
    if (hint.n) {
        sl_hint(err, "%.*s", SL_S(hint));
    }
}

static bool bring(const char *path, const char *digest, struct sl_arena *a, struct sl_err *err)
{
    const struct sys_config *set = cli_settings();
    const char *token = token_of(a, set), *slash = strrchr(path, '/');
    const char *headers[] = {token ? sl_arena_printf(a, "Authorization: Bearer %s", token).p : NULL, NULL};
    SL_BUF_AUTO url;
    sl_buf_init(&url, 0);
    sl_buf_puts(&url, set->server);
    while (url.n && url.p[url.n - 1] == '/') {
        url.n--;
    }
    sl_buf_printf(&url, "/api/v1/artifacts?digest=%s&name=", digest);
    for (const char *c = slash ? slash + 1 : path; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                     strchr("-._", *c);
        sl_buf_printf(&url, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
    sl_buf_putc(&url, '\0');
    struct sys_http_request rq = {.method = "POST",
                                  .url = url.p,
                                  .headers = headers,
                                  .content_type = "application/java-archive",
                                  .upload_path = path,
                                  .upload_raw = true,
                                  .total_ms = BRING_MS,
                                  .ca_file = set->server_ca.n ? set->server_ca.p : NULL};
    struct sys_http_answer answer;
    struct sys_http *h = sys_http_new();
    bool ok = sys_http_do(h, &rq, a, &answer, err);
    sys_http_free(h);
    if (ok && answer.status != 200) {
        read_problem(&answer, a, err);
        ok = false;
    }
    return ok;
}

bool cli_server_bring(const char *const *paths, size_t n, struct sl_arena *a, const char ***ret,
                      struct sl_err *err)
{
    *ret = sl_new_n(a, const char *, n + 1);
    struct net_rpc_client *c = n ? cli_owner_connect(false, err) : NULL;
    bool ok = n == 0 || c;
    for (size_t i = 0; i < n && ok; i++) {
        char *digest = sl_arena_alloc(a, 65);
        struct sl_err unknown = SL_ERR_INIT;
        if (!sys_exists(paths[i])) {
            sl_fail(err, SL_FILE_NOT_FOUND, "there is no jar %s", paths[i]);
            ok = sl_hint(err, "--jar takes the path of a file");
            break;
        }
        ok = artifact_digest(paths[i], digest, err);
        if (ok && !cli_owner_ask(c, "artifact.show", sl_arena_printf(a, "{\"digest\":\"%s\"}", digest), a,
                                 &unknown)) {
            ok = unknown.code == SL_ARTIFACT_UNKNOWN ? bring(paths[i], digest, a, err)
                                                     : (*err = unknown, false);
        }
        (*ret)[i] = digest;
    }
    net_rpc_client_free(c);
    return ok;
}

struct net_rpc_client *cli_owner_connect(bool start, struct sl_err *err)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    const struct sys_config *set = cli_settings();
    if (set->server.n) {
        return net_rpc_connect_url(set->server.p, token_of(&a, set),
                                   set->server_ca.n ? set->server_ca.p : NULL, err);
    }
    char *self = sys_self_path(&a);
    char *path = owner_socket_path(&a, cli_settings()->data.p);
    struct net_rpc_client *c = connect_up(path, self, start, err);
    if (!c || !start) {
        return c;
    }
    const struct sl_json *hello = cli_owner_ask(c, "hello", SL_STR_NONE, &a, err);
    if (hello && sl_str_eqz(sl_json_str(sl_json_get(hello, "build"), SL_STR("")), owner_build_id(&a, self))) {
        return c;
    }
    if (hello && sl_json_i64(sl_json_get(hello, "activeRuns"), 0) > 0) {
        return c; /* an older build with work in hand goes on */
    }
    if (hello && cli_owner_ask(c, "owner.stop", SL_STR_NONE, &a, err)) {
        sl_str line;
        while (net_rpc_client_next(c, UP_MS, &line) == NET_RPC_LINE) {
        }
    }
    net_rpc_client_free(c);
    return connect_up(path, self, true, err);
}
