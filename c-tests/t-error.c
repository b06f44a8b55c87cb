/* fripp_error (): why the last failed call of a thread failed.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

struct wrong {
    const char *uri;
    const char *reason;
};

static const struct wrong uris[] = {
    { "localhost", "no port in 'localhost'" },
    { ":8125", "no host in ':8125'" },
    { "localhost:70000", "port '70000' is not 1 to 65535" },
    { "::1:8125",
      "'::1:8125': an IPv6 address needs brackets, as in [::1]:8125" },
    { "unix:x", "the UNIX socket 'x' is neither /path nor @name" },
    { "h:1?color=red", "unknown key 'color' (one of: dialect, period, "
      "prefix, tags, mtu, refresh, max_metrics, max_samples, buffer, "
      "histogram, origin, telemetry)" },
    { "h:1?dialect=statds", "unknown dialect 'statds' (one of: brubeck, "
      "statsd, dogstatsd, telegraf, graphite, vector, otel, exporter, "
      "gostatsd, collectd, netdata, statsite, datadog, influx, prometheus)" },
    { "tcp://localhost", "no port in 'tcp://localhost'" },
    { "http://h:1", "unknown scheme 'http' (one of: udp, tcp, unix, unixgram, "
      "unixstream)" },
    { "unixstream:x", "the UNIX socket 'x' is neither /path nor @name" },
    { "h:1?telemetry=2", "telemetry is 0 or 1, not '2'" },
    { "h:1?mtu=1", "the mtu is 512 to 65507 bytes, not '1'" },
    { "h:1?tags=k:v", "dialect statsd has no tags" },
    { "h:1?prefix=%zz", "'%zz' has a '%' without two hexadecimal digits" },
};

static void *other_thread (void *arg)
{
    (void)arg;
    is_str (fripp_error (), "", "another thread has a reason of its own");
    ok (!fripp_ctx_create_uri (NULL, "h"), "which a failure there sets");
    is_str (fripp_error (), "no port in 'h'", "to what went wrong");
    return NULL;
}

static void test_create (void)
{
    size_t i;

    is_str (fripp_error (), "", "empty before the first failure");
    for (i = 0; i < sizeof (uris) / sizeof (uris[0]); i++) {
        ok (!fripp_ctx_create_uri (NULL, uris[i].uri) && errno == EINVAL,
            "%s is EINVAL", uris[i].uri);
        is_str (fripp_error (), uris[i].reason, "and says why");
    }
    ok (!fripp_ctx_create (NULL, "127.0.0.1:8125", 8125)
            && errno == EINVAL, "a host with a port is EINVAL");
    is_str (fripp_error (), "the host '127.0.0.1:8125' holds a ':'; the "
            "port is given by itself", "and says why");
    ok (!fripp_ctx_create (NULL, NULL, 8125), "a host of NULL");
    is_str (fripp_error (), "hostname is NULL", "names the argument");
    ok (!fripp_ctx_create (NULL, "localhost", 0), "port 0");
    is_str (fripp_error (), "the port is 1 to 65535", "says what is right");
}

static void test_calls (struct fripp_ctx *ctx)
{
    struct fripp_timer never = FRIPP_TIMER_INIT;
    struct fripp_metric *m;
    char text[1500];

    ok (fripp_inc (NULL, "n", 1) < 0, "ctx of NULL");
    is_str (fripp_error (), "ctx is NULL", "names the argument");
    ok (fripp_inc (ctx, NULL, 1) < 0, "name of NULL");
    is_str (fripp_error (), "name is NULL", "names the argument");
    ok (fripp_metric_add (NULL, 1) < 0, "m of NULL");
    is_str (fripp_error (), "m is NULL", "names the argument");
    ok (fripp_format_send (ctx, NULL) < 0, "fmt of NULL");
    is_str (fripp_error (), "fmt is NULL", "names the argument");
    ok (fripp_timer_stop (ctx, "n", &never) < 0, "a timer without a start");
    is_str (fripp_error (), "t is NULL or was never started", "says so");
    ok (fripp_send (ctx, "n", 1., (enum fripp_type)9) < 0, "type 9");
    is_str (fripp_error (), "unknown type 9", "is unknown");
    ok (fripp_timing (ctx, "n", NAN) < 0, "NAN");
    is_str (fripp_error (), "the value is not a number", "is no number");
    ok ((m = fripp_metric_get (ctx, FRIPP_TIMER, "n", NULL)) != NULL
            && fripp_metric_add (m, 1) < 0, "a timer does not add");
    is_str (fripp_error (), "a timer does not take a number to add",
            "and says so");
    ok (!fripp_metric_get (ctx, FRIPP_TIMER, "n", "k:v")
            && errno == ENOTSUP, "tags for brubeck");
    is_str (fripp_error (), "dialect brubeck has no tags", "names both");
    memset (text, 'x', sizeof (text) - 1);
    text[sizeof (text) - 1] = '\0';
    ok (fripp_format_send (ctx, "%s", text) < 0 && errno == EMSGSIZE,
        "a long line");
    is_str (fripp_error (), "a line is longer than a datagram", "is named");
    ok (fripp_inc (ctx, "n", 1) == 0, "a call that succeeds");
    is_str (fripp_error (), "a line is longer than a datagram",
            "leaves the reason");
    errno = EXDEV;
    ok (fripp_error () && errno == EXDEV, "errno is left as it was");
}

static void test_log (struct fripp_ctx *ctx)
{
    struct logbook book = { 0 };

    ok (fripp_set_log (ctx, logbook_write, &book) == 0, "a log function");
    ok (logbook_wait (&book, 1, 1000)
            && !strcmp (book.text[0],
                        "metric 'n' is dropped: the value is not a number"),
        "it receives what was said before: the metric and the reason");
}

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    pthread_t thread;

    test_create ();
    ok ((ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (l)))
            != NULL, "a context");
    test_calls (ctx);
    test_log (ctx);
    if (pthread_create (&thread, NULL, other_thread, NULL))
        bail_out ("pthread_create");
    pthread_join (thread, NULL);
    is_str (fripp_error (), "a line is longer than a datagram",
            "and does not disturb this one's");
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
    return done_testing ();
}
