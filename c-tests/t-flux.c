/* Contexts with a Flux handle. The stand-in for libflux-core aborts the
 * process on a call from another thread than the handle's, and on any but
 * flux_watcher_destroy () from an aux destructor.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <flux/core.h>
#include <fripp.h>

#include "flux-standin/standin.h"
#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

/* Lets a tenth of a second go by on the reactor's clock, and a little on
 * this machine's.
 */
static void turn (flux_t *h, struct listener *server)
{
    standin_advance (h, 0.1);
    if (server) {
        listener_idle (server, 2);
        listener_quiet (server, 0);
    }
}

/* Turns the reactor until so many lines are there.
 */
TAP_USE_RESULT
static bool turn_until_lines (flux_t *h, struct listener *server, size_t lines)
{
    double end = now_ms () + DEADLINE;

    while (listener_lines (server) < lines && now_ms () < end)
        turn (h, server);
    return listener_lines (server) >= lines;
}

/* Turns the reactor until so many messages are logged.
 */
TAP_USE_RESULT
static bool turn_until_log (flux_t *h, int messages)
{
    double end = now_ms () + DEADLINE;

    while (standin_log_count (h) < messages && now_ms () < end) {
        standin_advance (h, 0.1);
        rest_ms (1);
    }
    return standin_log_count (h) >= messages;
}

/* Turns the reactor until nothing keeps it from returning.
 */
TAP_USE_RESULT
static bool turn_until_idle (flux_t *h)
{
    double end = now_ms () + DEADLINE;

    while (standin_refs (h) > 0 && now_ms () < end) {
        standin_advance (h, 0.1);
        rest_ms (1);
    }
    return standin_refs (h) == 0;
}

static void show_log (flux_t *h)
{
    for (int i = 0; i < standin_log_count (h); i++)
        diag ("level %d: %s", standin_log_level (h, i),
              standin_log_text (h, i));
}

static void test_life (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    int threads = count_threads ();
    flux_t *h = standin_open (3);
    struct fripp_ctx *ctx;
    int calls;

    errno = EXDEV;
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    ok (ctx && errno == EXDEV, "a context with a handle");
    ok (standin_watchers (h) <= 2, "two watchers at most");
    is_int (standin_refs (h), 0,
            "an idle context does not keep flux_reactor_run from returning");

    calls = standin_calls (NULL);
    for (int i = 0; i < 1000; i++) {
        fripp_format_send (ctx, "life.%d:1|c", i);
        listener_need (server, i + 1);
    }
    is_int (standin_calls (NULL) - calls, 1, "1000 packets while the reactor "
            "does not turn: one call of Flux");
    is_int (listener_count (server), 1000, "all arrive");
    for (int i = 0; i < 20; i++)
        standin_advance (h, 1);
    is_int (standin_log_count (h), 0, "nothing is logged");
    is_int (standin_refs (h), 0, "and the reactor could still return");
    is_int (count_threads (), threads, "with a handle there is no thread");

    calls = standin_calls (NULL) - standin_calls ("flux_watcher_destroy");
    errno = EXDEV;
    fripp_ctx_destroy (ctx);
    ok (errno == EXDEV, "destroy");
    is_int (standin_calls (NULL) - standin_calls ("flux_watcher_destroy"),
            calls, "it calls nothing but flux_watcher_destroy");
    is_int (standin_watchers (h), 0, "no watcher is left");
    flux_close (h);
    listener_destroy (server);
}

static void test_failures (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;

    errno = 0;
    ok (!fripp_ctx_create (h, "127.0.0.1", 0) && errno == EINVAL
        && !fripp_ctx_create (h, NULL, 8125)
        && !fripp_ctx_create_uri (h, "localhost:")
        && standin_watchers (h) == 0,
        "a create that fails leaves no watcher");
    standin_fail_rank (h, EHOSTUNREACH);
    errno = EXDEV;
    ctx = fripp_ctx_create (h, "127.0.0.1", 8125);
    ok (fripp_enabled (ctx) && errno == EXDEV,
        "a handle without a rank is not a failure");
    fripp_ctx_destroy (ctx);
    ok (standin_watchers (h) == 0, "no watcher is left");
    standin_fail_rank (h, 0);
    ctx = fripp_ctx_create (h, "127.0.0.1", 8125);
    fripp_ctx_destroy (ctx);
    flux_close (h);

    h = standin_open (4294967295U);
    ctx = fripp_ctx_create (h, "127.0.0.1", 8125);
    ok (fripp_enabled (ctx), "the largest rank");
    fripp_ctx_destroy (ctx);
    flux_close (h);
}

