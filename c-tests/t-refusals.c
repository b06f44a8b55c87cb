/* A server that goes in the midst of a flush: nothing is lost, nothing is
 * sent twice, and each line is counted once, although the library asks only
 * at the end of a burst whether a datagram was refused.
 *
 * This program's send () and getsockopt () stand before the system's. They
 * count, let the server go and come, and report other refusals than one of
 * loopback: as the kernel does, with the next call and once.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define COUNTERS 100
#define SAMPLES 40
#define SETTINGS NEVER "&mtu=512&dialect=statsd"

static struct listener *server;
static int sends;
static int looks;

/* The first of so many datagrams that do not arrive is this one, from 1. */
static int first_lost;
static int to_lose;
/* Why; 0: the server is away. */
static int reason;
/* What the kernel has to report of a datagram. */
static int to_report;
/* So many sends fail, and none before them was refused. */
static int to_fail;
/* How many datagrams a flush has. */
static int of_a_flush;

static int report (void)
{
    int errnum = to_report;

    to_report = 0;
    return errnum;
}

static bool is_lost (void)
{
    return to_lose > 0 && sends >= first_lost;
}

ssize_t send (int fd, const void *data, size_t len, int flags)
{
    sends++;
    if (is_lost () && reason == 0 && listener_fd (server) >= 0) {
        listener_drain (server);
        listener_drop (server);
    }
    if (to_report != 0) {
        errno = report ();
        return -1;
    }
    if (is_lost () && to_fail > 0) {
        to_fail--;
        errno = reason;
        return -1;
    }
    if (is_lost ()) {
        to_lose--;
        if (reason != 0) {
            to_report = reason;
            return (ssize_t)len;
        }
    }
    else if (listener_fd (server) < 0)
        listener_reopen (server);
    return syscall (SYS_sendto, fd, data, len, flags, NULL, 0);
}

int getsockopt (int fd, int level, int name, void *value, socklen_t *len)
{
    int rc = (int)syscall (SYS_getsockopt, fd, level, name, value, len);

    if (level == SOL_SOCKET && name == SO_ERROR) {
        looks++;
        if (rc == 0 && to_report != 0)
            *(int *)value = report ();
    }
    return rc;
}

static void begin (int first, int lose, int why)
{
    sends = looks = to_report = to_fail = 0;
    first_lost = first;
    to_lose = lose;
    reason = why;
}

static void record (struct fripp_ctx *ctx)
{
    for (int i = 0; i < COUNTERS; i++) {
        char name[64];

        snprintf (name, sizeof (name), "refusals.of.a.burst.counter.%d", i);
        fripp_inc (ctx, name, i + 1);
    }
    for (int i = 0; i < SAMPLES; i++)
        fripp_timing (ctx, "refusals.of.a.burst.timing", i);
}

static double sum_of_counters (const struct reader *r)
{
    double sum = 0;

    for (int i = 0; i < COUNTERS; i++) {
        char name[64];

        snprintf (name, sizeof (name), "refusals.of.a.burst.counter.%d", i);
        sum += (double)reader_get (r, name, "c")->sum;
    }
    return sum;
}

/* Records and flushes while so many datagrams, from this one on, are lost.
 * Returns how many lines are counted as lost, or -1 if something is wrong.
 */
