/* A NULL URI without a Flux handle: the environment's variables, in order.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "context.h"
#include "listener.h"
#include "tap.h"

static const char *const names[] = {
    "FLUX_FRIPP_STATSD", "DD_DOGSTATSD_URL", "DD_AGENT_HOST",
    "DD_DOGSTATSD_PORT", "STATSD_HOST", "STATSD_PORT",
};

/* Whether a context of the environment sends a set as the dialect does.
 */
static void test_reads (struct listener *l, const char *what, bool sets)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (NULL, NULL);
    char *text;

    ok (ctx && fripp_enabled (ctx), "%s: enabled", what);
    ok ((fripp_unique (ctx, "u", "m") == 0) == sets, "%s: its dialect", what);
    fripp_inc (ctx, "n", 1);
    flush_all (ctx);
    listener_need_lines (l, sets ? 2 : 1);
    text = listener_text (l);
    ok (strstr (text, "n:1|c") != NULL, "%s: the server gets it", what);
    free (text);
    listener_clear (l);
    fripp_ctx_destroy (ctx);
}

/* The pod of the environment, which Kubernetes' configuration sets.
 */
static void test_entity (struct listener *l)
{
    static const char tag[] = "n:1|c|#dd.internal.entity_id:pod-1";
    char uri[128];
    struct fripp_ctx *ctx;
    char *text;

    setenv ("DD_ENTITY_ID", "pod-1", 1);
    for (int tells = 0; tells < 2; tells++) {
        snprintf (uri, sizeof (uri), "127.0.0.1:%d?dialect=dogstatsd%s",
                  listener_port (l), tells ? "&origin=auto" : "");
        ctx = fripp_ctx_create_uri (NULL, uri);
        fripp_inc (ctx, "n", 1);
        flush_all (ctx);
        listener_need_lines (l, 1);
        text = listener_text (l);
        /* in a container its id follows */
        ok (tells ? !strncmp (text, tag, sizeof (tag) - 1)
                  : !strcmp (text, "n:1|c\n"),
            "origin=%s: %s", tells ? "auto" : "none", text);
        free (text);
        listener_clear (l);
        fripp_ctx_destroy (ctx);
    }
    unsetenv ("DD_ENTITY_ID");
}

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    char uri[64], port[16];
    size_t i;

    for (i = 0; i < sizeof (names) / sizeof (names[0]); i++)
        unsetenv (names[i]);
    snprintf (uri, sizeof (uri), "udp://127.0.0.1:%d", listener_port (l));
    snprintf (port, sizeof (port), "%d", listener_port (l));

    setenv ("STATSD_HOST", "127.0.0.1", 1);
    setenv ("STATSD_PORT", port, 1);
    test_reads (l, "STATSD_HOST", true);
    setenv ("STATSD_PORT", "1", 1);
    setenv ("DD_AGENT_HOST", "127.0.0.1", 1);
    setenv ("DD_DOGSTATSD_PORT", port, 1);
    test_reads (l, "DD_AGENT_HOST", true);
    setenv ("DD_DOGSTATSD_PORT", "1", 1);
    setenv ("DD_DOGSTATSD_URL", uri, 1);
    test_reads (l, "DD_DOGSTATSD_URL", true);
    setenv ("DD_DOGSTATSD_URL", "udp://127.0.0.1:1", 1);
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    test_reads (l, "FLUX_FRIPP_STATSD", true);
    setenv ("FLUX_FRIPP_STATSD", "localhost", 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (ctx && !fripp_enabled (ctx), "a wrong one does not fall through");
    fripp_ctx_destroy (ctx);
    test_entity (l);
    listener_destroy (l);
    return done_testing ();
}
