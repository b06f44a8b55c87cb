/* bench.h - what the parts of the fault bench share
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Each row of the table is three processes, and a board in shared memory for
 * them to write to. A player has the server in its hand, and lets things
 * happen. The server is a process of its own, which can be killed. The client
 * is another: it records with one of the clients compared, and what happens
 * to a process (descriptors closed, forks, signals, its end) happens to it.
 */
#ifndef FAULTS_BENCH_H
#define FAULTS_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <fripp.h>

#include "listener.h"

#define GAUGES 100000
#define SERIALS (1 << 20)
#define PROCESSES 2             /* a client, and its child */
#define HELD 1.0                /* ms that a call may hold its caller */
#define NEVER 3600000           /* a period, ms: sent when that is told */
#define STUCK 100               /* s: then a process dies of SIGALRM */

/* Numbers of metrics: a counter that grew by 7 is seven.
 */
struct tally {
    _Atomic int64_t numbers;    /* counters and totals */
    _Atomic int64_t samples;    /* and packets: each is a line */
};

struct longest {
    double wall;
    double cpu;                 /* the thread's */
    double held;                /* wall, less what waited for a processor */
};

struct board {
    /* the server reads under it: killed under it, it has not read anything
     * that is not here
     */
    pthread_mutex_t lock;
    struct tally received;
    struct tally unread;        /* in its queue when it was killed */
    _Atomic uint64_t datagrams; /* received */
    _Atomic uint64_t torn;      /* connections that ended within a line */
    _Atomic uint64_t overruns;  /* dropped by the kernel, its buffer full */
    _Atomic uint64_t twice;
    _Atomic uint64_t told;      /* datagrams that the client says it dropped */
    char bad[80];               /* what no server should get */

    struct tally recorded;
    _Atomic int64_t next_serial;
    _Atomic uint64_t failed;    /* calls */
    struct longest longest;
    struct fripp_stats stats[PROCESSES];
    _Atomic int idle;           /* processes that record no more */
    _Atomic int processes;
    _Atomic pid_t pid;          /* of the client */
    _Atomic bool made;          /* the client could be made */
    _Atomic bool stop;
    _Atomic bool settled;
    _Atomic int step;           /* what the client is to do next */
    _Atomic int did;            /* the last step that it did */
    char why[160];              /* what went wrong, in its own words */

    _Atomic int64_t gauge_set[GAUGES];
    _Atomic int64_t gauge_got[GAUGES];
    _Atomic int gauges;         /* highest in use, and one */
    _Atomic unsigned char seen[SERIALS];
};

/* -- clients: clients.c ---------------------------------------------------- */

struct client {
    const char *name;
    enum fripp_dialect dialect; /* of its lines */
    bool ours;
    int which;                  /* of the peers */
    /* a period in ms, and settings that only the library has */
    void *(*open) (const struct client *c, const char *endpoint, int period,
                   const char *settings);
    int (*inc) (void *h);
    int (*total) (void *h);     /* one more */
    int (*sample) (void *h, int64_t serial);
    int (*gauge) (void *h, const char *name, int64_t value);
    int (*packet) (void *h, int64_t serial);    /* NULL: it has none */
    void (*flush) (void *h);
    void (*close) (void *h);
    void (*stats) (void *h, struct fripp_stats *stats);
};

extern const struct client clients[];
extern const int client_count;

/* The peers are in a shared object; without it there is only the library.
 */
bool peers_load (const char *path);

/* -- rows: restarts.c, names.c, ... ----------------------------------------- */

struct run;

struct fault {
    const char *name;
    /* the player's part */
    void (*play) (struct run *r);
    /* the client's: what it does at step n; before it is made; in the place
     * of recording as all others; how it ends; what it looks at before that
     */
    void (*act) (struct run *r, int step);
    void (*before) (struct run *r);
    void (*load) (struct run *r);
    void (*end) (struct run *r);
    void (*check) (struct run *r);
    bool only_ours;             /* it cannot be put to the others */
    bool overruns;              /* the server's buffer is to run over */
    int seconds;                /* the longest ones go first */
};

extern const struct fault restarts[], unix_paths[], kernel[], names[],
    descriptors[], processes[], threads[], large[], paths[], streams[];

/* -- a run: run.c ----------------------------------------------------------- */