/* A NULL handle, in a process that has Flux.
 */
static void test_no_handle (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    int calls = standin_calls (NULL);
    struct fripp_ctx *ctx;
    struct quiet quiet;

    quiet_begin (&quiet);
    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    fripp_format_send (ctx, "a:1|c");
    listener_drop (server);
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "b:%d|c", i);
    listener_reopen (server);
    listener_need (server, 99);
    fripp_ctx_destroy (ctx);
    setenv ("FLUX_FRIPP_STATSD", "localhost", 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    fripp_ctx_destroy (ctx);
    unsetenv ("FLUX_FRIPP_STATSD");
    is_int (standin_calls (NULL), calls,
            "a NULL handle: Flux is never called");
    is_int (quiet_end (&quiet), 0, "so nothing is logged to stderr");
    listener_destroy (server);
}

static void test_logging (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    struct fripp_stats s;

    listener_drop (server);
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    for (int i = 0; i < 1000; i++)
        fripp_format_send (ctx, "log.%d:1|c", i);
    is_int (standin_log_count (h), 0,
            "no server: nothing is logged by a call");
    ok (turn_until_log (h, 1), "the reactor's turn logs it");
    for (int i = 0; i < 200; i++) {
        fripp_format_send (ctx, "more.%d:1|c", i);
        turn (h, NULL);
    }
    is_int (standin_log_count (h), 1, "200 more that fail are no "
            "news: one message");
    listener_reopen (server);
    ok (turn_until_lines (h, server, 1200), "the server comes: the reactor "
        "sends what was kept");
    ok (turn_until_log (h, 2), "it is logged that the state ends");
    for (int i = 0; i < 100; i++) {
        fripp_format_send (ctx, "after.%d:1|c", i);
        turn (h, server);
    }
    is_int (standin_log_count (h), 2, "once");
    show_log (h);
    /* the last may go 5 ms later, with those of the next turns */
    ok (turn_until_lines (h, server, 1300)
        && listener_lines (server) == 1300, "nothing is lost");
    fripp_get_stats (ctx, &s, sizeof (s));
    ok (s.lines == 1300 && s.dropped == 0 && s.pending == 0,
        "the stats say the same");
    ok (turn_until_idle (h), "when nothing is left to do, the reactor can "
        "return");
    fripp_ctx_destroy (ctx);
    flux_close (h);
    listener_destroy (server);
}

/* After an outage the reactor's turns are those of before it.
 */
static void test_after_outage (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    double end;
    char *text;
    int fired;

    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    listener_drop (server);
    for (int i = 0; i < 20; i++) {
        fripp_format_send (ctx, "outage.%d:1|c", i);
        standin_advance (h, 1);
    }
    listener_reopen (server);
    ok (turn_until_lines (h, server, 19), "an outage, and its end");

    /* by this machine's clock too, a second goes by */
    end = now_ms () + 1200;
    while (now_ms () < end)
        turn (h, server);
    fired = standin_advance (h, 10);
    ok (fired <= 20, "the timer fires once a period again");
    diag ("%d times in 10 s", fired);

    listener_clear (server);
    fripp_inc (ctx, "events", 3);
    ok (turn_until_lines (h, server, 1), "metrics are flushed again");
    text = listener_text (server);
    ok (strstr (text, "events:3|c\n"), "with their values");
    free (text);
    fripp_ctx_destroy (ctx);
    flux_close (h);
    listener_destroy (server);
}

/* Names with what means something to printf or to a log.
 */
static void test_log_texts (void)
{
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;

    resolver_answer (NULL);
    ok (!fripp_ctx_create (h, "line\nbreak.invalid", 8125),
        "a newline in a host's name is refused");
    ctx = fripp_ctx_create (h, "%s%n%999999d.invalid", 8125);
    if (ctx) {
        fripp_format_send (ctx, "a:1|c");
        ok (turn_until_log (h, 1)
            && strstr (standin_log_text (h, 0), "%s%n%999999d.invalid"),
            "%%-signs in a host's name are logged as they stand");
        fripp_ctx_destroy (ctx);
    }
    standin_log_clear (h);
    setenv ("FLUX_FRIPP_STATSD", "%s%n\nsecond line:x", 1);
    ctx = fripp_ctx_create_uri (h, NULL);
    ok (standin_log_count (h) == 1
        && strstr (standin_log_text (h, 0), "%s%n"),
        "a FLUX_FRIPP_STATSD with %%-signs and newlines makes one message");
    show_log (h);
    fripp_ctx_destroy (ctx);
    unsetenv ("FLUX_FRIPP_STATSD");
    flux_close (h);
}

