/* SPDX-License-Identifier: Apache-2.0
 * Type descriptors and the checked walk over cells. Descriptors nest at most SL_LIMIT_RESULT_TYPE_DEPTH deep,
 * which also bounds the recursion of every walk over values. */
#include "gateway/results/types.h"

#include "base/limits.h"
#include "base/vec.h"

uint8_t res_in_u8(struct res_in *in)
{
    if (in->bad || in->p == in->end) {
        in->bad = true;
        return 0;
    }
    return *in->p++;
}

uint16_t res_in_u16(struct res_in *in)
{
    uint16_t hi = res_in_u8(in);
    return (uint16_t)(hi << 8 | res_in_u8(in));
}

uint32_t res_in_u32(struct res_in *in)
{
    if (in->bad || in->end - in->p < 4) {
        in->bad = true;
        return 0;
    }
    uint32_t v = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16 | (uint32_t)in->p[2] << 8 | in->p[3];
    in->p += 4;
    return v;
}

uint64_t res_in_u64(struct res_in *in)
{
    uint64_t hi = res_in_u32(in);
    return hi << 32 | res_in_u32(in);
}

sl_str res_in_str(struct res_in *in)
{
    uint32_t n = res_in_u32(in);
#if defined(PLANT) && PLANT == 7
    uint32_t believed =
        n & 0xff; /* planted for `make fuzz PLANT=7`: the high bytes of a length are not checked */
#else
    uint32_t believed = n;
#endif
    if (in->bad || (size_t)(in->end - in->p) < believed) {
        in->bad = true;
        return SL_STR_NONE;
    }
    sl_str s = {(const char *)in->p, n};
    in->p += n;
    return s;
}

/* --- descriptors -------------------------------------------------------------------------------------------
 */

struct kids {
    SL_VEC(const struct res_type *) types;
    SL_VEC(sl_str) names;
};

static const struct res_type *type_read(struct res_in *in, struct sl_arena *a, unsigned *budget,
                                        unsigned depth, struct sl_err *err)
{
    if (depth > SL_LIMIT_RESULT_TYPE_DEPTH) {
        sl_fail(err, SL_RESULTS_PROTOCOL, "a column's type is nested deeper than %d",
                SL_LIMIT_RESULT_TYPE_DEPTH);
        return NULL;
    }
    if (*budget == 0) {
        sl_fail(err, SL_RESULTS_PROTOCOL, "the columns have more than %d types in all",
                SL_LIMIT_RESULT_TYPES);
        return NULL;
    }
    --*budget;
    struct res_type *t = sl_new(a, struct res_type);
    t->code = res_in_u8(in);
    t->nullable = res_in_u8(in) != 0;
    uint32_t n = 0;
    switch (t->code) {
    case RES_CHAR:
    case RES_VARCHAR:
    case RES_BINARY:
    case RES_VARBINARY:
        t->length = (int32_t)res_in_u32(in);
        break;
    case RES_DECIMAL:
        t->precision = res_in_u8(in);
        t->scale = res_in_u8(in);
        break;
    case RES_TIME:
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ:
        t->precision = res_in_u8(in);
        break;
    case RES_INTERVAL_YEAR_MONTH:
    case RES_INTERVAL_DAY_TIME:
        t->resolution = res_in_u8(in);
        t->precision = res_in_u8(in);
        t->scale = res_in_u8(in);
        break;
    case RES_ARRAY:
    case RES_MULTISET:
        n = 1;
        break;
    case RES_MAP:
        n = 2;
        break;
    case RES_ROW:
    case RES_STRUCTURED:
        n = res_in_u16(in);
        break;
    case RES_OTHER:
        t->text = sl_str_dup(a, res_in_str(in));
        break;
    default:
        if (t->code == 0 || t->code >= RES_TYPE_MAX_) {
            sl_fail(err, SL_RESULTS_PROTOCOL, "unknown type code %u in a descriptor", t->code);
            return NULL;
        }
        break;
    }
    bool named = t->code == RES_ROW || t->code == RES_STRUCTURED;
    struct kids k = {0};
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        if (named) {
            sl_vec_push(a, &k.names, sl_str_dup(a, res_in_str(in)));
        }
        const struct res_type *kid = in->bad ? NULL : type_read(in, a, budget, depth + 1, err);
        if (!kid && !in->bad) {
            return NULL;
        }
        sl_vec_push(a, &k.types, kid);
    }
    if (in->bad) {
        sl_fail(err, SL_RESULTS_PROTOCOL, "a type descriptor ends in its middle");
        return NULL;
    }
    t->n = n;
    t->kids = k.types.v;
    t->names = named ? k.names.v : NULL;
    return t;
}

