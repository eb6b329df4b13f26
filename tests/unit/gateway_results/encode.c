/* SPDX-License-Identifier: Apache-2.0
 * The three forms of a cell. What the stock gateway prints was taken from runs of it (tests/e2e/results
 * repeats them). */
#include "wire.h"

#include "gateway/results/frames.h"

#include "gateway/results/zone.h"

static struct sl_arena arena;
static struct sl_buf desc, cells;
static struct res_columns cols;
static char all[4096];

static void begin(void)
{
    sl_arena_release(&arena);
    sl_arena_init(&arena, 0);
    sl_buf_release(&desc);
    sl_buf_release(&cells);
    sl_buf_init(&desc, 0);
    sl_buf_init(&cells, 0);
}

/* All columns so far read as one frame; then the row of cells is shown in a form: "a|b|c", NULL as <null>. */
static const char *show(enum res_form form, const char *zone, unsigned n)
{
    SL_BUF_AUTO body;
    SL_BUF_AUTO out;
    sl_buf_init(&body, 0);
    sl_buf_init(&out, 0);
    sl_buf_u8(&body, 0);
    sl_buf_u16(&body, (uint16_t)n);
    sl_buf_put(&body, desc.p, desc.n);
    struct res_frame f = {0x20, {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n, false}};
    struct sl_err err = SL_ERR_INIT;
    if (!res_columns_read(&f, &arena, &cols, &err)) {
        fail_msg("%s", err.msg);
    }
    SL_BUF_AUTO rows;
    sl_buf_init(&rows, 0);
    sl_buf_u64(&rows, 7);
    sl_buf_u32(&rows, 1);
    sl_buf_u8(&rows, 2);
    sl_buf_put(&rows, cells.p, cells.n);
    f = (struct res_frame){0x21, {(const uint8_t *)rows.p, (const uint8_t *)rows.p + rows.n, false}};
    struct res_rows r;
    if (!res_rows_read(&f, &cols, 7, 1 << 20, &r, &err)) {
        fail_msg("%s", err.msg);
    }
    struct res_row row;
    assert_true(res_rows_next(&r, cols.v, cols.n, &row));
    assert_int_equal(row.kind, 2);
    assert_int_equal(r.n, 0);
    for (unsigned i = 0; i < n; i++) {
        bool is_null;
        if (i > 0) {
            sl_buf_putc(&out, '|');
        }
        if (!res_cell(&out, form, &cols.v[i], &row, i, zone, &is_null, &err)) {
            sl_buf_printf(&out, "<%s>", sl_code_slug(err.code));
        } else if (is_null && form == RES_FORM_TEXT) {
            sl_buf_putz(&out, "<null>");
        }
    }
    snprintf(all, sizeof(all), "%s", sl_buf_z(&out));
    return all;
}

static void column(const char *name)
{
    w_str(&desc, name);
    w_str(&desc, "T");
}

static void value_of(unsigned code)
{
    column("c");
    w_type(&desc, code);
    sl_buf_u8(&cells, 1);
}

static void test_numbers(void **state)
{
    (void)state;
    begin();
    value_of(5);
    sl_buf_u8(&cells, 1);
    value_of(6);
    sl_buf_u8(&cells, 0x80);
    value_of(7);
    sl_buf_u16(&cells, 0x8000);
    value_of(8);
    sl_buf_u32(&cells, 0x80000000);
    value_of(9);
    sl_buf_u64(&cells, 0x8000000000000000);
    value_of(10);
    w_str(&cells, "1.0E10");
    value_of(11);
    w_str(&cells, "NaN");
    assert_string_equal(show(RES_FORM_TEXT, NULL, 7),
                        "TRUE|-128|-32768|-2147483648|-9223372036854775808|1.0E10|NaN");
    assert_string_equal(show(RES_FORM_FLINK_JSON, NULL, 7),
                        "true|-128|-32768|-2147483648|-9223372036854775808|1.0E10|\"NaN\"");
    assert_string_equal(show(RES_FORM_API, NULL, 7),
                        "true|-128|-32768|-2147483648|\"-9223372036854775808\"|1.0E10|\"NaN\"");
}

