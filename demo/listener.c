/* listener.c - a small StatsD server that runs a sender, and then shows what
 * it got beside what the sender says that it sent
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: listener [-a] SENDER FILE
 *
 * Runs 'SENDER -t FILE 127.0.0.1:PORT', with a port that the system chose,
 * and reads from its standard output what it sent (tally_write ()). Exits
 * with 1 where anything is missing. -a: a row for each metric.
 */
#define _GNU_SOURCE             /* SO_RCVBUFFORCE, SO_RXQ_OVFL */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tally.h"

struct listener {
    int fd;
    int port;
    unsigned int overflowed;    /* datagrams that found the buffer full */
    struct tally got;
};

static void die (const char *what)
{
    perror (what);
    exit (2);
}

static void listener_open (struct listener *l)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof (sin);
    int size = 8 * 1024 * 1024;
    int on = 1;

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if ((l->fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0
        || bind (l->fd, (struct sockaddr *)&sin, sizeof (sin)) < 0
        || getsockname (l->fd, (struct sockaddr *)&sin, &len) < 0)
        die ("listener");
    l->port = ntohs (sin.sin_port);
    /* as large as the system allows, or larger where we may */
    if (setsockopt (l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof (size)))
        setsockopt (l->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size));
    setsockopt (l->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof (on));
}

/* Take all datagrams that are there.
 */
static void listener_read (struct listener *l)
{
    char buf[65536];
    char control[CMSG_SPACE (sizeof (unsigned int))];
    struct iovec iov = { .iov_base = buf, .iov_len = sizeof (buf) };

    for (;;) {
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof (control) };
        ssize_t n = recvmsg (l->fd, &msg, MSG_DONTWAIT);
        struct cmsghdr *c;

        if (n < 0) {
            if (errno == EAGAIN || errno == EINTR)
                return;
            die ("recvmsg");
        }
        for (c = CMSG_FIRSTHDR (&msg); c; c = CMSG_NXTHDR (&msg, c)) {
            if (c->cmsg_type == SO_RXQ_OVFL)
                memcpy (&l->overflowed, CMSG_DATA (c), sizeof (int));
        }
        tally_add (&l->got, buf, n);
    }
}

/* Start the sender; what it says can be read from the result.
 */
static FILE *run (const char *sender, const char *file, int port, pid_t *pid)
{
    char uri[32];
    int fds[2];

    snprintf (uri, sizeof (uri), "127.0.0.1:%d", port);
    if (pipe (fds) < 0 || (*pid = fork ()) < 0)
        die (sender);
    if (*pid == 0) {
        dup2 (fds[1], STDOUT_FILENO);
        close (fds[0]);
        close (fds[1]);
        execl (sender, sender, "-t", file, uri, (char *)NULL);
        perror (sender);
        _exit (2);
    }
    close (fds[1]);
    return fdopen (fds[0], "r");
}

/* Listen until the sender speaks, which it does when it has sent all, and
 * then until nothing came for a while.
 */
static void listen_to (struct listener *l, FILE *sender)
{
    struct pollfd fds[2] = {
        { .fd = l->fd, .events = POLLIN },
        { .fd = fileno (sender), .events = POLLIN },
    };

    while (poll (fds, 2, fds[1].fd < 0 ? 200 : -1) > 0) {
        if (fds[0].revents)
            listener_read (l);
        if (fds[1].revents)
            fds[1].fd = -1;
    }
}

int main (int argc, char **argv)
{
    bool all = argc > 1 && !strcmp (argv[1], "-a");
    struct listener l = { 0 };
    struct tally sent = { 0 };
    struct timespec start, end;
    unsigned long missing;
    FILE *sender;
    int status;
    pid_t pid;

    if (argc != 3 + all) {
        fprintf (stderr, "usage: listener [-a] SENDER FILE\n");
        return 2;
    }
    listener_open (&l);
    printf ("A listener on 127.0.0.1:%d. Playing %s to it, through "
            "fripp_format_send () ...\n\n", l.port, argv[2 + all]);
    fflush (stdout);
    clock_gettime (CLOCK_MONOTONIC, &start);
    if (!(sender = run (argv[1 + all], argv[2 + all], l.port, &pid)))
        die ("fdopen");
    listen_to (&l, sender);
    clock_gettime (CLOCK_MONOTONIC, &end);
    if (tally_read (&sent, sender) < 0)
        fprintf (stderr, "%s did not say what it sent\n", argv[1 + all]);
    fclose (sender);
    waitpid (pid, &status, 0);

    missing = tally_print (&sent, &l.got, all);
    printf ("\n%lu datagrams sent, %lu arrived, in %.1f s: ", sent.datagrams,
            l.got.datagrams,
            end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9);
    if (l.overflowed)
        printf ("the listener's buffer was full for %u. ", l.overflowed);
    if (missing || l.got.invalid || sent.lines == 0 || status != 0) {
        printf ("%lu lines missing or wrong\n", missing + l.got.invalid);
        return 1;
    }
    printf ("nothing missing, each value as it was sent and in its order\n");
    tally_free (&sent);
    tally_free (&l.got);
    close (l.fd);
    return 0;
}

/* vi: ts=4 sw=4 expandtab
 */