const struct res_type *res_type_read(struct res_in *in, struct sl_arena *a, unsigned *budget,
                                     struct sl_err *err)
{
    return type_read(in, a, budget, 1, err);
}

const struct res_type *res_type_dup(struct sl_arena *a, const struct res_type *t)
{
    struct res_type *d = sl_new(a, struct res_type);
    *d = *t;
    d->text = sl_str_dup(a, t->text);
    if (t->n > 0) {
        const struct res_type **kids = sl_new_n(a, const struct res_type *, t->n);
        sl_str *names = t->names ? sl_new_n(a, sl_str, t->n) : NULL;
        for (uint32_t i = 0; i < t->n; i++) {
            kids[i] = res_type_dup(a, t->kids[i]);
            if (names) {
                names[i] = sl_str_dup(a, t->names[i]);
            }
        }
        d->kids = kids;
        d->names = names;
    }
    return d;
}

/* --- values ------------------------------------------------------------------------------------------------
 */

/* Float.toString and Double.toString: -?d+.d+(E-?d+)?, NaN, Infinity, -Infinity. Both JSON forms copy it as
 * it is. */
static bool is_jvm_float(sl_str s)
{
    if (sl_str_eqz(s, "NaN") || sl_str_eqz(s, "Infinity") || sl_str_eqz(s, "-Infinity")) {
        return true;
    }
    size_t i = 0, digits = 0;
    if (i < s.n && s.p[i] == '-') {
        i++;
    }
    size_t whole = i;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        digits++;
    }
    if (digits == 0 || (digits > 1 && s.p[whole] == '0') || i == s.n || s.p[i++] != '.') {
        return false;
    }
    for (digits = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        digits++;
    }
    if (digits == 0) {
        return false;
    }
    if (i == s.n) {
        return true;
    }
    if (s.p[i++] != 'E') {
        return false;
    }
    if (i < s.n && s.p[i] == '-') {
        i++;
    }
    for (digits = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        digits++;
    }
    return digits > 0 && i == s.n && s.n <= 32;
}

/* BigDecimal.toPlainString: -?d+(.d+)? */
static bool is_decimal(sl_str s)
{
    size_t i = 0, digits = 0;
    if (i < s.n && s.p[i] == '-') {
        i++;
    }
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        digits++;
    }
    if (digits == 0) {
        return false;
    }
    if (i < s.n && s.p[i] == '.') {
        i++;
        for (digits = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
            digits++;
        }
    }
    return digits > 0 && i == s.n && s.n <= SL_LIMIT_RESULT_DECIMAL_BYTES;
}

