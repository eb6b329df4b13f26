/* SPDX-License-Identifier: Apache-2.0
 * Looking up configuration keys: sorted tables, binary search. */
#include "catalog/options.h"

struct option {
    const char *key;
    bool map;          /* takes `key.anything` too */
    const char *type;  /* as the distribution declares it: Boolean, Duration, an enumeration's name */
    const char *words; /* of an enumeration: "A|B" */
};

/* clang-format off */
static const struct option options_1_20[] = {
#include "catalog/options-1.20.inc"
};
static const struct option options_2_2[] = {
#include "catalog/options-2.2.inc"
};
static const struct option options_2_3[] = {
#include "catalog/options-2.3.inc"
};
/* clang-format on */

struct list {
    const struct option *v;
    size_t n;
};

static struct list list_of(sql_version v)
{
    switch (v) {
    case SQL_FLINK_1_20:
        return (struct list){options_1_20, SL_ARRAY_LEN(options_1_20)};
    case SQL_FLINK_2_2:
        return (struct list){options_2_2, SL_ARRAY_LEN(options_2_2)};
    case SQL_FLINK_2_3:
        return (struct list){options_2_3, SL_ARRAY_LEN(options_2_3)};
    default:
        return (struct list){NULL, 0};
    }
}

/* Under these anything may stand: file systems and reporters read them, and programs beside Flink's own. */
static const char *const free_prefixes[] = {"external-resource.",
                                            "metrics.reporter.",
                                            "traces.reporter.",
                                            "events.reporter.",
                                            "flink.hadoop.",
                                            "flink.yarn.",
                                            "fs.",
                                            "s3.",
                                            "s3a.",
                                            "s3n.",
                                            "oss.",
                                            "gs.",
                                            "abfs.",
                                            "azure.",
                                            "hadoop.",
                                            "dfs.",
                                            "containerized.",
                                            "env.java.",
                                            "kubernetes.operator.",
                                            "job.autoscaler.",
                                            "sql-gateway.",
                                            "hive.",
                                            "iceberg.",
                                            "paimon.",
                                            "hudi.",
                                            "fluss.",
                                            "table.exec.hive.",
                                            "table.exec.iceberg.",
                                            "table.exec.paimon.",
                                            "logger.",
                                            "security.module.",
                                            "security.context.",
                                            "taskmanager.host",
                                            "jobmanager.host"};

bool cat_options_have(sql_version v)
{
    return list_of(v).n != 0;
}

static const struct option *find(struct list l, sl_str key)
{
    size_t low = 0, high = l.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = sl_str_cmp(sl_str_of(l.v[mid].key), key);
        if (c == 0) {
            return &l.v[mid];
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/* Does the list hold any key of this namespace ("table" of table.x.y)? */
static bool has_namespace(struct list l, sl_str key)
{
    ptrdiff_t dot = sl_str_find_char(key, '.');
    if (dot < 0) {
        return true;
    }
    sl_str space = sl_str_sub(key, 0, (size_t)dot + 1);
    for (size_t i = 0; i < l.n; i++) {
        if (sl_str_starts(sl_str_of(l.v[i].key), space)) {
            return true;
        }
    }
    return false;
}

bool cat_option_known(sql_version v, sl_str key)
{
    struct list l = list_of(v);
    if (!l.n || find(l, key)) {
        return true;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(free_prefixes); i++) {
        if (sl_str_starts(key, sl_str_of(free_prefixes[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < key.n; i++) {
        const struct option *o = key.p[i] == '.' ? find(l, sl_str_sub(key, 0, i)) : NULL;
        if (o && o->map) {
            return true;
        }
    }
    return !has_namespace(l, key) && !cat_option_near(v, key).n;
}

sl_str cat_option_near(sql_version v, sl_str key)
{
    struct list l = list_of(v);
    sl_str near = SL_STR_NONE;
    size_t best = SL_MIN((size_t)3, key.n / 4) + 1;
    for (size_t i = 0; i < l.n; i++) {
        sl_str other = sl_str_of(l.v[i].key);
        size_t gap = other.n > key.n ? other.n - key.n : key.n - other.n;
        if (gap >= best || sl_str_find_char(other, '.') < 0) {
            continue;
        }
        size_t d = sl_str_distance(key, other, best);
        if (d < best) {
            best = d;
            near = other;
        }
    }
    /* parallelism: parallelism.default */
    for (size_t i = 0; !near.n && i < l.n; i++) {
        sl_str other = sl_str_of(l.v[i].key);
        if (other.n > key.n && other.p[key.n] == '.' && sl_str_starts(other, key)) {
            near = other;
        }
    }
    return near;
}

size_t cat_options_count(sql_version v)
{
    return list_of(v).n;
}

sl_str cat_option_at(sql_version v, size_t i, sl_str *ret_type)
{
    struct list l = list_of(v);
    SL_BUG_ON(i >= l.n);
    *ret_type = sl_str_of(l.v[i].type);
    return sl_str_of(l.v[i].key);
}

bool cat_option_type(sql_version v, sl_str key, sl_str *ret_type)
{
    const struct option *o = find(list_of(v), key);
    if (o) {
        *ret_type = sl_str_of(o->type);
    }
    return o != NULL;
}

sl_str cat_option_words(sql_version v, sl_str key)
{
    const struct option *o = find(list_of(v), key);
    return o ? sl_str_of(o->words) : SL_STR_NONE;
}
