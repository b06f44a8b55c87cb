/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc.h"
#include "tap.h"

double now_ms (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

double worked_ms (void)
{
    struct timespec ts;

    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* How long this thread has waited for a processor, by the scheduler's book;
 * 0 where the system keeps none.
 */
static double waited_ms (void)
{
    char buf[128];
    unsigned long long ran;
    unsigned long long waited = 0;
    ssize_t n;
    int fd;

    if ((fd = open ("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) < 0)
        return 0;
    if ((n = read (fd, buf, sizeof (buf) - 1)) > 0) {
        buf[n] = '\0';
        if (sscanf (buf, "%llu %llu", &ran, &waited) != 2)
            waited = 0;
    }
    close (fd);
    return waited / 1e6;
}

void meter_start (struct meter *m)
{
    m->waited = waited_ms ();
    m->wall = now_ms ();
}

double meter_stop (const struct meter *m)
{
    double wall = now_ms () - m->wall;

    /* most are quick: no need to ask */
    if (wall < 1)
        return wall;
    return wall - (waited_ms () - m->waited);
}

static int count_entries (const char *path)
{
    int n = 0;
    DIR *dir;

    if (!(dir = opendir (path)))
        bail_out ("cannot read %s", path);
    while (readdir (dir))
        n++;
    closedir (dir);
    return n - 2;
}

int count_fds (void)
{
    return count_entries ("/proc/self/fd") - 1;
}

int count_threads (void)
{
    return count_entries ("/proc/self/task");
}

long resident_kib (void)
{
    long size;
    long pages = 0;
    FILE *f;

    if ((f = fopen ("/proc/self/statm", "re"))) {
        if (fscanf (f, "%ld %ld", &size, &pages) != 2)
            pages = 0;
        fclose (f);
    }
    return pages * (sysconf (_SC_PAGESIZE) / 1024);
}

void fds_list (struct fds *fds)
{
    for (int fd = 0; fd < MAX_FDS; fd++)
        fds->open[fd] = fcntl (fd, F_GETFD) >= 0;
}

int fds_new (const struct fds *before, int *found, int max)
{
    struct fds now;
    int n = 0;

    fds_list (&now);
    for (int fd = 0; fd < MAX_FDS; fd++) {
        if (now.open[fd] && !before->open[fd]) {
            if (n < max)
                found[n] = fd;
            n++;
        }
    }
    return n;
}

bool wait_until (bool (*test) (void *arg), void *arg, int timeout)
{
    double end = now_ms () + timeout;

    while (!test (arg)) {
        if (now_ms () > end)
            return false;
        (void)poll (NULL, 0, 1);
    }
    return true;
}

void rest_ms (int ms)
{
    (void)poll (NULL, 0, ms);
}

static bool has_threads (void *arg)
{
    return count_threads () == *(int *)arg;
}

bool wait_threads (int count, int timeout)
{
    return wait_until (has_threads, &count, timeout);
}

void quiet_begin (struct quiet *q)
{
    fflush (stdout);
    fflush (stderr);
    if ((q->file = memfd_create ("stdout and stderr", MFD_CLOEXEC)) < 0)
        bail_out ("memfd_create: %s", strerror (errno));
    for (int fd = 1; fd <= 2; fd++) {
        q->saved[fd - 1] = fcntl (fd, F_DUPFD_CLOEXEC, 3);
        if (q->saved[fd - 1] < 0 || dup2 (q->file, fd) < 0)
            bail_out ("dup2: %s", strerror (errno));
    }
}

long quiet_end (struct quiet *q)
{
    struct stat st;

    fflush (stdout);
    fflush (stderr);
    if (fstat (q->file, &st) < 0)
        bail_out ("fstat: %s", strerror (errno));
    for (int fd = 1; fd <= 2; fd++) {
        (void)dup2 (q->saved[fd - 1], fd);
        close (q->saved[fd - 1]);
    }
    close (q->file);
    return (long)st.st_size;
}

static char scratch[64];
static pid_t scratch_owner;

static void scratch_remove (void)
{
    struct dirent *entry;
    char path[512];
    DIR *dir;

    if (getpid () != scratch_owner || !(dir = opendir (scratch)))
        return;
    while ((entry = readdir (dir))) {
        (void)snprintf (path, sizeof (path), "%s/%s", scratch, entry->d_name);
        (void)unlink (path);
    }
    closedir (dir);
    (void)rmdir (scratch);
}

const char *scratch_dir (void)
{
    if (!scratch[0]) {
        strcpy (scratch, "/tmp/fripp-test-XXXXXX");
        if (!mkdtemp (scratch))
            bail_out ("mkdtemp: %s", strerror (errno));
        scratch_owner = getpid ();
        atexit (scratch_remove);
    }
    return scratch;
}

static pthread_mutex_t logbook_lock = PTHREAD_MUTEX_INITIALIZER;

void logbook_write (int level, const char *text, void *arg)
{
    struct logbook *book = arg;

    pthread_mutex_lock (&logbook_lock);
    if (book->count < LOGBOOK_MAX) {
        book->level[book->count] = level;
        (void)snprintf (book->text[book->count], sizeof (book->text[0]),
                        "%s", text);
    }
    book->count++;
    pthread_mutex_unlock (&logbook_lock);
}

int logbook_count (struct logbook *book)
{
    int n;

    pthread_mutex_lock (&logbook_lock);
    n = book->count;
    pthread_mutex_unlock (&logbook_lock);
    return n;
}

struct logbook_want {
    struct logbook *book;
    int count;
};

static bool logbook_has (void *arg)
{
    struct logbook_want *want = arg;

    return logbook_count (want->book) >= want->count;
}

bool logbook_wait (struct logbook *book, int count, int timeout)
{
    struct logbook_want want = { .book = book, .count = count };

    return wait_until (logbook_has, &want, timeout);
}

int run_again (const char *how, const char *uri)
{
    int status;
    pid_t pid;

    if ((pid = fork ()) == 0) {
        execl ("/proc/self/exe", "test", how, uri, (char *)NULL);
        _exit (127);
    }
    if (waitpid (pid, &status, 0) != pid)
        bail_out ("waitpid: %s", strerror (errno));
    return WIFEXITED (status) ? WEXITSTATUS (status) : 1000 + status;
}
