/* Metrics with a Flux handle: its reactor flushes, on its thread, and no
 * thread of the library exists while no other thread records. The stand-in aborts on a call of Flux from
 * another thread, or from an aux destructor.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <flux/core.h>
#include <fripp.h>

#include "flux-standin/standin.h"
#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

static struct listener *server;

/* Sends the mark behind what arrives: a packet of a context with a handle
 * would wait for the end of the turn.
 */
static struct fripp_ctx *marker;

static struct fripp_ctx *open_with (flux_t *h, const char *query)
{
    struct fripp_ctx *ctx;
    char uri[256];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d%s", listener_port (server),
              query);
    if (!(ctx = fripp_ctx_create_uri (h, uri)))
        bail_out ("no context of %s", uri);
    return ctx;
}

/* What the reactor sends when so much time goes by on its clock.
 */
static const char *turned (flux_t *h, double seconds)
{
    standin_advance (h, seconds);
    return arrived (marker, server);
}

static void test_flushes (void)
{
    flux_t *h = standin_open (7);
    struct fripp_ctx *ctx;
    int threads = count_threads ();
    int lines = 0;

    ctx = open_with (h, "");
    fripp_inc (ctx, "n", 1);
    is_str (arrived (marker, server), "", "a call sends nothing by itself");
    is_str (turned (h, 1), "flux.7.n:1|c", "the reactor's timer does, "
            "within a second; the prefix is flux.<rank>");
    for (int i = 0; i < 20; i++) {
        fripp_inc (ctx, "n", 2);
        lines += !strcmp (turned (h, 1), "flux.7.n:2|c");
    }
    is_int (lines, 20, "once each period, all that was recorded");
    fripp_gauge (ctx, "g", -5, false);
    fripp_timing (ctx, "t", 1.5);
    fripp_packet_appendf (ctx, "raw:1|c");
    is_str (turned (h, 1), "flux.7.g:0|g\nflux.7.g:-5|g\n"
            "flux.7.t:1.5|ms\nraw:1|c", "every type, and packets");
    fripp_gauge (ctx, "g", 1, true);
    for (int i = 0; i < 5; i++)
        standin_advance (h, 1);
    fripp_gauge (ctx, "g", 1, true);
    {
        const char *text = turned (h, 1);

        ok (strstr (text, "flux.7.g:-4|g") && strstr (text, "flux.7.g:-3|g"),
            "a gauge is held through idle periods");
    }
    is_int (count_threads (), threads, "there is no thread");
    is_int (standin_log_count (h), 0, "nothing is logged");
    fripp_inc (ctx, "n", 3);
    ok (fripp_flush (ctx) == 0
        && !strcmp (arrived (marker, server), "flux.7.n:3|c"),
        "fripp_flush sends at once");
    fripp_inc (ctx, "n", 4);
    fripp_ctx_destroy (ctx);
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "flux.7.n:4|c", 12),
        "destroy sends what is pending");
    listener_clear (server);
    is_int (standin_watchers (h), 0, "and leaves no watcher");
    flux_close (h);
}

static void test_prefix (void)
{
    static const struct {
        const char *query;
        const char *want;
    } rows[] = {
        { "", "flux.4294967295.n:1|c" },
        { "?prefix=", "n:1|c" },
        { "?prefix=p.{{rank}}", "p.4294967295.n:1|c" },
        { "?prefix=p.%7b%7brank%7d%7d.q", "p.4294967295.q.n:1|c" },
    };
    flux_t *h = standin_open (4294967295u);
    struct fripp_ctx *ctx;

    for (size_t i = 0; i < sizeof (rows) / sizeof (rows[0]); i++) {
        ctx = open_with (h, rows[i].query);
        fripp_inc (ctx, "n", 1);
        is_str (turned (h, 1), rows[i].want, "the largest rank, with "
                "'%s'", rows[i].query);
        fripp_ctx_destroy (ctx);
    }
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    fripp_inc (ctx, "n", 1);
    is_str (turned (h, 1), "n:1|c", "fripp_ctx_create: no prefix");
    fripp_set_prefix (ctx, "flux.{{rank}}");
    fripp_inc (ctx, "n", 1);
    is_str (turned (h, 1), "flux.4294967295.n:1|c", "fripp_set_prefix");
    fripp_ctx_destroy (ctx);
    flux_close (h);
}

