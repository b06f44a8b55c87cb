/* brokers.c - many processes that record as brokers do
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: brokers PROCESSES CONTEXTS SECONDS URI
 *
 * Starts so many processes at one moment. Each has so many contexts, and each
 * of these records, once a second, what a broker does by the guide: eight
 * counters, five gauges that change and five timings. In the end it prints
 * one line: the sum of the counters' steps, the number of timings, the lines,
 * datagrams and bytes that were sent, what was dropped, and the processor time
 * of all processes in seconds.
 */
#include <fripp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNTERS = 8, GAUGES = 5, TIMINGS = 5 };

static const char *const counters[COUNTERS] = {
    "request_tx", "request_rx", "response_tx", "response_rx", "event_tx",
    "event_rx", "keepalive_tx", "keepalive_rx"
};

static const char *const gauges[GAUGES] = {
    "content-cache.size", "content-cache.count", "content-cache.valid",
    "content-cache.dirty", "kvs.namespaces"
};

/* What a process says to its parent. */
struct told {
    uint64_t steps;
    uint64_t timings;
    struct fripp_stats stats;
};

struct broker {
    struct fripp_ctx *ctx;
    struct fripp_metric *counters[COUNTERS];
    struct fripp_metric *gauges[GAUGES];
    struct fripp_metric *load;
};

static void fail (const char *what)
{
    fprintf (stderr, "brokers: %s: %s\n", what, fripp_error ());
    exit (1);
}

static void start (struct broker *b, const char *base, int rank)
{
    char uri[256];

    snprintf (uri, sizeof (uri), "%s&prefix=flux.%d", base, rank);
    if (!(b->ctx = fripp_ctx_create_uri (NULL, uri)))
        fail (uri);
    for (int i = 0; i < COUNTERS; i++) {
        if (!(b->counters[i] = fripp_metric_get (b->ctx, FRIPP_COUNTER,
                                                 counters[i], NULL)))
            fail (counters[i]);
    }
    for (int i = 0; i < GAUGES; i++) {
        if (!(b->gauges[i] = fripp_metric_get (b->ctx, FRIPP_GAUGE, gauges[i],
                                               NULL)))
            fail (gauges[i]);
    }
    if (!(b->load = fripp_metric_get (b->ctx, FRIPP_TIMER, "load", NULL)))
        fail ("load");
}

static void record (struct broker *b, struct told *told, int second)
{
    for (int i = 0; i < COUNTERS; i++) {
        if (fripp_metric_add (b->counters[i], i + 1) < 0)
            fail ("fripp_metric_add");
        told->steps += i + 1;
    }
    for (int i = 0; i < GAUGES; i++) {
        if (fripp_metric_set (b->gauges[i], 1000 * i + second) < 0)
            fail ("fripp_metric_set");
    }
    for (int i = 0; i < TIMINGS; i++) {
        if (fripp_metric_record (b->load, 0.25 * (i + 1)) < 0)
            fail ("fripp_metric_record");
        told->timings++;
    }
}

static void add_stats (struct told *told, struct fripp_ctx *ctx)
{
    struct fripp_stats stats;

    if (fripp_get_stats (ctx, &stats, sizeof (stats)) < 0)
        fail ("fripp_get_stats");
    told->stats.lines += stats.lines;
    told->stats.datagrams += stats.datagrams;
    told->stats.bytes += stats.bytes;
    told->stats.dropped += stats.dropped;
    told->stats.pending += stats.pending;
}

/* One process: its brokers record at the same moment of each second.
 */
static void run (const char *uri, int first, int contexts, int seconds, int fd)
{
    struct broker *brokers = calloc (contexts, sizeof (*brokers));
    struct told told = { 0 };
    struct timespec at;

    if (!brokers)
        fail ("calloc");
    for (int i = 0; i < contexts; i++)
        start (&brokers[i], uri, first + i);
    clock_gettime (CLOCK_MONOTONIC, &at);
    for (int second = 0; second < seconds; second++) {
        for (int i = 0; i < contexts; i++)
            record (&brokers[i], &told, second);
        at.tv_sec++;
        clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    }
    /* the last flush is within a second */
    at.tv_sec += 2;
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    for (int i = 0; i < contexts; i++) {
        add_stats (&told, brokers[i].ctx);
        fripp_ctx_destroy (brokers[i].ctx);
    }
    if (write (fd, &told, sizeof (told)) != sizeof (told))
        fail ("write");
    free (brokers);
}

int main (int argc, char **argv)
{
    int processes, contexts, seconds;
    struct told sum = { 0 };
    struct rusage usage;
    int ends[2];

    if (argc != 5 || (processes = atoi (argv[1])) < 1
        || (contexts = atoi (argv[2])) < 1 || (seconds = atoi (argv[3])) < 1) {
        fprintf (stderr, "usage: brokers PROCESSES CONTEXTS SECONDS URI\n");
        return 2;
    }
    if (pipe (ends) < 0)
        fail ("pipe");
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork ();

        if (pid < 0)
            fail ("fork");
        if (pid == 0) {
            run (argv[4], i * contexts, contexts, seconds, ends[1]);
            return 0;
        }
    }
    close (ends[1]);
    for (int i = 0; i < processes; i++) {
        struct told told;
        int status;

        if (wait (&status) < 0 || status != 0)
            fail ("a process failed");
        if (read (ends[0], &told, sizeof (told)) != sizeof (told))
            fail ("read");
        sum.steps += told.steps;
        sum.timings += told.timings;
        sum.stats.lines += told.stats.lines;
        sum.stats.datagrams += told.stats.datagrams;
        sum.stats.bytes += told.stats.bytes;
        sum.stats.dropped += told.stats.dropped + told.stats.pending;
    }
    getrusage (RUSAGE_CHILDREN, &usage);
    printf ("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
            " %" PRIu64 " %.2f\n",
            sum.steps, sum.timings, sum.stats.lines, sum.stats.datagrams,
            sum.stats.bytes, sum.stats.dropped,
            usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
            + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
