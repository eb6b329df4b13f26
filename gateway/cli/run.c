/* SPDX-License-Identifier: Apache-2.0
 * sluice run: a script goes to the owner of the data folder, its events come back and are shown: steps and
 * diagnostics on stderr, rows on stdout. */
#include "gateway/cli/run_events.h"

#include "base/digest.h"
#include "catalog/check.h"
#include "catalog/scope.h"
#include "gateway/cli/args.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/diag_print.h"
#include "gateway/cli/owner_client.h"
#include "gateway/cli/settings.h"
#include "gateway/jobs/request.h"
#include "sys/file.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct run_options {
    struct cli_source_options source;
    struct cli_events_options show;
    const char *mode, *results_address, *key, *target, *from;
    struct cli_words config; /* -D k=v */
    struct cli_words jars;
    const char **brought; /* to a server: their digests; NULL: it is on this machine */
    bool detach, together, dry_run, replace, lenient;
    int64_t timeout_ms, rows, for_ms, well_ms;
    const char *file;
};

#define OWNERS_TRIED 3 /* that died under one run */

static volatile sig_atomic_t interrupts;
static void on_interrupt(int number)
{
    (void)number;
    interrupts++;
}

static int read_values(struct run_options *o, const char *rows, const char *for_time, const char *timeout,
                       const char *format, const char *changelog)
{
    struct sl_err err = SL_ERR_INIT;
    if (strcmp(o->mode, "session") != 0 && strcmp(o->mode, "application") != 0) {
        return cli_usage("run", "--mode is session or application, not '%s'", o->mode);
    }
    for (size_t i = 0; i < o->config.n; i++) {
        if (!strchr(o->config.v[i], '=') || o->config.v[i][0] == '=') {
            return cli_usage("run", "-D takes KEY=VALUE, not '%s'", o->config.v[i]);
        }
    }
    if (o->results_address && !strchr(o->results_address, ':')) {
        return cli_usage("run", "--results-address takes HOST:PORT, not '%s'", o->results_address);
    }
    if (rows && (!sl_str_to_i64(sl_str_of(rows), &o->rows) || o->rows <= 0)) {
        return cli_usage("run", "--rows takes a number above 0, not '%s'", rows);
    }
    if (for_time && (!sl_str_to_ms(sl_str_of(for_time), &o->for_ms) || o->for_ms <= 0)) {
        return cli_usage("run", "--for takes a time such as 30s, not '%s'", for_time);
    }
    if (timeout && (!sl_str_to_ms(sl_str_of(timeout), &o->timeout_ms) || o->timeout_ms <= 0)) {
        return cli_usage("run", "--timeout takes a time such as 10min, not '%s'", timeout);
    }
    if ((format && !cli_format_parse(format, &o->show.rows.format, &err)) ||
        (changelog && !cli_changelog_parse(changelog, &o->show.rows.changelog, &err))) {
        return cli_usage("run", "%s", err.msg);
    }
    return 0;
}

/* 0, or an exit code. */
static int parse(struct run_options *o, struct sl_arena *a, int argc, char **argv)
{
    const char *rows = NULL, *for_time = NULL, *timeout = NULL, *format = NULL, *changelog = NULL,
               *well = NULL;
    const struct cli_option table[] = {
        {.name = "--detach", .letter = 'd', .flag = &o->detach},
        {.name = "--together", .flag = &o->together},
        {.name = "--dry-run", .flag = &o->dry_run},
        {.name = "--from", .value = &o->from},
        {.name = "--allow-non-restored-state", .flag = &o->lenient},
        {.name = "--replace", .flag = &o->replace},
        {.name = "--well", .value = &well},
        {.name = "--json", .flag = &o->show.json},
        {.name = "--quiet", .letter = 'q', .flag = &o->show.quiet},
        {.name = "--stack", .flag = &o->show.stack},
        {.name = "--no-header", .flag = &o->show.rows.no_header},
        {.name = "--mode", .value = &o->mode},
        {.name = "--set", .letter = 'D', .values = &o->config},
        {.name = "--jar", .letter = 'j', .values = &o->jars},
        {.name = "--name", .value = &o->source.name},
        {.name = "--target", .value = &o->target},
        {.name = "--id", .value = &o->key},
        {.name = "--results-address", .value = &o->results_address},
        {.name = "--rows", .value = &rows},
        {.name = "--for", .value = &for_time},
        {.name = "--timeout", .value = &timeout},
        {.name = "--output", .letter = 'o', .value = &format},
        {.name = "--null", .value = &o->show.rows.null_text},
        {.name = "--changelog", .value = &changelog},
        {0},
    };
    struct cli_args x = {.verb = "run", .options = table, .source = &o->source};
    cli_rows_defaults(&o->show.rows, stdout);
    o->mode = "session";
    o->source.level = SQL_LEVEL_SYNTAX;
    if (!cli_args_read_one(&x, a, argc, argv)) {
        return 2;
    }
    o->file = x.files.v[0];
    for (size_t i = 0; i < o->jars.n; i++) {
        o->jars.v[i] = sys_path_abs(a, o->jars.v[i]);
    }
    if (well && (!sl_str_to_ms(sl_str_of(well), &o->well_ms) || o->well_ms <= 0)) {
        return cli_usage("run", "--well takes a time such as 5min, not '%s'", well);
    }
    if (o->lenient && !o->from && !o->replace) {
        return cli_usage("run", "--allow-non-restored-state goes with --from or --replace");
    }
    if (o->from && strcmp(o->from, "latest") != 0 && strcmp(o->from, "none") != 0 && !strchr(o->from, ':')) {
        o->from = sys_path_abs(a, o->from);
    }
    return read_values(o, rows, for_time, timeout, format, changelog);
}