static void test_environment (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    static const char *const bad[] = {
        "localhost", "localhost:", "localhost:70000", ":8125", "",
        "localhost:8125?unknown=1",
    };
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    char uri[64];

    unsetenv ("FLUX_FRIPP_STATSD");
    ctx = fripp_ctx_create_uri (h, NULL);
    ok (ctx && !fripp_enabled (ctx) && standin_log_count (h) == 0
        && standin_watchers (h) == 0,
        "FLUX_FRIPP_STATSD unset: disabled, no message, no watcher");
    fripp_ctx_destroy (ctx);

    for (size_t i = 0; i < sizeof (bad) / sizeof (bad[0]); i++) {
        standin_log_clear (h);
        setenv ("FLUX_FRIPP_STATSD", bad[i], 1);
        errno = EXDEV;
        ctx = fripp_ctx_create_uri (h, NULL);
        ok (ctx && !fripp_enabled (ctx) && errno == EXDEV
            && standin_log_count (h) == 1
            && strstr (standin_log_text (h, 0), "parse error")
            && standin_watchers (h) == 0,
            "FLUX_FRIPP_STATSD '%s': disabled, and a parse error", bad[i]);
        fripp_ctx_destroy (ctx);
    }

    standin_log_clear (h);
    resolver_answer (NULL);
    setenv ("FLUX_FRIPP_STATSD", "nosuch.invalid:8125", 1);
    ctx = fripp_ctx_create_uri (h, NULL);
    ok (fripp_enabled (ctx), "FLUX_FRIPP_STATSD with a name that does not "
        "resolve: enabled");
    ok (turn_until_log (h, 1) && strstr (standin_log_text (h, 0),
                                         "parse error"),
        "a parse error is logged by a turn of the reactor, without a call");
    show_log (h);
    for (int i = 0; i < 50; i++) {
        fripp_format_send (ctx, "a:1|c");
        turn (h, NULL);
    }
    is_int (standin_log_count (h), 1, "once");
    fripp_ctx_destroy (ctx);

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    ctx = fripp_ctx_create_uri (h, NULL);
    ok (fripp_format_send (ctx, "a:1|c") == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && standin_log_count (h) == 1, "FLUX_FRIPP_STATSD host:port sends");
    fripp_ctx_destroy (ctx);
    unsetenv ("FLUX_FRIPP_STATSD");
    flux_close (h);
    listener_destroy (server);
}

static void test_nosuch (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    int failed = 0;

    resolver_answer (NULL);
    ctx = fripp_ctx_create (h, "nosuch.invalid", listener_port (server));
    for (int i = 0; i < 100; i++)
        failed += fripp_format_send (ctx, "nosuch.%d:1|c", i) != 0;
    ok (fripp_enabled (ctx) && failed == 0 && standin_log_count (h) == 0,
        "nosuch.invalid: enabled, lines kept, nothing logged by a call");
    ok (turn_until_log (h, 1), "nosuch.invalid: a turn of the reactor logs");
    for (int i = 0; i < 20; i++)
        turn (h, NULL);
    is_int (standin_log_count (h), 1, "nosuch.invalid: exactly one line");
    resolver_answer ("127.0.0.1");
    ok (turn_until_lines (h, server, 100), "it is tried again, and when it "
        "has an address the lines arrive");
    ok (turn_until_log (h, 2) && standin_log_count (h) == 2,
        "and one line says so");
    show_log (h);
    fripp_ctx_destroy (ctx);
    flux_close (h);
    listener_destroy (server);
}

/* The answer comes on another thread, which may not call Flux.
 */
