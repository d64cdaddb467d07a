/* Opens many streams and reads them; publishes; says what arrived, when, and what it cost to read.

   readers PORT KIND READY REQUESTS

   KIND is sse, ws or sio (Socket.IO over a WebSocket). A stream is open when READY was seen on it. REQUESTS is a file of
   requests, each its length, a line end and its bytes; stream number n sends the n-th. Every message that is published says,
   once, "<p>due TTTTTTTTTTTTTTTT NNNNNNNNNNNNNNNN": when it was due, in nanoseconds, and its number. Commands come on standard
   input, one a line, each answered by one line:

   connect N F    open N more streams, F at a time
   drop           reset every connection
   publish PORT FILE START STEP WINDOW EACH   write the pieces of FILE to a port: the n-th at START + n * STEP nanoseconds,
                  or, with STEP 0, as soon as all but WINDOW of those before it arrived; then wait for the last. Each is
                  for EACH streams
   clear          begin to count anew
   wait S         read for S seconds
   report         say what was counted */
#include "common.h"
#include <poll.h>

#define MARK "<p>due "
#define MARK_SIZE 40 /* with both numbers */

struct stream {
    int fd, open, which, carried;
    int64_t number;
    char carry[64]; /* the end of what was read last, in which a mark may have begun */
};

static struct stream *all;
static int set, count, opened, closed, port;
static char **requests, *ready, *kind;
static int *sizes;
static struct times taken;
static long delivered, disorder, bytes, repeated;
static int64_t last_at;
static double cpu_before;

static void say_ws(struct stream *s, int opcode, const char *text, int size) {
    char frame[256] = {(char)(0x80 | opcode), (char)(0x80 | size)}; /* masked with zeros */
    memcpy(frame + 6, text, size);
    if (write(s->fd, frame, 6 + size) < 0 && errno != EAGAIN) perror("write");
}

static void shut(struct stream *s) {
    if (s->fd < 0) return;
    close(s->fd);
    s->fd = -1;
    closed++;
    if (s->open) opened--;
    s->open = 0;
}

static void scan(struct stream *s, char *data, int size, int64_t now) {
    char *at = data, *end = data + size;
    if (!s->open && memmem(data, size, ready, strlen(ready))) {
        s->open = 1;
        opened++;
    }
    while ((at = memmem(at, end - at, MARK, sizeof MARK - 1)) && end - at >= MARK_SIZE) {
        int64_t due = strtoll(at + 7, NULL, 10), number = strtoll(at + 24, NULL, 10);
        delivered++;
        if (number == s->number) repeated++;
        else if (number < s->number) disorder++;
        s->number = number;
        if (due) note(&taken, now - due);
        last_at = now;
        at += MARK_SIZE;
    }
    int keep = at ? (int)(end - at) : size < MARK_SIZE - 1 ? size : MARK_SIZE - 1;
    s->carried = keep;
    memcpy(s->carry, end - keep, keep);
}

/* Answers what a WebSocket has to answer: control frames, and the pings of Socket.IO, which are frames of a single 2. */
static void manners(struct stream *s, char *data, int size) {
    char *hello = memmem(data, size, "0{\"sid\"", 7);
    if (*kind == 's' && kind[1] == 'i' && hello && hello > data && hello[-1] != '4') say_ws(s, 1, "40", 2);
    if (size == 3 && data[0] == (char)0x81 && data[1] == 1 && data[2] == '2') say_ws(s, 1, "3", 1);
    if (size >= 2 && data[0] == (char)0x89 && size == 2 + data[1]) say_ws(s, 10, data + 2, data[1]);
}

static void hear(struct stream *s) {
    static char buffer[64 + (1 << 18)];
    for (;;) {
        memcpy(buffer, s->carry, s->carried);
        int room = sizeof buffer - 64, n = recv(s->fd, buffer + s->carried, room, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            shut(s);
            return;
        }
        bytes += n;
        if (kind[0] == 'w' || kind[1] == 'i') manners(s, buffer + s->carried, n);
        scan(s, buffer, n + s->carried, now_ns());
        if (n < room) return;
    }
}

static void turn(int milliseconds) {
    struct epoll_event events[512];
    int n = epoll_wait(set, events, 512, milliseconds);
    for (int i = 0; i < n; i++) {
        struct stream *s = events[i].data.ptr;
        if (s && s->fd >= 0) hear(s);
    }
}

static void start(struct stream *s) {
    s->fd = dial(port);
    s->open = s->carried = 0;
    s->number = -1;
    while (write(s->fd, requests[s->which], sizes[s->which]) < 0) {
        if (errno != EAGAIN && errno != ENOTCONN) fail("write");
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};
        poll(&p, 1, 5000);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    epoll_ctl(set, EPOLL_CTL_ADD, s->fd, &event);
}

static void knock(struct stream *s, int poller) {
    s->fd = dial(port);
    s->open = s->carried = 0;
    s->number = -1;
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &event);
}

