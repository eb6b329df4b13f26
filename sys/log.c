/* SPDX-License-Identifier: Apache-2.0
 * The log: callers format on their stack and copy into a byte ring under a mutex; a thread of its own writes.
 * A line that does not fit is dropped and counted; more than a burst of the same event in a second is held
 * back and counted. */
#include "sys/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "sys/clock.h"

#define LINE_BYTES 4096
#define RATE_SLOTS 64

/* How often one event was logged in the running second. */
struct rate {
    uint64_t event; /* hash of module and event */
    int64_t second;
    uint64_t held; /* not yet told */
    unsigned n;
};

static struct {
    pthread_mutex_t lock; /* guards all but level, json, dropped */
    pthread_cond_t wake;
    bool open, stopping;
    char *ring;
    size_t at, n; /* first unwritten byte, unwritten bytes */
    struct rate rate[RATE_SLOTS];
    pthread_t thread;
    /* of the writer thread while it lives */
    int fd;
    char *path;
    size_t written, max;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .fd = -1};

static _Atomic int level_now = SYS_LOG_INFO;
static _Atomic bool json_now;
static _Atomic uint64_t dropped;

static const char *const level_names[] = {"err", "warn", "info", "debug"};

static void open_file(void)
{
    if (!sink.path) {
        sink.fd = STDERR_FILENO;
        return;
    }
    struct stat st;
    sink.fd = open(sink.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    sink.written = sink.fd >= 0 && fstat(sink.fd, &st) == 0 ? (size_t)st.st_size : 0;
}

static void close_file(void)
{
    if (sink.fd >= 0 && sink.path) {
        close(sink.fd);
    }
    sink.fd = -1;
}

static void rotate(void)
{
    char old[4096];
    if (snprintf(old, sizeof(old), "%s.1", sink.path) < (int)sizeof(old)) {
        rename(sink.path, old);
    }
    close_file();
    open_file();
}

static void write_out(const char *p, size_t n)
{
    if (sink.path && sink.max && sink.written > 0 && sink.written + n > sink.max) {
        rotate();
    }
    while (n > 0 && sink.fd >= 0) {
        ssize_t w = write(sink.fd, p, n);
        if (w <= 0) {
            return; /* nobody is left to tell */
        }
        sink.written += (size_t)w;
        p += w;
        n -= (size_t)w;
    }
}

static void *writer(void *arg)
{
    char *part = arg;
    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&sink.lock);
    for (;;) {
        while (sink.n == 0 && !sink.stopping) {
            pthread_cond_wait(&sink.wake, &sink.lock);
        }
        if (sink.n == 0) {
            break;
        }
        size_t n = SL_MIN(sink.n, SL_LIMIT_LOG_RING_BYTES - sink.at);
        memcpy(part, sink.ring + sink.at, n);
        sink.at = (sink.at + n) % SL_LIMIT_LOG_RING_BYTES;
        sink.n -= n;
        pthread_mutex_unlock(&sink.lock);
        write_out(part, n);
        pthread_mutex_lock(&sink.lock);
    }
    pthread_mutex_unlock(&sink.lock);
    free(part);
    return NULL;
}

