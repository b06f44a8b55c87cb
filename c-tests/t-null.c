/* NULL in every pointer position of every function, and a disabled context,
 * which takes every call.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "calls.h"
#include "listener.h"
#include "tap.h"

#define TAKES(name, good, null) \
    ok ((errno = EXDEV, good) && errno == EXDEV, \
        "a disabled context takes it: " #name);
#define AT_NULL(name, good, null) ok (null, #name ": NULL at each pointer");
#define CALL(name, good, null) all = (good) && all;

/* Each function with NULL, and then what else there is to say of NULL.
 */
static void test_null (struct fripp_ctx *ctx)
{
    struct operands operands = { .ctx = ctx, .enabled = true,
                                 .reachable = true };
    struct fripp_timer never = FRIPP_TIMER_INIT;
    struct operands *o = &operands;
    bool all = true;

    CALLS (CALL)
    ok (all, "all calls succeed with what they need");
    CALLS (AT_NULL)
    ok (fripp_metric_get (ctx, FRIPP_COUNTER, "a", NULL) != NULL,
        "fripp_metric_get: NULL tags are none");
    ok (REFUSED (fripp_metric_stop (o->timer, &never)),
        "fripp_metric_stop: a timer that was never started is EINVAL");
    ok (REFUSED (fripp_get_stats (ctx, &o->stats, 0)),
        "fripp_get_stats: size 0 is EINVAL");
    fripp_ctx_destroy (o->made_uri);
}

static void test_disabled (struct fripp_ctx *ctx)
{
    struct operands operands = { .ctx = ctx };
    struct operands *o = &operands;
    struct fripp_stats zeros = { 0 };

    CALLS (TAKES)
    memset (&o->stats, 0xff, sizeof (o->stats));
    ok (fripp_get_stats (ctx, &o->stats, sizeof (o->stats)) == 0
        && !memcmp (&o->stats, &zeros, sizeof (zeros)),
        "a disabled context has stats of zeros");
    ok (REFUSED (fripp_format_send (ctx, o->null)),
        "a NULL format is EINVAL to a disabled context too");
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    const char *volatile null = NULL;
    struct fripp_ctx *disabled;
    struct fripp_ctx *ctx;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (server));
    ok (ctx != NULL, "fripp_ctx_create: a NULL handle is none");
    unsetenv ("FLUX_FRIPP_STATSD");
    disabled = fripp_ctx_create_uri (NULL, NULL);
    ok (disabled != NULL, "fripp_ctx_create_uri: NULL, NULL is a context");
    ok (fripp_enabled (ctx) && !fripp_enabled (disabled),
        "fripp_enabled: true with an endpoint, false without");
    ok (fripp_format_send (ctx, "a:%s|c", null) == 0
        && listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "a:(null)|c", 10),
        "fripp_format_send: a NULL for %%s is what printf makes of it");
    errno = EXDEV;
    ok (fripp_set_log (ctx, NULL, NULL) == 0 && errno == EXDEV,
        "fripp_set_log: a NULL function is nobody");
    ok (fripp_version () && !strcmp (fripp_version (), FRIPP_VERSION),
        "fripp_version () equals FRIPP_VERSION");

    test_disabled (disabled);
    /* the list has a dialect in which every type can be sent */
    fripp_set_dialect (ctx, FRIPP_DOGSTATSD);
    test_null (ctx);

    fripp_ctx_destroy (disabled);
    fripp_ctx_destroy (ctx);
    listener_destroy (server);
    return done_testing ();
}
