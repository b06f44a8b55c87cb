/* soak.c - 16 threads at full speed, for a minute or as long as one likes
 *
 * They record by name, by handle, samples, set members and packets, into
 * contexts whose prefix, period and dialect change all the time, which are
 * flushed by hand and by the background thread, and beside which others are
 * created and destroyed. At the end what was recorded is what the server
 * added up and what was counted as dropped; memory, descriptors and threads
 * are those of the beginning.
 *
 * The server is a UNIX socket, where nothing is lost on the way.
 *
 * Environment: SECONDS (60)
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

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define THREADS 16
#define CONTEXTS 4
#define NAMES 64
#define MEMBERS 500
#define SAMPLES 20

struct worker {
    pthread_t thread;
    int id;
    struct fripp_ctx *ctx;
    struct fripp_metric *handles[NAMES];
    int64_t increments[NAMES];
    int64_t timings;
    int64_t packets;
    int64_t failed;
    uint64_t calls;
    int64_t total;
};

static struct fripp_ctx *contexts[CONTEXTS];
static struct listener *servers[CONTEXTS];
static struct reader *readers[CONTEXTS];
static struct worker workers[THREADS];
static char names[NAMES][32];
static atomic_bool stop;
static atomic_bool stop_reading;
static int64_t churned;
static int64_t churn_recorded;
static int64_t churn_dropped;
static int64_t changes;
static int64_t flushes;

/* One in 4,096 calls of the slower kinds, so that the server keeps up.
 */
static void record_slowly (struct worker *w)
{
    char member[32];
    uint64_t n = w->calls / 4096;

    w->failed += fripp_timing (w->ctx, "timing", 1.5) != 0;
    w->failed += fripp_histogram (w->ctx, "histogram", 2) != 0;
    w->timings++;
    snprintf (member, sizeof (member), "m%d",
              (int)((n + (uint64_t)w->id * 31) % MEMBERS));
    w->failed += fripp_unique (w->ctx, "set", member) != 0;
    if (n % 8 == 0) {
        w->failed += fripp_format_send (w->ctx, "packet:1|c") != 0;
        w->failed += fripp_packet_appendf (w->ctx, "packet:1|c") != 0;
        w->packets += 2;
    }
    if (n % 512 == 0) {
        w->failed += fripp_forget (w->ctx, "job") != 0;
        w->failed += fripp_gauge_real (w->ctx, "job", 0.5) != 0;
    }
}

static void *work (void *arg)
{
    struct worker *w = arg;
    char total[32];
    char gauge[32];
    unsigned int seed = (unsigned int)w->id + 1;

    snprintf (total, sizeof (total), "total.%d", w->id);
    snprintf (gauge, sizeof (gauge), "gauge.%d", w->id);
    while (!atomic_load_explicit (&stop, memory_order_relaxed)) {
        int n;

        seed = seed * 1664525u + 1013904223u;
        n = (int)(seed >> 8) % NAMES;
        switch (seed >> 29) {
        case 0:
            w->failed += fripp_count (w->ctx, total, ++w->total) != 0;
            break;
        case 1:
            w->failed += fripp_gauge (w->ctx, gauge, n, false) != 0;
            break;
        case 2:
        case 3:
        case 4:
            w->failed += fripp_inc (w->ctx, names[n], 3) != 0;
            w->increments[n] += 3;
            break;
        default:
            w->failed += fripp_metric_add (w->handles[n], -1) != 0;
            w->increments[n]--;
        }
        if (++w->calls % 4096 == 0)
            record_slowly (w);
    }
    w->failed += fripp_gauge (w->ctx, gauge, 1000 + w->id, false) != 0;
    return NULL;
}

static void pause_ms (int ms)
{
    struct timespec ts = { .tv_nsec = ms * 1000000L };

    nanosleep (&ts, NULL);
}

/* Both prefixes, two dialects that write the same lines, two periods.
 */
static void *change (void *arg)
{
    for (int i = 0; !atomic_load (&stop); i++, changes++) {
        struct fripp_ctx *ctx = contexts[i % CONTEXTS];

        switch (i / CONTEXTS % 3) {
        case 0:
            fripp_set_prefix (ctx, i % 2 ? "a" : "b");
            break;
        case 1:
            fripp_set_dialect (ctx, i % 2 ? FRIPP_STATSD : FRIPP_GRAPHITE);
            break;
        default:
            fripp_set_agg_period (ctx, i % 2 ? 0.05 : 0.1);
        }
        pause_ms (3);
    }
    return arg;
}

