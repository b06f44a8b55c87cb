/* {{pid}} in a prefix is that of the process that sends.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fripp.h>

#include "context.h"
#include "listener.h"
#include "tap.h"

/* What a process records and sends.
 */
static int record (struct fripp_ctx *ctx)
{
    fripp_inc (ctx, "n", 1);
    fripp_gauge (ctx, "g", 5, false);
    return fripp_flush (ctx);
}

static void test_child (struct listener *l, const char *settings,
                        const char *prefix)
{
    struct fripp_ctx *ctx = ctx_open (l, "%s", settings);
    char want[256], whole[64];
    int status;
    pid_t pid;

    must (record (ctx) == 0);
    listener_need_lines (l, 2);
    listener_clear (l);
    if ((pid = fork ()) == 0)
        _exit (record (ctx) < 0);
    must (waitpid (pid, &status, 0) == pid && status == 0);
    snprintf (whole, sizeof (whole), prefix, (int)pid);
    snprintf (want, sizeof (want), "%s.n:1|c\n%s.g:5|g", whole, whole);
    is_str (arrived (ctx, l), want, "a child: %s", prefix);
    must (record (ctx) == 0);
    snprintf (whole, sizeof (whole), prefix, (int)getpid ());
    snprintf (want, sizeof (want), "%s.n:1|c", whole);
    ok (strstr (arrived (ctx, l), want) != NULL, "the parent goes on with "
        "its own");
    fripp_ctx_destroy (ctx);
}

int main (void)
{
    struct listener *l = listen_udp ("127.0.0.1");

    test_child (l, NEVER "&dialect=statsd&prefix=a.{{pid}}.b", "a.%d.b");
    test_child (l, NEVER "&dialect=brubeck&prefix={{pid}}", "%d");
    test_child (l, NEVER "&dialect=statsd&prefix=a", "a");
    listener_destroy (l);
    return done_testing ();
}
