/* UNIX datagram sockets, by path and by abstract name.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

static char path[200];
static char uri[400];

static bool delivers (struct fripp_ctx *ctx, struct listener *server)
{
    listener_clear (server);
    return fripp_format_send (ctx, "a:1|c\nb:%d|g", 2) == 0
           && listener_wait (server, 1, DEADLINE) == 1
           && listener_got (server, 0, "a:1|c\nb:2|g", 11);
}

static void test_names (void)
{
    struct listener *server = listen_unix (path);
    struct fripp_ctx *ctx;
    char name[256];

    snprintf (uri, sizeof (uri), "unix:%s", path);
    ctx = fripp_ctx_create (NULL, uri, 8125);
    ok (delivers (ctx, server), "fripp_ctx_create: unix:/path");
    fripp_ctx_destroy (ctx);
    ctx = fripp_ctx_create (NULL, uri, -1);
    ok (delivers (ctx, server), "the port is ignored then");
    fripp_ctx_destroy (ctx);
    snprintf (uri, sizeof (uri), "unix://%s", path);
    ctx = fripp_ctx_create_uri (NULL, uri);
    ok (delivers (ctx, server), "fripp_ctx_create_uri: unix:///path");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);

    snprintf (name, sizeof (name), "@fripp-test-%d", (int)getpid ());
    server = listen_unix (name);
    snprintf (uri, sizeof (uri), "unix:%s", name);
    ctx = fripp_ctx_create_uri (NULL, uri);
    ok (delivers (ctx, server), "fripp_ctx_create_uri: unix:@abstract");
    fripp_ctx_destroy (ctx);
    ctx = fripp_ctx_create (NULL, uri, 0);
    ok (delivers (ctx, server), "fripp_ctx_create: unix:@abstract");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

static void test_lengths (void)
{
    struct listener *server;
    struct fripp_ctx *ctx;
    char name[256];
    size_t len;

    memset (name, 'p', sizeof (name));
    len = snprintf (name, sizeof (name), "%s/", scratch_dir ());
    name[len] = 'p';
    name[107] = '\0';
    server = listen_unix (name);
    snprintf (uri, sizeof (uri), "unix://%s", name);
    ctx = fripp_ctx_create_uri (NULL, uri);
    ok (delivers (ctx, server), "a path of 107 bytes");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);

    name[107] = 'p';
    name[108] = '\0';
    snprintf (uri, sizeof (uri), "unix://%s", name);
    errno = 0;
    ok (!fripp_ctx_create_uri (NULL, uri) && errno == EINVAL,
        "a path of 108 bytes is EINVAL");
    snprintf (uri, sizeof (uri), "unix:%s", name);
    errno = 0;
    ok (!fripp_ctx_create (NULL, uri, 1) && errno == EINVAL,
        "by hostname too");
}

static void test_later (void)
{
    struct listener *server;
    struct logbook book = { 0 };
    struct fripp_ctx *ctx;
    struct quiet quiet;
    double since;
    int failed = 0;
    bool order = true;

    (void)unlink (path);
    snprintf (uri, sizeof (uri), "unix://%s", path);
    quiet_begin (&quiet);
    ctx = fripp_ctx_create_uri (NULL, uri);
    fripp_set_log (ctx, logbook_write, &book);
    for (int i = 0; i < 1000; i++)
        failed += fripp_format_send (ctx, "later.%d:1|c", i) != 0;
    ok (fripp_enabled (ctx) && failed == 0,
        "a path that does not exist yet: a context, and lines kept");
    is_int (quiet_end (&quiet), 0, "nothing printed");
    is_int (logbook_count (&book), 1, "one log line");

    since = now_ms ();
    server = listen_unix (path);
    listener_start (server);
    listener_need (server, 1);
    ok (now_ms () - since < 2000, "it appears: tried again at least once a "
        "second, without a call");
    is_int (listener_wait (server, 1000, DEADLINE), 1000,
            "all lines that were kept arrive");
    listener_stop (server);
    for (int i = 0; i < 1000; i++) {
        char want[64];

        snprintf (want, sizeof (want), "later.%d:1|c", i);
        order = order && listener_got (server, i, want, strlen (want));
    }
    ok (order, "in order");
    ok (logbook_wait (&book, 2, DEADLINE), "and one when it ends");
    is_int (logbook_count (&book), 2, "no more");
    ok (delivers (ctx, server), "later calls deliver");

    /* the server goes, with its path, and comes back */
    for (int round = 0; round < 5; round++) {
        listener_drop (server);
        failed = 0;
        for (int i = 0; i < 20; i++)
            failed += fripp_format_send (ctx, "gone.%d:1|c", i) != 0;
        listener_clear (server);
        listener_reopen (server);
        listener_start (server);
        listener_need (server, 20);
        listener_stop (server);
        ok (failed == 0 && listener_count (server) == 20
            && listener_got (server, 0, "gone.0:1|c", 10)
            && listener_got (server, 19, "gone.19:1|c", 11),
            "a server restarts at the same path: nothing lost (%d)", round);
    }
    ok (delivers (ctx, server), "later calls deliver");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* A server that does not read: EAGAIN, and nothing is lost.
 */
