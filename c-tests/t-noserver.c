/* Nobody listens: calls are quick and quiet, lines are kept, and go when a
 * server comes.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

#define CALLS 100000

static void test_100k (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct logbook book = { 0 };
    struct fripp_stats s;
    struct fripp_ctx *ctx;
    struct quiet quiet;
    double longest = 0;
    double since;
    int failed = 0;
    int fds;
    long last = -1;
    int disorder = 0;
    bool fresh = false;

    listener_drop (server);
    fds = count_fds ();
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    fripp_set_log (ctx, logbook_write, &book);
    quiet_begin (&quiet);
    for (int i = 0; i < CALLS; i++) {
        struct meter meter;
        double took;

        meter_start (&meter);
        failed += fripp_format_send (ctx, "noserver.%d:%d|c", i, i) != 0;
        took = meter_stop (&meter);
        if (took > longest)
            longest = took;
    }
    is_int (quiet_end (&quiet), 0, "100,000 calls without a server print "
            "nothing");
    is_int (failed, 0, "all of them are 0: kept");
    ok (longest < 50, "none takes longer than 50 ms");
    diag ("the longest took %.2f ms", longest);
    ok (logbook_count (&book) >= 1,
        "a server that is not there is logged");
    ok (logbook_count (&book) <= 2,
        "in two messages at most");
    ok (count_fds () <= fds + 1, "no fd but the context's socket");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.lines + s.dropped <= CALLS && s.pending > 0 && s.send_errors > 0,
        "the stats tell of it");

    /* the server comes: more calls, and what was kept */
    listener_reopen (server);
    listener_start (server);
    since = now_ms ();
    fripp_format_send (ctx, "fresh:1|c");
    listener_need (server, 1);
    ok (now_ms () - since < 2000,
        "recovers after ECONNREFUSED: metrics arrive within 2 s");
    diag ("the first one after %.0f ms", now_ms () - since);
    /* for as long as it goes on */
    while (!fresh && now_ms () - since < DEADLINE) {
        struct fripp_stats now;

        listener_idle (server, 100);
        fripp_get_stats (ctx, &now, sizeof (now));
        fresh = now.pending == 0;
        if (now.pending < s.pending)
            since = now_ms ();
        s = now;
    }
    ok (fresh, "all that was kept goes");
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_need_lines (server, s.lines);
    listener_quiet (server, 20);
    listener_stop (server);
    is_int (s.lines + s.dropped, CALLS + 1,
            "each line is counted as sent or as dropped");
    is_int (listener_lines (server), s.lines,
            "as many lines arrive as are counted as sent");
    is_int (s.dropped_full + s.dropped_invalid + s.dropped_oversize, 0,
            "none was dropped because the buffer was full");
    ok (s.dropped_send <= 1, "at most the first was lost to the refusal");
    for (size_t i = 0; i < listener_count (server); i++) {
        long n;

        if (sscanf (listener_get (server, i)->data, "noserver.%ld:", &n) == 1) {
            disorder += n <= last;
            last = n;
        }
    }
    ok (disorder == 0 && last == CALLS - 1, "they arrive in order");
    ok (listener_got (server, listener_count (server) - 1, "fresh:1|c", 9),
        "later packets queue after them");
    ok (logbook_count (&book) == 2, "the log says once that it begins, and "
        "once that it ends");
    for (int i = 0; i < logbook_count (&book) && i < LOGBOOK_MAX; i++)
        diag ("level %d: %s", book.level[i], book.text[i]);
    fripp_ctx_destroy (ctx);
    is_int (count_fds (), fds + 1, "after destroy: the server's fd and the "
            "ones from before");
    listener_destroy (server);
}

/* A server that goes and comes again at the same port.
 */
static void test_restart (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_stats s;
    struct fripp_ctx *ctx;
    int sent = 0;
    int last = -1;
    int disorder = 0;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++)
            fripp_format_send (ctx, "restart.%d:1|c", sent++);
        /* all that was taken is read before the server goes */
        do {
            listener_idle (server, 5);
            fripp_get_stats (ctx, &s, sizeof (s));
        } while (s.pending > 0 || listener_quiet (server, 0) < s.lines
                                                       - s.dropped_send);
        listener_drop (server);
        for (int i = 0; i < 20; i++)
            fripp_format_send (ctx, "restart.%d:1|c", sent++);
        listener_reopen (server);
    }
    do {
        listener_idle (server, 5);
        fripp_get_stats (ctx, &s, sizeof (s));
    } while (s.pending > 0);
    listener_quiet (server, 0);
    for (size_t i = 0; i < listener_count (server); i++) {
        int n = -1;

        sscanf (listener_get (server, i)->data, "restart.%d:", &n);
        disorder += n <= last;
        last = n;
    }
    ok (disorder == 0, "a server that restarts ten times: in order, nothing "
        "twice");
    is_int (listener_count (server) + s.dropped_send, sent,
            "a refusal that the next call reports counts one datagram's "
            "lines in dropped_send; all others arrive");
    ok (s.dropped_send <= 10, "one for each time that the server went");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* What waits at the end: destroy gives it up after 100 ms, not earlier.
 */
static void test_destroy (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    struct meter meter;
    double took;

    listener_drop (server);
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "end.%d:1|c", i);
    meter_start (&meter);
    fripp_ctx_destroy (ctx);
    took = meter_stop (&meter);
    ok (took < 150, "fripp_ctx_destroy waits 100 ms at most");
    diag ("it took %.1f ms", took);

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "end.%d:1|c", i);
    listener_reopen (server);
    fripp_ctx_destroy (ctx);
    listener_quiet (server, 0);
    is_int (listener_count (server), 100, "fripp_ctx_destroy sends what is "
            "pending to a server that is there by then");
    listener_destroy (server);
}

int main (void)
{
    test_100k ();
    test_restart ();
    test_destroy ();
    return done_testing ();
}
