/* listen.c - run a program, and print what it sends
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * usage: listen PROGRAM
 *
 * Sets FLUX_FRIPP_STATSD to a receiver of fripp-test.h, and writes the lines
 * that the program sends there to standard output.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>

#include <fripp-test.h>

int main (int argc, char **argv)
{
    struct fripp_test *t;
    int status;

    if (argc != 2) {
        fprintf (stderr, "usage: listen PROGRAM\n");
        return 1;
    }
    if (!(t = fripp_test_open_udp (NULL))) {
        perror ("fripp_test_open_udp");
        return 1;
    }
    setenv ("FLUX_FRIPP_STATSD", fripp_test_uri (t), 1);
    status = system (argv[1]);
    /* it sends little, which waits in the socket's buffer */
    fputs (fripp_test_lines (t), stdout);
    fripp_test_close (t);
    return status == 0 ? 0 : 1;
}

/* vi: ts=4 sw=4 expandtab
 */