static void decimal(const char *text, const char *json)
{
    begin();
    column("d");
    w_type_p(&desc, 13, 38);
    sl_buf_u8(&desc, 10);
    w_text(&cells, text);
    assert_string_equal(show(RES_FORM_TEXT, NULL, 1), text);
    assert_string_equal(show(RES_FORM_FLINK_JSON, NULL, 1), json);
}

static void test_decimals(void **state)
{
    (void)state;
    decimal("1.50", "1.5");
    decimal("100.00", "1E+2");
    decimal("0.00", "0");
    decimal("-0.00", "0");
    decimal("1200", "1.2E+3");
    decimal("0.0000001", "1E-7");
    decimal("0.000001", "0.000001");
    decimal("123.456789", "123.456789");
    decimal("-10", "-1E+1");
    decimal("7", "7");
    decimal("-0.05", "-0.05");
    decimal("12345678901234567890123456789012345678", "12345678901234567890123456789012345678");
    decimal("0.00000000120", "1.2E-9");
}

static void test_strings(void **state)
{
    (void)state;
    begin();
    column("s");
    w_type_len(&desc, 2, 2147483647);
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 12);
    sl_buf_put(&cells, "a\"\\\n\x01\x1f\xc3\xa9\xed\xa0\x80/", 12);
    column("b");
    w_type_len(&desc, 4, 2147483647);
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 4);
    sl_buf_put(&cells, "\x00\xff\x0a\x0b", 4);
    column("n");
    w_type_len(&desc, 2, 3);
    w_null(&cells);
    /* a surrogate in UTF-8 is three bytes of one malformed sequence for Java */
    assert_string_equal(show(RES_FORM_TEXT, NULL, 3),
                        "a\"\\\n\x01\x1f\xc3\xa9\xef\xbf\xbd/|x'00ff0a0b'|<null>");
    assert_string_equal(show(RES_FORM_FLINK_JSON, NULL, 3),
                        "\"a\\\"\\\\\\n\\u0001\\u001F\xc3\xa9\xef\xbf\xbd/\"|\"AP8KCw==\"|null");
    assert_string_equal(show(RES_FORM_API, NULL, 3),
                        "\"a\\\"\\\\\\n\\u0001\\u001F\xc3\xa9\xef\xbf\xbd/\"|\"AP8KCw==\"|null");
}

static void timestamp(unsigned code, unsigned precision, int64_t ms, uint32_t nanos, const char *zone,
                      const char *text, const char *json, const char *api)
{
    begin();
    column("t");
    w_type_p(&desc, code, precision);
    w_ts(&cells, ms, nanos);
    assert_string_equal(show(RES_FORM_TEXT, zone, 1), text);
    assert_string_equal(show(RES_FORM_FLINK_JSON, zone, 1), json);
    assert_string_equal(show(RES_FORM_API, zone, 1), api);
}

