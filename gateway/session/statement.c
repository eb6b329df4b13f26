/* SPDX-License-Identifier: Apache-2.0
 * What a statement is to Sluice: answered here, done once in Flink, or done and replayed from then on. What bare Flink would
 * answer with OK without doing it is refused. */
#include "gateway/session/internal.h"

#include "sqlparse/ast.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>

#define VALIDATION  "org.apache.flink.table.api.ValidationException"
#define UNSUPPORTED "java.lang.UnsupportedOperationException"
#define GATEWAY     "org.apache.flink.table.gateway.service.utils.SqlExecutionException"
#define PARSE       "org.apache.flink.sql.parser.impl.ParseException"

struct doing {
    struct ses_host *h;
    struct ses_op *op;
    struct session *s;
    const struct sql_stmt *st;
};

/* Is its Flink of that version or newer? Some words of the gateway are not those of older ones. */
static bool since(const struct session *s, sql_version version)
{
    sql_version flink;
    struct sl_err err = SL_ERR_INIT;
    return sql_version_parse(sl_str_of(s->flink), &flink, &err) && flink >= version;
}

static int by_key(const void *a, const void *b)
{
    return sl_str_cmp(((const struct plan_pair *)a)->key, ((const struct plan_pair *)b)->key);
}

struct plan_config ses_config(const struct session *s, const struct ses_op *op, struct sl_arena *a)
{
    struct plan_pair *p = sl_new_n(a, struct plan_pair, s->config.n + op->n_given + 1);
    size_t n = 0;
    for (size_t i = 0; i < s->config.n; i++) {
        bool other = false;
        for (size_t k = 0; k < op->n_given; k++) {
            other = other || sl_str_eq(op->given[k].key, s->config.v[i].key);
        }
        if (!other) {
            p[n++] = (struct plan_pair){s->config.v[i].key, s->config.v[i].value, SL_STR("session")};
        }
    }
    for (size_t k = 0; k < op->n_given; k++) {
        p[n++] = (struct plan_pair){op->given[k].key, op->given[k].value, SL_STR("statement")};
    }
    qsort(p, n, sizeof(*p), by_key);
    return (struct plan_config){p, n};
}

static bool refuse(struct doing *d, const char *why)
{
    return ses_fail_java(d->op, UNSUPPORTED, "%s is not supported in a session: %s",
                         sql_kind_name(d->st->kind), why);
}

/* Name of the target that its statements go to; "" where the default one cannot be made, so that nothing can run there. */
static sl_str target_name(const struct doing *d)
{
    struct sl_err ignored = SL_ERR_INIT;
    const struct sub_env *env = &d->h->env.sub;
    if (d->s->target[0]) {
        return sl_str_of(d->s->target);
    }
    const struct target *t = env->target(env->target_ctx, SL_STR(""), sl_str_of(d->s->flink), &ignored);
    return t ? sl_str_of(t->name) : SL_STR("");
}

/* Statements that start jobs, change what lasts, or bring code: by the rules of the target. */
static bool may(struct doing *d, enum auth_deed deed)
{
    struct sl_err err = SL_ERR_INIT;
    return auth_rules_allow(d->h->env.sub.rules, d->op->who.role, target_name(d), deed,
                            sql_kind_name(d->st->kind), &err) ||
           ses_fail(d->op, &err);
}

/* --- configuration ------------------------------------------------------------------------------------------------- */

static void config_drop(struct session *s, sl_str key)
{
    for (size_t i = 0; i < s->config.n; i++) {
        if (sl_str_eq(s->config.v[i].key, key)) {
            memmove(&s->config.v[i], &s->config.v[i + 1], (s->config.n - i - 1) * sizeof(*s->config.v));
            s->config.n--;
            return;
        }
    }
}

