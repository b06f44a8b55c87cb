/* A thread that sends is cancelled, again and again, in a process that goes
 * on sending. No call is a cancellation point.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define CANCELS 1000

static struct fripp_ctx *ctx;
static int stop;
static int going;

static void *send_forever (void *arg)
{
    (void)arg;
    for (long i = 0; ; i++) {
        if (fripp_format_send (ctx, "cancelled:%ld|c", i) != 0)
            return NULL;
        __atomic_store_n (&going, 1, __ATOMIC_RELEASE);
        pthread_testcancel ();
    }
}

static bool is_going (void *arg)
{
    (void)arg;
    return __atomic_load_n (&going, __ATOMIC_ACQUIRE);
}

/* Typed metrics, with flushes between them: what it has recorded when it is
 * cancelled is counted.
 */
static long recorded;

static void *record_forever (void *arg)
{
    struct fripp_metric *m = fripp_metric_get (arg, FRIPP_COUNTER, "n", NULL);

    for (long i = 0; ; i++) {
        fripp_inc (arg, "n", 1);
        fripp_metric_add (m, 1);
        fripp_timing (arg, "t", 1);
        fripp_unique (arg, "s", "member");
        recorded += 2;
        if (i % 16 == 0)
            (void)fripp_flush (arg);
        __atomic_store_n (&going, 1, __ATOMIC_RELEASE);
        pthread_testcancel ();
    }
    return NULL;
}

static void test_typed (void)
{
    struct reader *r = reader_create (FRIPP_STATSD);
    struct listener *l;
    struct fripp_ctx *typed;
    struct fripp_stats stats;
    int cancelled = 0;

    typed = ctx_open_lossless (&l, "dialect=statsd&period=0.01&refresh=0");
    listener_start (l);
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        void *result;

        __atomic_store_n (&going, 0, __ATOMIC_RELEASE);
        pthread_create (&thread, NULL, record_forever, typed);
        if (i % 2 == 0)
            must (wait_until (is_going, NULL, DEADLINE));
        pthread_cancel (thread);
        pthread_join (thread, &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    flush_all (typed);
    fripp_get_stats (typed, &stats, sizeof (stats));
    listener_need (l, stats.datagrams);
    listener_stop (l);
    reader_read_all (r, l, listener_count (l));
    is_int (cancelled, 200, "a thread that records and flushes is cancelled "
            "200 times");
    ok (reader_get (r, "n", "c")->sum == recorded
        && reader_get (r, "t", "ms")->values == recorded / 2,
        "what it had recorded arrives: %ld", recorded);
    fripp_ctx_destroy (typed);
    listener_destroy (l);
    reader_destroy (r);
}

static void *send_beside (void *arg)
{
    long failed = 0;

    (void)arg;
    while (!__atomic_load_n (&stop, __ATOMIC_ACQUIRE)) {
        failed += fripp_format_send (ctx, "beside:1|c") != 0;
        sched_yield ();
    }
    return (void *)failed;
}

static void cancel_many (int times, const char *what)
{
    pthread_t beside;
    void *failed;
    int cancelled = 0;

    stop = 0;
    pthread_create (&beside, NULL, send_beside, NULL);
    for (int i = 0; i < times; i++) {
        pthread_t thread;
        void *result;

        __atomic_store_n (&going, 0, __ATOMIC_RELEASE);
        pthread_create (&thread, NULL, send_forever, NULL);
        if (i % 2 == 0)
            must (wait_until (is_going, NULL, DEADLINE));
        pthread_cancel (thread);
        pthread_join (thread, &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    __atomic_store_n (&stop, 1, __ATOMIC_RELEASE);
    pthread_join (beside, &failed);
    is_int (cancelled, times, "%s: a thread that sends in a loop is "
            "cancelled %d times", what, times);
    ok (failed == NULL, "%s: another one goes on sending beside it", what);
}

/* Cancellation that is pending at the call stays so until after it.
 */
static void *send_cancelled (void *arg)
{
    int *steps = arg;
    struct fripp_stats stats;
    struct fripp_ctx *own;

    pthread_cancel (pthread_self ());
    *steps = 1;
    own = fripp_ctx_create (NULL, "slow.example", 9);
    *steps = 2;
    fripp_format_send (own, "a:%d|c", 1);
    *steps = 3;
    fripp_format_send (ctx, "a:%d|c", 1);
    *steps = 4;
    fripp_get_stats (own, &stats, sizeof (stats));
    fripp_set_log (own, NULL, NULL);
    fripp_ctx_destroy (own);
    *steps = 5;
    pthread_testcancel ();
    *steps = 6;
    return NULL;
}

static void test_pending (void)
{
    pthread_t thread;
    void *result;
    int steps = 0;

    pthread_create (&thread, NULL, send_cancelled, &steps);
    pthread_join (thread, &result);
    ok (steps == 5 && result == PTHREAD_CANCELED,
        "no call is a cancellation point: create, send, stats, destroy");
}

static void *send_disabled (void *arg)
{
    int old;
    int before;
    bool *kept = arg;

    pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, &before);
    fripp_format_send (ctx, "a:1|c");
    pthread_setcancelstate (before, &old);
    *kept = old == PTHREAD_CANCEL_DISABLE;
    fripp_format_send (ctx, "a:1|c");
    pthread_setcancelstate (PTHREAD_CANCEL_ENABLE, &old);
    *kept = *kept && old == PTHREAD_CANCEL_ENABLE;
    return NULL;
}

static void test_state (void)
{
    pthread_t thread;
    bool kept = false;

    pthread_create (&thread, NULL, send_disabled, &kept);
    pthread_join (thread, NULL);
    ok (kept, "a call leaves the caller's cancellation state as it was");
}

static void works (struct listener *server, const char *what)
{
    struct fripp_ctx *fresh;

    /* all that is under way is there, or never comes */
    listener_quiet (server, 100);
    listener_clear (server);
    ok (fripp_format_send (ctx, "after:1|c") == 0
        && listener_wait (server, 1, DEADLINE) >= 1
        && listener_got (server, 0, "after:1|c", 9),
        "%s: afterwards the context still works", what);
    fresh = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    ok (fripp_format_send (fresh, "fresh:1|c") == 0
        && listener_wait (server, 2, DEADLINE) >= 2
        && listener_got (server, 1, "fresh:1|c", 9),
        "%s: and a new one", what);
    fripp_ctx_destroy (fresh);
}

static bool all_sent (void *arg)
{
    struct fripp_stats stats;

    (void)arg;
    fripp_get_stats (ctx, &stats, sizeof (stats));
    return stats.pending == 0;
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_stats stats;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    test_state ();
    test_pending ();
    test_typed ();
    listener_start (server);
    cancel_many (CANCELS, "a server");
    works (server, "a server");
    listener_stop (server);
    fripp_ctx_destroy (ctx);

    /* lines are kept, and a lookup and the background thread at work */
    resolver_block (true);
    ctx = fripp_ctx_create (NULL, "slow.example", listener_port (server));
    cancel_many (50, "no address yet");
    listener_start (server);
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    ok (wait_until (all_sent, NULL, DEADLINE),
        "no address yet: all that was kept is sent when there is one");
    works (server, "no address yet");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    ok (stats.dropped == stats.dropped_full, "no line is lost otherwise");
    listener_stop (server);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
