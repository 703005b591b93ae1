/* SPDX-License-Identifier: MIT */
/* A server whose truth is known: it answers as it was told to, and logs when each request came and was answered.
 *
 * usage: truth_server [--OPTION NUMBER ...] [--log FILE]        (see the table of options below)
 *
 * One thread, one epoll. By path:
 *   /v1/chat/completions, /v1/completions   OpenAI's: streamed (server-sent events in chunks) or whole
 *   /v1/embeddings, /v1/models, /health     OpenAI's
 *   /plain                                  a small body, at once
 *   /stall                                  the same, but all answers wait in the first `stall-ms` of every `every-ms`
 *   /limited, /limited?rate=N               the same, but N a second out of one queue: a known capacity
 * Prints "port N" when it listens. SIGUSR1 writes the log, SIGTERM and SIGINT write it and end. The log: a header and
 * fixed records (truth_server.h, native byte order); what does not fit `log-max` records is counted as lost.
 */
#define _GNU_SOURCE
#include "truth_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 20000 /* file descriptors, so somewhat fewer connections */
#define REQUEST_BYTES (8 << 20)

static struct {
    const char *name;
    double value;
} options[] = {
    [PORT] = {"port", 0}, /* 0: a free one */
    [TTFT_MS] = {"ttft-ms", 50},
    [SLOW_MS] = {"slow-ms", 300}, /* the time to first token of slow requests */
    [SLOW_PERCENT] = {"slow-percent", 2},
    [GAP_MS] = {"gap-ms", 10}, /* between two tokens */
    [TOKENS] = {"tokens", 32}, /* of an answer, at most */
    [STALL_MS] = {"stall-ms", 200},
    [EVERY_MS] = {"every-ms", 1000},
    [RATE] = {"rate", 1000}, /* of /limited, 1/s */
    [SEED] = {"seed", 1},    /* of the draw which requests are slow */
    [LOG_MAX] = {"log-max", 2000000},
};

static struct connection *table[CONNECTIONS], *heap[CONNECTIONS];
static int heap_len, poller, timer;
static int64_t armed_ns;
static uint64_t open_now;
static const char *log_path;
static struct header header = {.magic = "TRUTH001"};
static struct record *records;

