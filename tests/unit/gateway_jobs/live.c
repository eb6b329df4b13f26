/* SPDX-License-Identifier: Apache-2.0
 * Submissions under way with several clients: who follows sees all events but rows once, and the answer; who
 * may end it; what happens when the clients go. */
#include "gateway/jobs/live.h"

#include "base/limits.h"
#include "sys/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SOON_MS 20000

struct client {
    struct event_sink sink;
    pthread_mutex_t lock;
    char *got[2048];
    uint64_t numbers[2048]; /* 0: it had none */
    size_t n;
    bool stop, gone;
};

static bool emit_numbered(void *ctx, uint64_t number, sl_str json)
{
    struct client *c = ctx;
    pthread_mutex_lock(&c->lock);
    bool there = !c->gone;
    if (there) {
        c->numbers[c->n] = number;
        c->got[c->n++] = strndup(json.p, json.n);
    }
    pthread_mutex_unlock(&c->lock);
    return there;
}

static bool emit(void *ctx, sl_str json)
{
    return emit_numbered(ctx, 0, json);
}

static bool flag(struct client *c, const bool *which)
{
    pthread_mutex_lock(&c->lock);
    bool is = *which;
    pthread_mutex_unlock(&c->lock);
    return is;
}

static bool stopped(void *ctx)
{
    return flag(ctx, &((struct client *)ctx)->stop);
}

static bool has_gone(void *ctx)
{
    return flag(ctx, &((struct client *)ctx)->gone);
}

static void set(struct client *c, bool *which)
{
    pthread_mutex_lock(&c->lock);
    *which = true;
    pthread_mutex_unlock(&c->lock);
}

static size_t received(struct client *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->n;
    pthread_mutex_unlock(&c->lock);
    return n;
}

static void client_init(struct client *c)
{
    memset(c, 0, sizeof(*c));
    pthread_mutex_init(&c->lock, NULL);
    c->sink = (struct event_sink){
        .ctx = c, .emit = emit, .emit_numbered = emit_numbered, .cancelled = stopped, .gone = has_gone};
}

static void client_free(struct client *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->got[i]);
    }
    pthread_mutex_destroy(&c->lock);
}

struct follower {
    struct client client;
    struct live_hub *hub;
    const char *key, *body;
    uint64_t since;
    struct sl_arena arena;
    enum live_follow how;
    int exit_code;
    sl_str json;
    pthread_t thread;
};

static void *follow(void *arg)
{
    struct follower *f = arg;
    f->how = live_follow(f->hub, sl_str_of(f->key), f->body, &f->client.sink, f->since, &f->arena,
                         &f->exit_code, &f->json);
    return NULL;
}

static void follower_start_behind(struct follower *f, struct live_hub *h, const char *key, const char *body,
                                  uint64_t since)
{
    memset(f, 0, sizeof(*f));
    client_init(&f->client);
    sl_arena_init(&f->arena, 0);
    f->hub = h;
    f->key = key;
    f->body = body;
    f->since = since;
    assert_int_equal(pthread_create(&f->thread, NULL, follow, f), 0);
}

static void follower_start(struct follower *f, struct live_hub *h, const char *key, const char *body)
{
    follower_start_behind(f, h, key, body, 0);
}

static void follower_end(struct follower *f)
{
    client_free(&f->client);
    sl_arena_release(&f->arena);
}

static void say(struct live *l, const char *json)
{
    const struct event_sink *k = live_sink(l);
    k->emit(k->ctx, sl_str_of(json));
}

static bool is_cancelled(struct live *l)
{
    const struct event_sink *k = live_sink(l);
    return k->cancelled(k->ctx);
}

static bool soon_cancelled(struct live *l)
{
    int64_t until = sys_now_ms() + SOON_MS;
    while (!is_cancelled(l) && sys_now_ms() < until) {
        usleep(1000);
    }
    return is_cancelled(l);
}

static void who_follows_sees_every_event_once_and_the_answer(void **state)
{
    (void)state;
    struct live_hub *h = live_hub_new();
    struct client first;
    client_init(&first);
    struct live *l = live_begin(h, SL_STR("k"), "body", &first.sink, false, false);
    assert_non_null(l);
    assert_null(live_begin(h, SL_STR("k"), "body", &first.sink, false, false));
    assert_int_equal(live_count(h), 1);
    say(l, "{\"event\":\"step\",\"n\":1}");
    enum { N = 8 };
    struct follower f[N], other;
    for (int i = 0; i < N; i++) {
        follower_start(&f[i], h, "k", "body");
    }
    follower_start(&other, h, "k", "another body");
    pthread_join(other.thread, NULL);
    assert_int_equal(other.how, LIVE_OTHER_BODY);
    for (int i = 2; i < 100; i++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"event\":\"step\",\"n\":%d}", i);
        say(l, text);
        say(l, "{\"event\":\"rows\",\"rows\":[]}"); /* only to the one that brought it */
    }
    live_end(l, 3, SL_STR("{\"exit\":3}"));
    for (int i = 0; i < N; i++) {
        pthread_join(f[i].thread, NULL);
        /* one that came only after the end finds nothing: the store has the answer then */
        assert_true(f[i].how == LIVE_ENDED || f[i].how == LIVE_NONE);
        if (f[i].how == LIVE_ENDED) {
            assert_int_equal(f[i].exit_code, 3);
            assert_true(sl_str_eqz(f[i].json, "{\"exit\":3}"));
            assert_int_equal(f[i].client.n, 99);
            for (size_t k = 0; k < 99; k++) {
                char text[64];
                snprintf(text, sizeof(text), "{\"event\":\"step\",\"n\":%zu}", k + 1);
                assert_string_equal(f[i].client.got[k], text);
            }
        }
        follower_end(&f[i]);
    }
    follower_end(&other);
    assert_int_equal(first.n, 99 + 98);
    assert_int_equal(live_count(h), 0);
    assert_non_null(l = live_begin(h, SL_STR("k"), "body", NULL, true, false)); /* free again */
    live_end(l, 0, SL_STR("{}"));
    client_free(&first);
    live_hub_free(h);
}

