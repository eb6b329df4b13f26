/* SPDX-License-Identifier: Apache-2.0
 * The Flink versions this parser knows: keywords, syntax and options differ between them. */
#include "sqlparse/token.h"

static const struct {
    sql_version version;
    const char *name;
} versions[SQL_VERSION_COUNT] = {
    {120, "1.20"}, {200, "2.0"}, {201, "2.1"}, {202, "2.2"}, {203, "2.3"},
};

unsigned sql_version_index(sql_version v)
{
    unsigned def = 0;
    for (unsigned i = 0; i < SQL_VERSION_COUNT; i++) {
        if (versions[i].version == v) {
            return i;
        }
        if (versions[i].version == SQL_FLINK_DEFAULT) {
            def = i;
        }
    }
    return def;
}

sql_version sql_version_at(unsigned index)
{
    SL_BUG_ON(index >= SQL_VERSION_COUNT);
    return versions[index].version;
}

const char *sql_version_name(sql_version v)
{
    return versions[sql_version_index(v)].name;
}

bool sql_version_parse(sl_str s, sql_version *ret, struct sl_err *err)
{
    for (unsigned i = 0; i < SQL_VERSION_COUNT; i++) {
        sl_str name = sl_str_of(versions[i].name);
        if (!sl_str_starts(s, name)) {
            continue;
        }
        sl_str patch = sl_str_sub(s, name.n, s.n - name.n);
        int64_t number;
        if (patch.n == 0 || (patch.n > 1 && patch.p[0] == '.' &&
                             sl_str_to_i64(sl_str_sub(patch, 1, patch.n - 1), &number) && number >= 0)) {
            *ret = versions[i].version;
            return true;
        }
    }
    sl_fail(err, SL_CONFIG_VALUE, "Flink version '%.*s' is not known", SL_S(s));
    return sl_hint(err, "known versions: 1.20, 2.0, 2.1, 2.2, 2.3 (2.2 is the default; 2.2.1 means 2.2)");
}
