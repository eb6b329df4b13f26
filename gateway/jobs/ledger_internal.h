/* SPDX-License-Identifier: Apache-2.0
 * What the files of the ledger share: ledger.c (runs, events), ledger_submission.c (submissions, versions,
 * steps). Included by those only. */
#ifndef SLUICE_JOBS_LEDGER_INTERNAL_H
#define SLUICE_JOBS_LEDGER_INTERNAL_H

#include "gateway/jobs/ledger.h"

struct ledger {
    struct store *store;
};

#endif
