/* SPDX-License-Identifier: Apache-2.0
 * Reading again is work of a thread of libuv's pool (files, store); what was read is put in force on the loop, all of it or
 * nothing. */
#include "gateway/api/operate.h"

#include "sys/clock.h"
#include "sys/log.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct operate {
    struct operate_env env;
    uv_signal_t on_hup, on_usr1;
    int handles;
    bool closed, working, again; /* again: asked for while it was under way */
    int64_t started_ms;
    uv_work_t work;
    struct sl_arena arena[2]; /* of `settings`: in force and the next */
    int in_force;
    struct sys_config settings[2];
    struct front_tls *tls;
    struct sl_err err;
    bool ok;
};

/* Settings that are read at the start only. */
static const enum sys_config_key needs_restart[] = {SYS_CONFIG_KEY_data,
                                                    SYS_CONFIG_KEY_listen,
                                                    SYS_CONFIG_KEY_anonymous,
                                                    SYS_CONFIG_KEY_prepare,
                                                    SYS_CONFIG_KEY_results_address,
                                                    SYS_CONFIG_KEY_results_bind,
                                                    SYS_CONFIG_KEY_results_tls,
                                                    SYS_CONFIG_KEY_local_slots,
                                                    SYS_CONFIG_KEY_local_idle_ms,
                                                    SYS_CONFIG_KEY_log_file,
                                                    SYS_CONFIG_KEY_log_bytes,
                                                    SYS_CONFIG_KEY_owner_idle_ms,
                                                    SYS_CONFIG_KEY_local_keep_on_stop};

void operate_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@')) {
        return;
    }
    memcpy(to.sun_path, path, n);
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0'; /* a name without a file */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        (void)!sendto(fd, state, strlen(state), 0, (const struct sockaddr *)&to,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
        close(fd);
    }
}

/* --- HUP ----------------------------------------------------------------------------------------------------------- */

static const char *path_or_null(sl_str s)
{
    return s.n ? s.p : NULL;
}

static void read_again(uv_work_t *w)
{
    struct operate *o = w->data;
    int next = 1 - o->in_force;
    struct sys_config *c = &o->settings[next];
    sl_arena_release(&o->arena[next]);
    o->err = SL_ERR_INIT;
    o->ok = sys_config_reload(&o->settings[o->in_force], &o->arena[next], c, &o->err);
    if (o->ok && o->env.serve && c->tls_cert.n && c->tls_key.n) {
        o->tls = front_tls_read(c->tls_cert.p, c->tls_key.p, path_or_null(c->tls_client_ca), &o->err);
        o->ok = o->tls != NULL;
    }
    o->ok = o->ok && auth_rules_check(c->rules, &o->err) && auth_reload(o->env.auth, &o->err) &&
            (!o->env.token_file || auth_token_file(o->env.auth, o->env.token_file, &o->err));
}

static void put_in_force(struct operate *o)
{
    const struct sys_config *old = &o->settings[o->in_force], *c = &o->settings[1 - o->in_force];
    for (size_t i = 0; i < SL_ARRAY_LEN(needs_restart); i++) {
        if (!sys_config_same(old, c, needs_restart[i])) {
            sys_log(SYS_LOG_WARN, "owner", "needs-restart", "setting=%s", sys_config_name(needs_restart[i]));
        }
    }
    sys_log_set_level((enum sys_log_level)c->log_level);
    sys_log_set_json(c->log_json);
    sys_config_apply(c);
    struct sl_err ignored = SL_ERR_INIT; /* it was checked when it was read */
    (void)!auth_rules_set(o->env.rules, c->rules, &ignored);
    if (o->env.serve) {
        serve_reload(o->env.serve, c, o->tls);
    }
    o->in_force = 1 - o->in_force;
}

static void begin_reading(struct operate *o);

