/* receiver.c - reads StatsD lines and counts them, and does nothing else
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: receiver
 *
 * Prints its port. After SIGTERM it prints the sum of the counters, the number
 * of timings, the lines, the datagrams, and the most datagrams that came in
 * one tenth of a second, of each hundred of those of that second.
 */
#define _GNU_SOURCE

#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, SIZE = 2048 };

static volatile sig_atomic_t ended;

static uint64_t steps, timings, lines, datagrams;
/* Of each tenth of a second, over all seconds. */
static uint64_t tenths[10];

static void end (int sig)
{
    (void)sig;
    ended = 1;
}

static void fail (const char *what)
{
    perror (what);
    exit (1);
}

static void count (char *text)
{
    for (char *line = strtok (text, "\n"); line; line = strtok (NULL, "\n")) {
        char *colon = strchr (line, ':');
        char *bar = strchr (line, '|');

        lines++;
        if (colon && bar && !strcmp (bar, "|c"))
            steps += strtoull (colon + 1, NULL, 10);
        else if (bar && !strcmp (bar, "|ms"))
            timings++;
    }
}

static void read_all (int fd)
{
    static char data[BATCH][SIZE];
    struct mmsghdr msgs[BATCH] = { 0 };
    struct iovec iov[BATCH];
    struct timespec now;
    int n;

    for (int i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){ data[i], SIZE - 1 };
        msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
    }
    while ((n = recvmmsg (fd, msgs, BATCH, MSG_DONTWAIT, NULL)) > 0) {
        clock_gettime (CLOCK_MONOTONIC, &now);
        tenths[now.tv_nsec / 100000000] += n;
        datagrams += n;
        for (int i = 0; i < n; i++) {
            data[i][msgs[i].msg_len] = '\0';
            count (data[i]);
        }
    }
}

int main (void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    struct sigaction action = { .sa_handler = end };
    int fd = socket (AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof (sin);
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    uint64_t most = 0;

    sigaction (SIGTERM, &action, NULL);
    if (fd < 0 || bind (fd, (struct sockaddr *)&sin, len) < 0
        || getsockname (fd, (struct sockaddr *)&sin, &len) < 0)
        fail ("socket");
    printf ("%d\n", ntohs (sin.sin_port));
    fflush (stdout);
    while (!ended) {
        poll (&pfd, 1, 100);
        read_all (fd);
    }
    for (int i = 0; i < 10; i++) {
        if (most < tenths[i])
            most = tenths[i];
    }
    printf ("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %.1f\n", steps,
            timings, lines, datagrams,
            datagrams ? 100.0 * most / datagrams : 0.0);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
