/* SPDX-License-Identifier: Apache-2.0
 * The steps of a command on stderr: one line a step, " check     6 statements, no errors    0.4 ms", the time
 * at the right. On a terminal the running step is redrawn in place; in a pipe a line appears when the step is
 * done (and progress at most every ten seconds). Under -q and --json nothing is printed: the caller sends
 * events itself. One object belongs to one thread. In texts a tab goes to the second column ("NAME\trun
 * 5f0c2a91").
 */
#ifndef SLUICE_CLI_STEPS_H
#define SLUICE_CLI_STEPS_H

#include <stdio.h>

#include "base/str.h"

struct cli_steps;

struct cli_steps_options {
    bool quiet;    /* -q, --json: nothing is printed */
    bool terminal; /* redraw */
    bool colour;
    int width; /* columns of the terminal; 0 = 80 */
};
/* As the stream is; colours only on a terminal without NO_COLOR and with TERM not "dumb". */
void cli_steps_defaults(struct cli_steps_options *o, FILE *err);
struct cli_steps *cli_steps_new(FILE *err, const struct cli_steps_options *o);
void cli_steps_free(struct cli_steps *s); /* NULL is fine; wipes a line that is still being drawn */

/* A step starts; `fmt` says what is known of it ("" = nothing yet). A step still running is given up first.
 */
void cli_steps_begin(struct cli_steps *s, const char *name, const char *fmt, ...) SL_PRINTF(3, 4);
/* Its text changes: "3 of 6 tasks running". */
void cli_steps_update(struct cli_steps *s, const char *fmt, ...) SL_PRINTF(2, 3);
/* Its progress in bytes (total 0 = not known): bar, rate and time left on a terminal. The text of the step
 * stays. */
void cli_steps_progress(struct cli_steps *s, uint64_t done, uint64_t total);
/* Its only or last line. `us`: its time; negative = measured since begin; CLI_STEPS_NO_TIME = none is shown.
 */
#define CLI_STEPS_NO_TIME INT64_MIN
void cli_steps_done(struct cli_steps *s, int64_t us, const char *fmt, ...) SL_PRINTF(3, 4);
/* The running step's line with "failed" behind the time; the diagnostic is the caller's to print, after it.
 */
void cli_steps_failed(struct cli_steps *s, int64_t us);
/* A line without begin and time: cli_steps_note(s, "stopped", "local Flink; nothing is left running"). */
void cli_steps_note(struct cli_steps *s, const char *name, const char *fmt, ...) SL_PRINTF(3, 4);
/* A whole plain line of its own ("following orders-revenue; Ctrl-C leaves it running"). */
void cli_steps_say(struct cli_steps *s, const char *fmt, ...) SL_PRINTF(2, 3);
/* Before anybody else writes to the terminal: takes the running line away; the next call draws it again. */
void cli_steps_hide(struct cli_steps *s);

/* "0.4 ms", "3.2 s", "21 s", "2 min 5 s": as every time of the command line is written. */
void cli_time_text(int64_t us, char out[24]);
/* "275 kB", "1.2 MB", "312 MB": powers of ten. */
void cli_size_text(uint64_t bytes, char out[24]);

#endif
