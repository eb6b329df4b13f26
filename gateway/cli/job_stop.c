/* SPDX-License-Identifier: Apache-2.0
 * sluice job stop|savepoint|cancel|history|rm. */
#include "gateway/cli/job_stop.h"

#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/table.h"
#include "sys/file.h"

#include <string.h>
#include <unistd.h>

struct words {
    const char *job, *dir;
    bool json, drain, yes;
    int64_t limit;
};

static const char *text(const struct sl_json *o, const char *key, struct sl_arena *a)
{
    return sl_arena_strdupz(a, sl_json_str(sl_json_get(o, key), SL_STR("")));
}

/* 0, or an exit code. */
static int read_words(struct words *w, struct sl_arena *a, int argc, char **argv)
{
    const char *verb = argv[0];
    for (int i = 1; i < argc; i++) {
        bool stops = strcmp(verb, "stop") == 0, saves = stops || strcmp(verb, "savepoint") == 0;
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-ojson") == 0) {
            w->json = true;
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0) {
            w->json = true;
            i++;
        } else if (saves && strcmp(argv[i], "--savepoint-dir") == 0 && i + 1 < argc) {
            w->dir = argv[++i];
        } else if (saves && strncmp(argv[i], "--savepoint-dir=", 16) == 0) {
            w->dir = argv[i] + 16;
        } else if (stops && strcmp(argv[i], "--drain") == 0) {
            w->drain = true;
        } else if (strcmp(verb, "cancel") == 0 &&
                   (strcmp(argv[i], "--yes") == 0 || strcmp(argv[i], "-y") == 0)) {
            w->yes = true;
        } else if (strcmp(verb, "history") == 0 && strcmp(argv[i], "-n") == 0 && i + 1 < argc) {
            if (!sl_str_to_i64(sl_str_of(argv[++i]), &w->limit) || w->limit <= 0 || w->limit > 1000) {
                return cli_usage("job", "-n takes a number from 1 to 1000, not '%s'", argv[i]);
            }
        } else if (argv[i][0] == '-' || w->job) {
            return cli_usage("job", "'%s' is not expected after '%s'", argv[i], verb);
        } else {
            w->job = argv[i];
        }
    }
    if (!w->job) {
        return cli_usage("job", "%s which job?   sluice job ls", verb);
    }
    if (w->dir && !strchr(w->dir, ':')) {
        w->dir = sys_path_abs(a, w->dir);
    }
    return 0;
}

static const struct sl_json *ask(const char *method, const struct words *x, bool yes, struct sl_arena *a,
                                 struct sl_err *err)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "job", x->job);
    if (x->dir) {
        sl_jw_kstrz(&w, "savepointDir", x->dir);
    }
    if (x->drain) {
        sl_jw_kbool(&w, "drain", true);
    }
    if (yes) {
        sl_jw_kbool(&w, "yes", true);
    }
    if (x->limit) {
        sl_jw_ki64(&w, "limit", x->limit);
    }
    sl_jw_end_object(&w);
    struct net_rpc_client *c = cli_owner_connect(true, err);
    const struct sl_json *r = c ? cli_owner_ask(c, method, sl_buf_str(&b), a, err) : NULL;
    net_rpc_client_free(c);
    return r;
}

static int print_json(const struct sl_json *v)
{
    SL_BUF_AUTO b;
    struct sl_jw w;
    sl_buf_init(&b, 0);
    sl_jw_init(&w, &b);
    sl_jw_value(&w, v);
    sl_buf_putc(&b, '\n');
    cli_put(stdout, sl_buf_str(&b));
    return 0;
}

static int fail(const struct words *x, const struct sl_err *err)
{
    return x->json ? cli_print_error_json(err) : cli_print_error(err);
}

static int save(const struct words *x, const char *method, const char *done)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask(method, x, false, &a, &err);
    if (!r) {
        return fail(x, &err);
    }
    if (x->json) {
        return print_json(r);
    }
    const struct sl_json *list = sl_json_get(r, "savepoints");
    SL_JSON_EACH(s, list)
    {
        printf("%s %s  run %.8s  savepoint %s  %.1f s\n", done, x->job, text(s, "run", &a),
               text(s, "path", &a), (double)sl_json_i64(sl_json_get(s, "ms"), 0) / 1000);
    }
    return 0;
}

/* Asks on the terminal; without one the answer is no. */
static bool agreed(const struct sl_err *err)
{
    char line[16] = "";
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        return false;
    }
    fprintf(stderr, "%s.\nCancel it all the same? [y/N] ", err->msg);
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int cancel(const struct words *x)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("job.cancel", x, x->yes, &a, &err);
    if (!r && err.code == SL_STATE_WOULD_BE_LOST && !x->json && agreed(&err)) {
        err = SL_ERR_INIT;
        r = ask("job.cancel", x, true, &a, &err);
    }
    if (!r) {
        return fail(x, &err);
    }
    if (x->json) {
        return print_json(r);
    }
    size_t n = sl_json_get(r, "ended")->n;
    printf("canceled %s (%zu run%s)\n", x->job, n, n == 1 ? "" : "s");
    return 0;
}

/* "2026-11-07T14:02:11.000Z" as "2026-11-07 14:02:11". */
static const char *second(struct sl_arena *a, const char *at)
{
    return strlen(at) < 19 ? "-" : sl_arena_printf(a, "%.10s %.8s", at, at + 11).p;
}