static void on_read(uv_work_t *w, int status)
{
    struct operate *o = w->data;
    (void)status;
    o->working = false;
    if (!o->ok) {
        sys_log(SYS_LOG_ERR, "owner", "reload-failed", "code=%s line=%u error=\"%s\"",
                sl_code_slug(o->err.code), o->err.pos.off == SL_NO_POS ? 0 : o->err.pos.line, o->err.msg);
    } else if (!o->closed) {
        put_in_force(o);
        sys_log(SYS_LOG_INFO, "owner", "reloaded", "file=\"%.*s\"", SL_S(o->settings[o->in_force].file));
    }
    front_tls_free(o->tls);
    o->tls = NULL;
    if (!o->closed) {
        operate_notify("READY=1");
    }
    if (o->again && !o->closed) {
        o->again = false;
        begin_reading(o);
    }
}

static void begin_reading(struct operate *o)
{
    if (o->working) {
        o->again = true;
        return;
    }
    o->working = true;
    o->work.data = o;
    operate_notify("RELOADING=1");
    SL_BUG_ON(uv_queue_work(o->env.loop, &o->work, read_again, on_read) != 0);
}

static void on_hup(uv_signal_t *h, int number)
{
    (void)number;
    begin_reading(h->data);
}

/* --- USR1 ---------------------------------------------------------------------------------------------------------- */

static void log_call(void *ctx, const struct api_call_seen *c)
{
    (void)ctx;
    sys_log(SYS_LOG_ERR, "state", "call", "method=%s user=\"%.*s\" ageMs=%lld stopped=%s gone=%s", c->method,
            SL_S(c->user), (long long)c->age_ms, c->stopped ? "true" : "false", c->gone ? "true" : "false");
}

static void on_usr1(uv_signal_t *h, int number)
{
    struct operate *o = h->data;
    (void)number;
    int64_t up = sys_now_ms() - o->started_ms;
    /* As errors: whatever the level is, who asks gets it. */
    sys_log(SYS_LOG_ERR, "state", "owner", "version=%s pid=%d upMs=%lld calls=%zu runs=%zu logDropped=%llu",
            SLUICE_VERSION, (int)getpid(), (long long)up, api_calls(o->env.api),
            tracker_active(o->env.tracker), (unsigned long long)sys_log_dropped());
    if (o->env.serve) {
        serve_log_state(o->env.serve);
    }
    api_each_call(o->env.api, log_call, NULL);
}

/* --- start and end ------------------------------------------------------------------------------------------------- */

struct operate *operate_start(const struct operate_env *env)
{
    struct operate *o = calloc(1, sizeof(*o));
    SL_OOM_ON(!o);
    o->env = *env;
    o->started_ms = sys_now_ms();
    o->settings[0] = *env->settings;
    for (int i = 0; i < 2; i++) {
        sl_arena_init(&o->arena[i], 0);
    }
    uv_signal_init(env->loop, &o->on_hup);
    uv_signal_init(env->loop, &o->on_usr1);
    o->on_hup.data = o->on_usr1.data = o;
    o->handles = 2;
    uv_signal_start(&o->on_hup, on_hup, SIGHUP);
    uv_signal_start(&o->on_usr1, on_usr1, SIGUSR1);
    return o;
}

static void on_handle_closed(uv_handle_t *h)
{
    ((struct operate *)h->data)->handles--;
}

void operate_close(struct operate *o)
{
    if (!o->closed) {
        o->closed = true;
        uv_close((uv_handle_t *)&o->on_hup, on_handle_closed);
        uv_close((uv_handle_t *)&o->on_usr1, on_handle_closed);
    }
}

bool operate_closed(const struct operate *o)
{
    return o->closed && o->handles == 0 && !o->working;
}

void operate_free(struct operate *o)
{
    SL_BUG_ON(!operate_closed(o));
    for (int i = 0; i < 2; i++) {
        sl_arena_release(&o->arena[i]);
    }
    free(o);
}
