/* SPDX-License-Identifier: Apache-2.0
 * What a client has said it takes of the rows of a call: so many rows, so many bytes. A block of rows goes while there is some of both
 * left, whole, and may take it below zero; the next credit pays that first. Without any the call's thread waits, and with it whoever
 * makes the rows. A call that was opened without credit is none of this. Safe from any thread. */
#ifndef SLUICE_API_CREDIT_H
#define SLUICE_API_CREDIT_H

#include "base/err.h"
#include "base/json.h"

struct api_credits;
struct api_credits *api_credits_new(void);
void api_credits_free(struct api_credits *c);

struct api_credit {
    int64_t rows, bytes; /* API_NO_CREDIT: none was said */
};
#define API_NO_CREDIT (-1)
/* {"rows":1000,"bytes":1000000}, one of them or both. Error: usage. */
SL_MUST_CHECK bool api_credit_read(const struct sl_json *v, struct api_credit *ret, struct sl_err *err);
/* Before the call begins. */
void api_credit_open(struct api_credits *c, uint64_t client, sl_str call, const struct api_credit *first);
void api_credit_close(struct api_credits *c, uint64_t client, sl_str call);
/* More of it. A call that has ended, or counts nothing, takes no notice. */
void api_credit_add(struct api_credits *c, uint64_t client, sl_str call, const struct api_credit *more);
/* Waits until the block may go. False: nobody waits any more (api_credit_hurry), or its client has gone. */
bool api_credit_take(struct api_credits *c, uint64_t client, sl_str call, int64_t rows, int64_t bytes);
/* The call was taken back: what it still brings is not waited for. */
void api_credit_waive(struct api_credits *c, uint64_t client, sl_str call);
/* The client has gone, with all its calls. */
void api_credit_gone(struct api_credits *c, uint64_t client);
void api_credit_hurry(struct api_credits *c);

#endif