static void *flush (void *arg)
{
    for (int i = 0; !atomic_load (&stop); i++, flushes++) {
        (void)fripp_flush (contexts[i % CONTEXTS]);
        pause_ms (7);
    }
    return arg;
}

/* A context that lives for some calls, to the last server.
 */
static void *churn (void *arg)
{
    for (; !atomic_load (&stop); churned++) {
        struct fripp_stats stats;
        struct fripp_ctx *ctx;

        ctx = fripp_ctx_create_uri (NULL, arg);
        for (int i = 0; i < 50; i++)
            churn_recorded += fripp_inc (ctx, "churn", 1) == 0;
        fripp_timing (ctx, "churned", 1);
        for (int i = 0; i < 100 && fripp_flush (ctx) < 0; i++)
            ;
        /* what it cannot send by then is lost with it */
        fripp_get_stats (ctx, &stats, sizeof (stats));
        if (stats.lines < 2)
            churn_dropped += 50;
        fripp_ctx_destroy (ctx);
        pause_ms (5);
    }
    return NULL;
}

static void *read_all (void *arg)
{
    int id = (int)(intptr_t)arg;

    while (!atomic_load (&stop_reading)) {
        if (listener_wait (servers[id], 64, 10) == 0)
            continue;
        reader_read_all (readers[id], servers[id],
                         listener_count (servers[id]));
        listener_clear (servers[id]);
    }
    return NULL;
}

/* Watches memory while they work. False where it grew. 'others': threads that
 * were there before, of a sanitizer.
 */
static bool watch (int seconds, int others)
{
    double begin = now_ms ();
    double end = begin + seconds * 1e3;
    long warm = 0;
    long most = 0;
    int fds = 0;
    int threads = 0;

    for (int i = 1; i <= SAMPLES; i++) {
        double until = begin + (end - begin) * i / SAMPLES;
        long kib;

        while (now_ms () < until)
            pause_ms (20);
        kib = resident_kib ();
        if (i == SAMPLES / 4)
            warm = kib;
        if (kib > most)
            most = kib;
        if (count_fds () > fds)
            fds = count_fds ();
        if (count_threads () > threads)
            threads = count_threads ();
        diag ("%4.0f s: %ld KiB, %d descriptors, %d threads",
              (now_ms () - begin) / 1e3, kib, count_fds (), count_threads ());
    }
    is_int (threads, others + THREADS + 3 + CONTEXTS + 1, "the threads are "
            "those of this program, and the one in the background");
    ok (fds <= 3 + 2 * CONTEXTS + 1 + 3, "no descriptor but the sockets: %d "
        "at most", fds);
    diag ("%ld KiB after a quarter of the time, %ld at most", warm, most);
    return most < warm + warm / 10 + 2048;
}

static double sum_of (int id, const char *name, const char *type,
                      bool of_values)
{
    static const char *const prefixes[] = { "", "a.", "b." };
    double sum = 0;

    for (int i = 0; i < 3; i++) {
        char whole[64];
        const struct reading *m;

        snprintf (whole, sizeof (whole), "%s%s", prefixes[i], name);
        m = reader_get (readers[id], whole, type);
        sum += of_values ? m->values : (double)m->sum;
    }
    return sum;
}

static void check_context (int id)
{
    struct fripp_stats stats;
    double timings = 0;
    double packets = 0;
    int64_t failed = 0;
    double received;
    int right = 0;
    int totals = 0;
    int gauges = 0;

    fripp_get_stats (contexts[id], &stats, sizeof (stats));
    for (int n = 0; n < NAMES; n++) {
        int64_t want = 0;

        for (int i = id; i < THREADS; i += CONTEXTS)
            want += workers[i].increments[n];
        right += sum_of (id, names[n], "c", false) == (double)want;
    }
    for (int i = id; i < THREADS; i += CONTEXTS) {
        char name[32];

        snprintf (name, sizeof (name), "total.%d", i);
        totals += sum_of (id, name, "c", false) == (double)workers[i].total;
        for (int p = 0; p < 3; p++) {
            static const char *const prefixes[] = { "", "a.", "b." };

            snprintf (name, sizeof (name), "%sgauge.%d", prefixes[p], i);
            if (reader_get (readers[id], name, "g")->gauge == 1000 + i) {
                gauges++;
                break;
            }
        }
        timings += (double)workers[i].timings;
        packets += (double)workers[i].packets;
        failed += workers[i].failed;
    }
    is_int (failed, 0, "context %d: all calls are taken", id);
    is_int (right, NAMES, "context %d: the sum of each counter is right", id);
    is_int (totals, THREADS / CONTEXTS, "context %d: so are totals", id);
    is_int (gauges, THREADS / CONTEXTS, "context %d: gauges are the newest",
            id);
    received = sum_of (id, "timing", "ms", true)
               + sum_of (id, "histogram", "ms", true)
               + (double)reader_get (readers[id], "packet", "c")->sum;
    ok (received + (double)stats.dropped == 2 * timings + packets,
        "context %d: %.0f of %.0f samples and packets arrived, %llu are "
        "counted as dropped", id, received, 2 * timings + packets,
        (unsigned long long)stats.dropped);
    ok (!reader_bad (readers[id]), "context %d: each line reads", id);
}

