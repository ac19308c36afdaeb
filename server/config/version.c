/* version.c - see version.h. inih and md4c do not know theirs: the Makefile asks pkg-config. */
#include "version.h"

#include <curl/curl.h>
#include <elfutils/libdwfl.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <llhttp.h>
#include <sqlite3.h>
#include <uv.h>

void version_print(FILE *out)
{
    const int libpq = PQlibVersion();        /* 150004 is 15.4 */
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    fprintf(out, "tenk %s\n", TENK_VERSION);
    fprintf(out, "  libuv    %s\n", uv_version_string());
    fprintf(out, "  llhttp   %d.%d.%d\n", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
            LLHTTP_VERSION_PATCH);
    fprintf(out, "  libpq    %d.%d\n", libpq / 10000, libpq % 10000);
    fprintf(out, "  libcurl  %s, %s\n", curl->version, curl->ssl_version ? curl->ssl_version : "without TLS");
    fprintf(out, "  libdw    %s\n", dwfl_version(NULL));
    fprintf(out, "  SQLite   %s\n", sqlite3_libversion());
    fprintf(out, "  jansson  %s\n", jansson_version_str());
    fprintf(out, "  md4c     %s\n", MD4C_VERSION);
    fprintf(out, "  inih     %s\n", INIH_VERSION);
}
