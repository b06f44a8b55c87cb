/* typed.c - record metrics by the typed calls from two threads, and show what
 * a StatsD server adds up of it beside what was recorded
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: typed [URI]
 *
 * Without a URI it listens itself, on a port that the system chose, and exits
 * with 1 where anything differs. With one it sends to that server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "tally.h"

#define PREFIX "demo."
#define ROUNDS 2000             /* of a millisecond each */
#define THREADS 2

enum metric { REQUESTS, BYTES, TX, IN_FLIGHT, QUEUE, LOAD, STORE, LOOKUP };

/* What a metric is, and what of it a server is to have in the end: the sum of
 * counters and timings, the last value of gauges.
 */
static const struct {
    const char *name;
    const char *call;
    const char *type;           /* on the wire */
} metrics[] = {
    [REQUESTS] = { "requests", "fripp_inc", "c" },
    [BYTES] = { "bytes", "fripp_metric_add", "c" },
    [TX] = { "messages.tx", "fripp_count", "c" },
    [IN_FLIGHT] = { "in-flight", "fripp_gauge, inc", "g" },
    [QUEUE] = { "queue", "fripp_gauge", "g" },
    [LOAD] = { "load", "fripp_gauge_real", "g" },
    [STORE] = { "store", "fripp_timing", "ms" },
    [LOOKUP] = { "lookup", "fripp_metric_record", "ms" },
};
#define METRICS (sizeof (metrics) / sizeof (metrics[0]))

struct record {
    unsigned long calls;
    double value;
};

struct worker {
    pthread_t thread;
    struct fripp_ctx *ctx;
    unsigned int seed;
    bool first;                 /* of the two: keeps the total and gauges */
    unsigned long errors;
    struct record records[METRICS];
};

struct server {
    pthread_t thread;
    int fd;
    struct tally got;
};

static void die (const char *what)
{
    perror (what);
    exit (2);
}

static void check (struct worker *w, enum metric m, int result)
{
    w->records[m].calls++;
    if (result < 0) {
        if (w->errors++ == 0)
            fprintf (stderr, "%s: %s\n", metrics[m].call, strerror (errno));
    }
}

static void *work (void *arg)
{
    struct worker *w = arg;
    struct record *r = w->records;
    struct fripp_metric *bytes = fripp_metric_get (w->ctx, FRIPP_COUNTER,
                                                   "bytes", NULL);
    struct fripp_metric *lookup = fripp_metric_get (w->ctx, FRIPP_TIMER,
                                                    "lookup", NULL);
    const struct timespec ms = { .tv_nsec = 1000000 };
    ssize_t total = 0;

    for (int round = 0; round < ROUNDS; round++) {
        int n = rand_r (&w->seed) % 4096;

        for (int i = 0; i < 10; i++) {
            r[REQUESTS].value++;
            check (w, REQUESTS, fripp_inc (w->ctx, "requests", 1));
            r[BYTES].value += n;
            check (w, BYTES, fripp_metric_add (bytes, n));
        }
        /* quarters add up without a rest in any order */
        r[STORE].value += n / 4.0;
        check (w, STORE, fripp_timing (w->ctx, "store", n / 4.0));
        r[LOOKUP].value += n / 4.0;
        check (w, LOOKUP, fripp_metric_record (lookup, n / 4.0));
        r[IN_FLIGHT].value += n % 3 - 1;
        check (w, IN_FLIGHT, fripp_gauge (w->ctx, "in-flight", n % 3 - 1,
                                          true));
        if (w->first) {
            /* the module is reloaded half-way: its total starts anew */
            if (round == ROUNDS / 2)
                total = 0;
            total += n;
            r[TX].value += n;
            check (w, TX, fripp_count (w->ctx, "messages.tx", total));
            /* below zero at last, where a StatsD line would subtract */
            r[QUEUE].value = round + 1 < ROUNDS ? n : -3;
            check (w, QUEUE, fripp_gauge (w->ctx, "queue", r[QUEUE].value,
                                          false));
            r[LOAD].value = n / 1000.0;
            check (w, LOAD, fripp_gauge_real (w->ctx, "load", n / 1000.0));
        }
        nanosleep (&ms, NULL);
    }
    return NULL;
}

/* Read until the end is told, or nothing came for long.
 */
static void *serve (void *arg)
{
    struct server *s = arg;
    struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
    char buf[65536];

    while (poll (&pfd, 1, 5000) > 0) {
        ssize_t n = recv (s->fd, buf, sizeof (buf), 0);
        if (n < 0)
            die ("recv");
        if (n == 0)             /* the end, see server_stop () */
            break;
        tally_add (&s->got, buf, n);
    }
    return NULL;
}