static int64_t clock_ns(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

int64_t start_ns(void) { return header.start_ns; }

double option(enum option which) { return options[which].value; }

int64_t option_ns(enum option which) { return (int64_t)(options[which].value * 1e6); }

void fail(const char *what) {
    perror(what);
    exit(1);
}

/* ---- timers: a binary heap of connections, each with one time at most ---------------------------------------- */

static void heap_set(int at, struct connection *c) {
    heap[at] = c;
    c->heap_at = at;
}

static void heap_sift(int at, struct connection *c) {
    while (at > 0 && heap[(at - 1) / 2]->due_ns > c->due_ns) {
        heap_set(at, heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (int child; (child = 2 * at + 1) < heap_len; at = child) {
        if (child + 1 < heap_len && heap[child + 1]->due_ns < heap[child]->due_ns) child++;
        if (heap[child]->due_ns >= c->due_ns) break;
        heap_set(at, heap[child]);
    }
    heap_set(at, c);
}

void wake_at(struct connection *c, int64_t due_ns) {
    c->due_ns = due_ns;
    heap_sift(c->heap_at < 0 ? heap_len++ : c->heap_at, c);
}

static void no_wake(struct connection *c) {
    if (c->heap_at < 0) return;
    struct connection *last = heap[--heap_len];
    if (last != c) heap_sift(c->heap_at, last);
    c->heap_at = -1;
}

static void arm_timer(void) {
    if (!heap_len || armed_ns == heap[0]->due_ns) return;
    armed_ns = heap[0]->due_ns;
    struct itimerspec t = {.it_value = {armed_ns / 1000000000, armed_ns % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* ---- the log ------------------------------------------------------------------------------------------------- */

static void log_request(struct connection *c) {
    if (header.records < (uint64_t)option(LOG_MAX))
        records[header.records++] = c->record;
    else
        header.lost++;
    c->busy = false;
}

static void write_log(void) {
    char name[4096];
    if (!log_path) return;
    snprintf(name, sizeof name, "%s.part", log_path);
    FILE *file = fopen(name, "wb");
    if (!file) fail(name);
    fwrite(&header, sizeof header, 1, file);
    fwrite(records, sizeof *records, header.records, file);
    if (fclose(file) || rename(name, log_path)) fail(log_path);
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static void want(struct connection *c, uint32_t events) {
    struct epoll_event e = {.events = events, .data.fd = c->fd};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

static void close_connection(struct connection *c) {
    if (c->fd < 0) return;
    if (c->busy) log_request(c); /* its end stays 0 */
    no_wake(c);
    close(c->fd);
    c->fd = -1;
    open_now--;
}

static void grow(char **buffer, size_t *cap, size_t wanted) {
    if (wanted <= *cap) return;
    while (*cap < wanted) *cap = *cap ? *cap * 2 : 2048;
    *buffer = realloc(*buffer, *cap);
    if (!*buffer) fail("realloc");
}

void put(struct connection *c, const char *data, size_t n) {
    if (!c->out_len) {
        ssize_t done = send(c->fd, data, n, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN) {
            close_connection(c);
            return;
        }
        if (done > 0) data += done, n -= done;
        if (!n) return;
        want(c, EPOLLIN | EPOLLOUT);
    }
    grow(&c->out, &c->out_cap, c->out_len + n);
    memcpy(c->out + c->out_len, data, n);
    c->out_len += n;
}

static void put_rest(struct connection *c) {
    ssize_t done = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
    if (done < 0) {
        if (errno != EAGAIN) close_connection(c);
        return;
    }
    c->out_len -= done;
    memmove(c->out, c->out + done, c->out_len);
    if (c->out_len) return;
    want(c, EPOLLIN);
    if (c->close_after && !c->busy) close_connection(c);
}

/* The last bytes of an answer. `end` is taken before they are sent: the client can't have them earlier. */
void put_last(struct connection *c, const char *data, size_t n) {
    c->record.end_ns = now_ns();
    if (!c->record.first_ns) c->record.first_ns = c->record.end_ns;
    log_request(c);
    put(c, data, n);
    if (c->close_after && !c->out_len) close_connection(c);
}

/* ---- requests ------------------------------------------------------------------------------------------------ */

/* Takes one request out of the buffer. Returns false when there is none yet. */
static bool take_request(struct connection *c) {
    char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (!end) return false;
    size_t body_n = 0, head_n = end + 4 - c->in;
    char *first_end = memmem(c->in, head_n, "\r\n", 2), *path = memchr(c->in, ' ', first_end - c->in);
    char *path_end = path ? memchr(path + 1, ' ', first_end - path - 1) : NULL;
    if (!path_end) {
        close_connection(c);
        return false;
    }
    c->close_after = !memcmp(first_end - 3, "1.0", 3);
    for (char *line = first_end; line < end;) {
        line += 2;
        if (!strncasecmp(line, "content-length:", 15)) body_n = strtoul(line + 15, NULL, 10);
        if (!strncasecmp(line, "transfer-encoding:", 18)) { /* of a request: not spoken here */
            close_connection(c);
            return false;
        }
        if (!strncasecmp(line, "connection: close", 17)) c->close_after = true;
        if (!strncasecmp(line, "connection: keep-alive", 22)) c->close_after = false;
        line = memmem(line, end + 2 - line, "\r\n", 2);
    }
    if (c->in_len < head_n + body_n) return false;
    begin_answer(c, path + 1, path_end - path - 1, c->in + head_n, body_n);
    c->in_len -= head_n + body_n;
    memmove(c->in, c->in + head_n + body_n, c->in_len);
    return true;
}

static void take_requests(struct connection *c) {
    while (c->fd >= 0 && !c->busy && c->in_len && take_request(c)) continue;
}

static void readable(struct connection *c) {
    grow(&c->in, &c->in_cap, c->in_len + 2048);
    ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len - 1, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 || c->in_len + n > REQUEST_BYTES) {
        close_connection(c);
        return;
    }
    if (!c->in_len) c->read_ns = now_ns(); /* the beginning of a request */
    c->in_len += n;
    c->in[c->in_len] = 0; /* numbers are read up to something that is none */
    take_requests(c);
}

/* ---- the loop -------------------------------------------------------------------------------------------------- */

static void watch(int fd, uint32_t events) {
    struct epoll_event e = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e)) fail("epoll_ctl");
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if (fd >= CONNECTIONS) {
            close(fd);
            continue;
        }
        struct connection *c = table[fd];
        if (!c && !(c = table[fd] = calloc(1, sizeof *c))) fail("calloc");
        c->fd = fd, c->heap_at = -1, c->in_len = c->out_len = 0, c->busy = c->close_after = false;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        watch(fd, EPOLLIN);
        header.connections++;
        if (++open_now > header.most_open) header.most_open = open_now;
    }
}

static void serve(int listener, int signals) {
    struct epoll_event events[512];
    for (;;) {
        while (heap_len && heap[0]->due_ns <= now_ns()) {
            struct connection *c = heap[0];
            no_wake(c);
            go_on(c);
            take_requests(c);
        }
        arm_timer();
        int n = epoll_wait(poller, events, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            struct signalfd_siginfo info;
            if (fd == listener) {
                accept_all(listener);
            } else if (fd == signals) {
                if (read(signals, &info, sizeof info) < 0) fail("signalfd");
                if (info.ssi_signo != SIGUSR1) return;
                write_log();
            } else if (fd != timer && table[fd]->fd >= 0) {
                if (events[i].events & EPOLLOUT) put_rest(table[fd]);
                if (table[fd]->fd >= 0 && events[i].events & ~EPOLLOUT) readable(table[fd]);
            }
        }
    }
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        int n = 0;
        if (i + 1 < argc && !strcmp(argv[i], "--log")) {
            log_path = argv[i + 1];
            continue;
        }
        while (n < OPTIONS && (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, options[n].name))) n++;
        if (n == OPTIONS || i + 1 >= argc) {
            fprintf(stderr, "unknown or without its value: %s\n", argv[i]);
            exit(2);
        }
        options[n].value = strtod(argv[i + 1], NULL);
    }
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    struct rlimit files = {CONNECTIONS, CONNECTIONS}, may;
    if (!getrlimit(RLIMIT_NOFILE, &may) && may.rlim_max < CONNECTIONS && setrlimit(RLIMIT_NOFILE, &files))
        files.rlim_cur = files.rlim_max = may.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    size_t bytes = sizeof *records * (size_t)option(LOG_MAX); /* pages come as they are written */
    records = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (records == MAP_FAILED) fail("mmap");
    prepare_answers();

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(option(PORT))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t n = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, n) || listen(listener, 65535)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &n);

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM), sigaddset(&set, SIGINT), sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(listener, EPOLLIN);
    watch(signals, EPOLLIN);
    watch(timer, EPOLLIN | EPOLLET);
    header.start_ns = now_ns();
    header.epoch_offset_ns = clock_ns(CLOCK_REALTIME) - header.start_ns;
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    serve(listener, signals);
    for (int fd = 0; fd < CONNECTIONS; fd++)
        if (table[fd]) close_connection(table[fd]);
    write_log();
    return 0;
}
