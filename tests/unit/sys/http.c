/* SPDX-License-Identifier: Apache-2.0
 * The blocking HTTP client against a server that misbehaves: each ending is one clear line with host and
 * port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/file.h"
#include "sys/http.h"
#include "sys/process.h"
#include "tests/unit/sys/http_server.h"

static struct server *server;
static struct sys_http *http;
static struct sl_arena arena;
static struct sl_err err;
static struct sys_http_answer answer;
static char dir[64];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sluice-http-XXXXXX");
    if (!mkdtemp(dir)) {
        return -1;
    }
    server = server_start();
    http = sys_http_new();
    sl_arena_init(&arena, 0);
    err = SL_ERR_INIT;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sys_http_free(http);
    server_stop(server);
    sl_arena_release(&arena);
    return sys_rmtree(dir, NULL) ? 0 : -1;
}

static const char *url(const char *path)
{
    return sl_arena_printf(&arena, "http://127.0.0.1:%d%s", server->port, path).p;
}

static bool get(const char *path, int64_t total_ms)
{
    struct sys_http_request rq = {.method = "GET", .url = url(path), .total_ms = total_ms};
    err = SL_ERR_INIT;
    return sys_http_do(http, &rq, &arena, &answer, &err);
}

static void answers_come_whole_on_one_connection(void **state)
{
    (void)state;
    assert_true(get("/ok", 0));
    assert_int_equal(answer.status, 200);
    assert_true(sl_str_eqz(answer.body, "{\"ok\":true}") &&
                sl_str_eqz(answer.content_type, "application/json"));
    assert_true(get("/500", 0)); /* an answer, not an error */
    assert_true(answer.status == 500 && sl_str_eqz(answer.body, "broken"));
    assert_true(get("/ok", 0));
    assert_int_equal(server->requests, 3);
    assert_int_equal(server->connections, 1);
}

static void requests_carry_method_headers_and_body(void **state)
{
    (void)state;
    static const char *const headers[] = {"X-Test: yes", "Authorization: Bearer t", NULL};
    struct sys_http_request rq = {.method = "PATCH",
                                  .url = url("/echo"),
                                  .headers = headers,
                                  .content_type = "application/json",
                                  .body = SL_STR("{\"a\":\0}")};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(answer.status, 201);
    assert_true(sl_str_starts(answer.body, SL_STR("PATCH /echo HTTP/1.1\r\n")));
    assert_true(sl_str_find(answer.body, SL_STR("\r\nX-Test: yes\r\n")) > 0);
    assert_true(sl_str_find(answer.body, SL_STR("\r\nContent-Type: application/json\r\n")) > 0);
    assert_true(sl_str_ends(answer.body, SL_STR("\r\n\r\n{\"a\":\0}")));
    assert_true(sl_str_find(answer.body, SL_STR("Expect:")) < 0);
    rq = (struct sys_http_request){.method = "POST", .url = url("/echo")};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(sl_str_find(answer.body, SL_STR("\r\nContent-Length: 0\r\n")) > 0);
    rq.method = "DELETE";
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(sl_str_starts(answer.body, SL_STR("DELETE /echo")));
    static const char *const evil[] = {"X: a\r\nY: b", NULL};
    rq.headers = evil;
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_HTTP);
}

static void files_are_uploaded_as_multipart(void **state)
{
    (void)state;
    const char *path = sys_path_join(&arena, dir, "my.jar");
    assert_true(sys_file_write(path, SL_STR("PK\3\4 jar bytes \0 end"), 0600, &err));
    struct sys_http_request rq = {
        .method = "POST", .url = url("/echo"), .upload_field = "jarfile", .upload_path = path};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(sl_str_find(answer.body, SL_STR("name=\"jarfile\"; filename=\"my.jar\"")) > 0);
    assert_true(sl_str_find(answer.body, SL_STR("PK\3\4 jar bytes \0 end\r\n--")) > 0);
    assert_true(sl_str_find(answer.body, SL_STR("Content-Type: multipart/form-data; boundary=")) > 0);
    rq.upload_path = "/no/such/file";
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_FILE_NOT_FOUND);
}

