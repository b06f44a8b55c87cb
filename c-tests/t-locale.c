/* Numbers never follow the locale. It is made here: de_DE.UTF-8 where the
 * system has its source (the package "locales"), else one of the test's own
 * that has nothing but a decimal comma.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"
#include "context.h"

static const char *const source =
    "LC_NUMERIC\n"
    "decimal_point \"<U002C>\"\n"
    "thousands_sep \"<U002E>\"\n"
    "grouping 3;3\n"
    "END LC_NUMERIC\n";

static bool run (const char *fmt, const char *dir)
{
    char cmd[512];

    snprintf (cmd, sizeof (cmd), fmt, dir, dir);
    return system (cmd) == 0;
}

/* Makes a locale with a decimal comma and uses it. Returns its name.
 */
static const char *use_comma (const char *dir)
{
    char path[256];
    FILE *f;

    setenv ("LOCPATH", dir, 1);
    if (run ("localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null", dir)
        && setlocale (LC_ALL, "de_DE.UTF-8"))
        return "de_DE.UTF-8";
    snprintf (path, sizeof (path), "%s/source", dir);
    if (!(f = fopen (path, "w")))
        bail_out ("%s: %s", path, strerror (errno));
    fputs (source, f);
    fclose (f);
    /* it warns of all that is not in there, and makes the file */
    (void)run ("localedef -c -i %s/source %s/comma >/dev/null 2>&1", dir);
    return setlocale (LC_NUMERIC, "comma");
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    char dir[] = "/tmp/fripp-locale-XXXXXX";
    struct fripp_metric *m;
    const char *name;
    char text[32];

    if (!mkdtemp (dir))
        bail_out ("mkdtemp: %s", strerror (errno));
    name = use_comma (dir);
    if (!name) {
        skip ("without locales and localedef", "a locale with a comma");
        (void)run ("rm -rf %s", dir);
        listener_destroy (server);
        return done_testing ();
    }
    snprintf (text, sizeof (text), "%.1f", 1234.5);
    is_str (text, "1234,5", "printf uses it: %s", name);

    for (int d = 0; d < DIALECTS; d++) {
        struct fripp_ctx *ctx;
        char want[512];

        ctx = ctx_open (server, "period=3600.5&refresh=0.25&dialect=%s",
                        dialect_names[d]);
        fripp_gauge_real (ctx, "g", 1234.5);
        fripp_gauge (ctx, "i", 1234567, false);
        m = fripp_metric_get (ctx, FRIPP_GAUGE, "m", NULL);
        fripp_metric_set_real (m, 0.000000001);
        fripp_timing (ctx, "t", 1234.567891);
        fripp_histogram (ctx, "h", 1e21);
        fripp_send (ctx, "s", 0.25, FRIPP_GAUGE);
        fripp_inc (ctx, "c", -1234567);
        snprintf (want, sizeof (want), "g:1234.5|g\ni:1234567|g\n"
                  "m:0.000000001|g\ns:0.25|g\nc:-1234567|c\n"
                  "t:1234.567891|ms\nh:1000000000000000000000|%s",
                  d == FRIPP_STATSD || d == FRIPP_GRAPHITE ? "ms" : "h");
        is_str (flushed (ctx, server), want, "%s: decimals have dots",
                dialect_names[d]);
        fripp_ctx_destroy (ctx);
    }
    {
        struct fripp_ctx *ctx = ctx_open (server, NEVER "&prefix=p");
        char *lines;

        for (int i = 0; i < 40000; i++)
            fripp_timing (ctx, "t", 0.5);
        flush_all (ctx);
        listener_need (server, 1);
        lines = listener_text (server);
        ok (!strncmp (lines, "p.t:0.5|ms|@0.5\n", 16),
            "so have sample rates");
        free (lines);
        listener_quiet (server, 0);
        fripp_ctx_destroy (ctx);
        listener_clear (server);
    }
    {
        struct fripp_ctx *ctx = ctx_open (server, NEVER);
        locale_t german, before;
        char text[32];

        must (fripp_format_send (ctx, "a:%f|c", 0.5) == 0);
        must (fripp_sendf (ctx, "b:%.1f|c\n%s:%g|g", 0.5, repeat ('n', 1000),
                           -1.25) == 0);
        must (fripp_packet_appendf (ctx, "d:%'.1f|c", 1234567.5) == 0);
        snprintf (text, sizeof (text), "%.1f", 0.5);
        is_str (text, "0,5", "printf has its comma between the calls");
        /* a locale of the thread's own */
        must (setlocale (LC_ALL, "C") != NULL);
        must ((german = newlocale (LC_NUMERIC_MASK, name ? name : "none",
                                   (locale_t)0)) != (locale_t)0);
        before = uselocale (german);
        must (fripp_packet_appendf (ctx, "e:%.1f|c", 0.5) == 0);
        ok (uselocale (before) == german, "a thread keeps its locale");
        freelocale (german);
        must (setlocale (LC_NUMERIC, name ? name : "none") != NULL);
        snprintf (text, sizeof (text), "%s", "a:0.500000|c\nb:0.5|c\n");
        {
            const char *got = flushed (ctx, server);

            ok (!strncmp (got, text, strlen (text))
                && strstr (got, ":-1.25|g\nd:1234567.5|c\ne:0.5|c"),
                "packets have dots: printf's format is in the C locale");
        }
        fripp_ctx_destroy (ctx);
    }
    ok (FAILS_NULL (fripp_ctx_create_uri (NULL, "127.0.0.1:8125?period=0,5"),
                    EINVAL), "a comma in a URI is none");
    (void)run ("rm -rf %s", dir);
    listener_destroy (server);
    return done_testing ();
}
