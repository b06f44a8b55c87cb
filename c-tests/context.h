/* context.h - contexts that send to a listener, and what they flush
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <fripp.h>

#include "listener.h"

/* A period that does not end within a test: what is sent, is sent because
 * the test wants it.
 */
#define NEVER "period=3600&refresh=0"

#define DIALECTS 5

extern const char *const dialect_names[DIALECTS];

/* A context that sends to a listener, made from a URI with such settings,
 * as "period=3600&dialect=statsd"; brubeck's where none is named.
 */
struct fripp_ctx *ctx_open (struct listener *l, const char *fmt, ...)
    __attribute__ ((format (printf, 2, 3)));

/* The same, with a listener of its own on a UNIX socket, where a sender waits
 * for a slow receiver and nothing is ever lost: for much traffic.
 */
struct fripp_ctx *ctx_open_lossless (struct listener **l, const char *fmt,
                                     ...)
    __attribute__ ((format (printf, 2, 3)));

/* Flush, again where it takes more than the 100 ms of one.
 */
void flush_all (struct fripp_ctx *ctx);


/* Flush; then all lines that have arrived, with a newline between them.
 * Behind them a line of the test's own goes to the server, so that it is
 * known when all is there: nothing is waited for that may not come. The text
 * lives until the next call.
 */
const char *flushed (struct fripp_ctx *ctx, struct listener *l);

/* The same without the flush.
 */
const char *arrived (struct fripp_ctx *ctx, struct listener *l);

/* How many datagrams the text of the last call came in.
 */
size_t datagrams (void);

/* Whether a call fails with errnum.
 */
#define FAILS(call, errnum) (errno = 0, (call) == -1 && errno == (errnum))
#define FAILS_NULL(call, errnum) (errno = 0, !(call) && errno == (errnum))

/* A text of len times c. It lives until eight more were made.
 */
const char *repeat (char c, size_t len);

#endif /* !CONTEXT_H */
