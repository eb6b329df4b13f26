/* SPDX-License-Identifier: Apache-2.0
 * ComparableVersion: a version as nested lists. A dot adds to a list, a hyphen or an edge between letters and digits
 * opens one inside it; what says nothing at the end of a list is taken away. */
#include "base/vec.h"
#include "catalog/maven/version.h"

#include <ctype.h>

enum kind { NUMBER, WORD, LIST };
struct item {
    enum kind kind;
    sl_str text; /* digits without leading zeros; "" is 0 */
    SL_VEC(struct item *) list;
};

static const char *const WORDS[] = {"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"};
enum { WORD_COUNT = sizeof(WORDS) / sizeof(WORDS[0]), RELEASE = 5 };

static int rank(sl_str word)
{
    for (int i = 0; i < WORD_COUNT; i++) {
        if (sl_str_eqz(word, WORDS[i])) {
            return i;
        }
    }
    return WORD_COUNT;
}

static struct item *word_new(struct sl_arena *a, sl_str text, bool before_digit)
{
    struct item *it = sl_new(a, struct item);
    it->kind = WORD;
    it->text = text;
    if (before_digit && text.n == 1) {
        it->text = text.p[0] == 'a'   ? SL_STR("alpha")
                   : text.p[0] == 'b' ? SL_STR("beta")
                   : text.p[0] == 'm' ? SL_STR("milestone")
                                      : text;
    }
    if (sl_str_eqz(it->text, "ga") || sl_str_eqz(it->text, "final") || sl_str_eqz(it->text, "release")) {
        it->text = SL_STR("");
    } else if (sl_str_eqz(it->text, "cr")) {
        it->text = SL_STR("rc");
    }
    return it;
}

static struct item *number_new(struct sl_arena *a, sl_str text)
{
    while (text.n && text.p[0] == '0') {
        text = sl_str_sub(text, 1, text.n - 1);
    }
    struct item *it = sl_new(a, struct item);
    it->text = text;
    return it;
}

static struct item *list_open(struct sl_arena *a, struct item *in)
{
    struct item *it = sl_new(a, struct item);
    it->kind = LIST;
    if (in) {
        sl_vec_push(a, &in->list, it);
    }
    return it;
}

static bool is_null(const struct item *it)
{
    return it->kind == LIST     ? it->list.n == 0
           : it->kind == NUMBER ? it->text.n == 0
                                : rank(it->text) == RELEASE;
}

/* From the innermost list outwards. */
static void normalize(struct item *list)
{
    struct item *last = list->list.n ? list->list.v[list->list.n - 1] : NULL;
    for (size_t i = 0; last && i < list->list.n; i++) {
        if (list->list.v[i]->kind == LIST) {
            normalize(list->list.v[i]);
        }
    }
    for (size_t i = list->list.n; i-- > 0;) {
        struct item *it = list->list.v[i];
        if (is_null(it)) {
            memmove(&list->list.v[i], &list->list.v[i + 1], (list->list.n - 1 - i) * sizeof(it));
            list->list.n--;
        } else if (it->kind != LIST) {
            break;
        }
    }
}

static struct item *parse(struct sl_arena *a, sl_str text)
{
    char *low = sl_arena_strdupz(a, text);
    for (size_t i = 0; i < text.n; i++) {
        low[i] = (char)tolower((unsigned char)low[i]);
    }
    sl_str v = {low, text.n};
    struct item *root = list_open(a, NULL), *list = root;
    bool digit = false;
    size_t from = 0, lists = 0;
    for (size_t i = 0; i < v.n && lists < 400; i++) { /* deeper than any version; a defence of the stack */
        char c = v.p[i];
        sl_str token = sl_str_sub(v, from, i - from);
        if (c == '.' || c == '-') {
            sl_vec_push(a, &list->list,
                        token.n == 0 || digit ? number_new(a, token) : word_new(a, token, false));
            from = i + 1;
            if (c == '-') {
                list = list_open(a, list);
                lists++;
            }
        } else if (isdigit((unsigned char)c)) {
            if (!digit && i > from) {
                if (list->list.n) {
                    list = list_open(a, list);
                }
                sl_vec_push(a, &list->list, word_new(a, token, true));
                from = i;
                list = list_open(a, list);
                lists += 2;
            }
            digit = true;
        } else {
            if (digit && i > from) {
                sl_vec_push(a, &list->list, number_new(a, token));
                from = i;
                list = list_open(a, list);
                lists++;
            }
            digit = false;
        }
    }
    if (v.n > from) {
        sl_str token = sl_str_sub(v, from, v.n - from);
        if (!digit && list->list.n) {
            list = list_open(a, list);
        }
        sl_vec_push(a, &list->list, digit ? number_new(a, token) : word_new(a, token, false));
    }
    normalize(root);
    return root;
}

static int number_cmp(sl_str a, sl_str b)
{
    int c = a.n != b.n ? (a.n > b.n) - (a.n < b.n) : a.n ? memcmp(a.p, b.p, a.n) : 0;
    return (c > 0) - (c < 0);
}

static int word_cmp(sl_str a, sl_str b)
{
    int ra = rank(a), rb = rank(b);
    return ra != rb ? (ra > rb) - (ra < rb) : ra == WORD_COUNT ? sl_str_cmp(a, b) : 0;
}

/* Against nothing. */
static int null_cmp(const struct item *it)
{
    if (it->kind == NUMBER) {
        return it->text.n > 0;
    }
    if (it->kind == WORD) {
        int r = rank(it->text);
        return (r > RELEASE) - (r < RELEASE);
    }
    for (size_t i = 0; i < it->list.n; i++) {
        int c = null_cmp(it->list.v[i]);
        if (c) {
            return c;
        }
    }
    return 0;
}

static int item_cmp(const struct item *a, const struct item *b)
{
    if (a->kind == LIST && b->kind == LIST) {
        for (size_t i = 0; i < a->list.n || i < b->list.n; i++) {
            int c = i >= a->list.n   ? -null_cmp(b->list.v[i])
                    : i >= b->list.n ? null_cmp(a->list.v[i])
                                     : item_cmp(a->list.v[i], b->list.v[i]);
            if (c) {
                return c;
            }
        }
        return 0;
    }
    if (a->kind == b->kind) {
        return a->kind == NUMBER ? number_cmp(a->text, b->text) : word_cmp(a->text, b->text);
    }
    /* number over list over word */
    return a->kind == NUMBER || b->kind == WORD ? 1 : -1;
}

int mvn_comparable_cmp(struct sl_arena *a, sl_str x, sl_str y)
{
    return item_cmp(parse(a, x), parse(a, y));
}
