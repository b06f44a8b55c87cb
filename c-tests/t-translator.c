/* A server behind a translator of addresses dies, and no send ever fails: the
 * translator sends what comes from the old port to where nobody is. So a socket
 * to another host is replaced about once a minute, in a pause.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>

#include <fripp.h>

#include "clock.h"
#include "context.h"
#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "translator.h"

/* The earliest and the latest that a socket is replaced: a minute, more or
 * less (s).
 */
#define EARLIEST 45
#define LATEST 75

static struct listener *before;
static struct listener *after;

static void pass (double seconds)
{
    clock_jump (CLOCK_MONOTONIC, seconds);
}

/* Counts one, and flushes; how many flushes each server has got.
 */
static void count (struct fripp_ctx *ctx)
{
    must (fripp_inc (ctx, "n", 1) == 0);
    flush_all (ctx);
}

static void is_at (size_t at_before, size_t at_after, const char *what)
{
    ok (listener_wait (before, at_before, DEADLINE) == at_before
        && listener_wait (after, at_after, DEADLINE) == at_after
        && listener_quiet (before, 0) == at_before
        && listener_quiet (after, 0) == at_after, "%s", what);
    diag ("%zu and %zu datagrams", listener_count (before),
          listener_count (after));
}

static struct fripp_ctx *translated (const char *settings)
{
    char uri[200];

    translator_assign (listener_port (before));
    listener_clear (before);
    listener_clear (after);
    snprintf (uri, sizeof (uri), TRANSLATOR ":8125?dialect=statsd&%s",
              settings);
    return fripp_ctx_create_uri (NULL, uri);
}

static void test_dead_server (void)
{
    struct fripp_ctx *ctx = translated (NEVER);
    struct fripp_stats stats;

    count (ctx);
    is_at (1, 0, "a translator assigns a server");
    translator_assign (listener_port (after));
    count (ctx);
    is_at (2, 0, "that server is dead: sends succeed, to nowhere");
    pass (EARLIEST - 1);
    count (ctx);
    is_at (3, 0, "for most of a minute");
    pass (LATEST - EARLIEST + 1);
    count (ctx);
    is_at (3, 1, "then a new socket finds the one that lives");
    count (ctx);
    is_at (3, 2, "and stays there");
    ok (listener_got (after, 0, "n:1|c", 5), "as if nothing had been");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    is_int (stats.dropped, 0, "nothing was dropped: nobody can know");
    pass (LATEST);
    must (fripp_format_send (ctx, "p:1|c") == 0);
    is_at (3, 3, "a packet asks as well");
    is_int (listener_get (after, 2)->port != listener_get (after, 1)->port, 1,
            "from another port");
    fripp_ctx_destroy (ctx);
}

/* The sockets of ten minutes: with a flush a second, or with so many that
 * there is no pause of half a second.
 */
static int sockets (double interval)
{
    struct fripp_ctx *ctx = translated (NEVER);
    int n = translator_count ();

    for (double passed = 0; passed < 600; passed += interval) {
        double start = now_ms ();
        double rest;

        count (ctx);
        (void)listener_quiet (before, 0);
        listener_clear (before);
        /* what this took is a part of the interval */
        rest = interval - (now_ms () - start) / 1000;
        pass (rest > 0 ? rest : 0);
    }
    fripp_ctx_destroy (ctx);
    return translator_count () - n;
}

static void test_often (void)
{
    int n = sockets (1);

    ok (n >= 600 / LATEST && n <= 600 / EARLIEST + 1,
        "ten minutes, a flush a second: %d sockets", n);
    is_int (sockets (0.4), 1, "without a pause of half a second: one");
}

/* A server of this host, which refuses when it is gone.
 */
static void test_here (void)
{
    struct fripp_ctx *ctx;
    bool same = true;

    listener_clear (before);
    ctx = ctx_open (before, "dialect=statsd&" NEVER);
    for (size_t i = 0; i < 10; i++) {
        count (ctx);
        pass (LATEST);
        listener_need (before, i + 1);
        same = same && listener_get (before, i)->port
                       == listener_get (before, 0)->port;
    }
    ok (same, "a server of this host: always from the same port");
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    before = listen_udp ("127.0.0.1");
    after = listen_udp ("127.0.0.1");
    test_dead_server ();
    test_often ();
    test_here ();
    listener_destroy (before);
    listener_destroy (after);
    return done_testing ();
}
