/* What the three programs share: time, sockets, answers to a signal. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static inline void fail(const char *what) {
    perror(what);
    exit(1);
}

/* A socket that connects to a port of this machine; it may still be connecting. */
static inline int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    if (fd < 0) fail("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) fail("connect");
    return fd;
}

/* Requests come on standard input, each as its length, a line end, and its bytes. */
static inline int read_requests(char ***list, int **sizes) {
    int count = 0, room = 0, size;
    while (scanf("%d", &size) == 1) {
        if (count == room) {
            room = room ? 2 * room : 1024;
            *list = realloc(*list, room * sizeof **list);
            *sizes = realloc(*sizes, room * sizeof **sizes);
        }
        getchar();
        (*list)[count] = malloc(size + 1);
        if (fread((*list)[count], 1, size, stdin) != (size_t)size) fail("requests");
        (*list)[count][size] = 0;
        (*sizes)[count++] = size;
    }
    return count;
}

/* How often something took how long: 64 steps for each doubling of microseconds, so within 1.6 %. */
struct times {
    long of[32 * 64], count;
    int64_t worst;
};

static inline void note(struct times *t, int64_t ns) {
    uint64_t us = ns < 0 ? 0 : ns / 1000, high = us < 64 ? 0 : 63 - __builtin_clzll(us) - 5;
    size_t index = us < 64 ? us : high * 64 + (us >> (high - 1)) - 64;
    t->of[index < sizeof t->of / sizeof *t->of ? index : sizeof t->of / sizeof *t->of - 1]++;
    t->count++;
    if (ns > t->worst) t->worst = ns;
}

static inline double at_share(struct times *t, double share) {
    long left = (long)(share * (t->count - 1));
    size_t index = 0;
    while (index + 1 < sizeof t->of / sizeof *t->of && left >= t->of[index]) left -= t->of[index++];
    return (index < 64 ? index : ((index % 64) + 64) << (index / 64 - 1)) / 1000.0;
}

static inline void print_times(struct times *t) {
    printf(", \"p50\": %.3f, \"p95\": %.3f, \"p99\": %.3f, \"worst\": %.3f", t->count ? at_share(t, 0.5) : 0,
           t->count ? at_share(t, 0.95) : 0, t->count ? at_share(t, 0.99) : 0, t->worst / 1e6);
}
