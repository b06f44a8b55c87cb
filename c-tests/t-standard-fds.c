/* A host that has closed its standard descriptors prints into no socket.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include <fripp.h>

#include "listener.h"
#include "proc.h"
#include "tap.h"

static int child (struct listener *server)
{
    struct fripp_ctx *ctx;
    char uri[64];

    for (int fd = 0; fd <= 2; fd++)
        close (fd);
    snprintf (uri, sizeof (uri), "127.0.0.1:%d", listener_port (server));
    ctx = fripp_ctx_create_uri (NULL, uri);
    if (!ctx || fripp_format_send (ctx, "n:1|c") < 0)
        return 2;
    for (int fd = 0; fd <= 2; fd++) {
        if (write (fd, "x:1|c", 5) != -1)
            return 3;
    }
    return 0;
}

int main (void)
{
    struct listener *server = listen_udp ("127.0.0.1");
    int status;
    pid_t pid;

    if ((pid = fork ()) == 0)
        _exit (child (server));
    waitpid (pid, &status, 0);
    ok (WIFEXITED (status) && WEXITSTATUS (status) == 0,
        "0, 1 and 2 are closed, and stay so: %d", status);
    ok (listener_wait (server, 1, DEADLINE) == 1
        && listener_got (server, 0, "n:1|c", 5), "lines are sent");
    listener_destroy (server);
    return done_testing ();
}
