/* What a caller, or another thread, may do to a program with this library.
 * This program's own functions stand before the system's.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

static unsigned long secure;
static char text[10001];
static int next_len;

static void set_length (int len)
{
    memset (text, 'x', len);
    memcpy (text + len - 4, ":1|c", 4);
    text[len] = '\0';
}

unsigned long getauxval (unsigned long type)
{
    static unsigned long (*next) (unsigned long);

    if (!next)
        *(void **)&next = dlsym (RTLD_NEXT, "getauxval");
    return type == AT_SECURE ? secure : next (type);
}

/* Another thread has another text there after the first look at it.
 */
int vsnprintf (char *buf, size_t size, const char *fmt, va_list ap)
{
    static int (*next) (char *, size_t, const char *, va_list);
    int n;

    if (!next)
        *(void **)&next = dlsym (RTLD_NEXT, "vsnprintf");
    n = next (buf, size, fmt, ap);
    if (next_len > 0) {
        set_length (next_len);
        next_len = 0;
    }
    return n;
}

static void test_environment (struct listener *server)
{
    struct fripp_ctx *ctx;
    char uri[64];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (fripp_enabled (ctx), "the environment has an endpoint");
    fripp_ctx_destroy (ctx);
    secure = 1;
    ctx = fripp_ctx_create_uri (NULL, NULL);
    ok (ctx && !fripp_enabled (ctx), "a set-user-ID program does not read it");
    fripp_ctx_destroy (ctx);
    secure = 0;
}

static void test_text (struct listener *server)
{
    struct fripp_ctx *ctx;
    char uri[64];
    static const int lens[][2] = { { 5000, 9000 }, { 5000, 4500 } };

    snprintf (uri, sizeof (uri), "127.0.0.1:%d?mtu=20000",
              listener_port (server));
    ctx = fripp_ctx_create_uri (NULL, uri);
    for (int i = 0; i < 2; i++) {
        set_length (lens[i][0]);
        next_len = lens[i][1];
        fripp_format_send (ctx, "%s", text);
        listener_need (server, 1);
        is_int (listener_get (server, 0)->len,
                lens[i][1] < lens[i][0] ? lens[i][1] : lens[i][0],
                "a text of %d bytes that becomes one of %d meanwhile",
                lens[i][0], lens[i][1]);
        listener_clear (server);
    }
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");

    test_environment (server);
    test_text (server);
    listener_destroy (server);
    return done_testing ();
}
