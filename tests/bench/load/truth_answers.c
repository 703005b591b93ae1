/* SPDX-License-Identifier: MIT */
/* What the truth server answers, and when it is due: see truth_server.c. */
#define _GNU_SOURCE
#include "truth_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSE_HEAD                                                                                                         \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"                  \
    "Transfer-Encoding: chunked\r\n\r\n"
#define ID_DIGITS 8

/* Messages of a stream, made once; only the id differs. By [chat][with usage][which]. */
enum message { ROLE, TOKEN, FINISH, MESSAGES };
static struct {
    char text[512];
    size_t n, id_at;
} made[2][2][MESSAGES];

static int64_t queue_free_ns;
static uint64_t draw;
static uint32_t requests;

/* ---- whole answers ----------------------------------------------------------------------------------------------- */

static void put_whole(struct connection *c, int status, const char *type, const char *body, size_t n) {
    char answer[8192];
    c->record.status = status;
    int head = snprintf(answer, sizeof answer, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
                        status, status == 200 ? "OK" : "Error", type, n, c->close_after ? "Connection: close\r\n" : "");
    memcpy(answer + head, body, n);
    put_last(c, answer, head + n);
}

static size_t head_of(char *to, bool chat, bool streamed, uint32_t id) {
    return sprintf(to, "{\"id\":\"%s-%08x\",\"object\":\"%s%s\",\"created\":1764000000,\"model\":\"truth\",",
                   chat ? "chatcmpl" : "cmpl", id, chat ? "chat.completion" : "text_completion",
                   chat && streamed ? ".chunk" : "");
}

static size_t usage_of(const struct connection *c, char *to) {
    return sprintf(to, "\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u}}", c->prompt_tokens,
                   c->tokens, c->prompt_tokens + c->tokens);
}

static void put_completion(struct connection *c) {
    char body[4096], text[1024] = "";
    bool chat = c->record.mode == CHAT;
    size_t n = head_of(body, chat, false, c->id);
    for (uint32_t i = 0; i < c->tokens && i < 128; i++) strcat(text, " token");
    n += sprintf(body + n, "\"choices\":[{\"index\":0,%s\"%s\"%s,\"logprobs\":null,\"finish_reason\":\"length\"}],",
                 chat ? "\"message\":{\"role\":\"assistant\",\"content\":" : "\"text\":", text, chat ? "}" : "");
    n += usage_of(c, body + n);
    c->record.tokens = c->tokens;
    put_whole(c, 200, "application/json", body, n);
}

static void put_embedding(struct connection *c) {
    char body[1024];
    int n = sprintf(body,
                    "{\"object\":\"list\",\"model\":\"truth\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                    "\"embedding\":[0.5,0.5,0.5,0.5,-0.5,-0.5,-0.5,-0.5]}],"
                    "\"usage\":{\"prompt_tokens\":%u,\"total_tokens\":%u}}",
                    c->prompt_tokens, c->prompt_tokens);
    put_whole(c, 200, "application/json", body, n);
}

/* ---- streams ------------------------------------------------------------------------------------------------------- */

static size_t event(char *to, const char *json) {
    return sprintf(to, "%zx\r\ndata: %s\n\n\r\n", strlen(json) + 8, json);
}

void prepare_answers(void) {
    static const char *const deltas[] = {"\"role\":\"assistant\",\"content\":\"\"", "\"content\":\" token\"", ""};
    static const char *const texts[] = {"", " token", ""}, *const reasons[] = {"null", "null", "\"length\""};
    draw = 0x9E3779B97F4A7C15ULL ^ (uint64_t)option(SEED);
    for (int chat = 0; chat < 2; chat++)
        for (int usage = 0; usage < 2; usage++)
            for (int which = 0; which < MESSAGES; which++) {
                char json[512];
                size_t n = head_of(json, chat, true, 0);
                n += sprintf(json + n, chat ? "\"choices\":[{\"index\":0,\"delta\":{%s}," : "\"choices\":[{\"index\":0,\"text\":\"%s\",",
                             chat ? deltas[which] : texts[which]);
                sprintf(json + n, "\"logprobs\":null,\"finish_reason\":%s}]%s}", reasons[which],
                        usage ? ",\"usage\":null" : "");
                made[chat][usage][which].n = event(made[chat][usage][which].text, json);
                made[chat][usage][which].id_at =
                    strstr(made[chat][usage][which].text, "cmpl-") + 5 - made[chat][usage][which].text;
            }
}

static size_t add(const struct connection *c, enum message which, char *to) {
    bool chat = c->record.mode == CHAT;
    size_t n = made[chat][c->include_usage][which].n;
    memcpy(to, made[chat][c->include_usage][which].text, n);
    char *id = to + made[chat][c->include_usage][which].id_at;
    for (int i = 0; i < ID_DIGITS; i++) id[i] = "0123456789abcdef"[c->id >> (4 * (ID_DIGITS - 1 - i)) & 15];
    return n;
}

static size_t add_end(const struct connection *c, char *to) {
    char json[1024];
    size_t n = add(c, FINISH, to);
    if (c->include_usage) {
        size_t at = head_of(json, c->record.mode == CHAT, true, c->id);
        at += sprintf(json + at, "\"choices\":[],");
        usage_of(c, json + at);
        n += event(to + n, json);
    }
    n += event(to + n, "[DONE]");
    return n + sprintf(to + n, "0\r\n\r\n");
}

