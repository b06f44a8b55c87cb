/* Replays a capture through libfripp and through the week-4 library, live,
 * each to a listener of its own, and compares what they get, byte for byte.
 *
 *   FRIPP_BASELINE  the week-4 library
 *   FRIPP_CAPTURE   one JSON object a line, with the datagram as "text";
 *                   compressed where the name ends in .gz
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

/* The two functions that both libraries have; the week-4 one returns
 * nothing, whatever its header says.
 */
struct library {
    const char *name;
    struct listener *server;
    void *ctx;
    void *(*create) (void *h, const char *hostname, int port);
    void (*destroy) (void *ctx);
    int (*format_send) (void *ctx, const char *fmt, ...);
    size_t bytes;
};

static void library_open (struct library *lib, const char *path)
{
    void *dso;

    if (!(dso = dlopen (path, RTLD_NOW | RTLD_LOCAL)))
        bail_out ("%s", dlerror ());
    *(void **)&lib->create = dlsym (dso, "fripp_ctx_create");
    *(void **)&lib->destroy = dlsym (dso, "fripp_ctx_destroy");
    *(void **)&lib->format_send = dlsym (dso, "fripp_format_send");
    if (!lib->create || !lib->destroy || !lib->format_send)
        bail_out ("%s lacks a function", path);
    lib->name = path;
    lib->server = listen_udp ("127.0.0.1");
    lib->ctx = lib->create (NULL, "127.0.0.1", listener_port (lib->server));
    if (!lib->ctx)
        bail_out ("%s makes no context", path);
}

static void library_close (struct library *lib)
{
    lib->destroy (lib->ctx);
    listener_destroy (lib->server);
}

/* Sends a text and waits for what comes of it: nothing else is under way.
 */
static void library_send (struct library *lib, const char *text, size_t n)
{
    listener_clear (lib->server);
    (void)lib->format_send (lib->ctx, "%s", text);
    listener_wait (lib->server, n, 2000);
    listener_quiet (lib->server, 0);
    for (size_t i = 0; i < listener_count (lib->server); i++)
        lib->bytes += listener_get (lib->server, i)->len;
}

static FILE *open_capture (const char *path)
{
    size_t len = strlen (path);
    char cmd[5000];
    FILE *f;

    if (len > 3 && !strcmp (path + len - 3, ".gz")) {
        snprintf (cmd, sizeof (cmd), "exec gzip -dc '%s'", path);
        f = popen (cmd, "re");
    }
    else
        f = fopen (path, "re");
    if (!f)
        bail_out ("cannot read %s", path);
    return f;
}

/* The string behind "text" in a line of JSON, unescaped in place.
 */
static char *json_text (char *line)
{
    char *p = strstr (line, "\"text\":");
    char *out;
    char *text;

    if (!p || !(p = strchr (p + 7, '"')))
        return NULL;
    text = out = ++p;
    for (; *p && *p != '"'; p++) {
        unsigned int code;

        if (*p != '\\') {
            *out++ = *p;
            continue;
        }
        switch (*++p) {
            case 'n': *out++ = '\n'; break;
            case 't': *out++ = '\t'; break;
            case 'r': *out++ = '\r'; break;
            case 'u':
                if (sscanf (p + 1, "%4x", &code) != 1 || code > 127)
                    bail_out ("an escape that this does not know: %.6s", p);
                *out++ = (char)code;
                p += 4;
                break;
            default: *out++ = *p; break;
        }
    }
    if (*p != '"')
        return NULL;
    *out = '\0';
    return text;
}

int main (void)
{
    const char *baseline = getenv ("FRIPP_BASELINE");
    const char *capture = getenv ("FRIPP_CAPTURE");
    struct library fripp = { 0 };
    struct library week4 = { 0 };
    static char line[1 << 20];
    size_t texts = 0;
    size_t lines = 0;
    size_t datagrams = 0;
    size_t different = 0;
    size_t changed = 0;
    double start = now_ms ();
    FILE *f;

    if (!baseline || !*baseline || !capture || !*capture) {
        fprintf (stderr, "FRIPP_BASELINE must name the week-4 library and "
                 "FRIPP_CAPTURE a capture\n");
        return 2;
    }
    library_open (&week4, baseline);
    library_open (&fripp, "libfripp.so.0");
    f = open_capture (capture);
    while (fgets (line, sizeof (line), f)) {
        char *text;
        size_t n;

        if (!(text = json_text (line)))
            bail_out ("no text in line %zu", texts + 1);
        texts++;
        library_send (&week4, text, 1);
        n = listener_count (week4.server);
        library_send (&fripp, text, n);
        datagrams += n;
        lines += listener_lines (week4.server);
        if (listener_count (fripp.server) != n) {
            different++;
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            const struct datagram *d = listener_get (week4.server, i);

            if (!listener_got (fripp.server, i, d->data, d->len)) {
                different++;
                break;
            }
        }
        if (n != 1 || !listener_got (fripp.server, 0, text, strlen (text)))
            changed++;
    }
    printf ("%zu calls, %zu datagrams, %zu lines in %.1f s\n", texts,
            datagrams, lines, (now_ms () - start) / 1e3);
    printf ("week 4: %zu bytes, libfripp: %zu bytes\n", week4.bytes,
            fripp.bytes);
    printf ("%zu calls of which the two listeners got different datagrams\n",
            different);
    printf ("%zu calls whose text is not what arrived\n", changed);
    library_close (&fripp);
    library_close (&week4);
    return texts == 0 || different ? 1 : 0;
}
