/* stream.h - a server for tests that takes streams of lines: TCP, and UNIX
 * stream sockets
 *
 * It reads only in the calls below, so that a test decides how slowly.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "listener.h"
#include "tap.h"

struct stream;

/* Listen at "tcp", on a port of 127.0.0.1 that the system chooses, or on a
 * UNIX socket, by path or by "@abstract" name.
 */
struct stream *stream_listen (const char *where);

/* The same with a small receive buffer: it takes little that is not read.
 */
struct stream *stream_listen_small (const char *where);

void stream_destroy (struct stream *s);

/* What a context is made with, as tcp://127.0.0.1:1234; and with settings.
 */
const char *stream_uri (const struct stream *s, const char *settings);

/* Accept connections and read until there are so many whole lines in all, or
 * until the time (ms) is over. Returns how many there are.
 */
size_t stream_wait (struct stream *s, size_t lines, int timeout)
    TAP_USE_RESULT;

/* The same, where nothing can be tested without them.
 */
#define stream_need(s, n) stream_need_at ((s), (n), __FILE__, __LINE__)
void stream_need_at (struct stream *s, size_t lines, const char *file,
                     int line);

/* Read until one more line is there, or until the time (ms) is over, where
 * either is right.
 */
void stream_idle (struct stream *s, int ms);

/* Read at most so many bytes of the connections that there are; how many.
 */
size_t stream_read (struct stream *s, size_t bytes);

/* Close all connections, whatever is unread. New ones are accepted.
 */
void stream_cut (struct stream *s);

/* The server ends as one does that loses nothing: it accepts no more, lets
 * its clients know, and reads until they have closed their connections. False
 * where one of them does not within the time (ms).
 */
bool stream_finish (struct stream *s, int timeout) TAP_USE_RESULT;

/* Listen no more in this process: another one has the socket, too.
 */
void stream_leave (struct stream *s);

/* The server goes away, and comes back at the same port or path.
 */
void stream_drop (struct stream *s);
void stream_reopen (struct stream *s);

/* Wait until each connection has ended, and read what came before.
 */
bool stream_ended (struct stream *s, int timeout) TAP_USE_RESULT;

/* The whole lines of all connections, one connection after the other, each
 * with its newline; until the next call that reads.
 */
const char *stream_text (struct stream *s);
size_t stream_lines (const struct stream *s);

/* The same, of what was not taken before.
 */
const char *stream_take (struct stream *s, size_t *len);

/* How many connections were accepted, and how many of those that have ended
 * did so in the middle of a line.
 */
int stream_connections (const struct stream *s);
int stream_torn (const struct stream *s);

#endif /* !STREAM_H */