/* --name, else the first SET 'pipeline.name', else the file's stem. */
static sl_str job_name(const struct run_options *o, const struct cli_source *src)
{
    if (o->source.name) {
        return sl_str_of(o->source.name);
    }
    for (size_t i = src->first_own; i < src->script.stmts.n; i++) {
        const struct sql_stmt *st = &src->script.stmts.v[i];
        if (st->kind == SQL_KIND_SET && sl_str_eqz(st->key, "pipeline.name") && st->value.n &&
            st->value.n <= 128) {
            return st->value;
        }
    }
    sl_str name = sl_str_of(o->file);
    if (sl_str_eqz(name, "-")) {
        return SL_STR("stdin");
    }
    const char *slash = strrchr(o->file, '/');
    name = sl_str_of(slash ? slash + 1 : o->file);
    if (sl_str_ends(name, SL_STR(".sql")) && name.n > 4) {
        name.n -= 4;
    }
    name.n = SL_MIN(name.n, (size_t)128);
    return name;
}

/* ${env.NAME} is answered here, where the person's environment is: only the names that the text asks for go
 * along. */
static void put_env_vars(struct sl_jw *w, const struct cli_source *src)
{
    for (size_t f = 0; f < src->script.files.n; f++) {
        sl_str text = src->script.files.v[f].lines.text;
        sl_str open = SL_STR("${env.");
        for (ptrdiff_t hit; (hit = sl_str_find(text, open)) >= 0;) {
            text = sl_str_sub(text, (size_t)hit + open.n, text.n - (size_t)hit - open.n);
            size_t n = 0;
            while (n < text.n && text.p[n] != '}' && text.p[n] != ':') {
                n++;
            }
            char name[256];
            snprintf(name, sizeof(name), "%.*s", (int)SL_MIN(n, sizeof(name) - 1), text.p);
            const char *value = getenv(name);
            if (value) {
                SL_BUF_AUTO full;
                sl_buf_init(&full, 1024);
                sl_buf_printf(&full, "env.%s", name);
                sub_request_put_var(w, sl_buf_str(&full), sl_str_of(value), SL_STR("environment"), false);
            }
        }
    }
}

static void put_pair(struct sl_jw *w, sl_str key, sl_str value, const char *origin)
{
    sl_jw_object(w);
    sl_jw_kstr(w, "key", key);
    sl_jw_kstr(w, "value", value);
    sl_jw_kstrz(w, "origin", origin);
    sl_jw_end_object(w);
}

/* Does a configuration outside the script leave streaming mode? */
static bool may_be_batch(const struct run_options *o, const struct cli_source *src)
{
    static const char key[] = "execution.runtime-mode";
    bool batch = cli_source_may_be_batch(src);
    for (size_t i = 0; i < o->config.n; i++) {
        const char *eq = strchr(o->config.v[i], '=');
        bool it = eq && sl_str_eqz((sl_str){o->config.v[i], (size_t)(eq - o->config.v[i])}, key);
        batch = it ? !sl_str_ieqz(sl_str_of(eq + 1), "streaming") : batch;
    }
    return batch;
}