/* The timer, and what it keeps from returning.
 */
static void test_timer (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_with (h, "?refresh=0");
    bool kept;

    is_int (standin_refs (h), 0, "an idle context lets the reactor return");
    fripp_inc (ctx, "n", 1);
#ifdef STANDIN_0_88
    kept = false;
    ok (standin_calls ("flux_watcher_unref") > 0,
        "the timer does not count, where Flux has that");
#else
    kept = true;
    is_int (standin_active (h), 1,
            "the timer is started with the first thing to flush");
#endif
    is_int (standin_refs (h), kept, "something to flush: %s",
            kept ? "it keeps the reactor" : "the reactor may return");
    standin_advance (h, 1);
    (void)arrived (marker, server);
    standin_advance (h, 2);
    is_int (standin_refs (h), 0, "a period had nothing: the reactor may "
            "return");
    is_int (standin_active (h), 0, "the timer is stopped");
    is_int (standin_advance (h, 100), 0, "and does not fire");
    fripp_gauge (ctx, "g", 5, false);
    is_int (standin_refs (h), kept, "the next thing starts it again");
    is_str (turned (h, 1), "flux.0.g:5|g", "and is sent");
    standin_advance (h, 3);
    is_int (standin_refs (h), 0, "a gauge that is held does not keep it");
    is_int (standin_watchers (h), 2, "two watchers");
    fripp_ctx_destroy (ctx);
    flux_close (h);
}

static void test_period (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_with (h, "?period=10&prefix=&refresh=0");
    int sent = 0;

    fripp_inc (ctx, "n", 1);
    for (int i = 0; i < 10; i++)
        sent += *turned (h, 1) != '\0';
    is_int (sent, 1, "a period of 10 s: one flush in 10 s");
    fripp_inc (ctx, "n", 2);
    ok (fripp_set_agg_period (ctx, 0.5) == 0
        && !strcmp (arrived (marker, server), "n:2|c"),
        "a change of the period sends what is pending");
    sent = 0;
    for (int i = 0; i < 20; i++) {
        fripp_inc (ctx, "n", 1);
        sent += *turned (h, 0.5) != '\0';
    }
    ok (sent >= 19, "the shorter one comes into force: %d in 10 s", sent);
    fripp_set_agg_period (ctx, 100);
    (void)arrived (marker, server);
    fripp_inc (ctx, "n", 1);
    sent = 0;
    for (int i = 0; i < 10; i++)
        sent += *turned (h, 10) != '\0';
    is_int (sent, 1, "a longer one too: one flush in 100 s");
    fripp_inc (ctx, "n", 7);
    fripp_set_agg_period (ctx, 0);
    is_str (arrived (marker, server), "n:7|c", "0: what is pending goes");
    fripp_inc (ctx, "n", 8);
    is_str (arrived (marker, server), "n:8|c", "then each call sends at once");
    is_str (turned (h, 100), "", "and the timer has nothing");
    fripp_set_agg_period (ctx, 1);
    fripp_inc (ctx, "n", 9);
    is_str (turned (h, 1), "n:9|c", "and back");
    is_int (standin_log_count (h), 0, "nothing is logged");
    fripp_ctx_destroy (ctx);
    flux_close (h);
}

/* The refresh goes by this machine's clock, the timer by the reactor's.
 */
