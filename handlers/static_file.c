/* static_file.c - GET /static/...: the files of the static folder. */
#include "handlers.h"
#include "server/http/files.h"
#include "site.h"

async int static_file(request *req)
{
    return respond_file(req, site_static_folder(), request_param(req, "*"));
}
