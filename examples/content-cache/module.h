/* module.h - modules are threads that send each other messages
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef MODULE_H
#define MODULE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "blob.h"

enum msg_type { MSG_REQUEST, MSG_RESPONSE, MSG_EVENT, MSG_KEEPALIVE };
#define MSG_TYPES 4

enum topic {
    CONTENT_LOAD,               /* a blob by its name */
    CONTENT_STORE,
    CONTENT_FLUSH,              /* answered when no entry is dirty */
    KVS_SETROOT,                /* a commit is done */
    KVS_GETROOT,                /* which is the last one? */
    HEARTBEAT,
    STATE,                      /* what a module is doing, or is not any more */
};

struct msg {
    struct msg *next;
    enum msg_type type;
    enum topic topic;
    struct module *from;        /* who gets the response */
    void *arg;                  /* the sender's, is in the response, too */
    struct blobref ref;
    void *data;                 /* freed with the message */
    size_t size;
    int errnum;                 /* of a response: 0, or an errno */
};

/* Messages that a module has sent and received.
 */
struct msgcounters {
    int64_t tx[MSG_TYPES];
    int64_t rx[MSG_TYPES];
};

struct module {
    const char *name;
    struct msgcounters counters;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct msg *first;
    struct msg **last;
    bool closed;
};

void module_init (struct module *m, const char *name);
void module_destroy (struct module *m);

/* Send a message, which is the receiver's from now on.
 */
void module_send (struct module *from, struct module *to, struct msg *msg);

/* Take a message, or wait for one until a time (CLOCK_MONOTONIC) or for as
 * long as it takes. NULL: it is past that time, or the module is closed and
 * no message is left.
 */
struct msg *module_recv (struct module *m, const struct timespec *until);

/* Tell a module that no more messages will come.
 */
void module_close (struct module *m);

struct msg *msg_create (enum msg_type type, enum topic topic);
void msg_destroy (struct msg *msg);

/* Make a response of a request, and send it. A load's has data, which is the
 * message's from now on.
 */
void module_respond (struct module *m, struct msg *request, int errnum,
                     void *data, size_t size);

/* Seconds of CLOCK_MONOTONIC, and back.
 */
double now (void);
struct timespec timespec_of (double seconds);

#endif /* MODULE_H */

/* vi: ts=4 sw=4 expandtab
 */
