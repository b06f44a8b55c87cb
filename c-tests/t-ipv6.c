/* IPv6 endpoints, beside IPv4 ones.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "resolver.h"
#include "tap.h"

static void delivers (struct fripp_ctx *ctx, struct listener *server,
                      const char *what)
{
    listener_clear (server);
    ok (fripp_format_send (ctx, "a:%d|c", 6) == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "a:6|c", 5), "IPv4 only: no, %s", what);
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    struct listener *server = listen_udp ("::1");
    char uri[64];
    int port;

    if (!server) {
        skip ("no IPv6 here", "IPv4 only: no");
        return done_testing ();
    }
    port = listener_port (server);
    delivers (fripp_ctx_create (NULL, "::1", port), server,
              "fripp_ctx_create takes ::1");
    snprintf (uri, sizeof (uri), "[::1]:%d", port);
    delivers (fripp_ctx_create_uri (NULL, uri), server, "[::1]:port");
    snprintf (uri, sizeof (uri), "udp://[::1]:%d", port);
    delivers (fripp_ctx_create_uri (NULL, uri), server, "udp://[::1]:port");
    snprintf (uri, sizeof (uri), "[0:0:0:0:0:0:0:1]:%d", port);
    delivers (fripp_ctx_create_uri (NULL, uri), server,
              "an address with its zeros");
    resolver_answer ("::1");
    delivers (fripp_ctx_create (NULL, "six.example", port), server,
              "a name with an IPv6 address alone");
    resolver_answer ("127.0.0.1 ::1");
    delivers (fripp_ctx_create (NULL, "both.example", port), server,
              "a name whose IPv4 address refuses");
    listener_destroy (server);
    return done_testing ();
}
