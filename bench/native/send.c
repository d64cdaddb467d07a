/* The least a server can do: takes messages from Redis and calls send() for everybody. The floor that others are held to.

   send PORT REDIS_PORT JOIN

   With JOIN 1 what came together leaves together, in one send() each. */
#include "common.h"

static int *fds, count, room;

static void everybody(const char *data, size_t size) {
    for (int i = 0; i < count; i++)
        if (send(fds[i], data, size, MSG_NOSIGNAL) < 0) {
            close(fds[i]);
            fds[i--] = fds[--count];
        }
}

static void take(int listener) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nevent: hello\ndata:\n\n";
    char request[4096];
    for (int fd; (fd = accept4(listener, NULL, NULL, 0)) >= 0;) {
        if (recv(fd, request, sizeof request, 0) <= 0 || send(fd, head, sizeof head - 1, MSG_NOSIGNAL) < 0) {
            close(fd);
            continue;
        }
        if (count == room) fds = realloc(fds, (room = room ? 2 * room : 1024) * sizeof *fds);
        fds[count++] = fd;
    }
}

/* Redis says "*3 $7 message $5 bench $<n> <text>"; returns how much of it was used, 0 while it is not complete. */
static size_t one(char *data, size_t size, char **text, size_t *length) {
    char *at = data, *end = data + size, *line;
    for (int part = 0; part < 4; part++) {
        if (!(line = memmem(at, end - at, "\r\n", 2))) return 0;
        *text = line + 2;
        *length = *at == '$' ? atol(at + 1) : 0;
        at = *at == '$' ? *text + *length + 2 : line + 2;
        if (at > end) return 0;
    }
    return at - data;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int port = atoi(argv[1]), join = atoi(argv[3]), one_ = 1, buffer = 64 * 1024, wait = 3;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), redis = dial(atoi(argv[2]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one_, sizeof one_);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one_, sizeof one_);
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait, sizeof wait);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 4096) < 0) fail("listen");
    fcntl(redis, F_SETFL, 0);
    if (write(redis, "SUBSCRIBE bench\r\n", 17) != 17) fail("redis");
    fcntl(redis, F_SETFL, O_NONBLOCK);
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[8];
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = redis;
    epoll_ctl(set, EPOLL_CTL_ADD, redis, &event);
    static char in[1 << 20], out[1 << 20];
    size_t have = 0;
    for (;;) {
        int n = epoll_wait(set, events, 8, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) {
                take(listener);
                continue;
            }
            ssize_t got = read(redis, in + have, sizeof in - have);
            if (got <= 0) return 0;
            have += got;
            size_t used = 0, joined = 0, step, length;
            char *text;
            while ((step = one(in + used, have - used, &text, &length))) {
                used += step;
                if (!length) continue; /* the answer to SUBSCRIBE */
                if (join && joined + length <= sizeof out) {
                    memcpy(out + joined, text, length);
                    joined += length;
                } else
                    everybody(text, length);
            }
            if (joined) everybody(out, joined);
            memmove(in, in + used, have -= used);
        }
    }
}
