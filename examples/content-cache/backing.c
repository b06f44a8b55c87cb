/* backing.c - a store of blobs on disk, with threads that do the waiting
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Blobs are appended to one file in a temporary folder. A thread that has
 * appended some lets the others append too, because one wait for the disk then
 * serves all of them (a group commit).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include "backing.h"

#define THREADS 3
#define BATCH_MAX 32            /* blobs that a thread answers at once */

static const struct timespec COMMIT_DELAY = { .tv_nsec = 12000000 };

struct location {
    struct node node;
    off_t offset;
    size_t size;
};

struct backing {
    struct module module;
    pthread_t threads[THREADS];
    int running;
    char dir[256];
    char path[sizeof ("/blobs") + 256];
    int fd;
    pthread_mutex_t lock;       /* of what is below */
    off_t end;
    off_t synced;               /* so much is on disk */
    struct table index;
};

static int write_all (int fd, const char *data, size_t size, off_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite (fd, data, size, offset);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            data += n;
            size -= n;
            offset += n;
        }
    }
    return 0;
}

static int read_all (int fd, char *data, size_t size, off_t offset)
{
    while (size > 0) {
        ssize_t n = pread (fd, data, size, offset);

        if (n == 0)
            errno = EIO;
        if (n == 0 || (n < 0 && errno != EINTR))
            return -1;
        if (n > 0) {
            data += n;
            size -= n;
            offset += n;
        }
    }
    return 0;
}

static void load (struct backing *b, struct msg *msg)
{
    struct location *loc;
    void *data;

    pthread_mutex_lock (&b->lock);
    loc = table_find (&b->index, &msg->ref);
    pthread_mutex_unlock (&b->lock);
    if (!loc) {
        module_respond (&b->module, msg, ENOENT, NULL, 0);
        return;
    }
    data = xzmalloc (loc->size);
    if (read_all (b->fd, data, loc->size, loc->offset) < 0) {
        free (data);
        module_respond (&b->module, msg, errno, NULL, 0);
        return;
    }
    module_respond (&b->module, msg, 0, data, loc->size);
}

/* Append a blob. It can be found when it is on disk.
 */
static struct location *append (struct backing *b, struct msg *msg)
{
    struct location *loc = xzmalloc (sizeof (*loc));

    loc->node.ref = msg->ref;
    loc->size = msg->size;
    pthread_mutex_lock (&b->lock);
    loc->offset = b->end;
    if (write_all (b->fd, msg->data, msg->size, loc->offset) < 0)
        msg->errnum = errno;
    b->end += msg->size;
    pthread_mutex_unlock (&b->lock);
    return loc;
}

/* Wait until all up to an offset is on disk. 0, or an errno.
 */
static int commit (struct backing *b, off_t upto)
{
    off_t end;
    bool done;

    nanosleep (&COMMIT_DELAY, NULL);
    pthread_mutex_lock (&b->lock);
    end = b->end;
    done = b->synced >= upto;
    pthread_mutex_unlock (&b->lock);
    if (done)
        return 0;
    if (fdatasync (b->fd) < 0)
        return errno;
    pthread_mutex_lock (&b->lock);
    if (b->synced < end)
        b->synced = end;
    pthread_mutex_unlock (&b->lock);
    return 0;
}

static void store (struct backing *b, struct msg **msgs, int count,
                   struct location **locs)
{
    const struct location *last = locs[count - 1];
    int errnum = commit (b, last->offset + last->size);

    for (int i = 0; i < count; i++) {
        if (msgs[i]->errnum == 0)
            msgs[i]->errnum = errnum;
        if (msgs[i]->errnum == 0) {
            pthread_mutex_lock (&b->lock);
            table_insert (&b->index, &locs[i]->node);
            pthread_mutex_unlock (&b->lock);
        }
        else
            free (locs[i]);
        module_respond (&b->module, msgs[i], msgs[i]->errnum, NULL, 0);
    }
}

static void *backing_thread (void *arg)
{
    static const struct timespec at_once;
    struct backing *b = arg;
    struct msg *msgs[BATCH_MAX];
    struct location *locs[BATCH_MAX];
    struct msg *msg;

    while ((msg = module_recv (&b->module, NULL))) {
        int count = 0;

        do {
            if (msg->topic == CONTENT_LOAD)
                load (b, msg);
            else {
                msgs[count] = msg;
                locs[count++] = append (b, msg);
            }
        } while (count < BATCH_MAX
                 && (msg = module_recv (&b->module, &at_once)));
        if (count > 0)
            store (b, msgs, count, locs);
    }
    return NULL;
}

void backing_destroy (struct backing *b)
{
    int saved_errno = errno;

    if (!b)
        return;
    module_close (&b->module);
    while (b->running > 0)
        pthread_join (b->threads[--b->running], NULL);
    if (b->fd >= 0) {
        close (b->fd);
        unlink (b->path);
    }
    if (b->dir[0])
        rmdir (b->dir);
    table_clear (&b->index, free);
    pthread_mutex_destroy (&b->lock);
    module_destroy (&b->module);
    free (b);
    errno = saved_errno;
}

struct backing *backing_create (void)
{
    struct backing *b = xzmalloc (sizeof (*b));
    const char *tmp = getenv ("TMPDIR");
    int e;

    module_init (&b->module, "content-backing");
    pthread_mutex_init (&b->lock, NULL);
    b->fd = -1;
    snprintf (b->dir, sizeof (b->dir), "%s/content-cache-XXXXXX",
              tmp ? tmp : "/tmp");
    if (!mkdtemp (b->dir)) {
        b->dir[0] = '\0';
        goto error;
    }
    snprintf (b->path, sizeof (b->path), "%s/blobs", b->dir);
    if ((b->fd = open (b->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        goto error;
    while (b->running < THREADS) {
        if ((e = pthread_create (&b->threads[b->running], NULL,
                                 backing_thread, b))) {
            errno = e;
            goto error;
        }
        b->running++;
    }
    return b;
error:
    backing_destroy (b);
    return NULL;
}

struct module *backing_module (struct backing *b)
{
    return &b->module;
}

/* vi: ts=4 sw=4 expandtab
 */
