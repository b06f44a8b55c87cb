/* flush.c - what a flush costs, per metric
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Each round records one event of each of N counters (not measured), in the
 * order in which they were made or in a random one, flushes them, and then sends as many datagrams of the same size by nothing but
 * send (): in bursts of 32 that are 1 ms apart, as the flush does, and at one
 * go. Measured is the processor time of the whole process, so that of the
 * background thread too; who reads is another process. It looks each 100 us,
 * so that no send () has to wake it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "bench.h"

/* Names as long as those of Flux: 41 bytes a line, with its newline. */
#define NAME "flux.job-manager.metric.%06ld.events"

struct cost {
    double flush;               /* of a metric, ns */
    double bursts;
    double at_once;
};

int reader_start (void)
{
    static char bufs[64][2048];
    struct mmsghdr msgs[64];
    struct iovec iov[64];
    int fd;
    int port = receiver_open (&fd);
    pid_t parent = getpid ();

    switch (fork ()) {
        case -1:
            die ("fork");
            break;
        case 0:
            break;
        default:
            close (fd);
            return port;
    }
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () != parent)
        _exit (0);
    memset (msgs, 0, sizeof (msgs));
    for (int i = 0; i < 64; i++) {
        iov[i] = (struct iovec){ bufs[i], sizeof (bufs[i]) };
        msgs[i].msg_hdr.msg_iov = &iov[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    for (;;) {
        struct timespec pause = { 0, 100 * 1000 };

        while (recvmmsg (fd, msgs, 64, MSG_DONTWAIT, NULL) > 0)
            ;
        nanosleep (&pause, NULL);
    }
}

static struct fripp_stats stats_of (struct fripp_ctx *ctx)
{
    struct fripp_stats stats;

    if (fripp_get_stats (ctx, &stats, sizeof (stats)) < 0)
        die ("fripp_get_stats");
    return stats;
}

static double floor_of (int fd, long datagrams, size_t size, bool bursts)
{
    static char buf[2048];
    struct timespec gap = { 0, 1000 * 1000 };
    uint64_t start = cpu_ns ();

    for (long i = 0; i < datagrams; i++) {
        if (bursts && i && i % 32 == 0)
            nanosleep (&gap, NULL);
        if (send (fd, buf, size, 0) < 0)
            die ("send");
    }
    return (double)(cpu_ns () - start);
}

static struct cost round_of (struct fripp_ctx *ctx, int fd,
                             struct fripp_metric **metrics, long n)
{
    struct fripp_stats before, after;
    struct cost cost;
    uint64_t start;
    long lines, datagrams;
    size_t size;

    for (long i = 0; i < n; i++)
        fripp_metric_add (metrics[i], 1 + i % 7);
    before = stats_of (ctx);
    start = cpu_ns ();
    while (fripp_flush (ctx) < 0) {
        if (errno != EAGAIN)
            die ("fripp_flush");
    }
    cost.flush = (double)(cpu_ns () - start);
    after = stats_of (ctx);
    lines = after.lines - before.lines;
    datagrams = after.datagrams - before.datagrams;
    if (lines == 0 || datagrams == 0)
        return (struct cost){ 0 };
    size = (after.bytes - before.bytes) / datagrams;
    cost.flush /= lines;
    cost.bursts = floor_of (fd, datagrams, size, true) / lines;
    cost.at_once = floor_of (fd, datagrams, size, false) / lines;
    return cost;
}

/* The same order in each run.
 */
static void shuffle (struct fripp_metric **metrics, long n)
{
    uint64_t random = 1;

    for (long i = n - 1; i > 0; i--) {
        struct fripp_metric *m = metrics[i];
        long other;

        random = random * 6364136223846793005 + 1442695040888963407;
        other = (random >> 33) % (i + 1);
        metrics[i] = metrics[other];
        metrics[other] = m;
    }
}

static struct spread flush_rows_of (int port, long n, int rounds,
                                    bool shuffled, const char *key,
                                    const char *what)
{
    struct fripp_ctx *ctx = fripp_ctx_create (NULL, "127.0.0.1", port);
    struct fripp_metric **metrics = calloc (n, sizeof (*metrics));
    double *values = calloc (5 * rounds, sizeof (double));
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons (port) };
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    static char texts[6][3][64];
    static int group;
    struct spread per_metric;

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if (!ctx || !metrics || !values || fd < 0
        || connect (fd, (struct sockaddr *)&sin, sizeof (sin)) < 0)
        die ("flush");
    for (long i = 0; i < n; i++) {
        char name[64];

        snprintf (name, sizeof (name), NAME, i);
        metrics[i] = fripp_metric_get (ctx, FRIPP_COUNTER, name, NULL);
        if (!metrics[i])
            die ("fripp_metric_get");
    }
    if (shuffled)
        shuffle (metrics, n);
    round_of (ctx, fd, metrics, n);
    for (int round = 0; round < rounds; round++) {
        struct cost cost = round_of (ctx, fd, metrics, n);

        if (cost.flush == 0) {
            round--;
            continue;
        }
        values[round] = cost.flush / cost.bursts;
        values[rounds + round] = cost.flush / cost.at_once;
        values[2 * rounds + round] = cost.flush;
        values[3 * rounds + round] = cost.bursts;
        values[4 * rounds + round] = cost.at_once;
    }
    snprintf (texts[group][0], 64, "flush_%s.bursts", key);
    snprintf (texts[group][1], 64, "flush_%s.at_once", key);
    snprintf (texts[group][2], 64, "flush_%s", key);
    add_row ((struct row) { texts[group][0], what,
                            "its datagrams alone, in the same bursts", "x",
                            spread_of (values, rounds), AT_MOST, 1.4 });
    add_row ((struct row) { texts[group][1], what,
                            "its datagrams alone, at one go", "x",
                            spread_of (values + rounds, rounds), INFO, 0 });
    per_metric = spread_of (values + 2 * rounds, rounds);
    add_row ((struct row) { texts[group][2], what, "", "ns a metric",
                            per_metric, INFO, 0 });
    group++;
    fripp_ctx_destroy (ctx);
    close (fd);
    free (metrics);
    free (values);
    return per_metric;
}

void flush_rows (void)
{
    int port = reader_start ();
    struct spread small, hundred, shuffled, large;

    small = flush_rows_of (port, 1000, rounds_of (50), false, "1k",
                           "flush of 1,000 names");
    flush_rows_of (port, 10000, rounds_of (20), false, "10k",
                   "flush of 10,000 names");
    hundred = flush_rows_of (port, 100000, rounds_of (6), false, "100k",
                             "flush of 100,000 names");
    shuffled = flush_rows_of (port, 100000, rounds_of (6), true, "100k_random",
                              "100,000 names in random order");
    large = flush_rows_of (port, 1000000, rounds_of (3), false, "1m",
                           "flush of 1,000,000 names");
    flush_rows_of (port, 1000000, rounds_of (3), true, "1m_random",
                   "1,000,000 names in random order");
    add_row ((struct row) { "flush_random", "flush of 100,000 names recorded "
                            "in random order", "in the order made", "x",
                            one_value (shuffled.median / hundred.median),
                            AT_MOST, 1.2 });
    add_row ((struct row) { "flush_linear", "flush of 1,000,000 names, per "
                            "metric", "of 1,000 names", "x",
                            one_value (large.median / small.median), AT_MOST,
                            1.5 });
}