static void config_put(struct session *s, sl_str key, sl_str value)
{
    config_drop(s, key);
    struct ses_pair *last = sl_vec_add(&s->arena, &s->config);
    while (last > s->config.v && sl_str_cmp(last[-1].key, key) > 0) {
        *last = last[-1];
        last--;
    }
    *last = (struct ses_pair){sl_str_dup(&s->arena, key), sl_str_dup(&s->arena, value)};
}

/* What has changed in the session is kept with the operation's end. */
static bool keep(struct doing *d, const struct ses_change *c)
{
    d->op->keeps = true;
    if (c) {
        d->op->change = *c;
    }
    return true;
}

static sl_str upper(struct sl_arena *a, sl_str s)
{
    char *p = sl_arena_strdupz(a, s);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 'a' + 'A' : p[i]);
    }
    return (sl_str){p, s.n};
}

/* What Integer.parseInt takes. */
static bool is_java_int(sl_str s)
{
    int64_t v;
    sl_str digits = s.n > 1 && s.p[0] == '+' ? sl_str_sub(s, 1, s.n - 1) : s;
    return sl_str_to_i64(digits, &v) && v >= INT32_MIN && v <= INT32_MAX;
}

/* Values that Flink's gateway looks at when they are set, since its environments are made with them. */
static bool check_value(struct doing *d)
{
    struct sl_arena *a = &d->op->arena;
    sl_str value = d->st->value, name = upper(a, value);
    const char *type = "java.lang.IllegalArgumentException";
    sl_str why = SL_STR("");
    if (sl_str_eqz(d->st->key, "table.sql-dialect") && sl_str_eqz(name, "HIVE")) {
        type = VALIDATION;
        why = SL_STR("Could not find any factory for identifier 'hive' that implements "
                     "'org.apache.flink.table.delegation.ParserFactory' in the classpath.");
    } else if (sl_str_eqz(d->st->key, "table.sql-dialect") && !sl_str_eqz(name, "DEFAULT")) {
        why = sl_arena_printf(a, "No enum constant org.apache.flink.table.api.SqlDialect.%.*s", SL_S(name));
    } else if (sl_str_eqz(d->st->key, "execution.runtime-mode") && sl_str_eqz(name, "AUTOMATIC")) {
        type = "org.apache.flink.table.api.TableException";
        why = SL_STR("Unsupported mode 'AUTOMATIC' for 'execution.runtime-mode'. Only an explicit BATCH or "
                     "STREAMING mode is supported in Table API.");
    } else if (sl_str_eqz(d->st->key, "execution.runtime-mode") && !sl_str_eqz(name, "BATCH") &&
               !sl_str_eqz(name, "STREAMING")) {
        why = SL_STR("Could not parse value for enum class org.apache.flink.api.common.RuntimeExecutionMode. "
                     "Expected one of: [[STREAMING, BATCH, AUTOMATIC]]");
    } else if (sl_str_eqz(d->st->key, "parallelism.default") && !is_java_int(value)) {
        type = "java.lang.NumberFormatException";
        why = sl_arena_printf(a, "For input string: \"%.*s\"", SL_S(value));
    }
    if (why.n == 0) {
        return true;
    }
    struct ses_cause *c = sl_new_n(a, struct ses_cause, 2);
    c[0] = (struct ses_cause){SL_STR(GATEWAY), sl_arena_printf(a, "Failed to set key %.*s with value %.*s.",
                                                               SL_S(d->st->key), SL_S(value))};
    c[1] = (struct ses_cause){sl_str_of(type), why};
    d->op->failure = (struct ses_failure){c, 2, SL_FLINK};
    return false;
}

static bool set(struct doing *d)
{
    if (d->st->kind == SQL_KIND_SET && !d->st->has_key) {
        struct plan_config c = ses_config(d->s, d->op, &d->op->arena);
        ses_answer_config(d->op, &c);
        return true;
    }
    if (d->st->kind == SQL_KIND_SET && !check_value(d)) {
        return false;
    }
    pthread_mutex_lock(&d->h->lock);
    if (d->st->kind == SQL_KIND_SET) {
        config_put(d->s, d->st->key, d->st->value);
    } else if (d->st->has_key) {
        config_drop(d->s, d->st->key);
    } else {
        d->s->config.n = 0;
    }
    pthread_mutex_unlock(&d->h->lock);
    ses_own_forget(d->s);
    ses_answer_ok(d->op);
    return keep(d, NULL);
}

