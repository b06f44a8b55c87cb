/* Sockets, descriptors, threads: what a context takes, and gives back.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"
#include "context.h"

#define PACKETS 1000
#define CONTEXTS 10000

static void test_one_socket (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fds before;
    struct fripp_ctx *ctx;
    int found[4];
    int ports = 0;
    int type = 0;
    socklen_t len = sizeof (type);
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof (peer);

    fds_list (&before);
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    for (int i = 0; i < PACKETS; i++) {
        fripp_format_send (ctx, "total:%d|C", i);
        listener_need (server, i + 1);
    }
    for (int i = 0; i < PACKETS; i++) {
        char want[64];

        snprintf (want, sizeof (want), "total:%d|C", i);
        if (!listener_got (server, i, want, strlen (want)))
            ports += PACKETS;
        if (i == 0 || listener_get (server, i)->port
                      != listener_get (server, i - 1)->port)
            ports++;
    }
    is_int (ports, 1, "a socket for each send: reordered running totals; "
            "here 1000 packets come from one port, in order");
    is_int (fds_new (&before, found, 4), 1, "one descriptor a context");
    ok (fcntl (found[0], F_GETFD) & FD_CLOEXEC, "no CLOEXEC: it has it");
    ok (fcntl (found[0], F_GETFL) & O_NONBLOCK,
        "a blocking socket: it is non-blocking");
    ok (getsockopt (found[0], SOL_SOCKET, SO_TYPE, &type, &len) == 0
        && type == SOCK_DGRAM
        && getpeername (found[0], (struct sockaddr *)&peer, &peer_len) == 0,
        "it is a datagram socket, and connected");
    fripp_ctx_destroy (ctx);
    is_int (fds_new (&before, found, 4), 0, "none is left by destroy");
    listener_destroy (server);
}

static void test_many (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *first;
    int threads;
    int fds;
    int failed = 0;
    char uri[64];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    first = fripp_ctx_create_uri (NULL, uri);
    fripp_ctx_destroy (first);
    fds = count_fds ();
    threads = count_threads ();
    listener_start (server);
    for (int i = 0; i < CONTEXTS; i++) {
        struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, uri);

        failed += fripp_format_send (ctx, "context.%d:1|c", i) != 0;
        fripp_ctx_destroy (ctx);
        listener_need (server, i + 1);
    }
    listener_stop (server);
    is_int (failed, 0, "10,000 contexts created, used and destroyed");
    is_int (listener_count (server), CONTEXTS, "all their lines arrive");
    is_int (count_fds (), fds + 0, "the same number of descriptors after it");
    is_int (count_threads (), threads, "the same number of threads");
    listener_destroy (server);
}

static void test_many_alive (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    static struct fripp_ctx *ctx[300];
    int threads = count_threads ();
    int fds = count_fds ();
    int failed = 0;

    for (int i = 0; i < 300; i++) {
        ctx[i] = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
        failed += fripp_format_send (ctx[i], "alive.%d:1|c", i) != 0;
        listener_need (server, i + 1);
    }
    ok (failed == 0 && count_fds () <= fds + 300,
        "300 contexts alive at once: a descriptor each at most");
    is_int (count_threads (), threads, "and no thread");
    for (int i = 0; i < 300; i++)
        fripp_ctx_destroy (ctx[i]);
    ok (count_fds () == fds && count_threads () == threads,
        "none of it left by destroy");
    listener_destroy (server);
}

/* Contexts that keep lines, and contexts that look names up.
 */
static void test_threads (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx[20];
    int threads = count_threads ();
    int fds;

    listener_drop (server);
    fds = count_fds ();
    for (int i = 0; i < 20; i++) {
        ctx[i] = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
        for (int j = 0; j < 3; j++)
            fripp_format_send (ctx[i], "kept.%d.%d:1|c", i, j);
    }
    ok (count_threads () <= threads + 1,
        "20 contexts that keep lines: one background thread for all");
    listener_reopen (server);
    for (int i = 0; i < 20; i++)
        fripp_ctx_destroy (ctx[i]);
    ok (wait_threads (threads, DEADLINE), "it goes with the last context");
    listener_drop (server);
    is_int (count_fds (), fds, "and no descriptor is left");

    resolver_answer ("127.0.0.1");
    for (int i = 0; i < 200; i++) {
        struct fripp_ctx *c = fripp_ctx_create (NULL, "name.example", 9);

        fripp_ctx_destroy (c);
    }
    ok (wait_threads (threads, DEADLINE) && count_fds () == fds,
        "200 contexts that look a name up: threads and descriptors as "
        "before");
    listener_destroy (server);
}

/* A context that goes leaves nothing behind, also where the background thread
 * was to turn it in an hour.
 */
static void test_long_period (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *first = ctx_open (server, NEVER);
    long before = 0;

    fripp_inc (first, "n", 1);
    for (int i = 0; i < 2 * CONTEXTS; i++) {
        struct fripp_ctx *ctx = ctx_open (server, NEVER);

        fripp_gauge (ctx, "g", 1, false);
        fripp_ctx_destroy (ctx);
        if (i % 100 == 0)
            listener_quiet (server, 0);
        listener_clear (server);
        if (i == CONTEXTS)
            before = resident_kib ();
    }
    diag ("%ld KiB more", resident_kib () - before);
    ok (resident_kib () - before < CONTEXTS / 2, "10,000 contexts with a long "
        "period, created and destroyed: memory as before");
    fripp_ctx_destroy (first);
    listener_destroy (server);
}

static void test_host_program (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    int want[3];
    bool same;

    srand (42);
    for (int i = 0; i < 3; i++)
        want[i] = rand ();
    srand (42);
    same = rand () == want[0];
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    same = same && rand () == want[1];
    fripp_format_send (ctx, "a:1|c");
    fripp_ctx_destroy (ctx);
    ok (same && rand () == want[2],
        "rand () goes on as the host program seeded it");
    listener_destroy (server);
}

static void *send_deep (void *arg)
{
    char text[3000];

    memset (text, 'x', sizeof (text));
    text[sizeof (text) - 1] = '\0';
    for (size_t i = 99; i < sizeof (text) - 1; i += 100)
        text[i] = '\n';
    for (int i = 0; i < 100; i++) {
        if (fripp_format_send (arg, "%s", text) != 0)
            return arg;
    }
    return NULL;
}

static void test_small_stack (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    pthread_attr_t attr;
    pthread_t thread;
    void *result = &attr;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    pthread_attr_init (&attr);
    pthread_attr_setstacksize (&attr, 64 * 1024);
    pthread_create (&thread, &attr, send_deep, ctx);
    pthread_join (thread, &result);
    ok (result == NULL, "a thread with a stack of 64 KiB can send");
    pthread_attr_destroy (&attr);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    test_one_socket ();
    test_many ();
    test_many_alive ();
    test_threads ();
    test_long_period ();
    test_host_program ();
    test_small_stack ();
    return done_testing ();
}