void sys_log_open(const char *path, enum sys_log_level level, size_t max_bytes)
{
    sys_log_close();
    atomic_store(&level_now, (int)level);
    pthread_mutex_lock(&sink.lock);
    sink.path = path ? strdup(path) : NULL;
    sink.max = max_bytes;
    sink.ring = malloc(SL_LIMIT_LOG_RING_BYTES);
    char *part = malloc(SL_LIMIT_LOG_RING_BYTES);
    SL_OOM_ON(!sink.ring || !part || (path && !sink.path));
    sink.at = sink.n = 0;
    sink.stopping = false;
    memset(sink.rate, 0, sizeof(sink.rate));
    open_file();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    SL_OOM_ON(pthread_create(&sink.thread, NULL, writer, part) != 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sink.open = true;
    pthread_mutex_unlock(&sink.lock);
}

void sys_log_close(void)
{
    pthread_mutex_lock(&sink.lock);
    bool was_open = sink.open;
    sink.open = false;
    sink.stopping = true;
    pthread_cond_signal(&sink.wake);
    pthread_mutex_unlock(&sink.lock);
    if (!was_open) {
        return;
    }
    pthread_join(sink.thread, NULL);
    close_file();
    free(sink.path);
    free(sink.ring);
    sink.path = sink.ring = NULL;
}

void sys_log_set_level(enum sys_log_level level)
{
    atomic_store(&level_now, (int)level);
}

void sys_log_set_json(bool on)
{
    atomic_store(&json_now, on);
}

uint64_t sys_log_dropped(void)
{
    return atomic_load(&dropped);
}

/* May the event pass? *ret_held: how many of its kind were held back before. Under the lock. */
static bool rate_allows(const char *mod, const char *event, uint64_t *ret_held)
{
    uint64_t hash = sl_str_hash(sl_str_of(mod)) * 31 + sl_str_hash(sl_str_of(event));
    struct rate *r = &sink.rate[hash % RATE_SLOTS];
    int64_t second = sys_now_ms() / 1000;
    *ret_held = 0;
    if (r->event != hash) {
        *r = (struct rate){.event = hash, .second = second};
    } else if (r->second != second) {
        *ret_held = r->held;
        *r = (struct rate){.event = hash, .second = second};
    }
    if (r->n >= SL_LIMIT_LOG_PER_SECOND) {
        r->held++;
        return false;
    }
    r->n++;
    return true;
}

static void put_ring(const char *p, size_t n)
{
    if (n > SL_LIMIT_LOG_RING_BYTES - sink.n) {
        atomic_fetch_add(&dropped, 1);
        return;
    }
    size_t end = (sink.at + sink.n) % SL_LIMIT_LOG_RING_BYTES;
    size_t first = SL_MIN(n, SL_LIMIT_LOG_RING_BYTES - end);
    memcpy(sink.ring + end, p, first);
    memcpy(sink.ring, p + first, n - first);
    sink.n += n;
    pthread_cond_signal(&sink.wake);
}

/* Splits "key=value key=\"a b\" key=two words" into pairs; a word without "=" belongs to the value before it.
 */
static void json_pairs(struct sl_jw *w, sl_str text)
{
    while ((text = sl_str_trim(text)).n > 0) {
        ptrdiff_t eq = sl_str_find_char(text, '=');
        if (eq < 0) {
            sl_jw_kstr(w, "text", text);
            return;
        }
        sl_str key = sl_str_sub(text, 0, (size_t)eq),
               rest = sl_str_sub(text, (size_t)eq + 1, text.n - (size_t)eq - 1);
        size_t end = 0, value_end;
        if (rest.n > 0 && rest.p[0] == '"') {
            ptrdiff_t quote = sl_str_find_char(sl_str_sub(rest, 1, rest.n - 1), '"');
            value_end = end = quote < 0 ? rest.n : (size_t)quote + 2;
        } else {
            ptrdiff_t next = sl_str_find_char(rest, '=');
            value_end = rest.n;
            if (next >= 0) {
                for (value_end = (size_t)next; value_end > 0 && rest.p[value_end] != ' '; value_end--) {
                }
            }
            end = value_end;
        }
        sl_str value = sl_str_trim(sl_str_sub(rest, 0, value_end));
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
            value = sl_str_sub(value, 1, value.n - 2);
        }
        sl_jw_keys(w, key);
        sl_jw_str(w, value);
        text = sl_str_sub(rest, end, rest.n - end);
    }
}

static void format_line(struct sl_buf *b, enum sys_log_level level, const char *mod, const char *event,
                        sl_str text, uint64_t held)
{
    char ts[32];
    sys_time_rfc3339(sys_wall_ms(), ts);
    if (!atomic_load(&json_now)) {
        sl_buf_printf(b, "%s %s %s %s%s%.*s", ts, level_names[level], mod, event, text.n ? " " : "",
                      SL_S(text));
        if (held) {
            sl_buf_printf(b, " held_back=%llu", (unsigned long long)held);
        }
        sl_buf_putc(b, '\n');
        return;
    }
    struct sl_jw w;
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "ts", ts);
    sl_jw_kstrz(&w, "level", level_names[level]);
    sl_jw_kstrz(&w, "mod", mod);
    sl_jw_kstrz(&w, "event", event);
    json_pairs(&w, text);
    if (held) {
        sl_jw_ki64(&w, "held_back", (int64_t)held);
    }
    sl_jw_end_object(&w);
    sl_buf_putc(b, '\n');
}

void sys_log(enum sys_log_level level, const char *mod, const char *event, const char *fmt, ...)
{
    if ((int)level > atomic_load(&level_now)) {
        return;
    }
    char text[LINE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = ' '; /* what others wrote must not begin a line of ours */
        }
    }
    uint64_t held = 0;
    pthread_mutex_lock(&sink.lock);
    bool pass = sink.open && rate_allows(mod, event, &held);
    pthread_mutex_unlock(&sink.lock);
    if (!pass) {
        return;
    }
    SL_BUF_AUTO b = {0};
    format_line(&b, level, mod, event, sl_str_of(text), held);
    pthread_mutex_lock(&sink.lock);
    if (sink.open) {
        put_ring(b.p, b.n);
    }
    pthread_mutex_unlock(&sink.lock);
}
