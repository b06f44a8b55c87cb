/* A module that uses libfripp, loaded and unloaded by t-dlopen.c.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <fripp.h>

struct fripp_ctx *plugin_create (const char *hostname, int port);
int plugin_send (struct fripp_ctx *ctx, int lines);
int plugin_count (struct fripp_ctx *ctx);
void plugin_destroy (struct fripp_ctx *ctx);

struct fripp_ctx *plugin_create (const char *hostname, int port)
{
    return fripp_ctx_create (NULL, hostname, port);
}

int plugin_send (struct fripp_ctx *ctx, int lines)
{
    int rc = 0;

    for (int i = 0; i < lines; i++)
        rc |= fripp_format_send (ctx, "plugin.%d:1|c", i);
    return rc;
}

int plugin_count (struct fripp_ctx *ctx)
{
    return fripp_inc (ctx, "plugin.n", 1);
}

void plugin_destroy (struct fripp_ctx *ctx)
{
    fripp_ctx_destroy (ctx);
}