/* The tokens that are due, those of one moment as one write; after the last one all that ends a stream. */
static void put_tokens(struct connection *c) {
    char out[65536];
    size_t n = 0;
    int64_t now = now_ns(), gap = option_ns(GAP_MS);
    if (!c->record.tokens) {
        c->record.first_ns = now;
        if (c->record.mode == CHAT) n += add(c, ROLE, out);
    }
    while (c->record.tokens < c->tokens && n < sizeof out - 4096 && c->first_due_ns + c->record.tokens * gap <= now) {
        n += add(c, TOKEN, out + n);
        c->record.tokens++;
    }
    if (c->record.tokens < c->tokens) {
        put(c, out, n);
        if (c->fd >= 0) wake_at(c, c->first_due_ns + c->record.tokens * gap);
    } else {
        put_last(c, out, n + add_end(c, out + n));
    }
}

/* ---- requests ------------------------------------------------------------------------------------------------------ */

/* The value of a key in a body; a quote within a JSON string is escaped, so that what is found is no text. */
static const char *value_of(const char *body, size_t n, const char *key) {
    const char *at = memmem(body, n, key, strlen(key));
    if (!at) return "";
    for (at += strlen(key); at < body + n && (*at == ' ' || *at == ':'); at++) continue;
    return at;
}

static bool is_true(const char *body, size_t n, const char *key) {
    return !strncmp(value_of(body, n, key), "true", 4);
}

static enum mode mode_of(const char *path, size_t n) {
    static const struct {
        const char *path;
        enum mode mode;
    } paths[] = {{"/plain", PLAIN},
                 {"/stall", STALL},
                 {"/limited", LIMITED},
                 {"/v1/chat/completions", CHAT},
                 {"/v1/completions", COMPLETIONS},
                 {"/v1/embeddings", EMBEDDINGS},
                 {"/v1/models", MODELS},
                 {"/health", HEALTH}};
    const char *query = memchr(path, '?', n);
    if (query) n = query - path;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strlen(paths[i].path) == n && !memcmp(paths[i].path, path, n)) return paths[i].mode;
    return OTHER;
}

static double uniform(void) { /* xorshift64*, from 0 to below 1 */
    draw ^= draw >> 12, draw ^= draw << 25, draw ^= draw >> 27;
    return (double)((draw * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

/* Reads what is asked of a model, and sets when the first token is due. Returns when something has to be sent. */
static int64_t due_of_model(struct connection *c, const char *body, size_t n) {
    c->id = ++requests;
    c->prompt_tokens = 1; /* about a word a token */
    for (size_t i = 0; i < n; i++) c->prompt_tokens += body[i] == ' ';
    const char *most = value_of(body, n, "\"max_completion_tokens\"");
    if (!*most) most = value_of(body, n, "\"max_tokens\"");
    uint32_t asked = strtoul(most, NULL, 10);
    c->tokens = asked && asked < option(TOKENS) ? asked : option(TOKENS);
    c->record.streamed = c->record.mode != EMBEDDINGS && is_true(body, n, "\"stream\"");
    c->include_usage = is_true(body, n, "\"include_usage\"");
    c->first_due_ns = c->record.arrival_ns + option_ns(uniform() * 100 < option(SLOW_PERCENT) ? SLOW_MS : TTFT_MS);
    if (c->record.streamed || c->record.mode == EMBEDDINGS) return c->first_due_ns;
    return c->first_due_ns + (c->tokens - 1) * option_ns(GAP_MS);
}

/* When (ns) the answer is due; 0: at once. */
static int64_t due_of(struct connection *c, const char *path, size_t path_n, const char *body, size_t body_n) {
    int64_t now = c->record.arrival_ns, every = option_ns(EVERY_MS), into;
    const char *asked;
    double rate;
    switch (c->record.mode) {
    case STALL:
        into = (now - start_ns()) % every;
        return into < option_ns(STALL_MS) ? now - into + option_ns(STALL_MS) : 0;
    case LIMITED:
        asked = memmem(path, path_n, "?rate=", 6);
        rate = asked ? strtod(asked + 6, NULL) : option(RATE);
        queue_free_ns = (queue_free_ns > now ? queue_free_ns : now) + (int64_t)(1e9 / (rate > 0 ? rate : 1));
        return queue_free_ns;
    case CHAT:
    case COMPLETIONS:
    case EMBEDDINGS: return due_of_model(c, body, body_n);
    default: return 0;
    }
}

void go_on(struct connection *c) {
    static const char models[] = "{\"object\":\"list\",\"data\":[{\"id\":\"truth\",\"object\":\"model\","
                                 "\"created\":1764000000,\"owned_by\":\"truth\",\"max_model_len\":131072}]}";
    switch (c->record.mode) {
    case CHAT:
    case COMPLETIONS:
        if (c->record.streamed)
            put_tokens(c);
        else
            put_completion(c);
        break;
    case EMBEDDINGS: put_embedding(c); break;
    case MODELS: put_whole(c, 200, "application/json", models, sizeof models - 1); break;
    case OTHER: put_whole(c, 404, "text/plain", "no such path", 12); break;
    default: put_whole(c, 200, "text/plain", "Hello, world!", 13);
    }
}

void begin_answer(struct connection *c, const char *path, size_t path_n, const char *body, size_t body_n) {
    c->busy = true;
    c->record = (struct record){.arrival_ns = c->read_ns, .mode = mode_of(path, path_n), .status = 200};
    int64_t due = due_of(c, path, path_n, body, body_n);
    if (c->record.streamed) put(c, SSE_HEAD, sizeof SSE_HEAD - 1); /* servers send it before there is a token */
    if (c->fd < 0) return;
    if (due)
        wake_at(c, due);
    else
        go_on(c);
}
