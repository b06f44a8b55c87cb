/* unix.c - paths of UNIX sockets that come and go
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const char *path (const struct run *r)
{
    return server_endpoint (r->server) + strlen ("unix:");
}

static void play_not_yet (struct run *r)
{
    at_path (r);
    if (!start (r))
        return;
    wait_recorded (r, 10000);
    server_start (r->server);
    wait_received (r);
    finish (r);
}

/* Somebody removes the path under a server that lives: who is connected does
 * not notice. Then it is created again.
 */
static void play_removed (struct run *r)
{
    at_path (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 0; i < 20; i++) {
        wait_recorded (r, 100);
        wait_received (r);
        (void)unlink (path (r));
        wait_recorded (r, 200);
        server_stop (r->server);
        wait_recorded (r, 200);
        server_start (r->server);
    }
    finish (r);
}

const struct fault unix_paths[] = {
    { "UNIX path not there for 1 s", play_not_yet, .seconds = 2 },
    { "UNIX path removed, and created again, 20 times", play_removed,
      .seconds = 2 },
    { 0 }
};
