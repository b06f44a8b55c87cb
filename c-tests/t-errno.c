/* errno is left alone by each call that succeeds, and set by what fails:
 * aggregated, at once, with nobody there, and with a name or a path that
 * leads nowhere.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "calls.h"
#include "context.h"
#include "listener.h"
#include "proc.h"
#include "resolver.h"
#include "tap.h"

/* Whether errno is as it was set before the call.
 */
#define KEPT(call) (errno = EXDEV, (call) && errno == EXDEV)
#define KEEPS(name, good, null) ok (KEPT (good), "%s: " #name, where);

/* The first time metrics are made, the second time they are there.
 */
static void test_calls (struct operands *o, const char *where)
{
    CALLS (KEEPS)
    CALLS (KEEPS)
}

/* What is not in the list: types, texts, a log, and what fails.
 */
static void test_others (struct fripp_ctx *ctx, const char *where)
{
    struct logbook book = { 0 };
    struct fripp_metric *m[FRIPP_SET + 1] = { NULL };
    int good = 0;

    for (int type = FRIPP_COUNTER; type <= FRIPP_SET; type++) {
        good += KEPT (fripp_send (ctx, "n:n", 1, type) == 0);
        good += KEPT ((m[type] = fripp_metric_get (ctx, type, "t t", "k:v")));
    }
    good += KEPT (fripp_metric_add (m[FRIPP_GAUGE], 1) == 0);
    good += KEPT (fripp_metric_record (m[FRIPP_HISTOGRAM], 1.5) == 0);
    is_int (good, 2 * (FRIPP_SET + 1) + 2, "%s: each type, by name and by "
            "handle", where);
    ok (KEPT (fripp_set_dialect (ctx, FRIPP_GRAPHITE) == 0)
        && KEPT (fripp_set_agg_period (ctx, 0) == 0),
        "%s: settings that change what is pending", where);
    ok (KEPT (fripp_inc (ctx, "n", 1) == 0)
        && KEPT (fripp_metric_add (m[FRIPP_COUNTER], 1) == 0)
        && KEPT (fripp_timing (ctx, "n", 1) == 0), "%s: at once", where);
    ok (KEPT (fripp_set_log (ctx, logbook_write, &book) == 0),
        "%s: fripp_set_log", where);
    ok (KEPT (fripp_format_send (ctx, "%s", "") == 0),
        "%s: fripp_format_send of an empty text", where);
    errno = EXDEV;
    ok (fripp_format_send (ctx, "%s", repeat ('x', 1441)) == -1
        && errno == EMSGSIZE,
        "%s: fripp_format_send of 1441 bytes sets EMSGSIZE", where);
    ok (KEPT (fripp_set_log (ctx, NULL, NULL) == 0),
        "%s: fripp_set_log of NULL", where);
}

static void test_context (struct fripp_ctx *ctx, bool reachable,
                          const char *where)
{
    struct operands operands = { .ctx = ctx, .enabled = true,
                                 .reachable = reachable };

    if (!ctx)
        bail_out ("%s: no context", where);
    /* in which every type can be sent */
    if (fripp_set_dialect (ctx, FRIPP_DOGSTATSD) < 0)
        bail_out ("%s: no dialect", where);
    test_calls (&operands, where);
    test_others (ctx, where);
    ok (KEPT ((fripp_ctx_destroy (ctx), true)), "%s: fripp_ctx_destroy of it",
        where);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    struct listener *gone = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    char uri[200];

    resolver_answer (NULL);
    listener_drop (gone);
    ok (KEPT ((ctx = fripp_ctx_create (NULL, "127.0.0.1",
                                       listener_port (server)))),
        "fripp_ctx_create of an address");
    test_context (ctx, true, "a server");
    test_context (ctx_open (server, NEVER), true, "a server and a period");

    ok (KEPT ((ctx = fripp_ctx_create (NULL, "127.0.0.1",
                                       listener_port (gone)))),
        "fripp_ctx_create where nobody listens");
    test_context (ctx, false, "no server");
    test_context (ctx_open (gone, NEVER), false, "no server and a period");

    ok (KEPT ((ctx = fripp_ctx_create (NULL, "nosuch.invalid", 8125))),
        "fripp_ctx_create of a name that does not resolve");
    test_context (ctx, false, "no such name");

    snprintf (uri, sizeof (uri), "unix:%s/nobody", scratch_dir ());
    ok (KEPT ((ctx = fripp_ctx_create_uri (NULL, uri))),
        "fripp_ctx_create_uri of a UNIX path that does not exist");
    test_context (ctx, false, "no such path");

    errno = EXDEV;
    ok (!fripp_ctx_create (NULL, "127.0.0.1", 0) && errno == EINVAL,
        "fripp_ctx_create that fails sets errno");
    errno = EXDEV;
    ok (!fripp_ctx_create_uri (NULL, "localhost:") && errno == EINVAL,
        "fripp_ctx_create_uri that fails sets errno");

    listener_destroy (gone);
    listener_destroy (server);
    return done_testing ();
}
