/* SPDX-License-Identifier: Apache-2.0
 * TZif files and POSIX TZ rules (for the time after a file's last transition). Java's own tables agree with
 * both. */
#include "gateway/results/zone.h"

#include "base/limits.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_DIR        "/usr/share/zoneinfo/"
#define ZONE_NAME_BYTES 64
#define DAY_S           86400

/* One end of daylight saving: M month.week.day, J day (no leap day) or the day of the year, and a time of the
 * day. */
struct rule {
    char form; /* 'M', 'J' or '0' */
    int month, week, day;
    int32_t at_s;
};

struct zone {
    struct zone *next;
    char name[ZONE_NAME_BYTES];
    size_t n; /* transitions */
    int64_t *when;
    int32_t *offset; /* from when[i] on */
    int32_t first;   /* before when[0] */
    bool has_rule;   /* after the last transition */
    int32_t std_s, dst_s;
    bool has_dst;
    struct rule start, end;
};

static struct zone *zones;
static pthread_mutex_t zones_mu = PTHREAD_MUTEX_INITIALIZER; /* of the list; a zone in it never changes */

/* --- civil dates
 * -------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Days from a civil date by counting 400-year eras of 146097 days that begin on March 1. */
int64_t res_days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void res_civil_of(int64_t local_s, struct res_civil *ret)
{
    int64_t days = floor_div(local_s, DAY_S);
    unsigned s = (unsigned)(local_s - days * DAY_S);
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    ret->day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    ret->month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    ret->year = yoe + era * 400 + (ret->month <= 2);
    ret->hour = s / 3600;
    ret->minute = s / 60 % 60;
    ret->second = s % 60;
}

/* --- POSIX TZ rules
 * ----------------------------------------------------------------------------------------- */

static bool digits(const char **at, int max_digits, int *ret)
{
    int n = 0, v = 0;
    while (n < max_digits && **at >= '0' && **at <= '9') {
        v = v * 10 + (*(*at)++ - '0');
        n++;
    }
    *ret = v;
    return n > 0;
}