static void test_times(void **state)
{
    (void)state;
    timestamp(15, 3, 1577836800120, 0, NULL, "2020-01-01 00:00:00.120", "\"2020-01-01T00:00:00.12\"",
              "\"2020-01-01T00:00:00.120\"");
    timestamp(15, 0, 1577836800000, 0, NULL, "2020-01-01 00:00:00", "\"2020-01-01T00:00:00\"",
              "\"2020-01-01T00:00:00\"");
    timestamp(15, 9, 1577836800000, 1, NULL, "2020-01-01 00:00:00.000000001",
              "\"2020-01-01T00:00:00.000000001\"", "\"2020-01-01T00:00:00.000000001\"");
    timestamp(15, 6, -1, 999000, NULL, "1969-12-31 23:59:59.999999", "\"1969-12-31T23:59:59.999999\"",
              "\"1969-12-31T23:59:59.999999\"");
    timestamp(16, 3, 1577836800000, 0, "Asia/Shanghai", "2020-01-01 08:00:00.000", "\"2020-01-01T08:00:00Z\"",
              "\"2020-01-01T00:00:00.000Z\"");
    timestamp(16, 0, 1593561600000, 0, "America/New_York", "2020-06-30 20:00:00", "\"2020-06-30T20:00:00Z\"",
              "\"2020-07-01T00:00:00Z\"");
    timestamp(15, 3, 253402300800000, 0, NULL, "0000-01-01 00:00:00.000", "\"+10000-01-01T00:00:00\"",
              "\"+10000-01-01T00:00:00.000\"");
    begin();
    value_of(12);
    sl_buf_u32(&cells, (uint32_t)-719162);
    column("t");
    w_type_p(&desc, 14, 3);
    w_i32(&cells, 43963120);
    column("y");
    w_type_p(&desc, 17, 0);
    sl_buf_u16(&desc, 0x0200);
    w_i32(&cells, -5);
    column("d");
    w_type_p(&desc, 18, 0);
    sl_buf_u16(&desc, 0x0203);
    w_i64(&cells, 123456789);
    assert_string_equal(show(RES_FORM_TEXT, NULL, 4), "0001-01-01|12:12:43.12|-0-05|+1 10:17:36.789");
    assert_string_equal(show(RES_FORM_FLINK_JSON, NULL, 4), "\"0001-01-01\"|\"12:12:43.12\"|-5|123456789");
    assert_string_equal(show(RES_FORM_API, NULL, 4),
                        "\"0001-01-01\"|\"12:12:43.120\"|\"-P5M\"|\"P1DT10H17M36.789S\"");
}

/* The first and the last instants that a cell can hold; a zone does not push them over the edge. */
static void test_ends_of_time(void **state)
{
    (void)state;
    static const char *const zones[] = {NULL, "+14:00", "-11:00", "Asia/Kolkata", "America/New_York"};
    timestamp(15, 9, INT64_MIN, 999999, NULL, "-5055-05-16 16:47:04.192999999",
              "\"-292275055-05-16T16:47:04.192999999\"", "\"-292275055-05-16T16:47:04.192999999\"");
    timestamp(15, 3, INT64_MAX, 0, NULL, "8994-08-17 07:12:55.807", "\"+292278994-08-17T07:12:55.807\"",
              "\"+292278994-08-17T07:12:55.807\"");
    timestamp(16, 3, INT64_MIN, 0, "-05:00", "-5055-05-16 16:47:04.192", "\"-292275055-05-16T16:47:04.192Z\"",
              "\"-292275055-05-16T16:47:04.192Z\"");
    timestamp(16, 3, INT64_MAX, 0, "+05:00", "8994-08-17 07:12:55.807", "\"+292278994-08-17T07:12:55.807Z\"",
              "\"+292278994-08-17T07:12:55.807Z\"");
    for (size_t z = 0; z < SL_ARRAY_LEN(zones); z++) {
        for (int64_t off = 0; off < 3000; off += 7) { /* both sides of the last whole seconds */
            for (unsigned code = 15; code <= 16; code++) {
                begin();
                column("t");
                w_type_p(&desc, code, 9);
                w_ts(&cells, off % 2 ? INT64_MAX - off : INT64_MIN + off, 999999);
                for (int form = RES_FORM_TEXT; form <= RES_FORM_API; form++) {
                    assert_non_null(strstr(show((enum res_form)form, zones[z], 1), "999999"));
                }
            }
        }
    }
    begin();
    value_of(12);
    sl_buf_u32(&cells, (uint32_t)INT32_MIN);
    column("t");
    w_type_p(&desc, 14, 3);
    w_i32(&cells, INT32_MIN);
    column("y");
    w_type_p(&desc, 17, 0);
    sl_buf_u16(&desc, 0x0200);
    w_i32(&cells, INT32_MIN);
    column("d");
    w_type_p(&desc, 18, 0);
    sl_buf_u16(&desc, 0x0203);
    w_i64(&cells, INT64_MIN);
    assert_string_equal(show(RES_FORM_TEXT, NULL, 4),
                        "-7641-06-23|-596:31:23.648|-178956970-08|-106751991167 07:12:55.808");
    assert_string_equal(show(RES_FORM_API, NULL, 4), "\"-5877641-06-23\"|\"03:28:36.352\"|\"-P178956970Y8M\"|"
                                                     "\"-P106751991167DT7H12M55.808S\"");
}

