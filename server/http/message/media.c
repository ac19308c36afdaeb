/* media.c - see media.h. */
#include "media.h"

#include <string.h>
#include <strings.h>

static const struct { const char *ending, *type; } TYPES[] = {
    { "html", "text/html; charset=utf-8" },   { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" }, { "mjs", "text/javascript; charset=utf-8" },
    { "json", "application/json" },           { "map", "application/json" },
    { "txt", "text/plain; charset=utf-8" },   { "md", "text/markdown; charset=utf-8" },
    { "xml", "application/xml" },             { "csv", "text/csv; charset=utf-8" },
    { "svg", "image/svg+xml" },               { "png", "image/png" },
    { "jpg", "image/jpeg" },                  { "jpeg", "image/jpeg" },
    { "gif", "image/gif" },                   { "webp", "image/webp" },
    { "avif", "image/avif" },                 { "ico", "image/x-icon" },
    { "woff", "font/woff" },                  { "woff2", "font/woff2" },
    { "wasm", "application/wasm" },           { "pdf", "application/pdf" },
    { "mp4", "video/mp4" },                   { "webm", "video/webm" },
    { "mp3", "audio/mpeg" },                  { "zip", "application/zip" },
};

const char *media_type(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    if (dot && (!slash || dot > slash))
        for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
            if (strcasecmp(dot + 1, TYPES[i].ending) == 0)
                return TYPES[i].type;
    return "application/octet-stream";
}

bool media_is_compressible(const char *type)
{
    return strncmp(type, "text/", 5) == 0 || strstr(type, "json") || strstr(type, "xml") || strstr(type, "/wasm");
}