/* Rising precedence: the job's entry in sluice.yaml, then -D. A script's own SETs are the last word. */
static void put_config(struct sl_jw *w, struct sl_arena *a, const struct run_options *o,
                       const struct cli_source *src, sl_str name)
{
    sl_jw_key(w, "config");
    sl_jw_array(w);
    const struct sql_project_job *job = sql_project_job(&src->project, name);
    if (job && job->parallelism) {
        put_pair(w, SL_STR("parallelism.default"), sl_arena_printf(a, "%lld", (long long)job->parallelism),
                 "sluice.yaml");
    }
    for (size_t i = 0; job && i < job->config.list.n; i++) {
        put_pair(w, job->config.list.v[i].name, job->config.list.v[i].value, "sluice.yaml");
    }
    for (size_t i = 0; i < o->config.n; i++) {
        const char *eq = strchr(o->config.v[i], '=');
        put_pair(w, (sl_str){o->config.v[i], (size_t)(eq - o->config.v[i])}, sl_str_of(eq + 1), "-D");
    }
    sl_jw_end_array(w);
}

static const char *user_name(void)
{
    const struct passwd *pw = getpwuid(getuid());
    return pw ? pw->pw_name : "";
}

static void put_request(struct sl_buf *b, struct sl_arena *a, const struct run_options *o,
                        const struct cli_source *src, const char *key, bool resumed)
{
    struct sl_jw w;
    sl_str name = job_name(o, src);
    sl_jw_init(&w, b);
    sl_jw_object(&w);
    sl_jw_kstrz(&w, "jsonrpc", "2.0");
    sl_jw_ki64(&w, "id", 1);
    sl_jw_kstrz(&w, "method", "script.submit");
    sl_jw_key(&w, "params");
    sl_jw_object(&w);
    sl_jw_kstr(&w, "name", name);
    sl_jw_kstrz(&w, "key", key);
    sl_jw_kstrz(&w, "owner", user_name());
    sl_jw_kstrz(&w, "mode", o->mode);
    sl_jw_kstrz(&w, "form", o->show.json ? "api" : "text");
    sl_jw_kstrz(&w, "flink",
                o->source.flink             ? o->source.flink
                : src->project.flink_text.n ? sl_arena_strdupz(a, src->project.flink_text)
                                            : cli_settings()->flink.p);
    if (o->target) {
        sl_jw_kstrz(&w, "target", o->target);
    } else if (src->environment && src->environment->target.n) {
        sl_jw_kstr(&w, "target", src->environment->target);
    } else {
        sl_jw_kstr(&w, "target", cli_settings()->target);
    }
    if (o->results_address || cli_settings()->results_address.n) {
        sl_jw_kstrz(&w, "resultsAddress",
                    o->results_address ? o->results_address : cli_settings()->results_address.p);
    }
    sl_jw_kbool(&w, "resumed", resumed);
    sl_jw_kbool(&w, "detach", o->detach);
    sl_jw_kbool(&w, "together", o->together);
    sl_jw_kbool(&w, "dryRun", o->dry_run);
    if (o->from) {
        sl_jw_kstrz(&w, "from", o->from);
    }
    if (o->replace) {
        sl_jw_kbool(&w, "replace", true);
    }
    if (o->lenient) {
        sl_jw_kbool(&w, "allowNonRestoredState", true);
    }
    if (o->well_ms) {
        sl_jw_ki64(&w, "wellMs", o->well_ms);
    }
    sl_jw_ki64(&w, "maxRows", o->rows);
    sl_jw_ki64(&w, "maxDurationMs", o->for_ms);
    sl_jw_ki64(&w, "timeoutMs", o->timeout_ms);
    put_config(&w, a, o, src, name);
    if (o->jars.n) {
        sl_jw_key(&w, o->brought ? "artifacts" : "jars");
        sl_jw_array(&w);
        for (size_t i = 0; i < o->jars.n; i++) {
            sl_jw_str(&w, sl_str_of(o->brought ? o->brought[i] : o->jars.v[i]));
        }
        sl_jw_end_array(&w);
    }
    sl_jw_key(&w, "vars");
    sl_jw_array(&w);
    for (size_t i = 0; i < src->vars.list.n; i++) {
        const struct sql_var *v = &src->vars.list.v[i];
        sub_request_put_var(&w, v->name, v->value, v->source, v->secret);
    }
    put_env_vars(&w, src);
    sl_jw_end_array(&w);
    sl_jw_key(&w, "files");
    sl_jw_array(&w);
    for (size_t i = 0; i < src->script.files.n; i++) {
        sl_jw_object(&w);
        sl_jw_kstr(&w, "name", src->script.files.v[i].name);
        sl_jw_kstr(&w, "text", src->script.files.v[i].lines.text);
        sl_jw_end_object(&w);
    }
    sl_jw_end_array(&w);
    sl_jw_end_object(&w);
    sl_jw_end_object(&w);
}