static void *nothing (void *arg)
{
    return arg;
}

int main (void)
{
    static const char query[] = "dialect=statsd&period=0.05&refresh=0.5";
    const char *env = getenv ("SECONDS");
    int seconds = env && atoi (env) > 0 ? atoi (env) : 60;
    pthread_t beside[3];
    pthread_t reading[CONTEXTS];
    uint64_t calls = 0;
    char path[200];
    char uri[256];
    bool flat;
    int fds = count_fds ();
    int threads;

    /* a sanitizer has a thread of its own, from the first one on */
    pthread_create (&beside[0], NULL, nothing, NULL);
    pthread_join (beside[0], NULL);
    threads = count_threads ();
    for (int n = 0; n < NAMES; n++)
        snprintf (names[n], sizeof (names[n]), "counter.%d", n);
    for (int i = 0; i < CONTEXTS; i++) {
        snprintf (path, sizeof (path), "%s/soak-%d", scratch_dir (), i);
        snprintf (uri, sizeof (uri), "unix:%s?%s", path, query);
        servers[i] = listen_unix (path);
        readers[i] = reader_create (FRIPP_STATSD);
        contexts[i] = fripp_ctx_create_uri (NULL, uri);
        pthread_create (&reading[i], NULL, read_all, (void *)(intptr_t)i);
    }
    for (int i = 0; i < THREADS; i++) {
        struct worker *w = &workers[i];

        w->id = i;
        w->ctx = contexts[i % CONTEXTS];
        for (int n = 0; n < NAMES; n++)
            w->handles[n] = fripp_metric_get (w->ctx, FRIPP_COUNTER, names[n],
                                              NULL);
        pthread_create (&w->thread, NULL, work, w);
    }
    pthread_create (&beside[0], NULL, change, NULL);
    pthread_create (&beside[1], NULL, flush, NULL);
    pthread_create (&beside[2], NULL, churn, uri);
    flat = watch (seconds, threads);
    atomic_store (&stop, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        calls += workers[i].calls;
    }
    for (int i = 0; i < 3; i++)
        pthread_join (beside[i], NULL);
    for (int i = 0; i < CONTEXTS; i++)
        flush_all (contexts[i]);
    /* the server is behind by what its queue holds */
    pause_ms (200);
    atomic_store (&stop_reading, true);
    for (int i = 0; i < CONTEXTS; i++) {
        pthread_join (reading[i], NULL);
        listener_quiet (servers[i], 0);
        reader_read_all (readers[i], servers[i], listener_count (servers[i]));
        check_context (i);
        if (i == CONTEXTS - 1) {
            double got = (double)reader_get (readers[i], "churn", "c")->sum;

            ok (got + (double)churn_dropped == (double)churn_recorded,
                "%lld contexts created and destroyed: %.0f of %lld increments "
                "arrived", (long long)churned, got,
                (long long)churn_recorded);
        }
        fripp_ctx_destroy (contexts[i]);
        listener_destroy (servers[i]);
        reader_destroy (readers[i]);
    }
    ok (flat, "memory does not grow");
    is_int (count_fds (), fds, "all descriptors are given back");
    ok (wait_threads (threads, DEADLINE), "and all threads");
    diag ("%d s: %.0f million calls, %lld changes of settings, %lld flushes, "
          "%lld contexts", seconds, (double)calls / 1e6, (long long)changes,
          (long long)flushes, (long long)churned);
    return done_testing ();
}