struct run {
    const struct fault *fault;
    const struct client *client;
    struct board *board;
    int board_fd;
    int number;                 /* of the row, for a process that is executed */
    struct server *server;
    char endpoint[160];
    char settings[80];
    int period;                 /* ms */
    bool packets;               /* record these alone */
    char skipped[120];          /* why this machine cannot do it */
    bool goes_first;            /* the server gets a processor at once */

    /* the client's */
    void *h;
    void **others;              /* where there are more */
    int other_count;
    int me;                     /* 0, or 1 for its child */
    pid_t child;
    bool executed;              /* a program that took another's place */
    uint64_t dropped_before;    /* by the process that it was forked from */
};

void board_make (struct run *r);
void board_map (struct run *r, int fd);

/* A server of the run's, on loopback or at a path of its own, that is down.
 */
void at_udp (struct run *r);
void at_path (struct run *r);

/* The client starts to send to r->server (or to r->endpoint, if that is set).
 * False where it cannot be made.
 */
bool start (struct run *r);

/* Until so many more metrics are recorded; until something more, or all that
 * has been recorded, is received; until the client has done a step.
 */
void wait_recorded (struct run *r, int64_t more);
void wait_received (struct run *r);
void tell (struct run *r, int step);

/* The client stops recording; when all has arrived, or nothing comes any
 * more, it ends. Then the server does.
 */
void finish (struct run *r);

/* All of that, with a server that restarts so many times: it is there while 100
 * metrics are recorded (10 ms) or until it gets any, reads all that has
 * arrived, closes, is away while 100 are, and opens again.
 */
void restart_often (struct run *r, int times);

/* All of that, with a server that reads nothing for a second.
 */
void hang (struct run *r);

/* All of that, with a server that is up, and one step of the client's.
 */
void play_step (struct run *r);

/* The first thing that went wrong is the row's.
 */
void complain (struct run *r, const char *fmt, ...)
    __attribute__ ((format (printf, 2, 3)));

struct sum {
    int64_t recorded;
    int64_t received;
    int64_t counted;            /* lines; datagrams of the others */
    int64_t unread;
};
struct sum sum_up (const struct board *b);

/* How many gauges there are, or have their newest value at the server.
 */
int64_t gauges (const struct board *b, bool newest);
uint64_t pending (const struct board *b);

/* -- the client's process: load.c ------------------------------------------ */

void client_main (struct run *r) __attribute__ ((noreturn));
void *client_open (struct run *r);
void record (struct run *r, void *h, int i);
void record_gauge (struct run *r, void *h, int i, int64_t value);
void record_packet (struct run *r, void *h);
void obey (struct run *r);
void publish (struct run *r);
void rest (int ms);

/* All descriptors are taken from now on: descriptors.c.
 */
void use_up (struct run *r);

/* Each call is measured: between these.
 */
void call_begin (void);
void call_end (struct longest *longest);
void measure_again (void);

/* -- the server: server.c --------------------------------------------------- */

/* Listens, as a process of its own, on a port of the system's (or the one
 * given), or at a path, with a large receive buffer.
 */
struct server *server_udp (struct run *r, const char *address, int port);
struct server *server_unix (struct run *r, const char *path);

/* The same for a stream, as stream.h has it: "tcp", or a path. A small one
 * takes little that it does not read.
 */
struct server *server_stream (struct run *r, const char *where, bool small);

/* Of the next start: its buffer, of which the kernel makes twice as much, the
 * usual one being 208 KiB then; that it looks once a ms, having else to do.
 */
#define USUAL_BUFFER (104 * 1024)
#define LARGE_BUFFER (1024 * 1024)
void server_buffer (struct server *s, int bytes);
void server_busy (struct server *s);

const char *server_endpoint (const struct server *s);
int server_port (const struct server *s);

void server_start (struct server *s);

/* It reads what has arrived, and is gone.
 */
void server_stop (struct server *s);

/* It does not read any more, and is killed then: what has arrived counts as
 * unread.
 */
void server_hold (struct server *s);
void server_kill (struct server *s);

/* It is gone, and nobody says so: its socket takes what comes, until it is
 * buried. That counts as unread.
 */
void server_vanish (struct server *s);
void server_bury (struct server *s);

/* Of streams: it reads again after it was held, and is gone: what it had not
 * read before counts as unread.
 */
void server_cut (struct server *s);

/* It does not read for a while.
 */
void server_hang (struct server *s);
void server_resume (struct server *s);

/* The client is not to hold its socket open.
 */
void server_forget (void);

#endif
