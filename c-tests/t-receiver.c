/* The receiver of fripp-test.h, which users' tests are to trust: what it says
 * came is what was recorded, in every dialect.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp-test.h>

#include "tap.h"
#include "context.h"

#define MS 20000

static struct fripp_ctx *ctx_to (const struct fripp_test *t)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, fripp_test_uri (t));

    if (!ctx)
        bail_out ("fripp_ctx_create_uri: %s", fripp_test_uri (t));
    return ctx;
}

/* Flushes, and waits until all is there.
 */
static void arrive (struct fripp_ctx *ctx, struct fripp_test *t)
{
    static int n;
    char mark[32];

    snprintf (mark, sizeof (mark), "mark:%d|c", ++n);
    if (fripp_flush (ctx) < 0 || fripp_format_send (ctx, "%s", mark) < 0
        || fripp_test_wait_line (t, mark, MS) < 0)
        bail_out ("nothing comes");
}

static void test_dialect (const char *dialect)
{
    bool is_brubeck = !strcmp (dialect, "brubeck");
    /* not as literals, which the x87 compares with more digits */
    static const double load = 0.3, least = 0.264;
    char settings[80];
    struct fripp_test_summary s;
    struct fripp_test *t;
    struct fripp_ctx *ctx;

    snprintf (settings, sizeof (settings),
              "dialect=%s&period=3600&prefix=app", dialect);
    if (!(t = fripp_test_open_udp (settings)))
        bail_out ("fripp_test_open_udp");
    ctx = ctx_to (t);

    fripp_inc (ctx, "events", 3);
    fripp_count (ctx, "total", 10);
    fripp_gauge (ctx, "level", -5, false);
    fripp_gauge_real (ctx, "load", 0.1);
    fripp_timing (ctx, "store", 0.264);
    fripp_timing (ctx, "store", 12);
    fripp_histogram (ctx, "size", -2.5);
    arrive (ctx, t);
    fripp_inc (ctx, "events", -1);
    fripp_count (ctx, "total", 30);
    fripp_count (ctx, "total", 4);
    fripp_gauge (ctx, "level", -7, false);
    fripp_test_clear (t);
    is_int ((long long)fripp_test_counter (t, "app.events"), 0,
            "%s: cleared", dialect);
    arrive (ctx, t);
    is_int ((long long)fripp_test_counter (t, "app.events"), -1,
            "%s: a counter", dialect);
    /* brubeck's total is one of all lines since the context began */
    is_int ((long long)fripp_test_counter (t, "app.total"),
            is_brubeck ? 30 + 4 : 20 + 4, "%s: a running total", dialect);
    ok (fripp_test_gauge (t, "app.level") == -7, "%s: a negative gauge",
        dialect);
    ok (isnan (fripp_test_gauge (t, "level")), "%s: no such gauge", dialect);

    fripp_gauge_real (ctx, "load", 0.3);
    fripp_timing (ctx, "store", 0.264);
    fripp_timing (ctx, "store", 12);
    fripp_histogram (ctx, "size", 2.5);
    arrive (ctx, t);
    ok (fripp_test_gauge (t, "app.load") == load, "%s: a real gauge", dialect);
    s = fripp_test_samples (t, "app.store");
    ok (s.count == 2 && s.min == least && s.max == 12
        && fabs (s.sum - 12.264) < 1e-9, "%s: timings", dialect);
    s = fripp_test_samples (t, "app.size");
    ok (s.count == 1 && s.sum == 2.5, "%s: a histogram", dialect);
    ok (fripp_test_wait_values (t, "app.store", 2, MS) == 0
        && fripp_test_wait_values (t, "app.store", 3, 0) == -1
        && errno == ETIMEDOUT, "%s: two values, packed or not", dialect);
    s = fripp_test_samples (t, "app.none");
    ok (s.count == 0 && isnan (s.min) && isnan (s.max), "%s: no samples",
        dialect);

    if (!is_brubeck) {
        fripp_unique (ctx, "users", "ann");
        fripp_unique (ctx, "users", "bob");
        arrive (ctx, t);
        fripp_unique (ctx, "users", "ann");
        arrive (ctx, t);
        is_int ((long long)fripp_test_members (t, "app.users"), 2,
                "%s: distinct members", dialect);
    }
    is_int ((long long)fripp_test_lost (t), 0, "%s: nothing was lost",
            dialect);
    fripp_ctx_destroy (ctx);
    fripp_test_close (t);
}

static void test_tags (const char *dialect)
{
    char settings[80];
    struct fripp_test *t;
    struct fripp_ctx *ctx;
    struct fripp_metric *a;
    struct fripp_metric *b;

    snprintf (settings, sizeof (settings),
              "dialect=%s&period=3600&tags=env:test", dialect);
    if (!(t = fripp_test_open_udp (settings)))
        bail_out ("fripp_test_open_udp");
    ctx = ctx_to (t);
    a = fripp_metric_get (ctx, FRIPP_COUNTER, "events", NULL);
    b = fripp_metric_get (ctx, FRIPP_COUNTER, "events", "rank:1");
    fripp_metric_add (a, 1);
    fripp_metric_add (b, 2);
    arrive (ctx, t);
    is_int ((long long)fripp_test_counter (t, "events"), 3,
            "%s: with any tags", dialect);
    is_int ((long long)fripp_test_counter (t, "events#env:test"), 1,
            "%s: with these", dialect);
    is_int ((long long)fripp_test_counter (t, "events#env:test,rank:1"), 2,
            "%s: with two", dialect);
    is_int ((long long)fripp_test_counter (t, "events#env:test,rank:"), 0,
            "%s: not with others", dialect);
    is_int ((long long)fripp_test_counter (t, "events#env:test,rank:12"), 0,
            "%s: nor longer ones", dialect);
    is_int ((long long)fripp_test_counter (t, "events#"), 0,
            "%s: nor with none", dialect);
    fripp_ctx_destroy (ctx);
    fripp_test_close (t);
}