/* A reader that breaks off anywhere and says what it saw last has seen everything, once, in order. */
static void who_comes_back_goes_on_behind_what_it_saw(void **state)
{
    (void)state;
    enum { N = 200 };
    struct live_hub *h = live_hub_new();
    struct client first;
    client_init(&first);
    struct live *l = live_begin(h, SL_STR("k"), "body", &first.sink, false, false);
    for (int i = 1; i <= N; i++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"event\":\"step\",\"n\":%d}", i);
        say(l, text);
        say(l, "{\"event\":\"rows\",\"rows\":[]}");
    }
    assert_int_equal(first.n, 2 * N);
    for (int i = 0; i < 2 * N; i++) { /* rows cannot be asked for again */
        assert_int_equal(first.numbers[i], i % 2 == 0 ? i / 2 + 1 : 0);
    }
    const uint64_t places[] = {1, 57, N - 1, N, N + 1000, LIVE_FROM_NOW};
    struct follower f[SL_ARRAY_LEN(places)];
    for (size_t i = 0; i < SL_ARRAY_LEN(places); i++) {
        follower_start_behind(&f[i], h, "k", "body", places[i]);
        size_t want = places[i] >= N ? 0 : N - (size_t)places[i];
        for (int64_t until = sys_now_ms() + SOON_MS; received(&f[i].client) < want && sys_now_ms() < until;) {
            usleep(1000);
        }
    }
    sys_sleep_ms(100); /* for those that have nothing to wait for to be there */
    say(l, "{\"event\":\"step\",\"n\":201}");
    live_end(l, 0, SL_STR("{}"));
    for (size_t i = 0; i < SL_ARRAY_LEN(places); i++) {
        pthread_join(f[i].thread, NULL);
        if (f[i].how == LIVE_ENDED) {
            uint64_t from = SL_MIN(places[i], (uint64_t)N);
            bool late = places[i] > N && f[i].client.n == 0; /* came between the last event and the end */
            assert_true(late || f[i].client.n == N + 1 - from);
            for (size_t k = 0; k < f[i].client.n; k++) {
                assert_int_equal(f[i].client.numbers[k], from + k + 1);
            }
        }
        follower_end(&f[i]);
    }
    client_free(&first);
    live_hub_free(h);
}

static void it_waits_for_its_client_to_come_back_but_not_for_ever(void **state)
{
    (void)state;
    struct live_hub *h = live_hub_new();
    struct client first;
    struct follower back;
    int64_t before = sl_limits.reattach_ms;
    sl_limits.reattach_ms = 600000;
    client_init(&first);
    struct live *l = live_begin(h, SL_STR("k"), "b", &first.sink, false, false);
    set(&first, &first.gone);
    assert_false(is_cancelled(l));
    follower_start(&back, h, "k", "b");
    say(l, "{\"event\":\"step\"}");
    while (received(&back.client) == 0) {
        usleep(1000);
    }
    sl_limits.reattach_ms = 1;
    assert_false(is_cancelled(l)); /* somebody looks */
    set(&back.client, &back.client.gone);
    pthread_join(back.thread, NULL);
    assert_int_equal(back.how, LIVE_LEFT);
    assert_true(soon_cancelled(l));
    live_end(l, 130, SL_STR("{}"));
    follower_end(&back);
    client_free(&first);
    sl_limits.reattach_ms = before;
    live_hub_free(h);
}

static void who_may_end_it(void **state)
{
    (void)state;
    struct live_hub *h = live_hub_new();
    struct client a, b, c;
    struct follower f;
    client_init(&a);
    client_init(&b);
    client_init(&c);
    /* rows have nowhere to go */
    struct live *rows = live_begin(h, SL_STR("rows"), "b", &a.sink, false, true);
    assert_false(is_cancelled(rows));
    set(&a, &a.gone);
    assert_true(is_cancelled(rows));
    /* detached: not by going, but by asking, also when it goes right after that */
    struct live *stays = live_begin(h, SL_STR("stays"), "b", &b.sink, true, false);
    set(&b, &b.gone);
    assert_false(is_cancelled(stays));
    follower_start(&f, h, "stays", "b");
    set(&f.client, &f.client.stop);
    assert_true(soon_cancelled(stays));
    struct live *asked = live_begin(h, SL_STR("asked"), "b", &c.sink, true, false);
    set(&c, &c.stop);
    set(&c, &c.gone);
    assert_true(is_cancelled(asked));
    live_end(rows, 0, SL_STR("{}"));
    live_end(stays, 0, SL_STR("{}"));
    live_end(asked, 0, SL_STR("{}"));
    pthread_join(f.thread, NULL);
    assert_int_equal(f.how, LIVE_ENDED);
    /* the owner ends */
    struct live *left = live_begin(h, SL_STR("left"), "b", NULL, true, false);
    assert_false(is_cancelled(left));
    live_hub_stop(h);
    assert_true(is_cancelled(left));
    live_end(left, 0, SL_STR("{}"));
    follower_end(&f);
    client_free(&a);
    client_free(&b);
    client_free(&c);
    live_hub_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_follows_sees_every_event_once_and_the_answer),
        cmocka_unit_test(who_comes_back_goes_on_behind_what_it_saw),
        cmocka_unit_test(it_waits_for_its_client_to_come_back_but_not_for_ever),
        cmocka_unit_test(who_may_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
