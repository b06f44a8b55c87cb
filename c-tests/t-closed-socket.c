/* A descriptor that the host closes between a datagram and the look that
 * comes after it: the datagram was taken, and is not sent again.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

static atomic_int to_close;
static atomic_int closed;

/* This program's, in the place of the C library's.
 */
int getsockopt (int fd, int level, int name, void *value, socklen_t *len)
{
    int (*real) (int fd, int level, int name, void *value, socklen_t *len);

    *(void **)&real = dlsym (RTLD_NEXT, "getsockopt");
    if (!real)
        abort ();
    if (level == SOL_SOCKET && name == SO_ERROR && to_close > 0) {
        to_close--;
        closed += close (fd) == 0;
    }
    return real (fd, level, name, value, len);
}

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx = ctx_open (l, NEVER "&dialect=statsd");
    struct reader *r = reader_create (FRIPP_STATSD);
    const struct reading *m;

    for (int i = 0; i < 20; i++) {
        fripp_inc (ctx, "n", 1);
        fripp_timing (ctx, "t", i);
        to_close = 1;
        flush_all (ctx);
    }
    is_int (closed, 20, "the socket was closed 20 times before the look");
    listener_quiet (l, 0);
    reader_read_all (r, l, listener_count (l));
    is_int (reader_get (r, "n", "c")->sum, 20, "no counter is sent twice");
    m = reader_get (r, "t", "ms");
    is_int ((int)m->values, 20, "nor a sample");
    is_int ((int)m->real_sum, 190, "nor is one lost");
    ok (!reader_bad (r), "nothing else arrives");
    fripp_ctx_destroy (ctx);
    reader_destroy (r);
    listener_destroy (l);
    return done_testing ();
}