static bool value_check(struct res_in *in, const struct res_type *t, const char **why)
{
    *why = "a value ends in its middle";
    switch ((enum res_type_code)t->code) {
    case RES_CHAR:
    case RES_VARCHAR:
    case RES_BINARY:
    case RES_VARBINARY:
        res_in_str(in);
        break;
    case RES_BOOLEAN:
        if (res_in_u8(in) > 1) {
            *why = "a BOOLEAN is neither 0 nor 1";
            return false;
        }
        break;
    case RES_TINYINT:
        res_in_u8(in);
        break;
    case RES_SMALLINT:
        res_in_u16(in);
        break;
    case RES_INTEGER:
    case RES_DATE:
    case RES_TIME:
    case RES_INTERVAL_YEAR_MONTH:
        res_in_u32(in);
        break;
    case RES_BIGINT:
    case RES_INTERVAL_DAY_TIME:
        res_in_u64(in);
        break;
    case RES_FLOAT:
    case RES_DOUBLE:
        if (!is_jvm_float(res_in_str(in)) && !in->bad) {
            *why = "a FLOAT or DOUBLE is no number";
            return false;
        }
        break;
    case RES_DECIMAL:
        if (!is_decimal(res_in_str(in)) && !in->bad) {
            *why = "a DECIMAL is no plain number";
            return false;
        }
        break;
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ:
        res_in_u64(in);
        if (res_in_u32(in) > 999999) {
            *why = "the nanoseconds of a TIMESTAMP pass its millisecond";
            return false;
        }
        break;
    case RES_ARRAY:
    case RES_MULTISET:
    case RES_MAP: {
        uint32_t n = res_in_u32(in);
        for (uint32_t i = 0; i < n; i++) {
            /* every element takes at least its tag, so n beyond the bytes left ends here and not after n
             * turns */
            if (!res_cell_check(in, t->kids[0], why) ||
                (t->code == RES_MAP && !res_cell_check(in, t->kids[1], why))) {
                return false;
            }
            if (t->code == RES_MULTISET) {
                res_in_u32(in);
            }
        }
        break;
    }
    case RES_ROW:
    case RES_STRUCTURED:
        for (uint32_t i = 0; i < t->n; i++) {
            if (!res_cell_check(in, t->kids[i], why)) {
                return false;
            }
        }
        break;
    case RES_OTHER:
    case RES_TYPE_MAX_:
        *why = "a type without a form of its own carries a value";
        return false;
    }
    return !in->bad;
}

bool res_cell_check(struct res_in *in, const struct res_type *t, const char **why)
{
    switch (res_in_u8(in)) {
    case RES_TAG_NULL:
        *why = "a row ends in its middle";
        return !in->bad;
    case RES_TAG_VALUE:
        return value_check(in, t, why);
    case RES_TAG_TEXT:
        *why = "a text ends in its middle";
        res_in_str(in);
        return !in->bad;
    default:
        *why = "unknown tag of a cell";
        return false;
    }
}

void res_cell_skip(struct res_in *in, const struct res_type *t)
{
    uint8_t tag = res_in_u8(in);
    if (tag == RES_TAG_NULL) {
        return;
    }
    if (tag == RES_TAG_TEXT) {
        res_in_str(in);
        return;
    }
    switch ((enum res_type_code)t->code) {
    case RES_CHAR:
    case RES_VARCHAR:
    case RES_BINARY:
    case RES_VARBINARY:
    case RES_FLOAT:
    case RES_DOUBLE:
    case RES_DECIMAL:
        res_in_str(in);
        break;
    case RES_BOOLEAN:
    case RES_TINYINT:
        res_in_u8(in);
        break;
    case RES_SMALLINT:
        res_in_u16(in);
        break;
    case RES_INTEGER:
    case RES_DATE:
    case RES_TIME:
    case RES_INTERVAL_YEAR_MONTH:
        res_in_u32(in);
        break;
    case RES_BIGINT:
    case RES_INTERVAL_DAY_TIME:
        res_in_u64(in);
        break;
    case RES_TIMESTAMP:
    case RES_TIMESTAMP_LTZ:
        res_in_u64(in);
        res_in_u32(in);
        break;
    case RES_ARRAY:
    case RES_MULTISET:
    case RES_MAP: {
        uint32_t n = res_in_u32(in);
        for (uint32_t i = 0; i < n && !in->bad; i++) {
            res_cell_skip(in, t->kids[0]);
            if (t->code == RES_MAP) {
                res_cell_skip(in, t->kids[1]);
            } else if (t->code == RES_MULTISET) {
                res_in_u32(in);
            }
        }
        break;
    }
    case RES_ROW:
    case RES_STRUCTURED:
        for (uint32_t i = 0; i < t->n; i++) {
            res_cell_skip(in, t->kids[i]);
        }
        break;
    case RES_OTHER:
    case RES_TYPE_MAX_:
        in->bad = true;
        break;
    }
}
