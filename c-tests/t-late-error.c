/* "Message too long" may be about an earlier datagram: the kernel says so
 * with the next one. This program's send () stands before the system's.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

static int errors;

ssize_t send (int fd, const void *data, size_t len, int flags)
{
    static ssize_t (*next) (int, const void *, size_t, int);

    if (!next)
        *(void **)&next = dlsym (RTLD_NEXT, "send");
    if (errors > 0) {
        errors--;
        errno = EMSGSIZE;
        return -1;
    }
    return next (fd, data, len, flags);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_stats s;
    struct fripp_ctx *ctx;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    errors = 1;
    ok (fripp_format_send (ctx, "a:1|c") == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "a:1|c", 5),
        "an error of an earlier datagram: this one is sent");
    fripp_get_stats (ctx, &s, sizeof (s));
    is_int (s.dropped, 0, "nothing is dropped");
    errors = 2;
    fripp_format_send (ctx, "a:1|c");
    fripp_get_stats (ctx, &s, sizeof (s));
    is_int (s.dropped_oversize, 1, "its own error: it is dropped, counted");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
