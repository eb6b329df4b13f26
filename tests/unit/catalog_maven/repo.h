/* SPDX-License-Identifier: Apache-2.0
 * A Maven repository in memory for tests of the resolver. POMs are written without their frame; a dependency is
 * D("g:a:v"). Every resolution is made twice: with all texts at once, and with each text late, as from a network. */
#ifndef SLUICE_TESTS_MAVEN_REPO_H
#define SLUICE_TESTS_MAVEN_REPO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "catalog/maven/resolve.h"

struct repo {
    struct sl_arena a;
    struct mvn_table files; /* "g:a:v", "g:a" -> sl_str */
    struct mvn_table asked;
    bool late;
    struct mvn_request rq;
    struct mvn_resolution got;
    enum mvn_outcome outcome;
    struct sl_err err;
};

static inline void repo_put(struct repo *r, const char *id, sl_str text)
{
    sl_str *t = sl_new(&r->a, sl_str);
    *t = sl_str_dup(&r->a, text);
    mvn_table_put(&r->files, &r->a, sl_str_dup(&r->a, sl_str_of(id)), t);
}

/* One <dependency> from "g:a:v[:scope[:rest]]"; v "-" is left out. `rest` is XML inside it. */
static inline sl_str repo_dep(struct repo *r, const char *gav, const char *scope, const char *rest)
{
    struct mvn_coordinate c;
    assert_true(mvn_coordinate_parse(sl_str_of(gav), &c, NULL));
    return sl_arena_printf(
        &r->a,
        "<dependency><groupId>%.*s</groupId><artifactId>%.*s</artifactId>%s%.*s%s%s%s%s%s</dependency>",
        SL_S(c.g), SL_S(c.a), sl_str_eqz(c.v, "-") ? "" : "<version>",
        SL_S(sl_str_eqz(c.v, "-") ? SL_STR("") : c.v), sl_str_eqz(c.v, "-") ? "" : "</version>",
        *scope ? "<scope>" : "", scope, *scope ? "</scope>" : "", rest);
}
#define D(gav)          repo_dep(r, gav, "", "").p
#define DX(gav, s, rst) repo_dep(r, gav, s, rst).p

/* A POM with that coordinate; `deps` are its dependencies, `rest` whatever else. */
static inline void repo_pom(struct repo *r, const char *gav, const char *deps, const char *rest)
{
    struct mvn_coordinate c;
    assert_true(mvn_coordinate_parse(sl_str_of(gav), &c, NULL));
    repo_put(
        r, gav,
        sl_arena_printf(
            &r->a,
            "<?xml version=\"1.0\"?>\n<!-- a POM -->\n<project xmlns=\"m\"><modelVersion>4.0.0</modelVersion>"
            "<groupId>%.*s</groupId><artifactId>%.*s</artifactId><version> %.*s\n</version>%s"
            "<dependencies>%s</dependencies></project>",
            SL_S(c.g), SL_S(c.a), SL_S(c.v), rest, deps));
}

static inline void repo_versions(struct repo *r, const char *ga, const char *versions)
{
    repo_put(r, ga,
             sl_arena_printf(&r->a, "<metadata><versioning><versions>%s</versions></versioning></metadata>",
                             versions));
}
#define V(v) "<version>" v "</version>"

static inline enum mvn_got repo_get(void *ctx, const struct mvn_file *f, struct sl_arena *a, sl_str *ret,
                                    struct sl_err *err)
{
    (void)err;
    struct repo *r = ctx;
    sl_str id = f->kind == MVN_METADATA
                    ? sl_arena_printf(&r->a, "%.*s:%.*s", SL_S(f->g), SL_S(f->a))
                    : sl_arena_printf(&r->a, "%.*s:%.*s:%.*s%s", SL_S(f->g), SL_S(f->a), SL_S(f->v),
                                      f->kind == MVN_SNAPSHOT_METADATA ? ":times" : "");
    if (r->late && !mvn_table_get(&r->asked, id)) {
        mvn_table_put(&r->asked, &r->a, id, r);
        return MVN_LATER;
    }
    const sl_str *t = mvn_table_get(&r->files, id);
    if (t) {
        *ret = sl_str_dup(a, *t);
    }
    return t ? MVN_GOT : MVN_ABSENT;
}

static inline struct mvn_wanted *repo_want(struct repo *r, const char *gav)
{
    struct mvn_wanted *w = sl_vec_add(&r->a, &r->rq.wanted);
    assert_true(mvn_coordinate_parse(sl_str_of(gav), &w->c, NULL));
    return w;
}

/* The tree: "a:1 .b:2 ..c:1[runtime]": a dot for each level below the first; scopes but compile are shown. */
static inline const char *repo_tree(struct repo *r)
{
    const char *tree = NULL;
    for (int late = 0; late < 2; late++) {
        SL_ARENA_AUTO a = {0};
        r->late = late;
        struct mvn_source s = {
            .get = repo_get, .ctx = r, .java_version = SL_STR("17.0.13"), .os_arch = SL_STR("amd64")};
        struct mvn_models m;
        mvn_models_init(&m, &a, &s);
        int passes = 0;
        do {
            r->err = SL_ERR_INIT;
            r->outcome = mvn_resolve(&m, &r->rq, &r->got, &r->err);
        } while (r->outcome == MVN_NEEDS_MORE && ++passes < 2000);
        SL_BUF_AUTO b;
        sl_buf_init(&b, 0);
        if (r->outcome != MVN_RESOLVED) {
            sl_buf_printf(&b, "%s", sl_code_slug(r->err.code));
        }
        for (size_t i = 0; r->outcome == MVN_RESOLVED && i < r->got.artifacts.n; i++) {
            const struct mvn_artifact *x = &r->got.artifacts.v[i];
            sl_buf_printf(&b, "%s%.*s%.*s%s%.*s:%.*s", i ? " " : "", (int)x->depth - 1, "..........",
                          SL_S(x->a), x->classifier.n ? ":" : "", SL_S(x->classifier), SL_S(x->v));
            if (!sl_str_eqz(x->scope, "compile")) {
                sl_buf_printf(&b, "[%.*s]", SL_S(x->scope));
            }
        }
        for (size_t i = 0; r->outcome == MVN_RESOLVED && i < r->got.warnings.n; i++) {
            sl_buf_printf(&b, " ! %.*s", SL_S(r->got.warnings.v[i]));
        }
        const char *now = sl_arena_strdupz(&r->a, sl_buf_str(&b));
        if (tree) {
            assert_string_equal(now, tree);
        }
        tree = now;
    }
    return tree;
}

/* Asks for the coordinates (blanks between) and compares the tree; forgets the request. */
static inline void repo_is(struct repo *r, const char *wanted, const char *tree)
{
    char *all = sl_arena_strdupz(&r->a, sl_str_of(wanted));
    for (char *at = all; *at;) {
        char *end = strchr(at, ' ');
        if (end) {
            *end = 0;
        }
        repo_want(r, at);
        at = end ? end + 1 : at + strlen(at);
    }
    assert_string_equal(repo_tree(r), tree);
    memset(&r->rq, 0, sizeof(r->rq));
    memset(&r->asked, 0, sizeof(r->asked));
}

/* Catenates XML. */
static inline const char *repo_cat(struct repo *r, const char *a, const char *b, const char *c)
{
    return sl_arena_printf(&r->a, "%s%s%s", a, b, c).p;
}
#define CAT(a, b)     repo_cat(r, a, b, "")
#define CAT3(a, b, c) repo_cat(r, a, b, c)

#endif