/* --- what takes effect --------------------------------------------------------------------------------------------- */

/* It took effect in Flink: from now on it is replayed as this text. */
static bool log_it(struct doing *d, sl_str sql)
{
    struct ses_change c;
    enum sql_kind k = d->st->kind;
    if (k != SQL_KIND_CREATE_TABLE && k != SQL_KIND_CREATE_VIEW && k != SQL_KIND_USE &&
        k != SQL_KIND_USE_CATALOG) {
        ses_own_forget(d->s);
    }
    pthread_mutex_lock(&d->h->lock);
    ses_log_apply(&d->s->log, d->st, sql, &c);
    pthread_mutex_unlock(&d->h->lock);
    return keep(d, &c);
}

static bool is_known_place(struct doing *d)
{
    sl_str p[3] = {0};
    size_t n = ses_name_parts(&d->op->arena, d->st->object, p);
    const struct ses_log *l = &d->s->log;
    if (d->st->kind == SQL_KIND_USE_CATALOG) {
        return n == 1 && (sl_str_eqz(p[0], SES_CATALOG) || sl_str_eq(p[0], l->catalog));
    }
    if (d->st->kind != SQL_KIND_USE || n == 0 || n > 2) {
        return false;
    }
    sl_str catalog = n == 2 ? p[0] : l->catalog;
    return (sl_str_eqz(catalog, SES_CATALOG) && sl_str_eqz(p[n - 1], SES_DATABASE)) ||
           (sl_str_eq(catalog, l->catalog) && sl_str_eq(p[n - 1], l->database));
}

static bool use(struct doing *d)
{
    struct ses_table then[2];
    const struct ses_errand e = {.how = SES_WALK_EXECUTE, .stmt = d->st};
    if (!is_known_place(d) && !ses_walk(d->h, d->op, &e, then)) {
        return false;
    }
    ses_answer_ok(d->op);
    return log_it(d, d->st->sql);
}

/* A view's query and a table's LIKE mean what stood there when they were made: Flink's text of it is replayed. */
static bool is_resolved(const struct sql_stmt *st)
{
    return st->kind == SQL_KIND_CREATE_VIEW || st->kind == SQL_KIND_CREATE_TABLE_AS ||
           st->kind == SQL_KIND_REPLACE_TABLE_AS ||
           (st->kind == SQL_KIND_CREATE_TABLE &&
            (sl_str_find(st->sql, SL_STR("LIKE")) >= 0 || sl_str_find(st->sql, SL_STR("like")) >= 0 ||
             sl_str_find(st->sql, SL_STR("Like")) >= 0));
}

/* What Flink is asked about an object as soon as it is made. */
static void ask_of_it(struct doing *d, struct ses_errand *e)
{
    bool view = d->st->kind == SQL_KIND_CREATE_VIEW;
    if (!view && d->st->kind != SQL_KIND_CREATE_TABLE && d->st->kind != SQL_KIND_CREATE_TABLE_AS &&
        d->st->kind != SQL_KIND_REPLACE_TABLE_AS) {
        return;
    }
    sl_str object = d->st->object;
    e->then[0] = sl_arena_printf(&d->op->arena, "SHOW CREATE %s %.*s", view ? "VIEW" : "TABLE", SL_S(object));
    if (!view) {
        e->then[1] = sl_arena_printf(&d->op->arena, "DESCRIBE %.*s", SL_S(object));
    }
}

/* The one text of an answer; "" when there is none. */
static sl_str text_of(const struct ses_table *t)
{
    return t->rows.n == 1 && t->n_columns == 1 ? t->rows.v[0][0].text : SL_STR("");
}

