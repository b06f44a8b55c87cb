/* Events and service checks.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <fripp.h>

#include "context.h"
#include "listener.h"
#include "tap.h"

static void test_lines (struct listener *l)
{
    struct fripp_ctx *ctx;

    ctx = ctx_open (l, NEVER "&dialect=dogstatsd&prefix=p&tags=host:a");
    ok (fripp_event (ctx, "Job 7 failed", "exit 1\nof node2|7",
                     FRIPP_ALERT_ERROR, "job:7") == 0
        && fripp_event (ctx, "up", "", FRIPP_ALERT_INFO, NULL) == 0
        && fripp_event (ctx, "up", "", FRIPP_ALERT_SUCCESS, "host:b") == 0
        && fripp_event (ctx, "up", "", FRIPP_ALERT_WARNING, "") == 0,
        "events");
    is_str (arrived (ctx, l),
            "_e{12,18}:Job 7 failed|exit 1\\nof node2|7|t:error|#host:a,job:7\n"
            "_e{2,0}:up||t:info|#host:a\n"
            "_e{2,0}:up||t:success|#host:b\n"
            "_e{2,0}:up||t:warning|#host:a",
            "arrive at once, without the prefix, with the context's tags");
    ok (fripp_service_check (ctx, "kvs.up", FRIPP_STATUS_OK, NULL, NULL) == 0
        && fripp_service_check (ctx, "kvs|up", FRIPP_STATUS_WARNING, "",
                                "k:v") == 0
        && fripp_service_check (ctx, "kvs.up", FRIPP_STATUS_CRITICAL,
                                "no\nm:store", "k:v") == 0
        && fripp_service_check (ctx, "kvs.up", FRIPP_STATUS_UNKNOWN, "a|b",
                                NULL) == 0,
        "service checks");
    is_str (arrived (ctx, l),
            "_sc|kvs.up|0|#host:a\n"
            "_sc|kvs_up|1|#host:a,k:v\n"
            "_sc|kvs.up|2|#host:a,k:v|m:no\\nm\\:store\n"
            "_sc|kvs.up|3|#host:a|m:a_b",
            "arrive, the message behind the tags");
    fripp_ctx_destroy (ctx);
}

static void test_errors (struct listener *l)
{
    struct fripp_ctx *ctx = ctx_open (l, NEVER "&dialect=dogstatsd");
    struct fripp_stats stats;
    size_t i;

    ok (FAILS (fripp_event (ctx, "", "x", FRIPP_ALERT_INFO, ""), EINVAL),
        "an empty title");
    is_str (fripp_error (), "the title is empty", "says so");
    ok (FAILS (fripp_event (ctx, "t", "", (enum fripp_alert)4, ""), EINVAL),
        "an unknown alert");
    is_str (fripp_error (), "unknown alert 4", "says so");
    ok (FAILS (fripp_service_check (ctx, "n", (enum fripp_status)4, "", ""),
               EINVAL), "an unknown status");
    is_str (fripp_error (), "unknown status 4", "says so");
    ok (FAILS (fripp_service_check (ctx, "..", FRIPP_STATUS_OK, "", ""),
               EINVAL), "a name of which nothing is left");
    ok (FAILS (fripp_event (ctx, "t", "", FRIPP_ALERT_INFO, ":v"), EINVAL),
        "a tag without a key");
    ok (FAILS (fripp_event (ctx, "t", repeat ('x', 1440), FRIPP_ALERT_INFO,
                            ""), EMSGSIZE), "longer than a datagram");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    ok (stats.dropped_invalid == 3 && stats.dropped_oversize == 1,
        "what was dropped is counted");
    for (i = 0; i < DIALECTS; i++) {
        if (i == FRIPP_DOGSTATSD)
            continue;
        must (fripp_set_dialect (ctx, (enum fripp_dialect)i) == 0);
        ok (FAILS (fripp_event (ctx, "t", "x", FRIPP_ALERT_INFO, ""), ENOTSUP)
            && FAILS (fripp_service_check (ctx, "n", FRIPP_STATUS_OK, "", ""),
                      ENOTSUP), "%s has neither", dialect_names[i]);
    }
    is_str (arrived (ctx, l), "", "nothing arrived");
    fripp_ctx_destroy (ctx);
}

static void test_waits (void)
{
    struct fripp_stats stats;
    struct fripp_ctx *ctx;
    struct listener *l;

    ctx = fripp_ctx_create_uri (NULL, "unix:@fripp-test-event"
                                "?dialect=dogstatsd&period=3600");
    must (ctx != NULL);
    is_int (fripp_event (ctx, "t", "x", FRIPP_ALERT_INFO, ""), 0,
            "no server: an event is kept");
    fripp_get_stats (ctx, &stats, sizeof (stats));
    ok (stats.pending > 0 && stats.dropped == 0, "it is pending");
    must ((l = listen_unix ("@fripp-test-event")) != NULL);
    flush_all (ctx);
    is_str (arrived (ctx, l), "_e{1,1}:t|x|t:info", "a server comes: it goes");
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
}

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");

    test_lines (l);
    test_errors (l);
    test_waits ();
    listener_destroy (l);
    return done_testing ();
}