static void server_start (struct server *s, char *uri, size_t size)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof (sin);

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if ((s->fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0
        || bind (s->fd, (struct sockaddr *)&sin, sizeof (sin)) < 0
        || getsockname (s->fd, (struct sockaddr *)&sin, &len) < 0)
        die ("listener");
    snprintf (uri, size, "127.0.0.1:%d", ntohs (sin.sin_port));
    if ((errno = pthread_create (&s->thread, NULL, serve, s)))
        die ("pthread_create");
}

/* Tell the server that nothing more comes: an empty datagram, behind all
 * others in its buffer.
 */
static void server_stop (struct server *s)
{
    struct sockaddr_in sin;
    socklen_t len = sizeof (sin);

    if (getsockname (s->fd, (struct sockaddr *)&sin, &len) < 0
        || sendto (s->fd, "", 0, 0, (struct sockaddr *)&sin, len) < 0)
        die ("sendto");
    pthread_join (s->thread, NULL);
    close (s->fd);
}

/* Print a row for each metric; the number of those that differ.
 */
static unsigned int compare (const struct record *recorded, struct tally *got)
{
    unsigned int wrong = 0;

    printf ("  %-12s  %-20s  %6s  %11s", "metric", "call", "calls",
            "recorded");
    printf (got ? "  %11s  %6s\n" : "\n", "received", "lines");
    for (size_t i = 0; i < METRICS; i++) {
        const struct record *r = &recorded[i];
        struct row *row;
        double value;

        printf ("  %-12s  %-20s  %6lu  %11.10g", metrics[i].name,
                metrics[i].call, r->calls, r->value);
        if (got) {
            char name[64];

            snprintf (name, sizeof (name), PREFIX "%s", metrics[i].name);
            row = tally_row (got, name, metrics[i].type);
            value = strcmp (metrics[i].type, "g") ? row->sum : row->last;
            printf ("  %11.10g  %6lu", value, row->lines);
            if (value != r->value
                || (!strcmp (metrics[i].type, "ms") && row->lines != r->calls)) {
                printf ("  differs");
                wrong++;
            }
        }
        putchar ('\n');
    }
    if (got && (got->count != METRICS || got->invalid)) {
        printf ("  %zu metrics and %lu lines that are none\n", got->count,
                got->invalid);
        wrong++;
    }
    return wrong;
}

int main (int argc, char **argv)
{
    struct worker workers[THREADS] = { 0 };
    struct record recorded[METRICS] = { 0 };
    struct server server = { 0 };
    struct fripp_stats stats = { 0 };
    struct fripp_ctx *ctx;
    unsigned long errors = 0, calls = 0;
    unsigned int wrong;
    bool own = argc < 2;
    char address[32];
    char uri[512];

    if (own)
        server_start (&server, address, sizeof (address));
    snprintf (uri, sizeof (uri), "%s%sprefix=demo%s", own ? address : argv[1],
              own || !strchr (argv[1], '?') ? "?" : "&",
              own ? "&dialect=statsd&period=0.5" : "");
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        die (uri);
    printf ("\nTwo threads record by the typed calls for two seconds, to %s "
            "...\n\n", uri);
    fflush (stdout);

    for (int i = 0; i < THREADS; i++) {
        workers[i].ctx = ctx;
        workers[i].seed = i + 1;
        workers[i].first = i == 0;
        if ((errno = pthread_create (&workers[i].thread, NULL, work,
                                     &workers[i])))
            die ("pthread_create");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        errors += workers[i].errors;
        for (size_t m = 0; m < METRICS; m++) {
            recorded[m].calls += workers[i].records[m].calls;
            recorded[m].value += workers[i].records[m].value;
            calls += workers[i].records[m].calls;
        }
    }
    if (fripp_flush (ctx) < 0
        || fripp_get_stats (ctx, &stats, sizeof (stats)) < 0) {
        perror ("fripp_flush");
        errors++;
    }
    fripp_ctx_destroy (ctx);
    if (own)
        server_stop (&server);

    wrong = compare (recorded, own ? &server.got : NULL);
    printf ("\n%lu calls, %llu lines in %llu datagrams", calls,
            (unsigned long long)stats.lines,
            (unsigned long long)stats.datagrams);
    if (own) {
        if (wrong)
            printf (": %u metrics differ", wrong);
        else
            printf (": received as recorded");
        tally_free (&server.got);
    }
    printf ("\n");
    return wrong || errors || stats.dropped ? 1 : 0;
}

/* vi: ts=4 sw=4 expandtab
 */
