/* The week-4 document's two callers in the broker, modservice.c and
 * content-cache.c, with their calls unchanged.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <flux/core.h>

#include "callers/callers.h"
#include "flux-standin/standin.h"
#include "listener.h"
#include "proc.h"
#include "tap.h"

static void test_modservice (struct listener *server)
{
    static const flux_msgcounters_t counts[] = {
        { 0 },
        { 1, 2, 3, 4, 5, 6, 7, 8 },
        { 1, 2, 3, 4, 5, 6, 7, 8 },
        { INT_MAX, 0, -1, INT_MIN, 42, 1000000, 65536, 9 },
    };
    flux_t *h = standin_open (4294967295U);
    modservice_ctx_t *ctx;
    int rank = -1;

    ctx = modservice_create (h, "job-manager", "127.0.0.1",
                             listener_port (server));
    if (!ctx)
        bail_out ("modservice_create");
    flux_aux_set (h, "flux::modservice", ctx, modservice_destroy);
    for (size_t i = 0; i < sizeof (counts) / sizeof (counts[0]); i++) {
        const flux_msgcounters_t *c = &counts[i];
        char want[2048];

        modservice_set (ctx, c);
        listener_clear (server);
        standin_advance (h, 1);
        snprintf (want, sizeof (want),
                  "flux.job-manager.%d.request_tx:%d|C\n"
                  "flux.job-manager.%d.request_rx:%d|C\n"
                  "flux.job-manager.%d.response_tx:%d|C\n"
                  "flux.job-manager.%d.response_rx:%d|C\n"
                  "flux.job-manager.%d.event_tx:%d|C\n"
                  "flux.job-manager.%d.event_rx:%d|C\n"
                  "flux.job-manager.%d.keepalive_tx:%d|C\n"
                  "flux.job-manager.%d.keepalive_rx:%d|C",
                  rank, c->request_tx, rank, c->request_rx,
                  rank, c->response_tx, rank, c->response_rx,
                  rank, c->event_tx, rank, c->event_rx,
                  rank, c->keepalive_tx, rank, c->keepalive_rx);
        ok (listener_wait (server, 1, DEADLINE) == 1
            && listener_got (server, 0, want, strlen (want)),
            "modservice: eight running totals in one datagram, byte for "
            "byte (%zu)", i);
    }
    listener_clear (server);
    standin_advance (h, 60);
    is_int (listener_wait (server, 60, DEADLINE), 60,
            "modservice: a datagram a second");
    is_int (listener_quiet (server, 0), 60, "and no more");
    is_int (standin_log_count (h), 0, "modservice: nothing logged");
    flux_close (h);
}

static void test_stats (struct listener *server)
{
    struct cache_stats stats = { 250000, 249990, 10, 1 << 30, 7 };
    flux_t *h = standin_open (12);
    struct content_cache *cache;
    const char *want = "flux.content-cache.12.count:250000|g\n"
                       "flux.content-cache.12.valid:249990|g\n"
                       "flux.content-cache.12.dirty:10|g\n"
                       "flux.content-cache.12.size:1073741824|g\n"
                       "flux.content-cache.12.flush-batch-count:7|g";

    cache = content_cache_create (h, "127.0.0.1", listener_port (server));
    if (!cache)
        bail_out ("content_cache_create");
    flux_aux_set (h, "flux::content-cache", cache, content_cache_destroy);
    content_cache_set (cache, &stats);
    listener_clear (server);
    standin_advance (h, 1);
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, want, strlen (want)),
        "content-cache: five gauges in one datagram, byte for byte");
    standin_advance (h, 1);
    ok (listener_wait (server, 2, DEADLINE) == 2
        && listener_got (server, 1, want, strlen (want)),
        "a gauge set to the same value each period is sent each time");
    flux_close (h);
}

/* "name:%lf|ms", whose value only the caller knows.
 */
static bool is_timing (const struct datagram *d, const char *name)
{
    char again[128];
    double ms;
    char *end;

    if (strncmp (d->data, name, strlen (name)) || d->data[strlen (name)] != ':')
        return false;
    ms = strtod (d->data + strlen (name) + 1, &end);
    snprintf (again, sizeof (again), "%s:%lf|ms", name, ms);
    return ms >= 0 && ms < 60000 && !strcmp (end, "|ms")
           && strlen (again) == d->len && !memcmp (again, d->data, d->len);
}

static void test_timings (struct listener *server)
{
    flux_t *h = standin_open (0);
    struct content_cache *cache;
    bool right = true;

    cache = content_cache_create (h, "127.0.0.1", listener_port (server));
    content_cache_store_done (cache);
    is_int (standin_log_count (h), 1, "a store that never began is logged by "
            "the caller");
    standin_log_clear (h);
    listener_clear (server);
    for (int i = 0; i < 400; i++) {
        if (i % 2 ? content_cache_load (cache) : content_cache_store (cache))
            right = false;
        if (i % 2)
            content_cache_load_done (cache);
        else
            content_cache_store_done (cache);
        listener_need (server, i + 1);
    }
    for (int i = 0; i < 400; i++)
        right = right && is_timing (listener_get (server, i),
                                    i % 2 ? "flux.content-cache.load"
                                          : "flux.content-cache.store");
    ok (right, "400 loads and stores: each timing is a datagram of its own, "
        "in order");
    is_int (standin_log_count (h), 0, "content-cache: nothing logged");

    /* two stores in flight have one start between them: the caller's own
     * defect, which fripp_timer is for; no line is lost by it */
    listener_clear (server);
    content_cache_store (cache);
    content_cache_store (cache);
    content_cache_store_done (cache);
    content_cache_store_done (cache);
    is_int (listener_wait (server, 2, DEADLINE), 2,
            "a timing equal to the one before is sent, too");
    content_cache_destroy (cache);
    flux_close (h);
}

/* A failed create leads the callers to their error paths.
 */
static void test_errors (void)
{
    flux_t *h = standin_open (0);

    ok (!modservice_create (h, "kvs", "", 8125)
        && !content_cache_create (h, "127.0.0.1", 70000)
        && standin_watchers (h) == 0,
        "a create that fails leads the callers to their error path");
    flux_close (h);
}

static void test_no_server (struct listener *server)
{
    flux_msgcounters_t mcs = { 1, 2, 3, 4, 5, 6, 7, 8 };
    flux_t *h = standin_open (0);
    modservice_ctx_t *ctx;
    double end;
    int sent = 0;

    listener_drop (server);
    listener_clear (server);
    ctx = modservice_create (h, "kvs", "127.0.0.1", listener_port (server));
    modservice_set (ctx, &mcs);
    for (; sent < 100; sent++)
        standin_advance (h, 1);
    is_int (standin_log_count (h), 1, "a send that fails is logged "
            "with the context's handle, once");
    listener_reopen (server);
    end = now_ms () + DEADLINE;
    /* seconds of the reactor pass in milliseconds, so that several turns
     * may go together: lines are counted */
    do {
        standin_advance (h, 1);
        sent++;
        (void)listener_quiet (server, 2);
    } while ((int)listener_lines (server) < 8 * sent && now_ms () < end);
    is_int (listener_lines (server), 8 * sent,
            "a server that comes later gets all of it");
    modservice_destroy (ctx);
    flux_close (h);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");

    test_modservice (server);
    test_stats (server);
    test_timings (server);
    test_errors ();
    test_no_server (server);
    listener_destroy (server);
    return done_testing ();
}
