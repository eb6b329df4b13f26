/* SPDX-License-Identifier: Apache-2.0
 * A failure of Flink becomes one diagnostic at the statement it belongs to, said once and noted at the run.
 */
#include "gateway/jobs/submission_internal.h"

#include "gateway/target/flink_error.h"

#include <stdio.h>

void sub_fail(struct sub *s, const struct sl_err *err)
{
    if (s->exit_code == 0 && !s->interrupted) {
        event_error(s->sink, err);
    }
    if (s->exit_code == 0) {
        s->exit_code = sl_code_exit(err->code);
    }
}

void sub_fail_unit(struct sub *s, const struct plan_unit *u, const char *run_id, const struct tgt_failure *f)
{
    struct sql_diag d = {.pos = SL_POS_NONE, .second = SL_POS_NONE};
    if (sub_fail_unreachable(s, f)) {
        if (run_id) {
            tracker_note_error(s->env->tracker, run_id, sl_code_slug(SL_RESULTS_UNREACHABLE),
                               "TaskManagers cannot connect to this machine for rows",
                               "--results-address HOST:PORT", "");
        }
        return;
    }
    if (!flink_error_translate(f, &s->script, u ? u->stmt : NULL, s->arena, &d)) {
        d.code = SL_FLINK;
        d.msg = SL_STR("Flink failed and did not say why");
        d.pos = u ? u->stmt->pos : SL_POS_NONE;
    }
    if (u && d.statement == 0) { /* else the place told the statement: a CREATE TABLE, a SET */
        d.statement = u->stmt->number;
    }
    if (s->exit_code == 0) {
        int code = sl_code_exit(d.code);
        event_diag(s->sink, &s->script, &d, flink_error_stack(f, s->arena));
        s->exit_code = code == 3 ? 1 : code; /* 3 says that nothing was sent */
    }
    if (run_id) {
        char place[160] = "";
        if (d.pos.off != SL_NO_POS && d.file < s->script.files.n) {
            snprintf(place, sizeof(place), "%.*s:%u:%u", SL_S(s->script.files.v[d.file].name), d.pos.line,
                     d.pos.col);
        }
        char msg[512], hint[384];
        snprintf(msg, sizeof(msg), "%.*s", SL_S(d.msg));
        snprintf(hint, sizeof(hint), "%.*s", SL_S(d.hint));
        tracker_note_error(s->env->tracker, run_id, sl_code_slug(d.code), msg, hint, place);
    }
}
