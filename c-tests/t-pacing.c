/* Pacing: many contexts that flush at the same instant send no more at once
 * than a receive buffer of the usual size holds.
 *
 * What is sent is seen by a send () of this program, which the library is
 * linked to. That a datagram is lost can be the server's doing as well, on a
 * machine with much to do: it counts only where the server was there.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"

#define CONTEXTS 30
#define GAUGES 5000
#define MAX_SENT 100000

/* net.core.rmem_default of a Linux as it comes, which setsockopt () doubles.
 */
#define DEFAULT_RMEM 212992
/* Of that a datagram takes so much besides its bytes (skb, loopback).
 */
#define OVERHEAD 832

struct sent {
    double before;          /* it went between these */
    double after;
    size_t bytes;
};

static struct sent sent[MAX_SENT];
static atomic_size_t sent_count;

ssize_t send (int fd, const void *data, size_t len, int flags)
{
    double before = now_ms ();
    ssize_t n = syscall (SYS_sendto, fd, data, len, flags, NULL, 0);

    if (n >= 0) {
        size_t i = atomic_fetch_add (&sent_count, 1);

        if (i < MAX_SENT)
            sent[i] = (struct sent){ before, now_ms (), len };
    }
    return n;
}

static int by_time (const void *a, const void *b)
{
    double x = ((const struct sent *)a)->after;
    double y = ((const struct sent *)b)->after;

    return (x > y) - (x < y);
}

/* The most that was sent within so many ms, as it counts in a receive buffer.
 */
static size_t most_within (double ms, size_t *datagrams)
{
    size_t n = atomic_load (&sent_count);
    size_t most = 0;

    *datagrams = 0;
    if (n > MAX_SENT)
        n = MAX_SENT;
    qsort (sent, n, sizeof (sent[0]), by_time);
    for (size_t i = 0; i < n; i++) {
        double since = sent[i].after - ms;
        size_t count = 0;
        size_t size = 0;

        for (size_t j = i + 1; j-- > 0 && sent[j].after >= since; ) {
            if (sent[j].before >= since) {
                size += sent[j].bytes + OVERHEAD;
                count++;
            }
        }
        if (size > most)
            most = size;
        if (count > *datagrams)
            *datagrams = count;
    }
    return most;
}

/* A server with a buffer of the usual size that reads all the time.
 */
struct server {
    struct listener *listener;
    pthread_t thread;
    atomic_bool stop;
    size_t datagrams;
    double late;            /* the longest that a datagram waited for it, ms */
};

/* How long a datagram has waited since the kernel got it.
 */
static double waited (struct msghdr *msg)
{
    struct cmsghdr *c = CMSG_FIRSTHDR (msg);
    struct timespec came;
    struct timespec now;

    if (!c || c->cmsg_type != SCM_TIMESTAMPNS)
        return 0;
    memcpy (&came, CMSG_DATA (c), sizeof (came));
    clock_gettime (CLOCK_REALTIME, &now);
    return (now.tv_sec - came.tv_sec) * 1e3
           + (now.tv_nsec - came.tv_nsec) / 1e6;
}

static void *read_all (void *arg)
{
    struct server *s = arg;
    char buf[65536];
    char control[64];
    bool more = true;

    while (more || !atomic_load (&s->stop)) {
        struct iovec iov = { buf, sizeof (buf) };
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1,
            .msg_control = control, .msg_controllen = sizeof (control),
        };
        double ms;

        if ((more = recvmsg (listener_fd (s->listener), &msg, 0) >= 0)) {
            s->datagrams++;
            if ((ms = waited (&msg)) > s->late)
                s->late = ms;
        }
    }
    return NULL;
}

