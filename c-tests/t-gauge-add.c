/* fripp_gauge_add () is fripp_gauge () with an increment.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fripp.h>

#include "listener.h"
#include "tap.h"

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");
    struct fripp_ctx *ctx;
    char *text;

    ctx = fripp_ctx_create (NULL, "127.0.0.1", listener_port (l));
    ok (ctx != NULL, "a context");
    ok (fripp_gauge_add (NULL, "g", 1) < 0 && errno == EINVAL,
        "ctx of NULL is EINVAL");
    ok (fripp_gauge_add (ctx, NULL, 1) < 0 && errno == EINVAL,
        "name of NULL is EINVAL");
    ok (fripp_gauge_add (ctx, "g", 5) == 0, "it begins at 0");
    ok (fripp_gauge (ctx, "g", 2, true) == 0, "it is the gauge of the name");
    ok (fripp_gauge_add (ctx, "g", -3) == 0, "it goes down");
    ok (fripp_gauge_add (ctx, "max", INT64_MAX) == 0, "all 64 bits");
    errno = 0;
    ok (fripp_gauge_add (ctx, "max", 1) < 0 && errno == ERANGE,
        "beyond them is ERANGE");
    is_str (fripp_error (), "the increment takes the gauge out of 64 bits",
            "with the reason");
    ok (fripp_flush (ctx) == 0, "flush");
    listener_need_lines (l, 2);
    text = listener_text (l);
    ok (strstr (text, "g:4|g") && strstr (text, "max:9223372036854775807|g"),
        "the server gets the sums");
    free (text);
    fripp_ctx_destroy (ctx);
    listener_destroy (l);
    return done_testing ();
}