/* [+-]h[hh][:mm[:ss]] */
static bool rule_time(const char **at, int32_t *ret_s)
{
    int sign = **at == '-' ? -1 : 1, h, m = 0, s = 0;
    if (**at == '-' || **at == '+') {
        ++*at;
    }
    if (!digits(at, 3, &h)) {
        return false;
    }
    if (**at == ':') {
        ++*at;
        if (!digits(at, 2, &m)) {
            return false;
        }
        if (**at == ':') {
            ++*at;
            if (!digits(at, 2, &s)) {
                return false;
            }
        }
    }
    *ret_s = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool rule_name(const char **at)
{
    const char *from = *at;
    if (*from == '<') {
        while (**at && **at != '>') {
            ++*at;
        }
        if (**at != '>') {
            return false;
        }
        ++*at;
        return true;
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z')) {
        ++*at;
    }
    return *at > from;
}

static bool rule_date(const char **at, struct rule *r)
{
    if (*(*at)++ != ',') {
        return false;
    }
    r->form = '0';
    r->at_s = 7200;
    if (**at == 'M') {
        ++*at;
        r->form = 'M';
        if (!digits(at, 2, &r->month) || *(*at)++ != '.' || !digits(at, 1, &r->week) || *(*at)++ != '.' ||
            !digits(at, 1, &r->day) || r->month < 1 || r->month > 12 || r->week < 1 || r->week > 5 ||
            r->day > 6) {
            return false;
        }
    } else {
        if (**at == 'J') {
            ++*at;
            r->form = 'J';
        }
        if (!digits(at, 3, &r->day) || r->day > 365) {
            return false;
        }
    }
    if (**at == '/') {
        ++*at;
        return rule_time(at, &r->at_s);
    }
    return true;
}

static bool rules_read(const char *at, struct zone *z)
{
    int32_t west;
    if (!rule_name(&at) || !rule_time(&at, &west)) {
        return false;
    }
    z->std_s = -west;
    z->has_dst = *at != '\0';
    if (!z->has_dst) {
        return true;
    }
    if (!rule_name(&at)) {
        return false;
    }
    z->dst_s = z->std_s + 3600;
    if (*at != ',') {
        if (!rule_time(&at, &west)) {
            return false;
        }
        z->dst_s = -west;
    }
    return rule_date(&at, &z->start) && rule_date(&at, &z->end) && *at == '\0';
}

static bool is_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Local time (in the offset in force before it) at which a rule strikes in a year. */
static int64_t rule_in_year(const struct rule *r, int64_t year)
{
    int64_t day;
    if (r->form == 'M') {
        int64_t first = res_days_of(year, (unsigned)r->month, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = first + (r->day - weekday + 7) % 7 + (int64_t)(r->week - 1) * 7;
        int64_t next =
            r->month == 12 ? res_days_of(year + 1, 1, 1) : res_days_of(year, (unsigned)r->month + 1, 1);
        while (day >= next) {
            day -= 7;
        }
    } else {
        day = res_days_of(year, 1, 1) + r->day;
        if (r->form == 'J') {
            day += is_leap(year) && r->day >= 60 ? 0 : -1;
        }
    }
    return day * DAY_S + r->at_s;
}

static int32_t rules_offset(const struct zone *z, int64_t utc_s)
{
    if (!z->has_dst) {
        return z->std_s;
    }
    struct res_civil c;
    res_civil_of(utc_s + z->std_s, &c);
    int64_t start = rule_in_year(&z->start, c.year) - z->std_s;
    int64_t end = rule_in_year(&z->end, c.year) - z->dst_s;
    bool dst = start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
    return dst ? z->dst_s : z->std_s;
}

/* --- TZif
 * --------------------------------------------------------------------------------------------------- */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static bool header(const uint8_t *p, const uint8_t *end, struct counts *c)
{
    if (end - p < 44 || memcmp(p, "TZif", 4) != 0) {
        return false;
    }
    *c = (struct counts){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
    return c->isut <= 256 && c->isstd <= 256 && c->leap <= 256 && c->time <= 8192 && c->type >= 1 &&
           c->type <= 256 && c->chars <= 4096;
}

static size_t body_bytes(const struct counts *c, size_t time_bytes)
{
    return c->time * (time_bytes + 1) + c->type * 6 + c->chars + c->leap * (time_bytes + 4) + c->isstd +
           c->isut;
}

static bool tzif_read(const uint8_t *p, size_t n, struct zone *z)
{
    const uint8_t *end = p + n;
    struct counts c;
    if (!header(p, end, &c) || p[4] < '2') {
        return false; /* files without 64-bit times have not been made since 2005 */
    }
    if ((size_t)(end - p) - 44 < body_bytes(&c, 4)) {
        return false;
    }
    p += 44 + body_bytes(&c, 4);
    if (!header(p, end, &c) || (size_t)(end - p) - 44 < body_bytes(&c, 8)) {
        return false;
    }
    p += 44;
    const uint8_t *index = p + (size_t)c.time * 8, *types = index + c.time;
    z->n = c.time;
    z->when = malloc((c.time + 1) * sizeof(*z->when));
    z->offset = malloc((c.time + 1) * sizeof(*z->offset));
    SL_OOM_ON(!z->when || !z->offset);
    z->first = (int32_t)be32(types);
    for (size_t i = 0; i < z->n; i++) {
        if (index[i] >= c.type) {
            return false;
        }
        z->when[i] = be64(p + i * 8);
        z->offset[i] = (int32_t)be32(types + (size_t)index[i] * 6);
    }
    p += body_bytes(&c, 8);
    if (end - p >= 2 && *p == '\n') {
        char footer[128];
        const uint8_t *stop = memchr(p + 1, '\n', (size_t)(end - p - 1));
        size_t len = stop ? (size_t)(stop - p - 1) : 0;
        if (len > 0 && len < sizeof(footer)) {
            memcpy(footer, p + 1, len);
            footer[len] = '\0';
            z->has_rule = rules_read(footer, z);
        }
    }
    return true;
}

static int32_t offset_at(const struct zone *z, int64_t utc_s)
{
    if (z->n == 0 || utc_s >= z->when[z->n - 1]) {
        return z->has_rule ? rules_offset(z, utc_s) : z->n > 0 ? z->offset[z->n - 1] : z->first;
    }
    if (utc_s < z->when[0]) {
        return z->first;
    }
    size_t lo = 0, hi = z->n - 1;
    while (hi - lo > 1) { /* when[lo] <= utc_s < when[hi] */
        size_t mid = lo + (hi - lo) / 2;
        if (z->when[mid] <= utc_s) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return z->offset[lo];
}

static void zone_free(struct zone *z)
{
    free(z->when);
    free(z->offset);
    free(z);
}

static bool name_is_safe(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= ZONE_NAME_BYTES || name[0] == '/' || strstr(name, "..")) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("/_+-", c))) {
            return false;
        }
    }
    return true;
}