static void test_refresh (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    double end = now_ms () + DEADLINE;
    const char *rest;
    int sent = 0;

    ctx = open_with (h, "?period=0.05&prefix=&refresh=0.05");
    fripp_gauge (ctx, "g", 5, false);
    while (sent < 3 && now_ms () < end) {
        const char *text;

        /* where the timer rests, something else starts it */
        fripp_inc (ctx, "clock", 1);
        text = turned (h, 0.05);
        sent += strstr (text, "g:5|g") != NULL;
        listener_idle (server, 2);
    }
    is_int (sent, 3, "an unchanged gauge is sent again by the reactor");
    fripp_ctx_destroy (ctx);
    rest = arrived (marker, server);
    ok (!*rest || !strcmp (rest, "g:5|g"), "destroy sends it where it is due, "
        "and nothing else: %s", rest);
    flux_close (h);
}

/* More than goes in one burst: several turns, and then periods as before.
 */
static void test_bursts (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_with (h, "?prefix=&refresh=0");
    struct reader *r = reader_create (FRIPP_BRUBECK);
    double end = now_ms () + DEADLINE;
    int fired;

    for (int i = 0; i < 4000; i++) {
        char name[32];

        snprintf (name, sizeof (name), "a.longer.name.%d", i);
        fripp_inc (ctx, name, 1);
    }
    fired = standin_advance (h, 1);
    /* the bursts go by the clock of the machine, which is not the reactor's */
    while (listener_wait_lines (server, 4000, 5) < 4000 && now_ms () < end)
        fired += standin_advance (h, 0.005);
    reader_read_all (r, server, listener_count (server));
    listener_clear (server);
    ok (reader_metrics (r) == 4000 && reader_lines (r) == 4000
        && !reader_bad (r), "4,000 metrics: all of them");
    ok (fired > 1, "in more than one turn of the reactor: %d", fired);
    fired = standin_advance (h, 20);
    ok (fired <= 22, "then it fires once a period again: %d in 20 s", fired);
    for (int i = 0; i < 3; i++) {
        fripp_inc (ctx, "after", 1);
        is_str (turned (h, 1), "after:1|c", "and flushes each time");
    }
    reader_destroy (r);
    fripp_ctx_destroy (ctx);
    flux_close (h);
}

#define THREADS 4
#define CALLS 20000

struct worker {
    pthread_t thread;
    struct fripp_ctx *ctx;
    int failed;
};

static void *record (void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < CALLS; i++) {
        w->failed += fripp_inc (w->ctx, "n", 1) != 0;
        if (i % 100 == 0) {
            w->failed += fripp_timing (w->ctx, "t", 1) != 0;
            w->failed += fripp_gauge (w->ctx, "g", 1, true) != 0;
        }
    }
    return NULL;
}

static bool has_all (const struct reader *r)
{
    return reader_get (r, "n", "c")->sum == THREADS * CALLS
        && reader_get (r, "t", "ms")->values == THREADS * CALLS / 100
        && reader_get (r, "g", "g")->gauge == THREADS * CALLS / 100;
}

/* Calls from all threads, flushes on the handle's.
 */
static void test_threads (void)
{
    flux_t *h = standin_open (0);
    struct worker workers[THREADS] = { 0 };
    struct reader *r = reader_create (FRIPP_BRUBECK);
    struct fripp_ctx *ctx = open_with (h, "?prefix=&refresh=0");
    struct fripp_stats s;
    double end = now_ms () + DEADLINE;
    uint64_t read = 0;
    int failed = 0;

    for (int i = 0; i < THREADS; i++) {
        workers[i].ctx = ctx;
        pthread_create (&workers[i].thread, NULL, record, &workers[i]);
    }
    /* if the timer rests when a thread records, the background thread sends
     * what is recorded then, within a second of this machine's clock
     */
    do {
        standin_advance (h, 1);
        fripp_get_stats (ctx, &s, sizeof (s));
        listener_quiet (server, 0);
        read += listener_count (server);
        reader_read_all (r, server, listener_count (server));
        listener_clear (server);
    } while ((!has_all (r) || read != s.datagrams) && now_ms () < end);
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    is_int (failed, 0, "calls from four threads");
    ok (has_all (r) && !reader_bad (r), "all of it is sent");
    ok (s.lines == reader_lines (r) && s.dropped == 0 && s.pending == 0,
        "the stats say the same");
    reader_destroy (r);
    fripp_ctx_destroy (ctx);
    /* a gauge that was recorded again during its flush is sent twice */
    (void)arrived (marker, server);
    flux_close (h);
}

