/* Finds the end of an HTTP/1.1 answer. Only what servers send to a short request: no chunks, at most 16 KiB. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROOM = 16384 };

/* Return how many bytes the first answer takes, 0 if it is not complete, -1 if it cannot be read. */
static int answer_length(const char *data, int filled, int *status, int *closes) {
    const char *end = memmem(data, filled, "\r\n\r\n", 4);
    if (!end) return filled == ROOM ? -1 : 0;
    if (memcmp(data, "HTTP/1.", 7)) return -1;
    *status = atoi(data + 9);
    *closes = 0;
    int length = *status == 204 || *status == 304 ? 0 : -1;
    for (const char *line = memchr(data, '\n', end - data); line; line = memchr(line, '\n', end - line)) {
        line++;
        if ((*line | 32) == 'c') {
            if (!strncasecmp(line, "content-length:", 15)) length = atoi(line + 15);
            else if (!strncasecmp(line, "connection: close", 17)) *closes = 1;
        }
    }
    if (length < 0 || end - data + 4 + length > ROOM) return -1;
    int total = (int)(end - data) + 4 + length;
    return total <= filled ? total : 0;
}