/* Everybody at once: connecting without waiting, the request as soon as the connection stands; who is cut off tries again. */
static void rush(int from, int n) {
    struct epoll_event *events = calloc(512, sizeof *events);
    int poller = epoll_create1(0), waiting = n;
    for (int i = from; i < from + n; i++) knock(&all[i], poller);
    int64_t end = now_ns() + 120000000000LL, look = now_ns();
    while ((opened < n || waiting) && now_ns() < end) {
        int found = waiting ? epoll_wait(poller, events, 512, 0) : 0;
        for (int i = 0; i < found; i++) {
            struct stream *s = events[i].data.ptr;
            epoll_ctl(poller, EPOLL_CTL_DEL, s->fd, NULL);
            waiting--;
            if (write(s->fd, requests[s->which], sizes[s->which]) < 0) {
                shut(s);
                continue;
            }
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
            epoll_ctl(set, EPOLL_CTL_ADD, s->fd, &event);
        }
        turn(found ? 0 : 1);
        for (int i = from; now_ns() > look && i < from + n; i++)
            if (all[i].fd < 0) waiting++, knock(&all[i], poller);
        if (now_ns() > look) look = now_ns() + 200000000;
    }
    close(poller);
    free(events);
}

static void publish(int to, const char *file, int64_t begin, int64_t step, int window, int each) {
    char **pieces = NULL;
    int *lengths = NULL, total, sent = 0, fd = dial(to);
    freopen(file, "r", stdin);
    total = read_requests(&pieces, &lengths);
    fcntl(fd, F_SETFL, 0);
    long expected = delivered;
    int64_t end = (step ? begin + total * step : now_ns()) + 60000000000LL;
    static char answers[1 << 16];
    int64_t started = now_ns();
    while (now_ns() < end) {
        while (sent < total && (step ? now_ns() >= begin + sent * step : delivered - expected >= (long)(sent - window + 1) * each)) {
            if (write(fd, pieces[sent], lengths[sent]) != lengths[sent]) fail("publish");
            sent++;
        }
        while (recv(fd, answers, sizeof answers, MSG_DONTWAIT) > 0);
        if (sent == total && delivered - expected >= (long)total * each) break;
        int64_t rest = step && sent < total ? (begin + sent * step - now_ns()) / 1000000 : 1;
        turn(rest < 0 ? 0 : rest > 10 ? 10 : (int)rest);
    }
    printf("{\"published\": %d, \"seconds\": %.6f, \"expected\": %ld, \"arrived\": %ld}\n", sent, (last_at - (step ? begin : started)) / 1e9,
           (long)total * each, delivered - expected);
    for (int i = 0; i < total; i++) free(pieces[i]);
    close(fd);
}

int main(int argc, char **argv) {
    char line[1024], file[512];
    if (argc != 5) return 2;
    port = atoi(argv[1]);
    kind = argv[2];
    ready = argv[3];
    int commands = dup(0);
    if (!freopen(argv[4], "r", stdin)) fail(argv[4]);
    int most = read_requests(&requests, &sizes);
    all = calloc(most, sizeof *all);
    for (int i = 0; i < most; i++) all[i].fd = -1, all[i].which = i;
    set = epoll_create1(0);
    FILE *in = fdopen(commands, "r");
    while (fgets(line, sizeof line, in)) {
        int n, at_once, to, window, each;
        long long begin, step;
        double seconds;
        int64_t now = now_ns();
        if (sscanf(line, "connect %d %d", &n, &at_once) == 2) {
            double before = cpu_seconds();
            int from = count;
            count += n;
            if (at_once >= n) rush(from, n);
            else {
                int64_t end = now + 300000000000LL;
                for (int i = from; i < count; i++) {
                    while (i - opened >= at_once && now_ns() < end) turn(10);
                    start(&all[i]);
                }
                while (opened < count && now_ns() < end) turn(10);
            }
            printf("{\"open\": %d, \"seconds\": %.6f, \"cpu\": %.3f}\n", opened, (now_ns() - now) / 1e9, cpu_seconds() - before);
        } else if (!strncmp(line, "drop", 4)) {
            struct linger hard = {1, 0};
            for (int i = 0; i < count; i++)
                if (all[i].fd >= 0) setsockopt(all[i].fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            for (int i = 0; i < count; i++) shut(&all[i]);
            count = closed = 0;
            printf("{}\n");
        } else if (sscanf(line, "publish %d %511s %lld %lld %d %d", &to, file, &begin, &step, &window, &each) == 6) {
            publish(to, file, begin, step, window, each);
        } else if (!strncmp(line, "clear", 5)) {
            memset(&taken, 0, sizeof taken);
            delivered = disorder = bytes = repeated = 0;
            cpu_before = cpu_seconds();
            printf("{}\n");
        } else if (sscanf(line, "wait %lf", &seconds) == 1) {
            while (now_ns() < now + (int64_t)(seconds * 1e9)) turn(5);
            printf("{}\n");
        } else if (!strncmp(line, "report", 6)) {
            printf("{\"open\": %d, \"closed\": %d, \"delivered\": %ld, \"disorder\": %ld, \"repeated\": %ld, \"bytes\": %ld, \"cpu\": %.3f",
                   opened, closed, delivered, disorder, repeated, bytes, cpu_seconds() - cpu_before);
            print_times(&taken);
            printf("}\n");
        }
        fflush(stdout);
    }
    return 0;
}