static void time_of_day(int32_t ms, unsigned precision, const char *text, const char *json)
{
    begin();
    column("t");
    w_type_p(&desc, 14, precision);
    w_i32(&cells, ms);
    assert_string_equal(show(RES_FORM_TEXT, NULL, 1), text);
    assert_string_equal(show(RES_FORM_FLINK_JSON, NULL, 1), json);
}

static void test_time_of_day(void **state)
{
    (void)state;
    time_of_day(43963000, 0, "12:12:43", "\"12:12:43\"");
    time_of_day(43963120, 0, "12:12:43", "\"12:12:43\"");
    time_of_day(43963000, 3, "12:12:43.0", "\"12:12:43\"");
    time_of_day(43963120, 3, "12:12:43.12", "\"12:12:43.12\"");
    time_of_day(43963123, 2, "12:12:43.12", "\"12:12:43.123\"");
    time_of_day(43963003, 3, "12:12:43.003", "\"12:12:43.003\"");
    time_of_day(0, 9, "00:00:00.0", "\"00:00:00\"");
    time_of_day(86399999, 3, "23:59:59.999", "\"23:59:59.999\"");
}

/* ARRAY<ROW<a INT, t TIMESTAMP_LTZ(3)>>, MAP<STRING, ARRAY<TIMESTAMP_LTZ(0)>>, MULTISET<STRING>, MAP<INT,
 * STRING> */
static void test_nested(void **state)
{
    (void)state;
    begin();
    column("r");
    w_type(&desc, 19);
    w_type(&desc, 22);
    sl_buf_u16(&desc, 2);
    w_str(&desc, "a");
    w_type(&desc, 8);
    w_str(&desc, "t\"");
    w_type_p(&desc, 16, 3);
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 2);
    sl_buf_u8(&cells, 1);
    w_i32(&cells, 5);
    w_ts(&cells, 0, 0);
    w_null(&cells);
    column("m");
    w_type(&desc, 21);
    w_type_len(&desc, 2, 2147483647);
    w_type(&desc, 19);
    w_type_p(&desc, 16, 0);
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 2);
    w_text(&cells, "k");
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 1);
    w_ts(&cells, 0, 0);
    w_null(&cells);
    w_null(&cells);
    column("ms");
    w_type(&desc, 20);
    w_type_len(&desc, 2, 9);
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 1);
    w_text(&cells, "e");
    sl_buf_u32(&cells, 3);
    assert_string_equal(show(RES_FORM_TEXT, "+08:00", 3),
                        "[(5, 1970-01-01 08:00:00.000), NULL]|{k=[1970-01-01 08:00:00], NULL=NULL}|{e=3}");
    assert_string_equal(show(RES_FORM_FLINK_JSON, "+08:00", 3),
                        "[{\"a\":5,\"t\\\"\":\"1970-01-01T00:00:00Z\"},null]|{\"k\":[\"1970-01-01T08:00:"
                        "00Z\"],\"null\":null}|"
                        "{\"e\":3}");
    assert_string_equal(show(RES_FORM_API, "+08:00", 3),
                        "[{\"a\":5,\"t\\\"\":\"1970-01-01T00:00:00.000Z\"},null]|{\"k\":[\"1970-01-01T00:00:"
                        "00Z\"],\"null\":null}|"
                        "{\"e\":3}");
    begin();
    column("m");
    w_type(&desc, 21);
    w_type(&desc, 8);
    w_type_len(&desc, 2, 9);
    sl_buf_u8(&cells, 1);
    sl_buf_u32(&cells, 1);
    w_i32(&cells, 1);
    w_text(&cells, "x");
    column("v");
    w_type(&desc, 24);
    w_str(&desc, "VARIANT");
    sl_buf_u8(&cells, 2);
    w_str(&cells, "{\"a\":1}");
    column("s");
    w_type(&desc, 23);
    sl_buf_u16(&desc, 1);
    w_str(&desc, "f");
    w_type(&desc, 5);
    sl_buf_u8(&cells, 1);
    w_null(&cells);
    column("e");
    w_type(&desc, 24);
    w_str(&desc, "NULL");
    w_null(&cells);
    assert_string_equal(show(RES_FORM_TEXT, NULL, 4), "{1=x}|{\"a\":1}|(f=NULL)|<null>");
    assert_string_equal(show(RES_FORM_FLINK_JSON, NULL, 4),
                        "<not-supported>|<not-supported>|<not-supported>|null");
    assert_string_equal(show(RES_FORM_API, NULL, 4), "[[1,\"x\"]]|\"{\\\"a\\\":1}\"|{\"f\":null}|null");
}