/* It is made, and replayed from now on. */
static bool log_made(struct doing *d, const struct ses_table then[2])
{
    sl_str resolved = is_resolved(d->st) ? text_of(&then[0]) : SL_STR("");
    if (sl_str_starts(resolved, SL_STR("CREATE TEMPORARY ")) != d->st->temporary) {
        resolved = SL_STR(""); /* it is of a temporary one that hides it */
    }
    bool ok = log_it(d, resolved.n ? resolved : d->st->sql);
    ses_own_made(d->op, d->st->object, true, &then[0]);
    ses_own_made(d->op, d->st->object, false, &then[1]);
    return ok;
}

static enum ses_effect effect_of(struct doing *d)
{
    struct plan_config c = ses_config(d->s, d->op, &d->op->arena);
    sl_str store = plan_config_get(&c, "table.catalog-store.kind");
    return ses_log_effect(&d->s->log, d->st, store.n && !sl_str_eqz(store, "generic_in_memory"));
}

/* Outside of the session something may change from here on. */
static bool begins(struct doing *d)
{
    struct sl_err err = SL_ERR_INIT;
    return ses_keep_begun(d->h, d->op, SES_LASTS, "", &err) || ses_fail(d->op, &err);
}

static bool ddl(struct doing *d)
{
    enum ses_effect effect = effect_of(d);
    if (d->st->kind == SQL_KIND_DROP_VIEW && ses_log_has_view(&d->s->log, d->st)) {
        ses_answer_ok(d->op); /* by name alone: what it was made of may be gone */
        return log_it(d, d->st->sql);
    }
    if (effect == SES_EFFECT_EXTERNAL && (!may(d, AUTH_CHANGE) || !begins(d))) {
        return false;
    }
    struct ses_table then[2];
    struct ses_errand e = {.how = SES_WALK_EXECUTE, .stmt = d->st};
    if (effect == SES_EFFECT_SESSION) {
        ask_of_it(d, &e);
    }
    if (!ses_walk(d->h, d->op, &e, then)) {
        return false;
    }
    ses_answer_ok(d->op);
    return effect != SES_EFFECT_SESSION || log_made(d, then);
}

/* --- jobs ---------------------------------------------------------------------------------------------------------- */

static bool gather(struct doing *d)
{
    enum sql_kind k = d->st->kind;
    if (k == SQL_KIND_CREATE_TABLE_AS || k == SQL_KIND_REPLACE_TABLE_AS) {
        return refuse(d,
                      "CREATE TABLE AS cannot stand in a statement set of a session yet; run it by itself");
    }
    if (k != SQL_KIND_INSERT) {
        return ses_fail_java(
            d->op, GATEWAY,
            "Only 'INSERT/CREATE TABLE AS' statement is allowed in Statement Set or use 'END' "
            "statement to submit Statement Set.");
    }
    sl_vec_push(&d->s->arena, &d->s->gathered, sl_str_dup(&d->s->arena, d->st->sql));
    ses_answer_ok(d->op);
    return keep(d, NULL);
}

static bool end_set(struct doing *d)
{
    struct session *s = d->s;
    struct ses_table then[2];
    if (!s->gathers) {
        return ses_fail_java(
            d->op, GATEWAY,
            "No Statement Set to submit. 'END' statement should be used after 'BEGIN STATEMENT SET'.");
    }
    s->gathers = false;
    size_t n = s->gathered.n;
    s->gathered.n = 0;
    d->op->keeps = true;
    if (n == 0) {
        ses_answer_ok(d->op);
        return true;
    }
    struct sql_stmt *inserts = sl_new_n(&d->op->arena, struct sql_stmt, n);
    const struct sql_stmt **list = sl_new_n(&d->op->arena, const struct sql_stmt *, n);
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    sl_buf_putz(&b, "EXECUTE STATEMENT SET BEGIN\n");
    for (size_t i = 0; i < n; i++) {
        inserts[i] = (struct sql_stmt){.kind = SQL_KIND_INSERT, .number = 1, .sql = s->gathered.v[i]};
        list[i] = &inserts[i];
        sl_buf_puts(&b, s->gathered.v[i]);
        sl_buf_putz(&b, ";\n");
    }
    sl_buf_putz(&b, "END");
    struct sql_stmt set_of = {
        .kind = SQL_KIND_STATEMENT_SET, .number = 1, .sql = sl_str_dup(&d->op->arena, sl_buf_str(&b))};
    const struct ses_errand e = {.how = SES_WALK_SET, .stmt = &set_of, .inserts = list, .n_inserts = n};
    return ses_walk(d->h, d->op, &e, then);
}

