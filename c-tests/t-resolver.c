/* Names of hosts: slow ones, wrong ones, those with several addresses.
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

#define LINES 200

static bool arrived_in_order (struct listener *server, int lines)
{
    bool order = true;

    listener_start (server);
    listener_need (server, lines);
    listener_stop (server);
    for (int i = 0; i < lines; i++) {
        char want[64];

        snprintf (want, sizeof (want), "kept.%d:1|c", i);
        order = order && listener_got (server, i, want, strlen (want));
    }
    return order && (int)listener_count (server) == lines;
}

static double longest;

static int send_lines (struct fripp_ctx *ctx, int from, int to)
{
    int failed = 0;

    for (int i = from; i < to; i++) {
        struct meter meter;
        double took;

        meter_start (&meter);
        failed += fripp_format_send (ctx, "kept.%d:1|c", i) != 0;
        took = meter_stop (&meter);
        if (took > longest)
            longest = took;
    }
    return failed;
}

static void test_slow (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct logbook book = { 0 };
    int threads = count_threads ();
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    struct meter meter;
    double took;

    resolver_block (true);
    meter_start (&meter);
    ctx = fripp_ctx_create (NULL, "slow.example", listener_port (server));
    took = meter_stop (&meter);
    ok (ctx && fripp_enabled (ctx) && took < 50,
        "create does not wait for a lookup");
    diag ("create took %.2f ms", took);
    fripp_set_log (ctx, logbook_write, &book);
    ok (resolver_wait_for (1, DEADLINE), "the lookup is under way");
    longest = 0;
    is_int (send_lines (ctx, 0, LINES), 0, "meanwhile lines are kept");
    ok (longest < 50, "and no call waits");
    diag ("the longest took %.2f ms", longest);
    ok (count_threads () <= threads + 2,
        "one helper thread, and the background thread");
    ok (resolver_waiting () == 1, "and one lookup");

    resolver_answer ("127.0.0.1");
    resolver_block (false);
    ok (arrived_in_order (server, LINES),
        "when the answer comes, all lines arrive, in order");
    ok (fripp_get_stats (ctx, &s, sizeof (s)) == 0 && s.resolutions == 1
        && s.dropped == 0 && s.lines == LINES, "the stats tell of it");
    is_int (logbook_count (&book), 0, "nothing to log");
    fripp_ctx_destroy (ctx);
    ok (wait_threads (threads, DEADLINE), "the threads are gone");
    listener_destroy (server);
}

static void test_destroy (void)
{
    int threads = count_threads ();
    int fds = count_fds ();
    struct fripp_ctx *ctx;
    struct meter meter;
    double took;

    resolver_block (true);
    ctx = fripp_ctx_create (NULL, "slow.example", 8125);
    send_lines (ctx, 0, LINES);
    must (resolver_wait_for (1, DEADLINE));
    meter_start (&meter);
    fripp_ctx_destroy (ctx);
    took = meter_stop (&meter);
    ok (took < 150, "destroy does not wait for a lookup");
    diag ("destroy took %.1f ms", took);
    ok (resolver_waiting () == 1, "which may outlive it");
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    ok (wait_threads (threads, DEADLINE) && count_fds () == fds,
        "its late answer does no harm");

    /* many at once, some destroyed before the answer and some after */
    resolver_block (true);
    for (int i = 0; i < 20; i++) {
        struct fripp_ctx *c = fripp_ctx_create (NULL, "slow.example", 8125);

        fripp_ctx_destroy (c);
    }
    resolver_answer (NULL);
    resolver_block (false);
    ok (wait_threads (threads, DEADLINE), "20 contexts destroyed meanwhile");
}

static void test_nosuch (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct logbook book = { 0 };
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    struct quiet quiet;
    struct meter meter;
    double took;
    double since;
    int calls = resolver_calls ();

    resolver_answer (NULL);
    quiet_begin (&quiet);
    meter_start (&meter);
    ctx = fripp_ctx_create (NULL, "nosuch.invalid", listener_port (server));
    took = meter_stop (&meter);
    ok (ctx && fripp_enabled (ctx) && took < 50,
        "nosuch.invalid: an enabled context, at once");
    fripp_set_log (ctx, logbook_write, &book);
    longest = 0;
    is_int (send_lines (ctx, 0, LINES), 0, "nosuch.invalid: lines are kept");
    ok (longest < 50, "nosuch.invalid: the caller is not held up");
    ok (logbook_wait (&book, 1, DEADLINE), "nosuch.invalid: a log line");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.resolutions >= 1 && s.pending > 0 && s.dropped == 0,
        "nosuch.invalid: counted, and nothing dropped");

    /* it is tried again after a second; the name has an address by then */
    since = now_ms ();
    resolver_answer ("127.0.0.1");
    ok (arrived_in_order (server, LINES),
        "a name is looked up again: the lines arrive when it has an "
        "address");
    diag ("after %.0f ms", now_ms () - since);
    ok (resolver_calls () - calls <= 4, "the name is not asked for all the "
        "time");
    is_int (quiet_end (&quiet), 0, "nosuch.invalid: nothing printed");
    ok (logbook_wait (&book, 2, DEADLINE) && logbook_count (&book) == 2,
        "nosuch.invalid: exactly one log line, and one when it ends");
    ok (strstr (book.text[0], "nosuch.invalid") != NULL
        && !strchr (book.text[0], '\n'), "it names the host");
    diag ("level %d: %s", book.level[0], book.text[0]);
    diag ("level %d: %s", book.level[1], book.text[1]);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

static void test_log_names (void)
{
    struct logbook book = { 0 };
    struct fripp_ctx *ctx;

    resolver_answer (NULL);
    ctx = fripp_ctx_create (NULL, "%s%n%1000000d.invalid", 8125);
    if (!ctx) {
        ok (true, "a host with %%-signs is refused");
        return;
    }
    fripp_set_log (ctx, logbook_write, &book);
    ok (logbook_wait (&book, 1, DEADLINE)
        && strstr (book.text[0], "%s%n%1000000d.invalid"),
        "a host with %%-signs is logged as it stands");
    fripp_ctx_destroy (ctx);
}

static void test_addresses (const char *addresses, const char *what)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    int last = -1;
    int disorder = 0;

    resolver_answer (addresses);
    ctx = fripp_ctx_create (NULL, "several.example", listener_port (server));
    ok (send_lines (ctx, 0, LINES) == 0
        && listener_wait (server, 1, DEADLINE) == 1,
        "several addresses, %s: the next one is used", what);
    do {
        listener_idle (server, 5);
        fripp_get_stats (ctx, &s, sizeof (s));
    } while (s.pending > 0);
    listener_quiet (server, 0);
    for (size_t i = 0; i < listener_count (server); i++) {
        int n = -1;

        sscanf (listener_get (server, i)->data, "kept.%d:", &n);
        disorder += n <= last;
        last = n;
    }
    is_int (listener_count (server), LINES,
            "several addresses, %s: nothing lost", what);
    ok (disorder == 0, "several addresses, %s: in order", what);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    test_slow ();
    test_destroy ();
    test_nosuch ();
    test_log_names ();
    test_addresses ("127.0.0.1", "one");
    test_addresses ("::1 127.0.0.1", "the first refuses");
    test_addresses ("127.0.0.2 127.0.0.3 127.0.0.1", "two refuse");
    return done_testing ();
}
