/* streams.c - servers of TCP and of UNIX stream sockets: that restart, hang,
 * read slowly, and cut a connection in the middle of a line
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "proc.h"

static void at_stream (struct run *r, bool tcp, bool small)
{
    char path[120];

    snprintf (path, sizeof (path), "%s/%d", scratch_dir (), (int)getpid ());
    r->server = server_stream (r, tcp ? "tcp" : path, small);
    r->period = 10;
}

static void play_restarts (struct run *r)
{
    at_stream (r, true, false);
    restart_often (r, 50);
}

static void play_unix_restarts (struct run *r)
{
    at_stream (r, false, false);
    restart_often (r, 50);
}

static void play_packets (struct run *r)
{
    r->packets = true;
    at_stream (r, true, false);
    restart_often (r, 50);
}

static void play_hang (struct run *r)
{
    at_stream (r, true, false);
    hang (r);
}

static void play_slow (struct run *r)
{
    at_stream (r, true, true);
    server_busy (r->server);
    server_start (r->server);
    if (!start (r))
        return;
    wait_recorded (r, 20000);
    finish (r);
}

/* It reads nothing until the kernel takes no more, which is in the middle of a
 * line most times; then its end is the connection's.
 */
static void cut_often (struct run *r)
{
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 0; i < 5; i++) {
        wait_received (r);
        server_hold (r->server);
        wait_recorded (r, 12000);
        server_cut (r->server);
        server_start (r->server);
    }
    wait_received (r);
    finish (r);
    if (r->board->torn == 0)
        complain (r, "no connection was cut within a line");
}

static void play_cuts (struct run *r)
{
    at_stream (r, true, true);
    cut_often (r);
}

const struct fault streams[] = {
    { "server restarts 50 times, TCP", play_restarts, .only_ours = true,
      .seconds = 4 },
    { "server restarts 50 times, UNIX stream", play_unix_restarts,
      .only_ours = true, .seconds = 4 },
    { "server restarts 50 times, packets over TCP", play_packets,
      .only_ours = true, .seconds = 4 },
    { "server hangs for 1 s, TCP", play_hang, .only_ours = true,
      .seconds = 2 },
    { "server reads slowly for 2 s, TCP", play_slow, .only_ours = true,
      .seconds = 3 },
    { "connection cut 5 times in the middle of a line, TCP", play_cuts,
      .only_ours = true, .seconds = 7 },
    { 0 }
};