/* Follows the call to its answer. The first Ctrl-C asks for an end, the second does not wait for it. False: the
 * owner has gone, and nobody has asked for an end. */
static bool follow(struct net_rpc_client *c, struct cli_events *ev, int *ret_code)
{
    int sent = 0;
    for (;;) {
        sl_str line;
        enum net_rpc_next next = net_rpc_client_next(c, 200, &line);
        if (next == NET_RPC_LINE) {
            if (cli_events_line(ev, line, ret_code)) {
                return true;
            }
            if (!net_rpc_client_has_more(c)) {
                cli_events_flush(ev);
            }
        } else if (next == NET_RPC_END) {
            struct sl_err err = SL_ERR_INIT;
            if (interrupts == 0 && !cli_events_reader_gone(ev)) {
                return false;
            }
            sl_fail(&err, SL_OWNER, "the owner of the data folder has gone; what it was doing is in its log");
            *ret_code = cli_events_lost(ev, &err);
            return true;
        }
        if ((interrupts > sent || cli_events_reader_gone(ev)) && sent == 0) {
            struct sl_err err = SL_ERR_INIT;
            sent = 1;
            if (interrupts) {
                cli_events_interrupted(ev);
            }
            if (!net_rpc_client_send(
                    c, SL_STR("{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"call\":1}}"), &err)) {
                *ret_code = cli_print_error(&err);
                return true;
            }
        } else if (interrupts > 1) {
            *ret_code = 130;
            return true;
        }
    }
}

/* Does it start jobs that outlive their client? A SELECT's rows went with the owner. */
static bool starts_jobs(const struct cli_source *src)
{
    for (size_t i = 0; i < src->script.stmts.n; i++) {
        enum sql_class cls = sql_kind_class(src->script.stmts.v[i].kind);
        if (cls == SQL_CLASS_INSERT || cls == SQL_CLASS_SET_OF) {
            return true;
        }
    }
    return false;
}

/* Brings the request, and brings it again with the same key when the owner died under it: the next one goes on
 * with what was under way, or gives the answer that is stored. */
static int submit(const struct run_options *o, const struct cli_source *src, const char *key,
                  struct cli_events *ev, struct sl_arena *a)
{
    for (int again = 0;; again++) {
        struct sl_err err = SL_ERR_INIT;
        SL_BUF_AUTO request;
        sl_buf_init(&request, 0);
        put_request(&request, a, o, src, key, again > 0);
        struct net_rpc_client *c = cli_owner_connect(true, &err);
        int code = 0;
        bool sent = c && net_rpc_client_send(c, sl_buf_str(&request), &err);
        bool ended = sent && follow(c, ev, &code);
        net_rpc_client_free(c);
        if (ended) {
            return code;
        }
        if (!sent && (!c || again >= OWNERS_TRIED)) {
            return cli_events_lost(ev, &err);
        }
        if (again >= OWNERS_TRIED || !starts_jobs(src)) {
            sl_fail(&err, SL_OWNER, "the owner of the data folder has gone; what it was doing is in its log");
            sl_hint(&err, "sluice job ls");
            return cli_events_lost(ev, &err);
        }
        if (interrupts) {
            return 130;
        }
        cli_events_note(ev, "the owner of the data folder has gone; asking the next one");
    }
}

