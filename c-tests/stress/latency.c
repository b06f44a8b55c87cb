/* latency.c - how long calls take, whatever the server does
 *
 * 10 million calls of each kind in each case, each timed by CLOCK_MONOTONIC
 * from without, and beside them as many turns of a loop that reads the clock
 * and does nothing: both in stretches of a few ms, one after the other, so
 * that the scheduler treats them alike. The longest of a loop that does
 * nothing is what the machine does to anybody.
 *
 * A call that was preempted took long, but did not work long: "worked" is the
 * longest by the thread's own processor time, which is asked for each 64
 * calls and after each call of more than 0.1 ms. (On a virtual machine it
 * still counts what the host took away, and interrupts.)
 *
 * Environment: CALLS (10000000)
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"
#include "context.h"

#define STRETCH 20000
#define MARK 64
#define LONG 100000           /* ns */

/* Durations: 32 steps for each power of two.
 */
#define STEPS 32
#define BUCKETS (64 * STEPS)

struct series {
    uint64_t buckets[BUCKETS];
    uint64_t count;
    uint64_t longest;
    uint64_t worked;
    long over;                /* calls that worked for more than 1 ms */
    long preempted;           /* involuntary context switches */
};

static uint64_t clock_ns (clockid_t clock)
{
    struct timespec ts;

    clock_gettime (clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static size_t bucket_of (uint64_t ns)
{
    int top;

    if (ns < STEPS)
        return ns;
    top = 63 - __builtin_clzll (ns);
    return (size_t)(top - 4) * STEPS + ((ns >> (top - 5)) & (STEPS - 1));
}

/* The upper end of a bucket.
 */
static double end_of (size_t bucket)
{
    size_t top = bucket / STEPS + 4;

    if (bucket < STEPS)
        return (double)bucket;
    return (double)((STEPS + bucket % STEPS + 1) * (1ULL << (top - 5)));
}

static double quantile (const struct series *s, double q)
{
    uint64_t want = (uint64_t)((double)s->count * q);
    uint64_t seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        if ((seen += s->buckets[i]) > want)
            return end_of (i);
    }
    return (double)s->longest;
}

/* FORGET and PREFIX alternate with a record, so that something is pending.
 */
enum kind {
    NOTHING, INC, ADD, TIMING, GAUGE, GAUGE_ADD, UNIQUE, PACKET, EVENT, FORGET,
    PREFIX, SEND, KINDS
};

static const char *const kind_names[KINDS] = {
    "(nothing)", "fripp_inc", "fripp_metric_add", "fripp_timing",
    "fripp_gauge", "fripp_gauge_add", "fripp_unique", "fripp_format_send",
    "fripp_event", "fripp_forget", "fripp_set_prefix", "only send ()",
};

struct target {
    struct fripp_ctx *ctx;
    struct fripp_metric *metric;
    int fd;                   /* of the floor: a socket of its own, or -1 */
    int failed;
};

static void call (struct target *t, enum kind kind, long i)
{
    switch (kind) {
    case INC:
        t->failed += fripp_inc (t->ctx, "counter", 1) != 0;
        break;
    case ADD:
        t->failed += fripp_metric_add (t->metric, 1) != 0;
        break;
    case TIMING:
        t->failed += fripp_timing (t->ctx, "timing", 1.5) != 0;
        break;
    case GAUGE:
        t->failed += fripp_gauge (t->ctx, "gauge", i, false) != 0;
        break;
    case GAUGE_ADD:
        t->failed += fripp_gauge_add (t->ctx, "gauge", 1) != 0;
        break;
    case UNIQUE:
        t->failed += fripp_unique (t->ctx, "set", i % 2 ? "a" : "b") != 0;
        break;
    case EVENT:
        t->failed += fripp_event (t->ctx, "title", "text", FRIPP_ALERT_INFO,
                                  NULL) != 0;
        break;
    case FORGET:
        t->failed += (i % 2 ? fripp_forget (t->ctx, "job")
                      : fripp_inc (t->ctx, "job", 1)) != 0;
        break;
    case PREFIX:
        t->failed += (i % 2 ? fripp_set_prefix (t->ctx, i % 4 == 1 ? "a" : "b")
                      : fripp_inc (t->ctx, "counter", 1)) != 0;
        break;
    case PACKET:
        t->failed += fripp_format_send (t->ctx, "packet:%ld|c", i) != 0;
        break;
    case SEND:
        (void)send (t->fd, "packet:1234567|c", 16, MSG_DONTWAIT);
        break;
    default:
        break;
    }
}

static void stretch (struct series *s, struct target *t, enum kind kind,
                     long n)
{
    uint64_t cpu = clock_ns (CLOCK_THREAD_CPUTIME_ID);
    uint64_t others = 0;
    struct rusage before;
    struct rusage after;

    getrusage (RUSAGE_THREAD, &before);
    for (long i = 0; i < n; i++) {
        uint64_t start = clock_ns (CLOCK_MONOTONIC);
        uint64_t took;

        call (t, kind, i);
        took = clock_ns (CLOCK_MONOTONIC) - start;
        s->buckets[bucket_of (took)]++;
        s->count++;
        if (took > s->longest)
            s->longest = took;
        if (took > LONG || i % MARK == 0) {
            uint64_t now = clock_ns (CLOCK_THREAD_CPUTIME_ID);
            uint64_t worked = now - cpu;

            /* the calls before it since the last look were not preempted */
            worked -= others < worked ? others : worked;
            if (worked > took)
                worked = took;
            s->over += worked > 1000000;
            if (worked > s->worked)
                s->worked = worked;
            cpu = now;
            others = 0;
        }
        else
            others += took;
    }
    getrusage (RUSAGE_THREAD, &after);
    s->preempted += after.ru_nivcsw - before.ru_nivcsw;
}

static long failed;
static long over;
static long over_nothing;

static void run (struct target *t, const char *what, enum kind kind,
                 long calls)
{
    struct series *s = calloc (2, sizeof (*s));

    if (!s)
        bail_out ("out of memory");
    for (long i = 0; i < calls; i += STRETCH) {
        stretch (&s[0], t, NOTHING, STRETCH);
        stretch (&s[1], t, kind, STRETCH);
    }
    printf ("%-14s %-18s %7.0f %7.0f %8.0f %9.3f %8.3f %7ld | %7.0f %9.3f "
            "%8.3f %7ld\n", what, kind_names[kind], quantile (&s[1], 0.5),
            quantile (&s[1], 0.99), quantile (&s[1], 0.9999),
            (double)s[1].longest / 1e6, (double)s[1].worked / 1e6,
            s[1].preempted, quantile (&s[0], 0.9999),
            (double)s[0].longest / 1e6, (double)s[0].worked / 1e6,
            s[0].preempted);
    fflush (stdout);
    if (kind != SEND)
        over += s[1].over;
    over_nothing += s[0].over;
    free (s);
}

/* A socket connected to a server, or -1 where there is none to compare with.
 */
static int connect_to (struct listener *l)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof (address);
    int fd;

    if (!l)
        return -1;
    if ((fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0
        || getsockname (listener_fd (l), (struct sockaddr *)&address, &len) < 0
        || connect (fd, (struct sockaddr *)&address, len) < 0)
        bail_out ("no socket to compare with");
    return fd;
}

static void run_all (struct fripp_ctx *ctx, struct listener *l,
                     const char *what, long calls)
{
    struct target t = { ctx, NULL, connect_to (l), 0 };
    struct fripp_stats stats;

    /* which has events */
    if (fripp_set_dialect (ctx, FRIPP_DOGSTATSD) < 0)
        bail_out ("no dialect");
    if (!(t.metric = fripp_metric_get (ctx, FRIPP_COUNTER, "handle", NULL)))
        bail_out ("no metric");
    for (int kind = INC; kind < SEND; kind++)
        run (&t, what, kind, calls);
    if (t.fd >= 0) {
        run (&t, what, SEND, calls);
        close (t.fd);
    }
    fripp_get_stats (ctx, &stats, sizeof (stats));
    printf ("%-14s %d calls failed; lines sent: %llu, dropped: %llu\n", what,
            t.failed, (unsigned long long)stats.lines,
            (unsigned long long)stats.dropped);
    failed += t.failed;
    fripp_ctx_destroy (ctx);
}

static void *read_all (void *arg)
{
    static char buf[65536];
    struct timeval tv = { .tv_usec = 100000 };
    int fd = listener_fd (arg);

    (void)fcntl (fd, F_SETFL, 0);
    (void)setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof (tv));
    while (recv (fd, buf, sizeof (buf), 0) >= 0 || listener_port (arg) > 0)
        pthread_testcancel ();
    return NULL;
}

