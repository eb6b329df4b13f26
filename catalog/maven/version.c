/* SPDX-License-Identifier: Apache-2.0
 * The resolver's order of versions, and ranges. A version is a row of numbers and words; words that everybody uses
 * (alpha ... sp) have a rank around the release. */
#include "catalog/maven/version.h"
#include "base/vec.h"

#include <ctype.h>

/* Kinds are ordered; those with the bit of QUALIFIER are words. */
enum { MIN = 0, QUALIFIER = 2, WORD = 3, INT = 4, BIG = 5, MAX = 8 };

static bool is_number(const struct mvn_version_item *i)
{
    return (i->kind & QUALIFIER) == 0;
}

static int sign(int64_t x)
{
    return (x > 0) - (x < 0);
}

static int fold_cmp(sl_str a, sl_str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int d = tolower((unsigned char)a.p[i]) - tolower((unsigned char)b.p[i]);
        if (d) {
            return sign(d);
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int big_cmp(sl_str a, sl_str b)
{
    return a.n != b.n ? (a.n > b.n) - (a.n < b.n) : sign(memcmp(a.p, b.p, a.n));
}

/* Against what stands for nothing there: 0, or the release. */
static int pad_cmp(const struct mvn_version_item *i)
{
    switch (i->kind) {
    case MIN:
        return -1;
    case INT:
    case QUALIFIER:
        return sign(i->number);
    default:
        return 1;
    }
}

static int item_cmp(const struct mvn_version_item *a, const struct mvn_version_item *b)
{
    if (a->kind != b->kind) {
        return sign((int64_t)a->kind - b->kind);
    }
    switch (a->kind) {
    case INT:
    case QUALIFIER:
        return sign(a->number - b->number);
    case BIG:
        return big_cmp(a->text, b->text);
    case WORD:
        return fold_cmp(a->text, b->text);
    default:
        return 0;
    }
}

static struct mvn_version_item word_item(sl_str token, bool last, bool before_digit)
{
    static const struct {
        const char *word;
        int rank;
    } known[] = {{"alpha", -5},    {"beta", -4}, {"milestone", -3}, {"cr", -2},     {"rc", -2},
                 {"snapshot", -1}, {"ga", 0},    {"final", 0},      {"release", 0}, {"sp", 1}};
    if (last && (sl_str_ieqz(token, "min") || sl_str_ieqz(token, "max"))) {
        return (struct mvn_version_item){.kind = sl_str_ieqz(token, "min") ? MIN : MAX};
    }
    if (before_digit && token.n == 1) {
        switch (tolower((unsigned char)token.p[0])) {
        case 'a':
            return (struct mvn_version_item){.kind = QUALIFIER, .number = -5};
        case 'b':
            return (struct mvn_version_item){.kind = QUALIFIER, .number = -4};
        case 'm':
            return (struct mvn_version_item){.kind = QUALIFIER, .number = -3};
        default:
            break;
        }
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (sl_str_ieqz(token, known[i].word)) {
            return (struct mvn_version_item){.kind = QUALIFIER, .number = known[i].rank};
        }
    }
    return (struct mvn_version_item){.kind = WORD, .text = token};
}

static struct mvn_version_item number_item(sl_str token)
{
    while (token.n > 1 && token.p[0] == '0') {
        token = sl_str_sub(token, 1, token.n - 1);
    }
    int64_t v = 0;
    if (token.n < 10 && sl_str_to_i64(token, &v)) {
        return (struct mvn_version_item){.kind = INT, .number = v};
    }
    return (struct mvn_version_item){.kind = BIG, .text = token};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What says nothing at the end of a row of numbers or of words is taken away: 1.0.0 is 1, 1.0-ga is 1. */
static void trim(struct mvn_version *v)
{
    int number = -1; /* not known */
    size_t end = v->n - 1;
    for (size_t i = end; i > 0; i--) {
        struct mvn_version_item *it = &v->items[i];
        if (number != (int)is_number(it)) {
            end = i;
            number = is_number(it);
        }
        if (end == i && (i == v->n - 1 || is_number(&v->items[i - 1]) == is_number(it)) && pad_cmp(it) == 0) {
            memmove(it, it + 1, (v->n - 1 - i) * sizeof(*it));
            v->n--;
            end--;
        }
    }
}

struct mvn_version mvn_version_parse(struct sl_arena *a, sl_str text)
{
    SL_VEC(struct mvn_version_item) items = {0};
    sl_str t = text.n ? text : SL_STR("0");
    for (size_t at = 0; at < t.n;) {
        size_t from = at, end = t.n;
        bool digits = is_digit(t.p[at]), before_digit = false;
        for (; at < t.n; at++) {
            char c = t.p[at];
            if (c == '.' || c == '-' || c == '_') {
                end = at++;
                break;
            }
            if (is_digit(c) != digits) {
                end = at;
                before_digit = !digits;
                break;
            }
        }
        sl_str token = sl_str_sub(t, from, end - from);
        struct mvn_version_item item = token.n == 0 ? (struct mvn_version_item){.kind = INT}
                                       : digits     ? number_item(token)
                                                    : word_item(token, at >= t.n, before_digit);
        sl_vec_push(a, &items, item);
    }
    struct mvn_version v = {.text = text, .items = items.v, .n = items.n};
    trim(&v);
    return v;
}

/* number -1: whatever comes */
static int padding_cmp(const struct mvn_version *v, size_t from, int number)
{
    for (size_t i = from; i < v->n; i++) {
        if (number >= 0 && number != (int)is_number(&v->items[i])) {
            break;
        }
        int c = pad_cmp(&v->items[i]);
        if (c) {
            return c;
        }
    }
    return 0;
}

int mvn_version_cmp(const struct mvn_version *a, const struct mvn_version *b)
{
    bool number = true;
    for (size_t i = 0;; i++) {
        if (i >= a->n && i >= b->n) {
            return 0;
        }
        if (i >= a->n) {
            return -padding_cmp(b, i, -1);
        }
        if (i >= b->n) {
            return padding_cmp(a, i, -1);
        }
        bool an = is_number(&a->items[i]);
        if (an != is_number(&b->items[i])) {
            return number == an ? padding_cmp(a, i, number) : -padding_cmp(b, i, number);
        }
        int c = item_cmp(&a->items[i], &b->items[i]);
        if (c) {
            return c;
        }
        number = an;
    }
}

static bool range_fail(struct sl_err *err, sl_str text, const char *why)
{
    sl_fail(err, SL_VERSION_RANGE, "'%.*s' is no version range: %s", SL_S(text), why);
    return sl_hint(err, "write it like [1.0,2.0) or [1.0]");
}

static bool range_parse(struct sl_arena *a, sl_str text, struct mvn_range *r, struct sl_err *err)
{
    r->low_in = text.p[0] == '[';
    r->high_in = text.p[text.n - 1] == ']';
    sl_str in = sl_str_sub(text, 1, text.n - 2);
    ptrdiff_t comma = sl_str_find_char(in, ',');
    if (comma < 0) {
        if (!r->low_in || !r->high_in) {
            return range_fail(err, text, "a single version stands in [ ]");
        }
        sl_str v = sl_str_trim(in);
        r->has_low = r->has_high = true;
        if (sl_str_ends(v, SL_STR(".*"))) {
            r->low = mvn_version_parse(a, sl_arena_printf(a, "%.*smin", (int)(v.n - 1), v.p));
            r->high = mvn_version_parse(a, sl_arena_printf(a, "%.*smax", (int)(v.n - 1), v.p));
        } else {
            r->low = r->high = mvn_version_parse(a, v);
        }
        return true;
    }
    sl_str low = sl_str_trim(sl_str_sub(in, 0, (size_t)comma));
    sl_str high = sl_str_trim(sl_str_sub(in, (size_t)comma + 1, in.n - (size_t)comma - 1));
    if (sl_str_find_char(high, ',') >= 0) {
        return range_fail(err, text, "it has more than two bounds");
    }
    if ((r->has_low = low.n > 0)) {
        r->low = mvn_version_parse(a, low);
    }
    if ((r->has_high = high.n > 0)) {
        r->high = mvn_version_parse(a, high);
    }
    if (r->has_low && r->has_high && mvn_version_cmp(&r->high, &r->low) < 0) {
        return range_fail(err, text, "its lower bound is greater than the upper one");
    }
    return true;
}

bool mvn_constraint_parse(struct sl_arena *a, sl_str text, struct mvn_constraint *ret, struct sl_err *err)
{
    SL_VEC(struct mvn_range) ranges = {0};
    sl_str rest = text;
    while (rest.n && (rest.p[0] == '[' || rest.p[0] == '(')) {
        size_t end = 1;
        while (end < rest.n && rest.p[end] != ')' && rest.p[end] != ']') {
            end++;
        }
        if (end == rest.n) {
            return range_fail(err, text, "it has no end");
        }
        if (!range_parse(a, sl_str_sub(rest, 0, end + 1), sl_vec_add(a, &ranges), err)) {
            return false;
        }
        rest = sl_str_trim(sl_str_sub(rest, end + 1, rest.n - end - 1));
        if (rest.n && rest.p[0] == ',') {
            rest = sl_str_trim(sl_str_sub(rest, 1, rest.n - 1));
        }
    }
    if (rest.n && ranges.n) {
        return range_fail(err, text, "something follows the range");
    }
    *ret = (struct mvn_constraint){.ranges = ranges.v, .n = ranges.n};
    return true;
}

bool mvn_constraint_has(const struct mvn_constraint *c, const struct mvn_version *v)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct mvn_range *r = &c->ranges[i];
        int low = r->has_low ? mvn_version_cmp(&r->low, v) : -1;
        int high = r->has_high ? mvn_version_cmp(&r->high, v) : 1;
        if ((low < 0 || (low == 0 && r->low_in)) && (high > 0 || (high == 0 && r->high_in))) {
            return true;
        }
    }
    return false;
}
