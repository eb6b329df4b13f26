/* SPDX-License-Identifier: Apache-2.0
 * Submissions under way, by key: several clients may look at one, the one that brought it may go and come
 * back. Events but rows are kept, so that who comes later sees how it went; rows go to the client that brought
 * it. Safe from any thread; the calls of one submission's own thread are said. */
#ifndef SLUICE_JOBS_LIVE_H
#define SLUICE_JOBS_LIVE_H

#include "gateway/jobs/event.h"

struct live_hub;
struct live;

struct live_hub *live_hub_new(void);
/* Every submission has ended. */
void live_hub_free(struct live_hub *h);
/* Asks all of them to end. */
void live_hub_stop(struct live_hub *h);
size_t live_count(struct live_hub *h);

/* Takes the key for a submission of the calling thread; NULL: one with this key is under way. `first` is the
 * client that brought it, NULL: none (it goes on after a crash); it must live until live_end. `stays`: goes on
 * without any client. `rows`: it shows rows, and ends at once when its client has gone. */
struct live *live_begin(struct live_hub *h, sl_str key, const char *body, const struct event_sink *first,
                        bool stays, bool rows);
/* Where the submission says its events and asks whether it is to end. */
const struct event_sink *live_sink(struct live *l);
/* The hub stops, and nobody else has asked for its end. */
bool live_is_stopping(struct live *l);
/* Its answer is stored: who follows gets it. Frees it when nobody does. */
void live_end(struct live *l, int exit_code, sl_str result_json);

#define LIVE_FROM_NOW UINT64_MAX
enum live_follow { LIVE_NONE, LIVE_OTHER_BODY, LIVE_LEFT, LIVE_ENDED };
/* Follows the submission with this key, if one is under way: its events behind number `since` (LIVE_FROM_NOW: none of those so
 * far) and those that come, until it has ended (its answer in the arena) or the client has gone. `body` NULL: whatever it is
 * of. */
enum live_follow live_follow(struct live_hub *h, sl_str key, const char *body, const struct event_sink *k,
                             uint64_t since, struct sl_arena *a, int *ret_exit, sl_str *ret_json);

#endif
