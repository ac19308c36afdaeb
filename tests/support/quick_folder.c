/* quick_folder.c - see quick_folder.h. */
#include "quick_folder.h"

#include <stdint.h>
#include <sys/statvfs.h>
#include <unistd.h>

const char *quick_folder(void)
{
    struct statvfs room;
    return access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &room) == 0 &&
                   (uint64_t)room.f_bavail * room.f_frsize >= 1 << 30
               ? "/dev/shm"
               : "/tmp";
}