static void a_multipart_part_may_have_a_type(void **state)
{
    (void)state;
    const char *path = sys_path_join(&arena, dir, "my.jar");
    assert_true(sys_file_write(path, SL_STR("PK"), 0600, &err));
    struct sys_http_request rq = {.method = "POST",
                                  .url = url("/echo"),
                                  .upload_field = "jarfile",
                                  .upload_path = path,
                                  .content_type = "application/x-java-archive"};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(sl_str_find(answer.body, SL_STR("Content-Type: multipart/form-data; boundary=")) > 0);
    assert_true(
        sl_str_find(answer.body, SL_STR("\r\nContent-Type: application/x-java-archive\r\n\r\nPK\r\n--")) > 0);
}

static void bad_servers_are_one_clear_line(void **state)
{
    (void)state;
    static const struct {
        const char *path, *words;
    } cases[] = {
        {"/close", "closed the connection without an answer"},
        {"/reset", "broke the connection off before it answered"},
        {"/garbage", "does not answer in HTTP"},
        {"/half", "in the middle of the answer"},
        {"/hang", "no answer within 0.3 s"},
        {"/slow", "the answer did not end within 0.3 s"},
    };
    char where[64];
    snprintf(where, sizeof(where), "127.0.0.1:%d", server->port);
    for (size_t i = 0; i < SL_ARRAY_LEN(cases); i++) {
        if (get(cases[i].path, 300)) {
            fail_msg("%s was an answer", cases[i].path);
        }
        if (err.code != SL_TARGET_UNREACHABLE || !strstr(err.msg, cases[i].words) ||
            !strstr(err.msg, where) || strchr(err.msg, '\n')) {
            fail_msg("%s: %s: %s", cases[i].path, sl_code_slug(err.code), err.msg);
        }
        server->stop = true; /* lets a hanging answer end ... */
        server_stop(server);
        server = server_start();
        snprintf(where, sizeof(where), "127.0.0.1:%d", server->port);
    }
    assert_true(get("/ok", 0)); /* the client is none the worse */
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    int port = sys_free_port();
    struct sys_http_request rq = {.method = "GET",
                                  .url = sl_arena_printf(&arena, "http://localhost:%d/secret", port).p};
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
    char want[128];
    snprintf(want, sizeof(want), "cannot reach localhost:%d: connection refused", port);
    assert_string_equal(err.msg, want);
    rq.url = "http://no-such-host.invalid:8081/x";
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
    static const char *const bad[] = {"file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://a b/",
                                      "gopher://x"};
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        rq.url = bad[i];
        assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
        assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
    }
}

static void answers_have_a_limit(void **state)
{
    (void)state;
    struct sys_http_request rq = {.method = "GET", .url = url("/big"), .max_bytes = 99999};
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_LIMIT);
    rq.max_bytes = 100000;
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(answer.body.n, 100000);
}

static void redirects_only_when_asked_and_only_http(void **state)
{
    (void)state;
    assert_true(get("/redirect", 0) && answer.status == 302 && sl_str_eqz(answer.body, "move"));
    struct sys_http_request rq = {.method = "GET", .url = url("/redirect"), .follow = true};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(answer.status == 200 && sl_str_eqz(answer.body, "{\"ok\":true}"));
    rq.url = url("/tofile");
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    rq.url = url("/round");
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_non_null(strstr(err.msg, "redirects more than"));
}

