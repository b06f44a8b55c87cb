/* A sample of a real broker's traffic: each text comes out as the datagram
 * that it went in as.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

#ifndef SAMPLE
#define SAMPLE "data/broker-traffic.txt"
#endif

/* The next datagram of the sample, without the newline at its end; NULL at
 * the end of the file.
 */
static char *next_datagram (FILE *f)
{
    static char text[65536];
    size_t len = 0;

    while (fgets (text + len, sizeof (text) - len, f)) {
        if (text[len] == '#')
            continue;
        if (text[len] == '\n') {
            if (len == 0)
                continue;
            break;
        }
        len += strlen (text + len);
    }
    if (len == 0)
        return NULL;
    text[len - 1] = '\0';
    return text;
}

static size_t replay (struct fripp_ctx *ctx, struct listener *server,
                      size_t *same)
{
    char *text;
    size_t n = 0;
    FILE *f;

    if (!(f = fopen (SAMPLE, "re")))
        bail_out ("cannot read %s", SAMPLE);
    *same = 0;
    listener_clear (server);
    while ((text = next_datagram (f))) {
        n++;
        if (fripp_format_send (ctx, "%s", text) != 0)
            diag ("datagram %zu is refused", n);
        if (listener_wait (server, n, DEADLINE) == n
            && listener_got (server, n - 1, text, strlen (text)))
            (*same)++;
    }
    fclose (f);
    return n;
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    size_t same;
    size_t n;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    n = replay (ctx, server, &same);
    ok (n > 1000, "the sample has %zu datagrams", n);
    is_int (same, n, "each arrives byte for byte, in order");
    is_int (listener_count (server), n, "and nothing else");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.datagrams == n && s.lines == listener_lines (server)
        && s.dropped == 0, "the stats say the same");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
