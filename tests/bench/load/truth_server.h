/* SPDX-License-Identifier: MIT */
/* What the two halves of the truth server share: truth_server.c has connections, timers and the log,
 * truth_answers.c what is answered, and when. */
#ifndef TRUTH_SERVER_H
#define TRUTH_SERVER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mode { PLAIN, STALL, LIMITED, CHAT, COMPLETIONS, EMBEDDINGS, MODELS, HEALTH, OTHER };

struct header {
    char magic[8];
    int64_t start_ns;        /* CLOCK_MONOTONIC; stalls begin at start + k * every */
    int64_t epoch_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    uint64_t records, lost, connections, most_open;
};

struct record { /* times of CLOCK_MONOTONIC, 0: it did not come to that */
    int64_t arrival_ns, first_ns, end_ns;
    uint32_t tokens;
    uint16_t status;
    uint8_t mode, streamed;
};

struct connection {
    int fd;      /* -1: closed */
    int heap_at; /* -1: no timer */
    int64_t due_ns;
    char *in, *out; /* out: what the socket would not take */
    size_t in_len, in_cap, out_len, out_cap;
    bool busy, close_after, include_usage;
    int64_t read_ns, first_due_ns;
    uint32_t id, tokens, prompt_tokens;
    struct record record;
};

enum option { PORT, TTFT_MS, SLOW_MS, SLOW_PERCENT, GAP_MS, TOKENS, STALL_MS, EVERY_MS, RATE, SEED, LOG_MAX, OPTIONS };

double option(enum option which);
int64_t option_ns(enum option which); /* of one in ms */
int64_t now_ns(void);
int64_t start_ns(void); /* the server's */
void fail(const char *what);

void put(struct connection *c, const char *data, size_t n);
void put_last(struct connection *c, const char *data, size_t n);
void wake_at(struct connection *c, int64_t due_ns);

void prepare_answers(void);
void begin_answer(struct connection *c, const char *path, size_t path_n, const char *body, size_t body_n);
void go_on(struct connection *c); /* its timer has rung */
#endif
