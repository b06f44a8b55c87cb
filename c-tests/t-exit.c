/* Nothing that was recorded is lost when a context or its process ends. The
 * processes are this program, executed again with an argument.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "statsd-reader.h"
#include "tap.h"
#include "context.h"

#define METRICS 1000
#define LINES (METRICS + METRICS / 4)

static int record_all (struct fripp_ctx *ctx)
{
    int failed = 0;

    for (int i = 0; i < METRICS; i++) {
        char name[32];

        snprintf (name, sizeof (name), "n%d", i);
        switch (i % 4) {
        case 0:
            failed += fripp_inc (ctx, name, 1) != 0;
            break;
        case 1:
            failed += fripp_timing (ctx, name, 1) != 0;
            break;
        case 2:
            failed += fripp_gauge (ctx, name, 1, false) != 0;
            break;
        default:
            failed += fripp_count (ctx, name, 1) != 0;
        }
    }
    return failed;
}

static double exit_began;

/* Registered before the library's, it runs after it.
 */
static void at_exit (void)
{
    double ms = now_ms () - exit_began;

    /* a machine with much to do is given five times as long */
    if (exit_began > 0 && ms > 500)
        _exit (3);
}

/* What the child does: the way it ends is its argument.
 */
static bool is_sent (void *arg)
{
    struct fripp_stats stats;

    fripp_get_stats (arg, &stats, sizeof (stats));
    return stats.lines == LINES;
}

static int child (const char *how, const char *uri)
{
    struct fripp_ctx *ctx;

    atexit (at_exit);
    if (!(ctx = fripp_ctx_create_uri (NULL, uri))
        || fripp_set_dialect (ctx, FRIPP_BRUBECK) < 0 || record_all (ctx))
        return 2;
    exit_began = now_ms ();
    if (!strcmp (how, "exit"))
        exit (0);
    if (!strcmp (how, "destroy"))
        fripp_ctx_destroy (ctx);
    if (!strcmp (how, "destroy-quick")) {
        fripp_ctx_destroy (ctx);
        _exit (0);
    }
    if (!strcmp (how, "period")) {
        fripp_set_agg_period (ctx, 0);
        /* all in this call, where the machine has time for it */
        _exit (!wait_until (is_sent, ctx, DEADLINE));
    }
    if (!strcmp (how, "flush"))
        _exit (fripp_flush (ctx) < 0);
    /* "return" */
    return 0;
}

static void is_all (struct listener *l, const char *what)
{
    struct reader *r = reader_create (FRIPP_BRUBECK);
    int there = 0;

    listener_need_lines (l, LINES);
    listener_quiet (l, 0);
    reader_read_all (r, l, listener_count (l));
    for (int i = 0; i < METRICS; i++) {
        static const char *const types[] = { "c", "ms", "g", "C" };
        char name[32];

        snprintf (name, sizeof (name), "n%d", i);
        /* a total has an opening line before it */
        there += reader_get (r, name, types[i % 4])->lines
                 == (i % 4 == 3 ? 2 : 1);
    }
    is_int (there, METRICS, "what is pending is sent %s", what);
    ok (!reader_bad (r) && reader_lines (r) == LINES, "and nothing else");
    reader_destroy (r);
    listener_clear (l);
}

static void test_endings (struct listener *server)
{
    static const char *const how[][2] = {
        { "exit", "at exit" },
        { "return", "at the end of main" },
        { "destroy", "on destroy" },
        { "destroy-quick", "on destroy before _exit" },
        { "period", "on a period set to 0" },
        { "flush", "on fripp_flush" },
    };
    char uri[64];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d?period=3600",
              listener_port (server));
    for (size_t i = 0; i < sizeof (how) / sizeof (how[0]); i++) {
        is_int (run_again (how[i][0], uri), 0, "a process ends: %s", how[i][0]);
        is_all (server, how[i][1]);
    }
}

/* A server whose buffer is full, and nobody reads: exit and destroy end.
 */
static void test_stuck (void)
{
    char name[64];
    char uri[96];
    struct listener *l;

    snprintf (name, sizeof (name), "@fripp-stuck-%d", (int)getpid ());
    snprintf (uri, sizeof (uri), "unix:%s?period=3600&mtu=512", name);
    l = listen_unix (name);
    is_int (run_again ("exit", uri), 0, "exit, with a server that does not read: "
            "it ends in time");
    listener_quiet (l, 0);
    is_int (run_again ("destroy", uri), 0, "destroy, too");
    listener_destroy (l);
}

/* In this process: contexts that go while the background thread has them.
 */
static void test_many (struct listener *server)
{
    struct reader *r = reader_create (FRIPP_BRUBECK);
    int lines = 0;

    for (int i = 0; i < 200; i++) {
        struct fripp_ctx *ctx = ctx_open (server, "period=0.01");

        for (int j = 0; j < 5; j++) {
            fripp_inc (ctx, "n", 1);
            fripp_timing (ctx, "t", 1);
            lines++;
        }
        fripp_ctx_destroy (ctx);
        while (listener_lines (server) > 0 || lines > 0) {
            reader_read_all (r, server, listener_count (server));
            listener_clear (server);
            if (reader_get (r, "t", "ms")->values == (i + 1) * 5)
                break;
            if (listener_wait (server, 1, DEADLINE) == 0)
                break;
        }
    }
    ok (reader_get (r, "t", "ms")->values == 1000
        && reader_get (r, "n", "c")->sum == 1000 && !reader_bad (r),
        "200 contexts, destroyed while their flushes run: 1,000 of 1,000");
    ok (wait_threads (1, DEADLINE), "the background thread is gone with the "
        "last one");
    reader_destroy (r);
    listener_clear (server);
}

int main (int argc, char **argv)
{
    struct listener *server;

    if (argc == 3)
        return child (argv[1], argv[2]);
    server = listen_udp ("127.0.0.1");
    test_endings (server);
    test_stuck ();
    test_many (server);
    listener_destroy (server);
    return done_testing ();
}
