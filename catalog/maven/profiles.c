/* SPDX-License-Identifier: Apache-2.0
 * When a profile of somebody else's POM is on: by the consumer's Java, operating system and JVM properties. There is
 * no project folder, so a condition on a file of it is never met. */
#include "catalog/maven/model.h"

#include <ctype.h>

struct bound {
    sl_str text;
    bool closed;
};

/* The n-th of the pieces of `text` between characters of `between`; "0" behind the last one. */
static bool piece(sl_str text, const char *between, size_t n, int64_t *ret)
{
    size_t from = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && !strchr(between, text.p[i])) {
            continue;
        }
        if (n-- == 0) {
            return sl_str_to_i64(sl_str_sub(text, from, i - from), ret);
        }
        from = i + 1;
    }
    *ret = 0;
    return true;
}

static int relation(sl_str version, struct bound b, bool left, bool *ret_bad)
{
    if (!b.text.n) {
        return left ? 1 : -1;
    }
    for (size_t i = 0; i < 3; i++) {
        int64_t x = 0, y = 0;
        if (!piece(version, ".-_", i, &x) || !piece(b.text, ".", i, &y)) {
            *ret_bad = true;
            return -1;
        }
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return b.closed ? 0 : left ? -1 : 1;
}

/* As Maven cuts it: at commas, each piece by its first or last character; a range of one piece has no end. */
static bool java_in_range(sl_str version, sl_str range, bool *ret_bad)
{
    struct bound bounds[2] = {{0}, {SL_STR("99999999"), false}};
    size_t n = 0, from = 0;
    for (size_t i = 0; i <= range.n && n < 2; i++) {
        if (i < range.n && range.p[i] != ',') {
            continue;
        }
        sl_str t = sl_str_sub(range, from, i - from);
        from = i + 1;
        if (t.n && (t.p[0] == '[' || t.p[0] == '(')) {
            bounds[n++] = (struct bound){sl_str_trim(sl_str_sub(t, 1, t.n - 1)), t.p[0] == '['};
        } else if (t.n && (t.p[t.n - 1] == ']' || t.p[t.n - 1] == ')')) {
            bounds[n++] = (struct bound){sl_str_trim(sl_str_sub(t, 0, t.n - 1)), t.p[t.n - 1] == ']'};
        } else if (!t.n && i < range.n) {
            bounds[n++] = (struct bound){SL_STR(""), false};
        }
    }
    if (n == 0) {
        *ret_bad = true;
        return false;
    }
    int low = relation(version, bounds[0], true, ret_bad);
    return low == 0 || (low > 0 && relation(version, bounds[1], false, ret_bad) <= 0);
}

static bool java_is(sl_str version, sl_str want, bool *ret_bad)
{
    if (want.n && want.p[0] == '!') {
        return !sl_str_starts(version, sl_str_sub(want, 1, want.n - 1));
    }
    if (want.n && (want.p[0] == '[' || want.p[0] == '(')) {
        return java_in_range(version, want, ret_bad);
    }
    return sl_str_starts(version, want);
}

static bool family_is(sl_str f)
{
    static const char *const others[] = {"windows", "win9x",  "winnt",   "netware", "mac", "tandem",
                                         "z/os",    "os/400", "openvms", "dos",     "os/2"};
    if (sl_str_ieqz(f, "unix")) {
        return true;
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (sl_str_ieqz(f, others[i])) {
            return false;
        }
    }
    char low[8] = {0};
    for (size_t i = 0; i < f.n && i < 7; i++) {
        low[i] = (char)tolower((unsigned char)f.p[i]);
    }
    return f.n < 6 && strstr("linux", low);
}

/* One condition that a "!" turns round; one that is not there holds. */
static bool holds(sl_str want, bool (*is)(sl_str), sl_str equal)
{
    if (!want.p) {
        return true;
    }
    bool not = want.n && want.p[0] == '!';
    sl_str w = not ? sl_str_sub(want, 1, want.n - 1) : want;
    return (is ? is(w) : sl_str_ieq(w, equal)) != not ;
}

static bool property_is(const struct mvn_models *m, const struct mvn_activation *on, bool *ret_bad)
{
    sl_str name = on->property_name;
    bool not = name.n && name.p[0] == '!';
    if (not ) {
        name = sl_str_sub(name, 1, name.n - 1);
    }
    if (!name.n) {
        *ret_bad = true;
        return false;
    }
    sl_str have = sl_str_eqz(name, "java.version") ? m->source.java_version
                  : sl_str_eqz(name, "os.name")    ? SL_STR("Linux")
                  : sl_str_eqz(name, "os.arch")    ? m->source.os_arch
                                                   : SL_STR_NONE;
    if (on->property_value.n) {
        sl_str want = on->property_value;
        bool other = want.p[0] == '!';
        if (other) {
            want = sl_str_sub(want, 1, want.n - 1);
        }
        return (have.p && sl_str_eq(want, have)) != other;
    }
    return (have.n > 0) != not ;
}

bool mvn_profile_is_on(const struct mvn_models *m, const struct mvn_profile *p, bool *ret_bad)
{
    const struct mvn_activation *on = &p->on;
    bool active = on->jdk.p || on->os || on->property || on->file;
    if (active && on->jdk.p) {
        active = java_is(m->source.java_version, on->jdk, ret_bad);
    }
    if (active && on->os) {
        active = (on->os_family.p || on->os_name.p || on->os_arch.p || on->os_version.p) &&
                 holds(on->os_family, family_is, SL_STR_NONE) && holds(on->os_name, NULL, SL_STR("linux")) &&
                 holds(on->os_arch, NULL, m->source.os_arch) && holds(on->os_version, NULL, SL_STR_NONE);
    }
    if (active && on->property) {
        active = property_is(m, on, ret_bad);
    }
    if (active && on->file) {
        active = !on->file_exists.n && on->file_missing.n && on->file_missing.p[0] == '/';
    }
    return active;
}