static long flush_with (int first, int lose, int why, int fail)
{
    struct fripp_ctx *ctx;
    struct reader *r = reader_create (FRIPP_STATSD);
    const struct reading *m;
    struct fripp_stats s;
    bool right;

    server = listen_udp ("127.0.0.1");
    ctx = ctx_open (server, SETTINGS);
    begin (first, lose, why);
    to_fail = fail;
    record (ctx);
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    begin (0, 0, 0);
    listener_quiet (server, 0);
    reader_read_all (r, server, listener_count (server));
    m = reader_get (r, "refusals.of.a.burst.timing", "ms");
    right = reader_lines (r) == COUNTERS + SAMPLES - s.dropped_send
            && s.lines == COUNTERS + SAMPLES
            && s.dropped == s.dropped_send && s.pending == 0
            && reader_bytes (r) <= s.bytes
            && reader_datagrams (r) <= s.datagrams;
    if (s.dropped_send == 0) {
        right = right && sum_of_counters (r) == COUNTERS * (COUNTERS + 1) / 2
                && m->lines == SAMPLES
                && m->real_sum == SAMPLES * (SAMPLES - 1) / 2
                && reader_bytes (r) == s.bytes
                && reader_datagrams (r) == s.datagrams;
    }
    if (!right) {
        diag ("datagram %d: %zu lines arrived, %llu counted, %llu lost",
              first, reader_lines (r), (unsigned long long)s.lines,
              (unsigned long long)s.dropped);
    }
    fripp_ctx_destroy (ctx);
    reader_destroy (r);
    listener_destroy (server);
    return right ? (long)s.dropped_send : -1;
}

/* The same for each datagram of a flush, first and last ones included.
 * Returns how often a line was lost, or -1.
 */
static int each_datagram (int lose, int why, int fail)
{
    int lost = 0;

    for (int i = 1; i <= of_a_flush; i++) {
        long lines = flush_with (i, lose, why, fail);

        if (lines < 0)
            return -1;
        lost += lines > 0;
    }
    return lost;
}

static void test_looks (void)
{
    struct fripp_ctx *ctx;

    server = listen_udp ("127.0.0.1");
    ctx = ctx_open (server, SETTINGS);
    record (ctx);
    flush_all (ctx);
    begin (0, 0, 0);
    record (ctx);
    flush_all (ctx);
    /* a turn on a machine with much to do ends after 64 metrics */
    of_a_flush = sends;
    ok (sends >= 8 && looks >= 1 && looks <= sends / 3,
        "one look for a refusal a burst");
    diag ("%d datagrams, %d looks", sends, looks);
    begin (0, 0, 0);
    fripp_inc (ctx, "one", 1);
    flush_all (ctx);
    ok (sends == 1 && looks == 1, "a flush of one datagram looks once");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);

    server = listen_unix ("@fripp-t-refusals");
    ctx = fripp_ctx_create_uri (NULL, "unix:@fripp-t-refusals?" SETTINGS);
    must (ctx != NULL);
    begin (0, 0, 0);
    for (int i = 0; i < 3; i++) {
        record (ctx);
        flush_all (ctx);
        listener_quiet (server, 0);
    }
    ok (sends >= 24 && looks == 0, "a UNIX socket refuses at once: no look");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* Period 0: a metric is sent by the call, which is to know.
 */
static void test_at_once (void)
{
    struct fripp_ctx *ctx;
    struct fripp_stats s;

    server = listen_udp ("127.0.0.1");
    ctx = ctx_open (server, "period=0&dialect=statsd");
    begin (3, 1, 0);
    for (int i = 0; i < 4; i++)
        fripp_inc (ctx, "n", 1);
    flush_all (ctx);
    fripp_get_stats (ctx, &s, sizeof (s));
    listener_quiet (server, 0);
    ok (s.lines == listener_lines (server) && s.dropped == 0
        && s.pending == 0, "period 0: what is refused waits");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    test_looks ();
    test_at_once ();
    is_int (each_datagram (1, 0, 0), 0, "a server that goes in a burst and "
            "comes back: nothing is lost, nothing arrives twice");
    is_int (each_datagram (3, 0, 0), 0, "the same where it comes back later");
    is_int (each_datagram (2, ECONNREFUSED, 0), 0, "a refusal that the next "
            "send reports");
    is_int (each_datagram (2, EHOSTUNREACH, 0), 0, "a firewall that begins "
            "to refuse");
    is_int (each_datagram (2, EACCES, 0), 0, "the same with IPv6");
    ok (each_datagram (1, EHOSTUNREACH, 0) > 0, "it refuses one datagram, "
        "and takes the next: its lines are counted as lost");
    is_int (each_datagram (1, ENETUNREACH, 3), 0, "a route that goes in a "
            "burst, so that a send fails: nothing arrives twice");
    return done_testing ();
}
