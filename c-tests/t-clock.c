/* The clocks jump: the time of day does not matter, and after the
 * monotonic clock has stood still for an hour, or jumped over one, flushes go
 * on as before. An hour passes in no time here, so what happens once a minute
 * is tested here, too: the lookup of a name.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fripp.h>

#include "clock.h"
#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define HOUR 3600
#define CONTEXTS 100

/* Records all the time, so that each flush has something to send.
 */
struct recorder {
    pthread_t thread;
    struct fripp_ctx *ctx;
    atomic_bool stop;
    int64_t recorded;
};

static void *record (void *arg)
{
    struct recorder *r = arg;

    while (!atomic_load (&r->stop))
        r->recorded += fripp_inc (r->ctx, "n", 1) == 0;
    return NULL;
}

/* The number of datagrams that come within some time.
 */
static size_t receive_for (struct listener *server, double ms)
{
    double end = real_ms () + ms;

    listener_clear (server);
    while (real_ms () < end) {
        (void)listener_quiet (server, 0);
        rest_ms (1);
    }
    return listener_count (server);
}

static void test_flushes (clockid_t id, const char *clock, long jump)
{
    struct reader *r = reader_create (FRIPP_STATSD);
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    struct fripp_stats stats;
    struct recorder recorder = { 0 };
    double start;
    double took;
    size_t n;

    ctx = ctx_open (server, "dialect=statsd&period=0.05&refresh=0");
    recorder.ctx = ctx;
    pthread_create (&recorder.thread, NULL, record, &recorder);
    do {
        n = receive_for (server, 100);
        reader_read_all (r, server, listener_count (server));
    } while (n == 0);
    start = real_ms ();
    clock_jump (id, jump);
    do {
        n = receive_for (server, 400);
        took = real_ms () - start;
        reader_read_all (r, server, listener_count (server));
    } while (n == 0 && took < DEADLINE);
    ok (n > 0, "%s, %+ld s: flushes go on", clock, jump);
    ok ((double)n <= took / 50 + 2, "%s, %+ld s: what was missed is not made "
        "up for, %zu flushes in %.0f ms", clock, jump, n, took);
    listener_clear (server);
    atomic_store (&recorder.stop, true);
    pthread_join (recorder.thread, NULL);
    flush_all (ctx);
    fripp_get_stats (ctx, &stats, sizeof (stats));
    while (reader_datagrams (r) + listener_count (server) < stats.datagrams
           && listener_quiet (server, 1) < DEADLINE)
        ;
    reader_read_all (r, server, listener_count (server));
    is_int (reader_get (r, "n", "c")->sum, recorder.recorded,
            "%s, %+ld s: nothing lost, nothing twice", clock, jump);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    reader_destroy (r);
}

/* 100 contexts of one name: one lookup for all, at first and a minute later.
 */
static struct fripp_ctx *contexts[CONTEXTS];

static bool are_resolved (void *arg)
{
    for (int i = 0; i < CONTEXTS; i++) {
        struct fripp_stats stats;

        fripp_format_send (contexts[i], "poll:1|c");
        fripp_get_stats (contexts[i], &stats, sizeof (stats));
        if (stats.resolutions < *(uint64_t *)arg || stats.pending > 0)
            return false;
    }
    return true;
}

static void test_look_ups (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    uint64_t want = 1;
    int calls = resolver_calls ();

    resolver_answer ("127.0.0.1");
    listener_start (server);
    for (int i = 0; i < CONTEXTS; i++)
        contexts[i] = fripp_ctx_create (NULL, "minute.example",
                                        listener_port (server));
    ok (wait_until (are_resolved, &want, DEADLINE),
        "100 contexts to one name: all have an address");
    is_int (resolver_calls () - calls, 1, "by one lookup");

    clock_jump (CLOCK_MONOTONIC, 40);
    ok (wait_until (are_resolved, &want, DEADLINE)
        && resolver_calls () - calls == 1, "40 s later none is looked up");
    clock_jump (CLOCK_MONOTONIC, 36);
    want = 2;
    ok (wait_until (are_resolved, &want, DEADLINE),
        "the address resolved once and never again: after 76 s all have "
        "looked again");
    is_int (resolver_calls () - calls, 2, "by one lookup");
    listener_stop (server);
    for (int i = 0; i < CONTEXTS; i++)
        fripp_ctx_destroy (contexts[i]);
    listener_destroy (server);
}

/* Lookups that fail come ever more rarely, not all at the same instant.
 */
static void test_back_off (void)
{
    struct fripp_ctx *ctx = NULL;
    double waits[6];
    struct listener *server = listen_udp ("127.0.0.1");
    bool right = true;
    int calls;

    resolver_answer (NULL);
    calls = resolver_calls ();
    ctx = fripp_ctx_create (NULL, "nosuch.example", listener_port (server));
    for (int i = 0; i < 6; i++) {
        double end = real_ms () + DEADLINE;
        struct fripp_stats stats;
        double seconds = 0;

        /* the answer, then the time in steps, until there is another call */
        do {
            fripp_get_stats (ctx, &stats, sizeof (stats));
        } while (stats.resolutions < (uint64_t)i + 1 && real_ms () < end);
        do {
            /* the background thread sleeps by the real clock */
            fripp_format_send (ctx, "poll:1|c");
            rest_ms (10);
            if (resolver_calls () - calls > i + 1)
                break;
            clock_jump (CLOCK_MONOTONIC, 1);
            seconds++;
        } while (real_ms () < end);
        waits[i] = seconds;
        right = right && seconds >= (1 << i) * 0.75 - 1
                && seconds <= (1 << i) * 1.25 + 2;
    }
    ok (right, "lookups that fail: again after 1, 2, 4, ... s, more or less");
    diag ("%.0f %.0f %.0f %.0f %.0f %.0f s", waits[0], waits[1], waits[2],
          waits[3], waits[4], waits[5]);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    test_flushes (CLOCK_REALTIME, "the time of day", 24 * HOUR);
    test_flushes (CLOCK_REALTIME, "the time of day", -48 * HOUR);
    test_flushes (CLOCK_MONOTONIC, "the monotonic clock", HOUR);
    test_look_ups ();
    test_back_off ();
    return done_testing ();
}