static void catch_interrupts(void)
{
    struct sigaction sa = {.sa_handler = on_interrupt}; /* no SA_RESTART: it must end the wait */
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int cli_run_request(sl_str request, struct cli_events *ev)
{
    struct sl_err err = SL_ERR_INIT;
    int code = 0;
    catch_interrupts();
    struct net_rpc_client *c = cli_owner_connect(true, &err);
    bool sent = c && net_rpc_client_send(c, request, &err);
    bool ended = sent && follow(c, ev, &code);
    net_rpc_client_free(c);
    if (!sent) {
        return cli_events_lost(ev, &err);
    }
    if (!ended) {
        sl_fail(&err, SL_OWNER, "the owner of the data folder has gone; the next one ends what it was doing");
        sl_hint(&err, "sluice job ls");
        return cli_events_lost(ev, &err);
    }
    return code;
}

/* May there be connectors that nobody here knows? Which target is meant, where none is named, the owner knows, and looks
 * again. */
static bool may_have_more(const struct run_options *o, const struct cli_source *src)
{
    sl_str target = o->target                                        ? sl_str_of(o->target)
                    : src->environment && src->environment->target.n ? src->environment->target
                                                                     : cli_settings()->target;
    return o->jars.n || !sl_str_eqz(target, "local");
}

static int exec(int argc, char **argv)
{
    SL_ARENA_AUTO a;
    sl_arena_init(&a, 0);
    struct run_options o = {0};
    struct cli_source src;
    struct cli_source_error bad = {.err = SL_ERR_INIT};
    char run_id[33], key[33];
    int rc = parse(&o, &a, argc, argv);
    if (rc) {
        return rc;
    }
    sl_random_hex(run_id, 16);
    sl_random_hex(key, 16);
    if (o.key) { /* the same key is the same run, also in what ${run.id} stands for */
        char digest[72];
        sl_sha256_digest(sl_str_of(o.key), digest);
        snprintf(run_id, sizeof(run_id), "%.32s", strchr(digest, ':') + 1);
    }
    o.source.run_id = run_id;
    if (!cli_source_load(&src, &a, o.file, &o.source, &bad)) {
        SL_BUF_AUTO b;
        sl_buf_init(&b, 0);
        cli_error_print(&b, &bad.err, bad.file, bad.text, cli_wants_colour(STDERR_FILENO));
        fwrite(b.p, 1, b.n, stderr);
        return sl_code_exit(bad.err.code);
    }
    struct cat_session session = {.batch = may_be_batch(&o, &src), .jars = may_have_more(&o, &src)};
    cat_check_in(&src.script, CAT_LEVEL_FULL, &session);
    struct cli_events *ev = cli_events_new(&o.show, &src.script);
    if (src.script.diags.errors) {
        rc = cli_events_local_errors(ev, &src.script);
        cli_events_free(ev);
        return rc;
    }
    catch_interrupts();
    if (cli_settings()->server.n && o.jars.n &&
        !cli_server_bring(o.jars.v, o.jars.n, &a, &o.brought, &bad.err)) {
        rc = cli_events_lost(ev, &bad.err);
        cli_events_free(ev);
        return rc;
    }
    rc = submit(&o, &src, o.key ? o.key : key, ev, &a);
    cli_events_free(ev);
    return rc;
}

const struct cli_verb cli_run = {
    .name = "run",
    .summary = "run a SQL file on Flink",
    .usage =
        "usage: sluice run FILE|- [OPTION ...]\n\n"
        "  --mode session|application   on the long-lived local cluster (default), or on one of its own\n"
        "  --flink V                    1.20, 2.2 or 2.3, or a patch version such as 2.2.1 (default 2.2)\n"
        "  -E, --env NAME               environment of sluice.yaml\n"
        "      --var K=V, --var-file F  variables for ${K}\n"
        "  -D, --set K=V                Flink configuration; a SET in the script overrides it\n"
        "  -j, --jar FILE               a jar the script needs; repeatable; with --server it is brought "
        "there\n"
        "      --name N                 the job's name (else SET 'pipeline.name', else the file's stem)\n"
        "      --target T               where it runs: a name of `sluice target ls` (default: what `sluice "
        "target use`\n"
        "                               chose, else local)\n"
        "  -d, --detach                 return when its jobs run\n"
        "      --from latest|PATH|none  start from the newest snapshot of each INSERT, from one, or fresh\n"
        "      --replace                stop the running version with a savepoint, go on from it; back if "
        "not "
        "well\n"
        "      --well T                 time to run well in, with --from and --replace (default 5min)\n"
        "      --allow-non-restored-state   leave state behind that fits nowhere\n"
        "      --timeout T              end everything after T; exit code 124\n"
        "      --rows N, --for T        end each SELECT after N rows, or after T\n"
        "      --together               loose INSERTs become one job\n"
        "      --dry-run                show what would be sent\n"
        "      --results-address H:P    where Flink dials to bring rows\n"
        "      --id KEY                 submit once: the same key again runs nothing\n"
        "  -o, --output FORM            table, csv, tsv, json, jsonl, markdown, vertical\n"
        "      --no-header, --null STR, --changelog auto|on|off\n"
        "  -q, --quiet                  no steps\n"
        "      --stack                  Java's own words below an error\n"
        "      --json                   one event a line on stdout\n\n"
        "Exit codes: 0 done or running, 1 failed in Flink, 2 usage, 3 the script has errors, 4 not "
        "reachable,\n"
        "5 refused, 6 environment, 124 timeout, 130 interrupted.\n",
    .exec = exec,
};