static void print_versions(const struct sl_json *list, struct sl_arena *a)
{
    static const char *const titles[] = {"VERSION", "MADE (UTC)", "BY", "DIGEST", "WHY"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(v, list)
    {
        cli_list_cellf(l, "v%lld", (long long)sl_json_i64(sl_json_get(v, "version"), 0));
        cli_list_cell(l, sl_str_of(second(a, text(v, "at", a))));
        cli_list_cell(l, sl_str_of(text(v, "by", a)));
        cli_list_cellf(l, "%.19s", text(v, "digest", a));
        cli_list_cell(l, sl_str_of(text(v, "why", a)));
    }
    cli_list_print(l, stdout);
}

static void print_runs(const struct sl_json *list, struct sl_arena *a)
{
    static const char *const titles[] = {"RUN",   "VERSION",       "STATEMENT",   "TARGET",
                                         "STATE", "CREATED (UTC)", "ENDED (UTC)", "RESTORED FROM"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(r, list)
    {
        const char *from = text(r, "restoredFrom", a), *slash = strrchr(from, '/');
        cli_list_cellf(l, "%.8s", text(r, "run", a));
        cli_list_cellf(l, "v%lld", (long long)sl_json_i64(sl_json_get(r, "version"), 0));
        cli_list_cellf(l, "%lld", (long long)sl_json_i64(sl_json_get(r, "statement"), 0));
        cli_list_cell(l, sl_str_of(text(r, "target", a)));
        cli_list_cell(l, sl_str_of(text(r, "state", a)));
        cli_list_cell(l, sl_str_of(second(a, text(r, "created", a))));
        cli_list_cell(l, sl_str_of(second(a, text(r, "endedAt", a))));
        cli_list_cell(l, sl_str_of(from[0] ? (slash ? slash + 1 : from) : "-"));
    }
    cli_list_print(l, stdout);
}

static void print_replacements(const struct sl_json *list, struct sl_arena *a)
{
    static const char *const titles[] = {"REPLACED", "STATE", "AT (UTC)", "WHY"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(r, list)
    {
        const char *reason = text(r, "reason", a);
        int64_t version = sl_json_i64(sl_json_get(r, "oldVersion"), 0);
        cli_list_cell(l, version ? sl_arena_printf(a, "v%lld", (long long)version) : SL_STR("-"));
        cli_list_cell(l, sl_str_of(text(r, "state", a)));
        cli_list_cell(l, sl_str_of(second(a, text(r, "at", a))));
        cli_list_cell(l, sl_str_of(reason[0] ? reason : "-"));
    }
    cli_list_print(l, stdout);
}

static void print_snapshots(const struct sl_json *list, struct sl_arena *a)
{
    static const char *const titles[] = {"SNAPSHOT", "RUN", "STATE", "AT (UTC)", "WHERE"};
    struct cli_list *l = cli_list_new(titles, SL_ARRAY_LEN(titles));
    SL_JSON_EACH(s, list)
    {
        int64_t number = sl_json_i64(sl_json_get(s, "number"), 0);
        const char *reason = text(s, "reason", a), *path = text(s, "path", a);
        if (number) {
            cli_list_cellf(l, "%s #%lld", text(s, "kind", a), (long long)number);
        } else {
            cli_list_cell(l, sl_str_of(text(s, "kind", a)));
        }
        cli_list_cellf(l, "%.8s", text(s, "run", a));
        cli_list_cell(l, sl_str_of(text(s, "state", a)));
        cli_list_cell(l, sl_str_of(second(a, text(s, "at", a))));
        cli_list_cell(l, path[0] ? sl_arena_printf(a, "%s%s%s", path, reason[0] ? "  " : "", reason)
                                 : sl_str_of(reason[0] ? reason : "-"));
    }
    cli_list_print(l, stdout);
}

static int history(struct words *x)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    x->limit = x->limit ? x->limit : 50;
    const struct sl_json *r = ask("job.history", x, false, &a, &err);
    if (!r) {
        return fail(x, &err);
    }
    if (x->json) {
        return print_json(r);
    }
    print_versions(sl_json_get(r, "versions"), &a);
    printf("\n");
    print_runs(sl_json_get(r, "runs"), &a);
    if (sl_json_get(r, "replacements") && sl_json_get(r, "replacements")->n) {
        printf("\n");
        print_replacements(sl_json_get(r, "replacements"), &a);
    }
    if (sl_json_get(r, "snapshots") && sl_json_get(r, "snapshots")->n) {
        printf("\n");
        print_snapshots(sl_json_get(r, "snapshots"), &a);
    }
    return 0;
}

static int rm(const struct words *x)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct sl_err err = SL_ERR_INIT;
    const struct sl_json *r = ask("job.rm", x, false, &a, &err);
    if (!r) {
        return fail(x, &err);
    }
    if (x->json) {
        return print_json(r);
    }
    printf("removed %s: %lld versions, %lld runs, %lld snapshots (their files stay where they are)\n", x->job,
           (long long)sl_json_i64(sl_json_get(r, "versions"), 0),
           (long long)sl_json_i64(sl_json_get(r, "runs"), 0),
           (long long)sl_json_i64(sl_json_get(r, "snapshots"), 0));
    return 0;
}

bool cli_job_stop(int argc, char **argv, int *ret_code)
{
    static const char *const verbs[] = {"stop", "savepoint", "cancel", "history", "rm"};
    size_t v = 0;
    while (v < SL_ARRAY_LEN(verbs) && strcmp(argv[0], verbs[v]) != 0) {
        v++;
    }
    if (v == SL_ARRAY_LEN(verbs)) {
        return false;
    }
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct words x = {0};
    *ret_code = read_words(&x, &a, argc, argv);
    if (*ret_code) {
        return true;
    }
    switch (v) {
    case 0:
        *ret_code = save(&x, "job.stop", "stopped");
        break;
    case 1:
        *ret_code = save(&x, "job.savepoint", "saved");
        break;
    case 2:
        *ret_code = cancel(&x);
        break;
    case 3:
        *ret_code = history(&x);
        break;
    default:
        *ret_code = rm(&x);
        break;
    }
    return true;
}