static void *record_one (void *arg)
{
    return fripp_inc (arg, "other", 1) == 0 ? NULL : arg;
}

/* Only another thread records, once, while the timer rests.
 */
static void test_other_thread (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx = open_with (h, "?prefix=&refresh=0");
    pthread_t thread;
    void *failed;

    standin_advance (h, 5);
    pthread_create (&thread, NULL, record_one, ctx);
    pthread_join (thread, &failed);
    ok (!failed, "a call from another thread, on an idle context");
    /* no timer can be started from there */
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "other:1|c", 9),
        "goes by the background thread, though the reactor does not turn");
    listener_clear (server);
    fripp_inc (ctx, "own", 1);
    ok (fripp_flush (ctx) == 0
        && !strcmp (arrived (marker, server), "own:1|c"),
        "and what the handle's thread records then, too");
    fripp_ctx_destroy (ctx);
    ok (wait_threads (1, DEADLINE), "the thread goes with the context");
    flux_close (h);
}

static void destroy_ctx (void *arg)
{
    fripp_ctx_destroy (arg);
}

static void test_close (void)
{
    flux_t *h = standin_open (3);
    struct fripp_ctx *ctx = open_with (h, "");
    struct reader *r = reader_create (FRIPP_BRUBECK);
    int calls;

    flux_aux_set (h, "fripp", ctx, destroy_ctx);
    for (int i = 0; i < 1000; i++) {
        char name[32];

        snprintf (name, sizeof (name), "n%d", i);
        fripp_inc (ctx, name, 1);
    }
    calls = standin_calls (NULL) - standin_calls ("flux_watcher_destroy");
    flux_close (h);
    is_int (standin_calls (NULL) - standin_calls ("flux_watcher_destroy")
            - calls, 1, "destroyed in an aux destructor: no call of Flux but "
            "flux_watcher_destroy");
    listener_need_lines (server, 1000);
    reader_read_all (r, server, listener_count (server));
    listener_clear (server);
    ok (reader_metrics (r) == 1000 && !reader_bad (r),
        "1,000 of 1,000 metrics arrive");
    reader_destroy (r);
}

/* Many contexts of one handle, with their own prefix and period.
 */
static void test_many (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx[20];
    struct reader *r = reader_create (FRIPP_BRUBECK);
    char query[64];
    int right = 0;

    for (int i = 0; i < 20; i++) {
        snprintf (query, sizeof (query), "?prefix=module%d&period=%d", i,
                  i + 1);
        ctx[i] = open_with (h, query);
        fripp_inc (ctx[i], "n", i + 1);
    }
    for (int i = 0; i < 25; i++)
        standin_advance (h, 1);
    listener_need_lines (server, 20);
    reader_read_all (r, server, listener_count (server));
    listener_clear (server);
    for (int i = 0; i < 20; i++) {
        snprintf (query, sizeof (query), "module%d.n", i);
        right += reader_get (r, query, "c")->sum == i + 1;
        fripp_ctx_destroy (ctx[i]);
    }
    is_int (right, 20, "20 contexts with a prefix and a period of their own");
    is_int (count_threads (), 1, "and no thread");
    reader_destroy (r);
    flux_close (h);
}

int main (void)
{
    server = listen_udp ("127.0.0.1");
    marker = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    test_flushes ();
    test_prefix ();
    test_timer ();
    test_period ();
    test_refresh ();
    test_bursts ();
    test_threads ();
    test_other_thread ();
    test_close ();
    test_many ();
    fripp_ctx_destroy (marker);
    listener_destroy (server);
    return done_testing ();
}
