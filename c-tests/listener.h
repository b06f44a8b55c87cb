/* listener.h - a server for tests: receives datagrams and keeps them
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "tap.h"

/* Generous, for machines with much to do: tests end when what they wait for
 * is there.
 */
#define DEADLINE 20000

struct datagram {
    char *data;        /* followed by a NUL that is not counted */
    size_t len;
    int port;          /* the sender's, with UDP */
};

struct listener;

/* Listen on UDP at an IPv4 or IPv6 address, on a port that the system
 * chooses. NULL where this machine has no such address.
 */
struct listener *listen_udp (const char *address);

/* The same on a port of the caller's. NULL where it is taken, too.
 */
struct listener *listen_udp_at (const char *address, int port);

/* Listen on a UNIX datagram socket, by path or by "@abstract" name.
 */
struct listener *listen_unix (const char *name);

void listener_destroy (struct listener *l);
int listener_port (const struct listener *l);
int listener_fd (const struct listener *l);

/* The server goes away: nobody is there, but its port stays reserved, or its
 * path goes with it. It comes back at the same port or path.
 */
void listener_drop (struct listener *l);
void listener_reopen (struct listener *l);

/* The server takes no more, and receives what it has taken: before it goes,
 * where nothing is to be lost by that.
 */
void listener_drain (struct listener *l);

/* Receive until there are so many datagrams, or lines, in all, or until the
 * time (ms) is over. Returns how many there are.
 */
size_t listener_wait (struct listener *l, size_t datagrams, int timeout)
    TAP_USE_RESULT;
size_t listener_wait_lines (struct listener *l, size_t lines, int timeout)
    TAP_USE_RESULT;

/* The same, where nothing can be tested without them: with fewer at the
 * DEADLINE the program ends.
 */
#define listener_need(l, n) \
    listener_need_at ((l), (n), false, __FILE__, __LINE__)
#define listener_need_lines(l, n) \
    listener_need_at ((l), (n), true, __FILE__, __LINE__)
void listener_need_at (struct listener *l, size_t n, bool lines,
                       const char *file, int line);

/* Receive what comes until one datagram more is there, or until the time (ms)
 * is over, where either is right.
 */
void listener_idle (struct listener *l, int ms);

/* Receive until nothing has come for so long (ms). Returns the number of
 * datagrams in all.
 */
size_t listener_quiet (struct listener *l, int ms);

/* Receive on a thread until listener_stop (), for traffic that would not fit
 * a receive buffer. listener_wait () and the others wait for it then.
 */
void listener_start (struct listener *l);
void listener_stop (struct listener *l);

/* What was received.
 */
const struct datagram *listener_get (const struct listener *l, size_t i);
size_t listener_count (struct listener *l);
size_t listener_lines (struct listener *l);

/* All lines, each with a newline. To be freed.
 */
char *listener_text (struct listener *l);

/* Whether datagram i is this one, byte for byte.
 */
bool listener_got (struct listener *l, size_t i, const void *data, size_t len);

/* Forget what was received.
 */
void listener_clear (struct listener *l);

#endif /* !LISTENER_H */