static struct zone *zone_load(const char *name, struct sl_err *err)
{
    char path[sizeof(ZONE_DIR) + ZONE_NAME_BYTES];
    uint8_t bytes[32 << 10];
    if (!name_is_safe(name)) {
        sl_fail(err, SL_CONFIG_VALUE, "'%.64s' is no time zone", name);
        return NULL;
    }
    (void)snprintf(path, sizeof(path), ZONE_DIR "%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : -1;
    if (fd >= 0) {
        (void)close(fd);
    }
    struct zone *z = calloc(1, sizeof(*z));
    SL_OOM_ON(!z);
    (void)snprintf(z->name, sizeof(z->name), "%s", name);
    if (n <= 0 || !tzif_read(bytes, (size_t)n, z)) {
        zone_free(z);
        sl_fail(err, SL_CONFIG_VALUE, "the time zone '%s' is not known on this machine", name);
        if (access(ZONE_DIR "UTC", R_OK) != 0) {
            sl_hint(err, "install the time zone data (Debian: apt-get install tzdata)");
        }
        return NULL;
    }
    return z;
}

static const struct zone *zone_get(const char *name, struct sl_err *err)
{
    static _Thread_local const struct zone *last;
    if (last && strcmp(last->name, name) == 0) {
        return last;
    }
    pthread_mutex_lock(&zones_mu);
    struct zone *z = zones;
    while (z && strcmp(z->name, name) != 0) {
        z = z->next;
    }
    if (!z && (z = zone_load(name, err))) {
        z->next = zones;
        zones = z;
    }
    pthread_mutex_unlock(&zones_mu);
    last = z ? z : last;
    return z;
}

/* --- fixed offsets
 * ------------------------------------------------------------------------------------------ */

/* As java.time.ZoneOffset.of: +h, +hh, +hh:mm, +hhmm, +hh:mm:ss, +hhmmss. */
static bool fixed_offset(const char *s, int32_t *ret_s)
{
    if (*s != '+' && *s != '-') {
        return false;
    }
    int sign = *s++ == '-' ? -1 : 1, part[3] = {0};
    size_t n = strlen(s);
    if (n == 1) {
        if (!digits(&s, 1, &part[0])) {
            return false;
        }
    } else {
        for (int i = 0; i < 3 && *s; i++) {
            if (i > 0 && *s == ':') {
                s++;
            }
            if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' || !digits(&s, 2, &part[i])) {
                return false;
            }
        }
    }
    *ret_s = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return *s == '\0' && part[1] < 60 && part[2] < 60 && *ret_s <= 18 * 3600 && *ret_s >= -18 * 3600;
}

bool res_zone_offset(const char *zone, int64_t utc_s, int32_t *ret_s, struct sl_err *err)
{
    static const char *const zero[] = {"UTC", "GMT", "UT", "Z", "Etc/UTC"};
    *ret_s = 0;
    if (!zone) {
        return true;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(zero); i++) {
        if (strcmp(zone, zero[i]) == 0) {
            return true;
        }
    }
    const char *rest = zone;
    if (strncmp(zone, "UTC", 3) == 0 || strncmp(zone, "GMT", 3) == 0) {
        rest += 3;
    } else if (strncmp(zone, "UT", 2) == 0) {
        rest += 2;
    }
    if (fixed_offset(rest, ret_s)) {
        return true;
    }
    const struct zone *z = zone_get(zone, err);
    if (!z) {
        return false;
    }
    *ret_s = offset_at(z, utc_s);
    return true;
}