int main (void)
{
    const char *env = getenv ("CALLS");
    long calls = env && atol (env) > 0 ? atol (env) : 10000000;
    struct listener *server = listen_udp ("127.0.0.1");
    struct listener *other;
    struct fripp_ctx *ctx;
    pthread_t reader;

    alarm (0);                /* it takes longer than any test */
    printf ("%ld calls of each kind; in ns, but the longest in ms. worked: the "
            "longest by processor\ntime; preempted: times that the kernel took "
            "the processor away.\n\n", calls);
    printf ("%-14s %-18s %7s %7s %8s %9s %8s %7s | beside it, a loop that "
            "does nothing\n", "server", "call", "p50", "p99", "p99.99",
            "longest", "worked", "preemp-");
    printf ("%-14s %-18s %7s %7s %8s %9s %8s %7s | %7s %9s %8s %7s\n", "",
            "", "", "", "", "", "", "ted", "p99.99", "longest", "worked",
            "preempted");

    pthread_create (&reader, NULL, read_all, server);
    run_all (ctx_open (server, "period=1"), server, "up", calls);
    pthread_cancel (reader);
    pthread_join (reader, NULL);

    run_all (ctx_open (server, "period=1"), server, "hangs, UDP", calls);
    listener_drop (server);
    run_all (ctx_open (server, "period=1"), NULL, "down, UDP", calls);

    run_all (ctx_open_lossless (&other, "period=1"), NULL,
             "hangs, UNIX", calls);
    listener_destroy (other);
    run_all (fripp_ctx_create (NULL, "unix:/nowhere/socket", 0), NULL,
             "down, UNIX", calls);

    resolver_block (true);
    ctx = fripp_ctx_create (NULL, "slow.example", listener_port (server));
    run_all (ctx, NULL, "slow resolver", calls);
    resolver_block (false);
    listener_destroy (server);
    printf ("\n%ld calls failed; %ld worked for more than 1 ms, of the loop "
            "that does nothing %ld turns\n", failed, over, over_nothing);
    return failed > 0;
}
