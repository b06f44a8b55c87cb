/* restarts.c - servers that restart, die, are not there, or hang
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "bench.h"

void restart_often (struct run *r, int times)
{
    r->period = 10;
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 0; i < times; i++) {
        wait_recorded (r, 100);
        wait_received (r);
        server_stop (r->server);
        wait_recorded (r, 100);
        server_start (r->server);
    }
    finish (r);
}

static void play_restarts (struct run *r)
{
    at_udp (r);
    restart_often (r, 100);
}

static void play_unix_restarts (struct run *r)
{
    at_path (r);
    restart_often (r, 100);
}

static void play_packets (struct run *r)
{
    r->packets = true;
    at_udp (r);
    restart_often (r, 50);
}

static void kill_often (struct run *r)
{
    r->period = 10;
    strcpy (r->settings, "refresh=0.3");
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 0; i < 20; i++) {
        wait_recorded (r, 300);
        wait_received (r);
        /* busy with something else, so that there is something to lose */
        server_hold (r->server);
        wait_recorded (r, 100);
        server_kill (r->server);
        wait_recorded (r, 100);
        server_start (r->server);
    }
    finish (r);
}

static void play_kills (struct run *r)
{
    at_udp (r);
    kill_often (r);
}

static void play_unix_kills (struct run *r)
{
    at_path (r);
    kill_often (r);
}

static void play_absent (struct run *r)
{
    at_udp (r);
    if (!start (r))
        return;
    wait_recorded (r, 5000);
    server_start (r->server);
    wait_received (r);
    finish (r);
}

static void down_for (struct run *r, int64_t metrics)
{
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    wait_received (r);
    server_stop (r->server);
    wait_recorded (r, metrics);
    server_start (r->server);
    wait_received (r);
    finish (r);
}

static void play_down (struct run *r)
{
    down_for (r, 40000);
}

/* The samples of an outage do not fit: the oldest are dropped.
 */
static void play_full (struct run *r)
{
    strcpy (r->settings, "buffer=65536");
    down_for (r, 30000);
}

void hang (struct run *r)
{
    server_start (r->server);
    if (!start (r))
        return;
    wait_received (r);
    server_hang (r->server);
    wait_recorded (r, 10000);
    server_resume (r->server);
    wait_received (r);
    finish (r);
}

/* What it does not read for a second has room.
 */
static void play_hang (struct run *r)
{
    at_udp (r);
    r->period = 100;
    hang (r);
}

static void play_overrun (struct run *r)
{
    at_udp (r);
    server_buffer (r->server, 4096);
    strcpy (r->settings, "refresh=0.3");
    hang (r);
}

static void play_unix_hang (struct run *r)
{
    at_path (r);
    hang (r);
}

const struct fault restarts[] = {
    { "server restarts 100 times, UDP", play_restarts, .seconds = 6 },
    { "server restarts 100 times, UNIX socket", play_unix_restarts,
      .seconds = 6 },
    { "server restarts 50 times, packets", play_packets, .only_ours = true,
      .seconds = 3 },
    { "server killed 20 times, UDP", play_kills, .seconds = 3 },
    { "server killed 20 times, UNIX socket", play_unix_kills, .seconds = 3 },
    { "server not there at the start", play_absent, .seconds = 1 },
    { "server down for 4 s", play_down, .seconds = 5 },
    { "server down for 3 s, a buffer of 64 KiB", play_full,
      .only_ours = true, .seconds = 4 },
    { "server hangs for 1 s, UDP", play_hang, .seconds = 2 },
    { "server hangs, its UDP buffer runs over", play_overrun,
      .overruns = true, .seconds = 2 },
    { "server hangs for 1 s, UNIX socket", play_unix_hang, .seconds = 2 },
    { 0 }
};