static void server_start (struct server *s)
{
    struct timeval tv = { .tv_usec = 20000 };
    int size = DEFAULT_RMEM / 2;
    int on = 1;
    int fd;

    memset (s, 0, sizeof (*s));
    s->listener = listen_udp ("127.0.0.1");
    fd = listener_fd (s->listener);
    (void)fcntl (fd, F_SETFL, 0);
    (void)setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof (tv));
    (void)setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size));
    (void)setsockopt (fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof (on));
    pthread_create (&s->thread, NULL, read_all, s);
    atomic_store (&sent_count, 0);
}

static void server_stop (struct server *s, const char *what, int threads)
{
    size_t datagrams;
    size_t most;

    atomic_store (&s->stop, true);
    pthread_join (s->thread, NULL);
    listener_destroy (s->listener);
    /* a burst of 32 full ones, as many that followed it evenly, and one that
     * each thread was about to send
     */
    most = most_within (1, &datagrams);
    ok (most <= (64 + (size_t)threads) * (1440 + OVERHEAD), "%s: within a "
        "millisecond no more is sent than fits a receive buffer", what);
    diag ("%zu bytes of %d, %zu datagrams", most, DEFAULT_RMEM, datagrams);
    ok (s->datagrams == sent_count || s->late > 1,
        "%s: none is lost to a server that reads", what);
    diag ("%zu datagrams of %zu arrived; the server was %.1f ms late at the "
          "most", s->datagrams, (size_t)sent_count, s->late);
}

static void set_gauges (struct fripp_ctx *ctx, int id)
{
    for (int i = 0; i < GAUGES; i++) {
        char name[32];

        snprintf (name, sizeof (name), "gauge.%d.%d", id, i);
        (void)fripp_gauge (ctx, name, i, false);
    }
}

static pthread_barrier_t barrier;

static void *flush (void *arg)
{
    pthread_barrier_wait (&barrier);
    flush_all (arg);
    return NULL;
}

static void test_threads (void)
{
    struct fripp_ctx *ctx[CONTEXTS];
    pthread_t threads[CONTEXTS];
    unsigned long long lines = 0;
    struct fripp_stats stats;
    struct server server;

    server_start (&server);
    for (int i = 0; i < CONTEXTS; i++) {
        ctx[i] = ctx_open (server.listener, NEVER);
        set_gauges (ctx[i], i);
    }
    pthread_barrier_init (&barrier, NULL, CONTEXTS);
    for (int i = 0; i < CONTEXTS; i++)
        pthread_create (&threads[i], NULL, flush, ctx[i]);
    for (int i = 0; i < CONTEXTS; i++) {
        pthread_join (threads[i], NULL);
        fripp_get_stats (ctx[i], &stats, sizeof (stats));
        lines += stats.lines;
        fripp_ctx_destroy (ctx[i]);
    }
    is_int (lines, CONTEXTS * GAUGES, "30 contexts of 5,000 gauges, flushed "
            "from 30 threads at once");
    server_stop (&server, "threads", CONTEXTS);
}

static bool all_sent (void *arg)
{
    struct fripp_ctx **ctx = arg;

    for (int i = 0; i < CONTEXTS; i++) {
        struct fripp_stats stats;

        fripp_get_stats (ctx[i], &stats, sizeof (stats));
        if (stats.lines < GAUGES)
            return false;
    }
    return true;
}

static void test_background (void)
{
    struct fripp_ctx *ctx[CONTEXTS];
    struct server server;

    server_start (&server);
    for (int i = 0; i < CONTEXTS; i++)
        ctx[i] = ctx_open (server.listener, "period=0.01");
    for (int i = 0; i < CONTEXTS; i++)
        set_gauges (ctx[i], i);
    ok (wait_until (all_sent, ctx, DEADLINE), "30 contexts of 5,000 gauges, "
        "with 10 ms between flushes, by the background thread");
    for (int i = 0; i < CONTEXTS; i++)
        fripp_ctx_destroy (ctx[i]);
    server_stop (&server, "background", 2);
}

int main (void)
{
    test_threads ();
    test_background ();
    return done_testing ();
}
