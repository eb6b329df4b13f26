/* SPDX-License-Identifier: Apache-2.0
 * The clocks of the kernel. */
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t now_us(clockid_t clock)
{
    struct timespec t;
    SL_BUG_ON(clock_gettime(clock, &t) != 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t sys_now_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t sys_now_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t sys_later_ms(int64_t ms)
{
    int64_t now = sys_now_ms();
    return ms > INT64_MAX - now ? INT64_MAX : now + ms;
}

int64_t sys_wall_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

void sys_sleep_ms(int64_t ms)
{
    if (ms <= 0) {
        return;
    }
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

void sys_time_rfc3339(int64_t wall_ms, char out[32])
{
    int64_t seconds = wall_ms / 1000, ms = wall_ms % 1000;
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) { /* years 0000 to 9999 */
        memcpy(out, "0000-00-00T00:00:00.000Z", 25);
        return;
    }
    char text[64];
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    memcpy(out, text, 25);
}
