/* restarts.c - a server that drains, closes and opens again, 100 times, while
 * 10,000 increments a second are recorded
 *
 * Totals, gauges, timings and packets are recorded beside them. What the
 * server adds up in all its lives is what was recorded; what is lost of the
 * packets, which are sent without a look, is counted to the last one. On UDP
 * and on a UNIX socket, at the same time.
 *
 * Environment: RESTARTS (100)
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define NAMES 20
#define PER_MS 10             /* increments */

struct run {
    const char *what;
    struct fripp_ctx *ctx;
    struct listener *server;
    struct reader *reader;
    int restarts;
    atomic_bool stop;
    pthread_t recorder;
    pthread_t waiter;
    /* what was recorded */
    int64_t increments[NAMES];
    int64_t total;
    int64_t gauge;
    int64_t timings;
    int64_t packets;
    int failed;
};

static void record_ms (struct run *run, int64_t ms)
{
    char name[32];

    for (int i = 0; i < PER_MS; i++) {
        int n = (int)((ms * PER_MS + i) % NAMES);

        snprintf (name, sizeof (name), "counter.%d", n);
        run->failed += fripp_inc (run->ctx, name, 1 + i) != 0;
        run->increments[n] += 1 + i;
    }
    run->total += ms % 7;
    run->gauge = ms - 1000;
    run->failed += fripp_count (run->ctx, "total", run->total) != 0;
    run->failed += fripp_gauge (run->ctx, "gauge", run->gauge, false) != 0;
    run->failed += fripp_timing (run->ctx, "timing", run->timings++) != 0;
    if (ms % 2 == 0) {
        run->failed += fripp_format_send (run->ctx, "packet:1|c") != 0;
        run->packets++;
    }
}

static void *record (void *arg)
{
    struct run *run = arg;
    double start = now_ms ();
    int64_t ms = 0;

    while (!atomic_load (&run->stop)) {
        struct timespec pause = { .tv_nsec = 500000 };

        /* what was slept too long is made up for */
        while ((double)ms < now_ms () - start)
            record_ms (run, ms++);
        nanosleep (&pause, NULL);
    }
    return NULL;
}

static void read_some (struct run *run)
{
    reader_read_all (run->reader, run->server, listener_count (run->server));
    listener_clear (run->server);
}

static void *restart (void *arg)
{
    struct run *run = arg;

    for (int i = 0; i < run->restarts; i++) {
        struct timespec pause = { .tv_nsec = i * 7919 % 80 * 1000000 };
        double end = now_ms () + 60 + i * 31 % 60;

        while (now_ms () < end)
            listener_idle (run->server, 10);
        listener_drain (run->server);
        read_some (run);
        listener_drop (run->server);
        nanosleep (&pause, NULL);
        listener_reopen (run->server);
    }
    atomic_store (&run->stop, true);
    return NULL;
}

static void start (struct run *run)
{
    run->reader = reader_create (FRIPP_STATSD);
    pthread_create (&run->recorder, NULL, record, run);
    pthread_create (&run->waiter, NULL, restart, run);
}

/* All that was recorded goes, and is read.
 */
static struct fripp_stats finish (struct run *run)
{
    struct fripp_stats stats;

    pthread_join (run->waiter, NULL);
    pthread_join (run->recorder, NULL);
    listener_start (run->server);
    flush_all (run->ctx);
    fripp_get_stats (run->ctx, &stats, sizeof (stats));
    listener_stop (run->server);
    listener_quiet (run->server, 100);
    read_some (run);
    return stats;
}

static void check (struct run *run)
{
    struct fripp_stats s = finish (run);
    const struct reading *timings = reader_get (run->reader, "timing", "ms");
    const struct reading *gauge = reader_get (run->reader, "gauge", "g");
    int64_t packets = reader_get (run->reader, "packet", "c")->sum;
    int64_t recorded = 0;
    int64_t received = 0;
    int right = 0;

    for (int i = 0; i < NAMES; i++) {
        char name[32];
        int64_t sum;

        snprintf (name, sizeof (name), "counter.%d", i);
        sum = reader_get (run->reader, name, "c")->sum;
        right += sum == run->increments[i];
        recorded += run->increments[i];
        received += sum;
    }
    diag ("%s, %d restarts: counters add up to %lld of %lld, totals to %lld "
          "of %lld, %.0f of %lld timings, %lld of %lld packets, %llu lines "
          "counted as dropped", run->what, run->restarts, (long long)received,
          (long long)recorded,
          (long long)reader_get (run->reader, "total", "c")->sum,
          (long long)run->total, timings->values, (long long)run->timings,
          (long long)packets, (long long)run->packets,
          (unsigned long long)s.dropped);
    is_int (run->failed, 0, "%s: all calls are taken", run->what);
    is_int (right, NAMES, "%s: the sum of each counter is right", run->what);
    is_int (reader_get (run->reader, "total", "c")->sum, run->total,
            "%s: so is the total", run->what);
    ok (gauge->gauge == (double)run->gauge, "%s: the gauge is the newest",
        run->what);
    is_int (timings->values, run->timings, "%s: each timing is there",
            run->what);
    ok (timings->real_sum
        == (double)run->timings * (double)(run->timings - 1) / 2,
        "%s: once", run->what);
    is_int (packets + (int64_t)s.dropped_send, run->packets,
            "%s: each packet arrived, or is counted", run->what);
    ok (s.dropped == s.dropped_send
        && s.dropped <= (uint64_t)run->restarts,
        "%s: at most one for each time that the server went", run->what);
    is_int ((int64_t)reader_lines (run->reader) + (int64_t)s.dropped_send,
            (int64_t)s.lines, "%s: the lines that were sent are those that "
            "arrived, and those", run->what);
    ok (!reader_bad (run->reader), "%s: all of them read", run->what);
    fripp_ctx_destroy (run->ctx);
    listener_destroy (run->server);
    reader_destroy (run->reader);
}

int main (void)
{
    static const char query[] = "dialect=statsd&period=0.02&refresh=0";
    const char *env = getenv ("RESTARTS");
    int restarts = env ? atoi (env) : 100;
    struct run udp = { .what = "UDP", .restarts = restarts };
    struct run un = { .what = "UNIX", .restarts = restarts };
    char path[200];
    char uri[256];

    udp.server = listen_udp ("127.0.0.1");
    udp.ctx = ctx_open (udp.server, "%s", query);
    snprintf (path, sizeof (path), "%s/restarts", scratch_dir ());
    snprintf (uri, sizeof (uri), "unix:%s?%s", path, query);
    un.server = listen_unix (path);
    un.ctx = fripp_ctx_create_uri (NULL, uri);
    start (&udp);
    start (&un);
    check (&udp);
    check (&un);
    return done_testing ();
}
