/* descriptors.c - descriptors that the host closes, takes or uses up
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "proc.h"
#include "tap.h"

static struct fds before;

static void list_before (struct run *r)
{
    (void)r;
    fds_list (&before);
}

/* The client's sockets. Returns how many there are.
 */
static int sockets (int *found, int max)
{
    int new[MAX_FDS];
    int n = fds_new (&before, new, MAX_FDS);
    int count = 0;

    for (int i = 0; i < n; i++) {
        struct stat st;

        if (fstat (new[i], &st) == 0 && S_ISSOCK (st.st_mode) && count < max)
            found[count++] = new[i];
    }
    return count;
}

static void act_close (struct run *r, int step)
{
    int found[8];
    int n = sockets (found, 8);

    (void)step;
    if (n == 0 && r->client->ours)
        complain (r, "there is no socket");
    for (int i = 0; i < n; i++)
        close (found[i]);
}

/* Lets a step happen so many times, with metrics sent in between.
 */
static void act_often (struct run *r, int times)
{
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 1; i <= times; i++) {
        wait_recorded (r, 200);
        wait_received (r);
        tell (r, i);
    }
    wait_recorded (r, 200);
    finish (r);
}

static void play_close (struct run *r)
{
    act_often (r, 20);
}

/* -- closed, and the number is another file's or socket's ------------------ */

#define STRANGERS 20

static int strangers[STRANGERS];        /* -1: a file */
static int strange[STRANGERS];          /* the numbers taken */
static int taken;

static void act_take (struct run *r, int step)
{
    int found[1];
    int file;

    r->client->flush (r->h);
    if (sockets (found, 1) == 0) {
        if (r->client->ours)
            complain (r, "there is no socket");
        return;
    }
    if (step % 2) {
        file = memfd_create ("stranger", MFD_CLOEXEC);
        strangers[taken] = -1;
    }
    else {
        int pair[2];

        if (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) < 0)
            bail_out ("socketpair: %s", strerror (errno));
        file = pair[0];
        strangers[taken] = pair[1];
    }
    if (file < 0 || dup2 (file, found[0]) < 0)
        bail_out ("dup2: %s", strerror (errno));
    close (file);
    strange[taken++] = found[0];
    /* known from now on: the next one is the client's */
    before.open[found[0]] = true;
    if (strangers[taken - 1] >= 0)
        before.open[strangers[taken - 1]] = true;
    r->client->flush (r->h);
}

/* Nobody wrote to those files, and nobody closed them.
 */
static void end_take (struct run *r)
{
    char buf[2048];

    for (int i = 0; i < taken; i++) {
        struct stat st;

        if (fstat (strange[i], &st) < 0)
            complain (r, "another file's descriptor was closed");
        else if (st.st_size > 0)
            complain (r, "another file was written to");
        if (strangers[i] >= 0 && recv (strangers[i], buf, sizeof (buf), 0) >= 0)
            complain (r, "another socket was written to");
    }
}

/* The library sends when it is told to. A number that is taken in the moment
 * between its last look and a send cannot be told by anybody.
 */
static void play_take (struct run *r)
{
    if (r->client->ours)
        r->period = NEVER;
    at_udp (r);
    server_start (r->server);
    if (!start (r))
        return;
    for (int i = 1; i <= STRANGERS; i++) {
        wait_recorded (r, 200);
        tell (r, i);
    }
    wait_recorded (r, 200);
    finish (r);
}

/* -- all closed, as a daemon does ------------------------------------------ */

static void act_close_all (struct run *r, int step)
{
    (void)r;
    (void)step;
    closefrom (3);
}

static void play_close_all (struct run *r)
{
    act_often (r, 5);
}

/* -- none left ------------------------------------------------------------- */

static int hoard[MAX_FDS];
static int hoarded;

void use_up (struct run *r)
{
    struct rlimit limit = { 64, 64 };
    int fd;

    (void)r;
    if (setrlimit (RLIMIT_NOFILE, &limit) < 0)
        bail_out ("setrlimit: %s", strerror (errno));
    while ((fd = open ("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        hoard[hoarded++] = fd;
    if (errno != EMFILE)
        bail_out ("open: %s", strerror (errno));
}

static void act_give_back (struct run *r, int step)
{
    (void)r;
    (void)step;
    while (hoarded > 0)
        close (hoard[--hoarded]);
}

static void play_none_left (struct run *r)
{
    at_udp (r);
    play_step (r);
}

const struct fault descriptors[] = {
    { "socket closed by the host 20 times", play_close, act_close,
      .before = list_before, .seconds = 2 },
    { "socket closed, and its number used again", play_take, act_take,
      .before = list_before, .check = end_take, .seconds = 2 },
    { "all descriptors closed 5 times", play_close_all, act_close_all,
      .seconds = 1 },
    { "no descriptor left for 0.5 s (EMFILE)", play_none_left, act_give_back,
      .before = use_up, .seconds = 1 },
    { 0 }
};
