/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "tap.h"
#include "context.h"

#define MARK "end.of.test:1|c"

const char *const dialect_names[DIALECTS] = {
    "brubeck", "statsd", "dogstatsd", "telegraf", "graphite"
};

static size_t last_datagrams;

static struct fripp_ctx *vopen (const char *where, const char *fmt,
                                va_list ap)
{
    struct fripp_ctx *ctx;
    char uri[1024];
    int n;

    n = snprintf (uri, sizeof (uri), "%s?", where);
    (void)vsnprintf (uri + n, sizeof (uri) - n, fmt, ap);
    if (!strstr (uri, "dialect="))
        strncat (uri, "&dialect=brubeck", sizeof (uri) - strlen (uri) - 1);
    if (!(ctx = fripp_ctx_create_uri (NULL, uri)))
        bail_out ("no context of %s", uri);
    return ctx;
}

struct fripp_ctx *ctx_open (struct listener *l, const char *fmt, ...)
{
    struct fripp_ctx *ctx;
    char where[64];
    va_list ap;

    snprintf (where, sizeof (where), "127.0.0.1:%d", listener_port (l));
    va_start (ap, fmt);
    ctx = vopen (where, fmt, ap);
    va_end (ap);
    return ctx;
}

struct fripp_ctx *ctx_open_lossless (struct listener **l, const char *fmt,
                                     ...)
{
    static int number;
    struct fripp_ctx *ctx;
    char where[64];
    va_list ap;

    snprintf (where, sizeof (where), "unix:@fripp-test-%d-%d",
              (int)getpid (), number++);
    *l = listen_unix (strchr (where, '@'));
    va_start (ap, fmt);
    ctx = vopen (where, fmt, ap);
    va_end (ap);
    return ctx;
}

void flush_all (struct fripp_ctx *ctx)
{
    double end = now_ms () + DEADLINE;

    while (fripp_flush (ctx) < 0) {
        if (now_ms () > end)
            bail_out ("fripp_flush does not end");
    }
}

/* The number of the datagram that the mark is, or -1.
 */
static long find_mark (struct listener *l)
{
    for (size_t i = 0; i < listener_count (l); i++) {
        if (listener_got (l, i, MARK, strlen (MARK)))
            return (long)i;
    }
    return -1;
}

const char *arrived (struct fripp_ctx *ctx, struct listener *l)
{
    static char *text;
    size_t len;
    long mark;

    if (fripp_format_send (ctx, MARK) < 0)
        bail_out ("the mark cannot be sent");
    while ((mark = find_mark (l)) < 0) {
        size_t n = listener_count (l);

        if (listener_wait (l, n + 1, DEADLINE) == n)
            bail_out ("the mark does not arrive");
    }
    if ((size_t)mark + 1 != listener_count (l))
        bail_out ("something arrived after the mark");
    last_datagrams = (size_t)mark;
    free (text);
    text = listener_text (l);
    len = strlen (text) - strlen (MARK) - 1;
    text[len > 0 ? len - 1 : 0] = '\0';
    listener_clear (l);
    return text;
}

const char *flushed (struct fripp_ctx *ctx, struct listener *l)
{
    if (fripp_flush (ctx) < 0)
        bail_out ("fripp_flush fails");
    return arrived (ctx, l);
}

size_t datagrams (void)
{
    return last_datagrams;
}

const char *repeat (char c, size_t len)
{
    static char *texts[8];
    static int next;
    char **text = &texts[next++ % 8];

    free (*text);
    if (!(*text = malloc (len + 1)))
        bail_out ("out of memory");
    memset (*text, c, len);
    (*text)[len] = '\0';
    return *text;
}
