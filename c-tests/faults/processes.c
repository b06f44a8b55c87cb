/* processes.c - forks, other programs, daemons, and ends
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "proc.h"
#include "tap.h"

extern char **environ;

static void with_server (struct run *r, void (*then) (struct run *r))
{
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    wait_recorded (r, 2000);
    wait_received (r);
    then (r);
    wait_recorded (r, 2000);
    finish (r);
}

static void tell_once (struct run *r)
{
    tell (r, 1);
}

/* -- fork: both go on, and what was recorded before is the parent's, also
 * where it waits for a server ------------------------------------------------ */

static void act_fork (struct run *r, int step)
{
    struct board *b = r->board;
    struct fripp_stats stats;
    pid_t pid;

    (void)step;
    b->processes++;
    if ((pid = fork ()) < 0)
        bail_out ("fork: %s", strerror (errno));
    if (pid > 0) {
        r->child = pid;
        return;
    }
    alarm (STUCK);
    r->me = 1;
    r->client->stats (r->h, &stats);
    r->dropped_before = stats.dropped;
}

static void fork_without_server (struct run *r)
{
    server_stop (r->server);
    wait_recorded (r, 1000);
    tell (r, 1);
    wait_recorded (r, 1000);
    server_start (r->server);
}

static void play_fork (struct run *r)
{
    with_server (r, tell_once);
}

static void play_fork_down (struct run *r)
{
    with_server (r, fork_without_server);
}

/* -- a daemon: the child goes on alone, with no descriptor of before ------- */

static void act_daemon (struct run *r, int step)
{
    (void)step;
    /* what a parent that calls _exit has not sent is lost */
    r->client->flush (r->h);
    publish (r);
    switch (fork ()) {
    case -1:
        bail_out ("fork: %s", strerror (errno));
    case 0:
        break;
    default:
        _exit (0);
    }
    alarm (STUCK);
    (void)setsid ();
    closefrom (0);
    for (int fd = 0; fd < 3; fd++)
        (void)open ("/dev/null", O_RDWR);
    r->board->pid = getpid ();
}

static void play_daemon (struct run *r)
{
    with_server (r, tell_once);
}

/* -- other programs are started -------------------------------------------- */

static void act_spawn (struct run *r, int step)
{
    char *argv[] = { "true", NULL };
    int status;
    pid_t pid;

    if (step % 2) {
        if (posix_spawnp (&pid, "true", NULL, NULL, argv, environ) != 0)
            bail_out ("posix_spawn");
    }
    else if ((pid = vfork ()) == 0) {
        execvp ("true", argv);
        _exit (127);
    }
    if (waitpid (pid, &status, 0) != pid || status != 0)
        complain (r, "a program that was started failed");
}

static void tell_often (struct run *r)
{
    for (int i = 1; i <= 20; i++) {
        wait_recorded (r, 100);
        tell (r, i);
    }
}

static void play_spawn (struct run *r)
{
    with_server (r, tell_often);
}

/* -- another program takes the place of this one ---------------------------- */

static void act_exec (struct run *r, int step)
{
    char row[16], which[16], fd[16], period[16];

    (void)step;
    r->client->flush (r->h);
    publish (r);
    r->board->did = 1;
    snprintf (row, sizeof (row), "%d", r->number);
    snprintf (which, sizeof (which), "%d", (int)(r->client - clients));
    snprintf (fd, sizeof (fd), "%d", r->board_fd);
    snprintf (period, sizeof (period), "%d", r->period);
    execl ("/proc/self/exe", "faults", row, which, fd, r->endpoint, period,
           (char *)NULL);
    bail_out ("exec: %s", strerror (errno));
}

/* The new program, before it makes a client: it has no socket of the old.
 */
static void look_for_sockets (struct run *r)
{
    if (!r->executed)
        return;
    for (int fd = 3; fd < MAX_FDS; fd++) {
        struct stat st;

        if (fstat (fd, &st) == 0 && S_ISSOCK (st.st_mode))
            complain (r, "the program has inherited a socket");
    }
}

static void play_exec (struct run *r)
{
    with_server (r, tell_once);
}

/* -- ends, with metrics pending --------------------------------------------- */

static void end_by_exit (struct run *r)
{
    (void)r;
    exit (0);
}

static void end_by_destroy (struct run *r)
{
    double start = now_ms ();

    r->client->close (r->h);
    if (r->client->ours && now_ms () - start > 5000)
        complain (r, "destroy took %.0f ms", now_ms () - start);
    _exit (0);
}

/* Nothing is sent before the end.
 */
static void play_end (struct run *r)
{
    r->period = NEVER;
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    wait_recorded (r, 5000);
    finish (r);
}

const struct fault processes[] = {
    { "fork, and both go on", play_fork, act_fork, .seconds = 1 },
    { "fork while the server is down", play_fork_down, act_fork,
      .seconds = 1 },
    { "daemon: fork, all descriptors closed", play_daemon, act_daemon,
      .seconds = 1 },
    { "20 programs started (posix_spawn, vfork)", play_spawn, act_spawn,
      .seconds = 1 },
    { "exec after a flush", play_exec, act_exec, .before = look_for_sockets,
      .seconds = 1 },
    { "exit with 0.5 s of metrics pending", play_end, .end = end_by_exit,
      .seconds = 1 },
    { "destroy with 0.5 s of metrics pending", play_end,
      .end = end_by_destroy, .seconds = 1 },
    { 0 }
};
