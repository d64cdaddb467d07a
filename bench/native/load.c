/* Sends requests over connections that are kept open, and times the answers.

   load PORT CONNECTIONS SECONDS RATE WARM < requests

   RATE 0: each connection sends its next request when the last was answered. Otherwise so many a second, on their schedule:
   one that finds no free connection waits, and its time runs from when it was due. Answers of the first WARM seconds are not
   counted. In a request a run of 16 T becomes the time it is due in nanoseconds, a run of 16 N its number. */
#include "common.h"

struct connection {
    int fd, busy, next;
    int64_t due;
    char head[65536];
    int have;
    long left; /* of the body; -1 while the head is read */
};

static char **requests;
static int *sizes, count, connections, numbers;
static struct connection *all;
static int64_t begin, counted_from, end;
static struct times taken;
static long answered, refused, bytes;

static void fill(char *at, char mark, int64_t value) {
    char digits[17], run[17];
    memset(run, mark, 16);
    run[16] = 0;
    while ((at = strstr(at, run))) {
        snprintf(digits, sizeof digits, "%016lld", (long long)value);
        memcpy(at, digits, 16);
    }
}

static void ask(struct connection *c, int64_t due) {
    static char text[1 << 16];
    int which = c->next;
    c->next = c->next + connections < count ? c->next + connections : (int)(c - all);
    memcpy(text, requests[which], sizes[which] + 1);
    fill(text, 'T', due);
    fill(text, 'N', ++numbers);
    c->due = due;
    c->busy = 1;
    c->have = 0;
    c->left = -1;
    for (int sent = 0, n; sent < sizes[which]; sent += n) {
        n = write(c->fd, text + sent, sizes[which] - sent);
        if (n < 0 && errno != EAGAIN) fail("write");
        if (n < 0) n = 0;
    }
}

static void done(struct connection *c) {
    int status = atoi(c->head + 9);
    int64_t now = now_ns();
    c->busy = 0;
    if (now < counted_from || now > end) return;
    if (status < 200 || status > 399) {
        if (!refused++) fprintf(stderr, "%.1500s\n", c->head);
        return;
    }
    answered++;
    note(&taken, now - c->due);
}

static void hear(struct connection *c) {
    static char body[1 << 18];
    for (;;) {
        if (c->left < 0) {
            int n = read(c->fd, c->head + c->have, sizeof c->head - 1 - c->have);
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) fail("the server closed a connection");
            bytes += n;
            c->have += n;
            c->head[c->have] = 0;
            char *stop = strstr(c->head, "\r\n\r\n");
            if (!stop) continue;
            char *length = strcasestr(c->head, "\r\ncontent-length:");
            c->left = (length && length < stop ? atol(length + 17) : 0) - (c->have - (stop + 4 - c->head));
        } else {
            int n = read(c->fd, body, c->left < (long)sizeof body ? (size_t)c->left : sizeof body);
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) fail("the server closed a connection");
            bytes += n;
            c->left -= n;
        }
        if (c->left == 0) {
            done(c);
            return;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int port = atoi(argv[1]);
    double seconds = atof(argv[3]), rate = atof(argv[4]), warm = atof(argv[5]);
    connections = atoi(argv[2]);
    count = read_requests(&requests, &sizes);
    if (count < connections) connections = count;
    all = calloc(connections, sizeof *all);
    int set = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        all[i].fd = dial(port);
        all[i].next = i;
        fcntl(all[i].fd, F_SETFL, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(set, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    usleep(200000);
    for (int i = 0; i < connections; i++) fcntl(all[i].fd, F_SETFL, O_NONBLOCK);
    numbers = (int)(time(NULL) % 1000000) * 1000;
    begin = now_ns();
    counted_from = begin + (int64_t)(warm * 1e9);
    end = counted_from + (int64_t)(seconds * 1e9);
    double cpu = cpu_seconds();
    int64_t due = begin;
    struct epoll_event events[64];
    if (!rate)
        for (int i = 0; i < connections; i++) ask(&all[i], now_ns());
    while (now_ns() < end) {
        int64_t wait = rate ? due - now_ns() : 100000000;
        struct timespec most = {.tv_nsec = wait < 0 ? 0 : wait > 100000000 ? 100000000 : wait};
        int n = epoll_pwait2(set, events, 64, &most, NULL);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            hear(c);
            if (!c->busy && !rate && now_ns() < end) ask(c, now_ns());
        }
        for (int i = 0; rate && i < connections && due <= now_ns(); i++)
            if (!all[i].busy) {
                ask(&all[i], due);
                due += (int64_t)(1e9 / rate);
            }
    }
    printf("{\"answered\": %ld, \"refused\": %ld, \"bytes\": %ld, \"seconds\": %.3f, \"cpu\": %.3f", answered, refused, bytes,
           seconds, cpu_seconds() - cpu);
    print_times(&taken);
    printf("}\n");
    return 0;
}