static bool statement_set(struct doing *d)
{
    struct ses_table then[2];
    if (d->st->n_inner == 0) {
        ses_answer_ok(d->op);
        return true;
    }
    const struct sql_stmt **list = sl_new_n(&d->op->arena, const struct sql_stmt *, d->st->n_inner);
    for (size_t i = 0; i < d->st->n_inner; i++) {
        list[i] = &d->st->inner[i];
    }
    const struct ses_errand e = {
        .how = SES_WALK_SET, .stmt = d->st, .inserts = list, .n_inserts = d->st->n_inner};
    return ses_walk(d->h, d->op, &e, then);
}

static bool insert(struct doing *d)
{
    struct ses_table then[2];
    struct ses_errand e = {.how = SES_WALK_INSERT, .stmt = d->st};
    switch (d->st->kind) {
    case SQL_KIND_UPSERT:
    case SQL_KIND_MERGE:
        return refuse(d, "Flink reads it but cannot run it");
    case SQL_KIND_EXECUTE_PLAN:
    case SQL_KIND_COMPILE_AND_EXECUTE_PLAN:
        return refuse(d, "a plan is a file of the JobManager's machine");
    case SQL_KIND_CREATE_TABLE_AS:
    case SQL_KIND_REPLACE_TABLE_AS: {
        struct sql_stmt table = *d->st;
        table.kind = SQL_KIND_CREATE_TABLE;
        struct doing as = {d->h, d->op, d->s, &table};
        bool here = effect_of(&as) == SES_EFFECT_SESSION;
        if (here) {
            ask_of_it(d, &e);
        }
        if (!ses_walk(d->h, d->op, &e, then)) {
            return false;
        }
        ses_own_forget(d->s);
        if (here && text_of(&then[0]).n == 0) {
            return ses_fail_java(d->op, GATEWAY,
                                 "Flink did not say how the table is defined; its job %s was started",
                                 d->op->job_id);
        }
        return !here || log_it(&as, text_of(&then[0]));
    }
    default:
        return ses_walk(d->h, d->op, &e, then);
    }
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static bool answer(struct doing *d)
{
    struct ses_table then[2];
    const struct ses_log *l = &d->s->log;
    if (ses_words_are(d->st->sql, "SHOW CURRENT CATALOG")) {
        ses_answer_text(d->op, "current catalog name", l->catalog);
        return true;
    }
    if (ses_words_are(d->st->sql, "SHOW CURRENT DATABASE") && l->database.n) {
        ses_answer_text(d->op, "current database name", l->database);
        return true;
    }
    if (ses_own_answer(d->op, d->st)) {
        return true;
    }
    const struct ses_errand e = {.how = SES_WALK_ANSWER, .stmt = d->st};
    d->op->content = true;
    return ses_walk(d->h, d->op, &e, then);
}

static bool call(struct doing *d)
{
    struct ses_table then[2];
    const struct ses_errand e = {.how = SES_WALK_ANSWER, .stmt = d->st};
    if (d->st->kind == SQL_KIND_ANALYZE) {
        return refuse(d, "Flink loses the job that it starts");
    }
    if (d->st->kind == SQL_KIND_COMPILE_PLAN) {
        return refuse(d, "a plan is a file of the JobManager's machine");
    }
    d->op->content = d->st->kind == SQL_KIND_CALL;
    return begins(d) && ses_walk(d->h, d->op, &e, then);
}

/* --- jars ---------------------------------------------------------------------------------------------------------- */

static bool jar(struct doing *d)
{
    struct session *s = d->s;
    sl_str path = d->st->object;
    if (d->st->kind == SQL_KIND_SHOW_JARS) {
        ses_answer_jars(d->op);
        return true;
    }
    if (!may(d, AUTH_JAR)) {
        return false;
    }
    if (sl_str_starts(path, SL_STR("file:"))) {
        path = sl_str_sub(path, 5, path.n - 5);
        while (path.n > 1 && path.p[0] == '/' && path.p[1] == '/') {
            path = sl_str_sub(path, 1, path.n - 1);
        }
    }
    size_t at = 0;
    while (at < s->jars.n && !sl_str_eq(s->jars.v[at], path)) {
        at++;
    }
    if (d->st->kind == SQL_KIND_ADD_JAR) {
        if (path.n == 0 || path.p[0] != '/' || !sys_exists(sl_arena_strdupz(&d->op->arena, path))) {
            return ses_fail_java(
                d->op, "java.io.FileNotFoundException",
                "%s resource [%.*s] not found.\nADD JAR takes the whole path of a file on the "
                "server's machine",
                since(s, SQL_FLINK_2_3) ? "jar or artifact" : "jar", SL_S(d->st->object));
        }
        if (at == s->jars.n) {
            sl_vec_push(&s->arena, &s->jars, sl_str_dup(&s->arena, path));
        }
    } else if (at < s->jars.n) {
        memmove(&s->jars.v[at], &s->jars.v[at + 1], (--s->jars.n - at) * sizeof(*s->jars.v));
    } else {
        return ses_fail_java(d->op, VALIDATION, "the session has no jar %.*s", SL_S(path));
    }
    ses_own_forget(d->s);
    ses_answer_ok(d->op);
    return keep(d, NULL);
}

/* --- the way ------------------------------------------------------------------------------------------------------- */

static bool may_configure(enum sql_kind k)
{
    enum sql_class c = sql_kind_class(k);
    return c == SQL_CLASS_DDL || c == SQL_CLASS_USE || c == SQL_CLASS_CONFIG || k == SQL_KIND_ADD_JAR;
}

static bool client_word(struct doing *d)
{
    if (d->st->kind == SQL_KIND_BEGIN_STATEMENT_SET) {
        d->s->gathers = true;
        d->s->gathered.n = 0;
        ses_answer_ok(d->op);
        return keep(d, NULL);
    }
    return d->st->kind == SQL_KIND_END ? may(d, AUTH_JOB) && end_set(d)
                                       : refuse(d, "it is a word of the client");
}

static bool dispatch(struct doing *d)
{
    const struct sql_stmt *st = d->st;
    enum sql_class cls = sql_kind_class(st->kind);
    struct ses_table then[2];
    if (d->op->configures && !may_configure(st->kind)) {
        return ses_fail_java(d->op, UNSUPPORTED, "Unsupported statement for configuring session:%s%.*s\n",
                             since(d->s, SQL_FLINK_2_2) ? " " : "", SL_S(d->op->statement));
    }
    if (d->s->gathers && st->kind != SQL_KIND_END) {
        return gather(d);
    }
    switch (cls) {
    case SQL_CLASS_CONFIG:
        return set(d);
    case SQL_CLASS_USE:
        return use(d);
    case SQL_CLASS_DDL:
        return ddl(d);
    case SQL_CLASS_QUERY: {
        const struct ses_errand e = {.how = SES_WALK_SELECT, .stmt = st};
        return may(d, AUTH_QUERY) && ses_walk(d->h, d->op, &e, then);
    }
    case SQL_CLASS_INSERT:
        return may(d, AUTH_JOB) && insert(d);
    case SQL_CLASS_SET_OF:
        return may(d, AUTH_JOB) && statement_set(d);
    case SQL_CLASS_ANSWER:
        return answer(d);
    case SQL_CLASS_CALL:
        return may(d, AUTH_CHANGE) && call(d);
    case SQL_CLASS_JAR:
        return jar(d);
    case SQL_CLASS_JOB:
        if (st->kind == SQL_KIND_STOP_JOB) {
            return may(d, AUTH_JOB) && ses_stop_job(d->h, d->op, st);
        }
        return ses_answer_jobs(d->h, d->op, st->kind == SQL_KIND_DESCRIBE_JOB ? st->object : SL_STR_NONE);
    case SQL_CLASS_CLIENT:
        return client_word(d);
    default:
        return refuse(d, "Flink's planner answers OK to it, and does nothing");
    }
}

/* Who threw it first, and what hands it on, as the traces of Flink's parser have them. `root` NULL: not known. */
static bool fail_parse(struct ses_op *op, bool early, const char *root, enum sl_code code, sl_str text)
{
    struct ses_cause *c = sl_new_n(&op->arena, struct ses_cause, 3);
    c[0].type = early ? SL_STR("org.apache.flink.table.api.SqlParserEOFException")
                      : SL_STR("org.apache.flink.table.api.SqlParserException");
    c[0].message = early ? text : sl_arena_printf(&op->arena, "SQL parse failed. %.*s", SL_S(text));
    c[1].type = SL_STR("org.apache.calcite.sql.parser.SqlParseException");
    c[1].message = text;
    if (root) {
        c[2].type = sl_str_of(root);
        c[2].message = text;
    }
    op->failure = (struct ses_failure){c, root ? 3 : 2, code};
    return false;
}

/* Flink's parser points at the last character of a text that ends too early; line and column are 0 where there is none. */
static bool fail_early(struct ses_op *op)
{
    size_t last = op->statement.n;
    struct sl_pos at = {0};
    if (last) {
        do {
            last--;
        } while (last && ((unsigned char)op->statement.p[last] & 0xc0) == 0x80);
        at = sl_pos_at(op->statement, last, 0);
    }
    return fail_parse(
        op, true, PARSE, SL_SYNTAX,
        sl_arena_printf(&op->arena, "Encountered \"<EOF>\" at line %u, column %u.", at.line, at.col));
}

/* Flink's first line, then ours in the place of its list of tokens. */
static sl_str say_place(struct ses_op *op, const struct sql_diag *d)
{
    SL_BUF_AUTO b;
    sl_buf_init(&b, 0);
    if (d->flink.n) {
        sl_buf_puts(&b, d->flink);
    } else {
        bool blank = false;
        sl_buf_putz(&b, "Encountered \"");
        for (size_t i = d->pos.off, end = i + d->pos.len; i < end && i < op->statement.n; i++) {
            char c = op->statement.p[i];
            bool space = c == ' ' || (c >= '\t' && c <= '\r');
            sl_buf_put(&b, space ? " " : &c, space && blank ? 0 : 1);
            blank = space;
        }
        sl_buf_putc(&b, '"');
    }
    sl_buf_printf(&b, " at line %u, column %u.\n%.*s%s%.*s", d->pos.line, d->pos.col, SL_S(d->msg),
                  d->hint.n ? "\n" : "", SL_S(d->hint));
    return sl_str_dup(&op->arena, sl_buf_str(&b));
}

/* A statement set without an INSERT: Flink's parser stops at its END. */
static bool fail_empty_set(struct ses_op *op)
{
    sl_str text = sl_str_trim(op->statement);
    while (text.n && (text.p[text.n - 1] == ';' || text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\n')) {
        text.n--;
    }
    if (!ses_words_are(text, "EXECUTE STATEMENT SET BEGIN END") &&
        !ses_words_are(text, "EXPLAIN STATEMENT SET BEGIN END")) {
        return true;
    }
    struct sl_pos at = sl_pos_at(op->statement, (size_t)(text.p - op->statement.p) + text.n - 3, 0);
    return fail_parse(op, false, PARSE, SL_SYNTAX,
                      sl_arena_printf(&op->arena,
                                      "Encountered \"END\" at line %u, column %u.\nthis statement set is "
                                      "empty\nit needs at least one INSERT INTO ...;",
                                      at.line, at.col));
}

/* BEGIN STATEMENT SET; ...; END in one text: one piece of a script, and several statements to Flink's parser. */
static bool several(const struct sql_script *s)
{
    const struct sql_stmt *st = s->stmts.n ? &s->stmts.v[0] : NULL;
    return s->stmts.n > 1 ||
           (st && st->kind == SQL_KIND_STATEMENT_SET && sl_str_ieqz(sl_str_sub(st->text, 0, 5), "BEGIN"));
}

static bool fail_several(struct ses_op *op)
{
    return ses_fail_java(op, "java.lang.IllegalArgumentException", "only single statement supported");
}

/* Not a statement: said as Flink says it, so that clients that read on at an end that comes too early do so. */
static bool fail_syntax(struct ses_op *op, const struct sql_script *s)
{
    const struct sql_stmt *st = s->stmts.n ? &s->stmts.v[0] : NULL;
    const struct sql_diag *d = NULL;
    for (size_t i = 0; i < s->diags.list.n && !d; i++) {
        d = s->diags.list.v[i].severity == SQL_ERROR ? &s->diags.list.v[i] : NULL;
    }
    bool open = st && st->kind == SQL_KIND_STATEMENT_SET && d && d->pos.off == st->pos.off;
    bool early =
        st && !st->terminated && d && d->pos.off != SL_NO_POS && d->pos.off >= st->pos.off + st->text.n;
    if (several(s) && (!d || open)) {
        return fail_several(op);
    }
    if (!st || open || early) {
        return fail_early(op);
    }
    if (!d) {
        return fail_parse(op, false, NULL, SL_SYNTAX, SL_STR("the statement cannot be read"));
    }
    if (d->pos.off != SL_NO_POS && (d->code == SL_RESERVED_WORD || (d->code == SL_SYNTAX && !d->flink.n))) {
        return fail_parse(op, false, PARSE, d->code, say_place(op, d));
    }
    if (d->flink.n) {
        return fail_parse(op, false,
                          d->code == SL_SYNTAX ? "org.apache.calcite.runtime.CalciteException" : NULL,
                          d->code, d->flink);
    }
    return fail_parse(op, false, NULL, d->code,
                      sl_arena_printf(&op->arena, "%.*s at line %u, column %u%s%.*s", SL_S(d->msg),
                                      d->pos.line, d->pos.col, d->hint.n ? "\n" : "", SL_S(d->hint)));
}

bool ses_run(struct ses_host *h, struct ses_op *op)
{
    struct sql_script *script = sl_new(&op->arena, struct sql_script);
    struct sl_err err = SL_ERR_INIT;
    sql_version flink;
    if (!sql_version_parse(sl_str_of(op->session->flink), &flink, &err)) {
        return ses_fail(op, &err);
    }
    struct sql_options opt = {.flink = flink, .level = SQL_LEVEL_SYNTAX};
    sql_script_init(script, &op->arena, flink);
    if (!sql_script_add(script, SL_STR("statement"), op->statement, &opt, &err)) {
        return ses_fail(op, &err);
    }
    if (!fail_empty_set(op)) {
        return false;
    }
    if (script->stmts.n != 1 || script->diags.errors) {
        return fail_syntax(op, script);
    }
    if (several(script)) {
        return fail_several(op);
    }
    struct plan_config c = ses_config(op->session, op, &op->arena);
    sl_str zone = plan_config_get(&c, "table.local-time-zone");
    op->zone = zone.n && !sl_str_ieqz(zone, "default") ? sl_arena_strdupz(&op->arena, zone) : NULL;
    struct doing d = {h, op, op->session, &script->stmts.v[0]};
    return dispatch(&d);
}
