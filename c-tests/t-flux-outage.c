/* What Flux's log hears of a server that does not answer, and of a wrong
 * setting.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <flux/core.h>
#include <fripp.h>

#include "flux-standin/standin.h"
#include "listener.h"
#include "proc.h"
#include "tap.h"

#define CONTEXTS 15

static struct fripp_ctx *ctx[CONTEXTS];

static bool turn_until (flux_t *h, bool (*test) (flux_t *h))
{
    double end = now_ms () + DEADLINE;

    while (!test (h) && now_ms () < end) {
        for (int i = 0; i < CONTEXTS; i++)
            fripp_inc (ctx[i], "n", 1);
        rest_ms (5);
        standin_advance (h, 0);
    }
    return test (h);
}

static bool all_refused (flux_t *h)
{
    (void)h;
    for (int i = 0; i < CONTEXTS; i++) {
        struct fripp_stats stats;

        fripp_get_stats (ctx[i], &stats, sizeof (stats));
        if (stats.send_errors == 0)
            return false;
    }
    return true;
}

static bool all_sent (flux_t *h)
{
    (void)h;
    for (int i = 0; i < CONTEXTS; i++) {
        struct fripp_stats stats;

        fripp_get_stats (ctx[i], &stats, sizeof (stats));
        if (stats.lines == 0)
            return false;
    }
    return true;
}

static void test_outage (flux_t *h)
{
    struct listener *l = listen_udp ("127.0.0.1");
    int port = listener_port (l);
    char uri[64];

    listener_destroy (l);
    snprintf (uri, sizeof (uri), "127.0.0.1:%d?period=0.01", port);
    for (int i = 0; i < CONTEXTS; i++)
        must ((ctx[i] = fripp_ctx_create_uri (h, uri)) != NULL);
    must (turn_until (h, all_refused));
    is_int (standin_log_count (h), 1, "15 contexts, nobody there: one line");
    ok (strstr (standin_log_text (h, 0), "cannot send to") != NULL
        && standin_log_level (h, 0) == LOG_DEBUG, "at LOG_DEBUG");
    /* the one that was first goes, which is no news */
    fripp_ctx_destroy (ctx[0]);
    must ((ctx[0] = fripp_ctx_create_uri (h, uri)) != NULL);
    must (turn_until (h, all_refused));
    is_int (standin_log_count (h), 1, "one more context is no line more");
    must ((l = listen_udp_at ("127.0.0.1", port)) != NULL);
    must (turn_until (h, all_sent));
    is_int (standin_log_count (h), 2, "its end is one line");
    ok (standin_log_level (h, 1) == LOG_DEBUG, "at LOG_DEBUG");
    for (int i = 0; i < CONTEXTS; i++)
        fripp_ctx_destroy (ctx[i]);
    listener_destroy (l);
    standin_log_clear (h);
}

static void test_setting (flux_t *h)
{
    struct logbook book = { 0 };
    struct fripp_ctx *wrong;

    setenv ("FLUX_FRIPP_STATSD", "localhost", 1);
    must ((wrong = fripp_ctx_create_uri (h, NULL)) != NULL);
    ok (standin_log_count (h) == 1 && standin_log_level (h, 0) == LOG_ERR
        && strstr (standin_log_text (h, 0), "parse error") != NULL,
        "a wrong setting is an error");
    ok (fripp_set_log (wrong, logbook_write, &book) == 0
        && logbook_count (&book) == 1
        && !strcmp (book.text[0], standin_log_text (h, 0)),
        "a log function receives what was said before");
    is_int (count_threads (), 1, "and there is no thread for it");
    fripp_ctx_destroy (wrong);
}

int main (void)
{
    flux_t *h = standin_open (3);

    standin_real_time (h);
    test_outage (h);
    test_setting (h);
    flux_close (h);
    return done_testing ();
}