/* What is in it, whatever wrote it.
 */
static void test_lines (void)
{
    struct fripp_test *t = fripp_test_open_udp (NULL);
    struct fripp_test_summary s;
    struct fripp_ctx *ctx;

    if (!t)
        bail_out ("fripp_test_open_udp");
    ctx = ctx_to (t);
    is_str (fripp_test_lines (t), "", "nothing yet");
    fripp_format_send (ctx, "a:1|c\nab:2|c\na:3|c|@0.5\na|4\na:5|");
    fripp_format_send (ctx, "t:2|ms|@0.25\nt:1:3|h|#k:v\nlevel:5|g\nlevel:-2|g"
                            "\nlevel:+4|g\nt:9|g");
    ok (fripp_test_wait_values (t, "level", 3, MS) == 0, "a metric comes");
    is_str (fripp_test_lines (t), "a:1|c\nab:2|c\na:3|c|@0.5\na|4\na:5|\n"
            "t:2|ms|@0.25\nt:1:3|h|#k:v\nlevel:5|g\nlevel:-2|g\nlevel:+4|g\n"
            "t:9|g\n", "all lines, in their order");
    is_int ((long long)fripp_test_datagrams (t), 2, "two datagrams");
    is_int ((long long)fripp_test_counter (t, "a"), 7,
            "a sample rate; no line of another name, nor a broken one");
    s = fripp_test_samples (t, "t");
    ok (s.count == 6 && s.sum == 12 && s.min == 1 && s.max == 3,
        "samples with a rate, and packed ones");
    ok (fripp_test_gauge (t, "level") == 7, "a gauge that is changed");
    ok (fripp_test_wait_line (t, "ab:2|c", 0) == 0, "a whole line");
    errno = 0;
    ok (fripp_test_wait_line (t, "ab:2|", 10) == -1 && errno == ETIMEDOUT,
        "not a part of one");
    fripp_format_send (ctx, "sum:20|c");
    ok (fripp_test_wait_counter (t, "sum", 20, MS) == 0
        && fripp_test_wait_counter (t, "sum", 21, 10) == -1
        && errno == ETIMEDOUT, "a counter comes to a number, and not beyond");
    fripp_ctx_destroy (ctx);
    fripp_test_close (t);
    fripp_test_close (NULL);
}

/* More than a socket holds: with UDP what is lost is known, on a UNIX socket
 * nothing is.
 */
static void test_overflow (void)
{
    struct fripp_test *t = fripp_test_open_udp ("period=3600");
    struct fripp_ctx *ctx;
    size_t sent = 0;
    struct fripp_stats stats;

    if (!t)
        bail_out ("fripp_test_open_udp");
    ctx = ctx_to (t);
    while (sent < 20000 && fripp_format_send (ctx, "%s:1|c",
                                              repeat ('n', 1400)) == 0)
        sent++;
    fripp_test_datagrams (t);
    fripp_format_send (ctx, "mark:1|c");
    ok (fripp_test_wait_line (t, "mark:1|c", MS) == 0
        && fripp_test_datagrams (t) + fripp_test_lost (t) == sent + 1
        && fripp_test_lost (t) > 0, "UDP: what was lost is counted (%zu)",
        fripp_test_lost (t));
    fripp_ctx_destroy (ctx);
    fripp_test_close (t);

    if (!(t = fripp_test_open_unix ("period=0.01")))
        bail_out ("fripp_test_open_unix");
    ok (!strncmp (fripp_test_uri (t), "unix:@", 6)
        && strstr (fripp_test_uri (t), "?period=0.01"), "UNIX: its URI");
    ctx = ctx_to (t);
    for (int i = 0; i < 300; i++)
        fripp_format_send (ctx, "%s:1|c", repeat ('n', 700));
    for (int i = 0; i < 5000; i++)
        fripp_inc (ctx, "events", 1);
    ok (fripp_test_wait_values (t, repeat ('n', 700), 300, MS) == 0,
        "UNIX: all packets come");
    ok (fripp_test_wait_counter (t, "events", 5000, MS) == 0,
        "UNIX: a counter comes, in as many flushes as it takes");
    ok (fripp_get_stats (ctx, &stats, sizeof (stats)) == 0
        && stats.dropped == 0, "UNIX: nothing was dropped");
    fripp_ctx_destroy (ctx);
    fripp_test_close (t);
}

int main (void)
{
    for (int i = 0; i < DIALECTS; i++)
        test_dialect (dialect_names[i]);
    for (int i = 2; i < DIALECTS; i++)
        test_tags (dialect_names[i]);
    test_lines ();
    test_overflow ();
    return done_testing ();
}
