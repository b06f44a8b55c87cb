/* Uses all of the library, for valgrind to look on. usage: helper-leak N
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

static void use (struct fripp_ctx *ctx, struct logbook *book)
{
    static char big[100000];
    struct fripp_stats stats;

    memset (big, 'x', sizeof (big) - 1);
    for (size_t i = 99; i < sizeof (big) - 1; i += 100)
        big[i] = '\n';
    fripp_set_log (ctx, logbook_write, book);
    fripp_format_send (ctx, "a:%d|c\nb:%f|ms\n", 1, 2.5);
    fripp_format_send (ctx, "%.*s", 1441, big + 100);
    fripp_format_send (ctx, "a%c|c", '\0');
    if (book->count % 20 == 0)
        fripp_format_send (ctx, "%s", big);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    (void)fripp_enabled (ctx);
}

int main (int argc, char *argv[])
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct listener *gone = listen_udp ("127.0.0.1");
    struct logbook book = { 0 };
    int n = argc > 1 ? atoi (argv[1]) : 10;
    char uri[64];

    listener_start (server);
    listener_drop (gone);
    resolver_answer ("127.0.0.1");
    snprintf (uri, sizeof (uri), "udp://127.0.0.1:%d",
              listener_port (server));
    for (int i = 0; i < n; i++) {
        struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, uri);

        use (ctx, &book);
        fripp_ctx_destroy (ctx);
        ctx = fripp_ctx_create (NULL, "name.example",
                                listener_port (server));
        use (ctx, &book);
        fripp_ctx_destroy (ctx);
        (void)fripp_ctx_create_uri (NULL, "localhost:");
        (void)fripp_ctx_create (NULL, "two words", 1);
        setenv ("FLUX_FRIPP_STATSD", i % 2 ? "localhost" : uri, 1);
        ctx = fripp_ctx_create_uri (NULL, NULL);
        use (ctx, &book);
        fripp_ctx_destroy (ctx);
        if (i % 50 == 0) {
            ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (gone));
            use (ctx, &book);
            fripp_ctx_destroy (ctx);
        }
    }
    must (wait_threads (2, DEADLINE));
    listener_stop (server);
    listener_destroy (gone);
    listener_destroy (server);
    return 0;
}