static void check_file(const char *path)
{
    sl_str text;
    assert_true(sys_file_read(&arena, path, FILE_BYTES, &text, &err));
    assert_int_equal(text.n, FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++) {
        if (text.p[i] != file_byte(i)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
}

static int64_t seen_done, seen_total;
static bool note_progress(void *ctx, int64_t done, int64_t total)
{
    seen_done = SL_MAX(seen_done, done);
    seen_total = SL_MAX(seen_total, total);
    return ctx == NULL;
}

static void downloads_resume_where_they_broke(void **state)
{
    (void)state;
    const char *path = sys_path_join(&arena, dir, "f.part");
    struct sys_http_request rq = {
        .method = "GET", .url = url("/file"), .save_path = path, .resume = true, .progress = note_progress};
    server->fail_after = 30000;
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_TARGET_UNREACHABLE);
    assert_int_equal(sys_file_size(path), 30000);
    server->fail_after = 45000;
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(sys_file_size(path), 75000);
    seen_done = seen_total = 0;
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(server_got(server, "bytes=75000-"));
    assert_true(answer.status == 206 && answer.body.n == 0);
    assert_true(seen_done == FILE_BYTES && seen_total == FILE_BYTES);
    check_file(path);
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err)); /* complete: nothing to fetch */
    assert_int_equal(answer.status, 200);
    check_file(path);
}

static void a_server_without_ranges_begins_anew(void **state)
{
    (void)state;
    const char *path = sys_path_join(&arena, dir, "f.part");
    assert_true(sys_file_write(path, SL_STR("left over from something else"), 0600, &err));
    struct sys_http_request rq = {.method = "GET", .url = url("/norange"), .save_path = path, .resume = true};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    check_file(path);
    /* longer than the file can be: useless, so fetched anew */
    SL_BUF_AUTO b = {0};
    for (int i = 0; i < FILE_BYTES + 5; i++) {
        sl_buf_putc(&b, 'Z');
    }
    assert_true(sys_file_write(path, sl_buf_str(&b), 0600, &err));
    rq.url = url("/file");
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    check_file(path);
}

static void another_part_than_asked_for_is_refused(void **state)
{
    (void)state;
    const char *path = sys_path_join(&arena, dir, "f.part");
    sl_str text;
    assert_true(sys_file_write(path, SL_STR("1234"), 0600, &err));
    struct sys_http_request rq = {
        .method = "GET", .url = url("/otherrange"), .save_path = path, .resume = true};
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_TARGET_ANSWER);
    assert_true(sys_file_read(&arena, path, 100, &text, &err) && sl_str_eqz(text, "1234"));
}

static void only_good_answers_are_saved(void **state)
{
    (void)state;
    const char *path = sys_path_join(&arena, dir, "f");
    struct sys_http_request rq = {.method = "GET", .url = url("/500"), .save_path = path};
    assert_true(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_true(answer.status == 500 && sl_str_eqz(answer.body, "broken") && !sys_exists(path));
    rq =
        (struct sys_http_request){.method = "GET", .url = url("/file"), .save_path = path, .max_bytes = 5000};
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_LIMIT);
    rq = (struct sys_http_request){.method = "GET",
                                   .url = url("/file"),
                                   .save_path = path,
                                   .progress = note_progress,
                                   .progress_ctx = dir};
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_CANCELLED);
    rq = (struct sys_http_request){.method = "GET", .url = url("/file"), .save_path = "/no/such/folder/f"};
    assert_false(sys_http_do(http, &rq, &arena, &answer, &err));
    assert_int_equal(err.code, SL_IO);
}

static void a_proxy_is_not_asked_for_this_machine(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    assert_true(get("/ok", 0));
    unsetenv("http_proxy");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(answers_come_whole_on_one_connection),
        T(requests_carry_method_headers_and_body),
        T(files_are_uploaded_as_multipart),
        T(a_multipart_part_may_have_a_type),
        T(bad_servers_are_one_clear_line),
        T(what_is_not_there_is_said),
        T(answers_have_a_limit),
        T(redirects_only_when_asked_and_only_http),
        T(downloads_resume_where_they_broke),
        T(a_server_without_ranges_begins_anew),
        T(another_part_than_asked_for_is_refused),
        T(only_good_answers_are_saved),
        T(a_proxy_is_not_asked_for_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
