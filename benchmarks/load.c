/* A load generator: sends prepared requests over keep-alive connections, one in flight on each, and counts the answers.
 *
 * usage: load TARGET REQUESTS SECONDS CONNECTIONS STATUSES RATE WAIT
 *   TARGET    host:port (numeric) or unix:PATH
 *   REQUESTS  a file; each request ends with a zero byte
 *   STATUSES  the answers that are right, as in 200,204
 *   RATE      requests a second; 0 is as fast as they are answered
 *   WAIT      sleep, or spin if it has a processor of its own: then no server pays for waking it
 * With a rate, latency counts from when a request was due, so that a stall is seen by all it delays.
 * Prints one JSON object. Any other status, or an answer it cannot read, is an error.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "latency.h"

enum { MOST = 4096, LOOK = 128 };

typedef struct { int fd, filled; int64_t began; char data[ROOM]; } Connection;

static Connection *connections;
static Connection *idle[MOST];
static int idle_count, poller, spin;
static char *requests, **request;
static int *request_length, request_count, next_request;
static int right[8], right_count;
static int64_t started, step, due_sent, answers, wrong, unreadable, reconnects, seen[1000];
static struct sockaddr_storage address;
static socklen_t address_length;

static void die(const char *what) { perror(what); exit(2); }

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void open_connection(Connection *c) {
    int family = address.ss_family, one = 1;
    c->fd = socket(family, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, address_length) < 0) die("connect");
    if (family == AF_INET) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl");
    c->filled = 0;
}

static void reopen(Connection *c) { close(c->fd); reconnects++; open_connection(c); }

static void send_next(Connection *c, int64_t began) {
    int n = next_request++;
    if (next_request == request_count) next_request = 0;
    c->began = began;
    ssize_t sent = send(c->fd, request[n], request_length[n], MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) { /* closed by the server since its last answer */
        reopen(c);
        sent = send(c->fd, request[n], request_length[n], MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent != request_length[n]) die("send");
}

static void answered(Connection *c) {
    int status = 0, closes = 0, good = 0;
    ssize_t got = recv(c->fd, c->data + c->filled, ROOM - c->filled, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) { /* between requests a server may close; the request that was under way is sent again */
        if (c->filled) unreadable++;
        reopen(c);
        if (c->began) send_next(c, c->began);
        return;
    }
    c->filled += got;
    int length = answer_length(c->data, c->filled, &status, &closes);
    if (length == 0) return;
    if (length < 0 || length != c->filled) { unreadable++; reopen(c); }
    else {
        for (int i = 0; i < right_count; i++) good |= status == right[i];
        if (good) answers++; else wrong++;
        seen[status % 1000]++;
        c->filled = 0;
        if (closes) reopen(c);
    }
    int64_t at = now();
    record(at - c->began);
    c->began = 0;
    if (step) idle[idle_count++] = c;
    else send_next(c, at);
}

/* With a rate: send what is due on connections that are free. Return when the next one is due. */
static int64_t send_due(void) {
    int64_t at = now(), due = started + due_sent * step;
    for (; due <= at && idle_count; due = started + ++due_sent * step) send_next(idle[--idle_count], due);
    return due > at ? due - at : 1000000;
}

static void run(int64_t until) {
    struct epoll_event events[LOOK];
    for (int64_t at = now(); at < until; at = now()) {
        int64_t wait = step ? send_due() : spin ? 0 : 50000000;
        if (wait > until - at) wait = until - at;
        struct timespec patience = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        int n = epoll_pwait2(poller, events, LOOK, &patience, NULL);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) answered(events[i].data.ptr);
    }
}

static void read_requests(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file), count = 0;
    rewind(file);
    requests = malloc(size);
    if (!requests || fread(requests, 1, size, file) != (size_t)size) die(path);
    for (long i = 0; i < size; i++) count += requests[i] == 0;
    request = calloc(count, sizeof *request);
    request_length = calloc(count, sizeof *request_length);
    for (char *at = requests; request_count < count; at += strlen(at) + 1) {
        request[request_count] = at;
        request_length[request_count++] = strlen(at);
    }
}

static void set_target(char *target) {
    memset(&address, 0, sizeof address);
    if (!strncmp(target, "unix:", 5)) {
        struct sockaddr_un *un = (void *)&address;
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%s", target + 5);
        address_length = sizeof *un;
        return;
    }
    struct sockaddr_in *in = (void *)&address;
    char *colon = strrchr(target, ':');
    if (!colon) exit(2);
    *colon = 0;
    in->sin_family = AF_INET;
    in->sin_port = htons(atoi(colon + 1));
    if (!inet_aton(target, &in->sin_addr)) exit(2);
    address_length = sizeof *in;
}

int main(int argc, char **argv) {
    if (argc != 8) return fprintf(stderr, "load TARGET REQUESTS SECONDS CONNECTIONS STATUSES RATE WAIT\n"), 2;
    set_target(argv[1]);
    read_requests(argv[2]);
    int64_t duration = atof(argv[3]) * 1e9;
    int count = atoi(argv[4]);
    for (char *s = strtok(argv[5], ","); s && right_count < 8; s = strtok(NULL, ",")) right[right_count++] = atoi(s);
    if (atof(argv[6]) > 0) step = 1e9 / atof(argv[6]);
    if (count < 1 || count > MOST || !request_count) return 2;
    spin = !strcmp(argv[7], "spin");
    poller = epoll_create1(0);
    connections = calloc(count, sizeof *connections);
    if (!connections) die("calloc");
    for (int i = 0; i < count; i++) open_connection(&connections[i]);
    started = now();
    for (int i = 0; i < count; i++)
        if (step) idle[idle_count++] = &connections[i];
        else send_next(&connections[i], started);
    run(started + duration);
    int64_t ended = now(), behind = 0;
    for (; step && started + due_sent * step < ended; due_sent++, behind++) record(ended - started - due_sent * step);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double seconds = (ended - started) / 1e9;
    double busy = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"answers\": %ld, \"seconds\": %.6f, \"wrong\": %ld, \"unreadable\": %ld, \"reconnects\": %ld, \"behind\": %ld,", answers,
           seconds, wrong, unreadable, reconnects, behind);
    printf(" \"busy\": %.4f, \"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f, \"statuses\": {", busy / seconds, percentile(.5), percentile(.99),
           percentile(1));
    for (int i = 0, first = 1; i < 1000; i++)
        if (seen[i]) printf("%s\"%d\": %ld", first ? "" : ", ", i, seen[i]), first = 0;
    printf("}}\n");
    return 0;
}