static void test_full (void)
{
    struct listener *server = listen_unix (path);
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    double longest = 0;
    int failed = 0;
    bool order = true;

    snprintf (uri, sizeof (uri), "unix://%s", path);
    ctx = fripp_ctx_create_uri (NULL, uri);
    for (int i = 0; i < 3000; i++) {
        struct meter meter;
        double took;

        meter_start (&meter);
        failed += fripp_format_send (ctx, "full.%d:1|c", i) != 0;
        took = meter_stop (&meter);
        if (took > longest)
            longest = took;
    }
    ok (failed == 0 && longest < 50,
        "a server that does not read does not block callers");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.pending > 0 && s.dropped == 0, "what does not fit waits");
    listener_start (server);
    is_int (listener_wait (server, 3000, DEADLINE), 3000,
            "it reads, and all lines arrive");
    listener_stop (server);
    for (int i = 0; i < 3000; i++) {
        char want[64];

        snprintf (want, sizeof (want), "full.%d:1|c", i);
        order = order && listener_got (server, i, want, strlen (want));
    }
    ok (order, "what waits and what is sent at once: all in order");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* More waits than there is room for: the oldest go, and are counted.
 */
static void test_overflow (void)
{
    enum { LINES = 15000, LEN = 1400, BUFFER = 16 * 1024 * 1024 };
    struct listener *server = listen_unix (path);
    struct logbook book = { 0 };
    struct fripp_ctx *ctx;
    struct fripp_stats s;
    char filler[LEN];
    int failed = 0;
    int first = -1;
    int next = -1;
    int gaps = 0;

    snprintf (uri, sizeof (uri), "unix://%s", path);
    ctx = fripp_ctx_create_uri (NULL, uri);
    fripp_set_log (ctx, logbook_write, &book);
    memset (filler, 'x', sizeof (filler));
    filler[LEN - 20] = '\0';
    for (int i = 0; i < LINES; i++)
        failed += fripp_format_send (ctx, "%08d.%s:1|c", i, filler) != 0;
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (failed == 0 && s.pending <= BUFFER && s.pending > BUFFER - 2 * LEN,
        "at most 16 MiB wait");
    ok (s.dropped_full > 0 && s.dropped == s.dropped_full
        && s.dropped_full < LINES, "what is dropped is counted");
    ok (logbook_count (&book) <= 2, "and logged once");
    listener_start (server);
    listener_need (server, LINES - s.dropped_full);
    listener_stop (server);
    is_int (listener_count (server), LINES - s.dropped_full,
            "all others arrive");
    for (size_t i = 0; i < listener_count (server); i++) {
        int n = -1;

        sscanf (listener_get (server, i)->data, "%d.", &n);
        if (n != next && next >= 0) {
            gaps++;
            if (first < 0)
                first = n;
        }
        next = n + 1;
    }
    ok (gaps == 1 && first > 0 && next == LINES,
        "the oldest that wait go first, the newest stay");
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

/* A server that shuts its socket down for reading: EPIPE.
 */
static void test_sigpipe (void)
{
    struct listener *server = listen_unix (path);
    struct fripp_ctx *ctx;
    struct sigaction sa = { .sa_handler = SIG_DFL };
    int failed = 0;

    sigaction (SIGPIPE, &sa, NULL);
    snprintf (uri, sizeof (uri), "unix://%s", path);
    ctx = fripp_ctx_create_uri (NULL, uri);
    ok (delivers (ctx, server), "a server");
    (void)shutdown (listener_fd (server), SHUT_RD);
    for (int i = 0; i < 100; i++)
        failed += fripp_format_send (ctx, "pipe.%d:1|c", i) != 0;
    ok (failed == 0, "SIGPIPE is not raised where the kernel says EPIPE");
    listener_drop (server);
    listener_clear (server);
    listener_reopen (server);
    listener_start (server);
    is_int (listener_wait (server, 100, DEADLINE), 100,
            "the lines are kept, and go to the next server");
    listener_stop (server);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
}

int main (void)
{
    snprintf (path, sizeof (path), "%s/statsd.sock", scratch_dir ());

    test_names ();
    test_lengths ();
    test_later ();
    test_full ();
    test_overflow ();
    test_sigpipe ();
    return done_testing ();
}
