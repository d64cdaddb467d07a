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

static inline int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Microseconds, kept for percentiles. */
struct times {
    uint32_t *of;
    size_t count, room;
};

static inline void note(struct times *t, int64_t ns) {
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 65536;
        t->of = realloc(t->of, t->room * sizeof *t->of);
    }
    t->of[t->count++] = ns < 0 ? 0 : ns > 4000000000000LL ? 4000000000U : (uint32_t)(ns / 1000);
}

static inline void print_times(struct times *t) {
    qsort(t->of, t->count, sizeof *t->of, by_size);
    double at[] = {0.5, 0.95, 0.99, 1};
    const char *names[] = {"p50", "p95", "p99", "worst"};
    for (int i = 0; i < 4; i++) {
        size_t index = t->count ? (size_t)(at[i] * (t->count - 1)) : 0;
        printf(", \"%s\": %.3f", names[i], t->count ? t->of[index] / 1000.0 : 0.0);
    }
}