static void test_slow (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    struct meter meter;

    resolver_block (true);
    meter_start (&meter);
    ctx = fripp_ctx_create (h, "slow.example", listener_port (server));
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "slow.%d:1|c", i);
    ok (resolver_wait_for (1, DEADLINE), "a lookup is under way");
    for (int i = 0; i < 30; i++)
        standin_advance (h, 1);
    ok (meter_stop (&meter) < 500 || resolver_waiting () == 1,
        "the reactor turns while a lookup waits");
    resolver_answer ("127.0.0.1");
    resolver_block (false);
    ok (turn_until_lines (h, server, 100), "all lines arrive after it");
    is_int (standin_log_count (h), 0, "nothing is logged");
    fripp_ctx_destroy (ctx);

    /* a name that nobody has asked for: an answer is remembered for a while */
    resolver_block (true);
    ctx = fripp_ctx_create (h, "slower.example", listener_port (server));
    fripp_format_send (ctx, "slow:1|c");
    must (resolver_wait_for (1, DEADLINE));
    fripp_ctx_destroy (ctx);
    flux_close (h);
    resolver_answer (NULL);
    resolver_block (false);
    ok (wait_threads (1, DEADLINE),
        "an answer that comes after flux_close does no harm");
    listener_destroy (server);
}

#define THREADS 4
#define LINES 500

struct worker {
    pthread_t thread;
    struct fripp_ctx *ctx;
    int id;
    int failed;
};

static void *send_lines (void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < LINES; i++)
        w->failed += fripp_format_send (w->ctx, "thread.%d.%d:1|c", w->id,
                                        i) != 0;
    return NULL;
}

static int run_workers (flux_t *h, struct fripp_ctx *ctx)
{
    struct worker workers[THREADS] = { 0 };
    int failed = 0;

    for (int i = 0; i < THREADS; i++) {
        workers[i].ctx = ctx;
        workers[i].id = i;
        pthread_create (&workers[i].thread, NULL, send_lines, &workers[i]);
    }
    for (int i = 0; i < 50; i++)
        standin_advance (h, 0.1);
    for (int i = 0; i < THREADS; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    return failed;
}

static atomic_int threads_made;

/* In front of the C library's, to count what this process makes.
 */
int pthread_create (pthread_t *thread, const pthread_attr_t *attr,
                    void *(*start) (void *), void *arg)
{
    int (*make) (pthread_t *, const pthread_attr_t *, void *(*) (void *),
                 void *);

    *(void **)&make = dlsym (RTLD_NEXT, "pthread_create");
    atomic_fetch_add (&threads_made, 1);
    return make (thread, attr, start, arg);
}

static void count_line (int level, const char *text, void *arg)
{
    (void)level;
    (void)text;
    *(int *)arg += 1;
}

static void test_no_thread (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    int before = atomic_load (&threads_made);
    int told = 0;

    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    fripp_set_log (ctx, count_line, &told);
    listener_drop (server);
    for (int i = 0; i < 10; i++) {
        fripp_format_send (ctx, "a:%d|c", i);
        fripp_inc (ctx, "b", 1);
        standin_advance (h, 1.0);
    }
    is_int (told, 1, "with a handle and a log function, the function is told");
    is_int (standin_log_count (h), 0, "and Flux is not");
    fripp_ctx_destroy (ctx);
    is_int (atomic_load (&threads_made) - before, 0,
            "with a handle there is no thread, not for a destroy either that "
            "finds no server");
    flux_close (h);
    listener_destroy (server);
}

static void test_threads (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    struct fripp_stats s;

    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    listener_start (server);
    is_int (run_workers (h, ctx), 0, "calls from other threads never reach "
            "Flux: with a server");
    listener_stop (server);
    fripp_ctx_destroy (ctx);

    listener_drop (server);
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    is_int (run_workers (h, ctx), 0, "calls from other threads never reach "
            "Flux: without one, while the reactor turns");
    fripp_get_stats (ctx, &s, sizeof (s));
    is_int (s.pending > 0 && s.dropped == 0, true, "the lines are kept");
    listener_clear (server);
    listener_reopen (server);
    ok (turn_until_lines (h, server, THREADS * LINES),
        "a server comes: what only other threads sent goes, too");
    /* A timer rests when a period had nothing, and only the handle's thread
     * may start it again: with its next call.
     */
    (void)fripp_flush (ctx);
    ok (turn_until_log (h, 2), "and what they met is logged by it");
    is_int (standin_log_count (h), 2, "once when it began, once when it "
            "ended");
    show_log (h);
    fripp_ctx_destroy (ctx);
    flux_close (h);
    listener_destroy (server);
}

static void destroy_ctx (void *arg)
{
    fripp_ctx_destroy (arg);
}

static void test_close (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;
    struct meter meter;
    int calls;

    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    flux_aux_set (h, "fripp", ctx, destroy_ctx);
    fripp_format_send (ctx, "a:1|c");
    standin_advance (h, 1);
    calls = standin_calls (NULL) - standin_calls ("flux_watcher_destroy");
    flux_close (h);
    is_int (standin_calls (NULL) - standin_calls ("flux_watcher_destroy")
            - calls, 1, "destroyed in an aux destructor: no call of Flux but "
            "flux_watcher_destroy");

    /* with much on its mind */
    h = standin_open (0);
    listener_drop (server);
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    flux_aux_set (h, "fripp", ctx, destroy_ctx);
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "kept.%d:1|c", i);
    calls = standin_calls (NULL) - standin_calls ("flux_watcher_destroy");
    meter_start (&meter);
    flux_close (h);
    ok (meter_stop (&meter) < 150, "flux_close is quick with lines that wait "
        "and a message to log");
    is_int (standin_calls (NULL) - standin_calls ("flux_watcher_destroy")
            - calls, 1, "and nothing is logged then");

    /* the server is there by then */
    h = standin_open (0);
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    flux_aux_set (h, "fripp", ctx, destroy_ctx);
    for (int i = 0; i < 100; i++)
        fripp_format_send (ctx, "kept.%d:1|c", i);
    listener_clear (server);
    listener_reopen (server);
    flux_close (h);
    listener_quiet (server, 0);
    is_int (listener_lines (server), 100,
            "an aux destructor sends what is pending");
    listener_destroy (server);
}

