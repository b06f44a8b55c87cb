/* standin.h - what a test can do with the stand-in for libflux-core, and ask
 * of it
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef STANDIN_H
#define STANDIN_H

#include <flux/core.h>

/* A handle, with a reactor, that belongs to the calling thread: any call
 * from another one aborts the process with a message, and so does any call
 * but flux_watcher_destroy () in an aux destructor while flux_close () runs,
 * and any at all on a handle that is closed.
 */
flux_t *standin_open (uint32_t rank);

/* flux_get_rank () fails with this errno from now on, or works with 0.
 */
void standin_fail_rank (flux_t *h, int errnum);

/* Lets so many seconds go by on the reactor's clock, which stands still
 * otherwise: timers that are due fire in their order, those of one time in
 * one turn. Prepare watchers are called at the end of each turn, the one that
 * is under way included. Returns the number of times that a timer fired.
 */
int standin_advance (flux_t *h, double seconds);

/* From now on the reactor's clock is this machine's; standin_advance () does
 * what is due by now.
 */
void standin_real_time (flux_t *h);

/* How many watchers are not destroyed, how many are started, and how many
 * keep flux_reactor_run () from returning.
 */
int standin_watchers (flux_t *h);
int standin_active (flux_t *h);
int standin_refs (flux_t *h);

/* What was logged with the handle, by message; flux_log () makes one of each
 * line.
 */
int standin_log_count (flux_t *h);
const char *standin_log_text (flux_t *h, int i);
int standin_log_level (flux_t *h, int i);
void standin_log_clear (flux_t *h);

/* How often a function was called, in the process; NULL for all of them.
 */
int standin_calls (const char *function);

#endif /* !STANDIN_H */
