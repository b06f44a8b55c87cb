/* listen.c - run a program, and print what it sends
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: listen PROGRAM
 *
 * Sets FLUX_FRIPP_STATSD to a port that the system chose, and writes the
 * lines that the program sends there to standard output.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_at (int *port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof (sin);
    int fd;

    sin.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    if ((fd = socket (AF_INET, SOCK_DGRAM, 0)) < 0
        || bind (fd, (struct sockaddr *)&sin, sizeof (sin)) < 0
        || getsockname (fd, (struct sockaddr *)&sin, &len) < 0) {
        perror ("listen");
        exit (1);
    }
    *port = ntohs (sin.sin_port);
    return fd;
}

int main (int argc, char **argv)
{
    char buf[65536];
    char uri[32];
    int status;
    pid_t pid;
    ssize_t n;
    int port;
    int fd;

    if (argc != 2) {
        fprintf (stderr, "usage: listen PROGRAM\n");
        return 1;
    }
    fd = listen_at (&port);
    snprintf (uri, sizeof (uri), "127.0.0.1:%d", port);
    setenv ("FLUX_FRIPP_STATSD", uri, 1);
    if ((pid = fork ()) == 0) {
        execl (argv[1], argv[1], (char *)NULL);
        perror (argv[1]);
        _exit (127);
    }
    if (pid < 0 || waitpid (pid, &status, 0) != pid) {
        perror (argv[1]);
        return 1;
    }
    /* it sends little, which waits in the socket's buffer */
    while ((n = recv (fd, buf, sizeof (buf), MSG_DONTWAIT)) >= 0)
        printf ("%.*s\n", (int)n, buf);
    return status == 0 ? 0 : 1;
}

/* vi: ts=4 sw=4 expandtab
 */