/* With a function, Flux's log hears nothing.
 */
static void test_set_log (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct logbook book = { 0 };
    flux_t *h = standin_open (0);
    struct fripp_ctx *ctx;

    listener_drop (server);
    ctx = fripp_ctx_create (h, "127.0.0.1", listener_port (server));
    fripp_set_log (ctx, logbook_write, &book);
    for (int i = 0; i < 100; i++) {
        fripp_format_send (ctx, "a:1|c");
        turn (h, NULL);
    }
    ok (logbook_count (&book) == 1 && standin_log_count (h) == 0,
        "fripp_set_log: the function is told instead of Flux");
    fripp_set_log (ctx, NULL, NULL);
    listener_reopen (server);
    ok (turn_until_log (h, 1) && logbook_count (&book) == 1,
        "NULL: back to Flux");
    show_log (h);
    fripp_ctx_destroy (ctx);
    flux_close (h);
    listener_destroy (server);
}

/* As in a broker: each module is a thread with a handle and a context.
 */
static void *module (void *arg)
{
    struct worker *w = arg;
    int port = w->failed;
    flux_t *h = standin_open (w->id);

    w->failed = 0;
    w->ctx = fripp_ctx_create (h, "127.0.0.1", port);
    flux_aux_set (h, "fripp", w->ctx, destroy_ctx);
    for (int i = 0; i < 200; i++) {
        w->failed += fripp_format_send (w->ctx, "module.%d.%d:1|c", w->id,
                                        i) != 0;
        standin_advance (h, 0.2);
    }
    flux_close (h);
    return NULL;
}

static void test_modules (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct worker workers[17] = { 0 };
    int failed = 0;

    listener_start (server);
    for (int i = 0; i < 17; i++) {
        workers[i].id = i;
        workers[i].failed = listener_port (server);
        pthread_create (&workers[i].thread, NULL, module, &workers[i]);
    }
    for (int i = 0; i < 17; i++) {
        pthread_join (workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    is_int (failed, 0, "17 modules, each a thread with its own handle");
    ok (wait_threads (2, DEADLINE), "no thread is left behind them");
    listener_stop (server);
    listener_destroy (server);
}

int main (void)
{
    test_life ();
    test_failures ();
    test_no_handle ();
    test_logging ();
    test_after_outage ();
    test_log_texts ();
    test_environment ();
    test_nosuch ();
    test_slow ();
    test_threads ();
    test_no_thread ();
    test_close ();
    test_set_log ();
    test_modules ();
    return done_testing ();
}