/* Cells may be asked for in any order. */
static void test_order(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 3; i++) {
        value_of(8);
        sl_buf_u32(&cells, (uint32_t)i);
    }
    show(RES_FORM_TEXT, NULL, 3);
    SL_BUF_AUTO block;
    SL_BUF_AUTO out;
    sl_buf_init(&block, 0);
    sl_buf_init(&out, 0);
    for (unsigned i = 0; i < 2; i++) {
        sl_buf_u8(&block, (uint8_t)i);
        sl_buf_put(&block, cells.p, cells.n);
    }
    struct res_rows rows = {.first = 0, .count = 2, .p = (const uint8_t *)block.p, .n = block.n};
    struct res_row row;
    struct sl_err err = SL_ERR_INIT;
    bool is_null;
    for (unsigned k = 0; k < 2; k++) {
        assert_true(res_rows_next(&rows, cols.v, 3, &row));
        const size_t order[] = {2, 0, 1, 1, 2};
        for (size_t i = 0; i < SL_ARRAY_LEN(order); i++) {
            assert_true(
                res_cell(&out, RES_FORM_TEXT, &cols.v[order[i]], &row, order[i], NULL, &is_null, &err));
        }
    }
    assert_string_equal(sl_buf_z(&out), "2011220112");
    assert_false(res_rows_next(&rows, cols.v, 3, &row));
}

static void zone_is(const char *zone, int64_t at, int32_t want)
{
    struct sl_err err = SL_ERR_INIT;
    int32_t got = 1;
    if (!res_zone_offset(zone, at, &got, &err)) {
        fail_msg("%s", err.msg);
    }
    if (got != want) {
        fail_msg("%s at %lld: %d, not %d", zone, (long long)at, got, want);
    }
}

/* Offsets as java.time gives them. */
static void test_zones(void **state)
{
    (void)state;
    zone_is("UTC", 0, 0);
    zone_is("GMT+8", 0, 28800);
    zone_is("GMT+08:00", 0, 28800);
    zone_is("UTC-03:30", 0, -12600);
    zone_is("+0530", 0, 19800);
    zone_is("-01:02:03", 0, -3723);
    zone_is("Europe/Berlin", 1585443599, 3600); /* a second before the clocks change */
    zone_is("Europe/Berlin", 1585443600, 7200);
    zone_is("Europe/Berlin", 4741981200, 7200); /* 2120-04-07: by the rule behind the table */
    zone_is("Europe/Berlin", 4733510400, 3600); /* 2119-12-31 */
    zone_is("America/Sao_Paulo", 4741981200, -10800);
    zone_is("Australia/Sydney", 4733510400, 39600); /* summer over the turn of the year */
    zone_is("Australia/Sydney", 4746000000, 36000);
    zone_is("Asia/Shanghai", -3000000000, 29143); /* local mean time before 1901 */
    zone_is("Europe/Dublin", 4733510400, 0);      /* its rule has winter as the exception */
    zone_is("Europe/Dublin", 4741981200, 3600);
    struct sl_err err = SL_ERR_INIT;
    int32_t got;
    const char *bad[] = {"",       "Mars/Base", "../etc/passwd", "/etc/passwd", "+25:00",
                         "GMT+8x", "+8:0",      "Europe",        "zone.tab"};
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_false(res_zone_offset(bad[i], 0, &got, &err));
        assert_int_equal(err.code, SL_CONFIG_VALUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),      cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_strings),      cmocka_unit_test(test_times),
        cmocka_unit_test(test_nested),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_ends_of_time), cmocka_unit_test(test_time_of_day),
        cmocka_unit_test(test_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
